"""A request to be forgotten: asked, reviewed, carried out; what has to be kept stays."""

from datetime import date, datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from practice.people.models.clients import Client, ClientStatus, Consent
from practice.scheduling.models.appointments import RescheduleRequest
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_portal_client, make_service, put
from tests.support.drivers.http import V1, bearer, code_of
from tests.support.drivers.sample_requests.intake import ANSWERS
from tests.support.drivers.sign_in_flow import ok

URL = f"{V1}/deletion-requests"


@pytest.fixture
def patient(practice: PracticeFixture) -> Person:
    return make_portal_client(practice)


def ask(client: TestClient, practice: PracticeFixture, client_id: UUID, by: Person | None = None) -> Any:
    return client.post(URL, json={"client_id": str(client_id)}, headers=bearer(practice, by))


def review(client: TestClient, practice: PracticeFixture, request: dict[str, Any], **body: Any) -> Any:
    return client.post(f"{URL}/{request['id']}/review", json=body, headers=bearer(practice))


def redact(client: TestClient, practice: PracticeFixture, request: dict[str, Any]) -> Any:
    return client.post(f"{URL}/{request['id']}/redact", headers=bearer(practice))


def discharge(practice: PracticeFixture, client_id: UUID, on: date = date(2026, 3, 18)) -> None:
    """With medical notes, as one who was in treatment has them."""
    with practice.work() as work:
        notes = work.seal("clients", "medical_notes", client_id, "Asthma")
        values = {"ended_on": on, "end_reason": "DISCHARGED", "medical_notes": notes, "guardian_name": "Pat Example"}
        work.db.execute(update(Client).where(Client.id == client_id).values(values))


def rows(practice: PracticeFixture, table: str, client_id: UUID) -> list[dict[str, Any]]:
    key = "id" if table == "clients" else "client_id"
    with practice.installation.store.session_in(practice.id) as db:
        found = db.execute(text(f"select * from {table} where {key} = :id"), {"id": client_id})
        return [dict(row) for row in found.mappings()]


def tables_naming(practice: PracticeFixture, *names: str) -> set[str]:
    """Which of the practice's tables can be read to hold one of the names, in whatever column."""
    tables = "select table_name from information_schema.columns where table_schema = 'public' and column_name = :column"
    with practice.installation.store.owner_connection("owner") as db:
        db.execute(text("select set_config('app.tenant_id', :id, false)"), {"id": str(practice.id)})
        found = {
            table: " ".join(db.scalars(text(f"select {table}::text from {table}"))).lower()
            for table in db.scalars(text(tables), {"column": "tenant_id"}).all()
        }
    assert len(found) > 40
    assert found["clients"]
    return {table for table, said in found.items() if any(name.lower() in said for name in names)}


