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
from tests.support.drivers.notes import Ward, license_as

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NEW_YORK = ZoneInfo("America/New_York")
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)  # Sundays on which the clock changes


def wall(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def ward_at(http: TestClient, house: Installation, now: datetime) -> Ward:
    return Ward(http, make_practice(house, now=now))


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
    client: TestClient, house: Installation, day: date, hour: int, minute: int, due: date
) -> None:
    start = wall(day, hour, minute)
    assert week_of(day) + WEEK + DAY == due
    ward = ward_at(client, house, start + 2 * HOUR)
    sessions = [ward.session(start) for _ in range(2)]
    notes = [ward.created(appointment_id=session) for session in sessions]
    deadline = wall(due, 0)
    ward.now = deadline - SECOND
    signed = ward.done(notes[0], "sign")
    assert datetime.fromisoformat(signed["signed_at"]) == deadline - SECOND
    assert ward.create(appointment_id=sessions[1]).status_code == 201
    ward.now = deadline
    error = refused(ward.step(notes[1], "sign"), "NOTE_LOCKED")
    assert datetime.fromisoformat(error["details"]["locked_since"]) == deadline


@pytest.fixture
def late(ward: Ward) -> dict[str, Any]:
    """A note whose session's week was over a second ago."""
    note = ward.created(appointment_id=ward.session())
    ward.now = wall(date(2026, 3, 23), 0)
    ward.practice.now = ward.now
    return note


def test_of_a_locked_session_nothing_is_written(ward: Ward, late: dict[str, Any]) -> None:
    before, seen = ward.counts(), ward.read(late)
    assert refused(ward.create(appointment_id=late["appointment_id"]), "NOTE_LOCKED")
    assert refused(ward.save(late), "NOTE_LOCKED")
    assert refused(ward.step(late, "submit"), "NOTE_LOCKED")
    assert refused(ward.step(late, "sign"), "NOTE_LOCKED")
    (one,) = ward.post("/notes/bulk-sign", note_ids=[late["id"]]).json()["items"]
    assert (one["signed"], one["code"]) == (False, "NOTE_LOCKED")
    assert (ward.counts(), ward.read(late)) == (before, seen)
    for type in ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY"):  # which are no notes of the session
        answer = ward.create(type=type, sections={}, appointment_id=late["appointment_id"])
        assert answer.status_code == 201, answer.text
    assert ward.create().status_code == 201  # nor is one of no session


def test_what_was_handed_in_in_time_is_co_signed_in_time_too(ward: Ward) -> None:
    license_as(ward.practice, ward.clinician, "LMSW")
    note = ward.done(ward.created(appointment_id=ward.session()), "submit")
    ward.now = wall(date(2026, 3, 23), 0)
    assert refused(ward.step(note, "co-sign", ward.supervisor), "NOTE_LOCKED")
    assert ward.step(note, "unlock", ward.supervisor, reason="I was away").status_code == 200
    assert ward.done(note, "co-sign", ward.supervisor)["status"] == "SIGNED"


def test_a_supervisor_unlocks_for_a_time_and_then_it_locks_itself(ward: Ward, late: dict[str, Any]) -> None:
    answer = ward.step(late, "unlock", ward.supervisor, reason="Was ill", hours=3)
    assert answer.status_code == 200, answer.text
    until = ward.now + 3 * HOUR
    assert datetime.fromisoformat(answer.json()["until"]) == until
    assert refused(ward.step(late, "unlock", ward.supervisor, reason="Once more"), "NOT_LOCKED")
    ward.now = until - SECOND
    assert ward.create(appointment_id=late["appointment_id"]).status_code == 201
    saved = ward.save(late).json()
    ward.now = until
    error = refused(ward.step(saved, "sign"), "NOTE_LOCKED")
    assert datetime.fromisoformat(error["details"]["locked_since"]) == until
    assert ward.step(saved, "unlock", ward.practice.admin, reason="Still ill").status_code == 200
    assert ward.recorded("session.unlocked")[-1].details == {"until": (until + 48 * HOUR).isoformat()}
    ward.now = until + 48 * HOUR - SECOND
    assert ward.done(saved, "sign")["status"] == "SIGNED"
    assert refused(ward.step(saved, "unlock", ward.supervisor, reason="Too late"), "NOTE_SIGNED")
    assert ward.verification(late)["intact"]


