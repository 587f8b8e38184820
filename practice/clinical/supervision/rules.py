"""Rules of supervision: what can be recorded, and how many hours a license requires in a month."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from practice.errors import FieldProblem
from practice.local_time import to_instant

DAY = timedelta(days=1)
MESSAGE_TIME = time(9)
MAX_GROUP_SIZE = 20
LICENSES = ("LPC", "APC", "LMSW")  # each has a setting: supervision_hours_lpc and so on


class Month(NamedTuple):
    """A month: its first day and the first day of the next."""

    first: date
    end: date

    @property
    def last(self) -> date:
        return self.end - DAY


@dataclass(frozen=True)
class Person:
    """The staff data that supervision rules depend on."""

    id: Any
    roles: Collection[str]
    license_type: str | None
    hired_on: date
    left_on: date | None
    supervisor_id: Any = None


class Hours(NamedTuple):
    """One person's hours in one month. `required` is None if none are required."""

    required: int | None
    held: Decimal

    @property
    def missing(self) -> Decimal:
        return max(Decimal(0), Decimal(self.required or 0) - self.held)


def month_of(day: date) -> Month:
    first = day.replace(day=1)
    return Month(first, (first + 31 * DAY).replace(day=1))


def compute_required_hours(person: Person, month: Month, needed: Mapping[str, int]) -> int | None:
    """Return the hours required of a clinician who was employed on every day of the month, or None.

    Employment includes `hired_on` and excludes `left_on`.
    """
    throughout = person.hired_on <= month.first and (person.left_on is None or person.left_on > month.last)
    hours = needed.get(person.license_type or "", 0)
    return hours if throughout and hours > 0 and "clinician" in person.roles else None


def get_reminder_time(month: Month, zone: ZoneInfo) -> datetime:
    """Return when supervisees who lack hours are reminded: seven days before the month ends."""
    return to_instant(month.end - 7 * DAY, MESSAGE_TIME, zone)


def get_report_time(month: Month, zone: ZoneInfo) -> datetime:
    """Return when the month is reported: on the first morning after it."""
    return to_instant(month.end, MESSAGE_TIME, zone)


def session_problems(
    kind: str, supervisees: Collection[Any], people: Mapping[Any, Person], supervisor_id: Any, held_on: date
) -> list[FieldProblem]:
    """Return what is wrong with a session recorded for the supervisees."""
    field, problems = "supervisee_ids", []
    if len(supervisees) != len(set(supervisees)):
        problems.append(FieldProblem(field, "The same person is listed twice. List each once."))
    if kind == "INDIVIDUAL" and len(supervisees) != 1:
        problems.append(FieldProblem(field, "An individual session has one supervisee. Use GROUP for several."))
    if not 1 <= len(supervisees) <= MAX_GROUP_SIZE:
        problems.append(FieldProblem(field, f"List from 1 to {MAX_GROUP_SIZE} people."))
    if supervisor_id in supervisees:
        problems.append(FieldProblem(field, "Supervisors cannot supervise themselves. Choose another."))
    for number, staff_id in enumerate(supervisees, 1):
        person = people.get(staff_id)
        if person is None:
            message = f"Person {number} is not on the staff, or not on your team."
        elif "clinician" not in person.roles:
            message = f"Person {number} is not a clinician."
        elif held_on < person.hired_on or (person.left_on is not None and held_on > person.left_on):
            message = f"Person {number} was not employed on {held_on}."
        else:
            continue
        problems.append(FieldProblem(f"{field}.item {number}", message))
    return problems


def supervisor_problems(supervisor: Person | None) -> list[FieldProblem]:
    if supervisor is None or "supervisor" not in supervisor.roles:
        return [FieldProblem("supervisor_id", "Not a supervisor. Name the supervisor who held the session.")]
    return []


def held_at_problems(held_at: datetime, hours: Decimal, now: datetime) -> list[FieldProblem]:
    """Return whether a session has not ended: one is recorded after it was held."""
    if held_at > now:
        return [FieldProblem("held_at", "The time is in the future. Choose now or earlier.")]
    if end_of(held_at, hours) > now:
        return [FieldProblem("hours", "The session would end in the future. Record it when it has ended.")]
    return []


def end_of(held_at: datetime, hours: Decimal) -> datetime:
    return held_at + timedelta(seconds=int(hours * 3600))
