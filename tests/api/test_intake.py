"""Intake forms over HTTP: drafts, completing them, and who reads what."""

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
from tests.support.drivers.clients import trail
from tests.support.drivers.http import V1, bearer, code_of
from tests.support.drivers.sample_requests.intake import ANSWERS
from tests.support.drivers.sign_in_flow import ok
from tests.support.drivers.waiting import collide


@pytest.fixture
def patient(practice: PracticeFixture) -> Person:
    return make_portal_client(practice)


def begin(client: TestClient, practice: PracticeFixture, by: Person | None, client_id: UUID, **more: Any) -> Any:
    body = {"client_id": str(client_id)} | more
    return client.post(f"{V1}/intake-forms", json=body, headers=bearer(practice, by))


def save(
    client: TestClient, practice: PracticeFixture, by: Person, form: dict[str, Any], step: str, answers: dict[str, Any]
) -> Any:
    headers = bearer(practice, by, If_Match=f'"{form["version"]}"')
    return client.put(f"{V1}/intake-forms/{form['id']}/steps/{step}", json=answers, headers=headers)


def fill(
    client: TestClient,
    practice: PracticeFixture,
    by: Person,
    client_id: UUID,
    answers: dict[str, dict[str, Any]] = ANSWERS,
) -> dict[str, Any]:
    form = begin(client, practice, by, client_id).json()
    for step, given in answers.items():
        form = ok(save(client, practice, by, form, step, given))
    return form


def complete(client: TestClient, practice: PracticeFixture, by: Person, form: dict[str, Any]) -> Any:
    return client.post(f"{V1}/intake-forms/{form['id']}/complete", headers=bearer(practice, by))


def read(client: TestClient, practice: PracticeFixture, by: Person | None, form: dict[str, Any], **headers: str) -> Any:
    return client.get(f"{V1}/intake-forms/{form['id']}", headers=bearer(practice, by, **headers))


def consents(practice: PracticeFixture, client_id: UUID) -> dict[str, Consent]:
    query = select(Consent).where(Consent.client_id == client_id, Consent.signed_at == NOW)
    with practice.installation.store.session_in(practice.id) as db:
        return {consent.kind: consent for consent in db.scalars(query)}


