"""Client list and search over HTTP: pages, filters, sorting and type-ahead."""

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
from tests.support.drivers.clients import load_audit_entries, send_request
from tests.support.drivers.http import V1, assert_ok, auth_headers

NAMES = [
    *(("Casey", "Example"), ("Exavier", "Casement"), ("casey", "example"), ("Ann-Marie", "O'Brien")),
    *(("José", "Ibáñez"), ("Mary Ann", "Sample"), ("Sam", "Mary"), ("Casey", "Exam"), ("Li", "Zz")),
    ("María Elena", "García-López"),
]


@pytest.fixture(scope="module")
def practice_with_names(installation: Installation) -> PracticeFixture:
    """Create a practice whose clients have similar names; some are minors, some have ended treatment."""
    fixture = make_practice(installation)
    fixture.add("clinician")
    fixture.people["client"] = me = make_portal_client(fixture)
    with fixture.installation.store.begin_session(fixture.id) as db:
        client = db.get_one(Client, (fixture.id, me.staff_id))
        client.first_name, client.last_name = "Pat", "Portal"
    for number, (first, last) in enumerate(NAMES):
        birth_date = date(2010 if number in (1, 3) else 1980, 5, number + 1)
        ended = {4: (date(2026, 3, 18), "DISCHARGED"), 5: (date(2026, 3, 1), "INACTIVE"), 6: (date(2026, 4, 1), None)}
        ended_on, reason = ended.get(number, (None, None))
        clinician = fixture.people["clinician"] if number < 3 else None
        fields: dict[str, Any] = {
            "first_name": first,
            "last_name": last,
            "birth_date": birth_date,
            "ended_on": ended_on,
        }
        make_client(fixture, clinician, end_reason=reason, external_id=f"K0{number}", **fields)
    return fixture


@pytest.fixture
def find(client: TestClient, practice_with_names: PracticeFixture) -> Callable[..., list[str]]:
    def search(query: str, person: Any = None, **options: Any) -> list[str]:
        answer = send_request(
            client, practice_with_names, "POST", "/clients/search", person, {"query": query, **options}
        )
        return [f"{item['first_name']} {item['last_name']}" for item in assert_ok(answer)["items"]]

    return search


