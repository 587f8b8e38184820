"""The books of a practice: its rows, and what its weeks pay, worked out from them the long way: at any instant, every
session of the whole history, one by one. Nothing here is of the practice's code. What was paid so far is taken from the
lines of the weeks that were closed then."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from tests.support.builders.people import PracticeFixture

DAY, WEEK = timedelta(days=1), timedelta(days=7)
NO_SESSION_NOTE = ("TREATMENT_PLAN", "SAFETY_PLAN", "DISCHARGE_SUMMARY")
USUAL = {"GROUP": Fraction(3, 2), "INTAKE": Fraction(5, 4)}
TABLES = {
    "seats": "select id, external_id, group_session_id, clinician_id, service_id, client_id, starts_at, status,"
    " status_at from appointments where tenant_id = :id order by id",
    "services": "select id, code, kind, minutes, version from services where tenant_id = :id order by id",
    "staff": "select id, external_id, left_on from staff where tenant_id = :id order by id",
    "notes": "select id, appointment_id, type, status, created_at, signed_at, version from notes"
    " where tenant_id = :id order by id",
    "completions": "select id, kind, minutes, created_at, voided_at, version from session_completions"
    " where tenant_id = :id order by id",
    "rates": "select id, staff_id, rate_cents, effective_on, set_at from pay_rates where tenant_id = :id order by id",
    "multipliers": "select id, staff_id, kind, multiplier, effective_on, set_at from pay_multipliers"
    " where tenant_id = :id order by id",
    "periods": "select id, week, opened_at, closed_at, problems, version from pay_periods"
    " where tenant_id = :id order by week",
    "lines": "select * from pay_lines where tenant_id = :id order by id",
    "locks": "select id, appointment_id, kind, at, until from session_locks where tenant_id = :id order by id",
    "audit": "select count(*) from audit_log where tenant_id = :id",
}
# What a verb writes has its instant.
WRITTEN_AT = {
    "seats": ["status_at"],
    "notes": ["created_at", "signed_at"],
    "completions": ["created_at", "voided_at"],
    "rates": ["set_at"],
    "multipliers": ["set_at"],
    "periods": ["opened_at", "closed_at"],
}
PAID = ("regular", "late")


@dataclass
class Period:
    """As a row of one."""

    id: UUID | None
    week: date
    opened_at: datetime
    closed_at: datetime | None


@dataclass(order=True)
class Line:
    """What is compared."""

    kind: str
    staff: str
    appointment: str
    session: str
    service_kind: str
    held_on: date
    minutes: int
    multiplier: Fraction
    rate_cents: int
    cents: int
    reason: str


@dataclass
class Due:
    """What a week pays."""

    lines: list[Line]
    standby: list[Line]
    problems: set[str]  # of whom


@dataclass
class Session:
    key: UUID
    first: Any  # the seat under which it appears
    starts_at: datetime
    kind: str
    minutes: int
    stands: bool
    counts: bool  # a seat that stands is signed
    completed: datetime | None
    done: datetime | None  # completed and signed


@dataclass
class Paid:
    """What closed weeks have paid for a session."""

    line: Any
    cents: int
    last_reason: str


class Books:
    """All rows of a practice that pay rests on."""

    def __init__(self, practice: PracticeFixture, zone: ZoneInfo) -> None:
        with practice.installation.store.session_in(practice.id) as db:
            self.rows: dict[str, list[Any]] = {
                name: list(db.execute(text(query), {"id": practice.id})) for name, query in TABLES.items()
            }
        self.zone = zone
        self.seat_of = {row.id: row for row in self.seats}
        self.service_of = {row.id: row for row in self.services}
        self.completion_of = {row.id: row for row in self.completions}
        self.staff_name = {row.id: row.external_id or str(row.id) for row in self.staff}
        self.notes_of: dict[UUID, list[Any]] = defaultdict(list)
        for note in self.notes:
            if note.appointment_id and note.type not in NO_SESSION_NOTE:
                self.notes_of[note.appointment_id].append(note)

    def __getattr__(self, table: str) -> list[Any]:
        if table.startswith("__") or table == "rows":
            raise AttributeError(table)
        return self.rows[table]

    # Time

    def midnight(self, day: date) -> datetime:
        """The first instant of a date."""
        at = datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
        while (at - timedelta(minutes=1)).astimezone(self.zone).date() == day:
            at -= timedelta(minutes=1)
        return at

    def date_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def week_of(self, at: datetime) -> date:
        day = self.date_of(at)
        while day.strftime("%a") != "Sun":
            day -= DAY
        return day

    def cut_off(self, week: date) -> datetime:
        return self.midnight(week + 8 * DAY)

    def natural_week(self, session: Session) -> date | None:
        if session.done is None:
            return None
        week = self.week_of(session.starts_at)
        while self.cut_off(week) <= session.done:
            week += WEEK
        return week

    # What was known at an instant

    def sessions(self, at: datetime) -> list[Session]:
        groups: dict[UUID, list[Any]] = defaultdict(list)
        for seat in self.seats:
            if seat.status == "COMPLETED" and seat.status_at <= at:
                groups[seat.group_session_id or seat.id].append(seat)
        return [self.session(key, seats, at) for key, seats in groups.items()]

    def session(self, key: UUID, seats: list[Any], at: datetime) -> Session:
        standing = [seat for seat in seats if self.voided_at(seat, at) is None]
        first = min(standing or seats, key=self.name)
        row, service = self.completion_of.get(first.id), self.service_of[first.service_id]
        settled = [self.settled_at(seat, at) for seat in seats]
        return Session(
            key=key,
            first=first,
            starts_at=min(seat.starts_at for seat in seats),
            kind=row.kind if row else service.kind,
            minutes=row.minutes if row else service.minutes,
            stands=bool(standing),
            counts=any(self.signed_at(seat, at) for seat in standing),
            completed=max((seat.status_at for seat in standing), default=None),
            done=None if None in settled else max(one for one in settled if one),
        )

    def name(self, seat: Any) -> str:
        return seat.external_id or str(seat.id)

    def voided_at(self, seat: Any, at: datetime) -> datetime | None:
        row = self.completion_of.get(seat.id)
        return row.voided_at if row and row.voided_at and row.voided_at <= at else None

    def signed_at(self, seat: Any, at: datetime) -> datetime | None:
        known = [note for note in self.notes_of[seat.id] if note.created_at <= at]
        return min((note.signed_at for note in known if note.signed_at and note.signed_at <= at), default=None)

    def settled_at(self, seat: Any, at: datetime) -> datetime | None:
        """Since when this seat keeps its session waiting no more."""
        signed, voided = self.signed_at(seat, at), self.voided_at(seat, at)
        ways = [] if signed is None else [max(signed, seat.status_at)]
        return min(ways if voided is None else [*ways, voided], default=None)

    def rate(self, staff_id: UUID, on: date, at: datetime) -> int | None:
        known = [row for row in self.rates if row.staff_id == staff_id and row.set_at <= at]
        known = [row for row in known if row.effective_on is None or row.effective_on <= on]
        known.sort(key=lambda row: (row.effective_on or date.min, row.set_at, row.id))
        return known[-1].rate_cents if known else None

    def multiplier(self, staff_id: UUID, kind: str, on: date, at: datetime) -> Fraction:
        for whose in (staff_id, None):
            known = [row for row in self.multipliers if (row.staff_id, row.kind) == (whose, kind)]
            known = [row for row in known if row.set_at <= at and row.effective_on <= on]
            known.sort(key=lambda row: (row.effective_on, row.set_at, row.id))
            if known:
                return Fraction(known[-1].multiplier)
        return USUAL.get(kind, Fraction(1))

    def paid(self, at: datetime) -> dict[UUID, Paid]:
        weeks = {row.id: row.week for row in self.periods if row.closed_at and row.closed_at <= at}
        found: dict[UUID, Paid] = {}
        for line in sorted((one for one in self.lines if one.period_id in weeks), key=lambda one: weeks[one.period_id]):
            if line.kind in PAID:
                assert line.session_id not in found, "a session was paid twice"
                found[line.session_id] = Paid(line, line.amount_cents, "")
            elif line.kind == "adjustment":
                found[line.session_id].cents += line.amount_cents
                found[line.session_id].last_reason = line.reason
        return found

    def standing_by(self, at: datetime) -> set[UUID]:
        """In the last week that was closed then. Whatever was told to wait is paid once it is signed."""
        closed = [row.id for row in self.periods if row.closed_at and row.closed_at <= at]
        return {line.session_id for line in self.lines if line.kind == "standby" and line.period_id in closed[-1:]}

    # What that means

    def due(self, week: date, at: datetime, opened: Iterable[Period] = ()) -> Due:
        """What a week pays that is not closed at the instant; `opened`: a week that will be opened for it."""
        periods = [row for row in (*self.periods, *opened) if row.opened_at <= at]
        first = min((row.week for row in periods), default=None)
        closed = [row.week for row in periods if row.closed_at and row.closed_at <= at]
        due, paid, waiting = Due([], [], set()), self.paid(at), self.standing_by(at)
        next_week = max(closed) + WEEK if closed else first
        if first is None or week < first:
            first, next_week, paid = None, None, {}
        assert not closed or week not in closed
        for session in self.sessions(at):
            before = paid.get(session.key)
            if before is not None:
                if week == next_week:
                    self.correct(due, session, before, at)
                continue
            natural = self.natural_week(session)
            if not session.stands:
                continue
            if natural is not None and natural <= week:
                waited = session.key in waiting
                left_over = first is not None and week == next_week and (first <= natural or waited)
                if natural == week or left_over:
                    self.pay(due, session, "regular" if self.week_of(session.starts_at) == week else "late", at)
            elif self.week_of(session.starts_at) <= week and session.completed < self.cut_off(week):
                self.pay(due, session, "standby", at)
        due.lines.sort()
        due.standby.sort()
        return due

    def pay(self, due: Due, session: Session, kind: str, at: datetime) -> None:
        staff_id, on = session.first.clinician_id, self.date_of(session.starts_at)
        rate, multiplier = self.rate(staff_id, on, at), self.multiplier(staff_id, session.kind, on, at)
        if rate is None:
            due.problems.add(self.staff_name[staff_id])
            return
        cents = worth(rate, multiplier, session.minutes)
        facts = (session.kind, on, session.minutes, multiplier, rate, cents)
        line = Line(kind, self.staff_name[staff_id], self.name(session.first), str(session.key), *facts, "")
        (due.standby if kind == "standby" else due.lines).append(line)

    def deserved(self, line: Any, at: datetime) -> tuple[Fraction, int, int]:
        """Of what was paid, by what is known now: multiplier, rate, cents."""
        rate = self.rate(line.staff_id, line.held_on, at)
        assert rate is not None
        multiplier = self.multiplier(line.staff_id, line.service_kind, line.held_on, at)
        return multiplier, rate, worth(rate, multiplier, line.minutes)

    def correct(self, due: Due, session: Session, before: Paid, at: datetime) -> None:
        line = before.line
        multiplier, rate, cents = self.deserved(line, at)
        change = (cents if session.counts else 0) - before.cents
        if change == 0:
            return
        reason = "RATE_CHANGED" if before.last_reason != "VOIDED" else "COUNTS_AGAIN"
        facts = (line.service_kind, line.held_on, line.minutes, multiplier, rate, change)
        who, which = self.staff_name[line.staff_id], self.name(self.seat_of[line.appointment_id])
        reason = reason if session.counts else "VOIDED"
        due.lines.append(Line("adjustment", who, which, str(session.key), *facts, reason))

    def written(self, week: date) -> Due:
        """What a closed week has, from its rows."""
        period = next(row for row in self.periods if row.week == week)
        assert period.closed_at is not None
        found = [self.as_line(row) for row in self.lines if row.period_id == period.id]
        return Due(
            sorted(line for line in found if line.kind != "standby"),
            sorted(line for line in found if line.kind == "standby"),
            {problem.split()[0] for problem in period.problems},
        )

    def as_line(self, row: Any) -> Line:
        return Line(
            *(row.kind, self.staff_name[row.staff_id], self.name(self.seat_of[row.appointment_id])),
            *(str(row.session_id), row.service_kind, row.held_on, row.minutes),
            *(Fraction(row.multiplier), row.rate_cents, row.amount_cents, row.reason or ""),
        )

    def final_cents(self, at: datetime) -> dict[UUID, int]:
        """Session by session, what it should have come to once nothing is pending any more; nothing where it is 0."""
        first, paid = self.periods[0].week, self.paid(at)
        found = {}
        for session in self.sessions(at):
            before, natural = paid.get(session.key), self.natural_week(session)
            if before is not None:
                found[session.key] = self.deserved(before.line, at)[-1] if session.counts else 0
            elif session.stands and natural is not None and natural >= first:
                due = Due([], [], set())
                self.pay(due, session, "regular", at)
                found[session.key] = sum(line.cents for line in due.lines)
        return {key: cents for key, cents in found.items() if cents}

    def paid_cents(self) -> dict[UUID, int]:
        """Session by session, the sum of all lines."""
        found: dict[UUID, int] = defaultdict(int)
        for line in self.lines:
            if line.kind != "standby":
                found[line.session_id] += line.amount_cents
        return {key: cents for key, cents in found.items() if cents}

    # What holds at any time

    def check_instants(self, before: "Books", now: datetime) -> None:
        """Of what was written since then, in one step."""
        for table, columns in WRITTEN_AT.items():
            known = {row.id: row for row in before.rows[table]}
            for row in self.rows[table]:
                for column in columns:
                    assert getattr(row, column) in (getattr(known.get(row.id), column, None), now), (table, column)

    def check(self, before: "Books") -> None:
        """Lines that were there before stay as they were, which is seen elsewhere; so what is new is looked at."""
        for row in self.completions:
            if row.id not in before.completion_of:
                service = self.service_of[self.seat_of[row.id].service_id]
                assert (row.kind, row.minutes) == (service.kind, service.minutes)
        weeks = {row.id: row for row in self.periods}
        in_order = [row.week for row in self.periods]
        assert in_order == [in_order[0] + number * WEEK for number in range(len(in_order))]
        closed = [row.closed_at is not None for row in self.periods]
        assert closed == sorted(closed, reverse=True), "a week was closed before one that comes earlier"
        assert all(row.closed_at is None or row.closed_at >= self.cut_off(row.week) for row in self.periods)
        known = {line.id for line in before.lines}
        paid = Counter(line.session_id for line in self.lines if line.kind in PAID)
        assert max(paid.values(), default=1) == 1, "a session was paid twice"
        for line in self.lines:
            if line.id in known:
                continue
            period = weeks[line.period_id]
            assert period.closed_at is not None, "an open week has lines"
            if line.kind in PAID:
                one = next(one for one in self.sessions(period.closed_at) if one.key == line.session_id)
                natural = self.natural_week(one)
                assert natural is not None, "what is not signed was paid"
                assert natural <= period.week, "a session was paid too early"
                waited = any((row.session_id, row.kind) == (line.session_id, "standby") for row in before.lines)
                assert natural >= in_order[0] or waited, "a session was paid that was paid elsewhere"


def worth(rate_cents: int, multiplier: Fraction, minutes: int) -> int:
    exact = rate_cents * multiplier * minutes / 60
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def told(found: Any) -> Due:
    """A preview or a closed week, as the practice tells it."""

    def line(one: Any) -> Line:
        return Line(
            *(one.kind, one.staff, one.appointment, str(one.session_id), one.service_kind, one.held_on, one.minutes),
            *(Fraction(one.multiplier), one.rate_cents, one.amount_cents, one.reason or ""),
        )

    lines, standby = sorted(map(line, found.lines)), sorted(map(line, found.standby))
    return Due(lines, standby, {problem.split()[0] for problem in found.problems})
