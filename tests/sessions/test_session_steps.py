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
from tests.support.drivers.sessions import LOCKED_TUESDAY, THIS_WEEK, TUESDAY, SessionDesk

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def done(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


# Linking a note


@pytest.mark.parametrize("who", ["admin", "supervisor", "clinician"])
def test_a_note_without_a_session_becomes_this_ones(desk: SessionDesk, who: str) -> None:
    session = desk.held()
    note = desk.sessions.note(None, signed_at=TUESDAY + HOUR)
    changed = done(desk.put(session, 0, getattr(desk, who), noteId=note))
    assert (changed["noteId"], changed["isNoteSigned"], changed["version"]) == (str(note), True, 2)
    assert at(changed["noteSignedAt"]) == TUESDAY + HOUR
    assert (desk.note(note).appointment_id, desk.note(note).version) == (session, 2)
    [entry] = desk.recorded("session_completion.changed")
    assert (entry.subject_id, entry.details) == (session, {"note_id": str(note)})


def test_nobody_overwrites_what_somebody_else_linked(desk: SessionDesk) -> None:
    session = desk.held()
    first, second = desk.sessions.note(None), desk.sessions.note(None)
    refused(desk.put(session, None, noteId=first), "PRECONDITION_REQUIRED", 428)
    done(desk.put(session, 0, noteId=first))
    refused(desk.put(session, 0, noteId=second), "STALE", 412)
    assert desk.note(second).appointment_id is None
    assert done(desk.put(session, desk.seen(session)["version"], noteId=second))["version"] == 3


def test_of_several_who_link_a_note_at_once_one_does(desk: SessionDesk) -> None:
    session = desk.held()
    notes = [desk.sessions.note(None) for _ in range(6)]
    desk.seen(session)  # signs the admin in
    answers = at_once(lambda note: desk.put(session, 0, noteId=note), notes)
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 5]
    assert [desk.note(note).appointment_id for note in notes].count(session) == 1


def test_only_a_free_note_of_the_same_two_people_is_linked(desk: SessionDesk) -> None:
    session = desk.held()
    wrong = {
        "another client's": desk.sessions.note(None, client=make_client(desk.practice)),
        "another clinician's": desk.sessions.note(None, clinician=desk.other),
        "of another session": desk.sessions.note(desk.held()),
        "a plan": desk.sessions.note(None, type="TREATMENT_PLAN"),
        "voided": desk.sessions.note(None, voided_at=desk.now, void_reason="Twice"),
        "signed before the session": desk.sessions.note(None, signed_at=TUESDAY - timedelta(seconds=1)),
        "of nobody": new_id(),
    }
    for why, note in wrong.items():
        error = refused(desk.put(session, 0, desk.clinician, noteId=note), "VALIDATION_ERROR", 422)
        assert error["message"].startswith("noteId:"), why
    assert (desk.seen(session)["noteId"], desk.completions()) == (None, {})


def test_a_draft_by_another_template_is_not_linked(desk: SessionDesk) -> None:
    """It could not be finished: its sections are not those of the service."""
    session = desk.held()
    draft, signed = desk.sessions.note(None, created_at=desk.now), desk.sessions.note(None, signed_at=TUESDAY + HOUR)
    with desk.practice.work(now=TUESDAY) as work:
        set_template(work, "PROGRESS_NOTE", [Place("all", "All of it")], desk.sessions.service)
    refused(desk.put(session, 0, noteId=draft), "VALIDATION_ERROR", 422)
    assert done(desk.put(session, 0, noteId=signed))["isNoteSigned"] is True


def test_who_may_not_change_a_session_changes_nothing(desk: SessionDesk) -> None:
    session = desk.held(clinician=desk.other)
    note = desk.sessions.note(None, clinician=desk.other)
    for person in (desk.scheduler, desk.biller, desk.analyst, desk.client):
        refused(desk.put(session, 0, person, noteId=note), "FORBIDDEN", 403)
    for person in (desk.clinician, desk.supervisor):
        refused(desk.put(session, 0, person, noteId=note), "NOT_FOUND", 404)
    assert desk.note(note).appointment_id is None


