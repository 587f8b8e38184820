"""Rules about changes of a practice's rule settings."""

from datetime import date
from difflib import get_close_matches
from typing import Any

from practice.errors import FieldProblem
from practice.rule_settings import PARAMETERS


def setting_problems(key: str, value: Any, effective_on: date, today: date) -> list[FieldProblem]:
    parameter = PARAMETERS.get(key)
    if parameter is None:
        similar = get_close_matches(key, PARAMETERS, n=3)
        hint = f"Did you mean {' or '.join(similar)}?" if similar else "The list of settings names all keys."
        return [FieldProblem("key", f"Unknown setting. {hint}")]
    problems = []
    if type(value) is not int or not parameter.minimum <= value <= parameter.maximum:
        message = f"Invalid {key}: expected a whole number from {parameter.minimum} to {parameter.maximum}."
        problems.append(FieldProblem("value", message))
    if effective_on < today:
        problems.append(FieldProblem("effective_on", "A setting cannot change in the past. Choose today or later."))
    return problems