def test_a_client_fills_in_a_form_step_by_step_and_hands_it_in(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    treatment = Agreement(id=new_id(), kind="INFORMED_TREATMENT", number=2, title="T", text="t", published_at=NOW)
    older = Agreement(id=new_id(), kind="INFORMED_TREATMENT", number=1, title="T", text="t", published_at=NOW)
    put(practice, treatment, older)
    begun = begin(client, practice, patient, patient.staff_id)
    assert begun.status_code == 201
    assert (begun.json()["status"], begun.json()["steps_saved"]) == ("DRAFT", [])
    form = ok(save(client, practice, patient, begun.json(), "goals", {"therapy_goals": ["to sleep"]}))
    assert form["steps_saved"] == ["goals"]
    draft = ok(read(client, practice, patient, form))
    assert (draft["goals"]["therapy_goals"], draft["personal"]) == (["to sleep"], None)
    for step, answers in ANSWERS.items():
        form = ok(save(client, practice, patient, form, step, answers))
    done = ok(complete(client, practice, patient, form))
    assert (done["status"], done["completed_at"]) == ("COMPLETED", "2026-03-18T15:30:00Z")
    whole = ok(read(client, practice, patient, form))
    for step, answers in ANSWERS.items():
        assert {name: whole[step][name] for name in answers} == answers
    given = consents(practice, patient.staff_id)
    assert set(given) == {"INFORMED_TREATMENT", "CONFIDENTIALITY", "DATA_PROCESSING"}
    assert given["INFORMED_TREATMENT"].agreement_id == treatment.id
    assert given["INFORMED_TREATMENT"].signed_by_name == "Casey Example"


def test_a_form_that_is_not_complete_is_told_all_that_it_lacks(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    form = begin(client, practice, patient, patient.staff_id).json()
    form = ok(save(client, practice, patient, form, "personal", ANSWERS["personal"] | {"allergies": None}))
    answer = complete(client, practice, patient, form)
    assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_ERROR")
    problems = answer.json()["error"]["details"]["problems"]
    assert len(problems) == 10
    assert "Personal: say allergies, or that there are none." in problems
    assert consents(practice, patient.staff_id) == {}
    assert ok(read(client, practice, patient, form))["status"] == "DRAFT"


def test_a_completed_form_never_changes(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    form = ok(complete(client, practice, patient, fill(client, practice, patient, patient.staff_id)))
    for answer in (
        save(client, practice, patient, form, "goals", ANSWERS["goals"]),
        complete(client, practice, patient, form),
    ):
        assert (answer.status_code, code_of(answer)) == (409, "INTAKE_COMPLETED")
    assert begin(client, practice, patient, patient.staff_id).status_code == 201  # a new one


def test_a_client_has_one_unfinished_form(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    begin(client, practice, None, patient.staff_id)
    again = begin(client, practice, patient, patient.staff_id)
    assert (again.status_code, code_of(again)) == (409, "INTAKE_OPEN")


def test_of_two_who_begin_one_at_once_the_second_waits_for_the_first(
    practice: PracticeFixture, patient: Person
) -> None:
    def begin_one(work: Work) -> Any:
        return intake.begin_form(work, Scope.ALL, patient.staff_id)

    assert isinstance(collide(practice, begin_one, begin_one).exception(), IntakeOpen)


def test_a_form_can_belong_to_an_appointment_of_the_client(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    clinician = practice.add("clinician")
    at = datetime.fromisoformat("2026-03-25T15:00:00Z")
    service = make_service(practice)
    own = make_appointment(practice, clinician, patient.staff_id, service, at)
    other = make_appointment(practice, clinician, make_client(practice), service, at.replace(hour=17))
    for appointment_id in (other, new_id()):
        answer = begin(client, practice, patient, patient.staff_id, appointment_id=str(appointment_id))
        assert (answer.status_code, "appointment_id" in answer.text) == (422, True)
    answer = begin(client, practice, patient, patient.staff_id, appointment_id=str(own))
    assert answer.json()["appointment_id"] == str(own)


def test_a_minors_guardian_consents_too(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    child = make_client(practice, clinician, birth_date=date(2012, 5, 1), guardian_name="Pat Example")
    form = fill(client, practice, clinician, child)
    answer = complete(client, practice, clinician, form)
    assert (answer.status_code, "guardian" in answer.text) == (422, True)
    for name, status in (("Somebody Else", 422), ("Pat Example", 200)):  # the record names the guardian
        agreements = ANSWERS["agreements"] | {"guardian_name": name}
        form = ok(save(client, practice, clinician, form, "agreements", agreements))
        assert complete(client, practice, clinician, form).status_code == status
    assert consents(practice, child)["GUARDIAN"].signed_by_name == "Pat Example"


def test_a_minor_does_not_consent_for_their_guardian_in_the_portal(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    minor = {"birth_date": date(2012, 5, 1), "guardian_name": "Pat Example"}
    with practice.work() as work:
        work.db.execute(update(Client).where(Client.id == patient.staff_id).values(minor))
    answers = ANSWERS | {"agreements": ANSWERS["agreements"] | {"guardian_name": "Pat Example"}}
    ok(complete(client, practice, patient, fill(client, practice, patient, patient.staff_id, answers)))
    assert set(consents(practice, patient.staff_id)) == {"INFORMED_TREATMENT", "CONFIDENTIALITY", "DATA_PROCESSING"}


def test_two_who_save_at_once_do_not_overwrite_each_other(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    form = begin(client, practice, patient, patient.staff_id).json()
    ok(save(client, practice, patient, form, "goals", {}))
    stale = save(client, practice, patient, form, "goals", ANSWERS["goals"])
    assert (stale.status_code, code_of(stale)) == (412, "STALE")


def test_answers_stand_sealed_in_the_database(client: TestClient, practice: PracticeFixture, patient: Person) -> None:
    form = fill(client, practice, patient, patient.staff_id)
    with practice.installation.store.session_in(practice.id) as db:
        query = "select personal, assessment, goals, agreements from intake_forms where id = :id"
        kept = b"".join(bytes(value) for value in db.execute(text(query), {"id": UUID(form["id"])}).one())
    for word in (b"pollen", b"sleep", b"Calmer", b"Casey"):
        assert word not in kept


def test_an_admin_reads_with_a_reason_that_is_kept(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    form = fill(client, practice, patient, patient.staff_id)
    answer = read(client, practice, None, form)
    assert (answer.status_code, code_of(answer)) == (403, "REASON_MISSING")
    assert read(client, practice, None, form, X_Reason="so").status_code == 422
    assert ok(read(client, practice, None, form, X_Reason="Complaint of 3 March"))["goals"]["therapy_goals"]
    found = ok(client.get(f"{V1}/audit", params={"action": "intake.read"}, headers=bearer(practice)))["items"]
    (entry,) = found
    assert entry["subject_id"] == str(patient.staff_id)
    assert entry["details"] == {"form_id": form["id"], "reason": "Complaint of 3 March"}


def test_who_is_an_admin_and_a_clinician_needs_a_reason_for_others_clients_only(
    client: TestClient, practice: PracticeFixture
) -> None:
    both = practice.add("clinician", "admin")
    own, other = make_portal_client(practice, both), make_portal_client(practice)
    own_form = fill(client, practice, own, own.staff_id)
    form = fill(client, practice, other, other.staff_id)
    ok(read(client, practice, both, own_form))
    assert read(client, practice, both, form).status_code == 404
    ok(read(client, practice, both, form, X_Reason="Complaint of 3 March"))


def test_the_front_desk_begins_forms_and_sees_how_far_they_are(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    desk = practice.add("scheduler")
    form = begin(client, practice, desk, patient.staff_id).json()
    assert set(form) & set(ANSWERS) == set()
    form = ok(save(client, practice, patient, form, "personal", ANSWERS["personal"]))
    query = {"client_id": str(patient.staff_id), "status": "DRAFT"}
    listed = ok(client.get(f"{V1}/intake-forms", params=query, headers=bearer(practice, desk)))["items"]
    assert [(item["id"], item["steps_saved"]) for item in listed] == [(form["id"], ["personal"])]
    assert "pollen" not in str(listed)
    assert read(client, practice, desk, form, X_Reason="Curious about it").status_code == 403
    assert save(client, practice, desk, form, "personal", {}).status_code == 403


def test_who_looked_at_the_list_is_on_the_audit_trail(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    for query in ({}, {"client_id": str(patient.staff_id)}):
        ok(client.get(f"{V1}/intake-forms", params=query, headers=bearer(practice)))
    assert len(trail(client, practice, "intake.listed")) == 1
    assert len(trail(client, practice, "client.read", patient.staff_id)) == 1


def test_whose_client_it_is_decides(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor")
    own, other = practice.add("clinician", supervisor=supervisor), practice.add("clinician")
    patient = make_portal_client(practice, own)
    form = fill(client, practice, own, patient.staff_id)
    ok(read(client, practice, supervisor, form))
    for stranger in (other, make_portal_client(practice, other)):
        assert read(client, practice, stranger, form).status_code == 404
        assert save(client, practice, stranger, form, "goals", {}).status_code == 404
        assert complete(client, practice, stranger, form).status_code == 404
        assert ok(client.get(f"{V1}/intake-forms", headers=bearer(practice, stranger)))["items"] == []
        answer = begin(client, practice, stranger, patient.staff_id)
        assert (answer.status_code, "client_id" in answer.text) == (422, True)
    assert save(client, practice, supervisor, form, "goals", {}).status_code == 403
    assert len(ok(client.get(f"{V1}/intake-forms", headers=bearer(practice, supervisor)))["items"]) == 1


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
def test_an_answer_out_of_its_bounds_is_refused(
    client: TestClient, practice: PracticeFixture, patient: Person, step: str, answers: dict[str, Any]
) -> None:
    form = begin(client, practice, patient, patient.staff_id).json()
    assert save(client, practice, patient, form, step, answers).status_code == 422
