"""Rules about staff: roles, dates, supervision and the last admin."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from practice.errors import FieldProblem
from practice.people.rules.npi import NPI_PROBLEM, is_valid_npi
from practice.security.permissions import STAFF_ROLES

LEFT_BEFORE_HIRED = "The last day (`left_on`) is before the first one (`hired_on`). Choose a later date."


def role_problems(roles: Collection[str]) -> list[FieldProblem]:
    problems = [
        FieldProblem(f"roles.item {number}", f"Unknown role: expected one of {', '.join(STAFF_ROLES)}.")
        for number, role in enumerate(roles, 1)
        if role not in STAFF_ROLES
    ]
    if not roles:
        problems.append(FieldProblem("roles", "A staff member needs at least one role. Add one."))
    return problems


def staff_problems(*, hired_on: date, left_on: date | None, npi: str | None) -> list[FieldProblem]:
    problems = []
    if left_on is not None and left_on < hired_on:
        problems.append(FieldProblem("left_on", LEFT_BEFORE_HIRED))
    if npi is not None and not is_valid_npi(npi):
        problems.append(FieldProblem("npi", NPI_PROBLEM))
    return problems


def last_day_problems(left_on: date, hired_on: date, today: date) -> list[FieldProblem]:
    """Return why a day cannot be the last one of somebody whose access ends now."""
    if left_on < hired_on:
        return [FieldProblem("left_on", LEFT_BEFORE_HIRED)]
    if left_on > today:
        message = (
            "Deactivation ends access now, and this day lies in the future. To plan a last day, change `left_on` of "
            "the record instead: access then ends after it."
        )
        return [FieldProblem("left_on", message)]
    return []


def is_active_supervisor(roles: Collection[str], left_on: date | None, today: date, *, deactivated: bool) -> bool:
    """Return whether the person can co-sign notes: a supervisor who still works in the practice."""
    return "supervisor" in roles and not deactivated and (left_on is None or left_on >= today)


def is_supervision_cycle(staff_id: Any, supervisor_id: Any, supervisor_of: dict[Any, Any]) -> bool:
    """Return whether the supervisor is supervised by the staff member, directly or through others."""
    visited: set[Any] = set()
    current = supervisor_id
    while current is not None and current not in visited:
        if current == staff_id:
            return True
        visited.add(current)
        current = supervisor_of.get(current)
    return False


def is_last_admin(admins: Iterable[Any], leaving: Any) -> bool:
    """Return whether the practice has no other admin than the one leaving."""
    return set(admins) <= {leaving}


def return_problems(returned_on: date, left_on: date | None, today: date) -> list[FieldProblem]:
    """Return why somebody cannot be employed again from a day on: access begins at once, so it cannot lie ahead."""
    if returned_on > today:
        return [FieldProblem("returned_on", "The day is in the future. Rehire them on that day.")]
    if left_on is not None and left_on < today and returned_on <= left_on:
        return [FieldProblem("returned_on", f"The day is not after their last day, {left_on}. Choose a later one.")]
    return []
