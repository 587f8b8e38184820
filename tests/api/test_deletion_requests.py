"""Deletion requests over HTTP: requested, reviewed, carried out; and what is retained."""

from datetime import date, datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text, update

from practice.people.models.clients import Client, ClientStatus, Consent
from practice.scheduling.models.appointments import AppointmentStep, RescheduleRequest
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_portal_client, make_service, put
from tests.support.drivers.booking import MONDAY, BookingApi, local
from tests.support.drivers.clients import send_request, update_record
from tests.support.drivers.http import V1, assert_invalid, assert_ok, auth_headers, error_code, void
from tests.support.drivers.sample_requests.intake import ANSWERS

URL = f"{V1}/deletion-requests"


@pytest.fixture
def patient(practice: PracticeFixture) -> Person:
    return make_portal_client(practice)


def create_request(client: TestClient, practice: PracticeFixture, client_id: UUID, by: Person | None = None) -> Any:
    return client.post(URL, json={"client_id": str(client_id)}, headers=auth_headers(practice, by))


def review_request(client: TestClient, practice: PracticeFixture, request: dict[str, Any], **body: Any) -> Any:
    return client.post(f"{URL}/{request['id']}/review", json=body, headers=auth_headers(practice))


def redact_client(client: TestClient, practice: PracticeFixture, request: dict[str, Any]) -> Any:
    return client.post(f"{URL}/{request['id']}/redact", headers=auth_headers(practice))


def discharge(practice: PracticeFixture, client_id: UUID, on: date = date(2026, 3, 18)) -> None:
    """Discharge a client who has medical notes and a guardian."""
    with practice.work() as work:
        notes = work.seal("clients", "medical_notes", client_id, "Asthma")
        values = {"ended_on": on, "end_reason": "DISCHARGED", "medical_notes": notes, "guardian_name": "Pat Example"}
        work.db.execute(update(Client).where(Client.id == client_id).values(values))


def load_rows(practice: PracticeFixture, table: str, client_id: UUID) -> list[dict[str, Any]]:
    key = "id" if table == "clients" else "client_id"
    with practice.installation.store.begin_session(practice.id) as db:
        texts = db.execute(text(f"select * from {table} where {key} = :id"), {"id": client_id})
        return [dict(row) for row in texts.mappings()]


def find_tables_containing(practice: PracticeFixture, *names: str) -> set[str]:
    """Return the practice's tables that contain one of the names in any column."""
    tables = "select table_name from information_schema.columns where table_schema = 'public' and column_name = :column"
    with practice.installation.store.open_owner_connection("owner") as db:
        db.execute(text("select set_config('app.tenant_id', :id, false)"), {"id": str(practice.id)})
        texts = {
            table: " ".join(db.scalars(text(f"select {table}::text from {table}"))).lower()
            for table in db.scalars(text(tables), {"column": "tenant_id"}).all()
        }
    assert len(texts) > 40
    assert texts["clients"]
    return {table for table, content in texts.items() if any(name.lower() in content for name in names)}


