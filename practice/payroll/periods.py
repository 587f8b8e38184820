"""Pay periods: weeks that are opened, previewed and closed in order. What a closed week paid never changes."""

from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select

from practice.errors import FieldProblem, Invalid, NotFound, Refusal
from practice.local_time import WEEK, cut_off, week_of
from practice.payroll.lines import (
    PayWeek,
    compute_week,
    insert_lines,
    load_closed_week,
    load_open_visits,
    restrict_to_scope,
)
from practice.payroll.models import PayLine, PayPeriod
from practice.payroll.rules import PaySchedule, find_week_problem, hash_closed_week
from practice.people.practice_time import local_today, zone_of
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page


class WeekAhead(Refusal):
    """The week has not begun.

    Fix: open the current week or an earlier one.
    """

    code = "WEEK_AHEAD"


class CutOffAhead(Refusal):
    """The cut-off of the week has not passed.

    Fix: close it after its cut-off.
    """

    code = "CUT_OFF_AHEAD"


class OutOfOrder(Refusal):
    """Another week has to be opened, closed or removed first.

    Fix: start with the week that the message names.
    """

    code = "OUT_OF_ORDER"


class WeekPaid(Refusal):
    """The week is closed and weeks have lines already, so it stays.

    Fix: correct its pay with rates or reversed sessions; the next week adjusts it.
    """

    code = "WEEK_PAID"


class BeforePayBegan(Refusal):
    """The week is before the first one with pay.

    Fix: choose the first week or a later one. Remove a first week that was opened by mistake.
    """

    code = "BEFORE_PAY_BEGAN"


def list_periods(work: Work, page_request: PageRequest) -> Page:
    query = select(PayPeriod).where(PayPeriod.tenant_id == work.tenant_id)
    sortable = {"week": PayPeriod.week, "id": PayPeriod.id}
    work.record("pay_periods.listed")
    return fetch_page(work.db, query, page_request, sortable, PayPeriod.id, "-week")


def open_period(work: Work, week: date) -> PayPeriod:
    """Open a pay week that has begun, or return it if it exists. The first may be any; others follow in order."""
    require_pay_week(week)
    work.serialize_on("pay")
    periods = load_periods(work)
    if week in periods:
        return periods[week]
    last_opened = max(periods, default=None)
    if week > week_of(local_today(work)):
        raise WeekAhead(f"The week of {week} has not begun. Open the current week or an earlier one.")
    refuse_before_first(week, min(periods, default=None))
    if last_opened is not None and week != last_opened + WEEK:
        raise OutOfOrder(
            f"Weeks must be opened in order. Open the week of {last_opened + WEEK} first.",
            week=str(last_opened + WEEK),
        )
    period = PayPeriod(
        tenant_id=work.tenant_id,
        id=new_id(),
        week=week,
        opened_at=work.now,
        opened_by=work.actor.account_id,
        version=1,
        problems=[],
    )
    work.db.add(period)
    work.db.flush()
    work.record("pay_period.opened", "pay_period", period.id, week=week.isoformat())
    return period


def remove_period(work: Work, week: date, reason: str) -> None:
    """Remove the last opened week, so that pay can begin with another one, or raise NotFound, OutOfOrder or WeekPaid.

    A closed week can be removed while no week of the practice has lines.
    """
    require_pay_week(week)
    work.serialize_on("pay")
    periods = load_periods(work)
    if week not in periods:
        raise NotFound
    last_opened = max(periods)
    if week != last_opened:
        raise OutOfOrder(
            f"Weeks are removed from the last one on. Remove the week of {last_opened} first.", week=str(last_opened)
        )
    period = periods[week]
    was_closed = period.closed_at is not None
    if was_closed and work.db.scalar(select(exists().where(PayLine.tenant_id == work.tenant_id))):
        raise WeekPaid("This week is closed and weeks have lines already, so it stays. Later weeks adjust its pay.")
    work.db.delete(period)
    work.db.flush()
    details = {"week": week.isoformat(), "was_closed": was_closed, "reason": reason}
    work.record("pay_period.removed", "pay_period", period.id, **details)