@pytest.mark.parametrize(
    ("query", "expected"),
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
        ("ann", {"Ann-Marie O'Brien", "Mary Ann Sample"}),
        ("lopez", {"María Elena García-López"}),
        ("garcia-l", {"María Elena García-López"}),
        ("lopez maria", {"María Elena García-López"}),
        ("elena", {"María Elena García-López"}),
        ("elena obrien", set()),
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
def test_clients_are_found_by_what_people_type(find: Callable[..., list[str]], query: str, expected: set[str]) -> None:
    assert set(find(query)) == expected


def test_a_client_is_found_by_id(client: TestClient, practice_with_names: PracticeFixture) -> None:
    record = assert_ok(send_request(client, practice_with_names, "GET", "/clients"))["items"][0]
    for text in (record["id"], record["id"].upper(), f" {record['id']} "):
        (expected,) = assert_ok(
            send_request(client, practice_with_names, "POST", "/clients/search", None, {"query": text})
        )["items"]
        assert expected == {name: record[name] for name in ("id", "first_name", "last_name", "birth_date", "status")}


def test_search_results_are_sorted_by_last_name(find: Callable[..., list[str]]) -> None:
    assert find("exa") == ["Exavier Casement", "Casey Exam", "Casey Example", "casey example"]
    assert find("casement", limit=1) == ["Exavier Casement"]
    assert find("zz")[0] == "Li Zz"


@pytest.mark.parametrize(
    "body", [{}, {"query": ""}, {"query": "x" * 101}, {"query": "a", "limit": 21}, {"query": "\n"}]
)
def test_an_invalid_search_is_refused(
    client: TestClient, practice_with_names: PracticeFixture, body: dict[str, Any]
) -> None:
    assert send_request(client, practice_with_names, "POST", "/clients/search", None, body).status_code == 422


def test_the_search_has_the_same_scope_as_the_list(
    find: Callable[..., list[str]], practice_with_names: PracticeFixture
) -> None:
    assert set(find("casey", practice_with_names.people["clinician"])) == {"Casey Example", "casey example"}
    assert find("casement", practice_with_names.people["clinician"]) == ["Exavier Casement"]
    assert (
        find("obrien", practice_with_names.people["clinician"])
        == find("K03", practice_with_names.people["clinician"])
        == []
    )
    assert find("1980-05-05", practice_with_names.people["clinician"]) == []
    assert (find("pat", practice_with_names.people["client"]), find("casey", practice_with_names.people["client"])) == (
        ["Pat Portal"],
        [],
    )


def test_the_trail_has_the_clients_that_were_found_but_not_the_query(
    client: TestClient, practice: PracticeFixture
) -> None:
    found = {"found": 1, "client_ids": [str(make_client(practice, last_name="Findable"))]}
    assert_ok(send_request(client, practice, "POST", "/clients/search", None, {"query": "Findable"}))
    (entry,) = load_audit_entries(client, practice, "clients.searched")
    assert (entry["details"], entry["subject_id"]) == (found, None)
    assert_ok(send_request(client, practice, "GET", "/clients"))
    (entry,) = load_audit_entries(client, practice, "clients.listed")
    assert entry["details"] == found
    assert load_audit_entries(client, practice, "client.read") == []


# The list


def test_the_list_is_filtered(client: TestClient, practice_with_names: PracticeFixture) -> None:
    def list_ids(**query: Any) -> list[str]:
        answer = client.get(f"{V1}/clients", params={"limit": 100, **query}, headers=auth_headers(practice_with_names))
        return [item["external_id"] for item in assert_ok(answer)["items"] if item["external_id"]]

    clinician = practice_with_names.people["clinician"]
    assert len(list_ids()) == len(NAMES)
    assert set(list_ids(status="DISCHARGED")) == {"K04"}
    assert set(list_ids(status="INACTIVE")) == {"K05"}
    assert set(list_ids(status="ACTIVE")) == {"K00", "K01", "K02", "K03", "K06", "K07", "K08", "K09"}
    assert set(list_ids(minor=True)) == {"K01", "K03"}
    assert set(list_ids(clinician_id=clinician.staff_id)) == {"K00", "K01", "K02"}
    assert set(list_ids(clinician_id=clinician.staff_id, minor=False)) == {"K00", "K02"}
    assert list_ids(clinician_id="me") == []
    own = client.get(
        f"{V1}/clients", params={"clinician_id": "me"}, headers=auth_headers(practice_with_names, clinician)
    )
    assert {item["external_id"] for item in assert_ok(own)["items"]} == {"K00", "K01", "K02"}
    assert client.get(f"{V1}/clients?clinician_id=you", headers=auth_headers(practice_with_names)).status_code == 422


@pytest.mark.parametrize("sort", ["last_name", "-last_name", "first_name", "-first_name", "id", "-id"])
@pytest.mark.parametrize("limit", [1, 4])
@pytest.mark.parametrize("role", ["admin", "clinician"])
def test_pages_list_every_client_once_in_order_and_no_url_contains_a_name(
    client: TestClient, practice_with_names: PracticeFixture, sort: str, limit: int, role: str
) -> None:
    headers = auth_headers(practice_with_names, practice_with_names.people.get(role))
    rows: list[dict[str, Any]] = []
    query: dict[str, Any] = {"sort": sort, "limit": limit}
    while True:
        page = assert_ok(client.get(f"{V1}/clients", params=query, headers=headers))
        rows += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = base64.urlsafe_b64decode(page["next_cursor"] + "==").decode()
        assert cursor == f'["{sort}", "{rows[-1]["id"]}"]'
        query["cursor"] = page["next_cursor"]
    assert len(rows) == len({row["id"] for row in rows}) == (len(NAMES) + 1 if role == "admin" else 3)
    with practice_with_names.installation.store.begin_session(practice_with_names.id) as db:
        order = load_sort_keys(db, sort.removeprefix("-"))
    assert [row["id"] for row in rows] == sorted(
        (row["id"] for row in rows), key=order.__getitem__, reverse=sort.startswith("-")
    )


def load_sort_keys(db: Any, sort: str) -> dict[str, Any]:
    """Return the sort key of each client: the sorted column, then the id."""
    column = {"last_name": "by_last_name", "first_name": "by_first_name", "id": "id"}[sort]
    rows = db.connection().exec_driver_sql(f"select id, {column} from clients").all()
    return {str(row[0]): (str(row[1]), str(row[0])) for row in rows}


def test_a_cursor_at_an_invisible_client_is_refused(client: TestClient, practice_with_names: PracticeFixture) -> None:
    all_ids = [
        item["id"]
        for item in assert_ok(send_request(client, practice_with_names, "GET", "/clients?limit=100"))["items"]
    ]
    own_ids = [
        item["id"]
        for item in assert_ok(
            send_request(client, practice_with_names, "GET", "/clients", practice_with_names.people["clinician"])
        )["items"]
    ]
    for record in (*set(all_ids) - set(own_ids), str(UUID(int=7))):
        cursor = base64.urlsafe_b64encode(f'["last_name", "{record}"]'.encode()).decode().rstrip("=")
        answer = send_request(
            client, practice_with_names, "GET", f"/clients?cursor={cursor}", practice_with_names.people["clinician"]
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "VALIDATION_ERROR")
