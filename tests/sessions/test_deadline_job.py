"""The job of the deadlines: what it locks, whom it tells of what and when, and that two runs do what one does."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text, update

from practice.clinical.deadlines.late_notes import held, lateness_of, unsigned
from practice.clinical.deadlines.locking import lock_session_row, refuse_locked, unlock_session
from practice.clinical.deadlines.rules import due_instants
from practice.clinical.errors import NoteLocked
from practice.local_time import cut_off, instant
from practice.people.models.practices import Staff
from practice.people.settings import set_rule
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.sessions.deadline_job import Kept, keep_deadlines
from tests.support.builders.people import Person, make_practice
from tests.support.builders.sessions import Sessions
from tests.support.drivers.server import at_once

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
        self.sessions = Sessions(self.practice, self.clinician)

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        return instant(day, time(hour, minute), self.zone)

    def run(self, now: datetime, *, recent: bool = False) -> Kept:
        with self.practice.installation.work(Actor(self.practice.id), now) as work:
            return keep_deadlines(work, recent=recent)

    def rows(self, query: str) -> list[Any]:
        with self.practice.installation.store.session_in(self.practice.id) as db:
            return list(db.execute(text(query), {"tenant_id": self.practice.id}))

    def locks(self) -> dict[UUID, list[tuple[str, datetime]]]:
        found: dict[UUID, list[tuple[str, datetime]]] = {}
        for row in self.rows("select * from session_locks where tenant_id = :tenant_id order by at, id"):
            found.setdefault(row.appointment_id, []).append((row.kind, row.at))
        return found

    def told(self) -> list[tuple[str, UUID, UUID, datetime]]:
        rows = self.rows("""
            select * from messages where tenant_id = :tenant_id and about_id is not null order by due_at, kind, staff_id
        """)
        assert all((row.status, row.channel) == ("PLANNED", "email") for row in rows)
        return [(row.kind, row.staff_id, row.about_id, row.due_at) for row in rows]

    def leaves(self, person: Person, now: datetime) -> None:
        with self.practice.installation.store.session_in(self.practice.id) as db:
            db.execute(update(Staff).where(Staff.id == person.staff_id).values(deactivated_at=now))


def team_of(installation: Installation, zone: str = "America/New_York", now: datetime | None = None) -> Team:
    return Team(installation, zone, now or datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def team(installation: Installation) -> Team:
    return team_of(installation)


# Weeks of the change of the clock, and their hours from Sunday to Sunday

CHANGES = {
    "spring in New York": ("America/New_York", date(2026, 3, 8), 167),
    "autumn in New York": ("America/New_York", date(2025, 11, 2), 169),
    "no change in New York": ("America/New_York", date(2026, 3, 15), 168),
    "spring in Berlin": ("Europe/Berlin", date(2026, 3, 29), 167),
    "autumn in Auckland": ("Pacific/Auckland", date(2026, 4, 5), 169),
    "spring in Santiago, where no midnight comes": ("America/Santiago", date(2025, 9, 7), 167),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("recent", [False, True])
def test_sessions_are_locked_from_the_instant_of_their_deadline(
    installation: Installation, change: str, *, recent: bool
) -> None:
    zone, week, hours = CHANGES[change]
    team = team_of(installation, zone, datetime.combine(week - 3 * DAY, time(12), UTC))
    begin, deadline = instant(week, time(), team.zone), cut_off(week, team.zone)
    assert instant(week + WEEK, time(), team.zone) - begin == hours * HOUR
    first = team.sessions.held(begin)
    last = team.sessions.held(team.at(week + 6 * DAY, 23))
    next_week = team.sessions.held(team.at(week + WEEK, 0, 5))
    team.sessions.held(team.at(week + 2 * DAY, 9), signed_at=deadline - SECOND)
    other_status = team.sessions.held(team.at(week + 2 * DAY, 9), status="NO_SHOW")
    before = team.sessions.held(begin - INSTANT)
    assert team.run(deadline - INSTANT, recent=recent).locked == 1
    assert team.locks() == {before: [("LOCKED", cut_off(week - WEEK, team.zone))]}
    assert team.run(deadline, recent=recent).locked == 2
    expected = {before: cut_off(week - WEEK, team.zone), first: deadline, last: deadline}
    assert team.locks() == {session: [("LOCKED", at)] for session, at in expected.items()}
    assert {next_week, other_status}.isdisjoint(team.locks())
    assert team.run(deadline + DAY, recent=recent).locked == 0


def test_runs_at_any_instants_in_any_number_come_to_the_same(installation: Installation) -> None:
    """Those that run every hour, and those that run now and then, end with the same locks."""
    chance = random.Random(1)  # noqa: S311
    week = date(2026, 3, 8)
    found = []
    for longest in (1, 40, 40, 40):
        team = team_of(installation)
        starts = [team.at(week + day * DAY, 10) for day in range(10)]
        sessions = [team.sessions.held(start) for start in starts]
        now = team.at(week, 0)
        while now < team.at(week + 3 * WEEK, 12):
            team.run(now, recent=chance.random() < 0.5)
            now += chance.randint(1, longest) * HOUR
        team.run(team.at(week + 3 * WEEK, 12))
        locks = team.locks()
        found.append([locks.get(session) for session in sessions])
        assert all(len(of_one) == 1 for of_one in locks.values())
    assert all(one == found[0] for one in found)
    assert None not in found[0]


def test_after_an_unlocking_ends_a_session_is_locked_again(team: Team) -> None:
    week = date(2026, 3, 8)
    session = team.sessions.held(team.at(week + DAY, 10))
    deadline = cut_off(week, team.zone)
    team.run(deadline)
    unlocked = deadline + DAY
    with team.practice.work(team.supervisor, unlocked) as work:
        unlock_session(work, Scope.TEAM, session, "Was ill", hours=5)
    for now in (unlocked, unlocked + 5 * HOUR - INSTANT):
        assert team.run(now).locked == 0
        assert not locked(team, session, now)
    until = unlocked + 5 * HOUR
    assert team.run(until + DAY).locked == 1
    assert team.run(until + DAY).locked == 0
    assert team.locks() == {session: [("LOCKED", deadline), ("UNLOCKED", unlocked), ("LOCKED", until)]}
    assert locked(team, session, until)


def locked(team: Team, session: UUID, now: datetime) -> bool:
    with team.practice.work(team.clinician, now) as work:
        try:
            refuse_locked(work, [lock_session_row(work, Scope.OWN, session)])
        except NoteLocked:
            return True
    return False


def test_locks_stand_on_the_trail_by_their_number(team: Team) -> None:
    week = date(2026, 3, 8)
    for hour in (9, 11, 13):
        team.sessions.held(team.at(week + DAY, hour))
    for _ in range(2):
        team.run(cut_off(week, team.zone) + 3 * DAY)
    entries = team.rows("select * from audit_log where tenant_id = :tenant_id and action = 'deadlines.kept'")
    assert [entry.details for entry in entries] == [{"locked": 3, "told": 0}]


def test_a_practice_that_moves_in_is_locked_without_a_flood(team: Team) -> None:
    """Years of sessions that nobody signed: locked at their own deadlines, and nobody hears of them."""
    now = team.at(date(2026, 3, 20), 9)  # a Friday, at nine
    old = {team.sessions.held(now - HOUR - 5 * DAY - number * 23 * DAY) for number in range(40)}
    this_week = team.sessions.held(now - DAY)
    team.run(now, recent=True)
    assert len(team.locks()) == 1  # of the last weeks
    team.run(now)
    locks = team.locks()
    assert set(locks) <= old
    assert len(locks) == 39  # but the one of five days ago, whose week has not ended
    assert len({at for [(_, at)] in locks.values()}) == 39
    assert [kind for kind, *_ in team.told()] == ["NOTE_LATE_REMINDER", "NOTE_REMINDER_FRIDAY"]
    assert this_week not in locks


# Reminders of the week


def reminders(team: Team, week: date) -> tuple[datetime, datetime]:
    instants = due_instants(week, team.zone)
    return instants["NOTE_REMINDER_FRIDAY"], instants["NOTE_REMINDER_SUNDAY"]


@pytest.mark.parametrize("change", CHANGES)
def test_clinicians_are_reminded_on_friday_and_on_sunday(installation: Installation, change: str) -> None:
    zone, week, _ = CHANGES[change]
    team = team_of(installation, zone, datetime.combine(week - 3 * DAY, time(12), UTC))
    friday, sunday = reminders(team, week)
    local = friday.astimezone(team.zone), sunday.astimezone(team.zone)
    assert [(at.strftime("%a %H:%M"), at.date()) for at in local] == [
        ("Fri 09:00", week + 5 * DAY),
        ("Sun 12:00", week + WEEK),
    ]
    other = team.practice.add("clinician")
    for number in range(3):
        team.sessions.held(team.at(week + 2 * DAY, 9 + number))
    team.sessions.held(team.at(week + 2 * DAY, 9), signed_at=team.at(week + 3 * DAY, 9), clinician=other)
    me = team.clinician.staff_id
    first = ("NOTE_REMINDER_FRIDAY", me, me, friday)
    second = ("NOTE_REMINDER_SUNDAY", me, me, sunday)
    for now, expected in (
        (friday - INSTANT, []),
        (friday, [first]),
        (friday + SECOND, [first]),
        (sunday - INSTANT, [first]),
        (sunday, [first, second]),
        (sunday + 5 * HOUR, [first, second]),
    ):
        for _ in range(2):
            team.run(now)
        assert [told for told in team.told() if "NOTE_REMINDER_" in told[0]] == expected, now


def test_a_reminder_that_is_a_day_late_or_past_the_deadline_is_none(team: Team) -> None:
    week = date(2026, 3, 8)
    team.sessions.held(team.at(week + 2 * DAY, 9))
    friday, _ = reminders(team, week)
    team.run(friday + DAY)
    team.run(cut_off(week, team.zone))
    assert [kind for kind, *_ in team.told() if "NOTE_REMINDER_" in kind] == []
    team.run(friday + DAY - INSTANT)
    assert [kind for kind, *_ in team.told() if "NOTE_REMINDER_" in kind] == ["NOTE_REMINDER_FRIDAY"]


def test_who_signed_meanwhile_completed_later_or_left_is_not_reminded(team: Team) -> None:
    week = date(2026, 3, 8)
    friday, _ = reminders(team, week)
    signer, later, gone = (team.practice.add("clinician") for _ in range(3))
    team.sessions.held(team.at(week + DAY, 9), clinician=signer, signed_at=friday - SECOND)
    team.sessions.held(team.at(week + DAY, 9), clinician=later, status_at=friday + SECOND)
    team.sessions.held(team.at(week + DAY, 9), clinician=gone)
    team.leaves(gone, friday - DAY)
    team.run(friday + HOUR)
    assert team.told() == []


def test_a_plan_signs_no_session(team: Team) -> None:
    week = date(2026, 3, 8)
    session = team.sessions.held(team.at(week + DAY, 9))
    team.sessions.note(session, type="TREATMENT_PLAN", signed_at=team.at(week + DAY, 12))
    team.run(reminders(team, week)[0])
    assert len(team.told()) == 1
    team.run(cut_off(week, team.zone))
    assert list(team.locks()) == [session]


def test_what_was_handed_in_waits_for_the_supervisor(team: Team) -> None:
    """Who has done their part is not reminded; who has not done theirs is."""
    week = date(2026, 3, 8)
    for hour in (9, 11):
        team.sessions.note(team.sessions.held(team.at(week + DAY, hour)), status="IN_REVIEW")
    friday, sunday = reminders(team, week)
    team.run(friday)
    boss = team.supervisor.staff_id
    assert [told[:3] for told in team.told()] == [("NOTE_REMINDER_FRIDAY", boss, boss)]
    team.leaves(team.supervisor, friday + HOUR)
    team.run(sunday)
    me = team.clinician.staff_id
    assert [told[:3] for told in team.told()] == [
        ("NOTE_REMINDER_FRIDAY", boss, boss),
        *[("NOTE_LATE_REMINDER", me, told[2]) for told in team.told() if told[0] == "NOTE_LATE_REMINDER"],
        ("NOTE_REMINDER_SUNDAY", me, me),
    ]


# The 7-day rule


def late_told(team: Team) -> list[tuple[str, UUID, UUID, datetime]]:
    return [told for told in team.told() if "NOTE_REMINDER_" not in told[0]]


def test_the_seven_day_rule_tells_at_days_five_seven_and_fourteen(team: Team) -> None:
    session = team.sessions.held(datetime(2026, 3, 3, 15, tzinfo=UTC))
    end = datetime(2026, 3, 3, 16, tzinfo=UTC)
    me, boss, admin = (one.staff_id for one in (team.clinician, team.supervisor, team.admin))
    reminded = ("NOTE_LATE_REMINDER", me, session, end + 5 * DAY)
    alerted = ("NOTE_LATE_ALERT", boss, session, end + 7 * DAY)
    on_hold = [("NOTE_CHARGE_HELD", staff, session, end + 14 * DAY) for staff in sorted([boss, admin])]
    told: list[tuple[str, UUID, UUID, datetime]] = []
    for days, new in ((5, [reminded]), (7, [alerted]), (14, on_hold)):
        for _ in range(2):
            team.run(end + days * DAY - SECOND)
        assert late_told(team) == told
        told += new
        for _ in range(2):
            team.run(end + days * DAY)
        assert late_told(team) == told
        assert rule(team, session, end + days * DAY) == {5: "remind", 7: "alert", 14: "hold"}[days]
    team.run(end + 60 * DAY)
    assert late_told(team) == told


def rule(team: Team, session: UUID, now: datetime) -> str:
    with team.practice.work(now=now) as work:
        word = lateness_of(work, [session])[session]
        assert held(work, [session]) == ({session} if word == "hold" else set())
        assert unsigned(work, [session]) == ({session} if word != "ok" else set())
        return word


def test_without_a_supervisor_the_admins_are_told(team: Team) -> None:
    second = team.practice.add("admin")
    team.leaves(team.supervisor, team.practice.now)
    session = team.sessions.held(datetime(2026, 3, 3, 15, tzinfo=UTC))
    team.run(datetime(2026, 3, 10, 16, tzinfo=UTC))
    admins = sorted([team.admin.staff_id, second.staff_id])
    assert [told[:3] for told in late_told(team)] == [("NOTE_LATE_ALERT", admin, session) for admin in admins]


def test_a_signature_in_time_ends_the_rule(team: Team) -> None:
    end = datetime(2026, 3, 3, 16, tzinfo=UTC)
    session = team.sessions.held(end - HOUR, signed_at=end + 5 * DAY - SECOND)
    for days in (5, 7, 14):
        team.run(end + days * DAY)
    assert late_told(team) == []
    assert rule(team, session, end + 30 * DAY) == "ok"


def test_what_is_completed_late_is_told_when_it_is(team: Team) -> None:
    end = datetime(2026, 3, 3, 16, tzinfo=UTC)
    completed = end + 9 * DAY
    session = team.sessions.held(end - HOUR, status_at=completed)
    team.run(completed + SECOND)
    assert {(kind, due) for kind, _, about, due in late_told(team) if about == session} == {
        ("NOTE_LATE_REMINDER", end + 5 * DAY),
        ("NOTE_LATE_ALERT", end + 7 * DAY),
    }


def test_the_days_are_the_practices_own(team: Team) -> None:
    end = datetime(2026, 3, 3, 16, tzinfo=UTC)
    session = team.sessions.held(end - HOUR)
    with team.practice.work() as work:
        for key, value in (("note_reminder_days", 2), ("note_alert_days", 3), ("note_hold_days", 4)):
            set_rule(work, key, value, date(2026, 3, 1))
    for days in range(6):
        team.run(end + days * DAY)
    assert {(kind, due - end) for kind, _, _, due in late_told(team)} == {
        ("NOTE_LATE_REMINDER", 2 * DAY),
        ("NOTE_LATE_ALERT", 3 * DAY),
        ("NOTE_CHARGE_HELD", 4 * DAY),
    }
    assert rule(team, session, end + 4 * DAY) == "hold"


# Several at once, and several practices


def test_several_at_once_do_what_one_does(team: Team) -> None:
    week = date(2026, 3, 8)
    sessions = [team.sessions.held(team.at(week + number % 7 * DAY, 8 + number // 7)) for number in range(30)]
    now = cut_off(week, team.zone)
    done = at_once(lambda _: team.run(now), range(4))
    assert len(done) == 4
    assert sum(kept.locked for kept in done) == 30
    assert {session: len(locks) for session, locks in team.locks().items()} == dict.fromkeys(sessions, 1)
    told = team.told()
    assert len(told) == len(set(told)) == sum(kept.told for kept in done) > 0


def test_one_practice_is_kept_without_touching_another(installation: Installation, team: Team) -> None:
    other = team_of(installation)
    week = date(2026, 3, 8)
    for one in (team, other):
        one.sessions.held(one.at(week + DAY, 9))
    team.run(cut_off(week, team.zone))
    assert (len(team.locks()), other.locks(), other.told()) == (1, {}, [])