def test_a_client_asks_and_is_forgotten_but_for_what_has_to_be_kept(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    clinician = practice.add("clinician")
    at = datetime.fromisoformat("2026-02-25T15:00:00Z")
    make_appointment(practice, clinician, patient.staff_id, make_service(practice), at)
    documents = f"{V1}/clients/{patient.staff_id}/documents"
    for content in (b"A letter about Casey", b"Another letter"):
        files = {"file": ("casey.txt", content)}
        assert client.post(documents, files=files, headers=bearer(practice)).status_code == 201
    begun = {"client_id": str(patient.staff_id)}
    form = client.post(f"{V1}/intake-forms", json=begun, headers=bearer(practice, patient)).json()
    steps = f"{V1}/intake-forms/{form['id']}/steps/personal"
    ok(client.put(steps, json=ANSWERS["personal"], headers=bearer(practice, patient, If_Match='"1"')))
    discharge(practice, patient.staff_id)
    kept = {name: rows(practice, name, patient.staff_id) for name in ("appointments", "consents", "client_statuses")}

    asked = ask(client, practice, patient.staff_id, patient)
    assert asked.status_code == 201
    assert ok(review(client, practice, asked.json(), approved=True))["status"] == "APPROVED"
    token = bearer(practice, patient)
    assert client.get(URL, headers=token).status_code == 200
    assert ok(redact(client, practice, asked.json()))["status"] == "REDACTED"

    (left,) = rows(practice, "clients", patient.staff_id)
    assert (left["first_name"], left["last_name"], left["birth_date"]) == ("C.", "E.", date(1990, 5, 17))
    gone = ("email", "phone", "address", "city", "state", "zip", "medical_notes", "account_id", "guardian_name")
    assert {left[name] for name in (*gone, "emergency_contact_name", "emergency_contact_phone")} == {None}
    assert left["reminders"] == []
    for document in rows(practice, "documents", patient.staff_id):
        assert (document["name"], document["size"], document["sha256"]) == ("redacted", 0, b"")
        assert document["voided_at"] == practice.now
        with practice.work() as work:
            assert work.unseal("documents", "content", document["id"], document["content"]) == ""
    (emptied,) = rows(practice, "intake_forms", patient.staff_id)
    assert [emptied[step] for step in ANSWERS] == [None] * 4
    again = client.put(steps, json=ANSWERS["personal"], headers=bearer(practice, clinician, If_Match='"3"'))
    assert code_of(again) == "INTAKE_COMPLETED"  # nobody fills it in again
    signed = {"signed_by_name": "C. E.", "version": 2}
    kept["consents"] = [consent | signed for consent in kept["consents"]]
    by_id = itemgetter("id")
    for name, before in kept.items():
        assert sorted(rows(practice, name, patient.staff_id), key=by_id) == sorted(before, key=by_id)
    assert client.get(URL, headers=token).status_code == 401  # they are out of the portal at once
    with practice.installation.store.system_session() as db:
        query = "select ended_at from memberships where account_id = :id"
        assert db.scalar(text(query), {"id": patient.account_id}) == practice.now

    found = ok(client.get(f"{V1}/audit", params={"subject_id": str(patient.staff_id)}, headers=bearer(practice)))
    actions = [entry["action"] for entry in found["items"]][:3]
    assert actions == ["client.redacted", "deletion.reviewed", "deletion.asked"]


def test_nobodys_name_is_left_anywhere(client: TestClient, practice: PracticeFixture) -> None:
    """The client's, their guardian's, and who sent them: neither where names stand nor in what people wrote."""
    names = ("Casey", "Quillfeather", "Marlowe")
    guardian = {"guardian_name": "Pat Quillfeather", "referring_provider": "Dr. Marlowe"}
    patient = make_client(practice, last_name="Quillfeather", **guardian)
    clinician, service = practice.add("clinician"), make_service(practice)
    words = {"special_requests": "Casey is afraid of lifts", "instructions": "Ask for Pat Quillfeather"}
    words |= {"status": "CANCELLED", "status_at": practice.now, "cancellation_reason": "Casey is ill"}
    at = datetime.fromisoformat("2026-02-25T15:00:00Z")
    visit = make_appointment(practice, clinician, patient, service, at, **words)
    since = {"effective_on": date(2026, 1, 31), "set_at": practice.now}
    status = ClientStatus(client_id=patient, status="INACTIVE", reason="Casey moved", **since)
    signed = Consent(client_id=patient, kind="GUARDIAN", signed_at=at, signed_by_name="Pat  Ann Quillfeather")
    asked = {"asked_by_id": clinician.staff_id, "asked_at": at, "starts_at": at, "status": "REJECTED"}
    move = RescheduleRequest(appointment_id=visit, reason="Casey asked", decision_note="Not for Casey", **asked)
    put(practice, status, signed, move)
    files = {"file": ("Quillfeather.txt", b"A letter")}
    client.post(f"{V1}/clients/{patient}/documents", files=files, headers=bearer(practice))
    discharge(practice, patient)
    everywhere = {"appointments", "client_statuses", "clients", "consents", "documents", "reschedule_requests"}
    assert tables_naming(practice, *names) == everywhere
    request = ask(client, practice, patient).json()
    review(client, practice, request, approved=True)
    ok(redact(client, practice, request))
    assert tables_naming(practice, *names) == set()
    consents = rows(practice, "consents", patient)
    assert {row["signed_by_name"] for row in consents} == {"C. E.", "P. A. Q."}
    assert {row["signed_at"] for row in consents} >= {at}  # that they agreed, to what and when is kept
    (visited,) = rows(practice, "appointments", patient)
    assert (visited["starts_at"], visited["status"], visited["version"]) == (at, "CANCELLED", 2)


@pytest.mark.parametrize(
    "statement",
    ["delete from client_statuses", "truncate client_statuses", "update client_statuses set reason = 'Another'"]
    + [f"update client_statuses set {column} = {column}" for column in ("status", "effective_on", "set_at", "set_by")],
)
def test_of_the_history_nothing_but_a_reason_is_ever_emptied(practice: PracticeFixture, statement: str) -> None:
    patient = make_client(practice)
    with practice.installation.store.owner_connection("owner") as db:
        db.execute(text("select set_config('app.tenant_id', :id, false)"), {"id": str(practice.id)})
        assert db.execute(text("update client_statuses set reason = null")).rowcount == 1
        with pytest.raises(DBAPIError, match="never changed or removed"):
            db.execute(text(statement))
    assert len(rows(practice, "client_statuses", patient)) == 1


def test_nobody_elses_records_are_touched(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    other, ended = (
        make_client(practice, clinician),
        make_client(practice, ended_on=date(2026, 1, 31), end_reason="INACTIVE"),
    )
    files = {"file": ("letter.txt", b"A letter")}
    client.post(f"{V1}/clients/{other}/documents", files=files, headers=bearer(practice))
    form = client.post(f"{V1}/intake-forms", json={"client_id": str(other)}, headers=bearer(practice)).json()
    steps = f"{V1}/intake-forms/{form['id']}/steps/personal"
    ok(client.put(steps, json=ANSWERS["personal"], headers=bearer(practice, clinician, If_Match='"1"')))
    about = {"special_requests": "A chair by the window", "instructions": "Ring twice"}
    visit = make_appointment(practice, clinician, other, make_service(practice), practice.now, **about)
    asked = {"asked_by_id": clinician.staff_id, "asked_at": practice.now, "starts_at": practice.now}
    put(practice, RescheduleRequest(appointment_id=visit, reason="A conference", **asked))
    words = "select reason from reschedule_requests where tenant_id = :id"
    tables = ("clients", "documents", "intake_forms", "appointments", "consents", "client_statuses")
    before = [rows(practice, name, other) for name in tables]
    request = ask(client, practice, ended).json()
    review(client, practice, request, approved=True)
    ok(redact(client, practice, request))
    assert before == [rows(practice, name, other) for name in tables]
    with practice.installation.store.session_in(practice.id) as db:
        assert db.scalar(text(words), {"id": practice.id}) == "A conference"


def test_who_is_also_on_the_staff_stays_on_it(client: TestClient, practice: PracticeFixture) -> None:
    colleague = practice.add("biller")
    patient = make_client(practice, account_id=colleague.account_id)
    discharge(practice, patient)
    request = ask(client, practice, patient).json()
    review(client, practice, request, approved=True)
    ok(redact(client, practice, request))
    assert client.get(f"{V1}/staff", headers=bearer(practice, colleague)).status_code == 200


def test_each_step_is_taken_once_and_in_order(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    discharge(practice, patient.staff_id)
    request = ask(client, practice, patient.staff_id).json()
    assert code_of(ask(client, practice, patient.staff_id, patient)) == "DELETION_ASKED"
    assert code_of(redact(client, practice, request)) == "WRONG_STEP"
    ok(review(client, practice, request, approved=True))
    assert code_of(ask(client, practice, patient.staff_id)) == "DELETION_ASKED"
    assert code_of(review(client, practice, request, approved=False, reason="No")) == "VALIDATION_ERROR"
    assert code_of(review(client, practice, request, approved=False, reason="Too late")) == "WRONG_STEP"
    ok(redact(client, practice, request))
    assert code_of(redact(client, practice, request)) == "WRONG_STEP"


def test_a_refusal_says_why_and_the_client_may_ask_again(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    request = ask(client, practice, patient.staff_id, patient).json()
    answer = review(client, practice, request, approved=False)
    assert (answer.status_code, "reason" in answer.text) == (422, True)
    ok(review(client, practice, request, approved=False, reason="A complaint is open"))
    read = ok(client.get(f"{URL}/{request['id']}", headers=bearer(practice, patient)))
    assert (read["status"], read["refusal"]) == ("REFUSED", "A complaint is open")
    assert code_of(redact(client, practice, request)) == "WRONG_STEP"
    assert ask(client, practice, patient.staff_id, patient).status_code == 201


@pytest.mark.parametrize("ended_on", [None, date(2026, 3, 19)])
def test_whoever_is_in_treatment_is_not_forgotten(
    client: TestClient, practice: PracticeFixture, patient: Person, ended_on: date | None
) -> None:
    if ended_on:
        discharge(practice, patient.staff_id, ended_on)
    before = rows(practice, "clients", patient.staff_id)
    request = ask(client, practice, patient.staff_id).json()
    ok(review(client, practice, request, approved=True))
    answer = redact(client, practice, request)
    assert (answer.status_code, code_of(answer)) == (409, "STILL_IN_TREATMENT")
    assert rows(practice, "clients", patient.staff_id) == before


def test_clients_ask_for_themselves_and_see_their_own(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    other = make_portal_client(practice)
    for client_id in (other.staff_id, new_id()):
        answer = ask(client, practice, client_id, patient)
        assert (answer.status_code, "client_id" in answer.text) == (422, True)
    request = ask(client, practice, other.staff_id, other).json()
    assert client.get(f"{URL}/{request['id']}", headers=bearer(practice, patient)).status_code == 404
    assert ok(client.get(URL, headers=bearer(practice, patient)))["items"] == []
    desk = practice.add("scheduler")
    query = {"client_id": str(other.staff_id), "status": "ASKED"}
    assert len(ok(client.get(URL, params=query, headers=bearer(practice, desk)))["items"]) == 1
    for step, body in (("review", {"approved": True}), ("redact", None)):
        answer = client.post(f"{URL}/{request['id']}/{step}", json=body, headers=bearer(practice, desk))
        assert answer.status_code == 403


def test_who_looked_at_requests_is_on_the_audit_trail(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    request = ask(client, practice, patient.staff_id).json()
    for path, query in ((URL, {}), (URL, {"client_id": str(patient.staff_id)}), (f"{URL}/{request['id']}", {})):
        ok(client.get(path, params=query, headers=bearer(practice)))
    found = ok(client.get(f"{V1}/audit", params={"sort": "seq"}, headers=bearer(practice)))["items"]
    seen = [(entry["action"], entry["subject_id"]) for entry in found if entry["action"] != "session.started"]
    me = str(patient.staff_id)
    assert seen[-3:] == [("deletions.listed", None), ("client.read", me), ("deletion.read", me)]
