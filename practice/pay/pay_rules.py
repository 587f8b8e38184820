"""Rules of pay: what a session is worth, and in which week it is paid. A week is cut off when its notes are due."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from practice.notes.deadline_rules import WEEK, cut_off, week_of

MULTIPLIERS = {"GROUP": Decimal("1.5"), "INTAKE": Decimal("1.25")}  # where nobody set another; of other kinds 1


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
