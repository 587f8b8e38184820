"""Intake forms over HTTP: drafts, completion, and access."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update

from practice.people import intake
from practice.people.intake import IntakeOpen
from practice.people.models.clients import Agreement, Client, Consent
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_portal_client, make_service, put
from tests.support.drivers.clients import load_audit_entries
from tests.support.drivers.http import V1, assert_invalid, assert_ok, auth_headers, error_code
from tests.support.drivers.sample_requests.intake import ANSWERS
from tests.support.drivers.waiting import collide


@pytest.fixture
def patient(practice: PracticeFixture) -> Person:
    return make_portal_client(practice)


def start(client: TestClient, practice: PracticeFixture, by: Person | None, client_id: UUID, **fields: Any) -> Any:
    body = {"client_id": str(client_id)} | fields
    return client.post(f"{V1}/intake-forms", json=body, headers=auth_headers(practice, by))


def save(
    client: TestClient, practice: PracticeFixture, by: Person, form: dict[str, Any], step: str, answers: dict[str, Any]
) -> Any:
    headers = auth_headers(practice, by, If_Match=f'"{form["version"]}"')
    return client.put(f"{V1}/intake-forms/{form['id']}/steps/{step}", json=answers, headers=headers)


def fill(
    client: TestClient,
    practice: PracticeFixture,
    by: Person,
    client_id: UUID,
    answers: dict[str, dict[str, Any]] = ANSWERS,
) -> dict[str, Any]:
    form = start(client, practice, by, client_id).json()
    for step, signed in answers.items():
        form = assert_ok(save(client, practice, by, form, step, signed))
    return form


def complete(client: TestClient, practice: PracticeFixture, by: Person, form: dict[str, Any]) -> Any:
    return client.post(f"{V1}/intake-forms/{form['id']}/complete", headers=auth_headers(practice, by))


def read(client: TestClient, practice: PracticeFixture, by: Person | None, form: dict[str, Any], **headers: str) -> Any:
    return client.get(f"{V1}/intake-forms/{form['id']}", headers=auth_headers(practice, by, **headers))


def load_consents(practice: PracticeFixture, client_id: UUID) -> dict[str, Consent]:
    query = select(Consent).where(Consent.client_id == client_id, Consent.signed_at == NOW)
    with practice.installation.store.begin_session(practice.id) as db:
        return {consent.kind: consent for consent in db.scalars(query)}


def test_a_client_fills_in_a_form_step_by_step_and_completes_it(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    treatment = Agreement(id=new_id(), kind="INFORMED_TREATMENT", number=2, title="T", text="t", published_at=NOW)
    older = Agreement(id=new_id(), kind="INFORMED_TREATMENT", number=1, title="T", text="t", published_at=NOW)
    put(practice, treatment, older)
    started = start(client, practice, patient, patient.staff_id)
    assert started.status_code == 201
    assert (started.json()["status"], started.json()["steps_saved"]) == ("DRAFT", [])
    form = assert_ok(save(client, practice, patient, started.json(), "goals", {"therapy_goals": ["to sleep"]}))
    assert form["steps_saved"] == ["goals"]
    draft = assert_ok(read(client, practice, patient, form))
    assert (draft["goals"]["therapy_goals"], draft["personal"]) == (["to sleep"], None)
    for step, answers in ANSWERS.items():
        form = assert_ok(save(client, practice, patient, form, step, answers))
    completed = assert_ok(complete(client, practice, patient, form))
    assert (completed["status"], completed["completed_at"]) == ("COMPLETED", "2026-03-18T15:30:00Z")
    stored_form = assert_ok(read(client, practice, patient, form))
    for step, answers in ANSWERS.items():
        assert {name: stored_form[step][name] for name in answers} == answers
    signed = load_consents(practice, patient.staff_id)
    assert set(signed) == {"INFORMED_TREATMENT", "CONFIDENTIALITY", "DATA_PROCESSING"}
    assert signed["INFORMED_TREATMENT"].agreement_id == treatment.id
    own_name = signed["INFORMED_TREATMENT"].signed_by_name or ""
    assert own_name.startswith("Casey Example ")  # the name in the record, not the one typed


def test_all_missing_answers_are_reported_together(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    form = start(client, practice, patient, patient.staff_id).json()
    form = assert_ok(save(client, practice, patient, form, "personal", ANSWERS["personal"] | {"allergies": None}))
    answer = complete(client, practice, patient, form)
    problems = assert_invalid(answer)
    assert len(problems) == 10
    assert "personal.allergies: Personal: enter allergies (or none)." in problems
    assert load_consents(practice, patient.staff_id) == {}
    assert assert_ok(read(client, practice, patient, form))["status"] == "DRAFT"


def test_a_completed_form_never_changes(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    form = assert_ok(complete(client, practice, patient, fill(client, practice, patient, patient.staff_id)))
    for answer in (
        save(client, practice, patient, form, "goals", ANSWERS["goals"]),
        complete(client, practice, patient, form),
    ):
        assert (answer.status_code, error_code(answer)) == (409, "INTAKE_COMPLETED")
    assert start(client, practice, patient, patient.staff_id).status_code == 201  # another form can be started


def test_a_client_has_one_unfinished_form(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    start(client, practice, None, patient.staff_id)
    again = start(client, practice, patient, patient.staff_id)
    assert (again.status_code, error_code(again)) == (409, "INTAKE_OPEN")


def test_concurrent_starts_create_one_form(practice: PracticeFixture, patient: Person) -> None:
    def start_form(work: Work) -> Any:
        return intake.start_form(work, Scope.ALL, patient.staff_id)

    assert isinstance(collide(practice, start_form, start_form).exception(), IntakeOpen)


def test_a_form_can_belong_to_an_appointment_of_the_client(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    clinician = practice.add("clinician")
    at = datetime.fromisoformat("2026-03-25T15:00:00Z")
    service = make_service(practice)
    own_client = make_appointment(practice, clinician, patient.staff_id, service, at)
    other = make_appointment(practice, clinician, make_client(practice), service, at.replace(hour=17))
    for appointment_id in (other, new_id()):
        answer = start(client, practice, patient, patient.staff_id, appointment_id=str(appointment_id))
        assert (answer.status_code, "appointment_id" in answer.text) == (422, True)
    answer = start(client, practice, patient, patient.staff_id, appointment_id=str(own_client))
    assert answer.json()["appointment_id"] == str(own_client)


def test_a_minors_guardian_consents_too(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    child = make_client(practice, clinician, birth_date=date(2012, 5, 1), guardian_name="Pat Example")
    form = fill(client, practice, clinician, child)  # signed by the child
    answer = complete(client, practice, clinician, form)
    assert (answer.status_code, "guardian" in answer.text) == (422, True)
    for name, status in (("Somebody Else", 422), ("Pat Example", 200)):  # has to be the guardian in the record
        agreements = ANSWERS["agreements"] | {"guardian_name": name}
        form = assert_ok(save(client, practice, clinician, form, "agreements", agreements))
        assert complete(client, practice, clinician, form).status_code == status
    signers = {kind: consent.signed_by_name for kind, consent in load_consents(practice, child).items()}
    kinds = ("INFORMED_TREATMENT", "GUARDIAN", "CONFIDENTIALITY", "DATA_PROCESSING")
    assert signers == dict.fromkeys(kinds, "Pat Example")


def test_the_guardian_of_a_minor_consents_in_the_portal(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    minor = {"birth_date": date(2012, 5, 1), "guardian_name": "Pat Example", "guardian_email": patient.email}
    with practice.work() as work:
        work.db.execute(update(Client).where(Client.id == patient.staff_id).values(minor))
    form = fill(client, practice, patient, patient.staff_id)
    assert "guardian" in complete(client, practice, patient, form).text  # a child does not consent for itself
    assert load_consents(practice, patient.staff_id) == {}
    agreements = ANSWERS["agreements"] | {"signed_by_name": "pat example"}
    form = assert_ok(save(client, practice, patient, form, "agreements", agreements))
    assert_ok(complete(client, practice, patient, form))
    signers = {kind: consent.signed_by_name for kind, consent in load_consents(practice, patient.staff_id).items()}
    kinds = ("INFORMED_TREATMENT", "GUARDIAN", "CONFIDENTIALITY", "DATA_PROCESSING")
    assert signers == dict.fromkeys(kinds, "pat example")


def test_a_stale_save_is_refused(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    form = start(client, practice, patient, patient.staff_id).json()
    assert_ok(save(client, practice, patient, form, "goals", {}))
    stale = save(client, practice, patient, form, "goals", ANSWERS["goals"])
    assert (stale.status_code, error_code(stale)) == (412, "STALE")


def test_answers_are_sealed_in_the_database(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    form = fill(client, practice, patient, patient.staff_id)
    with practice.installation.store.begin_session(practice.id) as db:
        query = "select personal, assessment, goals, agreements from intake_forms where id = :id"
        stored = b"".join(bytes(value) for value in db.execute(text(query), {"id": UUID(form["id"])}).one())
    for word in (b"pollen", b"sleep", b"Calmer", b"Casey"):
        assert word not in stored


def test_an_admin_reads_with_an_audited_reason(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    form = fill(client, practice, patient, patient.staff_id)
    answer = read(client, practice, None, form)
    assert (answer.status_code, error_code(answer)) == (403, "REASON_MISSING")
    assert read(client, practice, None, form, X_Reason="so").status_code == 422
    assert assert_ok(read(client, practice, None, form, X_Reason="Complaint of 3 March"))["goals"]["therapy_goals"]
    entries = assert_ok(client.get(f"{V1}/audit", params={"action": "intake.read"}, headers=auth_headers(practice)))[
        "items"
    ]
    (entry,) = entries
    assert entry["subject_id"] == str(patient.staff_id)
    assert entry["details"] == {"form_id": form["id"], "reason": "Complaint of 3 March"}


def test_a_reason_in_utf_8_reaches_the_audit_log_as_it_was_written(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    form = fill(client, practice, patient, patient.staff_id)
    for reason, status in (("Queja de José Ñandú", 200), ("\u202eevil", 422)):
        headers: Any = auth_headers(practice) | {"X-Reason": reason.encode()}
        assert client.get(f"{V1}/intake-forms/{form['id']}", headers=headers).status_code == status
    answer = client.get(f"{V1}/audit", params={"action": "intake.read"}, headers=auth_headers(practice))
    (entry,) = assert_ok(answer)["items"]
    assert entry["details"]["reason"] == "Queja de José Ñandú"


def test_an_admin_clinician_needs_a_reason_only_for_clients_of_others(
    client: TestClient, practice: PracticeFixture
) -> None:
    admin_clinician = practice.add("clinician", "admin")
    own_client, other = make_portal_client(practice, admin_clinician), make_portal_client(practice)
    own_form = fill(client, practice, own_client, own_client.staff_id)
    form = fill(client, practice, other, other.staff_id)
    assert_ok(read(client, practice, admin_clinician, own_form))
    assert read(client, practice, admin_clinician, form).status_code == 404
    assert_ok(read(client, practice, admin_clinician, form, X_Reason="Complaint of 3 March"))


def test_the_front_desk_starts_forms_and_sees_their_progress(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    scheduler = practice.add("scheduler")
    form = start(client, practice, scheduler, patient.staff_id).json()
    assert set(form) & set(ANSWERS) == set()
    form = assert_ok(save(client, practice, patient, form, "personal", ANSWERS["personal"]))
    query = {"client_id": str(patient.staff_id), "status": "DRAFT"}
    listed = assert_ok(client.get(f"{V1}/intake-forms", params=query, headers=auth_headers(practice, scheduler)))[
        "items"
    ]
    assert [(item["id"], item["steps_saved"]) for item in listed] == [(form["id"], ["personal"])]
    assert "pollen" not in str(listed)
    assert read(client, practice, scheduler, form, X_Reason="Curious about it").status_code == 403
    assert save(client, practice, scheduler, form, "personal", {}).status_code == 403


def test_reading_the_list_is_audited(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    for query in ({}, {"client_id": str(patient.staff_id)}):
        assert_ok(client.get(f"{V1}/intake-forms", params=query, headers=auth_headers(practice)))
    assert len(load_audit_entries(client, practice, "intake.listed")) == 1
    assert len(load_audit_entries(client, practice, "client.read", patient.staff_id)) == 1


def test_forms_are_visible_to_those_who_treat_the_client(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    own_client, other = practice.add("clinician", supervisor=supervisor), practice.add("clinician")
    patient = make_portal_client(practice, own_client)
    form = fill(client, practice, own_client, patient.staff_id)
    assert_ok(read(client, practice, supervisor, form))
    for stranger in (other, make_portal_client(practice, other)):
        assert read(client, practice, stranger, form).status_code == 404
        assert save(client, practice, stranger, form, "goals", {}).status_code == 404
        assert complete(client, practice, stranger, form).status_code == 404
        assert assert_ok(client.get(f"{V1}/intake-forms", headers=auth_headers(practice, stranger)))["items"] == []
        answer = start(client, practice, stranger, patient.staff_id)
        assert (answer.status_code, "client_id" in answer.text) == (422, True)
    assert save(client, practice, supervisor, form, "goals", {}).status_code == 403
    assert len(assert_ok(client.get(f"{V1}/intake-forms", headers=auth_headers(practice, supervisor)))["items"]) == 1


@pytest.mark.parametrize(
    ("step", "answers"),
    [
        ("assessment", {"severity_level": 11}),
        ("assessment", {"severity_level": 0}),
        ("assessment", {"current_symptoms": ["x"] * 31}),
        ("personal", {"allergies": "x" * 4001}),
        ("personal", {"goals": "x"}),
        ("agreements", {"terms": "perhaps"}),
    ],
)
def test_an_invalid_answer_is_refused(
    client: TestClient, practice: PracticeFixture, patient: Person, step: str, answers: dict[str, Any]
) -> None:
    form = start(client, practice, patient, patient.staff_id).json()
    assert save(client, practice, patient, form, step, answers).status_code == 422
