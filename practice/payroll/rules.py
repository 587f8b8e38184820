"""Pay rules: the amount for a session, the week that pays it, and later adjustments. A week's cut-off is when its notes
are due."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from practice.local_time import WEEK, cut_off, week_of

DEFAULT_MULTIPLIERS = {"GROUP": Decimal("1.5"), "INTAKE": Decimal("1.25")}  # other kinds: 1

Kind = Literal["regular", "late", "adjustment", "standby"]
WeekStatus = Literal["OPEN", "CLOSED", "PAID_ELSEWHERE"]
Reason = Literal["RATE_CHANGED", "VOIDED", "COUNTS_AGAIN"]


class PaySchedule(NamedTuple):
    """The first opened and the last closed pay week of a practice."""

    first_week: date | None
    last_closed: date | None

    @property
    def next_to_close(self) -> date | None:
        return self.first_week if self.last_closed is None else self.last_closed + WEEK


def find_week_problem(week: date) -> str | None:
    if week.isoweekday() != 7:
        return f"A pay week begins on a Sunday, and {week} is not one. Use the Sunday before it, {week_of(week)}."
    return None


def get_default_multiplier(kind: str) -> Decimal:
    return DEFAULT_MULTIPLIERS.get(kind, Decimal(1))


def compute_amount_cents(rate_cents: int, multiplier: Decimal, minutes: int) -> int:
    """Return the amount in cents, with half a cent rounded up."""
    return int((rate_cents * multiplier * minutes / 60).quantize(Decimal(1), ROUND_HALF_UP))


def find_payable_week(own_week: date, done_at: datetime, zone: ZoneInfo) -> date:
    """Return the first week, from the session's own on, whose cut-off is after the session was completed and signed."""
    week = max(own_week, week_of(done_at.astimezone(zone).date()) - 2 * WEEK)
    while cut_off(week, zone) <= done_at:
        week += WEEK
    return week


def classify_line(
    week: date,
    own_week: date,
    completed_at: datetime,
    done_at: datetime | None,
    schedule: PaySchedule,
    zone: ZoneInfo,
    *,
    was_pending: bool,
) -> Kind | None:
    """Return the kind of line that an unpaid session gets in a week, or None. The next week to close also pays sessions
    that an earlier week should have paid (a rate was missing) or that were pending when the last week was closed.
    Sessions that belong to a week before the first are paid outside Caseload."""
    end = cut_off(week, zone)
    if done_at is None or done_at >= end:
        return "standby" if own_week <= week and completed_at < end else None
    payable_week = find_payable_week(own_week, done_at, zone)
    is_left_over = (
        week == schedule.next_to_close
        and schedule.first_week is not None
        and payable_week < week
        and (was_pending or schedule.first_week <= payable_week)
    )
    if payable_week != week and not is_left_over:
        return None
    return "regular" if own_week == week else "late"


def choose_adjustment_reason(counts: bool, last_reason: str | None) -> Reason:
    if not counts:
        return "VOIDED"
    return "COUNTS_AGAIN" if last_reason == "VOIDED" else "RATE_CHANGED"


def sum_by_key(amounts: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the sum of the amounts of each key."""
    totals: dict[str, int] = {}
    for key, amount in amounts:
        totals[key] = totals.get(key, 0) + amount
    return totals


DIGEST_FIELDS = ("session_id", "kind", "appointment_id", "staff_id", "service_kind", "held_on", "minutes", "multiplier")
DIGEST_FIELDS += ("rate_cents", "amount_cents", "reason")


def hash_closed_week(week: date, closed_at: datetime, problems: Iterable[str], lines: Iterable[Any]) -> str:
    """Return the SHA-256 of a closed week: its lines in a fixed order, their totals, and when it was closed."""
    lines = list(lines)
    document = {
        "week": week.isoformat(),
        "closed_at": closed_at.astimezone(UTC).isoformat(),
        "problems": list(problems),
        "lines": sorted([str(getattr(line, field)) for field in DIGEST_FIELDS] for line in lines),
        "totals": sum_by_key((str(line.staff_id), line.amount_cents) for line in lines if line.kind != "standby"),
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
