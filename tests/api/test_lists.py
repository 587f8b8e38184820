"""Lists over HTTP: pages, sorts, filters, chosen fields, counts, and what is refused."""

import base64
import json
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from practice.people.models.practices import Practice
from practice.people.staff import add_staff
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.people import NOW, PracticeFixture, make_platform_admin, make_practice, sign_in
from tests.support.drivers.http import V1, bearer, with_token

PEOPLE = 23
KEYS = {"last_name": "last_name", "hired_on": "hired_on", "id": "id"}


@pytest.fixture(scope="module")
def crowd(installation: Installation) -> PracticeFixture:
    """A practice of many, with names and first days that repeat."""
    made = make_practice(installation)
    with made.work() as work:
        for number in range(PEOPLE - 1):
            add_staff(
                work,
                email=f"{number}-{made.id}@example.com",
                first_name="Sam",
                last_name=["Ode", "ode", "Öde", "Zed", "O'De", "Ode, Jr."][number % 6],
                roles=["clinician"] if number % 2 else ["biller", "scheduler"],
                hired_on=date(2025, 1, 6) + timedelta(days=number % 3),
            )
    return made


def walk(client: TestClient, path: str, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(100):
        answer = client.get(V1 + path, params=query | cursor, headers=headers)
        assert answer.status_code == 200, answer.text[:300]
        page = answer.json()
        assert len(page["items"]) <= query["limit"]
        rows += page["items"]
        if page["next_cursor"] is None:
            return rows
        cursor = {"cursor": page["next_cursor"]}
    raise AssertionError("The pages do not end.")


@pytest.mark.parametrize("limit", [1, 7, 100])
@pytest.mark.parametrize("sort", [sign + key for sign in ("", "-") for key in KEYS])
def test_the_pages_hold_every_person_once_in_order(
    client: TestClient, crowd: PracticeFixture, sort: str, limit: int
) -> None:
    rows = walk(client, "/staff", bearer(crowd), sort=sort, limit=limit)
    assert len(rows) == len({row["id"] for row in rows}) == PEOPLE
    key = KEYS[sort.removeprefix("-")]
    order = [(row[key], row["id"]) for row in rows]
    assert order == sorted(order, key=lambda pair: (pair[0].encode(), pair[1]), reverse=sort.startswith("-"))


def test_the_practices_come_in_pages_too(client: TestClient, installation: Installation) -> None:
    made = {str(make_practice(installation).id) for _ in range(3)}
    with installation.store.system_session() as db:
        there = db.scalar(select(func.count()).select_from(Practice)) or 0
    limit = min(there // 7 + 1, 100)  # some eight pages, however many practices other tests have made
    admin = make_platform_admin(installation)
    headers = with_token(sign_in(installation, admin.account_id, Actor().tenant_id).access)
    for sort in ("name", "-name", "created_at", "-created_at", "id", "-id"):
        rows = [row["id"] for row in walk(client, "/practices", headers, sort=sort, limit=limit)]
        assert len(rows) == len(set(rows))
        assert made <= set(rows)


def test_the_audit_log_comes_in_pages_latest_first(client: TestClient, crowd: PracticeFixture) -> None:
    headers = bearer(crowd)
    down = [row["seq"] for row in walk(client, "/audit", headers, limit=9)]
    up = [row["seq"] for row in walk(client, "/audit", headers, limit=9, sort="seq")]
    assert up == list(range(1, len(up) + 1))
    assert down == up[::-1]


def test_rows_can_be_counted_and_filtered(client: TestClient, crowd: PracticeFixture) -> None:
    def ask(**query: Any) -> dict[str, Any]:
        answer = client.get(f"{V1}/staff", params=query, headers=bearer(crowd))
        assert answer.status_code == 200, answer.text[:300]
        return answer.json()

    assert ask()["total"] is None
    assert len(ask()["items"]) == 20
    assert ask(count=True, limit=1)["total"] == PEOPLE
    assert ask(count=True, limit=1, role="clinician")["total"] == (PEOPLE - 1) // 2
    assert ask(count=True, limit=1, role="analyst")["total"] == 0
    assert ask(count=True, limit=1, active=True)["total"] == PEOPLE
    assert ask(count=True, limit=1, active=False)["total"] == 0


def test_the_audit_log_is_searched_by_what_who_whom_and_when(client: TestClient, crowd: PracticeFixture) -> None:
    headers = bearer(crowd)
    person = walk(client, "/staff", headers, limit=100, sort="id")[0]["id"]

    def found(**query: Any) -> set[tuple[str, str | None]]:
        return {(row["action"], row["subject_id"]) for row in walk(client, "/audit", headers, limit=100, **query)}

    assert {action for action, _ in found(action="session.started")} == {"session.started"}
    assert found(subject_id=person) == {("staff.added", person)}
    assert {a for a, _ in found(account_id=str(crowd.admin.account_id))} >= {"staff.added", "session.started"}
    assert found(account_id=person) == set()
    assert found(until=NOW.isoformat()) == set()
    assert found(since=(NOW + timedelta(seconds=1)).isoformat()) == set()
    assert len(found(since="0001-01-01T00:00:00+23:59", until="9999-12-31T23:59:59-23:59")) >= PEOPLE


def test_a_list_shows_only_the_fields_that_were_asked_for(client: TestClient, crowd: PracticeFixture) -> None:
    answer = client.get(f"{V1}/staff", params={"fields": "id,last_name", "limit": 5}, headers=bearer(crowd))
    assert [set(row) for row in answer.json()["items"]] == [{"id", "last_name"}] * 5
    assert answer.json()["next_cursor"]


def cursor_of(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


SOMEBODY = "01890000-0000-7000-8000-000000000000"
FORGED = [
    ("/staff", "last_name", cursor_of("last_name", "\ud800", SOMEBODY)),
    ("/staff", "last_name", cursor_of("last_name", "a\x00b", SOMEBODY)),
    ("/staff", "last_name", cursor_of("last_name", {"a": 1}, SOMEBODY)),
    ("/staff", "last_name", cursor_of("last_name", None, SOMEBODY)),
    ("/staff", "last_name", cursor_of("last_name", "Ode", 5)),
    ("/staff", "last_name", cursor_of("last_name", "Ode", "x' or true --")),
    ("/staff", "last_name", cursor_of("last_name", "Ode")),
    ("/staff", "last_name", cursor_of("-last_name", "Ode", SOMEBODY)),
    ("/staff", "last_name", cursor_of("id", SOMEBODY)),
    ("/staff", "id", cursor_of("id", 5)),
    ("/staff", "hired_on", cursor_of("hired_on", 5, SOMEBODY)),
    ("/staff", "hired_on", cursor_of("hired_on", "2025-02-30", SOMEBODY)),
    ("/staff", "last_name", "nonsense"),
    ("/staff", "last_name", "ü"),
    ("/staff", "last_name", base64.urlsafe_b64encode(b"[" * 370).decode()),
    ("/staff", "last_name", base64.urlsafe_b64encode(b"5").decode()),
    ("/staff", "last_name", base64.urlsafe_b64encode(b"{}").decode()),
    ("/staff", "last_name", ""),
    ("/staff", "last_name", "A" * 501),
    ("/audit", "seq", cursor_of("seq", 1e400)),
    ("/audit", "seq", cursor_of("seq", 10**30)),
    ("/audit", "seq", cursor_of("seq", "9" * 200)),
    ("/audit", "seq", cursor_of("seq", 1.5)),
    ("/audit", "seq", cursor_of("seq", True)),
]


@pytest.mark.parametrize(("path", "sort", "cursor"), FORGED)
def test_a_forged_cursor_is_refused(
    client: TestClient, crowd: PracticeFixture, path: str, sort: str, cursor: str
) -> None:
    answer = client.get(V1 + path, params={"sort": sort, "cursor": cursor}, headers=bearer(crowd))
    assert answer.status_code == 422, answer.text[:300]


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "email"},
        {"sort": "--id"},
        {"sort": "id; drop table staff"},
        {"limit": 0},
        {"limit": 101},
        {"limit": "all"},
        {"fields": "id,password_hash"},
        {"fields": ""},
        {"fields": "nothing", "role": "analyst"},  # also where there are no rows to hold it against
        {"role": "client"},
        {"active": "perhaps"},
        {"email": "a@example.com"},  # filters are an allow-list
    ],
)
def test_what_a_list_cannot_be_asked_is_refused(
    client: TestClient, crowd: PracticeFixture, query: dict[str, Any]
) -> None:
    answer = client.get(f"{V1}/staff", params=query, headers=bearer(crowd))
    assert answer.status_code == 422, answer.text[:300]


def test_a_cursor_shows_nothing_of_another_practice(
    client: TestClient, crowd: PracticeFixture, practice: PracticeFixture
) -> None:
    cursor = client.get(f"{V1}/staff", params={"limit": 1}, headers=bearer(crowd)).json()["next_cursor"]
    answer = client.get(f"{V1}/staff", params={"cursor": cursor}, headers=bearer(practice))
    assert {row["id"] for row in answer.json()["items"]} <= {str(practice.admin.staff_id)}