def test_what_is_signed_paid_or_locked_takes_no_other_note(desk: SessionDesk) -> None:
    """A signature that comes with a note counts from when it was given: that must not reach into the past."""
    signed, locked, paid = desk.held(signed_at=TUESDAY + 2 * HOUR), desk.held(LOCKED_TUESDAY), desk.held()
    pay_for(desk.practice, paid, THIS_WEEK)
    note = desk.sessions.note(None, signed_at=TUESDAY + HOUR)
    refused(desk.put(signed, 0, noteId=note), "NOTE_SIGNED")
    refused(desk.put(locked, 0, noteId=note), "NOTE_LOCKED")
    refused(desk.put(paid, 0, noteId=note), "SESSION_PAID")
    assert desk.note(note).appointment_id is None
    done(desk.post(f"/{locked}/supervisor-override", reason="Was ill"))
    assert done(desk.put(locked, 0, noteId=note))["isNoteSigned"] is True


# Signing


def test_a_clinician_signs_the_note_of_a_session(desk: SessionDesk) -> None:
    session = desk.held()
    note = desk.write(session)
    signed = done(desk.post(f"/{session}/sign-note", desk.clinician))
    assert (signed["noteId"], signed["isNoteSigned"], at(signed["noteSignedAt"])) == (str(note), True, desk.now)
    row = desk.note(note)
    assert (row.status, row.signed_at, row.signed_by_id) == ("SIGNED", desk.now, desk.clinician.staff_id)
    [signature] = desk.rows("select * from note_signatures where tenant_id = :tenant_id")
    assert (signature.note_id, signature.kind, signature.signed_by_id) == (note, "AUTHOR", desk.clinician.staff_id)
    assert [entry.subject_id for entry in desk.recorded("note.signed")] != []
    refused(desk.post(f"/{session}/sign-note", desk.clinician), "NOTE_SIGNED")


def test_a_reviewed_clinicians_note_is_signed_by_the_supervisor(desk: SessionDesk) -> None:
    desk.is_reviewed(desk.clinician)
    first, second = desk.held(), desk.held(TUESDAY + HOUR)
    desk.write(first)
    note = desk.write(second, hand_in=True)
    refused(desk.post(f"/{first}/sign-note", desk.clinician), "REVIEW_NEEDED")
    refused(desk.post(f"/{first}/sign-note", desk.supervisor), "NOT_IN_REVIEW")
    refused(desk.post(f"/{second}/sign-note", desk.clinician), "NOTE_IN_REVIEW")
    signed = done(desk.post(f"/{second}/sign-note", desk.supervisor))
    assert (signed["isNoteSigned"], at(signed["noteSignedAt"])) == (True, desk.now)
    assert desk.note(note).signed_by_id == desk.supervisor.staff_id
    assert desk.seen(first)["isNoteSigned"] is False


def test_a_session_without_a_note_has_nothing_to_sign(desk: SessionDesk) -> None:
    session = desk.held()
    desk.sessions.note(session, type="TREATMENT_PLAN")
    desk.sessions.note(session, voided_at=desk.now, void_reason="Twice")
    refused(desk.post(f"/{session}/sign-note", desk.clinician), "NOTE_MISSING")


def test_who_may_not_sign_signs_nothing(desk: SessionDesk) -> None:
    session, foreign = desk.held(), desk.held(clinician=desk.other)
    desk.write(session)
    note = desk.write(foreign, by=desk.other)
    for person in (desk.admin, desk.scheduler, desk.biller, desk.analyst, desk.client):
        refused(desk.post(f"/{session}/sign-note", person), "FORBIDDEN", 403)
    for person in (desk.clinician, desk.supervisor):
        refused(desk.post(f"/{foreign}/sign-note", person), "NOT_FOUND", 404)
    assert desk.rows("select * from note_signatures where tenant_id = :tenant_id") == []
    assert desk.note(note).status == "DRAFT"


def test_a_second_before_the_deadline_a_session_is_signed_and_at_it_no_more(desk: SessionDesk) -> None:
    first, second = desk.held(), desk.held(TUESDAY + HOUR)
    for session in (first, second):
        desk.write(session)
    deadline = at(desk.seen(first)["noteDeadline"])
    desk.now = deadline - timedelta(seconds=1)
    assert done(desk.post(f"/{first}/sign-note", desk.clinician))["isNoteSigned"] is True
    desk.now = deadline
    refused(desk.post(f"/{second}/sign-note", desk.clinician), "NOTE_LOCKED")
    assert (desk.seen(second)["isLocked"], at(desk.seen(second)["lockedAt"])) == (True, deadline)
    done(desk.post(f"/{second}/supervisor-override", desk.supervisor, reason="Was ill"))
    signed = done(desk.post(f"/{second}/sign-note", desk.clinician))
    assert (signed["isNoteSigned"], signed["isLocked"], signed["supervisorOverrideReason"]) == (True, False, "Was ill")


