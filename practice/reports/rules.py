"""Rules of reports: what a definition may contain, small groups that are put together, and when one is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from practice.analytics.periods import shift_period
from practice.errors import FieldProblem
from practice.local_time import DAY, date_of, to_instant, week_of
from practice.reports.measures import GROUPS, MEASURES, Measure, list_groups

PERIOD_KINDS = ("week", "month", "quarter")
MAX_MEASURES, MAX_PERIODS, MAX_CLINICIANS = 12, 24, 100
SMALLEST_GROUP = 5
NAME = "name"
LAST_DAY_OF_EVERY_MONTH = 28


@dataclass(frozen=True)
class Definition:
    """What a report shows: measures, grouped, in one or more periods up to that of a day, filtered and ordered."""

    measures: tuple[str, ...]
    group: str
    period: str = "month"
    periods: int = 1
    clinician_ids: tuple[UUID, ...] = ()
    order_by: str = NAME
    descending: bool = False


@dataclass(frozen=True)
class Schedule:
    """When a report is sent: on a day of each week (0 is Sunday) or month, at a local hour."""

    every: Literal["week", "month"]
    day: int
    hour: int


def definition_problems(definition: Definition) -> list[FieldProblem]:
    problems = []
    known = [key for key in definition.measures if key in MEASURES]
    if not definition.measures:
        problems.append(FieldProblem("measures", "Choose at least one measure."))
    if len(known) < len(definition.measures):
        problems.append(FieldProblem("measures", "Unknown measure. Choose from those of `GET /reports/catalog`."))
    if len(set(definition.measures)) < len(definition.measures):
        problems.append(FieldProblem("measures", "A measure is there twice. Remove one of them."))
    sources = {MEASURES[key].source for key in known}
    if "clients" in sources and len(sources) > 1:
        problems.append(FieldProblem("measures", "Counts of clients stand alone. Remove the other measures."))
    if known and definition.group not in list_groups(known):
        common = ", ".join(name for name in GROUPS if name in list_groups(known))
        message = f"Choose one of: {common}." if common else "Nothing fits all of them. Choose fewer measures."
        problems.append(FieldProblem("group", f"These measures cannot be grouped that way. {message}"))
    if "clients" in sources and definition.clinician_ids:
        message = "Counts of clients cannot be narrowed down to clinicians. Remove the filter."
        problems.append(FieldProblem("clinician_ids", message))
    if definition.group == "team" and definition.clinician_ids:
        problems.append(FieldProblem("clinician_ids", "Teams cannot be narrowed down to clinicians. Group otherwise."))
    if definition.period == "week" and any(is_monthly(MEASURES[key]) for key in known):
        problems.append(FieldProblem("period", "A measure of supervision has no weeks. Choose months or quarters."))
    if definition.order_by not in (NAME, *definition.measures):
        problems.append(FieldProblem("order_by", "Order by `name` or by one of the report's measures."))
    return problems


def is_monthly(measure: Measure) -> bool:
    return measure.metric is not None and measure.metric.periods == "months"


def adds_up_over_clinicians(measure: Measure) -> bool:
    """Return whether sums of clinicians are sums of them all: not where each has a divisor of their own."""
    return measure.metric is None or measure.metric.divisor is None


def adds_up_over_periods(measure: Measure) -> bool:
    """Return whether sums of periods are sums of the whole time: not for states, and not for what ripens later."""
    metric = measure.metric
    if metric is None:
        return measure.source != "clients"
    return metric.shape == "dated" and metric.late_sums is None and metric.divisor is None


def compute_value(measure: Measure, numerator: Fraction, denominator: Fraction | None) -> Decimal | None:
    """Return the value of sums, rounded half away from zero, or None without a denominator to divide by."""
    if measure.value in ("count", "numerator"):
        exact = numerator
    elif denominator is None or denominator <= 0:
        return None
    else:
        exact = (100 if measure.value == "percent" else 1) * numerator / denominator
    scaled = Decimal(exact.numerator) / Decimal(exact.denominator)
    if measure.unit == "count":
        return scaled.quantize(Decimal(1))
    return scaled.quantize(Decimal(1).scaleb(-measure.decimals), ROUND_HALF_UP)


def merge_small_groups(counts: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Return the counts that may be shown, and how many are in the groups that are put together.

    A group of fewer than five is never shown. The next smallest goes with them while they are fewer than five
    together, and while all have four, the most that they can have: then no count follows from the total and the others.
    Fewer than five in all are not shown at all.
    """
    by_size = sorted(((count, key) for key, count in counts.items() if count), key=lambda item: (item[0], item[1]))
    merged = [item for item in by_size if item[0] < SMALLEST_GROUP]
    while 0 < len(merged) < len(by_size) and would_reveal([count for count, _ in merged]):
        merged = by_size[: len(merged) + 1]
    together = sum(count for count, _ in merged)
    if together < SMALLEST_GROUP:
        together = 0
    return {key: count for count, key in by_size[len(merged) :]}, together


def would_reveal(counts: Sequence[int]) -> bool:
    """Return whether one of these counts could be found from their sum."""
    return sum(counts) < SMALLEST_GROUP or set(counts) == {SMALLEST_GROUP - 1}


def schedule_problems(schedule: Schedule) -> list[FieldProblem]:
    first, last = (0, 6) if schedule.every == "week" else (1, LAST_DAY_OF_EVERY_MONTH)
    if first <= schedule.day <= last:
        return []
    return [FieldProblem("schedule.day", f"Choose a day from {first} to {last}.")]


def find_last_due(schedule: Schedule, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the last instant until now at which the report was due."""
    today = date_of(now, zone)
    start = week_of(today) if schedule.every == "week" else today.replace(day=1)
    due = to_instant(find_day(schedule, start), time(schedule.hour), zone)
    if due <= now:
        return due
    return to_instant(find_day(schedule, shift_period(schedule.every, start, -1)), time(schedule.hour), zone)


def find_day(schedule: Schedule, start: date) -> date:
    """Return the day of the report in the week or month that starts then."""
    return start + (schedule.day if schedule.every == "week" else schedule.day - 1) * DAY
