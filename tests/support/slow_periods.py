"""What weeks pay, closed ones and the next, worked out the long way: every session is looked at for every week, with no
thought of what it costs. Facts go in as plain lists, each with the instant at which it became known."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

WEEK = timedelta(days=7)
USUAL = {"GROUP": Fraction(3, 2), "INTAKE": Fraction(5, 4)}
LATEST = datetime.max.replace(tzinfo=UTC)

Told = tuple[str, str, str, int, Fraction, int]  # kind, staff, appointment, minutes, multiplier, cents


@dataclass
class Seat:
    session: str
    name: str
    staff: str
    service: str
    starts_at: datetime
    completed_at: datetime = LATEST
    signed_at: datetime = LATEST
    voided_at: datetime = LATEST
    fixed: tuple[str, int] | None = None  # kind and minutes, where a completion has noted them
    fixed_at: datetime = LATEST


@dataclass
class Paid:
    week: date
    name: str
    staff: str
    kind: str
    minutes: int
    on: date
    cents: int


@dataclass
class Facts:
    zone: ZoneInfo
    seats: list[Seat] = field(default_factory=list)
    services: dict[str, list[tuple[datetime, str, int]]] = field(default_factory=dict)  # known at, kind, minutes
    rates: list[tuple[datetime, str, int, date]] = field(default_factory=list)  # set at, staff, cents, from
    multipliers: list[tuple[datetime, str | None, str, Fraction, date]] = field(default_factory=list)
    closings: list[tuple[date, datetime]] = field(default_factory=list)
    first: date | None = None  # the first week that was opened


@dataclass
class Week:
    lines: list[Told] = field(default_factory=list)
    standby: list[Told] = field(default_factory=list)
    problems: set[str] = field(default_factory=set)


class SlowPeriods:
    """Everything that was closed until an instant, and what any week would pay then."""

    def __init__(self, facts: Facts, as_of: datetime) -> None:
        self.facts, self.as_of = facts, as_of
        self.paid: dict[str, Paid] = {}
        self.stood_by: set[str] = set()
        self.closed: dict[date, Week] = {}
        for week, at in facts.closings:
            if at <= as_of:
                self.closed[week] = self.pay(week, at, for_good=True)

    def next_week(self) -> date | None:
        return max(self.closed) + WEEK if self.closed else self.facts.first

    def week(self, week: date) -> Week:
        return self.closed.get(week) or self.pay(week, self.as_of)

    def pay(self, week: date, at: datetime, *, for_good: bool = False) -> Week:
        found, standing_by = Week(), set()
        is_next = for_good or week == self.next_week()
        for session, seats in self.sessions().items():
            known = [seat for seat in seats if seat.completed_at <= at]
            if session in self.paid:
                if is_next and self.facts.first is not None and self.closed:
                    self.correct(self.paid[session], known, at, found, for_good)
                continue
            standing = [seat for seat in known if seat.voided_at > at]
            if not standing:
                continue
            kind = self.kind_in(week, session, known, standing, at, is_next)
            if kind is None:
                continue
            shown = min(standing, key=lambda seat: seat.name)
            fixed = shown.fixed if shown.fixed_at <= at else None
            service_kind, minutes = fixed or self.service(shown.service, at)
            on = shown.starts_at.astimezone(self.facts.zone).date()
            multiplier, cents = self.worth(shown.staff, service_kind, minutes, on, at)
            if cents is None:
                found.problems.add(shown.staff)
                continue
            told = (kind, shown.staff, shown.name, minutes, multiplier, cents)
            (found.standby if kind == "standby" else found.lines).append(told)
            if kind == "standby":
                standing_by.add(session)
            elif for_good:
                self.paid[session] = Paid(week, shown.name, shown.staff, service_kind, minutes, on, cents)
        if for_good:
            self.stood_by = standing_by
        return found

    def deserved(self, session: str) -> int:
        """Once all is closed: its worth where it stands with a signature, and was complete and signed at one time."""
        seats = [seat for seat in self.sessions()[session] if seat.completed_at < LATEST]
        standing = [seat for seat in seats if seat.voided_at == LATEST]
        signed = [seat for seat in standing if seat.signed_at < LATEST]
        if not signed:
            return 0
        paid = self.paid.get(session)
        if paid is not None:
            return self.worth(paid.staff, paid.kind, paid.minutes, paid.on, self.as_of)[1] or 0
        one = min(standing, key=lambda seat: seat.name)
        kind, minutes = one.fixed or self.service(one.service, self.as_of)
        on = one.starts_at.astimezone(self.facts.zone).date()
        before = self.facts.first is None or self.week_of(one.starts_at) < self.facts.first
        waits = len(signed) < len(standing) or before
        return 0 if waits else self.worth(one.staff, kind, minutes, on, self.as_of)[1] or 0

    def sessions(self) -> dict[str, list[Seat]]:
        found: dict[str, list[Seat]] = defaultdict(list)
        for seat in self.facts.seats:
            found[seat.session].append(seat)
        return found

    def kind_in(
        self, week: date, session: str, known: list[Seat], standing: list[Seat], at: datetime, is_next: bool
    ) -> str | None:
        ends = []
        for seat in known:
            signed = seat.signed_at if seat.signed_at <= at else LATEST
            voided = seat.voided_at if seat.voided_at <= at else LATEST
            ends.append(min(max(seat.completed_at, signed), voided))
        done = max(ends)
        own = self.week_of(standing[0].starts_at)
        completed = max(seat.completed_at for seat in standing)
        if done >= self.cut_off(week):
            return "standby" if own <= week and completed < self.cut_off(week) else None
        natural = own
        while self.cut_off(natural) <= done:
            natural += WEEK
        begun = self.facts.first is not None and week >= self.facts.first and is_next
        owed = begun and natural < week and (session in self.stood_by or natural >= (self.facts.first or week))
        if natural != week and not owed:
            return None
        return "regular" if own == week else "late"

    def correct(self, paid: Paid, known: list[Seat], at: datetime, found: Week, for_good: bool) -> None:
        counts = any(seat.voided_at > at and seat.signed_at <= at for seat in known)
        multiplier, cents = self.worth(paid.staff, paid.kind, paid.minutes, paid.on, at)
        deserved = (cents or 0) if counts else 0
        if deserved != paid.cents:
            found.lines.append(("adjustment", paid.staff, paid.name, paid.minutes, multiplier, deserved - paid.cents))
            if for_good:
                paid.cents = deserved

    def worth(self, staff: str, kind: str, minutes: int, on: date, at: datetime) -> tuple[Fraction, int | None]:
        rates = [(since, set_at, cents) for set_at, who, cents, since in self.facts.rates
                 if who == staff and since <= on and set_at <= at]  # fmt: skip
        multiplier = USUAL.get(kind, Fraction(1))
        for whose in (None, staff):
            set_ones = [(since, set_at, times) for set_at, who, what, times, since in self.facts.multipliers
                        if who == whose and what == kind and since <= on and set_at <= at]  # fmt: skip
            if set_ones:
                multiplier = max(set_ones)[2]
        if not rates:
            return multiplier, None
        exact = Fraction(max(rates)[2]) * multiplier * minutes / 60
        return multiplier, int(exact + Fraction(1, 2))

    def service(self, code: str, at: datetime) -> tuple[str, int]:
        return max(one for one in self.facts.services[code] if one[0] <= at)[1:]

    def week_of(self, at: datetime) -> date:
        day = at.astimezone(self.facts.zone).date()
        while day.strftime("%a") != "Sun":
            day -= timedelta(days=1)
        return day

    def cut_off(self, week: date) -> datetime:
        monday = week + timedelta(days=8)
        return datetime(monday.year, monday.month, monday.day, tzinfo=self.facts.zone).astimezone(UTC)


def told(line: Any) -> Told:
    return (
        *(line.kind, line.staff, line.appointment, line.minutes),
        *(Fraction(line.multiplier), line.amount_cents),
    )
