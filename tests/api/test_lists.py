"""Lists over HTTP: pages, sorting, filters, chosen fields, counts, and refusals."""

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
from tests.support.drivers.http import V1, auth_headers, token_headers

PEOPLE = 23
KEYS = {"last_name": "last_name", "hired_on": "hired_on", "id": "id"}


@pytest.fixture(scope="module")
def large_practice(installation: Installation) -> PracticeFixture:
    """Create a practice with many staff whose names and hire dates repeat."""
    fixture = make_practice(installation)
    with fixture.work() as work:
        for number in range(PEOPLE - 1):
            add_staff(
                work,
                email=f"{number}-{fixture.id}@example.com",
                first_name="Sam",
                last_name=["Ode", "ode", "Öde", "Zed", "O'De", "Ode, Jr."][number % 6],
                roles=["clinician"] if number % 2 else ["biller", "scheduler"],
                hired_on=date(2025, 1, 6) + timedelta(days=number % 3),
            )
    return fixture


def load_all_pages(client: TestClient, path: str, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
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
    raise AssertionError("the list has more than 100 pages")


@pytest.mark.parametrize("limit", [1, 7, 100])
@pytest.mark.parametrize("sort", [sign + key for sign in ("", "-") for key in KEYS])
def test_pages_list_every_person_once_in_order(
    client: TestClient, large_practice: PracticeFixture, sort: str, limit: int
) -> None:
    rows = load_all_pages(client, "/staff", auth_headers(large_practice), sort=sort, limit=limit)
    assert len(rows) == len({row["id"] for row in rows}) == PEOPLE
    key = KEYS[sort.removeprefix("-")]
    order = [(row[key], row["id"]) for row in rows]
    assert order == sorted(order, key=lambda pair: (pair[0].encode(), pair[1]), reverse=sort.startswith("-"))


def test_practices_are_paged(client: TestClient, installation: Installation) -> None:
    fixture = {str(make_practice(installation).id) for _ in range(3)}
    with installation.store.begin_system_session() as db:
        practice_count = db.scalar(select(func.count()).select_from(Practice)) or 0
    limit = min(practice_count // 7 + 1, 100)  # about eight pages, however many practices other tests have created
    admin = make_platform_admin(installation)
    headers = token_headers(sign_in(installation, admin.account_id, Actor().tenant_id).access)
    for sort in ("name", "-name", "created_at", "-created_at", "id", "-id"):
        rows = [row["id"] for row in load_all_pages(client, "/practices", headers, sort=sort, limit=limit)]
        assert len(rows) == len(set(rows))
        assert fixture <= set(rows)


def test_the_audit_log_is_paged_latest_first(client: TestClient, large_practice: PracticeFixture) -> None:
    headers = auth_headers(large_practice)
    descending = [row["seq"] for row in load_all_pages(client, "/audit", headers, limit=9)]
    ascending = [row["seq"] for row in load_all_pages(client, "/audit", headers, limit=9, sort="seq")]
    assert ascending == list(range(1, len(ascending) + 1))
    assert descending == list(range(len(ascending) - 2, 0, -1))  # each search has recorded itself


def test_rows_can_be_counted_and_filtered(client: TestClient, large_practice: PracticeFixture) -> None:
    def list_staff(**query: Any) -> dict[str, Any]:
        answer = client.get(f"{V1}/staff", params=query, headers=auth_headers(large_practice))
        assert answer.status_code == 200, answer.text[:300]
        return answer.json()

    assert list_staff()["total"] is None
    assert len(list_staff()["items"]) == 20
    assert list_staff(count=True, limit=1)["total"] == PEOPLE
    assert list_staff(count=True, limit=1, role="clinician")["total"] == (PEOPLE - 1) // 2
    assert list_staff(count=True, limit=1, role="analyst")["total"] == 0
    assert list_staff(count=True, limit=1, active=True)["total"] == PEOPLE
    assert list_staff(count=True, limit=1, active=False)["total"] == 0


def test_the_audit_log_is_filtered_by_action_account_subject_and_time(
    client: TestClient, large_practice: PracticeFixture
) -> None:
    headers = auth_headers(large_practice)
    person = load_all_pages(client, "/staff", headers, limit=100, sort="id")[0]["id"]

    def find_entries(**query: Any) -> set[tuple[str, str | None]]:
        return {
            (row["action"], row["subject_id"]) for row in load_all_pages(client, "/audit", headers, limit=100, **query)
        }

    assert {action for action, _ in find_entries(action="session.started")} == {"session.started"}
    assert find_entries(subject_id=person) == {("staff.added", person)}
    assert {a for a, _ in find_entries(account_id=str(large_practice.admin.account_id))} >= {
        "staff.added",
        "session.started",
    }
    assert find_entries(account_id=person) == set()
    assert find_entries(until=NOW.isoformat()) == set()
    assert find_entries(since=(NOW + timedelta(seconds=1)).isoformat()) == set()
    assert len(find_entries(since="1900-01-02T00:00:00+14:00", until="2199-12-30T23:59:59-12:00")) >= PEOPLE


def test_a_list_shows_only_the_requested_fields(client: TestClient, large_practice: PracticeFixture) -> None:
    answer = client.get(
        f"{V1}/staff", params={"fields": "id,last_name", "limit": 5}, headers=auth_headers(large_practice)
    )
    assert [set(row) for row in answer.json()["items"]] == [{"id", "last_name"}] * 5
    assert answer.json()["next_cursor"]


def encode_cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


STAFF_ID = "01890000-0000-7000-8000-000000000000"
FORGED_CURSORS = [
    ("/staff", "last_name", encode_cursor("last_name", "\ud800", STAFF_ID)),
    ("/staff", "last_name", encode_cursor("last_name", "a\x00b", STAFF_ID)),
    ("/staff", "last_name", encode_cursor("last_name", {"a": 1}, STAFF_ID)),
    ("/staff", "last_name", encode_cursor("last_name", None, STAFF_ID)),
    ("/staff", "last_name", encode_cursor("last_name", "Ode", 5)),
    ("/staff", "last_name", encode_cursor("last_name", "Ode", "x' or true --")),
    ("/staff", "last_name", encode_cursor("last_name", "Ode")),
    ("/staff", "last_name", encode_cursor("-last_name", "Ode", STAFF_ID)),
    ("/staff", "last_name", encode_cursor("id", STAFF_ID)),
    ("/staff", "id", encode_cursor("id", 5)),
    ("/staff", "hired_on", encode_cursor("hired_on", 5, STAFF_ID)),
    ("/staff", "hired_on", encode_cursor("hired_on", "2025-02-30", STAFF_ID)),
    ("/staff", "last_name", "nonsense"),
    ("/staff", "last_name", "ü"),
    ("/staff", "last_name", base64.urlsafe_b64encode(b"[" * 370).decode()),
    ("/staff", "last_name", base64.urlsafe_b64encode(b"5").decode()),
    ("/staff", "last_name", base64.urlsafe_b64encode(b"{}").decode()),
    ("/staff", "last_name", ""),
    ("/staff", "last_name", "A" * 501),
    ("/audit", "seq", encode_cursor("seq", 1e400)),
    ("/audit", "seq", encode_cursor("seq", 10**30)),
    ("/audit", "seq", encode_cursor("seq", "9" * 200)),
    ("/audit", "seq", encode_cursor("seq", 1.5)),
    ("/audit", "seq", encode_cursor("seq", True)),
]


@pytest.mark.parametrize(("path", "sort", "cursor"), FORGED_CURSORS)
def test_a_forged_cursor_is_refused(
    client: TestClient, large_practice: PracticeFixture, path: str, sort: str, cursor: str
) -> None:
    answer = client.get(V1 + path, params={"sort": sort, "cursor": cursor}, headers=auth_headers(large_practice))
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
        {"fields": "nothing", "role": "analyst"},  # refused even if there are no rows
        {"role": "client"},
        {"active": "perhaps"},
        {"email": "a@example.com"},  # filters are an allow-list
    ],
)
def test_an_invalid_query_is_refused(
    client: TestClient, large_practice: PracticeFixture, query: dict[str, Any]
) -> None:
    answer = client.get(f"{V1}/staff", params=query, headers=auth_headers(large_practice))
    assert answer.status_code == 422, answer.text[:300]


def test_a_cursor_shows_nothing_of_another_practice(
    client: TestClient, large_practice: PracticeFixture, practice: PracticeFixture
) -> None:
    cursor = client.get(f"{V1}/staff", params={"limit": 1}, headers=auth_headers(large_practice)).json()["next_cursor"]
    answer = client.get(f"{V1}/staff", params={"cursor": cursor}, headers=auth_headers(practice))
    assert {row["id"] for row in answer.json()["items"]} <= {str(practice.admin.staff_id)}
