"""Pay periods: weeks are opened, previewed, and closed in their order; what a closed one paid never changes."""

from datetime import date, datetime

from sqlalchemy import select

from practice.errors import Invalid, Refusal
from practice.local_time import WEEK, cut_off, week_of
from practice.payroll.lines import Preview, computed, stored, within, write_lines
from practice.payroll.models import PayPeriod
from practice.payroll.rules import Weeks, week_problem
from practice.people.practice_time import local_today, zone_of
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of


class WeekAhead(Refusal):
    code = "WEEK_AHEAD"


class CutOffAhead(Refusal):
    code = "CUT_OFF_AHEAD"


class OutOfOrder(Refusal):
    code = "OUT_OF_ORDER"


class BeforePayBegan(Refusal):
    code = "BEFORE_PAY_BEGAN"


def list_periods(work: Work, asked: PageRequest) -> Page:
    period = PayPeriod
    query = select(period).where(period.tenant_id == work.tenant_id)
    return page_of(work.db, query, asked, {"week": period.week, "id": period.id}, period.id, "-week")


def open_period(work: Work, week: date) -> PayPeriod:
    """The first one is where pay begins here, any week that has begun; after that the weeks follow each other."""
    refuse_no_week(week)
    work.serialize_on("pay")
    known = periods_of(work)
    period = known.get(week)
    if period is not None:
        return period
    last_opened = max(known, default=None)
    if last_opened is None and week > week_of(local_today(work)):
        raise WeekAhead(f"The week of {week} has not begun. Pay begins with this week or one that is over.")
    if last_opened is not None and week < min(known):
        raise before_pay_began(min(known))
    if last_opened is not None and week != last_opened + WEEK:
        raise OutOfOrder(
            f"Weeks are opened one after the other. Open the week of {last_opened + WEEK} first.",
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


def close_period(work: Work, week: date) -> Preview:
    """Once its cut-off is over, and the weeks before it are closed. Opens it where nobody has. What it pays is written
    down for good; closing it again answers the same."""
    refuse_no_week(week)
    work.serialize_on("pay")
    known = periods_of(work)
    closed = closed_of(known)
    zone = zone_of(work)
    if week in closed:
        return stored(work, closed[week], zone)
    end = cut_off(week, zone)
    if work.now < end:
        raise CutOffAhead(
            f"The week of {week} is cut off at {end.astimezone(zone):%Y-%m-%d %H:%M}. Close it from then on.",
            cut_off=end.isoformat(),
        )
    weeks = weeks_of(known, closed)
    if weeks.first is not None and week < weeks.first:
        raise before_pay_began(weeks.first)
    if weeks.next_to_close is not None and week != weeks.next_to_close:
        raise OutOfOrder(
            f"Weeks are closed one after the other. Close the week of {weeks.next_to_close} first.",
            week=str(weeks.next_to_close),
        )
    period = open_period(work, week)
    last = last_of(closed)
    at = closing_instant(work.now, last)
    found = computed(work, week, zone, at, weeks_of(known | {week: period}, closed), last)
    write_lines(work, period, [*found.lines, *found.standby])
    period.closed_at, period.closed_by, period.problems = at, work.actor.account_id, found.problems
    period.version += 1
    work.db.flush()
    work.record(
        "pay_period.closed",
        "pay_period",
        period.id,
        week=week.isoformat(),
        lines=len(found.lines),
        standby=len(found.standby),
        problems=len(found.problems),
        total_cents=sum(found.totals.values()),
    )
    return stored(work, period, zone)


def preview(work: Work, week: date, as_of: datetime, scope: Scope = Scope.ALL) -> Preview:
    """What the week pays by what was known at the instant, and what would be paid if it were signed. Once it was closed
    then, what it paid."""
    refuse_no_week(week)
    zone = zone_of(work)
    known = periods_of(work, as_of)
    if known and week < min(known):
        known = {}  # none of them concerns it: it is not paid here, only worked out
    closed = closed_of(known, as_of)
    if week in closed:
        found = stored(work, closed[week], zone)
    else:
        found = computed(work, week, zone, as_of, weeks_of(known, closed), last_of(closed))
    return found if scope is Scope.ALL else within(work, scope, found)


def refuse_no_week(week: date) -> None:
    problem = week_problem(week)
    if problem:
        raise Invalid([problem])


def before_pay_began(first: date) -> BeforePayBegan:
    return BeforePayBegan(f"Pay begins here with the week of {first}. What lies before it was paid elsewhere.")


def periods_of(work: Work, as_of: datetime | None = None) -> dict[date, PayPeriod]:
    """All that were opened (by an instant), by their week."""
    query = select(PayPeriod).where(PayPeriod.tenant_id == work.tenant_id).order_by(PayPeriod.week)
    if as_of is not None:
        query = query.where(PayPeriod.opened_at <= as_of)
    return {period.week: period for period in work.db.scalars(query.execution_options(populate_existing=True))}


def closed_of(known: dict[date, PayPeriod], as_of: datetime | None = None) -> dict[date, PayPeriod]:
    return {
        week: period
        for week, period in known.items()
        if period.closed_at is not None and (as_of is None or period.closed_at <= as_of)
    }


def weeks_of(known: dict[date, PayPeriod], closed: dict[date, PayPeriod]) -> Weeks:
    return Weeks(min(known, default=None), max(closed, default=None))


def last_of(closed: dict[date, PayPeriod]) -> PayPeriod | None:
    return closed[max(closed)] if closed else None


def closing_instant(now: datetime, last: PayPeriod | None) -> datetime:
    """Never before the closing that it builds on, by whoever's clock."""
    return now if last is None or last.closed_at is None else max(now, last.closed_at)
