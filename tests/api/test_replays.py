"""A repeated request gets the first response only while the caller still has the right to it, and leaves an entry."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.people.models.clients import Client
from tests.support.builders.notes import SOAP
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service
from tests.support.drivers.clients import load_audit_entries
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, token_headers
from tests.support.drivers.sign_in_flow import set_clock

KEY = {"Idempotency-Key": "one-key-for-one-request"}


class Repeated:
    """A note that its author sent, and can send again with the same key."""

    def __init__(self, client: TestClient, practice: PracticeFixture) -> None:
        self.client, self.practice = client, practice
        self.clinician = practice.add("clinician")
        self.client_id = make_client(practice, self.clinician)
        start = NOW - timedelta(hours=3)
        session = make_appointment(
            practice, self.clinician, self.client_id, make_service(practice), start, guarded=False
        )
        self.body = {"client_id": str(self.client_id), "type": "SOAP_NOTE", "appointment_id": str(session)}
        self.body |= {"sections": SOAP, "diagnoses": ["F41.1"]}

    def send(self, path: str = "/notes", body: Any = None, person: Person | None = None) -> Any:
        headers = auth_headers(self.practice, person or self.clinician) | KEY
        return self.client.post(V1 + path, json=body or self.body, headers=headers)

    def treat_by(self, clinician: Person) -> None:
        """Move the client and their visits to another clinician."""
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            db.get_one(Client, (self.practice.id, self.client_id)).primary_clinician_id = clinician.staff_id
            db.connection().exec_driver_sql(
                "update appointments set clinician_id = %s where client_id = %s", (clinician.staff_id, self.client_id)
            )

    def count_replays(self) -> int:
        return len(load_audit_entries(self.client, self.practice, "request.replayed", self.client_id))


@pytest.fixture
def repeated(client: TestClient, practice: PracticeFixture) -> Repeated:
    return Repeated(client, practice)


def test_a_replay_is_audited_for_the_client(repeated: Repeated, practice: PracticeFixture) -> None:
    first = repeated.send()
    assert first.status_code == 201, first.text
    assert repeated.count_replays() == 0
    assert repeated.send().json() == first.json()
    [entry] = load_audit_entries(repeated.client, practice, "request.replayed", repeated.client_id)
    assert entry["account_id"] == str(repeated.clinician.account_id)
    assert entry["details"] == {"operation": "create_note"}


def test_a_client_who_is_no_longer_visible_is_not_replayed(repeated: Repeated, practice: PracticeFixture) -> None:
    assert repeated.send().status_code == 201
    repeated.treat_by(practice.add("clinician"))
    answer = repeated.send()
    assert (answer.status_code, error_code(answer)) == (404, "NOT_FOUND")
    assert repeated.count_replays() == 0
    repeated.treat_by(repeated.clinician)
    assert repeated.send().status_code == 201


def test_matches_of_a_search_are_not_replayed_either(repeated: Repeated, practice: PracticeFixture) -> None:
    body = {"query": "Casey"}
    found = assert_ok(repeated.send("/clients/search", body))
    assert [match["id"] for match in found["items"]] == [str(repeated.client_id)]
    repeated.treat_by(practice.add("clinician"))
    assert repeated.send("/clients/search", body).status_code == 404


def test_a_lost_role_is_not_replayed(client: TestClient, practice: PracticeFixture, repeated: Repeated) -> None:
    scheduler = practice.add("scheduler")
    body = {"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17"}
    made = repeated.send("/clients", body, scheduler)
    assert made.status_code == 201
    assert repeated.send("/clients", body, scheduler).json() == made.json()
    path = f"{V1}/staff/{scheduler.staff_id}"
    change = client.patch(path, json={"roles": ["biller"]}, headers=auth_headers(practice) | {"If-Match": '"1"'})
    assert_ok(change)
    assert repeated.send("/clients", body, scheduler).status_code == 403
    assert len(load_audit_entries(client, practice, "request.replayed", made.json()["id"])) == 1


def test_a_client_who_was_redacted_since_is_not_replayed(repeated: Repeated, practice: PracticeFixture) -> None:
    client, admin = repeated.client, practice.admin
    body = {"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17", "address": "1 Elm St"}
    made = assert_ok(repeated.send("/clients", body, admin), 201)
    assert repeated.send("/clients", body, admin).json() == made
    headers = token_headers(practice.token(admin, set_clock(client, timedelta(hours=1))))
    discharge = {"status": "DISCHARGED", "effective_on": "2026-03-18", "reason": "Done"}
    assert_ok(client.post(f"{V1}/clients/{made['id']}/status", json=discharge, headers=headers))
    request = assert_ok(client.post(f"{V1}/deletion-requests", json={"client_id": made["id"]}, headers=headers), 201)
    path = f"{V1}/deletion-requests/{request['id']}"
    assert_ok(client.post(f"{path}/review", json={"approved": True}, headers=headers))
    for _ in range(2):  # the redaction itself is replayed: its response says nothing about the person
        redacted = client.post(f"{path}/redact", headers=headers | {"Idempotency-Key": "of-the-redaction"})
        assert assert_ok(redacted)["status"] == "REDACTED"
    answer = client.post(f"{V1}/clients", json=body, headers=headers | KEY)
    assert (answer.status_code, error_code(answer)) == (404, "NOT_FOUND")


def test_a_supervisee_who_has_moved_is_not_replayed(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    supervisee = practice.add("clinician", supervisor=supervisor)
    goal = {"staff_id": str(supervisee.staff_id), "metric_key": "no_show_rate", "target": 5}
    goal |= {"starts_on": "2026-03-01", "ends_on": "2026-06-30"}
    session = {"supervisee_ids": [str(supervisee.staff_id)], "held_at": "2026-03-17T15:00:00Z", "hours": 1}
    session |= {"kind": "INDIVIDUAL"}
    headers = auth_headers(practice, supervisor)

    def send() -> list[int]:
        requests = (("/goals", goal), ("/supervision-sessions", session))
        return [
            client.post(
                V1 + path, json=body, headers=headers | {"Idempotency-Key": f"one-key-for{path[1:5]}"}
            ).status_code
            for path, body in requests
        ]

    assert [send(), send()] == [[201, 201], [201, 201]]
    change = {"supervisor_id": str(practice.add("supervisor").staff_id)}
    path = f"{V1}/staff/{supervisee.staff_id}"
    assert_ok(client.patch(path, json=change, headers=auth_headers(practice) | {"If-Match": '"1"'}))
    assert send() == [404, 404]


def test_a_replay_about_no_client_is_audited_too(client: TestClient, practice: PracticeFixture) -> None:
    body = {"email": f"new-{practice.id}@example.com", "first_name": "New", "last_name": "Comer"}
    body |= {"roles": ["biller"], "hired_on": "2026-03-01"}
    for _ in range(2):
        assert client.post(f"{V1}/staff", json=body, headers=auth_headers(practice) | KEY).status_code == 201
    [entry] = load_audit_entries(client, practice, "request.replayed")
    assert (entry["subject_id"], entry["details"]) == (None, {"operation": "add_staff"})


def change_supervisor(client: TestClient, practice: PracticeFixture, clinician: Person, supervisor: Person) -> None:
    path = f"{V1}/staff/{clinician.staff_id}"
    version = client.get(path, headers=auth_headers(practice)).json()["version"]
    body, headers = {"supervisor_id": str(supervisor.staff_id)}, auth_headers(practice)
    assert_ok(client.patch(path, json=body, headers=headers | {"If-Match": f'"{version}"'}))


@pytest.mark.parametrize("step", ["return", "co-sign"])
def test_a_step_on_a_former_supervisees_note_is_not_replayed(
    client: TestClient, practice: PracticeFixture, step: str
) -> None:
    supervisor = practice.add("supervisor", "clinician")
    repeated = Repeated(client, practice)
    author = repeated.clinician
    change_supervisor(client, practice, author, supervisor)
    patient = repeated.client_id
    make_appointment(practice, supervisor, patient, make_service(practice, "S"), NOW, guarded=False)  # sees the client
    note = assert_ok(repeated.send(), 201)
    headers = auth_headers(practice, author, if_match='"1"')
    submitted = assert_ok(client.post(f"{V1}/notes/{note['id']}/submit", headers=headers))

    def send() -> Any:
        headers = auth_headers(practice, supervisor, if_match=f'"{submitted["version"]}"') | KEY
        body = {"reason": "The plan is missing."} if step == "return" else None
        return client.post(f"{V1}/notes/{note['id']}/{step}", json=body, headers=headers)

    first = assert_ok(send())
    assert assert_ok(send()) == first
    change_supervisor(client, practice, author, practice.add("supervisor"))
    answer = send()
    assert (answer.status_code, error_code(answer)) == (404, "NOT_FOUND")
    change_supervisor(client, practice, author, supervisor)
    assert assert_ok(send()) == first


def test_signed_notes_of_colleagues_are_replayed_in_a_search(repeated: Repeated, practice: PracticeFixture) -> None:
    client, colleague = repeated.client, practice.add("clinician")
    service = make_service(practice, "S")
    make_appointment(practice, colleague, repeated.client_id, service, NOW, guarded=False)
    note = assert_ok(repeated.send(), 201)
    headers = auth_headers(practice, repeated.clinician, if_match='"1"')
    assert_ok(client.post(f"{V1}/notes/{note['id']}/sign", headers=headers))
    body = {"query": "slept"}
    found = assert_ok(repeated.send("/notes/search", body, colleague))
    assert [match["note"]["id"] for match in found["items"]] == [note["id"]]
    assert assert_ok(repeated.send("/notes/search", body, colleague)) == found


def test_an_eligibility_check_of_a_redacted_client_is_not_replayed(
    repeated: Repeated, practice: PracticeFixture
) -> None:
    client, admin = repeated.client, practice.admin
    body = {"first_name": "Casey", "last_name": "Example", "birth_date": "1990-05-17"}
    made = assert_ok(client.post(f"{V1}/clients", json=body, headers=auth_headers(practice)), 201)
    coverage = {"payer_id": "60054", "payer_name": "Aetna", "member_id": "W1", "rank": 1}
    coverage |= {"effective_on": "2026-01-01"}
    path = f"{V1}/clients/{made['id']}/coverages"
    covered = assert_ok(client.post(path, json=coverage, headers=auth_headers(practice)), 201)
    check = f"/coverages/{covered['id']}/eligibility-check"
    first = assert_ok(client.post(V1 + check, headers=auth_headers(practice) | KEY))
    assert str(made["id"]) not in str(first)
    headers = token_headers(practice.token(admin, set_clock(client, timedelta(hours=1))))
    assert assert_ok(client.post(V1 + check, headers=headers | KEY)) == first
    discharge = {"status": "DISCHARGED", "effective_on": "2026-03-18", "reason": "Done"}
    assert_ok(client.post(f"{V1}/clients/{made['id']}/status", json=discharge, headers=headers))
    request = assert_ok(client.post(f"{V1}/deletion-requests", json={"client_id": made["id"]}, headers=headers), 201)
    path = f"{V1}/deletion-requests/{request['id']}"
    assert_ok(client.post(f"{path}/review", json={"approved": True}, headers=headers))
    assert_ok(client.post(f"{path}/redact", headers=headers))
    answer = client.post(V1 + check, headers=headers | KEY)
    assert (answer.status_code, error_code(answer)) == (404, "NOT_FOUND")
