"""What a clinician's sessions come to: of a week by its deadline, of several weeks, over a span of days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from practice.errors import Invalid
from practice.local_time import DAY, WEEK, cut_off, open_week, start_of_day
from practice.payroll.lines import Preview, rate_problem
from practice.payroll.periods import preview
from practice.payroll.rules import week_problem
from practice.people.access import refuse_beyond
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions.queries import Filters, Seen, filtered, in_weeks, seen, staff_reached

MOST_WEEKS, MOST_DAYS = 53, 366
WEEKS_SHOWN = 8

# Group seats count one by one. What a session brought in is what was charged for it, or else its price.
ANALYTICS = text("""
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
class Week:
    """A clinician's sessions of a week, and what they come to now."""

    week: date
    deadline: datetime
    passed: bool
    sessions: Sequence[Seen]
    sees_pay: bool

    @property
    def signed(self) -> list[Seen]:
        return [one for one in self.sessions if one.signed]

    @property
    def unsigned(self) -> list[Seen]:
        return [one for one in self.sessions if not one.signed]

    @property
    def in_time(self) -> int:
        return sum(one.in_time for one in self.sessions)

    @property
    def late(self) -> int:
        return len(self.signed) - self.in_time

    @property
    def locked(self) -> int:
        return sum(one.locked_at is not None for one in self.sessions)

    @property
    def overrides(self) -> int:
        return sum(one.row.overrides for one in self.sessions)

    def cents(self, sessions: Sequence[Seen]) -> int | None:
        """What these come to, as far as there are rates; none for whoever does not read this clinician's pay."""
        return sum(one.cents or 0 for one in sessions) if self.sees_pay else None

    @property
    def rate(self) -> Decimal | None:
        """How many of a hundred were signed in time."""
        return percentage(self.in_time, len(self.sessions))


@dataclass(frozen=True)
class Dashboard:
    """A clinician's present week, and what it pays them: late sessions of older weeks as well, and whatever stands by.
    None for whoever does not read this clinician's pay."""

    week: Week
    before: Sequence[Week]
    pay: Preview | None


@dataclass(frozen=True)
class Analytics:
    since: date
    until: date
    row: Any
    sees_revenue: bool

    @property
    def revenue_cents(self) -> int | None:
        return int(self.row.revenue_cents or 0) if self.sees_revenue else None

    @property
    def minutes(self) -> Decimal | None:
        return None if self.row.minutes is None else two_places(self.row.minutes)

    @property
    def completion_rate(self) -> Decimal | None:
        return percentage(self.row.completed, self.row.total)


def percentage(part: int, whole: int) -> Decimal | None:
    return two_places(Decimal(100 * part) / whole) if whole else None


def two_places(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def week_of_provider(work: Work, scope: Scope, provider_id: UUID, week: date | None = None) -> Week:
    """The week that is asked for, or the one whose deadline comes next."""
    week = week or open_week(work.now, zone_of(work))
    return weeks_of_provider(work, scope, provider_id, week, week)[0]


def weeks_of_provider(
    work: Work, scope: Scope, provider_id: UUID, first: date | None = None, last: date | None = None
) -> list[Week]:
    """Oldest first; where nothing else is said the last weeks, up to the one whose deadline comes next."""
    refuse_beyond(work, provider_id, scope)
    zone = zone_of(work)
    last = last or max(first or date.min, open_week(work.now, zone))
    first = first or last - (WEEKS_SHOWN - 1) * WEEK
    problems = [problem for problem in (week_problem(first), week_problem(last)) if problem]
    if not problems and not first <= last < first + MOST_WEEKS * WEEK:
        problems = [f"Ask for one to {MOST_WEEKS} weeks, the first one first."]
    if problems:
        raise Invalid(list(dict.fromkeys(problems)))
    query = filtered(work, scope, Filters(provider_id=provider_id)).where(*in_weeks(zone, first, last))
    ids = work.db.scalars(query.with_only_columns(Appointment.id).order_by(Appointment.starts_at, Appointment.id))
    by_week: dict[date, list[Seen]] = {first + number * WEEK: [] for number in range((last - first) // WEEK + 1)}
    for session in seen(work, ids.all()):
        by_week[session.worth.week].append(session)
    work.record("session_completions.listed", "staff", provider_id, week=last.isoformat(), weeks=len(by_week))
    pay = provider_id in staff_reached(work, "pay", "read", [provider_id])
    return [
        Week(week, deadline := cut_off(week, zone), deadline <= work.now, found, pay) for week, found in by_week.items()
    ]


def dashboard_of(work: Work, scope: Scope, provider_id: UUID) -> Dashboard:
    """The week whose deadline comes next, and the ones before it."""
    *before, now = weeks_of_provider(work, scope, provider_id)
    return Dashboard(now, before, paid_to(work, provider_id, now.week) if now.sees_pay else None)


def payment_of(work: Work, scope: Scope, provider_id: UUID, week: date | None = None) -> Preview:
    """What the week pays this clinician, by what is known now."""
    refuse_beyond(work, provider_id, scope)
    found = paid_to(work, provider_id, week or open_week(work.now, zone_of(work)))
    work.record("pay.previewed", "staff", provider_id, week=found.week.isoformat())
    return found


def paid_to(work: Work, provider_id: UUID, week: date) -> Preview:
    """The preview of the week, as far as it is this clinician's."""
    found = preview(work, week, work.now)
    staff = work.db.get_one(Staff, (work.tenant_id, provider_id))
    return replace(
        found,
        lines=[line for line in found.lines if line.staff_id == provider_id],
        standby=[line for line in found.standby if line.staff_id == provider_id],
        problems=[one for one in found.problems if one == rate_problem(staff.external_id or str(provider_id))],
    )


def analytics_of(work: Work, scope: Scope, provider_id: UUID, since: date | None, until: date | None) -> Analytics:
    """Of appointments that have begun on these days (both count), the last thirty where nothing else is said."""
    refuse_beyond(work, provider_id, scope)
    zone = zone_of(work)
    until = until or max(since or date.min, work.now.astimezone(zone).date())
    since = since or until - timedelta(days=29)
    if not since <= until < since + timedelta(days=MOST_DAYS):
        raise Invalid([f"Ask for one to {MOST_DAYS} days, the first one first."])
    span = {"since": start_of_day(since, zone), "until": start_of_day(until + DAY, zone)}
    row = work.db.execute(
        ANALYTICS, {"tenant_id": work.tenant_id, "provider_id": provider_id, "now": work.now} | span
    ).one()
    work.record("session_analytics.read", "staff", provider_id)
    return Analytics(since, until, row, provider_id in staff_reached(work, "billing", "read", [provider_id]))
