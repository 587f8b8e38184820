"""A clinician's session analytics: weeks with their note deadlines, the dashboard, pay, and totals over days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.errors import FieldProblem, Invalid
from practice.local_time import DAY, WEEK, cut_off, open_week, start_of_day
from practice.payroll.lines import PayWeek, describe_missing_rate
from practice.payroll.periods import preview_week
from practice.payroll.rules import find_week_problem
from practice.people.access import require_visible_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions.queries import (
    SessionFilters,
    SessionView,
    build_query,
    filter_by_weeks,
    find_visible_staff_ids,
    load_views,
)

MAX_WEEKS, MAX_DAYS = 53, 366
DEFAULT_WEEKS = 8

# Each group seat counts. The revenue of a session is the sum of its charges, or else its price.
TOTALS_SQL = text("""
    select
        count(*) as total,
        count(*) filter (where a.status = 'COMPLETED') as completed,
        count(*) filter (where a.status = 'CANCELLED') as cancelled,
        count(*) filter (where a.status = 'NO_SHOW') as no_show,
        sum(coalesce(c.cents, a.price_cents, 0)) filter (where a.status = 'COMPLETED') as revenue_cents,
        avg(coalesce(a.actual_minutes, extract(epoch from a.ends_at - a.starts_at) / 60))
            filter (where a.status = 'COMPLETED') as minutes
    from appointments as a
    left join lateral (
        select sum(o.amount_cents) as cents from charges as o
        where o.tenant_id = :tenant_id and o.appointment_id = a.id and o.voided_at is null
    ) as c on true
    where a.tenant_id = :tenant_id and a.clinician_id = :provider_id and a.starts_at >= :since and a.starts_at < :until
        and a.starts_at <= :now and a.status <> 'RESCHEDULED'
""")


@dataclass(frozen=True)
class ClinicianWeek:
    """A clinician's sessions of a week, with counts and amounts."""

    week: date
    deadline: datetime
    deadline_passed: bool
    sessions: Sequence[SessionView]
    can_see_pay: bool

    @property
    def signed_sessions(self) -> list[SessionView]:
        return [session for session in self.sessions if session.is_signed]

    @property
    def unsigned_sessions(self) -> list[SessionView]:
        return [session for session in self.sessions if not session.is_signed]

    @property
    def in_time_count(self) -> int:
        return sum(session.signed_in_time for session in self.sessions)

    @property
    def late_count(self) -> int:
        return len(self.signed_sessions) - self.in_time_count

    @property
    def locked_count(self) -> int:
        return sum(session.lock is not None for session in self.sessions)

    @property
    def override_count(self) -> int:
        return sum(session.row.overrides for session in self.sessions)

    def sum_amounts(self, sessions: Sequence[SessionView]) -> int | None:
        """Return the pay for these sessions (0 without a rate), or None if the caller cannot see the pay."""
        return sum(session.amount_cents or 0 for session in sessions) if self.can_see_pay else None

    @property
    def on_time_rate(self) -> Decimal | None:
        """Return the percentage of sessions signed in time."""
        return compute_percentage(self.in_time_count, len(self.sessions))


@dataclass(frozen=True)
class Dashboard:
    """A clinician's current and previous weeks, and the current week's pay with late and pending sessions. The pay is
    None if the caller cannot see it."""

    week: ClinicianWeek
    previous_weeks: Sequence[ClinicianWeek]
    pay: PayWeek | None


class Totals(NamedTuple):
    """The row of `TOTALS_SQL`."""

    total: int
    completed: int
    cancelled: int
    no_show: int
    revenue_cents: Decimal | None
    minutes: Decimal | None


@dataclass(frozen=True)
class Analytics:
    """Totals of a clinician's sessions over days."""

    since: date
    until: date
    totals: Totals
    can_see_revenue: bool

    @property
    def revenue_cents(self) -> int | None:
        return int(self.totals.revenue_cents or 0) if self.can_see_revenue else None

    @property
    def average_minutes(self) -> Decimal | None:
        return None if self.totals.minutes is None else round_two_places(self.totals.minutes)

    @property
    def completion_rate(self) -> Decimal | None:
        return compute_percentage(self.totals.completed, self.totals.total)


def compute_percentage(part: int, total: int) -> Decimal | None:
    return round_two_places(Decimal(100 * part) / total) if total else None


