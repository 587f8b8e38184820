"""The session endpoints that link and sign notes, lock and unlock sessions, and complete appointments."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.documents.templates import set_template
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client
from tests.support.builders.sessions import pay_session
from tests.support.drivers.booking import assert_error, parse_instant
from tests.support.drivers.server import run_in_parallel
from tests.support.drivers.sessions import LOCKED_TUESDAY, THIS_WEEK, TUESDAY, SessionsApi

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def expect_ok(response: Any) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    return response.json()


# Linking a note


@pytest.mark.parametrize("role", ["admin", "supervisor", "clinician"])
def test_a_note_without_a_session_can_be_linked(sessions_api: SessionsApi, role: str) -> None:
    session = sessions_api.add_session()
    note = sessions_api.sessions.add_note(None, signed_at=TUESDAY + HOUR)
    changed = expect_ok(sessions_api.put(session, 0, getattr(sessions_api, role), noteId=note))
    assert (changed["noteId"], changed["isNoteSigned"], changed["version"]) == (str(note), True, 2)
    assert parse_instant(changed["noteSignedAt"]) == TUESDAY + HOUR
    assert (sessions_api.load_note(note).appointment_id, sessions_api.load_note(note).version) == (session, 2)
    [entry] = sessions_api.load_audit_entries("session_completion.changed")
    assert (entry.subject_id, entry.details) == (session, {"note_id": str(note)})


def test_a_link_needs_the_current_version(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session()
    first, second = sessions_api.sessions.add_note(None), sessions_api.sessions.add_note(None)
    assert_error(sessions_api.put(session, None, noteId=first), "PRECONDITION_REQUIRED", 428)
    expect_ok(sessions_api.put(session, 0, noteId=first))
    assert_error(sessions_api.put(session, 0, noteId=second), "STALE", 412)
    assert sessions_api.load_note(second).appointment_id is None
    assert expect_ok(sessions_api.put(session, sessions_api.read(session)["version"], noteId=second))["version"] == 3


def test_one_of_several_concurrent_links_succeeds(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session()
    notes = [sessions_api.sessions.add_note(None) for _ in range(6)]
    sessions_api.read(session)  # signs in the admin
    responses = run_in_parallel(lambda note: sessions_api.put(session, 0, noteId=note), notes)
    assert sorted(response.status_code for response in responses) == [200, *[412] * 5]
    assert [sessions_api.load_note(note).appointment_id for note in notes].count(session) == 1


def test_only_a_matching_unlinked_note_can_be_linked(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session()
    wrong = {
        "another client's": sessions_api.sessions.add_note(None, client=make_client(sessions_api.practice)),
        "another clinician's": sessions_api.sessions.add_note(None, clinician=sessions_api.other),
        "of another session": sessions_api.sessions.add_note(sessions_api.add_session()),
        "a plan": sessions_api.sessions.add_note(None, type="TREATMENT_PLAN"),
        "voided": sessions_api.sessions.add_note(None, voided_at=sessions_api.now, void_reason="Twice"),
        "signed before the session": sessions_api.sessions.add_note(None, signed_at=TUESDAY - timedelta(seconds=1)),
        "of nobody": new_id(),
    }
    for why, note in wrong.items():
        error = assert_error(sessions_api.put(session, 0, sessions_api.clinician, noteId=note), "VALIDATION_ERROR", 422)
        assert [problem["field"] for problem in error["details"]] == ["noteId"], why
    assert (sessions_api.read(session)["noteId"], sessions_api.load_completions()) == (None, {})


def test_a_draft_with_another_template_cannot_be_linked(sessions_api: SessionsApi) -> None:
    """It could not be signed, because its sections differ from the service's template."""
    session = sessions_api.add_session()
    draft, signed = (
        sessions_api.sessions.add_note(None, created_at=sessions_api.now),
        sessions_api.sessions.add_note(None, signed_at=TUESDAY + HOUR),
    )
    with sessions_api.practice.work(now=TUESDAY) as work:
        set_template(work, "PROGRESS_NOTE", [TemplateSection("all", "All of it")], sessions_api.sessions.service_code)
    assert_error(sessions_api.put(session, 0, noteId=draft), "VALIDATION_ERROR", 422)
    assert expect_ok(sessions_api.put(session, 0, noteId=signed))["isNoteSigned"] is True