def test_a_client_is_redacted_except_for_what_has_to_be_retained(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    clinician = practice.add("clinician")
    at = datetime.fromisoformat("2026-02-25T15:00:00Z")
    completed = {"status": "COMPLETED", "status_at": at}
    make_appointment(practice, clinician, patient.staff_id, make_service(practice), at, **completed)
    documents = f"{V1}/clients/{patient.staff_id}/documents"
    for content in (b"A letter about Casey", b"Another letter"):
        files = {"file": ("casey.txt", content), "kind": (None, "OTHER")}
        assert client.post(documents, files=files, headers=auth_headers(practice)).status_code == 201
    body = {"client_id": str(patient.staff_id)}
    form = client.post(f"{V1}/intake-forms", json=body, headers=auth_headers(practice, patient)).json()
    steps = f"{V1}/intake-forms/{form['id']}/steps/personal"
    assert_ok(client.put(steps, json=ANSWERS["personal"], headers=auth_headers(practice, patient, If_Match='"1"')))
    discharge(practice, patient.staff_id)
    retained = {
        name: load_rows(practice, name, patient.staff_id) for name in ("appointments", "consents", "client_statuses")
    }

    created = create_request(client, practice, patient.staff_id, patient)
    assert created.status_code == 201
    assert assert_ok(review_request(client, practice, created.json(), approved=True))["status"] == "APPROVED"
    token = auth_headers(practice, patient)
    assert client.get(URL, headers=token).status_code == 200
    assert assert_ok(redact_client(client, practice, created.json()))["status"] == "REDACTED"

    (redacted,) = load_rows(practice, "clients", patient.staff_id)
    assert (redacted["first_name"], redacted["last_name"]) == ("Redacted", "Client")
    assert redacted["birth_date"] == date(1990, 12, 31)  # the year decides how long the record is retained
    cleared = ("email", "phone", "address", "city", "state", "zip", "medical_notes", "account_id", "guardian_name")
    assert {redacted[name] for name in (*cleared, "emergency_contact_name", "emergency_contact_phone")} == {None}
    assert redacted["reminders"] == []
    for document in load_rows(practice, "documents", patient.staff_id):
        assert (document["name"], document["size"], document["sha256"]) == ("redacted", 0, b"")
        assert document["voided_at"] == practice.now
        with practice.work() as work:
            assert work.unseal("documents", "content", document["id"], document["content"]) == ""
    (form_row,) = load_rows(practice, "intake_forms", patient.staff_id)
    assert [form_row[step] for step in ANSWERS] == [None] * 4
    repeated = client.put(steps, json=ANSWERS["personal"], headers=auth_headers(practice, clinician, If_Match='"3"'))
    assert error_code(repeated) == "INTAKE_COMPLETED"  # it cannot be filled in again
    signed = {"signed_by_name": "Redacted", "version": 2}
    retained["consents"] = [consent | signed for consent in retained["consents"]]
    by_id = itemgetter("id")
    for name, before in retained.items():
        assert sorted(load_rows(practice, name, patient.staff_id), key=by_id) == sorted(before, key=by_id)
    assert client.get(URL, headers=token).status_code == 401  # portal access ends immediately
    with practice.installation.store.begin_system_session() as db:
        query = "select ended_at from memberships where account_id = :id"
        assert db.scalar(text(query), {"id": patient.account_id}) == practice.now

    texts = assert_ok(
        client.get(f"{V1}/audit", params={"subject_id": str(patient.staff_id)}, headers=auth_headers(practice))
    )
    actions = [entry["action"] for entry in texts["items"] if entry["action"] != "deletions.listed"][:3]
    assert actions == ["client.redacted", "deletion.reviewed", "deletion.requested"]


def test_no_name_is_left_in_any_table(client: TestClient, practice: PracticeFixture) -> None:
    """Names of the client, guardian and referrer are removed from name columns and free text."""
    names = ("Casey", "Quillfeather", "Marlowe")
    guardian = {"guardian_name": "Pat Quillfeather", "referring_provider": "Dr. Marlowe"}
    patient = make_client(practice, last_name="Quillfeather", **guardian)
    clinician, service = practice.add("clinician"), make_service(practice)
    fields = {"special_requests": "Casey is afraid of lifts", "instructions": "Ask for Pat Quillfeather"}
    fields |= {"status": "CANCELLED", "status_at": practice.now, "cancellation_reason": "Casey is ill"}
    at = datetime.fromisoformat("2026-02-25T15:00:00Z")
    visit = make_appointment(practice, clinician, patient, service, at, **fields)
    since = {"effective_on": date(2026, 1, 31), "set_at": practice.now}
    status = ClientStatus(client_id=patient, status="INACTIVE", reason="Casey moved", **since)
    signed = Consent(client_id=patient, kind="GUARDIAN", signed_at=at, signed_by_name="Pat  Ann Quillfeather")
    created = {"asked_by_id": clinician.staff_id, "asked_at": at, "starts_at": at, "status": "REJECTED"}
    move = RescheduleRequest(appointment_id=visit, reason="Casey asked", decision_note="Not for Casey", **created)
    put(practice, status, signed, move)
    files = {"file": ("Quillfeather.txt", b"A letter"), "kind": (None, "OTHER")}
    client.post(f"{V1}/clients/{patient}/documents", files=files, headers=auth_headers(practice))
    discharge(practice, patient)
    all_tables = {"appointments", "client_statuses", "clients", "consents", "documents", "reschedule_requests"}
    assert find_tables_containing(practice, *names) == all_tables | {"client_name_words"}
    request = create_request(client, practice, patient).json()
    review_request(client, practice, request, approved=True)
    assert_ok(redact_client(client, practice, request))
    assert find_tables_containing(practice, *names) == set()
    consents = load_rows(practice, "consents", patient)
    assert {row["signed_by_name"] for row in consents} == {"Redacted"}
    assert {row["signed_at"] for row in consents} >= {at}  # the consents themselves are retained
    (visited,) = load_rows(practice, "appointments", patient)
    assert (visited["starts_at"], visited["status"], visited["version"]) == (at, "CANCELLED", 2)


def test_no_birth_date_member_id_or_reason_is_left(client: TestClient, practice: PracticeFixture) -> None:
    """Of coverages, eligibility checks, steps and void reasons; planned messages are not sent."""
    api = BookingApi(client, practice)
    born = "1987-11-23"
    patient = make_client(practice, api.clinician, birth_date=date.fromisoformat(born))
    payer = {"payer_id": "60054", "payer_name": "Plan", "member_id": "XQ4711Z", "effective_on": "2026-01-01"}
    coverage = api.post(f"/clients/{patient}/coverages", **payer, rank=1).json()
    assert_ok(api.post(f"/coverages/{coverage['id']}/eligibility-check"))
    url = f"{V1}/coverages/{coverage['id']}"
    assert void(client, url, auth_headers(practice), "Zweistromland").status_code == 204
    files = {"file": ("a.txt", b"A letter"), "kind": (None, "OTHER")}
    documents = f"{V1}/clients/{patient}/documents"
    document = client.post(documents, files=files, headers=auth_headers(practice)).json()
    url = f"{documents}/{document['id']}"
    assert void(client, url, auth_headers(practice), "Zweistromland").status_code == 204
    visit = api.book_appointment(local(MONDAY, 10), client_id=patient)
    api.take_step(visit, "confirm", note="Zweistromland")
    step = {"appointment_id": UUID(visit["id"]), "status": "CONFIRMED", "at": practice.now}
    put(practice, AppointmentStep(id=new_id(), consent_override_reason=b"x", **step))
    earlier = create_request(client, practice, patient).json()
    assert_ok(review_request(client, practice, earlier, approved=False, reason="Zweistromland"))
    discharge(practice, patient)
    request = create_request(client, practice, patient).json()
    review_request(client, practice, request, approved=True)

    refused = redact_client(client, practice, request)
    assert (refused.status_code, error_code(refused)) == (409, "VISITS_OPEN")
    (listed,) = refused.json()["error"]["details"]["visits"]
    assert (listed["id"], listed["reference"], listed["status"]) == (visit["id"], visit["reference"], "CONFIRMED")
    assert load_rows(practice, "clients", patient)[0]["first_name"] == "Casey"
    api.take_step(visit, "cancel", reason="Zweistromland")
    personal = (born, "XQ4711Z", "Zweistromland")
    assert find_tables_containing(practice, *personal) >= {"clients", "coverages", "eligibility_checks", "documents"}
    api.write("update messages set status = 'PLANNED' where tenant_id = :tenant_id and client_id = :id", id=patient)
    assert_ok(redact_client(client, practice, request))
    assert find_tables_containing(practice, *personal) == set()
    columns = "note, consent_override_reason"
    steps = f"select {columns} from appointment_steps where tenant_id = :tenant_id and appointment_id = :id"
    assert {tuple(row) for row in api.load_rows(steps, id=UUID(visit["id"]))} == {(None, None)}
    messages = "select status from messages where tenant_id = :tenant_id and client_id = :id"
    assert {row.status for row in api.load_rows(messages, id=patient)} == {"CANCELLED"}


def test_records_of_other_clients_are_not_touched(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    other, ended = (
        make_client(practice, clinician),
        make_client(practice, ended_on=date(2026, 1, 31), end_reason="INACTIVE"),
    )
    files = {"file": ("letter.txt", b"A letter"), "kind": (None, "OTHER")}
    client.post(f"{V1}/clients/{other}/documents", files=files, headers=auth_headers(practice))
    form = client.post(f"{V1}/intake-forms", json={"client_id": str(other)}, headers=auth_headers(practice)).json()
    steps = f"{V1}/intake-forms/{form['id']}/steps/personal"
    assert_ok(client.put(steps, json=ANSWERS["personal"], headers=auth_headers(practice, clinician, If_Match='"1"')))
    about = {"special_requests": "A chair by the window", "instructions": "Ring twice"}
    visit = make_appointment(practice, clinician, other, make_service(practice), practice.now, **about)
    created = {"asked_by_id": clinician.staff_id, "asked_at": practice.now, "starts_at": practice.now}
    put(practice, RescheduleRequest(appointment_id=visit, reason="A conference", **created))
    fields = "select reason from reschedule_requests where tenant_id = :id"
    tables = ("clients", "documents", "intake_forms", "appointments", "consents", "client_statuses")
    before = [load_rows(practice, name, other) for name in tables]
    request = create_request(client, practice, ended).json()
    review_request(client, practice, request, approved=True)
    assert_ok(redact_client(client, practice, request))
    assert before == [load_rows(practice, name, other) for name in tables]
    with practice.installation.store.begin_session(practice.id) as db:
        assert db.scalar(text(fields), {"id": practice.id}) == "A conference"


def test_a_client_who_is_also_staff_remains_staff(client: TestClient, practice: PracticeFixture) -> None:
    colleague = practice.add("biller")
    patient = make_client(practice, account_id=colleague.account_id)
    discharge(practice, patient)
    request = create_request(client, practice, patient).json()
    review_request(client, practice, request, approved=True)
    assert_ok(redact_client(client, practice, request))
    assert client.get(f"{V1}/staff", headers=auth_headers(practice, colleague)).status_code == 200


def test_each_step_happens_once_and_in_order(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    discharge(practice, patient.staff_id)
    request = create_request(client, practice, patient.staff_id).json()
    assert error_code(create_request(client, practice, patient.staff_id, patient)) == "DELETION_ASKED"
    assert error_code(redact_client(client, practice, request)) == "WRONG_STEP"
    assert_ok(review_request(client, practice, request, approved=True))
    assert error_code(create_request(client, practice, patient.staff_id)) == "DELETION_ASKED"
    assert error_code(review_request(client, practice, request, approved=False, reason="No")) == "VALIDATION_ERROR"
    assert error_code(review_request(client, practice, request, approved=False, reason="Too late")) == "WRONG_STEP"
    assert_ok(redact_client(client, practice, request))
    assert error_code(redact_client(client, practice, request)) == "WRONG_STEP"


def test_a_refusal_has_a_reason_and_the_client_can_request_again(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    request = create_request(client, practice, patient.staff_id, patient).json()
    answer = review_request(client, practice, request, approved=False)
    assert (answer.status_code, "reason" in answer.text) == (422, True)
    assert_ok(review_request(client, practice, request, approved=False, reason="A complaint is open"))
    read = assert_ok(client.get(f"{URL}/{request['id']}", headers=auth_headers(practice, patient)))
    assert (read["status"], read["refusal"]) == ("REFUSED", "A complaint is open")
    assert error_code(redact_client(client, practice, request)) == "WRONG_STEP"
    assert create_request(client, practice, patient.staff_id, patient).status_code == 201


def withdraw(
    client: TestClient, practice: PracticeFixture, request: dict[str, Any], step: str, by: Person | None = None
) -> Any:
    body = {"reason": "Ruth Quillfeather asked"} if step == "withdraw" else None
    return client.post(f"{URL}/{request['id']}/{step}", json=body, headers=auth_headers(practice, by))


@pytest.mark.parametrize("approved", [False, True])
def test_a_request_is_withdrawn_until_it_is_carried_out(
    client: TestClient, practice: PracticeFixture, patient: Person, approved: bool
) -> None:
    discharge(practice, patient.staff_id)
    request = create_request(client, practice, patient.staff_id, patient).json()
    if approved:
        assert_ok(review_request(client, practice, request, approved=True))
    assert withdraw(client, practice, request, "withdraw", make_portal_client(practice)).status_code == 404
    no_reason = client.post(f"{URL}/{request['id']}/withdraw", json={}, headers=auth_headers(practice, patient))
    assert no_reason.status_code == 422
    withdrawn = assert_ok(withdraw(client, practice, request, "withdraw", patient))
    assert (withdrawn["status"], withdrawn["withdrawal_reason"]) == ("WITHDRAWN", "Ruth Quillfeather asked")
    assert withdrawn["withdrawn_by"] == str(patient.account_id)
    for answer in (
        redact_client(client, practice, request),
        review_request(client, practice, request, approved=True),
        withdraw(client, practice, request, "withdraw"),
        withdraw(client, practice, request, "withdraw-approval"),
    ):
        assert (answer.status_code, error_code(answer)) == (409, "WRONG_STEP")
    again = create_request(client, practice, patient.staff_id).json()
    assert_ok(review_request(client, practice, again, approved=True))
    assert find_tables_containing(practice, "Quillfeather") == {"deletion_requests"}
    assert_ok(redact_client(client, practice, again))
    assert find_tables_containing(practice, "Quillfeather") == set()
    assert error_code(withdraw(client, practice, again, "withdraw")) == "WRONG_STEP"


def test_an_approval_is_withdrawn_and_given_again(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    discharge(practice, patient.staff_id)
    request = create_request(client, practice, patient.staff_id).json()
    assert error_code(withdraw(client, practice, request, "withdraw-approval")) == "WRONG_STEP"
    assert_ok(review_request(client, practice, request, approved=True))
    for person in (patient, practice.add("scheduler")):
        assert withdraw(client, practice, request, "withdraw-approval", person).status_code == 403
    reopened = assert_ok(withdraw(client, practice, request, "withdraw-approval"))
    assert (reopened["status"], reopened["reviewed_at"], reopened["reviewed_by"]) == ("ASKED", None, None)
    assert error_code(redact_client(client, practice, request)) == "WRONG_STEP"
    assert_ok(review_request(client, practice, request, approved=True))
    assert_ok(redact_client(client, practice, request))


@pytest.mark.parametrize("ended_on", [None, date(2026, 3, 19)])
def test_a_client_in_treatment_is_not_redacted(
    client: TestClient, practice: PracticeFixture, patient: Person, ended_on: date | None
) -> None:
    if ended_on:
        discharge(practice, patient.staff_id, ended_on)
    before = load_rows(practice, "clients", patient.staff_id)
    request = create_request(client, practice, patient.staff_id).json()
    assert_ok(review_request(client, practice, request, approved=True))
    answer = redact_client(client, practice, request)
    assert (answer.status_code, error_code(answer)) == (409, "STILL_IN_TREATMENT")
    assert load_rows(practice, "clients", patient.staff_id) == before


def test_clients_request_for_themselves_and_see_their_own_requests(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    other = make_portal_client(practice)
    for client_id in (other.staff_id, new_id()):
        answer = create_request(client, practice, client_id, patient)
        assert (answer.status_code, "client_id" in answer.text) == (422, True)
    request = create_request(client, practice, other.staff_id, other).json()
    assert client.get(f"{URL}/{request['id']}", headers=auth_headers(practice, patient)).status_code == 404
    assert assert_ok(client.get(URL, headers=auth_headers(practice, patient)))["items"] == []
    scheduler = practice.add("scheduler")
    query = {"client_id": str(other.staff_id), "status": "ASKED"}
    assert len(assert_ok(client.get(URL, params=query, headers=auth_headers(practice, scheduler)))["items"]) == 1
    for step, body in (("review", {"approved": True}), ("redact", None)):
        answer = client.post(f"{URL}/{request['id']}/{step}", json=body, headers=auth_headers(practice, scheduler))
        assert answer.status_code == 403


def test_reading_requests_is_audited(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    request = create_request(client, practice, patient.staff_id).json()
    for path, query in ((URL, {}), (URL, {"client_id": str(patient.staff_id)}), (f"{URL}/{request['id']}", {})):
        assert_ok(client.get(path, params=query, headers=auth_headers(practice)))
    texts = assert_ok(client.get(f"{V1}/audit", params={"sort": "seq"}, headers=auth_headers(practice)))["items"]
    actions = [(entry["action"], entry["subject_id"]) for entry in texts if entry["action"] != "session.started"]
    client_id = str(patient.staff_id)
    assert actions[-3:] == [("deletions.listed", None), ("client.read", client_id), ("deletion.read", client_id)]


def test_a_redacted_record_stays_as_it_is(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    client_id = make_client(practice, clinician)
    discharge(practice, client_id)
    report = {"client_id": str(client_id), "sections": {}}
    draft = assert_ok(send_request(client, practice, "POST", "/progress-reports", clinician, report), 201)
    created = create_request(client, practice, client_id)
    assert_ok(review_request(client, practice, created.json(), approved=True))
    assert_ok(redact_client(client, practice, created.json()))
    before = load_rows(practice, "clients", client_id)
    match = {"If-Match": f'"{draft["version"]}"'}
    note = {"client_id": str(client_id), "type": "SOAP_NOTE", "sections": {}}
    path = f"/clients/{client_id}"
    for answer in (
        send_request(client, practice, "POST", f"{path}/status", None, {"status": "ACTIVE"}),
        update_record(client, practice, path, practice.admin, first_name="Casey"),
        send_request(client, practice, "POST", f"{path}/consents", None, {"kind": "TELEHEALTH"}),
        send_request(client, practice, "POST", "/notes", clinician, note),
        send_request(client, practice, "POST", "/progress-reports", clinician, report),
        send_request(client, practice, "PUT", f"/progress-reports/{draft['id']}", clinician, {"sections": {}}, **match),
        create_request(client, practice, client_id),
    ):
        (problem,) = assert_invalid(answer)
        assert "was redacted and stays as it is" in problem
    assert load_rows(practice, "clients", client_id) == before
    assert load_rows(practice, "notes", client_id) == []