def round_two_places(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def get_week(work: Work, scope: Scope, provider_id: UUID, week: date | None = None) -> ClinicianWeek:
    """Return a week of a clinician; by default the one with the next deadline."""
    week = week or open_week(work.now, zone_of(work))
    return list_weeks(work, scope, provider_id, week, week)[0]


def list_weeks(
    work: Work, scope: Scope, provider_id: UUID, first: date | None = None, last: date | None = None
) -> list[ClinicianWeek]:
    """Return weeks of a clinician, oldest first; by default the latest ones, up to the one with the next deadline."""
    require_visible_staff(work, scope, provider_id)
    zone = zone_of(work)
    last = last or max(first or date.min, open_week(work.now, zone))
    first = first or last - (DEFAULT_WEEKS - 1) * WEEK
    checks = (("from", find_week_problem(first)), ("to", find_week_problem(last)))
    problems = [FieldProblem(field, message) for field, message in checks if message]
    if not problems and not first <= last < first + MAX_WEEKS * WEEK:
        problems = [FieldProblem("to", f"Invalid weeks: request 1 to {MAX_WEEKS} weeks, the first week first.")]
    if problems:
        raise Invalid(problems)
    query = build_query(work, scope, SessionFilters(provider_id=provider_id))
    query = filter_by_weeks(query, zone, first, last).with_only_columns(Appointment.id)
    session_ids = work.db.scalars(query.order_by(Appointment.starts_at, Appointment.id)).all()
    sessions_by_week: dict[date, list[SessionView]] = {
        first + number * WEEK: [] for number in range((last - first) // WEEK + 1)
    }
    views = load_views(work, session_ids)
    for session in views:
        sessions_by_week[session.value.week].append(session)
    client_ids = (view.row.client_id for view in views)
    work.record_list(
        "session_completions.listed",
        client_ids,
        "staff",
        provider_id,
        week=last.isoformat(),
        weeks=len(sessions_by_week),
    )
    can_see_pay = provider_id in find_visible_staff_ids(work, "pay", "read", [provider_id])
    return [
        ClinicianWeek(week, deadline := cut_off(week, zone), deadline <= work.now, sessions, can_see_pay)
        for week, sessions in sessions_by_week.items()
    ]


def get_dashboard(work: Work, scope: Scope, provider_id: UUID) -> Dashboard:
    """Return the week with the next deadline and the weeks before it."""
    *previous_weeks, week = list_weeks(work, scope, provider_id)
    pay = get_pay_week(work, scope, provider_id, week.week) if week.can_see_pay else None
    return Dashboard(week, previous_weeks, pay)


def get_pay_week(work: Work, scope: Scope, provider_id: UUID, week: date | None = None) -> PayWeek:
    """Return what a week pays a clinician, by what is known now; by default the week with the next deadline."""
    require_visible_staff(work, scope, provider_id)
    pay_week = load_pay_week(work, provider_id, week or open_week(work.now, zone_of(work)))
    work.record("pay.previewed", "staff", provider_id, week=pay_week.week.isoformat())
    return pay_week


def load_pay_week(work: Work, provider_id: UUID, week: date) -> PayWeek:
    """Return the preview of a week with one clinician's lines and problems only."""
    pay_week = preview_week(work, Scope.ALL, week, work.now)
    staff = work.db.get_one(Staff, (work.tenant_id, provider_id))
    missing_rate = describe_missing_rate(staff.external_id or str(provider_id))
    return replace(
        pay_week,
        lines=[line for line in pay_week.lines if line.staff_id == provider_id],
        pending=[line for line in pay_week.pending if line.staff_id == provider_id],
        problems=[problem for problem in pay_week.problems if problem == missing_rate],
    )


def get_analytics(work: Work, scope: Scope, provider_id: UUID, since: date | None, until: date | None) -> Analytics:
    """Return totals of the appointments that began on these days (inclusive); by default the last 30."""
    require_visible_staff(work, scope, provider_id)
    zone = zone_of(work)
    until = until or max(since or date.min, work.now.astimezone(zone).date())
    since = since or until - timedelta(days=29)
    if not since <= until < since + timedelta(days=MAX_DAYS):
        raise Invalid([FieldProblem("to", f"Invalid days: request 1 to {MAX_DAYS} days, the first day first.")])
    parameters = {
        "tenant_id": work.tenant_id,
        "provider_id": provider_id,
        "now": work.now,
        "since": start_of_day(since, zone),
        "until": start_of_day(until + DAY, zone),
    }
    totals = Totals(*work.db.execute(TOTALS_SQL, parameters).one())
    work.record("session_analytics.read", "staff", provider_id)
    can_see_revenue = provider_id in find_visible_staff_ids(work, "billing", "read", [provider_id])
    return Analytics(since, until, totals, can_see_revenue)
