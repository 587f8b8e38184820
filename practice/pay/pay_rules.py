"""Rules of pay: the weeks, their cut-offs, what a session is worth, and in which period it is paid."""

from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from practice.scheduling.wall_clock import instant

WEEK = timedelta(days=7)
MULTIPLIERS = {"GROUP": Decimal("1.5"), "INTAKE": Decimal("1.25")}  # where nobody set another; of other kinds 1


def week_of(day: date) -> date:
    """The Sunday on which its week begins."""
    return day - timedelta(days=day.isoweekday() % 7)


def cut_off(week: date, zone: ZoneInfo) -> datetime:
    """Midnight after the Sunday that follows the week: what is done from then on is late."""
    return instant(week + WEEK + timedelta(days=1), time.min, zone)


def week_problem(week: date) -> str | None:
    if week.isoweekday() != 7:
        return f"A pay week begins on a Sunday; {week} is none. The week that it lies in begins on {week_of(week)}."
    return None


def default_multiplier(kind: str) -> Decimal:
    return MULTIPLIERS.get(kind, Decimal(1))


def amount_cents(rate_cents: int, multiplier: Decimal, minutes: int) -> int:
    """Half a cent is rounded up."""
    return int((rate_cents * multiplier * minutes / 60).quantize(Decimal(1), ROUND_HALF_UP))


def paid_week(own_week: date, done_at: datetime, zone: ZoneInfo) -> date:
    """The earliest week, from the session's own on, whose cut-off comes after it was completed and signed."""
    week = max(own_week, week_of(done_at.astimezone(zone).date()) - 2 * WEEK)
    while cut_off(week, zone) <= done_at:
        week += WEEK
    return week
