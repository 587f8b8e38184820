"""Rules about practices: names, time zones and email addresses."""

import re
from zoneinfo import available_timezones

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from practice.errors import FieldProblem
from practice.people.rules.npi import NPI_PROBLEM, is_valid_npi

TIME_ZONES = frozenset(available_timezones()) - {"localtime", "Factory", "posixrules"}
SPECIAL_USE_DOMAIN_NAMES.clear()  # a practice's internal domain is valid: ada@mail.local


def normalize_email(text: str) -> str | None:
    """Return the address as stored, or None if it is not a valid address."""
    try:
        return validate_email(text, check_deliverability=False, globally_deliverable=False).normalized.lower()
    except EmailNotValidError:
        return None


def slugify(name: str) -> str:
    """Return the practice's name as used on a command line: `Hill & Dale Therapy` becomes `hill-dale-therapy`.

    Letters of every script are preserved, so that names in any script keep distinct slugs.
    """
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-") or "practice"


def practice_problems(name: str, time_zone: str, npi: str | None) -> list[FieldProblem]:
    problems = []
    if not name.strip():
        problems.append(FieldProblem("name", "The name is empty. Enter the practice's name."))
    if time_zone not in TIME_ZONES:
        problems.append(FieldProblem("time_zone", "Unknown time zone: expected a name like America/New_York."))
    if npi is not None and not is_valid_npi(npi):
        problems.append(FieldProblem("npi", NPI_PROBLEM))
    return problems
