"""An independent, slow computation of pay: at any instant, from every session of a practice's whole history.

It uses the rows in the database and none of the application's code. Earlier pay comes from the lines of closed weeks.
"""

from collections import defaultdict
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
DEFAULT_MULTIPLIERS = {"GROUP": Fraction(3, 2), "INTAKE": Fraction(5, 4)}
TABLES = {
    "seats": "select id, external_id, group_session_id, clinician_id, service_id, client_id, starts_at, status,"
    " status_at from appointments where tenant_id = :id order by id",
    "services": "select id, code, kind, minutes, version from services where tenant_id = :id order by id",
    "staff": "select id, external_id, left_on from staff where tenant_id = :id order by id",
    "notes": "select id, appointment_id, type, status, created_at, signed_at, entered_in_error_at, version from notes"
    " where tenant_id = :id order by id",
    "completions": "select id, kind, minutes, created_at, voided_at, version from session_completions"
    " where tenant_id = :id order by id",
    "corrections": "select id, appointment_id, undone, since, at from session_corrections where tenant_id = :id"
    " order by id",
    "rates": "select id, staff_id, rate_cents, effective_on, set_at from pay_rates where tenant_id = :id order by id",
    "multipliers": "select id, staff_id, kind, multiplier, effective_on, set_at from pay_multipliers"
    " where tenant_id = :id order by id",
    "periods": "select id, week, opened_at, closed_at, problems, version from pay_periods"
    " where tenant_id = :id order by week",
    "lines": "select * from pay_lines where tenant_id = :id order by id",
    "locks": "select id, appointment_id, kind, at, until from session_locks where tenant_id = :id order by id",
    "audit": "select count(*) from audit_log where tenant_id = :id",
}
# The columns that a service function sets to the instant at which it runs.
INSTANT_COLUMNS = {
    "seats": ["status_at"],
    "notes": ["created_at", "signed_at", "entered_in_error_at"],
    "completions": ["created_at", "voided_at"],
    "corrections": ["at"],
    "rates": ["set_at"],
    "multipliers": ["set_at"],
    "periods": ["opened_at", "closed_at"],
}
PAID_KINDS = ("regular", "late")


@dataclass
class Period:
    """A pay period that is not stored yet, with the columns of its table."""

    id: UUID | None
    week: date
    opened_at: datetime
    closed_at: datetime | None


@dataclass(order=True)
class Line:
    """A line in the form in which weeks are compared."""

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
class ExpectedWeek:
    """The expected lines, pending lines and problems of a week."""

    lines: list[Line]
    pending: list[Line]
    problems: set[str]  # external ids of staff


@dataclass
class Session:
    """A session as known at an instant."""

    session_id: UUID
    first_seat: Any  # the seat that represents it
    starts_at: datetime
    kind: str
    minutes: int
    is_active: bool  # at least one seat is not voided
    counts: bool  # at least one seat is not voided and is signed
    completed_at: datetime | None
    done_at: datetime | None  # completed and signed


@dataclass
class EarlierPay:
    """The pay for a session in closed weeks."""

    line: Any
    cents: int
    last_reason: str


