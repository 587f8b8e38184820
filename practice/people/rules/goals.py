"""Rules about goals: when one can be set, and whether it was reached."""

from datetime import date
from decimal import Decimal

from practice.errors import FieldProblem
from practice.metric_dictionary import METRICS


def goal_problems(metric_key: str, starts_on: date, ends_on: date, today: date) -> list[FieldProblem]:
    problems = []
    if metric_key not in METRICS:
        message = "Unknown metric. Use one of the keys that the API document lists for `metric_key`."
        problems.append(FieldProblem("metric_key", message))
    if ends_on < starts_on:
        problems.append(FieldProblem("ends_on", "The last day is before the first one. Choose a later date."))
    if ends_on < today:
        problems.append(FieldProblem("ends_on", "The last day is in the past. Choose today or later."))
    return problems


def evaluate_goal(metric_key: str, target: Decimal, value: Decimal) -> str:
    """Return ACHIEVED or MISSED by the metric's value at the end of the period; meeting the target exactly counts."""
    reached = value <= target if METRICS[metric_key].direction == "lower" else value >= target
    return "ACHIEVED" if reached else "MISSED"
