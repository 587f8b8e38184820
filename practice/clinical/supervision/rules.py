"""Rules of supervision: what may be put on record, and how many hours of a month somebody needs by their licence."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from practice.local_time import instant

DAY = timedelta(days=1)
TOLD_AT = time(9)
MOST_IN_A_GROUP = 20
LICENSES = ("LPC", "APC", "LMSW")  # each has a setting: supervision_hours_lpc and so on


class Month(NamedTuple):
    """From its first day to the first of the next, which is not in it."""

    first: date
    end: date

    @property
    def last(self) -> date:
        return self.end - DAY


@dataclass(frozen=True)
class Person:
    """Somebody of the staff, as far as supervision goes by it."""

    id: Any
    roles: Collection[str]
    license_type: str | None
    hired_on: date
    left_on: date | None
    supervisor_id: Any = None


class Hours(NamedTuple):
    """Of one person in one month. Without a requirement, `required` is None."""

    required: int | None
    held: Decimal

    @property
    def missing(self) -> Decimal:
        return max(Decimal(0), Decimal(self.required or 0) - self.held)


def month_of(day: date) -> Month:
    first = day.replace(day=1)
    return Month(first, (first + 31 * DAY).replace(day=1))


def required_hours(person: Person, month: Month, needed: Mapping[str, int]) -> int | None:
    """By the licence, of a clinician who was employed on every day of the month; None where nothing is required.

    Somebody is employed from the day they were hired on, and no longer on the day they leave.
    """
    throughout = person.hired_on <= month.first and (person.left_on is None or person.left_on > month.last)
    hours = needed.get(person.license_type or "", 0)
    return hours if throughout and hours > 0 and "clinician" in person.roles else None


def reminded_at(month: Month, zone: ZoneInfo) -> datetime:
    """When whoever lacks hours is told: seven days of the month are left."""
    return instant(month.end - 7 * DAY, TOLD_AT, zone)


def reported_at(month: Month, zone: ZoneInfo) -> datetime:
    return instant(month.end, TOLD_AT, zone)


def session_problems(
    kind: str, supervisees: Collection[Any], people: Mapping[Any, Person], supervisor_id: Any, held_on: date
) -> list[str]:
    """Of a session that is put on record for these people."""
    problems = []
    if len(supervisees) != len(set(supervisees)):
        problems.append("supervisee_ids: somebody is named twice.")
    if kind == "INDIVIDUAL" and len(supervisees) != 1:
        problems.append("supervisee_ids: an individual session is one person's. Several are a GROUP.")
    if not 1 <= len(supervisees) <= MOST_IN_A_GROUP:
        problems.append(f"supervisee_ids: name from 1 to {MOST_IN_A_GROUP}.")
    if supervisor_id in supervisees:
        problems.append("supervisee_ids: nobody supervises themselves.")
    for place, staff_id in enumerate(supervisees, 1):
        person = people.get(staff_id)
        if person is None:
            problems.append(f"supervisee_ids: number {place} is nobody of the staff, or nobody of your team.")
        elif "clinician" not in person.roles:
            problems.append(f"supervisee_ids: number {place} is no clinician.")
        elif held_on < person.hired_on or (person.left_on is not None and held_on > person.left_on):
            problems.append(f"supervisee_ids: number {place} was not employed on {held_on}.")
    return problems


def supervisor_problems(supervisor: Person | None) -> list[str]:
    if supervisor is None or "supervisor" not in supervisor.roles:
        return ["supervisor_id: say which supervisor held it."]
    return []


def held_problems(held_at: datetime, now: datetime) -> list[str]:
    return ["held_at: the session lies in the future."] if held_at > now else []
