"""Client records over HTTP: admission, access, changes, audit."""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_portal_client, make_service
from tests.support.drivers.clients import NEW_CLIENT, load_audit_entries, send_request, update_record
from tests.support.drivers.http import assert_invalid, assert_ok, error_code

READERS = ("admin", "supervisor", "clinician", "scheduler", "biller", "client")


@pytest.fixture
def people(practice: PracticeFixture) -> dict[str, Person]:
    """Create a person of every role that reads clients; the clinician treats the client."""
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    return {
        **{"admin": practice.admin, "supervisor": supervisor, "clinician": clinician},
        **{"scheduler": practice.add("scheduler"), "biller": practice.add("biller")},
        "client": make_portal_client(practice, clinician),
    }


def get_record(
    client: TestClient, practice: PracticeFixture, client_id: Any, person: Person | None = None, **headers: str
) -> Any:
    return send_request(client, practice, "GET", f"/clients/{client_id}", person, **headers)


def write_notes(
    client: TestClient, practice: PracticeFixture, client_id: Any, by: Person | None, text: str | None
) -> Any:
    return update_record(client, practice, f"/clients/{client_id}", by, medical_notes=text)


def test_a_new_client_is_active_from_the_day_of_admission(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    sent = NEW_CLIENT | {
        **{"sex": "F", "email": " Casey@Example.com ", "phone": "404-555-0100", "zip": "30301", "state": "GA"},
        **{"self_pay": True, "referring_provider": "Dr. Sample", "primary_clinician_id": str(clinician.staff_id)},
        "admitted_on": "2026-03-02",
    }
    answer = send_request(client, practice, "POST", "/clients", practice.add("scheduler"), sent)
    created = assert_ok(answer, 201)
    assert created | {"email": sent["email"]} == created | sent  # every sent field is stored
    assert (created["email"], created["status"], created["minor"], created["reminders"]) == (
        *("casey@example.com", "ACTIVE", False),
        ["email"],
    )
    assert answer.headers["ETag"] == '"1"'
    path = f"/clients/{created['id']}"
    (status,) = assert_ok(send_request(client, practice, "GET", f"{path}/statuses"))["items"]
    assert (status["status"], status["effective_on"]) == ("ACTIVE", "2026-03-02")
    (assignment,) = assert_ok(send_request(client, practice, "GET", f"{path}/primary-clinician"))["items"]
    assert (assignment["clinician_id"], assignment["effective_on"]) == (str(clinician.staff_id), "2026-03-02")
    assert len(load_audit_entries(client, practice, "client.added", created["id"])) == 1


def test_a_client_is_admitted_on_the_practices_local_date_by_default(
    client: TestClient, practice: PracticeFixture
) -> None:
    created = assert_ok(send_request(client, practice, "POST", "/clients", None, NEW_CLIENT), 201)
    assert (created["admitted_on"], created["primary_clinician_id"]) == ("2026-03-18", None)
    assert (
        assert_ok(send_request(client, practice, "GET", f"/clients/{created['id']}/primary-clinician"))["items"] == []
    )


def test_all_problems_of_a_new_client_are_reported_together(client: TestClient, practice: PracticeFixture) -> None:
    wrong = {"birth_date": "2015-01-01", "email": "casey", "phone": "none", "zip": "1", "admitted_on": "2026-03-19"}
    wrong |= {"primary_clinician_id": str(practice.admin.staff_id)}
    problems = assert_invalid(send_request(client, practice, "POST", "/clients", None, NEW_CLIENT | wrong))
    assert len(problems) == 6
    assert "not a clinician" in problems[-1]
    assert assert_ok(send_request(client, practice, "GET", "/clients"))["items"] == []


def test_a_clinician_of_another_practice_is_refused(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    (problems,) = assert_invalid(
        send_request(client, practice, "POST", "/clients", None, NEW_CLIENT | {"primary_clinician_id": str(new_id())})
    )
    assert "not a clinician of this practice" in problems


def test_people_read_the_clients_in_their_scope_only(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    own_id = people["client"].staff_id
    visited = make_client(practice)
    start = practice.now.replace(minute=0)
    make_appointment(practice, people["clinician"], visited, make_service(practice), start)
    unrelated = make_client(practice)
    visible = {
        **{role: {own_id, visited, unrelated} for role in ("admin", "scheduler", "biller")},
        **{role: {own_id, visited} for role in ("supervisor", "clinician")},
        "client": {own_id},
    }
    for role, visible_ids in visible.items():
        listed = {
            item["id"] for item in assert_ok(send_request(client, practice, "GET", "/clients", people[role]))["items"]
        }
        assert listed == {str(client_id) for client_id in visible_ids}, role
        for client_id in (own_id, visited, unrelated):
            answer = get_record(client, practice, client_id, people[role])
            assert answer.status_code == (200 if client_id in visible_ids else 404), (role, client_id)


def test_medical_notes_are_readable_by_those_who_can_read_chart_notes(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    own_id = people["client"].staff_id
    written = assert_ok(write_notes(client, practice, own_id, people["clinician"], "Takes Sampline\nin the morning"))
    assert written["medical_notes"] == "Takes Sampline\nin the morning"
    for role in READERS:
        for headers in ({}, {"X_Reason": "Asked by the client"}):
            notes = assert_ok(get_record(client, practice, own_id, people[role], **headers))["medical_notes"]
            reads = role in ("supervisor", "clinician") or (role == "admin" and headers)
            assert (notes is not None) == bool(reads), (role, headers)
    reasons = [entry["details"].get("reason") for entry in load_audit_entries(client, practice, "client.read", own_id)]
    assert reasons.count("Asked by the client") == len(READERS)
    assert (
        assert_ok(send_request(client, practice, "GET", "/clients"))["items"][0]
        .keys()
        .isdisjoint({"medical_notes", "zip"})
    )


def test_clinicians_and_supervisors_write_medical_notes_and_risk_and_the_desk_does_not(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    path = f"/clients/{people['client'].staff_id}"
    fields = {"medical_notes": "Takes Sampline", "high_risk_since": "2026-03-01", "high_risk_until": "2026-04-01"}
    both = practice.add("scheduler", "clinician")  # of other clients
    for role, by in [(role, people[role]) for role in READERS] + [("both", both)]:
        for name, value in fields.items():
            answer = update_record(client, practice, path, by, **{name: value})
            expected = 200 if role in ("supervisor", "clinician") else 403
            assert answer.status_code == expected, (role, name, answer.text)
    etag = get_record(client, practice, people["client"].staff_id).headers["ETag"]
    headers = {"If_Match": etag, "X_Reason": "Moved from paper"}
    refused = send_request(client, practice, "PATCH", path, None, {"medical_notes": "x"}, **headers)
    assert (refused.status_code, error_code(refused)) == (403, "FORBIDDEN")
    for role in ("supervisor", "clinician"):
        assert update_record(client, practice, path, people[role], city="Macon").status_code == 403
        assert update_record(client, practice, path, people[role], city="Macon", medical_notes="x").status_code == 403
        assert_ok(update_record(client, practice, path, people[role], medical_notes=role))
    record = assert_ok(get_record(client, practice, people["client"].staff_id, people["clinician"]))
    assert (record["medical_notes"], record["high_risk_since"]) == ("clinician", "2026-03-01")
    other = f"/clients/{make_client(practice, practice.add('clinician'))}"
    for role in ("supervisor", "clinician"):
        assert update_record(client, practice, other, people[role], medical_notes="x").status_code == 404


def test_a_new_clients_risk_and_medical_notes_are_written_by_their_clinician(
    client: TestClient, practice: PracticeFixture
) -> None:
    both = practice.add("scheduler", "clinician")
    clinical = {"medical_notes": "Takes Sampline", "high_risk_since": "2026-03-01"}
    own = NEW_CLIENT | clinical | {"primary_clinician_id": str(both.staff_id)}
    for by in (practice.add("scheduler"), None):
        for name, value in clinical.items():
            sent = NEW_CLIENT | {name: value, "primary_clinician_id": str(both.staff_id)}
            assert send_request(client, practice, "POST", "/clients", by, sent).status_code == 403
    assert send_request(client, practice, "POST", "/clients", both, NEW_CLIENT | clinical).status_code == 403
    assert assert_ok(send_request(client, practice, "GET", "/clients"))["items"] == []
    created = assert_ok(send_request(client, practice, "POST", "/clients", both, own), 201)
    record = assert_ok(get_record(client, practice, created["id"], both))
    assert {name: record[name] for name in clinical} == clinical


def test_a_reason_has_a_length_limit(client: TestClient, practice: PracticeFixture, people: dict[str, Person]) -> None:
    own_id = people["client"].staff_id
    for reason in ("no", "x" * 201):
        assert get_record(client, practice, own_id, None, X_Reason=reason).status_code == 422


def test_clients_do_not_see_their_risk_dates(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    own_id = people["client"].staff_id
    risk = {"high_risk_since": "2026-03-01", "high_risk_until": "2026-04-01"}
    assert_ok(update_record(client, practice, f"/clients/{own_id}", people["clinician"], **risk))
    risk = {role: assert_ok(get_record(client, practice, own_id, people[role]))["high_risk_since"] for role in READERS}
    assert risk == dict.fromkeys(READERS, "2026-03-01") | {"client": None}


def test_a_change_affects_only_the_sent_fields(client: TestClient, practice: PracticeFixture) -> None:
    created = assert_ok(
        send_request(client, practice, "POST", "/clients", None, NEW_CLIENT | {"city": "Atlanta", "sex": "X"}), 201
    )
    changed = assert_ok(update_record(client, practice, f"/clients/{created['id']}", city="Macon", sex=None))
    assert (created.pop("warnings"), changed.pop("former_guardian_consents")) == ([], [])
    assert changed == created | {"city": "Macon", "sex": None, "version": 2}
    (entry,) = load_audit_entries(client, practice, "client.changed", created["id"])
    assert entry["details"] == {"fields": ["city", "sex"]}


def test_a_stale_change_is_refused(client: TestClient, practice: PracticeFixture) -> None:
    path = f"/clients/{make_client(practice)}"
    assert_ok(update_record(client, practice, path, city="Macon"))
    stale = send_request(client, practice, "PATCH", path, None, {"city": "Rome"}, If_Match='"1"')
    assert (stale.status_code, error_code(stale)) == (412, "STALE")
    assert send_request(client, practice, "PATCH", path, None, {"city": "Rome"}).status_code == 428


@pytest.mark.parametrize("field", ["first_name", "last_name", "birth_date", "admitted_on", "self_pay"])
def test_required_fields_cannot_be_cleared(client: TestClient, practice: PracticeFixture, field: str) -> None:
    path = f"/clients/{make_client(practice)}"
    assert update_record(client, practice, path, **{field: None}).status_code == 422


def test_a_child_needs_a_guardian(client: TestClient, practice: PracticeFixture) -> None:
    child = make_client(practice, birth_date=date(2012, 1, 1))  # possible after an import
    path = f"/clients/{child}"
    assert assert_ok(update_record(client, practice, path, city="Macon"))["minor"] is True
    assert "guardian" in assert_invalid(update_record(client, practice, path, birth_date="2012-01-02"))[0]
    assert_ok(update_record(client, practice, path, birth_date="2012-01-02", guardian_name="Kin Example"))


# Contact and reminders, which clients can maintain themselves


def test_clients_maintain_their_contact_details(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    me = people["client"]
    path = f"/clients/{me.staff_id}"
    notes = assert_ok(
        update_record(client, practice, f"{path}/contact", me, phone="404-555-0199", emergency_contact_name="Kin")
    )
    assert (notes["phone"], notes["emergency_contact_name"]) == ("404-555-0199", "Kin")
    assert (
        len(assert_invalid(update_record(client, practice, f"{path}/contact", me, phone="no", email="no", zip="no")))
        == 3
    )
    for field in ("first_name", "medical_notes", "guardian_name", "self_pay"):
        assert update_record(client, practice, f"{path}/contact", me, **{field: "x"}).status_code == 422
    other = f"/clients/{make_client(practice, people['clinician'])}/contact"
    assert update_record(client, practice, other, me, phone="404-555-0199").status_code == 404
    assert update_record(client, practice, path, me, phone="404-555-0199").status_code == 403
    assert update_record(client, practice, f"{path}/contact", people["clinician"], city="Rome").status_code == 403
    assert len(load_audit_entries(client, practice, "client.contact_changed", me.staff_id)) == 1


@pytest.mark.parametrize("channels", [[], ["sms"], ["email", "sms"]])
def test_reminders_use_the_chosen_channels(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person], channels: list[str]
) -> None:
    path = f"/clients/{people['client'].staff_id}/notification-preferences"
    assert assert_ok(send_request(client, practice, "GET", path, people["biller"]))["reminders"] == ["email"]
    for person in (people["client"], people["scheduler"]):
        assert (
            assert_ok(update_record(client, practice, path, person, "PUT", reminders=channels))["reminders"] == channels
        )
    assert update_record(client, practice, path, people["clinician"], "PUT", reminders=channels).status_code == 403
    assert update_record(client, practice, path, None, "PUT", reminders=["pigeon"]).status_code == 422
    assert assert_ok(send_request(client, practice, "GET", path, people["client"]))["reminders"] == channels


def test_reading_a_record_is_audited(client: TestClient, practice: PracticeFixture, people: dict[str, Person]) -> None:
    own_id = people["client"].staff_id
    for part in ("", "/statuses", "/primary-clinician", "/coverages", "/consents", "/timeline"):
        assert_ok(send_request(client, practice, "GET", f"/clients/{own_id}{part}", people["clinician"]))
    entries = load_audit_entries(client, practice, "client.read", own_id)
    assert [entry["details"].get("part") for entry in entries] == [
        *("timeline", "consents", "coverages", "primary clinicians", "statuses"),
        None,
    ]
    assert {entry["account_id"] for entry in entries} == {str(people["clinician"].account_id)}
