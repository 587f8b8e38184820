"""Rules about practices: names, time zones, NPIs, email addresses, rule settings."""

import re
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from practice.rule_settings import PARAMETERS

ZONES = frozenset(available_timezones()) - {"localtime", "Factory", "posixrules"}


SPECIAL_USE_DOMAIN_NAMES.clear()  # a practice's own network may be one: ada@mail.local
NPI_PROBLEM = "The NPI is not one: ten digits, of which the last checks the others."


def email_address(text: str) -> str | None:
    """As it is kept, or None where it is no address."""
    try:
        return validate_email(text, check_deliverability=False, globally_deliverable=False).normalized.lower()
    except EmailNotValidError:
        return None


def slug_of(name: str) -> str:
    """The practice's name as it stands in a command line: `Hill & Dale Therapy` is `hill-dale-therapy`.

    Letters of any script stay: names that differ keep different slugs.
    """
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-") or "practice"


def practice_problems(name: str, time_zone: str, npi: str | None) -> list[str]:
    problems = []
    if not name.strip():
        problems.append("A practice needs a name.")
    if time_zone not in ZONES:
        problems.append("That is no time zone; write one like America/New_York.")
    if npi is not None and not npi_is_valid(npi):
        problems.append(NPI_PROBLEM)
    return problems


def npi_is_valid(npi: str) -> bool:
    """Ten digits whose last is the Luhn check over the others with 80840 in front."""
    if not re.fullmatch(r"[0-9]{10}", npi):
        return False
    digits = [int(digit) for digit in "80840" + npi]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def setting_problems(key: str, value: Any, effective_on: date, today: date) -> list[str]:
    parameter = PARAMETERS.get(key)
    if parameter is None:
        return [f"There is no setting {key!r}; those are {', '.join(PARAMETERS)}."]
    problems = []
    if type(value) is not int or not parameter.least <= value <= parameter.most:
        problems.append(f"{key} is a whole number from {parameter.least} to {parameter.most}.")
    if effective_on < today:
        problems.append("A change cannot begin in the past: what was decided stays decided. Choose today or later.")
    return problems