def test_unlocking_is_for_the_clinician_s_supervisor_and_admins(ward: Ward, late: dict[str, Any]) -> None:
    other = ward.practice.add("supervisor")
    ward.trained(other)
    assert refused(ward.step(late, "unlock", other, reason="A favour"), "NOT_FOUND", 404)
    for role in (ward.clinician, ward.colleague, ward.practice.add("scheduler")):
        assert refused(ward.step(late, "unlock", role, reason="Let me"), "FORBIDDEN", 403)
    both = ward.practice.add("supervisor", "clinician", supervisor=other)
    client_id = make_client(ward.practice, both)
    session = ward.session(ward.now - 13 * DAY, both, client_id=client_id)
    own = {"id": str(make_note(ward.practice, both, client_id, appointment_id=session, now=ward.now - 12 * DAY))}
    own["version"] = "1"
    assert refused(ward.step(own, "unlock", both, reason="My own"), "OWN_SESSION", 403)
    for wrong in ({}, {"reason": " "}, {"reason": "Was ill", "hours": 0}, {"reason": "Was ill", "hours": 337}):
        assert ward.step(late, "unlock", ward.supervisor, **wrong).status_code == 422
    assert ward.counts()["session_locks"] == 0
    assert ward.step(own, "unlock", other, reason="Was ill").status_code == 200


def test_what_no_deadline_locks_is_not_unlocked(ward: Ward) -> None:
    ahead = ward.created(appointment_id=ward.session())
    plan = ward.created(type="SAFETY_PLAN", sections={}, appointment_id=ward.session())
    for note in (ahead, plan, ward.created()):
        assert refused(ward.step(note, "unlock", ward.supervisor, reason="To be sure"), "NOT_LOCKED")
    assert refused(ward.step(plan, "lock", ward.supervisor, reason="To be sure"), "NOT_LOCKED")


def test_a_session_is_locked_by_hand_and_unlocked_before_its_deadline(ward: Ward) -> None:
    note = ward.created(appointment_id=ward.session())
    assert ward.step(note, "lock", ward.supervisor, reason="Under review").status_code == 200
    assert refused(ward.step(note, "lock", ward.supervisor, reason="Again"), "NOTE_LOCKED")
    assert refused(ward.save(note), "NOTE_LOCKED")
    ward.now += HOUR
    assert ward.step(note, "unlock", ward.practice.admin, reason="All is well", hours=1).status_code == 200
    ward.now += 2 * HOUR  # past the hour, but before the deadline: nothing locks it any more
    assert ward.done(note, "sign")["status"] == "SIGNED"
    assert refused(ward.step(note, "lock", ward.supervisor, reason="Under review"), "NOTE_SIGNED")


def test_a_lock_counts_from_its_moment_on(ward: Ward) -> None:
    """Also for somebody who began before it, and got to write after it."""
    session = ward.session()
    note_id = make_note(ward.practice, ward.clinician, ward.client, appointment_id=session)
    noon = ward.now
    for minutes, verb in ((1, lock_session), (3, unlock_session)):
        with ward.practice.work(ward.practice.admin, noon + timedelta(minutes=minutes)) as work:
            verb(work, Scope.ALL, session, "Because")

    def code(minutes: int) -> str | None:
        with ward.practice.work(ward.clinician, noon + timedelta(minutes=minutes)) as work:
            (one,) = sign_many(work, [note_id])
            work.db.rollback()
            work.entries.clear()
        return one.refusal.code if one.refusal else None

    assert [code(minutes) for minutes in (0, 1, 2, 3)] == [None, "NOTE_LOCKED", "NOTE_LOCKED", None]


def test_why_it_was_unlocked_is_sealed(ward: Ward, late: dict[str, Any]) -> None:
    ward.step(late, "unlock", ward.supervisor, reason="Zweistromland")
    (row,) = ward.rows("select * from session_locks where tenant_id = :tenant_id")
    assert b"Zweistromland" not in bytes(row.reason)
    with ward.practice.work() as work:
        assert work.unseal("session_locks", "reason", row.id, row.reason) == "Zweistromland"
    assert (row.by_id, row.account_id) == (ward.supervisor.staff_id, ward.supervisor.account_id)
    assert UUID(late["appointment_id"]) == row.appointment_id
    assert "Zweistromland" not in str([entry.details for entry in ward.recorded("session.unlocked")])
    assert ward.save(late, sections=SOAP).status_code == 200
