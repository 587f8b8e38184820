"""Names beside the ids of responses: in every model, for those who may read them, in one query."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from bench.reads import record_statements
from practice.sessions.names import load_names
from tests.support.builders.people import Person, PracticeFixture, make_practice
from tests.support.drivers.booking import MONDAY, BookingApi, local
from tests.support.drivers.clients import load_audit_entries, send_request
from tests.support.drivers.http import assert_ok

PEOPLE_AND_THINGS = ("client", "clinician", "staff", "supervisor", "supervisee", "room", "service", "provider")
ELSEWHERE = {"RoomUtilizationOut", "StatementOut", "StatementWithLinesOut", "HoursOut", "MeOut"}  # under other names


@pytest.fixture
def api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)


@pytest.fixture
def visit(api: BookingApi) -> dict[str, Any]:
    return api.book_appointment(local(MONDAY, 10), room_id=api.room)


def load_name(api: BookingApi, table: str, record_id: UUID) -> str:
    column = "name" if table in ("rooms", "services") else "first_name || ' ' || last_name"
    query = f"select {column} from {table} where tenant_id = :tenant_id and id = :id"
    return api.load_rows(query, id=record_id)[0][0]


def list_response_schemas(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each schema that responses contain, by name."""
    schemas, names = spec["components"]["schemas"], set()

    def visit(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                visit(item)
        elif isinstance(node, dict):
            name = node.get("$ref", "").rpartition("/")[2]
            if name and name not in names:
                names.add(name)
                visit(schemas[name])
            for item in node.values():
                visit(item)

    for methods in spec["paths"].values():
        for operation in methods.values():
            visit(operation["responses"])
    return iter(sorted((name, schemas[name]) for name in names))


def name_of(field: str) -> str | None:
    """Return the field that has to stand beside an id, or None for ids of other records."""
    if field == "account_id":
        return "person"
    if field in ("service_code", "service_codes"):
        return field.replace("code", "name")
    if field.endswith("_by"):
        return f"{field}_person"
    if field.endswith("_by_id") or field == "by_id":
        return f"{field.removesuffix('_id')}_name"
    if field.endswith("By"):
        return f"{field}Name"
    for ending, name in (("_id", "_name"), ("_ids", "_names"), ("Id", "Name")):
        base = field.removesuffix(ending)
        if base != field and base.rpartition("_")[2] in PEOPLE_AND_THINGS:
            return base + name
    return None


def is_id(schema: dict[str, Any]) -> bool:
    return "uuid" in (schema.get("format"), *(part.get("format") for part in schema.get("anyOf", ()))) or is_id_list(
        schema
    )


def is_id_list(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "array" and schema["items"].get("format") == "uuid"


def test_every_id_of_a_person_room_or_service_has_its_name_beside_it(client: TestClient) -> None:
    missing = []
    for name, schema in list_response_schemas(client.app.openapi()):
        properties = schema.get("properties", {})
        if name.removesuffix("InList") in ELSEWHERE or "first_name" in properties:
            properties = {field: kind for field, kind in properties.items() if field == "primary_clinician_id"} | {
                "primary_clinician_name": {}
            }
        for field, kind in properties.items():
            beside = name_of(field)
            if (is_id(kind) or field.startswith("service_code")) and beside and beside not in schema["properties"]:
                missing.append(f"{name}.{beside}")
    assert missing == []


def test_lists_show_the_names_of_client_clinician_room_and_service(api: BookingApi, visit: dict[str, Any]) -> None:
    (listed,) = api.get("/appointments").json()["items"]
    assert listed["client_name"] == load_name(api, "clients", api.client)
    assert listed["clinician_name"] == load_name(api, "staff", api.clinician.staff_id)
    assert listed["room_name"] == load_name(api, "rooms", api.room)
    assert (listed["service_code"], listed["service_name"]) == ("TALK", "Individual")
    assert listed == api.read(visit)


def test_a_name_selected_alone_is_there_and_others_are_not(api: BookingApi, visit: dict[str, Any]) -> None:
    (listed,) = api.get("/appointments", fields="id,client_name").json()["items"]
    assert listed == {"id": visit["id"], "client_name": load_name(api, "clients", api.client)}


def test_names_of_lists_of_ids_are_in_their_order(api: BookingApi) -> None:
    people = [api.clinician.staff_id, api.add_clinician().staff_id]
    entry = api.post("/waitlist", client_id=api.client, clinician_ids=people, service_codes=["TALK"])
    shown = assert_ok(entry, 201)
    assert shown["clinician_names"] == [load_name(api, "staff", UUID(id)) for id in shown["clinician_ids"]]
    assert shown["service_names"] == ["Individual"]
    assert shown["client_name"] == load_name(api, "clients", api.client)


def test_the_person_behind_an_account_is_shown(
    api: BookingApi, client: TestClient, practice: PracticeFixture, visit: dict[str, Any]
) -> None:
    steps = api.get(f"/appointments/{visit['id']}/status-history").json()["items"]
    booked = {"kind": "staff", "id": str(api.scheduler.staff_id)}
    name = load_name(api, "staff", api.scheduler.staff_id)
    assert [step["person"] for step in steps] == [booked | {"name": name}]
    (entry, *_) = load_audit_entries(client, practice, "appointment.booked")
    assert entry["account_id"] == str(api.scheduler.account_id)
    assert entry["person"] == booked | {"name": name}


def test_a_clients_account_is_shown_as_the_client(
    api: BookingApi, client: TestClient, practice: PracticeFixture
) -> None:
    person = api.add_portal_client()
    visit = api.book_appointment(local(MONDAY, 11), person)
    steps = api.get(f"/appointments/{visit['id']}/status-history").json()["items"]
    name = load_name(api, "clients", person.staff_id)
    assert [step["person"] for step in steps] == [{"kind": "client", "id": str(person.staff_id), "name": name}]


def test_a_client_sees_the_clinicians_name_but_not_which_other_staff_did_what(
    api: BookingApi, client: TestClient, practice: PracticeFixture
) -> None:
    person = api.add_portal_client()
    api.book_appointment(local(MONDAY, 11), client_id=person.staff_id)
    (listed,) = api.get("/appointments", person, client_id="me").json()["items"]
    assert listed["clinician_name"] == load_name(api, "staff", api.clinician.staff_id)
    assert listed["client_name"] == load_name(api, "clients", person.staff_id)
    assert_ok(
        send_request(client, practice, "POST", f"/clients/{person.staff_id}/status", None, {"status": "INACTIVE"})
    )
    statuses = {
        reader: assert_ok(send_request(client, practice, "GET", f"/clients/{person.staff_id}/statuses", by))["items"][0]
        for reader, by in (("client", person), ("admin", practice.admin))
    }
    assert statuses["client"]["set_by_person"] is None
    assert statuses["admin"]["set_by_person"]["name"] == "Ada Admin"


def test_an_analyst_gets_no_names(api: BookingApi, practice: PracticeFixture, visit: dict[str, Any]) -> None:
    ids = {
        "client": {api.client},
        "staff": {api.clinician.staff_id},
        "room": {api.room},
        "service": {api.service},
        "service_code": {api.service},
        "coded_service": {"TALK"},
        "account": {api.clinician.account_id},
    }
    assert count_names(practice, api.scheduler, ids) == len(ids)
    assert [count_names(practice, api.scheduler, {kind: ids[kind]}) for kind in ids] == [1] * len(ids)
    assert count_names(practice, api.scheduler, {"staff": ids["staff"], "account": ids["account"]}) == 2
    assert count_names(practice, practice.add("analyst"), ids) == 0


def count_names(practice: PracticeFixture, reader: Person, ids: Any) -> int:
    with practice.work(reader) as work:
        return len(load_names(work, ids))


def test_names_of_another_practice_are_never_found(api: BookingApi, practice: PracticeFixture, visit: Any) -> None:
    other = make_practice(practice.installation)
    with other.work() as work:
        assert load_names(work, {"client": {api.client}, "account": {practice.admin.account_id}}) == {}


def test_a_page_needs_as_many_queries_as_one_record(api: BookingApi, practice: PracticeFixture) -> None:
    counts = []
    for number in range(1, 4):
        api.book_appointment(local(MONDAY, 9 + number), client_id=api.add_portal_client().staff_id)
        with record_statements(practice.installation.store.engine) as reads:
            assert len(api.get("/appointments").json()["items"]) == number
        counts.append(len(reads.statements))
    assert len(set(counts)) == 1, counts
