"""The weekly deadline at the moment of writing: to the second, over changes of the clock, until somebody unlocks."""

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
from tests.support.drivers.booking import refused
from tests.support.drivers.notes import NotesApi, license_as

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)  # Sundays on which the clock changes


def wall(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def ward_at(http: TestClient, installation: Installation, now: datetime) -> NotesApi:
    return NotesApi(http, make_practice(installation, now=now))


@pytest.mark.parametrize(("week", "hours"), [(SPRING, 167), (AUTUMN, 169), (date(2026, 6, 7), 168)])
def test_a_week_is_as_long_as_the_clock_makes_it(week: date, hours: int) -> None:
    start, end = wall(week, 0), wall(week + WEEK, 0)
    assert end - start == timedelta(hours=hours)
    for session in (start, end - SECOND):
        assert deadline_of(session, NEW_YORK) == wall(week + WEEK + DAY, 0)
    assert deadline_of(start - SECOND, NEW_YORK) == wall(week + DAY, 0)
    assert deadline_of(end, NEW_YORK) == wall(week + 2 * WEEK + DAY, 0)


# Sessions late on a Saturday and early on the Sunday after, in the weeks before, of and after a change of the clock.
CASES = [
    (sunday + days * DAY, *times, sunday + due * DAY)
    for sunday in (SPRING, AUTUMN)
    for days, times, due in (
        (-1, (23, 0), 1), (0, (0, 5), 8), (6, (23, 0), 8), (7, (0, 5), 15),
    )
]  # fmt: skip


@pytest.mark.parametrize(("day", "hour", "minute", "due"), CASES)
def test_a_session_is_signed_until_the_last_second_before_its_monday(
    client: TestClient, installation: Installation, day: date, hour: int, minute: int, due: date
) -> None:
    start = wall(day, hour, minute)
    assert week_of(day) + WEEK + DAY == due
    notes_api = ward_at(client, installation, start + 2 * HOUR)
    sessions = [notes_api.session(start) for _ in range(2)]
    notes = [notes_api.created(appointment_id=session) for session in sessions]
    deadline = wall(due, 0)
    notes_api.now = deadline - SECOND
    signed = notes_api.done(notes[0], "sign")
    assert datetime.fromisoformat(signed["signed_at"]) == deadline - SECOND
    assert notes_api.create(appointment_id=sessions[1]).status_code == 201
    notes_api.now = deadline
    error = refused(notes_api.step(notes[1], "sign"), "NOTE_LOCKED")
    assert datetime.fromisoformat(error["details"]["locked_since"]) == deadline


@pytest.fixture
def late(notes_api: NotesApi) -> dict[str, Any]:
    """A note whose session's week was over a second ago."""
    note = notes_api.created(appointment_id=notes_api.session())
    notes_api.now = wall(date(2026, 3, 23), 0)
    notes_api.practice.now = notes_api.now
    return note


def test_of_a_locked_session_nothing_is_written(notes_api: NotesApi, late: dict[str, Any]) -> None:
    before, seen = notes_api.counts(), notes_api.read(late)
    assert refused(notes_api.create(appointment_id=late["appointment_id"]), "NOTE_LOCKED")
    assert refused(notes_api.save(late), "NOTE_LOCKED")
    assert refused(notes_api.step(late, "submit"), "NOTE_LOCKED")
    assert refused(notes_api.step(late, "sign"), "NOTE_LOCKED")
    (one,) = notes_api.post("/notes/bulk-sign", note_ids=[late["id"]]).json()["items"]
    assert (one["signed"], one["code"]) == (False, "NOTE_LOCKED")
    assert (notes_api.counts(), notes_api.read(late)) == (before, seen)
    for type in ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY"):  # which are no notes of the session
        answer = notes_api.create(type=type, sections={}, appointment_id=late["appointment_id"])
        assert answer.status_code == 201, answer.text
    assert notes_api.create().status_code == 201  # nor is one of no session


def test_what_was_handed_in_in_time_is_co_signed_in_time_too(notes_api: NotesApi) -> None:
    license_as(notes_api.practice, notes_api.clinician, "LMSW")
    note = notes_api.done(notes_api.created(appointment_id=notes_api.session()), "submit")
    notes_api.now = wall(date(2026, 3, 23), 0)
    assert refused(notes_api.step(note, "co-sign", notes_api.supervisor), "NOTE_LOCKED")
    assert notes_api.step(note, "unlock", notes_api.supervisor, reason="I was away").status_code == 200
    assert notes_api.done(note, "co-sign", notes_api.supervisor)["status"] == "SIGNED"


def test_a_supervisor_unlocks_for_a_time_and_then_it_locks_itself(notes_api: NotesApi, late: dict[str, Any]) -> None:
    answer = notes_api.step(late, "unlock", notes_api.supervisor, reason="Was ill", hours=3)
    assert answer.status_code == 200, answer.text
    until = notes_api.now + 3 * HOUR
    assert datetime.fromisoformat(answer.json()["until"]) == until
    assert refused(notes_api.step(late, "unlock", notes_api.supervisor, reason="Once more"), "NOT_LOCKED")
    notes_api.now = until - SECOND
    assert notes_api.create(appointment_id=late["appointment_id"]).status_code == 201
    saved = notes_api.save(late).json()
    notes_api.now = until
    error = refused(notes_api.step(saved, "sign"), "NOTE_LOCKED")
    assert datetime.fromisoformat(error["details"]["locked_since"]) == until
    assert notes_api.step(saved, "unlock", notes_api.practice.admin, reason="Still ill").status_code == 200
    assert notes_api.recorded("session.unlocked")[-1].details == {"until": (until + 48 * HOUR).isoformat()}
    notes_api.now = until + 48 * HOUR - SECOND
    assert notes_api.done(saved, "sign")["status"] == "SIGNED"
    assert refused(notes_api.step(saved, "unlock", notes_api.supervisor, reason="Too late"), "NOTE_SIGNED")
    assert notes_api.verification(late)["intact"]


def test_unlocking_is_for_the_clinician_s_supervisor_and_admins(notes_api: NotesApi, late: dict[str, Any]) -> None:
    other = notes_api.practice.add("supervisor")
    notes_api.trained(other)
    assert refused(notes_api.step(late, "unlock", other, reason="A favour"), "NOT_FOUND", 404)
    for role in (notes_api.clinician, notes_api.colleague, notes_api.practice.add("scheduler")):
        assert refused(notes_api.step(late, "unlock", role, reason="Let me"), "FORBIDDEN", 403)
    both = notes_api.practice.add("supervisor", "clinician", supervisor=other)
    client_id = make_client(notes_api.practice, both)
    session = notes_api.session(notes_api.now - 13 * DAY, both, client_id=client_id)
    own = {
        "id": str(make_note(notes_api.practice, both, client_id, appointment_id=session, now=notes_api.now - 12 * DAY))
    }
    own["version"] = "1"
    assert refused(notes_api.step(own, "unlock", both, reason="My own"), "OWN_SESSION", 403)
    for wrong in ({}, {"reason": " "}, {"reason": "Was ill", "hours": 0}, {"reason": "Was ill", "hours": 337}):
        assert notes_api.step(late, "unlock", notes_api.supervisor, **wrong).status_code == 422
    assert notes_api.counts()["session_locks"] == 0
    assert notes_api.step(own, "unlock", other, reason="Was ill").status_code == 200


def test_what_no_deadline_locks_is_not_unlocked(notes_api: NotesApi) -> None:
    ahead = notes_api.created(appointment_id=notes_api.session())
    plan = notes_api.created(type="SAFETY_PLAN", sections={}, appointment_id=notes_api.session())
    for note in (ahead, plan, notes_api.created()):
        assert refused(notes_api.step(note, "unlock", notes_api.supervisor, reason="To be sure"), "NOT_LOCKED")
    assert refused(notes_api.step(plan, "lock", notes_api.supervisor, reason="To be sure"), "NOT_LOCKED")


def test_a_session_is_locked_by_hand_and_unlocked_before_its_deadline(notes_api: NotesApi) -> None:
    note = notes_api.created(appointment_id=notes_api.session())
    assert notes_api.step(note, "lock", notes_api.supervisor, reason="Under review").status_code == 200
    assert refused(notes_api.step(note, "lock", notes_api.supervisor, reason="Again"), "NOTE_LOCKED")
    assert refused(notes_api.save(note), "NOTE_LOCKED")
    notes_api.now += HOUR
    assert notes_api.step(note, "unlock", notes_api.practice.admin, reason="All is well", hours=1).status_code == 200
    notes_api.now += 2 * HOUR  # past the hour, but before the deadline: nothing locks it any more
    assert notes_api.done(note, "sign")["status"] == "SIGNED"
    assert refused(notes_api.step(note, "lock", notes_api.supervisor, reason="Under review"), "NOTE_SIGNED")


def test_a_lock_counts_from_its_moment_on(notes_api: NotesApi) -> None:
    """Also for somebody who began before it, and got to write after it."""
    session = notes_api.session()
    note_id = make_note(notes_api.practice, notes_api.clinician, notes_api.client, appointment_id=session)
    noon = notes_api.now
    for minutes, verb in ((1, lock_session), (3, unlock_session)):
        with notes_api.practice.work(notes_api.practice.admin, noon + timedelta(minutes=minutes)) as work:
            verb(work, Scope.ALL, session, "Because")

    def code(minutes: int) -> str | None:
        with notes_api.practice.work(notes_api.clinician, noon + timedelta(minutes=minutes)) as work:
            (one,) = sign_many(work, [note_id])
            work.db.rollback()
            work.entries.clear()
        return one.refusal.code if one.refusal else None

    assert [code(minutes) for minutes in (0, 1, 2, 3)] == [None, "NOTE_LOCKED", "NOTE_LOCKED", None]


def test_why_it_was_unlocked_is_sealed(notes_api: NotesApi, late: dict[str, Any]) -> None:
    notes_api.step(late, "unlock", notes_api.supervisor, reason="Zweistromland")
    (row,) = notes_api.rows("select * from session_locks where tenant_id = :tenant_id")
    assert b"Zweistromland" not in bytes(row.reason)
    with notes_api.practice.work() as work:
        assert work.unseal("session_locks", "reason", row.id, row.reason) == "Zweistromland"
    assert (row.by_id, row.account_id) == (notes_api.supervisor.staff_id, notes_api.supervisor.account_id)
    assert UUID(late["appointment_id"]) == row.appointment_id
    assert "Zweistromland" not in str([entry.details for entry in notes_api.recorded("session.unlocked")])
    assert notes_api.save(late, sections=SOAP).status_code == 200