class PayOracle:
    """All rows of a practice that its pay depends on. Each table of `TABLES` is an attribute."""

    def __init__(self, practice: PracticeFixture, zone: ZoneInfo) -> None:
        with practice.installation.store.begin_session(practice.id) as db:
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

    def find_midnight(self, day: date) -> datetime:
        """Return the first instant of a date."""
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
        return self.find_midnight(week + 8 * DAY)

    def find_payable_week(self, session: Session) -> date | None:
        if session.done_at is None:
            return None
        week = self.week_of(session.starts_at)
        while self.cut_off(week) <= session.done_at:
            week += WEEK
        return week

    # Sessions, rates and earlier pay as known at an instant

    def list_sessions(self, at: datetime) -> list[Session]:
        groups: dict[UUID, list[Any]] = defaultdict(list)
        for seat in self.seats:
            if self.find_completed_at(seat, at) is not None:
                groups[seat.group_session_id or seat.id].append(seat)
        return [self.build_session(key, seats, at) for key, seats in groups.items()]

    def build_session(self, key: UUID, seats: list[Any], at: datetime) -> Session:
        active = [seat for seat in seats if self.find_voided_at(seat, at) is None]
        first_seat = min(active or seats, key=self.get_name)
        completion, service = self.completion_of.get(first_seat.id), self.service_of[first_seat.service_id]
        settled = [self.find_settled_at(seat, at) for seat in seats]
        return Session(
            session_id=key,
            first_seat=first_seat,
            starts_at=min(seat.starts_at for seat in seats),
            kind=completion.kind if completion else service.kind,
            minutes=completion.minutes if completion else service.minutes,
            is_active=bool(active),
            counts=any(self.find_signed_at(seat, at) for seat in active),
            completed_at=max((self.find_completed_at(seat, at) for seat in active), default=None),
            done_at=None if None in settled else max(instant for instant in settled if instant),
        )

    def find_completed_at(self, seat: Any, at: datetime) -> datetime | None:
        if seat.status == "COMPLETED" and seat.status_at <= at:
            return seat.status_at
        return self.find_undone(seat, "COMPLETION", at)

    def find_undone(self, seat: Any, kind: str, at: datetime) -> datetime | None:
        """Return since when a completion or void was in force at the instant that was undone after it."""
        corrections = [row for row in self.corrections if (row.appointment_id, row.undone) == (seat.id, kind)]
        return next((row.since for row in corrections if row.since <= at < row.at), None)

    def get_name(self, seat: Any) -> str:
        return seat.external_id or str(seat.id)

    def find_voided_at(self, seat: Any, at: datetime) -> datetime | None:
        completion = self.completion_of.get(seat.id)
        if completion and completion.voided_at and completion.voided_at <= at:
            return completion.voided_at
        return self.find_undone(seat, "VOID", at)

    def find_signed_at(self, seat: Any, at: datetime) -> datetime | None:
        notes = [note for note in self.notes_of[seat.id] if note.created_at <= at]
        notes = [note for note in notes if note.entered_in_error_at is None or note.entered_in_error_at > at]
        return min((note.signed_at for note in notes if note.signed_at and note.signed_at <= at), default=None)

    def find_settled_at(self, seat: Any, at: datetime) -> datetime | None:
        """Return the instant from which this seat no longer delays its session."""
        signed, voided = self.find_signed_at(seat, at), self.find_voided_at(seat, at)
        completed_at = self.find_completed_at(seat, at) or at
        instants = [] if signed is None else [max(signed, completed_at)]
        return min(instants if voided is None else [*instants, voided], default=None)

    def find_rate(self, staff_id: UUID, on: date, at: datetime) -> int | None:
        rates = [row for row in self.rates if row.staff_id == staff_id and row.set_at <= at]
        rates = [row for row in rates if row.effective_on is None or row.effective_on <= on]
        rates.sort(key=lambda row: (row.effective_on or date.min, row.set_at, row.id))
        return rates[-1].rate_cents if rates else None

    def find_multiplier(self, staff_id: UUID, kind: str, on: date, at: datetime) -> Fraction:
        for owner_id in (staff_id, None):
            multipliers = [row for row in self.multipliers if (row.staff_id, row.kind) == (owner_id, kind)]
            multipliers = [row for row in multipliers if row.set_at <= at and row.effective_on <= on]
            multipliers.sort(key=lambda row: (row.effective_on, row.set_at, row.id))
            if multipliers:
                return Fraction(multipliers[-1].multiplier)
        return DEFAULT_MULTIPLIERS.get(kind, Fraction(1))

    def find_earlier_pay(self, at: datetime) -> dict[UUID, EarlierPay]:
        weeks = {row.id: row.week for row in self.periods if row.closed_at and row.closed_at <= at}
        pay: dict[UUID, EarlierPay] = {}
        lines = [line for line in self.lines if line.period_id in weeks]
        for line in sorted(lines, key=lambda line: weeks[line.period_id]):
            if line.kind in PAID_KINDS:
                assert line.session_id not in pay, "a session was paid twice"
                pay[line.session_id] = EarlierPay(line, line.amount_cents, "")
            elif line.kind == "adjustment":
                pay[line.session_id].cents += line.amount_cents
                pay[line.session_id].last_reason = line.reason
        return pay

    def find_pending_ids(self, at: datetime) -> set[UUID]:
        """Return the sessions that were pending in the last closed week; they are paid once they are signed."""
        closed = [row.id for row in self.periods if row.closed_at and row.closed_at <= at]
        return {line.session_id for line in self.lines if line.kind == "standby" and line.period_id in closed[-1:]}

    # The weeks that follow from it

    def compute_week(self, week: date, at: datetime, opened: Iterable[Period] = ()) -> ExpectedWeek:
        """Return what a week pays that is not closed at the instant; `opened` is a week that will be opened for it."""
        periods = [row for row in (*self.periods, *opened) if row.opened_at <= at]
        first = min((row.week for row in periods), default=None)
        closed = [row.week for row in periods if row.closed_at and row.closed_at <= at]
        expected, earlier_pay, pending_ids = (
            ExpectedWeek([], [], set()),
            self.find_earlier_pay(at),
            self.find_pending_ids(at),
        )
        next_week = max(closed) + WEEK if closed else first
        if first is None or week < first:
            first, next_week, earlier_pay = None, None, {}
        assert not closed or week not in closed
        for session in self.list_sessions(at):
            earlier = earlier_pay.get(session.session_id)
            if earlier is not None:
                if week == next_week:
                    self.add_adjustment(expected, session, earlier, at)
                continue
            payable_week = self.find_payable_week(session)
            if not session.is_active:
                continue
            if payable_week is not None and payable_week <= week:
                was_pending = session.session_id in pending_ids
                left_over = first is not None and week == next_week and (first <= payable_week or was_pending)
                if payable_week == week or left_over:
                    self.add_line(
                        expected, session, "regular" if self.week_of(session.starts_at) == week else "late", at
                    )
            elif self.week_of(session.starts_at) <= week and session.completed_at < self.cut_off(week):
                self.add_line(expected, session, "standby", at)
        expected.lines.sort()
        expected.pending.sort()
        return expected

    def add_line(self, expected: ExpectedWeek, session: Session, kind: str, at: datetime) -> None:
        staff_id, on = session.first_seat.clinician_id, self.date_of(session.starts_at)
        rate, multiplier = self.find_rate(staff_id, on, at), self.find_multiplier(staff_id, session.kind, on, at)
        if rate is None:
            expected.problems.add(self.staff_name[staff_id])
            return
        line = Line(
            kind=kind,
            staff=self.staff_name[staff_id],
            appointment=self.get_name(session.first_seat),
            session=str(session.session_id),
            service_kind=session.kind,
            held_on=on,
            minutes=session.minutes,
            multiplier=multiplier,
            rate_cents=rate,
            cents=compute_cents(rate, multiplier, session.minutes),
            reason="",
        )
        (expected.pending if kind == "standby" else expected.lines).append(line)

    def compute_value(self, line: Any, at: datetime) -> tuple[Fraction, int, int]:
        """Return multiplier, rate and cents of a paid line by what is known at the instant."""
        rate = self.find_rate(line.staff_id, line.held_on, at)
        assert rate is not None
        multiplier = self.find_multiplier(line.staff_id, line.service_kind, line.held_on, at)
        return multiplier, rate, compute_cents(rate, multiplier, line.minutes)

    def add_adjustment(self, expected: ExpectedWeek, session: Session, earlier: EarlierPay, at: datetime) -> None:
        paid_line = earlier.line
        multiplier, rate, cents = self.compute_value(paid_line, at)
        change = (cents if session.counts else 0) - earlier.cents
        if change == 0:
            return
        reason = "RATE_CHANGED" if earlier.last_reason != "VOIDED" else "COUNTS_AGAIN"
        line = self.build_line(paid_line)
        line.kind, line.reason = "adjustment", reason if session.counts else "VOIDED"
        line.multiplier, line.rate_cents, line.cents = multiplier, rate, change
        expected.lines.append(line)

    def load_closed_week(self, week: date) -> ExpectedWeek:
        """Return a closed week from its stored lines."""
        period = next(row for row in self.periods if row.week == week)
        assert period.closed_at is not None
        lines = sorted(self.build_line(row) for row in self.lines if row.period_id == period.id)
        return ExpectedWeek(
            [line for line in lines if line.kind != "standby"],
            [line for line in lines if line.kind == "standby"],
            {problem.split()[0] for problem in period.problems},
        )

    def build_line(self, row: Any) -> Line:
        return make_line(row, self.staff_name[row.staff_id], self.get_name(self.seat_of[row.appointment_id]))

    def compute_final_cents(self, at: datetime) -> dict[UUID, int]:
        """Return what each session should have been paid once nothing is pending any more, without zeros."""
        first_week, earlier_pay = self.periods[0].week, self.find_earlier_pay(at)
        totals = {}
        for session in self.list_sessions(at):
            earlier, payable_week = earlier_pay.get(session.session_id), self.find_payable_week(session)
            if earlier is not None:
                totals[session.session_id] = self.compute_value(earlier.line, at)[-1] if session.counts else 0
            elif session.is_active and payable_week is not None and payable_week >= first_week:
                expected = ExpectedWeek([], [], set())
                self.add_line(expected, session, "regular", at)
                totals[session.session_id] = sum(line.cents for line in expected.lines)
        return {session_id: cents for session_id, cents in totals.items() if cents}

    def sum_paid_cents(self) -> dict[UUID, int]:
        """Return the sum of all lines of each session, without zeros."""
        totals: dict[UUID, int] = defaultdict(int)
        for line in self.lines:
            if line.kind != "standby":
                totals[line.session_id] += line.amount_cents
        return {session_id: cents for session_id, cents in totals.items() if cents}


def compute_cents(rate_cents: int, multiplier: Fraction, minutes: int) -> int:
    exact = rate_cents * multiplier * minutes / 60
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def make_line(line: Any, staff: str, appointment: str) -> Line:
    """Return a comparable line from a stored line or a line of the application."""
    return Line(
        kind=line.kind,
        staff=staff,
        appointment=appointment,
        session=str(line.session_id),
        service_kind=line.service_kind,
        held_on=line.held_on,
        minutes=line.minutes,
        multiplier=Fraction(line.multiplier),
        rate_cents=line.rate_cents,
        cents=line.amount_cents,
        reason=line.reason or "",
    )


def normalize_week(pay_week: Any) -> ExpectedWeek:
    """Return a week of the application in comparable form."""
    return ExpectedWeek(
        sorted(make_line(line, line.staff, line.appointment) for line in pay_week.lines),
        sorted(make_line(line, line.staff, line.appointment) for line in pay_week.pending),
        {problem.split()[0] for problem in pay_week.problems},
    )
