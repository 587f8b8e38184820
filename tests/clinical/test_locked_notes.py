"""The weekly deadline and session locks over HTTP, to the second and across clock changes."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from practice.clinical.deadlines.locking import lock_session, unlock_session
from practice.clinical.deadlines.rules import deadline_of
from practice.clinical.notes.signing import sign_many
from practice.local_time import WEEK, week_of
from practice.security.installation import Installation
from practice.security.permissions import Scope
from tests.support.builders.notes import SOAP, make_note
from tests.support.builders.people import make_practice
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import assert_error
from tests.support.drivers.notes import NotesApi, set_license

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)  # Sundays on which the clock changes


def local(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def make_notes_api(http: TestClient, installation: Installation, now: datetime) -> NotesApi:
    return NotesApi(http, make_practice(installation, now=now))


@pytest.mark.parametrize(("week", "hours"), [(SPRING, 167), (AUTUMN, 169), (date(2026, 6, 7), 168)])
def test_a_week_follows_clock_changes(week: date, hours: int) -> None:
    start, end = local(week, 0), local(week + WEEK, 0)
    assert end - start == timedelta(hours=hours)
    for session in (start, end - SECOND):
        assert deadline_of(session, NEW_YORK) == local(week + WEEK + DAY, 0)
    assert deadline_of(start - SECOND, NEW_YORK) == local(week + DAY, 0)
    assert deadline_of(end, NEW_YORK) == local(week + 2 * WEEK + DAY, 0)


# Sessions late on a Saturday and early on the Sunday after, in the weeks before, of and after a change of the clock.
CASES = [
    (sunday + days * DAY, *times, sunday + due * DAY)
    for sunday in (SPRING, AUTUMN)
    for days, times, due in (
        (-1, (23, 0), 1), (0, (0, 5), 8), (6, (23, 0), 8), (7, (0, 5), 15),
    )
]  # fmt: skip


@pytest.mark.parametrize(("day", "hour", "minute", "due"), CASES)
def test_a_session_can_be_signed_until_the_last_second_before_its_deadline(
    client: TestClient, installation: Installation, day: date, hour: int, minute: int, due: date
) -> None:
    start = local(day, hour, minute)
    assert week_of(day) + WEEK + DAY == due
    notes_api = make_notes_api(client, installation, start + 2 * HOUR)
    sessions = [notes_api.make_session(start) for _ in range(2)]
    notes = [notes_api.create_note(appointment_id=session) for session in sessions]
    deadline = local(due, 0)
    notes_api.now = deadline - SECOND
    signed = notes_api.take_step(notes[0], "sign")
    assert datetime.fromisoformat(signed["signed_at"]) == deadline - SECOND
    assert notes_api.post_note(appointment_id=sessions[1]).status_code == 201
    notes_api.now = deadline
    error = assert_error(notes_api.post_step(notes[1], "sign"), "NOTE_LOCKED")
    assert datetime.fromisoformat(error["details"]["locked_since"]) == deadline
    assert error["details"]["cause"] == "DEADLINE"
    assert "deadline" in error["message"]


@pytest.fixture
def late(notes_api: NotesApi) -> dict[str, Any]:
    """Create a note whose session has just reached its deadline."""
    note = notes_api.create_note(appointment_id=notes_api.make_session())
    notes_api.now = local(date(2026, 3, 23), 0)
    notes_api.practice.now = notes_api.now
    return note


def test_a_locked_session_refuses_every_write(notes_api: NotesApi, late: dict[str, Any]) -> None:
    before, seen = notes_api.count_rows(), notes_api.read(late)
    assert assert_error(notes_api.post_note(appointment_id=late["appointment_id"]), "NOTE_LOCKED")
    assert assert_error(notes_api.save(late), "NOTE_LOCKED")
    assert assert_error(notes_api.post_step(late, "submit"), "NOTE_LOCKED")
    assert assert_error(notes_api.post_step(late, "sign"), "NOTE_LOCKED")
    (result,) = notes_api.post("/notes/bulk-sign", note_ids=[late["id"]]).json()["items"]
    assert (result["succeeded"], result["code"]) == (False, "NOTE_LOCKED")
    assert (notes_api.count_rows(), notes_api.read(late)) == (before, seen)
    for type in ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY"):  # are not session notes
        answer = notes_api.post_note(type=type, sections={}, appointment_id=late["appointment_id"])
        assert answer.status_code == 201, answer.text
    assert notes_api.post_note().status_code == 201  # nor is a note without a session


def test_a_submitted_note_is_co_signed_before_the_deadline_too(notes_api: NotesApi) -> None:
    set_license(notes_api.practice, notes_api.clinician, "LMSW")
    note = notes_api.take_step(notes_api.create_note(appointment_id=notes_api.make_session()), "submit")
    notes_api.now = local(date(2026, 3, 23), 0)
    assert assert_error(notes_api.post_step(note, "co-sign", notes_api.supervisor), "NOTE_LOCKED")
    assert notes_api.post_step(note, "unlock", notes_api.supervisor, reason="I was away").status_code == 200
    assert notes_api.take_step(note, "co-sign", notes_api.supervisor)["status"] == "SIGNED"


def test_a_submitted_note_of_a_locked_session_stays_in_review(notes_api: NotesApi) -> None:
    set_license(notes_api.practice, notes_api.clinician, "LMSW")
    note = notes_api.take_step(notes_api.create_note(appointment_id=notes_api.make_session()), "submit")
    notes_api.now = local(date(2026, 3, 23), 0)
    refused = assert_error(notes_api.post_step(note, "withdraw"), "NOTE_LOCKED")
    assert refused["message"].endswith("Ask a supervisor or an admin to unlock it.")
    assert notes_api.read(note)["status"] == "IN_REVIEW"
    assert notes_api.post_step(note, "unlock", notes_api.supervisor, reason="Was ill").status_code == 200
    assert notes_api.take_step(note, "withdraw")["status"] == "DRAFT"


def test_returning_a_note_of_a_locked_session_unlocks_it(notes_api: NotesApi) -> None:
    set_license(notes_api.practice, notes_api.clinician, "LMSW")
    note = notes_api.take_step(notes_api.create_note(appointment_id=notes_api.make_session()), "submit")
    returned = notes_api.take_step(note, "return", notes_api.supervisor, reason="A plan, please")
    assert returned["unlocked_until"] is None  # it is not locked yet
    note = notes_api.take_step(returned, "submit")
    notes_api.now = local(date(2026, 3, 23), 0)
    returned = notes_api.take_step(note, "return", notes_api.supervisor, reason="The risk is missing")
    until = notes_api.now + 48 * HOUR
    assert datetime.fromisoformat(returned["unlocked_until"]) == until
    (entry,) = notes_api.load_audit_entries("session.unlocked")
    assert (entry.account_id, entry.details) == (notes_api.supervisor.account_id, {"until": until.isoformat()})
    (lock,) = notes_api.load_rows("select id, reason from session_locks where tenant_id = :tenant_id")
    with notes_api.practice.work() as work:  # admins, who read charts for a reason only, read reasons of unlocks
        reason = work.unseal("session_locks", "reason", lock.id, lock.reason)
    assert reason == "Its note was returned to its author. The reason is with the note."
    saved = notes_api.save(returned).json()
    assert notes_api.take_step(saved, "submit")["status"] == "IN_REVIEW"


def test_an_unlock_ends_by_itself(notes_api: NotesApi, late: dict[str, Any]) -> None:
    answer = notes_api.post_step(late, "unlock", notes_api.supervisor, reason="Was ill", hours=3)
    assert answer.status_code == 200, answer.text
    until = notes_api.now + 3 * HOUR
    assert datetime.fromisoformat(answer.json()["until"]) == until
    assert assert_error(notes_api.post_step(late, "unlock", notes_api.supervisor, reason="Once more"), "NOT_LOCKED")
    notes_api.now = until - SECOND
    assert notes_api.post_note(appointment_id=late["appointment_id"]).status_code == 201
    saved = notes_api.save(late).json()
    notes_api.now = until
    error = assert_error(notes_api.post_step(saved, "sign"), "NOTE_LOCKED")
    assert datetime.fromisoformat(error["details"]["locked_since"]) == until
    assert notes_api.post_step(saved, "unlock", notes_api.practice.admin, reason="Still ill").status_code == 200
    assert notes_api.load_audit_entries("session.unlocked")[-1].details == {"until": (until + 48 * HOUR).isoformat()}
    notes_api.now = until + 48 * HOUR - SECOND
    assert notes_api.take_step(saved, "sign")["status"] == "SIGNED"
    assert assert_error(notes_api.post_step(saved, "unlock", notes_api.supervisor, reason="Too late"), "NOTE_SIGNED")
    assert notes_api.verify(late)["intact"]


def test_only_the_clinician_s_supervisor_and_admins_unlock(notes_api: NotesApi, late: dict[str, Any]) -> None:
    other = notes_api.practice.add("supervisor")
    notes_api.record_trainings(other)
    assert assert_error(notes_api.post_step(late, "unlock", other, reason="As a favor"), "NOT_FOUND", 404)
    for role in (notes_api.clinician, notes_api.colleague, notes_api.practice.add("scheduler")):
        assert assert_error(notes_api.post_step(late, "unlock", role, reason="Let me"), "FORBIDDEN", 403)
    both = notes_api.practice.add("supervisor", "clinician", supervisor=other)
    client_id = make_client(notes_api.practice, both)
    session = notes_api.make_session(notes_api.now - 13 * DAY, both, client_id=client_id)
    own = {
        "id": str(make_note(notes_api.practice, both, client_id, appointment_id=session, now=notes_api.now - 12 * DAY))
    }
    own["version"] = "1"
    assert assert_error(notes_api.post_step(own, "unlock", both, reason="My own"), "OWN_SESSION", 403)
    for wrong in ({}, {"reason": " "}, {"reason": "Was ill", "hours": 0}, {"reason": "Was ill", "hours": 337}):
        assert notes_api.post_step(late, "unlock", notes_api.supervisor, **wrong).status_code == 422
    assert notes_api.count_rows()["session_locks"] == 0
    assert notes_api.post_step(own, "unlock", other, reason="Was ill").status_code == 200


def test_notes_without_a_lock_cannot_be_unlocked(notes_api: NotesApi) -> None:
    ahead = notes_api.create_note(appointment_id=notes_api.make_session())
    plan = notes_api.create_note(type="SAFETY_PLAN", sections={}, appointment_id=notes_api.make_session())
    for note in (ahead, plan, notes_api.create_note()):
        assert assert_error(
            notes_api.post_step(note, "unlock", notes_api.supervisor, reason="To be sure"), "NOT_LOCKED"
        )
    assert assert_error(notes_api.post_step(plan, "lock", notes_api.supervisor, reason="To be sure"), "NOT_LOCKED")


def test_a_session_is_locked_by_hand_and_unlocked_before_its_deadline(notes_api: NotesApi) -> None:
    note = notes_api.create_note(appointment_id=notes_api.make_session())
    assert notes_api.post_step(note, "lock", notes_api.supervisor, reason="Under review").status_code == 200
    assert assert_error(notes_api.post_step(note, "lock", notes_api.supervisor, reason="Again"), "NOTE_LOCKED")
    errors = [
        assert_error(notes_api.save(note), "NOTE_LOCKED"),
        assert_error(notes_api.post_step(note, "sign"), "NOTE_LOCKED"),
        notes_api.post("/notes/bulk-sign", note_ids=[note["id"]]).json()["items"][0],
    ]
    for error in errors:  # none of them says that it was not signed in time
        assert error["message"] == "This session was locked by hand. Ask a supervisor or an admin to unlock it."
    assert errors[0]["details"] == {"locked_since": notes_api.practice.now.isoformat(), "cause": "BY_HAND"}
    notes_api.now += HOUR
    assert (
        notes_api.post_step(note, "unlock", notes_api.practice.admin, reason="All is well", hours=1).status_code == 200
    )
    notes_api.now += 2 * HOUR  # past the hour, but before the deadline: nothing locks it any more
    assert notes_api.take_step(note, "sign")["status"] == "SIGNED"
    assert assert_error(notes_api.post_step(note, "lock", notes_api.supervisor, reason="Under review"), "NOTE_SIGNED")


def test_a_lock_takes_effect_at_its_own_time(notes_api: NotesApi) -> None:
    """Also for a transaction that began before the lock and writes after it."""
    session = notes_api.make_session()
    note_id = make_note(notes_api.practice, notes_api.clinician, notes_api.client, appointment_id=session)
    noon = notes_api.now
    for minutes, verb in ((1, lock_session), (3, unlock_session)):
        with notes_api.practice.work(notes_api.practice.admin, noon + timedelta(minutes=minutes)) as work:
            verb(work, Scope.ALL, session, "Because")

    def code(minutes: int) -> str | None:
        with notes_api.practice.work(notes_api.clinician, noon + timedelta(minutes=minutes)) as work:
            (result,) = sign_many(work, [note_id])
            work.db.rollback()
            work.entries.clear()
        return result.refusal.code if result.refusal else None

    assert [code(minutes) for minutes in (0, 1, 2, 3)] == [None, "NOTE_LOCKED", "NOTE_LOCKED", None]


def test_the_reason_for_an_unlock_is_encrypted(notes_api: NotesApi, late: dict[str, Any]) -> None:
    notes_api.post_step(late, "unlock", notes_api.supervisor, reason="Zweistromland")
    (row,) = notes_api.load_rows("select * from session_locks where tenant_id = :tenant_id")
    assert b"Zweistromland" not in bytes(row.reason)
    with notes_api.practice.work() as work:
        assert work.unseal("session_locks", "reason", row.id, row.reason) == "Zweistromland"
    assert (row.by_id, row.account_id) == (notes_api.supervisor.staff_id, notes_api.supervisor.account_id)
    assert UUID(late["appointment_id"]) == row.appointment_id
    assert "Zweistromland" not in str([entry.details for entry in notes_api.load_audit_entries("session.unlocked")])
    assert notes_api.save(late, sections=SOAP).status_code == 200
