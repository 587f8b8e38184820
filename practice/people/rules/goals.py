"""When a goal can be set, and whether it was reached. Values in, values out."""

from datetime import date
from decimal import Decimal

from practice.metric_keys import LOWER_IS_BETTER, METRIC_KEYS


def goal_problems(metric_key: str, starts_on: date, ends_on: date, today: date) -> list[str]:
    problems = []
    if metric_key not in METRIC_KEYS:
        problems.append("metric_key: there is no such metric. The keys are those of the metric dictionary.")
    if ends_on < starts_on:
        problems.append("ends_on lies before starts_on.")
    if ends_on < today:
        problems.append("ends_on has passed: a goal lies ahead. Choose today or later.")
    return problems


def outcome(metric_key: str, target: Decimal, value: Decimal) -> str:
    """By the metric's value at the end of the span; the target itself is reached."""
    reached = value <= target if metric_key in LOWER_IS_BETTER else value >= target
    return "ACHIEVED" if reached else "MISSED"