def test_linking_needs_permission_and_a_visible_session(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(clinician=sessions_api.other)
    note = sessions_api.sessions.add_note(None, clinician=sessions_api.other)
    for person in (sessions_api.scheduler, sessions_api.biller, sessions_api.analyst, sessions_api.client):
        assert_error(sessions_api.put(session, 0, person, noteId=note), "FORBIDDEN", 403)
    for person in (sessions_api.clinician, sessions_api.supervisor):
        assert_error(sessions_api.put(session, 0, person, noteId=note), "NOT_FOUND", 404)
    assert sessions_api.load_note(note).appointment_id is None


def test_a_signed_paid_or_locked_session_takes_no_other_note(sessions_api: SessionsApi) -> None:
    """The signature of a linked note counts from when it was given, which must not change the past."""
    signed, locked, paid = (
        sessions_api.add_session(signed_at=TUESDAY + 2 * HOUR),
        sessions_api.add_session(LOCKED_TUESDAY),
        sessions_api.add_session(),
    )
    pay_session(sessions_api.practice, paid, THIS_WEEK)
    note = sessions_api.sessions.add_note(None, signed_at=TUESDAY + HOUR)
    assert_error(sessions_api.put(signed, 0, noteId=note), "NOTE_SIGNED")
    assert_error(sessions_api.put(locked, 0, noteId=note), "NOTE_LOCKED")
    assert_error(sessions_api.put(paid, 0, noteId=note), "SESSION_PAID")
    assert sessions_api.load_note(note).appointment_id is None
    expect_ok(sessions_api.post(f"/{locked}/supervisor-override", reason="Was ill"))
    assert expect_ok(sessions_api.put(locked, 0, noteId=note))["isNoteSigned"] is True


# Signing


def test_a_clinician_signs_the_note_of_a_session(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session()
    note = sessions_api.write_note(session)
    signed = expect_ok(sessions_api.post(f"/{session}/sign-note", sessions_api.clinician))
    assert (signed["noteId"], signed["isNoteSigned"], parse_instant(signed["noteSignedAt"])) == (
        str(note),
        True,
        sessions_api.now,
    )
    row = sessions_api.load_note(note)
    assert (row.status, row.signed_at, row.signed_by_id) == (
        "SIGNED",
        sessions_api.now,
        sessions_api.clinician.staff_id,
    )
    [signature] = sessions_api.load_rows("select * from note_signatures where tenant_id = :tenant_id")
    assert (signature.note_id, signature.kind, signature.signed_by_id) == (
        note,
        "AUTHOR",
        sessions_api.clinician.staff_id,
    )
    assert [entry.subject_id for entry in sessions_api.load_audit_entries("note.signed")] != []
    assert_error(sessions_api.post(f"/{session}/sign-note", sessions_api.clinician), "NOTE_SIGNED")


def test_a_reviewed_clinicians_note_is_signed_by_the_supervisor(sessions_api: SessionsApi) -> None:
    sessions_api.require_review(sessions_api.clinician)
    first, second = sessions_api.add_session(), sessions_api.add_session(TUESDAY + HOUR)
    sessions_api.write_note(first)
    note = sessions_api.write_note(second, submit=True)
    assert_error(sessions_api.post(f"/{first}/sign-note", sessions_api.clinician), "REVIEW_NEEDED")
    assert_error(sessions_api.post(f"/{first}/sign-note", sessions_api.supervisor), "NOT_IN_REVIEW")
    assert_error(sessions_api.post(f"/{second}/sign-note", sessions_api.clinician), "NOTE_IN_REVIEW")
    signed = expect_ok(sessions_api.post(f"/{second}/sign-note", sessions_api.supervisor))
    assert (signed["isNoteSigned"], parse_instant(signed["noteSignedAt"])) == (True, sessions_api.now)
    assert sessions_api.load_note(note).signed_by_id == sessions_api.supervisor.staff_id
    assert sessions_api.read(first)["isNoteSigned"] is False


def test_a_session_without_a_note_has_nothing_to_sign(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session()
    sessions_api.sessions.add_note(session, type="TREATMENT_PLAN")
    sessions_api.sessions.add_note(session, voided_at=sessions_api.now, void_reason="Twice")
    assert_error(sessions_api.post(f"/{session}/sign-note", sessions_api.clinician), "NOTE_MISSING")


def test_signing_needs_permission_and_a_visible_session(sessions_api: SessionsApi) -> None:
    session, foreign = sessions_api.add_session(), sessions_api.add_session(clinician=sessions_api.other)
    sessions_api.write_note(session)
    note = sessions_api.write_note(foreign, by=sessions_api.other)
    for person in (
        sessions_api.admin,
        sessions_api.scheduler,
        sessions_api.biller,
        sessions_api.analyst,
        sessions_api.client,
    ):
        assert_error(sessions_api.post(f"/{session}/sign-note", person), "FORBIDDEN", 403)
    for person in (sessions_api.clinician, sessions_api.supervisor):
        assert_error(sessions_api.post(f"/{foreign}/sign-note", person), "NOT_FOUND", 404)
    assert sessions_api.load_rows("select * from note_signatures where tenant_id = :tenant_id") == []
    assert sessions_api.load_note(note).status == "DRAFT"


def test_a_session_can_be_signed_until_its_deadline(sessions_api: SessionsApi) -> None:
    first, second = sessions_api.add_session(), sessions_api.add_session(TUESDAY + HOUR)
    for session in (first, second):
        sessions_api.write_note(session)
    deadline = parse_instant(sessions_api.read(first)["noteDeadline"])
    sessions_api.now = deadline - timedelta(seconds=1)
    assert expect_ok(sessions_api.post(f"/{first}/sign-note", sessions_api.clinician))["isNoteSigned"] is True
    sessions_api.now = deadline
    assert_error(sessions_api.post(f"/{second}/sign-note", sessions_api.clinician), "NOTE_LOCKED")
    assert (sessions_api.read(second)["isLocked"], parse_instant(sessions_api.read(second)["lockedAt"])) == (
        True,
        deadline,
    )
    expect_ok(sessions_api.post(f"/{second}/supervisor-override", sessions_api.supervisor, reason="Was ill"))
    signed = expect_ok(sessions_api.post(f"/{second}/sign-note", sessions_api.clinician))
    assert (signed["isNoteSigned"], signed["isLocked"], signed["supervisorOverrideReason"]) == (True, False, "Was ill")


# Locking and unlocking


@pytest.mark.parametrize("role", ["admin", "supervisor"])
def test_a_session_can_be_locked_with_a_reason(sessions_api: SessionsApi, role: str) -> None:
    session, person = sessions_api.add_session(), getattr(sessions_api, role)
    locked = expect_ok(sessions_api.post(f"/{session}/lock-session", person, reason="Under review"))
    assert (locked["isLocked"], parse_instant(locked["lockedAt"])) == (True, sessions_api.now)
    assert (locked["lockCause"], locked["lockReason"]) == ("BY_HAND", "Under review")
    assert sessions_api.read(session, sessions_api.clinician)["lockReason"] == "Under review"
    for other in (sessions_api.scheduler, sessions_api.biller):
        seen = sessions_api.read(session, other)
        assert (seen["lockCause"], seen["lockReason"]) == ("BY_HAND", None)
    [lock] = sessions_api.load_locks(session)
    assert (lock.kind, lock.at, lock.by_id, lock.account_id) == (
        *("LOCKED", sessions_api.now, person.staff_id),
        person.account_id,
    )
    assert b"Under review" not in bytes(lock.reason)
    assert [entry.subject_id for entry in sessions_api.load_audit_entries("session.locked")] == [session]
    assert_error(sessions_api.post(f"/{session}/lock-session", person, reason="Again"), "NOTE_LOCKED")
    signed = sessions_api.add_session(signed_at=TUESDAY + HOUR)
    assert_error(sessions_api.post(f"/{signed}/lock-session", person, reason="Under review"), "NOTE_SIGNED")


@pytest.mark.parametrize("role", ["admin", "supervisor"])
def test_an_override_unlocks_for_some_hours_with_person_and_reason(sessions_api: SessionsApi, role: str) -> None:
    session, person = sessions_api.add_session(LOCKED_TUESDAY), getattr(sessions_api, role)
    unlocked = expect_ok(sessions_api.post(f"/{session}/supervisor-override", person, reason="Was ill", hours=5))
    assert (unlocked["isLocked"], unlocked["lockedAt"]) == (False, None)
    assert unlocked["supervisorOverrideBy"] == str(person.staff_id)
    assert unlocked["supervisorOverrideReason"] == "Was ill"
    assert parse_instant(unlocked["supervisorOverrideAt"]) == sessions_api.now
    assert parse_instant(unlocked["supervisorOverrideUntil"]) == sessions_api.now + 5 * HOUR
    [lock] = sessions_api.load_locks(session)
    assert (lock.kind, lock.until, lock.by_id) == ("UNLOCKED", sessions_api.now + 5 * HOUR, person.staff_id)
    assert b"Was ill" not in bytes(lock.reason)
    assert [entry.subject_id for entry in sessions_api.load_audit_entries("session.unlocked")] == [session]
    assert_error(sessions_api.post(f"/{session}/supervisor-override", person, reason="Again"), "NOT_LOCKED")


def test_the_default_hours_of_an_override_are_a_practice_setting(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(LOCKED_TUESDAY)
    unlocked = expect_ok(sessions_api.post(f"/{session}/supervisor-override", reason="Was ill"))
    assert parse_instant(unlocked["supervisorOverrideUntil"]) == sessions_api.now + 48 * HOUR


def test_only_some_roles_see_why_a_session_was_unlocked(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(LOCKED_TUESDAY)
    expect_ok(sessions_api.post(f"/{session}/supervisor-override", sessions_api.supervisor, reason="Was ill"))
    for person, reason in (
        (sessions_api.admin, "Was ill"),
        (sessions_api.supervisor, "Was ill"),
        (sessions_api.clinician, "Was ill"),
        (sessions_api.scheduler, None),
        (sessions_api.biller, None),
    ):
        fields = sessions_api.read(session, person)
        assert fields["supervisorOverrideReason"] == reason, person.roles
        assert fields["supervisorOverrideBy"] == str(sessions_api.supervisor.staff_id)


def test_nobody_unlocks_their_own_session(sessions_api: SessionsApi) -> None:
    session = sessions_api.add_session(LOCKED_TUESDAY, clinician=sessions_api.supervisor)
    assert_error(
        sessions_api.post(f"/{session}/supervisor-override", sessions_api.supervisor, reason="Was ill"),
        "OWN_SESSION",
        403,
    )
    assert sessions_api.load_locks(session) == []


@pytest.mark.parametrize("verb", ["lock-session", "supervisor-override"])
def test_locking_and_unlocking_need_permission_a_visible_session_and_a_reason(
    sessions_api: SessionsApi, verb: str
) -> None:
    session = sessions_api.add_session(
        LOCKED_TUESDAY if verb == "supervisor-override" else TUESDAY, clinician=sessions_api.other
    )
    for person in (
        sessions_api.other,
        sessions_api.scheduler,
        sessions_api.biller,
        sessions_api.analyst,
        sessions_api.client,
    ):
        assert_error(sessions_api.post(f"/{session}/{verb}", person, reason="Was ill"), "FORBIDDEN", 403)
    assert_error(sessions_api.post(f"/{session}/{verb}", sessions_api.supervisor, reason="Was ill"), "NOT_FOUND", 404)
    assert_error(sessions_api.post(f"/{session}/{verb}"), "VALIDATION_ERROR", 422)  # a reason is required
    assert sessions_api.load_locks(session) == []


# Completing an appointment


def add_appointment(sessions_api: SessionsApi, start: datetime = TUESDAY) -> UUID:
    return sessions_api.add_session(start, status="IN_PROGRESS", status_at=None)


NOTE = {
    "type": "SOAP_NOTE",
    "sections": {"subjective": "Slept badly.", "plan": "Sleep diary."},
    "diagnoses": ["F41.1"],
}


def complete(sessions_api: SessionsApi, appointment: UUID, by: Any = None, **body: Any) -> Any:
    return sessions_api.request("POST", f"/appointments/{appointment}/complete", by, json=body)


def test_a_completed_appointment_counts_for_pay_immediately(sessions_api: SessionsApi) -> None:
    appointment = add_appointment(sessions_api)
    completed = expect_ok(
        complete(sessions_api, appointment, sessions_api.scheduler, actual_minutes=50, note="On time")
    )
    assert (completed["status"], completed["actual_minutes"]) == ("COMPLETED", 50)
    assert list(sessions_api.load_completions()) == [appointment]
    assert sessions_api.read(appointment)["durationMinutes"] == 60


def test_a_clinician_completes_a_session_together_with_its_note(sessions_api: SessionsApi) -> None:
    appointment = add_appointment(sessions_api)
    expect_ok(complete(sessions_api, appointment, sessions_api.clinician, clinical_note=NOTE))
    fields = sessions_api.read(appointment)
    note = sessions_api.load_note(UUID(fields["noteId"]))
    assert (note.type, note.status, note.client_id) == ("SOAP_NOTE", "DRAFT", sessions_api.sessions.client)
    assert (note.clinician_id, note.appointment_id) == (sessions_api.clinician.staff_id, appointment)
    assert b"Slept badly" not in bytes(note.text)
    assert (fields["isNoteSigned"], fields["isLocked"], list(sessions_api.load_completions())) == (
        False,
        False,
        [appointment],
    )


def test_completing_with_a_note_needs_permission_to_write_notes(sessions_api: SessionsApi) -> None:
    for person in (sessions_api.scheduler, sessions_api.admin):
        appointment = add_appointment(sessions_api)
        assert_error(complete(sessions_api, appointment, person, clinical_note=NOTE), "FORBIDDEN", 403)
        assert sessions_api.get(f"/{appointment}").status_code == 404
    assert (
        sessions_api.load_completions(),
        sessions_api.load_rows("select * from notes where tenant_id = :tenant_id"),
    ) == (
        {},
        [],
    )


@pytest.mark.parametrize(
    ("note", "start", "code"),
    [
        (NOTE | {"sections": {"nonsense": "x"}}, TUESDAY, "VALIDATION_ERROR"),
        (NOTE | {"diagnoses": ["nonsense"]}, TUESDAY, "VALIDATION_ERROR"),
        (NOTE | {"type": "POEM"}, TUESDAY, "VALIDATION_ERROR"),
        (NOTE, LOCKED_TUESDAY, "NOTE_LOCKED"),
    ],
)
def test_with_an_invalid_note_nothing_is_completed(
    sessions_api: SessionsApi, note: dict[str, Any], start: datetime, code: str
) -> None:
    appointment = add_appointment(sessions_api, start)
    response = complete(sessions_api, appointment, sessions_api.clinician, clinical_note=note)
    assert_error(response, code, 422 if code == "VALIDATION_ERROR" else 409)
    assert sessions_api.request("GET", f"/appointments/{appointment}").json()["status"] == "IN_PROGRESS"
    assert (
        sessions_api.load_completions(),
        sessions_api.load_rows("select * from notes where tenant_id = :tenant_id"),
    ) == (
        {},
        [],
    )
    completed = expect_ok(complete(sessions_api, appointment, sessions_api.clinician))
    assert (completed["status"], completed["note_locked"]) == ("COMPLETED", start == LOCKED_TUESDAY)


def test_no_response_of_this_api_contains_note_text(sessions_api: SessionsApi) -> None:
    appointment = add_appointment(sessions_api)
    expect_ok(
        complete(
            sessions_api, appointment, sessions_api.clinician, clinical_note=NOTE, note="Canary of the sessions_api"
        )
    )
    provider = sessions_api.clinician.staff_id
    for path in ("", f"/{appointment}", f"/compliance/deadlines/{provider}", f"/dashboard/{provider}"):
        for person in (
            sessions_api.admin,
            sessions_api.supervisor,
            sessions_api.clinician,
            sessions_api.scheduler,
            sessions_api.biller,
        ):
            response = sessions_api.get(path, person)
            assert response.status_code == 200
            assert not [word for word in ("Slept", "diary", "F41", "Canary") if word in response.text]


def test_the_week_is_a_local_date(sessions_api: SessionsApi) -> None:
    assert sessions_api.read(sessions_api.add_session())["payPeriodWeek"] == str(THIS_WEEK) == str(date(2026, 3, 15))
