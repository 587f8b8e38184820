"""Finding clients over HTTP: the list with its pages and filters, and the search."""

import base64
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.people.models.clients import Client
from practice.security.installation import Installation
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import ask, good, trail
from tests.support.drivers.http import V1, bearer

NAMES = [
    *(("Casey", "Example"), ("Exavier", "Casement"), ("casey", "example"), ("Ann-Marie", "O'Brien")),
    *(("José", "Ibáñez"), ("Mary Ann", "Sample"), ("Sam", "Mary"), ("Casey", "Exam"), ("Li", "Zz")),
]


@pytest.fixture(scope="module")
def crowd(installation: Installation) -> PracticeFixture:
    """A practice of a few whose names are alike, some of them young, some gone."""
    made = make_practice(installation)
    made.add("clinician")
    made.people["client"] = me = make_portal_client(made)
    with made.installation.store.session_in(made.id) as db:
        client = db.get_one(Client, (made.id, me.staff_id))
        client.first_name, client.last_name = "Pat", "Portal"
    for number, (first, last) in enumerate(NAMES):
        born = date(2010 if number in (1, 3) else 1980, 5, number + 1)
        ended = {4: (date(2026, 3, 18), "DISCHARGED"), 5: (date(2026, 3, 1), "INACTIVE"), 6: (date(2026, 4, 1), None)}
        ended_on, reason = ended.get(number, (None, None))
        clinician = made.people["clinician"] if number < 3 else None
        about: dict[str, Any] = {"first_name": first, "last_name": last, "birth_date": born, "ended_on": ended_on}
        make_client(made, clinician, end_reason=reason, external_id=f"K0{number}", **about)
    return made


@pytest.fixture
def find(client: TestClient, crowd: PracticeFixture) -> Callable[..., list[str]]:
    def search(query: str, who: Any = None, **more: Any) -> list[str]:
        answer = ask(client, crowd, "POST", "/clients/search", who, {"query": query, **more})
        return [f"{item['first_name']} {item['last_name']}" for item in good(answer)["items"]]

    return search


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("exam", {"Casey Example", "casey example", "Casey Exam"}),
        ("EXAMPLE", {"Casey Example", "casey example"}),
        ("example,", {"Casey Example", "casey example"}),
        ("casey exa", {"Casey Example", "casey example", "Casey Exam"}),
        ("exa casey", {"Casey Example", "casey example", "Casey Exam"}),
        ("cas exa", {"Casey Example", "casey example", "Casey Exam", "Exavier Casement"}),
        ("Example, Casey", {"Casey Example", "casey example"}),
        ("obrien", {"Ann-Marie O'Brien"}),
        ("o'brien ann", {"Ann-Marie O'Brien"}),
        ("ibanez", {"José Ibáñez"}),
        ("jose", {"José Ibáñez"}),
        ("mary", {"Mary Ann Sample", "Sam Mary"}),
        ("mary ann sa", {"Mary Ann Sample"}),
        ("mary s", {"Mary Ann Sample", "Sam Mary"}),
        ("sample mary a", {"Mary Ann Sample"}),
        ("ann", {"Ann-Marie O'Brien"}),
        ("nobody", set()),
        ("'", set()),
        ("%", set()),
        ("casey example x", set()),
        ("K03", {"Ann-Marie O'Brien"}),
        ("K0", set()),
        ("1980-05-01", {"Casey Example"}),
        ("5/1/1980", {"Casey Example"}),
        ("05/02/2010", {"Exavier Casement"}),
        ("13/45/1980", set()),
        ("1980", set()),
        ("٣٤", set()),
    ],
)
def test_clients_are_found_by_how_people_type(find: Callable[..., list[str]], query: str, found: set[str]) -> None:
    assert set(find(query)) == found


def test_a_client_is_found_by_the_id_that_we_gave_them(client: TestClient, crowd: PracticeFixture) -> None:
    one = good(ask(client, crowd, "GET", "/clients"))["items"][0]
    for text in (one["id"], one["id"].upper(), f" {one['id']} "):
        (found,) = good(ask(client, crowd, "POST", "/clients/search", None, {"query": text}))["items"]
        assert found == {name: one[name] for name in ("id", "first_name", "last_name", "birth_date", "status")}


def test_the_search_gives_the_first_of_them_by_last_name(find: Callable[..., list[str]]) -> None:
    assert find("cas", limit=2) == ["Exavier Casement", "Casey Exam"]
    assert find("zz")[0] == "Li Zz"


@pytest.mark.parametrize(
    "body", [{}, {"query": ""}, {"query": "x" * 101}, {"query": "a", "limit": 21}, {"query": "\n"}]
)
def test_a_search_that_is_none_is_refused(client: TestClient, crowd: PracticeFixture, body: dict[str, Any]) -> None:
    assert ask(client, crowd, "POST", "/clients/search", None, body).status_code == 422


