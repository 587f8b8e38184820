"""What is done to a completed session over the first API: a note linked, signed, the session locked and unlocked."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.clinical.documents.rules.templates import Place
from practice.clinical.documents.templates import set_template
from practice.store.ids import new_id
from tests.support.builders.schedule import make_client
from tests.support.builders.sessions import pay_for
from tests.support.drivers.booking import at, refused
from tests.support.drivers.server import at_once
from tests.support.drivers.sessions import LOCKED_TUESDAY, THIS_WEEK, TUESDAY, SessionsApi

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def done(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


# Linking a note


@pytest.mark.parametrize("who", ["admin", "supervisor", "clinician"])
def test_a_note_without_a_session_becomes_this_ones(sessions_api: SessionsApi, who: str) -> None:
    session = sessions_api.held()
    note = sessions_api.sessions.note(None, signed_at=TUESDAY + HOUR)
    changed = done(sessions_api.put(session, 0, getattr(sessions_api, who), noteId=note))
    assert (changed["noteId"], changed["isNoteSigned"], changed["version"]) == (str(note), True, 2)
    assert at(changed["noteSignedAt"]) == TUESDAY + HOUR
    assert (sessions_api.note(note).appointment_id, sessions_api.note(note).version) == (session, 2)
    [entry] = sessions_api.recorded("session_completion.changed")
    assert (entry.subject_id, entry.details) == (session, {"note_id": str(note)})


def test_nobody_overwrites_what_somebody_else_linked(sessions_api: SessionsApi) -> None:
    session = sessions_api.held()
    first, second = sessions_api.sessions.note(None), sessions_api.sessions.note(None)
    refused(sessions_api.put(session, None, noteId=first), "PRECONDITION_REQUIRED", 428)
    done(sessions_api.put(session, 0, noteId=first))
    refused(sessions_api.put(session, 0, noteId=second), "STALE", 412)
    assert sessions_api.note(second).appointment_id is None
    assert done(sessions_api.put(session, sessions_api.seen(session)["version"], noteId=second))["version"] == 3


def test_of_several_who_link_a_note_at_once_one_does(sessions_api: SessionsApi) -> None:
    session = sessions_api.held()
    notes = [sessions_api.sessions.note(None) for _ in range(6)]
    sessions_api.seen(session)  # signs the admin in
    answers = at_once(lambda note: sessions_api.put(session, 0, noteId=note), notes)
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 5]
    assert [sessions_api.note(note).appointment_id for note in notes].count(session) == 1


def test_only_a_free_note_of_the_same_two_people_is_linked(sessions_api: SessionsApi) -> None:
    session = sessions_api.held()
    wrong = {
        "another client's": sessions_api.sessions.note(None, client=make_client(sessions_api.practice)),
        "another clinician's": sessions_api.sessions.note(None, clinician=sessions_api.other),
        "of another session": sessions_api.sessions.note(sessions_api.held()),
        "a plan": sessions_api.sessions.note(None, type="TREATMENT_PLAN"),
        "voided": sessions_api.sessions.note(None, voided_at=sessions_api.now, void_reason="Twice"),
        "signed before the session": sessions_api.sessions.note(None, signed_at=TUESDAY - timedelta(seconds=1)),
        "of nobody": new_id(),
    }
    for why, note in wrong.items():
        error = refused(sessions_api.put(session, 0, sessions_api.clinician, noteId=note), "VALIDATION_ERROR", 422)
        assert error["message"].startswith("noteId:"), why
    assert (sessions_api.seen(session)["noteId"], sessions_api.completions()) == (None, {})


def test_a_draft_by_another_template_is_not_linked(sessions_api: SessionsApi) -> None:
    """It could not be finished: its sections are not those of the service."""
    session = sessions_api.held()
    draft, signed = (
        sessions_api.sessions.note(None, created_at=sessions_api.now),
        sessions_api.sessions.note(None, signed_at=TUESDAY + HOUR),
    )
    with sessions_api.practice.work(now=TUESDAY) as work:
        set_template(work, "PROGRESS_NOTE", [Place("all", "All of it")], sessions_api.sessions.service)
    refused(sessions_api.put(session, 0, noteId=draft), "VALIDATION_ERROR", 422)
    assert done(sessions_api.put(session, 0, noteId=signed))["isNoteSigned"] is True


def test_who_may_not_change_a_session_changes_nothing(sessions_api: SessionsApi) -> None:
    session = sessions_api.held(clinician=sessions_api.other)
    note = sessions_api.sessions.note(None, clinician=sessions_api.other)
    for person in (sessions_api.scheduler, sessions_api.biller, sessions_api.analyst, sessions_api.client):
        refused(sessions_api.put(session, 0, person, noteId=note), "FORBIDDEN", 403)
    for person in (sessions_api.clinician, sessions_api.supervisor):
        refused(sessions_api.put(session, 0, person, noteId=note), "NOT_FOUND", 404)
    assert sessions_api.note(note).appointment_id is None


def test_what_is_signed_paid_or_locked_takes_no_other_note(sessions_api: SessionsApi) -> None:
    """A signature that comes with a note counts from when it was given: that must not reach into the past."""
    signed, locked, paid = (
        sessions_api.held(signed_at=TUESDAY + 2 * HOUR),
        sessions_api.held(LOCKED_TUESDAY),
        sessions_api.held(),
    )
    pay_for(sessions_api.practice, paid, THIS_WEEK)
    note = sessions_api.sessions.note(None, signed_at=TUESDAY + HOUR)
    refused(sessions_api.put(signed, 0, noteId=note), "NOTE_SIGNED")
    refused(sessions_api.put(locked, 0, noteId=note), "NOTE_LOCKED")
    refused(sessions_api.put(paid, 0, noteId=note), "SESSION_PAID")
    assert sessions_api.note(note).appointment_id is None
    done(sessions_api.post(f"/{locked}/supervisor-override", reason="Was ill"))
    assert done(sessions_api.put(locked, 0, noteId=note))["isNoteSigned"] is True


# Signing


def test_a_clinician_signs_the_note_of_a_session(sessions_api: SessionsApi) -> None:
    session = sessions_api.held()
    note = sessions_api.write(session)
    signed = done(sessions_api.post(f"/{session}/sign-note", sessions_api.clinician))
    assert (signed["noteId"], signed["isNoteSigned"], at(signed["noteSignedAt"])) == (str(note), True, sessions_api.now)
    row = sessions_api.note(note)
    assert (row.status, row.signed_at, row.signed_by_id) == (
        "SIGNED",
        sessions_api.now,
        sessions_api.clinician.staff_id,
    )
    [signature] = sessions_api.rows("select * from note_signatures where tenant_id = :tenant_id")
    assert (signature.note_id, signature.kind, signature.signed_by_id) == (
        note,
        "AUTHOR",
        sessions_api.clinician.staff_id,
    )
    assert [entry.subject_id for entry in sessions_api.recorded("note.signed")] != []
    refused(sessions_api.post(f"/{session}/sign-note", sessions_api.clinician), "NOTE_SIGNED")


def test_a_reviewed_clinicians_note_is_signed_by_the_supervisor(sessions_api: SessionsApi) -> None:
    sessions_api.is_reviewed(sessions_api.clinician)
    first, second = sessions_api.held(), sessions_api.held(TUESDAY + HOUR)
    sessions_api.write(first)
    note = sessions_api.write(second, hand_in=True)
    refused(sessions_api.post(f"/{first}/sign-note", sessions_api.clinician), "REVIEW_NEEDED")
    refused(sessions_api.post(f"/{first}/sign-note", sessions_api.supervisor), "NOT_IN_REVIEW")
    refused(sessions_api.post(f"/{second}/sign-note", sessions_api.clinician), "NOTE_IN_REVIEW")
    signed = done(sessions_api.post(f"/{second}/sign-note", sessions_api.supervisor))
    assert (signed["isNoteSigned"], at(signed["noteSignedAt"])) == (True, sessions_api.now)
    assert sessions_api.note(note).signed_by_id == sessions_api.supervisor.staff_id
    assert sessions_api.seen(first)["isNoteSigned"] is False


def test_a_session_without_a_note_has_nothing_to_sign(sessions_api: SessionsApi) -> None:
    session = sessions_api.held()
    sessions_api.sessions.note(session, type="TREATMENT_PLAN")
    sessions_api.sessions.note(session, voided_at=sessions_api.now, void_reason="Twice")
    refused(sessions_api.post(f"/{session}/sign-note", sessions_api.clinician), "NOTE_MISSING")


def test_who_may_not_sign_signs_nothing(sessions_api: SessionsApi) -> None:
    session, foreign = sessions_api.held(), sessions_api.held(clinician=sessions_api.other)
    sessions_api.write(session)
    note = sessions_api.write(foreign, by=sessions_api.other)
    for person in (
        sessions_api.admin,
        sessions_api.scheduler,
        sessions_api.biller,
        sessions_api.analyst,
        sessions_api.client,
    ):
        refused(sessions_api.post(f"/{session}/sign-note", person), "FORBIDDEN", 403)
    for person in (sessions_api.clinician, sessions_api.supervisor):
        refused(sessions_api.post(f"/{foreign}/sign-note", person), "NOT_FOUND", 404)
    assert sessions_api.rows("select * from note_signatures where tenant_id = :tenant_id") == []
    assert sessions_api.note(note).status == "DRAFT"


def test_a_second_before_the_deadline_a_session_is_signed_and_at_it_no_more(sessions_api: SessionsApi) -> None:
    first, second = sessions_api.held(), sessions_api.held(TUESDAY + HOUR)
    for session in (first, second):
        sessions_api.write(session)
    deadline = at(sessions_api.seen(first)["noteDeadline"])
    sessions_api.now = deadline - timedelta(seconds=1)
    assert done(sessions_api.post(f"/{first}/sign-note", sessions_api.clinician))["isNoteSigned"] is True
    sessions_api.now = deadline
    refused(sessions_api.post(f"/{second}/sign-note", sessions_api.clinician), "NOTE_LOCKED")
    assert (sessions_api.seen(second)["isLocked"], at(sessions_api.seen(second)["lockedAt"])) == (True, deadline)
    done(sessions_api.post(f"/{second}/supervisor-override", sessions_api.supervisor, reason="Was ill"))
    signed = done(sessions_api.post(f"/{second}/sign-note", sessions_api.clinician))
    assert (signed["isNoteSigned"], signed["isLocked"], signed["supervisorOverrideReason"]) == (True, False, "Was ill")


# Locking and unlocking


@pytest.mark.parametrize("who", ["admin", "supervisor"])
def test_a_session_is_locked_by_hand_with_a_reason(sessions_api: SessionsApi, who: str) -> None:
    session, person = sessions_api.held(), getattr(sessions_api, who)
    locked = done(sessions_api.post(f"/{session}/lock-session", person, reason="Under review"))
    assert (locked["isLocked"], at(locked["lockedAt"])) == (True, sessions_api.now)
    [lock] = sessions_api.locks(session)
    assert (lock.kind, lock.at, lock.by_id, lock.account_id) == (
        *("LOCKED", sessions_api.now, person.staff_id),
        person.account_id,
    )
    assert b"Under review" not in bytes(lock.reason)
    assert [entry.subject_id for entry in sessions_api.recorded("session.locked")] == [session]
    refused(sessions_api.post(f"/{session}/lock-session", person, reason="Again"), "NOTE_LOCKED")
    signed = sessions_api.held(signed_at=TUESDAY + HOUR)
    refused(sessions_api.post(f"/{signed}/lock-session", person, reason="Under review"), "NOTE_SIGNED")


@pytest.mark.parametrize("who", ["admin", "supervisor"])
def test_an_override_unlocks_for_a_time_and_says_who_and_why(sessions_api: SessionsApi, who: str) -> None:
    session, person = sessions_api.held(LOCKED_TUESDAY), getattr(sessions_api, who)
    unlocked = done(sessions_api.post(f"/{session}/supervisor-override", person, reason="Was ill", hours=5))
    assert (unlocked["isLocked"], unlocked["lockedAt"]) == (False, None)
    assert unlocked["supervisorOverrideBy"] == str(person.staff_id)
    assert unlocked["supervisorOverrideReason"] == "Was ill"
    assert at(unlocked["supervisorOverrideAt"]) == sessions_api.now
    assert at(unlocked["supervisorOverrideUntil"]) == sessions_api.now + 5 * HOUR
    [lock] = sessions_api.locks(session)
    assert (lock.kind, lock.until, lock.by_id) == ("UNLOCKED", sessions_api.now + 5 * HOUR, person.staff_id)
    assert b"Was ill" not in bytes(lock.reason)
    assert [entry.subject_id for entry in sessions_api.recorded("session.unlocked")] == [session]
    refused(sessions_api.post(f"/{session}/supervisor-override", person, reason="Again"), "NOT_LOCKED")


def test_without_hours_it_is_unlocked_for_as_long_as_the_practice_has_set(sessions_api: SessionsApi) -> None:
    session = sessions_api.held(LOCKED_TUESDAY)
    unlocked = done(sessions_api.post(f"/{session}/supervisor-override", reason="Was ill"))
    assert at(unlocked["supervisorOverrideUntil"]) == sessions_api.now + 48 * HOUR


def test_why_a_session_was_unlocked_is_for_those_concerned(sessions_api: SessionsApi) -> None:
    session = sessions_api.held(LOCKED_TUESDAY)
    done(sessions_api.post(f"/{session}/supervisor-override", sessions_api.supervisor, reason="Was ill"))
    for person, reason in (
        (sessions_api.admin, "Was ill"),
        (sessions_api.supervisor, "Was ill"),
        (sessions_api.clinician, "Was ill"),
        (sessions_api.scheduler, None),
        (sessions_api.biller, None),
    ):
        seen = sessions_api.seen(session, person)
        assert seen["supervisorOverrideReason"] == reason, person.roles
        assert seen["supervisorOverrideBy"] == str(sessions_api.supervisor.staff_id)


def test_nobody_unlocks_their_own(sessions_api: SessionsApi) -> None:
    session = sessions_api.held(LOCKED_TUESDAY, clinician=sessions_api.supervisor)
    refused(
        sessions_api.post(f"/{session}/supervisor-override", sessions_api.supervisor, reason="Was ill"),
        "OWN_SESSION",
        403,
    )
    assert sessions_api.locks(session) == []


@pytest.mark.parametrize("verb", ["lock-session", "supervisor-override"])
def test_who_may_not_lock_or_unlock_does_not(sessions_api: SessionsApi, verb: str) -> None:
    session = sessions_api.held(
        LOCKED_TUESDAY if verb == "supervisor-override" else TUESDAY, clinician=sessions_api.other
    )
    for person in (
        sessions_api.other,
        sessions_api.scheduler,
        sessions_api.biller,
        sessions_api.analyst,
        sessions_api.client,
    ):
        refused(sessions_api.post(f"/{session}/{verb}", person, reason="Was ill"), "FORBIDDEN", 403)
    refused(sessions_api.post(f"/{session}/{verb}", sessions_api.supervisor, reason="Was ill"), "NOT_FOUND", 404)
    refused(sessions_api.post(f"/{session}/{verb}"), "VALIDATION_ERROR", 422)  # nobody does so without a reason
    assert sessions_api.locks(session) == []


# The appointment's last step


def booked(sessions_api: SessionsApi, start: datetime = TUESDAY) -> UUID:
    return sessions_api.held(start, status="IN_PROGRESS", status_at=None)


NOTE = {
    "type": "SOAP_NOTE",
    "sections": {"subjective": "Slept badly.", "plan": "Sleep diary."},
    "diagnoses": ["F41.1"],
}


def complete(sessions_api: SessionsApi, appointment: UUID, by: Any = None, **body: Any) -> Any:
    return sessions_api.ask("POST", f"/appointments/{appointment}/complete", by, json=body)


def test_a_completed_appointment_counts_for_pay_at_once(sessions_api: SessionsApi) -> None:
    appointment = booked(sessions_api)
    completed = done(complete(sessions_api, appointment, sessions_api.scheduler, actual_minutes=50, note="On time"))
    assert (completed["status"], completed["actual_minutes"]) == ("COMPLETED", 50)
    assert list(sessions_api.completions()) == [appointment]
    assert sessions_api.seen(appointment)["durationMinutes"] == 60


def test_a_clinician_completes_a_session_together_with_its_note(sessions_api: SessionsApi) -> None:
    appointment = booked(sessions_api)
    done(complete(sessions_api, appointment, sessions_api.clinician, clinical_note=NOTE))
    seen = sessions_api.seen(appointment)
    note = sessions_api.note(UUID(seen["noteId"]))
    assert (note.type, note.status, note.client_id) == ("SOAP_NOTE", "DRAFT", sessions_api.sessions.client)
    assert (note.clinician_id, note.appointment_id) == (sessions_api.clinician.staff_id, appointment)
    assert b"Slept badly" not in bytes(note.text)
    assert (seen["isNoteSigned"], seen["isLocked"], list(sessions_api.completions())) == (False, False, [appointment])


def test_only_who_writes_notes_completes_with_one(sessions_api: SessionsApi) -> None:
    for person in (sessions_api.scheduler, sessions_api.admin):
        appointment = booked(sessions_api)
        refused(complete(sessions_api, appointment, person, clinical_note=NOTE), "FORBIDDEN", 403)
        assert sessions_api.get(f"/{appointment}").status_code == 404
    assert (sessions_api.completions(), sessions_api.rows("select * from notes where tenant_id = :tenant_id")) == (
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
def test_with_a_note_that_cannot_be_nothing_is_completed(
    sessions_api: SessionsApi, note: dict[str, Any], start: datetime, code: str
) -> None:
    appointment = booked(sessions_api, start)
    answer = complete(sessions_api, appointment, sessions_api.clinician, clinical_note=note)
    refused(answer, code, 422 if code == "VALIDATION_ERROR" else 409)
    assert sessions_api.ask("GET", f"/appointments/{appointment}").json()["status"] == "IN_PROGRESS"
    assert (sessions_api.completions(), sessions_api.rows("select * from notes where tenant_id = :tenant_id")) == (
        {},
        [],
    )
    assert done(complete(sessions_api, appointment, sessions_api.clinician))["status"] == "COMPLETED"


def test_no_answer_of_this_api_holds_what_a_note_says(sessions_api: SessionsApi) -> None:
    appointment = booked(sessions_api)
    done(
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
            answer = sessions_api.get(path, person)
            assert answer.status_code == 200
            assert not [word for word in ("Slept", "diary", "F41", "Canary") if word in answer.text]


def test_the_week_is_a_date_of_the_practice(sessions_api: SessionsApi) -> None:
    assert sessions_api.seen(sessions_api.held())["payPeriodWeek"] == str(THIS_WEEK) == str(date(2026, 3, 15))
