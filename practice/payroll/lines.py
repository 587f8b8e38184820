"""What a week pays, line by line: worked out from what is known, or as it was written down when the week was closed."""

import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, func, select, text

from practice.local_time import cut_off, week_of
from practice.payroll.models import PayPeriod
from practice.payroll.rules import Kind, Weeks, kind_in, reason_for, sums
from practice.payroll.sessions import deserved_cents, multiplier_of, sessions_of_week, worth_cents
from practice.people.access import staff_within
from practice.people.models.practices import Staff
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id

# As one document: it is one statement, however many lines a week has.
WRITE = text("""
    insert into pay_lines (
        tenant_id, id, period_id, staff_id, session_id, appointment_id, kind, reason, service_kind, held_on, minutes,
        multiplier, rate_cents, amount_cents
    )
    select
        :tenant_id, l.id, :period_id, l.staff_id, l.session_id, l.appointment_id, l.kind, l.reason, l.service_kind,
        l.held_on, l.minutes, l.multiplier, l.rate_cents, l.amount_cents
    from jsonb_to_recordset(cast(:lines as jsonb)) as l (
        id uuid, staff_id uuid, session_id uuid, appointment_id uuid, kind text, reason text, service_kind text,
        held_on date, minutes integer, multiplier numeric, rate_cents bigint, amount_cents bigint
    )
""")
WRITTEN = text("""
    select
        l.kind, l.reason, l.staff_id, coalesce(t.external_id, t.id::text) as staff, l.session_id, l.appointment_id,
        coalesce(a.external_id, a.id::text) as appointment, a.reference, l.service_kind, a.starts_at, l.held_on,
        l.minutes, l.multiplier, l.rate_cents, l.amount_cents
    from pay_lines as l
    join staff as t on t.tenant_id = l.tenant_id and t.id = l.staff_id
    cross join lateral (
        select a.id, a.external_id, a.reference, a.starts_at from appointments as a
        where a.tenant_id = :tenant_id and a.id = l.appointment_id
        limit 1
    ) as a
    where l.tenant_id = :tenant_id and l.period_id = :period_id
""")
OF_THE_SESSION = (
    *("staff_id", "staff", "session_id", "appointment_id", "appointment", "reference"),
    *("service_kind", "starts_at", "held_on", "minutes"),
)


@dataclass(frozen=True)
class Line:
    """What a session is worth; of an adjustment, what is added to what it was paid, or taken from it."""

    kind: Kind
    staff_id: UUID
    staff: str  # the id that they have outside, as the session's appointment
    session_id: UUID
    appointment_id: UUID
    appointment: str
    reference: str
    service_kind: str
    starts_at: datetime
    held_on: date
    minutes: int
    multiplier: Decimal
    rate_cents: int
    amount_cents: int
    reason: str | None = None

    @property
    def place(self) -> tuple[Any, ...]:
        return self.kind == "adjustment", self.starts_at, self.appointment


@dataclass(frozen=True)
class Preview:
    week: date
    cut_off: datetime
    lines: list[Line]
    standby: list[Line]
    problems: list[str] = field(default_factory=list)
    closed_at: datetime | None = None

    @property
    def status(self) -> Literal["OPEN", "CLOSED"]:
        return "OPEN" if self.closed_at is None else "CLOSED"

    @property
    def totals(self) -> dict[str, int]:
        """In cents, of everybody who has lines."""
        return sums((line.staff, line.amount_cents) for line in self.lines)


def computed(work: Work, week: date, zone: ZoneInfo, as_of: datetime, weeks: Weeks, last: PayPeriod | None) -> Preview:
    """By what was known at the instant; `last` is the last week that was closed then."""
    next_to_close = week == weeks.next_to_close
    lines: list[Line] = []
    unpaid: set[str] = set()
    for session in sessions_of_week(work, week, zone, as_of, last, with_paid=next_to_close):
        if last is not None and session.paid_week is not None:
            if next_to_close and deserved_cents(session) != session.paid_cents:
                lines.append(adjustment(session))
            continue
        if not session.stands:
            continue
        own_week, done_at = week_of(session.held_on), session.done_at
        kind = kind_in(week, own_week, session.completed_at, done_at, weeks, zone, stood_by=session.stood_by)
        if kind is None:
            continue
        if session.rate_cents is None:
            unpaid.add(session.staff)
        else:
            lines.append(line_of(session, kind, multiplier_of(session), session.rate_cents, worth_cents(session)))
    problems = [rate_problem(staff) for staff in sorted(unpaid)]
    return Preview(week, cut_off(week, zone), *in_order(lines), problems)


def adjustment(session: Any) -> Line:
    cents = deserved_cents(session) - session.paid_cents
    reason = reason_for(session.counts, session.last_reason)
    return line_of(session, "adjustment", multiplier_of(session), session.rate_cents, cents, reason)


def stored(work: Work, period: PayPeriod, zone: ZoneInfo) -> Preview:
    rows = work.db.execute(WRITTEN, {"tenant_id": work.tenant_id, "period_id": period.id})
    lines = [line_of(row, row.kind, row.multiplier, row.rate_cents, row.amount_cents, row.reason) for row in rows]
    return Preview(
        period.week, cut_off(period.week, zone), *in_order(lines), list(period.problems), closed_at=period.closed_at
    )


def line_of(
    row: Any, kind: Kind, multiplier: Decimal, rate_cents: int, amount_cents: int, reason: str | None = None
) -> Line:
    return Line(
        kind=kind,
        multiplier=multiplier,
        rate_cents=rate_cents,
        amount_cents=amount_cents,
        reason=reason,
        **{name: getattr(row, name) for name in OF_THE_SESSION},
    )


def in_order(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """What is paid, and what stands by."""
    lines = sorted(lines, key=lambda line: line.place)
    return [line for line in lines if line.kind != "standby"], [line for line in lines if line.kind == "standby"]


def write_lines(work: Work, period: PayPeriod, lines: list[Line]) -> None:
    names = ("kind", "reason", "service_kind", "minutes", "rate_cents", "amount_cents")
    words = ("staff_id", "session_id", "appointment_id", "held_on", "multiplier")
    document = [
        {"id": str(new_id())}
        | {name: getattr(line, name) for name in names}
        | {name: str(getattr(line, name)) for name in words}
        for line in lines
    ]
    values = {"tenant_id": work.tenant_id, "period_id": period.id, "lines": json.dumps(document)}
    work.db.execute(WRITE, values)


def within(work: Work, scope: Scope, found: Preview) -> Preview:
    """Of the people in reach."""
    query = select(Staff.id, func.coalesce(Staff.external_id, cast(Staff.id, Text)).label("staff"))
    query = query.where(Staff.tenant_id == work.tenant_id, staff_within(work, scope, Staff.id))
    people = {row.id: row.staff for row in work.db.execute(query)}
    problems = {rate_problem(staff) for staff in people.values()}
    return replace(
        found,
        lines=[line for line in found.lines if line.staff_id in people],
        standby=[line for line in found.standby if line.staff_id in people],
        problems=[problem for problem in found.problems if problem in problems],
    )


def rate_problem(staff: str) -> str:
    return f"{staff} has sessions and no base rate. Set one from a date on; until then nothing is paid for them."
