"""Rules about changes of a practice's rule settings."""

from datetime import date
from typing import Any

from practice.rule_settings import PARAMETERS


def setting_problems(key: str, value: Any, effective_on: date, today: date) -> list[str]:
    parameter = PARAMETERS.get(key)
    if parameter is None:
        return [f"Unknown setting {key!r}: expected one of {', '.join(PARAMETERS)}."]
    problems = []
    if type(value) is not int or not parameter.minimum <= value <= parameter.maximum:
        problems.append(f"Invalid {key}: expected a whole number from {parameter.minimum} to {parameter.maximum}.")
    if effective_on < today:
        problems.append("A setting cannot change in the past. Choose today or later.")
    return problems