def close_period(work: Work, week: date) -> PayWeek:
    """Close a week after its cut-off, once all weeks before it are closed, and return what it pays. The week is opened
    if needed and its lines are stored for good; closing it again returns the same."""
    require_pay_week(week)
    work.serialize_on("pay")
    periods = load_periods(work)
    closed = filter_closed(periods)
    zone = zone_of(work)
    if week in closed:
        stored = load_closed_week(work, closed[week], zone)
        return replace(stored, open_visits=load_open_visits(work, Scope.ALL, week, zone))
    refuse_early_closing(week, build_schedule(periods, closed), work.now, zone)
    period = open_period(work, week)
    last_closed = find_last_closed(closed)
    closed_at = choose_closing_instant(work.now, last_closed)
    schedule = build_schedule(periods | {week: period}, closed)
    pay_week = compute_week(work, week, zone, closed_at, schedule, last_closed)
    insert_lines(work, period, [*pay_week.lines, *pay_week.pending])
    period.closed_at = closed_at
    period.closed_by = work.actor.account_id
    period.problems = pay_week.problems
    period.version += 1
    work.db.flush()
    stored = load_closed_week(work, period, zone)
    work.record(
        "pay_period.closed",
        "pay_period",
        period.id,
        week=week.isoformat(),
        lines=len(stored.lines),
        standby=len(stored.pending),
        problems=len(stored.problems),
        total_cents=sum(stored.totals.values()),
        digest=hash_closed_week(week, closed_at, stored.problems, [*stored.lines, *stored.pending]),
    )
    return replace(stored, open_visits=load_open_visits(work, Scope.ALL, week, zone))


def read_week(work: Work, scope: Scope, week: date, as_of: datetime) -> PayWeek:
    """Return the preview of a week, and record the access."""
    work.record("pay_period.read", week=week.isoformat())
    return preview_week(work, scope, week, as_of)


def preview_week(work: Work, scope: Scope, week: date, as_of: datetime) -> PayWeek:
    """Return what a week pays, and its pending lines, by what was known at the instant. A week that was closed by then
    returns what it paid. The open visits are those of now."""
    require_pay_week(week)
    zone = zone_of(work)
    periods = load_periods(work, as_of)
    is_before_first = bool(periods) and week < min(periods)
    if is_before_first:
        periods = {}  # a week before the first is computed but never paid here, so no period affects it
    closed = filter_closed(periods, as_of)
    if week in closed:
        pay_week = load_closed_week(work, closed[week], zone)
    else:
        schedule = build_schedule(periods, closed)
        pay_week = compute_week(work, week, zone, as_of, schedule, find_last_closed(closed))
        pay_week = replace(pay_week, is_before_first=is_before_first)
    pay_week = replace(pay_week, open_visits=load_open_visits(work, scope, week, zone))
    return pay_week if scope is Scope.ALL else restrict_to_scope(work, scope, pay_week)


def refuse_early_closing(week: date, schedule: PaySchedule, now: datetime, zone: ZoneInfo) -> None:
    """Raise CutOffAhead, BeforePayBegan or OutOfOrder unless the week, which is open, can be closed now."""
    end = cut_off(week, zone)
    if now < end:
        raise CutOffAhead(
            f"The week of {week} is cut off at {end.astimezone(zone):%Y-%m-%d %H:%M}. Close it then or later.",
            cut_off=end.isoformat(),
        )
    refuse_before_first(week, schedule.first_week)
    if schedule.next_to_close is not None and week != schedule.next_to_close:
        raise OutOfOrder(
            f"Weeks must be closed in order. Close the week of {schedule.next_to_close} first.",
            week=str(schedule.next_to_close),
        )


def require_pay_week(week: date) -> None:
    problem = find_week_problem(week)
    if problem:
        raise Invalid([FieldProblem("week", problem)])


def refuse_before_first(week: date, first_week: date | None) -> None:
    if first_week is not None and week < first_week:
        raise BeforePayBegan(f"Pay begins with the week of {first_week}. Choose that week or a later one.")


def load_periods(work: Work, as_of: datetime | None = None) -> dict[date, PayPeriod]:
    """Return the periods that were opened (by an instant), by week."""
    query = select(PayPeriod).where(PayPeriod.tenant_id == work.tenant_id).order_by(PayPeriod.week)
    if as_of is not None:
        query = query.where(PayPeriod.opened_at <= as_of)
    return {period.week: period for period in work.db.scalars(query.execution_options(populate_existing=True))}


def filter_closed(periods: dict[date, PayPeriod], as_of: datetime | None = None) -> dict[date, PayPeriod]:
    return {
        week: period
        for week, period in periods.items()
        if period.closed_at is not None and (as_of is None or period.closed_at <= as_of)
    }


def build_schedule(periods: dict[date, PayPeriod], closed: dict[date, PayPeriod]) -> PaySchedule:
    return PaySchedule(min(periods, default=None), max(closed, default=None))


def find_last_closed(closed: dict[date, PayPeriod]) -> PayPeriod | None:
    return closed[max(closed)] if closed else None


def choose_closing_instant(now: datetime, last_closed: PayPeriod | None) -> datetime:
    """Return now, or the previous closing if that is later because the clocks of two servers differ."""
    return now if last_closed is None or last_closed.closed_at is None else max(now, last_closed.closed_at)