def test_the_search_reaches_as_far_as_the_list(find: Callable[..., list[str]], crowd: PracticeFixture) -> None:
    assert set(find("casey", crowd.people["clinician"])) == {"Casey Example", "casey example"}
    assert find("casement", crowd.people["clinician"]) == ["Exavier Casement"]
    assert find("obrien", crowd.people["clinician"]) == find("K03", crowd.people["clinician"]) == []
    assert find("1980-05-05", crowd.people["clinician"]) == []
    assert (find("pat", crowd.people["client"]), find("casey", crowd.people["client"])) == (["Pat Portal"], [])


def test_of_a_search_the_trail_keeps_how_many_were_found(client: TestClient, practice: PracticeFixture) -> None:
    make_client(practice, last_name="Findable")
    good(ask(client, practice, "POST", "/clients/search", None, {"query": "Findable"}))
    (entry,) = trail(client, practice, "clients.searched")
    assert (entry["details"], entry["subject_id"]) == ({"found": 1}, None)
    good(ask(client, practice, "GET", "/clients"))
    (entry,) = trail(client, practice, "clients.listed")
    assert entry["details"] == {"found": 1}
    assert trail(client, practice, "client.read") == []


# The list


def test_the_list_is_asked_for_some(client: TestClient, crowd: PracticeFixture) -> None:
    def asked(**query: Any) -> list[str]:
        answer = client.get(f"{V1}/clients", params={"limit": 100, **query}, headers=bearer(crowd))
        return [item["external_id"] for item in good(answer)["items"] if item["external_id"]]

    clinician = crowd.people["clinician"]
    assert len(asked()) == len(NAMES)
    assert set(asked(status="DISCHARGED")) == {"K04"}
    assert set(asked(status="INACTIVE")) == {"K05"}
    assert set(asked(status="ACTIVE")) == {"K00", "K01", "K02", "K03", "K06", "K07", "K08"}
    assert set(asked(minor=True)) == {"K01", "K03"}
    assert set(asked(clinician=clinician.staff_id)) == {"K00", "K01", "K02"}
    assert set(asked(clinician=clinician.staff_id, minor=False)) == {"K00", "K02"}
    assert asked(clinician="me") == []
    own = client.get(f"{V1}/clients", params={"clinician": "me"}, headers=bearer(crowd, clinician))
    assert {item["external_id"] for item in good(own)["items"]} == {"K00", "K01", "K02"}
    assert client.get(f"{V1}/clients?clinician=you", headers=bearer(crowd)).status_code == 422


@pytest.mark.parametrize("sort", ["last_name", "-last_name", "first_name", "-first_name", "id", "-id"])
@pytest.mark.parametrize("limit", [1, 4])
@pytest.mark.parametrize("role", ["admin", "clinician"])
def test_the_pages_hold_every_client_once_in_order_and_no_address_holds_a_name(
    client: TestClient, crowd: PracticeFixture, sort: str, limit: int, role: str
) -> None:
    headers = bearer(crowd, crowd.people.get(role))
    rows: list[dict[str, Any]] = []
    query: dict[str, Any] = {"sort": sort, "limit": limit}
    while True:
        page = good(client.get(f"{V1}/clients", params=query, headers=headers))
        rows += page["items"]
        if page["next_cursor"] is None:
            break
        told = base64.urlsafe_b64decode(page["next_cursor"] + "==").decode()
        assert told == f'["{sort}", "{rows[-1]["id"]}"]'
        query["cursor"] = page["next_cursor"]
    assert len(rows) == len({row["id"] for row in rows}) == (len(NAMES) + 1 if role == "admin" else 3)
    with crowd.installation.store.session_in(crowd.id) as db:
        order = places(db, sort.removeprefix("-"))
    assert [row["id"] for row in rows] == sorted(
        (row["id"] for row in rows), key=order.__getitem__, reverse=sort.startswith("-")
    )


def places(db: Any, sort: str) -> dict[str, Any]:
    """What a client is sorted by, and then by the id."""
    column = {"last_name": "by_last_name", "first_name": "by_first_name", "id": "id"}[sort]
    rows = db.connection().exec_driver_sql(f"select id, {column} from clients").all()
    return {str(row[0]): (str(row[1]), str(row[0])) for row in rows}


def test_a_cursor_leads_nowhere_from_whom_one_does_not_see(client: TestClient, crowd: PracticeFixture) -> None:
    everybody = [item["id"] for item in good(ask(client, crowd, "GET", "/clients?limit=100"))["items"]]
    mine = [item["id"] for item in good(ask(client, crowd, "GET", "/clients", crowd.people["clinician"]))["items"]]
    for one in (*set(everybody) - set(mine), str(UUID(int=7))):
        cursor = base64.urlsafe_b64encode(f'["last_name", "{one}"]'.encode()).decode().rstrip("=")
        answer = ask(client, crowd, "GET", f"/clients?cursor={cursor}", crowd.people["clinician"])
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
