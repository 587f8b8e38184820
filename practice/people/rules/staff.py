"""Rules about practices and people: values in, problems and reasons out."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from practice.people.rules.practices import NPI_PROBLEM, npi_is_valid
from practice.security.permissions import STAFF_ROLES


def role_problems(roles: Collection[str]) -> list[str]:
    problems = [
        f"{role!r} is no role of staff; those are {', '.join(STAFF_ROLES)}."
        for role in roles
        if role not in STAFF_ROLES
    ]
    if not roles:
        problems.append("Somebody on the staff has at least one role.")
    return problems


def staff_problems(*, hired_on: date, left_on: date | None, npi: str | None) -> list[str]:
    problems = []
    if left_on is not None and left_on < hired_on:
        problems.append("The last day lies before the first one.")
    if npi is not None and not npi_is_valid(npi):
        problems.append(NPI_PROBLEM)
    return problems


def supervises_in_circle(staff_id: Any, supervisor_id: Any, supervisor_of: dict[Any, Any]) -> bool:
    """Whether this supervisor would, over some others, be supervised by this person."""
    seen: set[Any] = set()
    above = supervisor_id
    while above is not None and above not in seen:
        if above == staff_id:
            return True
        seen.add(above)
        above = supervisor_of.get(above)
    return False


def last_admin(admins: Iterable[Any], leaving: Any) -> bool:
    """Whether nobody could run the practice once this person cannot."""
    return set(admins) <= {leaving}