# Locking and unlocking


@pytest.mark.parametrize("who", ["admin", "supervisor"])
def test_a_session_is_locked_by_hand_with_a_reason(desk: SessionDesk, who: str) -> None:
    session, person = desk.held(), getattr(desk, who)
    locked = done(desk.post(f"/{session}/lock-session", person, reason="Under review"))
    assert (locked["isLocked"], at(locked["lockedAt"])) == (True, desk.now)
    [lock] = desk.locks(session)
    assert (lock.kind, lock.at, lock.by_id, lock.account_id) == (
        *("LOCKED", desk.now, person.staff_id),
        person.account_id,
    )
    assert b"Under review" not in bytes(lock.reason)
    assert [entry.subject_id for entry in desk.recorded("session.locked")] == [session]
    refused(desk.post(f"/{session}/lock-session", person, reason="Again"), "NOTE_LOCKED")
    signed = desk.held(signed_at=TUESDAY + HOUR)
    refused(desk.post(f"/{signed}/lock-session", person, reason="Under review"), "NOTE_SIGNED")


@pytest.mark.parametrize("who", ["admin", "supervisor"])
def test_an_override_unlocks_for_a_time_and_says_who_and_why(desk: SessionDesk, who: str) -> None:
    session, person = desk.held(LOCKED_TUESDAY), getattr(desk, who)
    unlocked = done(desk.post(f"/{session}/supervisor-override", person, reason="Was ill", hours=5))
    assert (unlocked["isLocked"], unlocked["lockedAt"]) == (False, None)
    assert unlocked["supervisorOverrideBy"] == str(person.staff_id)
    assert unlocked["supervisorOverrideReason"] == "Was ill"
    assert at(unlocked["supervisorOverrideAt"]) == desk.now
    assert at(unlocked["supervisorOverrideUntil"]) == desk.now + 5 * HOUR
    [lock] = desk.locks(session)
    assert (lock.kind, lock.until, lock.by_id) == ("UNLOCKED", desk.now + 5 * HOUR, person.staff_id)
    assert b"Was ill" not in bytes(lock.reason)
    assert [entry.subject_id for entry in desk.recorded("session.unlocked")] == [session]
    refused(desk.post(f"/{session}/supervisor-override", person, reason="Again"), "NOT_LOCKED")


def test_without_hours_it_is_unlocked_for_as_long_as_the_practice_has_set(desk: SessionDesk) -> None:
    session = desk.held(LOCKED_TUESDAY)
    unlocked = done(desk.post(f"/{session}/supervisor-override", reason="Was ill"))
    assert at(unlocked["supervisorOverrideUntil"]) == desk.now + 48 * HOUR


def test_why_a_session_was_unlocked_is_for_those_concerned(desk: SessionDesk) -> None:
    session = desk.held(LOCKED_TUESDAY)
    done(desk.post(f"/{session}/supervisor-override", desk.supervisor, reason="Was ill"))
    for person, reason in (
        (desk.admin, "Was ill"),
        (desk.supervisor, "Was ill"),
        (desk.clinician, "Was ill"),
        (desk.scheduler, None),
        (desk.biller, None),
    ):
        seen = desk.seen(session, person)
        assert seen["supervisorOverrideReason"] == reason, person.roles
        assert seen["supervisorOverrideBy"] == str(desk.supervisor.staff_id)


def test_nobody_unlocks_their_own(desk: SessionDesk) -> None:
    session = desk.held(LOCKED_TUESDAY, clinician=desk.supervisor)
    refused(desk.post(f"/{session}/supervisor-override", desk.supervisor, reason="Was ill"), "OWN_SESSION", 403)
    assert desk.locks(session) == []


