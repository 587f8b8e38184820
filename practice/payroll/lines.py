"""The lines of a pay week: computed from what is known, or as stored when the week was closed."""

import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, func, select, text

from practice.local_time import WEEK, cut_off, start_of_day, week_of
from practice.payroll.models import PayPeriod
from practice.payroll.rules import Kind, PaySchedule, WeekStatus, choose_adjustment_reason, classify_line, sum_by_key
from practice.payroll.sessions import (
    PayableSession,
    compute_correction_cents,
    compute_value_cents,
    get_multiplier,
    load_sessions_of_week,
    require_rate_cents,
)
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.statuses import FINAL
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id

# The lines are one JSON parameter, so that a week of any size is one statement.
INSERT_LINES = text("""
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
SELECT_LINES = text("""
    select
        l.kind, l.reason, l.staff_id, coalesce(t.external_id, t.id::text) as staff,
        t.first_name || ' ' || t.last_name as staff_name, l.session_id, l.appointment_id,
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


@dataclass(frozen=True)
class Line:
    """The pay of one session in a week. The amount of an adjustment is added to what the session was paid before."""

    kind: Kind
    staff_id: UUID
    staff: str  # `staff` and `appointment` are external ids
    staff_name: str
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
    def sort_key(self) -> tuple[bool, datetime, str]:
        return self.kind == "adjustment", self.starts_at, self.appointment


@dataclass(frozen=True)
class OpenVisit:
    """A visit of a week that is over, and is neither completed, missed nor cancelled, so nothing is paid for it."""

    id: UUID
    reference: str
    clinician_id: UUID
    clinician_name: str
    starts_at: datetime


@dataclass(frozen=True)
class PayWeek:
    """A week of pay: the lines that are paid, and the pending ones of unsigned sessions that are not."""

    week: date
    cut_off: datetime
    lines: list[Line]
    pending: list[Line]
    problems: list[str] = field(default_factory=list)
    closed_at: datetime | None = None
    is_before_first: bool = False
    open_visits: list[OpenVisit] = field(default_factory=list, compare=False)  # those of now, and no part of the pay

    @property
    def status(self) -> WeekStatus:
        if self.is_before_first:
            return "PAID_ELSEWHERE"
        return "OPEN" if self.closed_at is None else "CLOSED"

    @property
    def totals(self) -> dict[str, int]:
        """Return the cents of each staff member who has lines."""
        return sum_by_key((line.staff, line.amount_cents) for line in self.lines)

    @property
    def pending_totals(self) -> dict[str, int]:
        """Return the pending cents of each staff member who has unsigned sessions."""
        return sum_by_key((line.staff, line.amount_cents) for line in self.pending)

    @property
    def staff_names(self) -> dict[str, str]:
        """Return the name of each staff member with lines or pending sessions."""
        return {line.staff: line.staff_name for line in [*self.lines, *self.pending]}


def compute_week(
    work: Work, week: date, zone: ZoneInfo, as_of: datetime, schedule: PaySchedule, last_closed: PayPeriod | None
) -> PayWeek:
    """Return what a week pays by what was known at the instant; `last_closed` is the last week closed by then."""
    next_to_close = week == schedule.next_to_close
    lines: list[Line] = []
    staff_without_rate: set[str] = set()
    for session in load_sessions_of_week(work, week, zone, as_of, last_closed, include_paid=next_to_close):
        if last_closed is not None and session.paid_week is not None:
            if next_to_close and compute_correction_cents(session) != 0:
                lines.append(make_adjustment(session))
            continue
        if session.completed_at is None:  # all seats are voided
            continue
        kind = classify_line(
            week,
            own_week=week_of(session.held_on),
            completed_at=session.completed_at,
            done_at=session.done_at,
            schedule=schedule,
            zone=zone,
            was_pending=session.was_pending,
        )
        if kind is None:
            continue
        if session.rate_cents is None:
            staff_without_rate.add(session.staff)
        else:
            lines.append(make_line(session, kind, compute_value_cents(session)))
    problems = [describe_missing_rate(staff) for staff in sorted(staff_without_rate)]
    return PayWeek(week, cut_off(week, zone), *split_pending(lines), problems)


def load_closed_week(work: Work, period: PayPeriod, zone: ZoneInfo) -> PayWeek:
    """Return a closed week from its stored lines."""
    rows = work.db.execute(SELECT_LINES, {"tenant_id": work.tenant_id, "period_id": period.id}).mappings()
    lines = [Line(**row) for row in rows]
    return PayWeek(
        period.week,
        cut_off(period.week, zone),
        *split_pending(lines),
        list(period.problems),
        closed_at=period.closed_at,
    )


def load_open_visits(work: Work, scope: Scope, week: date, zone: ZoneInfo) -> list[OpenVisit]:
    """Return the open visits of the week that are over now, a group's seats one by one, by start."""
    query = (
        select(
            Appointment.id,
            Appointment.reference,
            Appointment.clinician_id,
            (Staff.first_name + " " + Staff.last_name).label("clinician_name"),
            Appointment.starts_at,
        )
        .join(Staff, (Staff.tenant_id == Appointment.tenant_id) & (Staff.id == Appointment.clinician_id))
        .where(
            Appointment.tenant_id == work.tenant_id,
            Appointment.starts_at >= start_of_day(week, zone),
            Appointment.starts_at < start_of_day(week + WEEK, zone),
            Appointment.ends_at <= work.now,
            Appointment.status.not_in(FINAL),
            visible_staff(work, scope, Appointment.clinician_id),
        )
        .order_by(Appointment.starts_at, Appointment.id)
    )
    return [OpenVisit(**row) for row in work.db.execute(query).mappings()]


def make_adjustment(session: PayableSession) -> Line:
    reason = choose_adjustment_reason(session.counts, session.last_reason)
    return make_line(session, "adjustment", compute_correction_cents(session), reason)


def make_line(session: PayableSession, kind: Kind, amount_cents: int, reason: str | None = None) -> Line:
    return Line(
        kind=kind,
        staff_id=session.staff_id,
        staff=session.staff,
        staff_name=session.staff_name,
        session_id=session.session_id,
        appointment_id=session.appointment_id,
        appointment=session.appointment,
        reference=session.reference,
        service_kind=session.service_kind,
        starts_at=session.starts_at,
        held_on=session.held_on,
        minutes=session.minutes,
        multiplier=get_multiplier(session),
        rate_cents=require_rate_cents(session),
        amount_cents=amount_cents,
        reason=reason,
    )


def split_pending(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return the lines that are paid and the pending ones, each sorted."""
    lines = sorted(lines, key=lambda line: line.sort_key)
    return [line for line in lines if line.kind != "standby"], [line for line in lines if line.kind == "standby"]


def insert_lines(work: Work, period: PayPeriod, lines: list[Line]) -> None:
    rows = [
        {
            "id": str(new_id()),
            "staff_id": str(line.staff_id),
            "session_id": str(line.session_id),
            "appointment_id": str(line.appointment_id),
            "kind": line.kind,
            "reason": line.reason,
            "service_kind": line.service_kind,
            "held_on": str(line.held_on),
            "minutes": line.minutes,
            "multiplier": str(line.multiplier),
            "rate_cents": line.rate_cents,
            "amount_cents": line.amount_cents,
        }
        for line in lines
    ]
    work.db.execute(INSERT_LINES, {"tenant_id": work.tenant_id, "period_id": period.id, "lines": json.dumps(rows)})


def restrict_to_scope(work: Work, scope: Scope, pay_week: PayWeek) -> PayWeek:
    """Return the week with the lines and problems of visible staff only."""
    query = select(Staff.id, func.coalesce(Staff.external_id, cast(Staff.id, Text)).label("staff"))
    query = query.where(Staff.tenant_id == work.tenant_id, visible_staff(work, scope, Staff.id))
    visible = {row.id: row.staff for row in work.db.execute(query)}
    visible_problems = {describe_missing_rate(staff) for staff in visible.values()}
    return replace(
        pay_week,
        lines=[line for line in pay_week.lines if line.staff_id in visible],
        pending=[line for line in pay_week.pending if line.staff_id in visible],
        problems=[problem for problem in pay_week.problems if problem in visible_problems],
    )


def describe_missing_rate(staff: str) -> str:
    return f"{staff} has sessions and no base rate. Set one from a date on; until then nothing is paid for them."
