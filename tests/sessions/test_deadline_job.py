"""The deadline job: what it locks, which messages it queues to whom and when, and that repeated runs change nothing."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text, update

from practice.clinical.deadlines.late_notes import find_held_sessions, find_unsigned_sessions, load_lateness
from practice.clinical.deadlines.locking import lock_session_row, refuse_locked, unlock_session
from practice.clinical.deadlines.rules import compute_reminder_times
from practice.clinical.errors import NoteLocked
from practice.local_time import cut_off, to_instant
from practice.people.models.practices import Staff
from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.sessions.deadline_job import DeadlineRun, run_deadline_job
from tests.support.builders.people import Person, make_practice
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.server import run_in_parallel

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
INSTANT = timedelta.resolution
WEEK = 7 * DAY


class Team:
    """A practice with a clinician, their supervisor and an admin; and the job at any instant."""

    def __init__(self, installation: Installation, zone: str, now: datetime) -> None:
        self.practice = make_practice(installation, time_zone=zone, now=now)
        self.zone = ZoneInfo(zone)
        self.supervisor = self.practice.add("supervisor")
        self.clinician = self.practice.add("clinician", supervisor=self.supervisor)
        self.admin = self.practice.admin
        self.sessions = SessionBuilder(self.practice, self.clinician)

    def make_instant(self, day: date, hour: int, minute: int = 0) -> datetime:
        return to_instant(day, time(hour, minute), self.zone)

    def run_job(self, now: datetime, *, recent: bool = False) -> DeadlineRun:
        with self.practice.installation.work(Actor(self.practice.id), now) as work:
            return run_deadline_job(work, recent=recent)

    def load_rows(self, query: str) -> list[Any]:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            return list(db.execute(text(query), {"tenant_id": self.practice.id}))

    def load_locks(self) -> dict[UUID, list[tuple[str, datetime]]]:
        locks: dict[UUID, list[tuple[str, datetime]]] = {}
        for row in self.load_rows("select * from session_locks where tenant_id = :tenant_id order by at, id"):
            locks.setdefault(row.appointment_id, []).append((row.kind, row.at))
        return locks

    def load_messages(self) -> list[tuple[str, UUID, UUID, datetime]]:
        rows = self.load_rows("""
            select * from messages where tenant_id = :tenant_id and about_id is not null order by due_at, kind, staff_id
        """)
        assert all((row.status, row.channel) == ("PLANNED", "email") for row in rows)
        return [(row.kind, row.staff_id, row.about_id, row.due_at) for row in rows]

    def deactivate(self, person: Person, now: datetime) -> None:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            db.execute(update(Staff).where(Staff.id == person.staff_id).values(deactivated_at=now))


def make_team(installation: Installation, zone: str = "America/New_York", now: datetime | None = None) -> Team:
    return Team(installation, zone, now or datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def team(installation: Installation) -> Team:
    return make_team(installation)


# Weeks with and without a clock change, and their hours from Sunday to Sunday

CHANGES = {
    "spring in New York": ("America/New_York", date(2026, 3, 8), 167),
    "autumn in New York": ("America/New_York", date(2025, 11, 2), 169),
    "no change in New York": ("America/New_York", date(2026, 3, 15), 168),
    "spring in Berlin": ("Europe/Berlin", date(2026, 3, 29), 167),
    "autumn in Auckland": ("Pacific/Auckland", date(2026, 4, 5), 169),
    "spring in Santiago, where midnight is skipped": ("America/Santiago", date(2025, 9, 7), 167),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("recent", [False, True])
def test_sessions_are_locked_from_the_instant_of_their_deadline(
    installation: Installation, change: str, *, recent: bool
) -> None:
    zone, week, hours = CHANGES[change]
    team = make_team(installation, zone, datetime.combine(week - 3 * DAY, time(12), UTC))
    begin, deadline = to_instant(week, time(), team.zone), cut_off(week, team.zone)
    assert to_instant(week + WEEK, time(), team.zone) - begin == hours * HOUR
    first = team.sessions.add_session(begin)
    last = team.sessions.add_session(team.make_instant(week + 6 * DAY, 23))
    next_week = team.sessions.add_session(team.make_instant(week + WEEK, 0, 5))
    team.sessions.add_session(team.make_instant(week + 2 * DAY, 9), signed_at=deadline - SECOND)
    other_status = team.sessions.add_session(team.make_instant(week + 2 * DAY, 9), status="NO_SHOW")
    before = team.sessions.add_session(begin - INSTANT)
    assert team.run_job(deadline - INSTANT, recent=recent).locked == 1
    assert team.load_locks() == {before: [("LOCKED", cut_off(week - WEEK, team.zone))]}
    assert team.run_job(deadline, recent=recent).locked == 2
    expected = {before: cut_off(week - WEEK, team.zone), first: deadline, last: deadline}
    assert team.load_locks() == {session: [("LOCKED", at)] for session, at in expected.items()}
    assert {next_week, other_status}.isdisjoint(team.load_locks())
    assert team.run_job(deadline + DAY, recent=recent).locked == 0


def test_hourly_and_irregular_runs_record_the_same_locks(installation: Installation) -> None:
    generator = random.Random(1)  # noqa: S311
    week = date(2026, 3, 8)
    outcomes = []
    for longest in (1, 40, 40, 40):
        team = make_team(installation)
        starts = [team.make_instant(week + day * DAY, 10) for day in range(10)]
        sessions = [team.sessions.add_session(start) for start in starts]
        now = team.make_instant(week, 0)
        while now < team.make_instant(week + 3 * WEEK, 12):
            team.run_job(now, recent=generator.random() < 0.5)
            now += generator.randint(1, longest) * HOUR
        team.run_job(team.make_instant(week + 3 * WEEK, 12))
        locks = team.load_locks()
        outcomes.append([locks.get(session) for session in sessions])
        assert all(len(session_locks) == 1 for session_locks in locks.values())
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert None not in outcomes[0]


def test_after_an_unlocking_ends_a_session_is_locked_again(team: Team) -> None:
    week = date(2026, 3, 8)
    session = team.sessions.add_session(team.make_instant(week + DAY, 10))
    deadline = cut_off(week, team.zone)
    team.run_job(deadline)
    unlocked = deadline + DAY
    with team.practice.work(team.supervisor, unlocked) as work:
        unlock_session(work, Scope.TEAM, session, "Was ill", hours=5)
    for now in (unlocked, unlocked + 5 * HOUR - INSTANT):
        assert team.run_job(now).locked == 0
        assert not is_locked(team, session, now)
    until = unlocked + 5 * HOUR
    assert team.run_job(until + DAY).locked == 1
    assert team.run_job(until + DAY).locked == 0
    assert team.load_locks() == {session: [("LOCKED", deadline), ("UNLOCKED", unlocked), ("LOCKED", until)]}
    assert is_locked(team, session, until)


def is_locked(team: Team, session: UUID, now: datetime) -> bool:
    with team.practice.work(team.clinician, now) as work:
        try:
            refuse_locked(work, [lock_session_row(work, Scope.OWN, session)])
        except NoteLocked:
            return True
    return False


def test_the_audit_log_has_the_number_of_locks(team: Team) -> None:
    week = date(2026, 3, 8)
    for hour in (9, 11, 13):
        team.sessions.add_session(team.make_instant(week + DAY, hour))
    for _ in range(2):
        team.run_job(cut_off(week, team.zone) + 3 * DAY)
    entries = team.load_rows("select * from audit_log where tenant_id = :tenant_id and action = 'deadlines.recorded'")
    assert [entry.details for entry in entries] == [{"locked": 3, "notified": 0}]


def test_an_imported_history_is_locked_without_a_flood_of_messages(team: Team) -> None:
    """Years of unsigned sessions are locked at their own deadlines, without messages."""
    now = team.make_instant(date(2026, 3, 20), 9)  # a Friday, at nine
    old = {team.sessions.add_session(now - HOUR - 5 * DAY - number * 23 * DAY) for number in range(40)}
    this_week = team.sessions.add_session(now - DAY)
    team.run_job(now, recent=True)
    assert len(team.load_locks()) == 1  # of the last weeks
    team.run_job(now)
    locks = team.load_locks()
    assert set(locks) <= old
    assert len(locks) == 39  # all but the one of five days ago, whose week has not ended
    assert len({at for [(_, at)] in locks.values()}) == 39
    assert [kind for kind, *_ in team.load_messages()] == ["NOTE_LATE_REMINDER", "NOTE_REMINDER_FRIDAY"]
    assert this_week not in locks


# Reminders of the week


def get_reminder_times(team: Team, week: date) -> tuple[datetime, datetime]:
    instants = compute_reminder_times(week, team.zone)
    return instants["NOTE_REMINDER_FRIDAY"], instants["NOTE_REMINDER_SUNDAY"]


@pytest.mark.parametrize("change", CHANGES)
def test_clinicians_are_reminded_on_friday_and_on_sunday(installation: Installation, change: str) -> None:
    zone, week, _ = CHANGES[change]
    team = make_team(installation, zone, datetime.combine(week - 3 * DAY, time(12), UTC))
    friday, sunday = get_reminder_times(team, week)
    local_times = friday.astimezone(team.zone), sunday.astimezone(team.zone)
    assert [(at.strftime("%a %H:%M"), at.date()) for at in local_times] == [
        ("Fri 09:00", week + 5 * DAY),
        ("Sun 12:00", week + WEEK),
    ]
    other = team.practice.add("clinician")
    for number in range(3):
        team.sessions.add_session(team.make_instant(week + 2 * DAY, 9 + number))
    team.sessions.add_session(
        team.make_instant(week + 2 * DAY, 9), signed_at=team.make_instant(week + 3 * DAY, 9), clinician=other
    )
    clinician_id = team.clinician.staff_id
    first = ("NOTE_REMINDER_FRIDAY", clinician_id, clinician_id, friday)
    second = ("NOTE_REMINDER_SUNDAY", clinician_id, clinician_id, sunday)
    for now, expected in (
        (friday - INSTANT, []),
        (friday, [first]),
        (friday + SECOND, [first]),
        (sunday - INSTANT, [first]),
        (sunday, [first, second]),
        (sunday + 5 * HOUR, [first, second]),
    ):
        for _ in range(2):
            team.run_job(now)
        assert [message for message in team.load_messages() if "NOTE_REMINDER_" in message[0]] == expected, now


def test_no_reminder_is_sent_a_day_late_or_after_the_deadline(team: Team) -> None:
    week = date(2026, 3, 8)
    team.sessions.add_session(team.make_instant(week + 2 * DAY, 9))
    friday, _ = get_reminder_times(team, week)
    team.run_job(friday + DAY)
    team.run_job(cut_off(week, team.zone))
    assert [kind for kind, *_ in team.load_messages() if "NOTE_REMINDER_" in kind] == []
    team.run_job(friday + DAY - INSTANT)
    assert [kind for kind, *_ in team.load_messages() if "NOTE_REMINDER_" in kind] == ["NOTE_REMINDER_FRIDAY"]


def test_no_reminder_after_signing_leaving_or_for_later_completions(team: Team) -> None:
    week = date(2026, 3, 8)
    friday, _ = get_reminder_times(team, week)
    signer, later, gone = (team.practice.add("clinician") for _ in range(3))
    team.sessions.add_session(team.make_instant(week + DAY, 9), clinician=signer, signed_at=friday - SECOND)
    team.sessions.add_session(team.make_instant(week + DAY, 9), clinician=later, status_at=friday + SECOND)
    team.sessions.add_session(team.make_instant(week + DAY, 9), clinician=gone)
    team.deactivate(gone, friday - DAY)
    team.run_job(friday + HOUR)
    assert team.load_messages() == []


def test_a_signed_plan_is_not_a_session_note(team: Team) -> None:
    week = date(2026, 3, 8)
    session = team.sessions.add_session(team.make_instant(week + DAY, 9))
    team.sessions.add_note(session, type="TREATMENT_PLAN", signed_at=team.make_instant(week + DAY, 12))
    team.run_job(get_reminder_times(team, week)[0])
    assert len(team.load_messages()) == 1
    team.run_job(cut_off(week, team.zone))
    assert list(team.load_locks()) == [session]


def test_a_note_in_review_reminds_the_supervisor_and_not_the_clinician(team: Team) -> None:
    week = date(2026, 3, 8)
    for hour in (9, 11):
        team.sessions.add_note(team.sessions.add_session(team.make_instant(week + DAY, hour)), status="IN_REVIEW")
    friday, sunday = get_reminder_times(team, week)
    team.run_job(friday)
    supervisor_id = team.supervisor.staff_id
    assert [message[:3] for message in team.load_messages()] == [("NOTE_REMINDER_FRIDAY", supervisor_id, supervisor_id)]
    team.deactivate(team.supervisor, friday + HOUR)
    team.run_job(sunday)
    clinician_id = team.clinician.staff_id
    assert [message[:3] for message in team.load_messages()] == [
        ("NOTE_REMINDER_FRIDAY", supervisor_id, supervisor_id),
        *[
            ("NOTE_LATE_REMINDER", clinician_id, message[2])
            for message in team.load_messages()
            if message[0] == "NOTE_LATE_REMINDER"
        ],
        ("NOTE_REMINDER_SUNDAY", clinician_id, clinician_id),
    ]


# The 7-day rule


def load_late_messages(team: Team) -> list[tuple[str, UUID, UUID, datetime]]:
    return [message for message in team.load_messages() if "NOTE_REMINDER_" not in message[0]]


def test_the_seven_day_rule_sends_messages_on_days_five_seven_and_fourteen(team: Team) -> None:
    session = team.sessions.add_session(datetime(2026, 3, 3, 15, tzinfo=UTC))
    end = datetime(2026, 3, 3, 16, tzinfo=UTC)
    clinician_id, supervisor_id, admin_id = (
        person.staff_id for person in (team.clinician, team.supervisor, team.admin)
    )
    reminder = ("NOTE_LATE_REMINDER", clinician_id, session, end + 5 * DAY)
    alert = ("NOTE_LATE_ALERT", supervisor_id, session, end + 7 * DAY)
    held = [("NOTE_CHARGE_HELD", id, session, end + 14 * DAY) for id in sorted([supervisor_id, admin_id])]
    expected: list[tuple[str, UUID, UUID, datetime]] = []
    for days, messages in ((5, [reminder]), (7, [alert]), (14, held)):
        for _ in range(2):
            team.run_job(end + days * DAY - SECOND)
        assert load_late_messages(team) == expected
        expected += messages
        for _ in range(2):
            team.run_job(end + days * DAY)
        assert load_late_messages(team) == expected
        assert check_lateness(team, session, end + days * DAY) == {5: "remind", 7: "alert", 14: "hold"}[days]
    team.run_job(end + 60 * DAY)
    assert load_late_messages(team) == expected


def check_lateness(team: Team, session: UUID, now: datetime) -> str:
    with team.practice.work(now=now) as work:
        lateness = load_lateness(work, [session])[session]
        assert find_held_sessions(work, [session]) == ({session} if lateness == "hold" else set())
        assert find_unsigned_sessions(work, [session]) == ({session} if lateness != "ok" else set())
        return lateness


def test_without_a_supervisor_the_admins_are_alerted(team: Team) -> None:
    second = team.practice.add("admin")
    team.deactivate(team.supervisor, team.practice.now)
    session = team.sessions.add_session(datetime(2026, 3, 3, 15, tzinfo=UTC))
    team.run_job(datetime(2026, 3, 10, 16, tzinfo=UTC))
    admins = sorted([team.admin.staff_id, second.staff_id])
    assert [message[:3] for message in load_late_messages(team)] == [
        ("NOTE_LATE_ALERT", admin, session) for admin in admins
    ]


def test_a_signature_in_time_ends_the_rule(team: Team) -> None:
    end = datetime(2026, 3, 3, 16, tzinfo=UTC)
    session = team.sessions.add_session(end - HOUR, signed_at=end + 5 * DAY - SECOND)
    for days in (5, 7, 14):
        team.run_job(end + days * DAY)
    assert load_late_messages(team) == []
    assert check_lateness(team, session, end + 30 * DAY) == "ok"


def test_a_session_that_is_completed_late_gets_the_messages_that_are_due_then(team: Team) -> None:
    end = datetime(2026, 3, 3, 16, tzinfo=UTC)
    completed = end + 9 * DAY
    session = team.sessions.add_session(end - HOUR, status_at=completed)
    team.run_job(completed + SECOND)
    assert {(kind, due) for kind, _, about, due in load_late_messages(team) if about == session} == {
        ("NOTE_LATE_REMINDER", end + 5 * DAY),
        ("NOTE_LATE_ALERT", end + 7 * DAY),
    }


def test_a_practice_can_set_the_days_of_the_rule(team: Team) -> None:
    end = datetime(2026, 3, 3, 16, tzinfo=UTC)
    session = team.sessions.add_session(end - HOUR)
    with team.practice.work() as work:
        for key, value in (("note_reminder_days", 2), ("note_alert_days", 3), ("note_hold_days", 4)):
            change_setting(work, key, value, date(2026, 3, 1))
    for days in range(6):
        team.run_job(end + days * DAY)
    assert {(kind, due - end) for kind, _, _, due in load_late_messages(team)} == {
        ("NOTE_LATE_REMINDER", 2 * DAY),
        ("NOTE_LATE_ALERT", 3 * DAY),
        ("NOTE_CHARGE_HELD", 4 * DAY),
    }
    assert check_lateness(team, session, end + 4 * DAY) == "hold"


# Parallel runs and several practices


def test_parallel_runs_have_the_effect_of_one(team: Team) -> None:
    week = date(2026, 3, 8)
    sessions = [
        team.sessions.add_session(team.make_instant(week + number % 7 * DAY, 8 + number // 7)) for number in range(30)
    ]
    now = cut_off(week, team.zone)
    runs = run_in_parallel(lambda _: team.run_job(now), range(4))
    assert len(runs) == 4
    assert sum(run.locked for run in runs) == 30
    assert {session: len(locks) for session, locks in team.load_locks().items()} == dict.fromkeys(sessions, 1)
    messages = team.load_messages()
    assert len(messages) == len(set(messages)) == sum(run.messages for run in runs) > 0


def test_a_run_for_one_practice_does_not_affect_another(installation: Installation, team: Team) -> None:
    other = make_team(installation)
    week = date(2026, 3, 8)
    for each_team in (team, other):
        each_team.sessions.add_session(each_team.make_instant(week + DAY, 9))
    team.run_job(cut_off(week, team.zone))
    assert (len(team.load_locks()), other.load_locks(), other.load_messages()) == (1, {}, [])
