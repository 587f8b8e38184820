"""Rules of pay: what a session is worth, in which week it is paid, and what corrects what was paid. A week is cut off
when its notes are due."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from practice.local_time import WEEK, cut_off, week_of

MULTIPLIERS = {"GROUP": Decimal("1.5"), "INTAKE": Decimal("1.25")}  # where nobody set another; of other kinds 1

Kind = Literal["regular", "late", "adjustment", "standby"]
Reason = Literal["RATE_CHANGED", "VOIDED", "COUNTS_AGAIN"]


class Weeks(NamedTuple):
    """The practice's weeks of pay, as far as they were opened: where pay begins here, and what is closed."""

    first: date | None
    last_closed: date | None

    @property
    def next_to_close(self) -> date | None:
        return self.first if self.last_closed is None else self.last_closed + WEEK


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


def kind_in(
    week: date,
    own_week: date,
    completed_at: datetime,
    done_at: datetime | None,
    weeks: Weeks,
    zone: ZoneInfo,
    *,
    stood_by: bool,
) -> Kind | None:
    """As what a session that was never paid is in a week. The next week to be closed also pays what one before it
    should have, as where there was no rate, and whatever stood by when the last was closed. What belongs into a week
    before the first is paid elsewhere."""
    end = cut_off(week, zone)
    if done_at is None or done_at >= end:
        return "standby" if own_week <= week and completed_at < end else None
    paid = paid_week(own_week, done_at, zone)
    first, here = weeks.first, week == weeks.next_to_close
    left_over = here and first is not None and paid < week and (stood_by or first <= paid)
    if paid != week and not left_over:
        return None
    return "regular" if own_week == week else "late"


def reason_for(counts: bool, last_reason: str | None) -> Reason:
    if not counts:
        return "VOIDED"
    return "COUNTS_AGAIN" if last_reason == "VOIDED" else "RATE_CHANGED"


def sums(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """In cents, by whose they are."""
    found: dict[str, int] = {}
    for whose, cents in amounts:
        found[whose] = found.get(whose, 0) + cents
    return found