@pytest.mark.parametrize("verb", ["lock-session", "supervisor-override"])
def test_who_may_not_lock_or_unlock_does_not(desk: SessionDesk, verb: str) -> None:
    session = desk.held(LOCKED_TUESDAY if verb == "supervisor-override" else TUESDAY, clinician=desk.other)
    for person in (desk.other, desk.scheduler, desk.biller, desk.analyst, desk.client):
        refused(desk.post(f"/{session}/{verb}", person, reason="Was ill"), "FORBIDDEN", 403)
    refused(desk.post(f"/{session}/{verb}", desk.supervisor, reason="Was ill"), "NOT_FOUND", 404)
    refused(desk.post(f"/{session}/{verb}"), "VALIDATION_ERROR", 422)  # nobody does so without a reason
    assert desk.locks(session) == []


# The appointment's last step


def booked(desk: SessionDesk, start: datetime = TUESDAY) -> UUID:
    return desk.held(start, status="IN_PROGRESS", status_at=None)


NOTE = {
    "type": "SOAP_NOTE",
    "sections": {"subjective": "Slept badly.", "plan": "Sleep diary."},
    "diagnoses": ["F41.1"],
}


def complete(desk: SessionDesk, appointment: UUID, by: Any = None, **body: Any) -> Any:
    return desk.ask("POST", f"/appointments/{appointment}/complete", by, json=body)


def test_a_completed_appointment_counts_for_pay_at_once(desk: SessionDesk) -> None:
    appointment = booked(desk)
    completed = done(complete(desk, appointment, desk.scheduler, actual_minutes=50, note="On time"))
    assert (completed["status"], completed["actual_minutes"]) == ("COMPLETED", 50)
    assert list(desk.completions()) == [appointment]
    assert desk.seen(appointment)["durationMinutes"] == 60


def test_a_clinician_completes_a_session_together_with_its_note(desk: SessionDesk) -> None:
    appointment = booked(desk)
    done(complete(desk, appointment, desk.clinician, clinical_note=NOTE))
    seen = desk.seen(appointment)
    note = desk.note(UUID(seen["noteId"]))
    assert (note.type, note.status, note.client_id) == ("SOAP_NOTE", "DRAFT", desk.sessions.client)
    assert (note.clinician_id, note.appointment_id) == (desk.clinician.staff_id, appointment)
    assert b"Slept badly" not in bytes(note.text)
    assert (seen["isNoteSigned"], seen["isLocked"], list(desk.completions())) == (False, False, [appointment])


def test_only_who_writes_notes_completes_with_one(desk: SessionDesk) -> None:
    for person in (desk.scheduler, desk.admin):
        appointment = booked(desk)
        refused(complete(desk, appointment, person, clinical_note=NOTE), "FORBIDDEN", 403)
        assert desk.get(f"/{appointment}").status_code == 404
    assert (desk.completions(), desk.rows("select * from notes where tenant_id = :tenant_id")) == ({}, [])


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
    desk: SessionDesk, note: dict[str, Any], start: datetime, code: str
) -> None:
    appointment = booked(desk, start)
    answer = complete(desk, appointment, desk.clinician, clinical_note=note)
    refused(answer, code, 422 if code == "VALIDATION_ERROR" else 409)
    assert desk.ask("GET", f"/appointments/{appointment}").json()["status"] == "IN_PROGRESS"
    assert (desk.completions(), desk.rows("select * from notes where tenant_id = :tenant_id")) == ({}, [])
    assert done(complete(desk, appointment, desk.clinician))["status"] == "COMPLETED"


def test_no_answer_of_this_api_holds_what_a_note_says(desk: SessionDesk) -> None:
    appointment = booked(desk)
    done(complete(desk, appointment, desk.clinician, clinical_note=NOTE, note="Canary of the desk"))
    provider = desk.clinician.staff_id
    for path in ("", f"/{appointment}", f"/compliance/deadlines/{provider}", f"/dashboard/{provider}"):
        for person in (desk.admin, desk.supervisor, desk.clinician, desk.scheduler, desk.biller):
            answer = desk.get(path, person)
            assert answer.status_code == 200
            assert not [word for word in ("Slept", "diary", "F41", "Canary") if word in answer.text]


def test_the_week_is_a_date_of_the_practice(desk: SessionDesk) -> None:
    assert desk.seen(desk.held())["payPeriodWeek"] == str(THIS_WEEK) == str(date(2026, 3, 15))
