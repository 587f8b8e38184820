"""Changes of the practice that concern its visits: with another time zone, hours are at other instants."""

from typing import Any

from practice.people import practices
from practice.people.models.practices import Practice
from practice.scheduling.appointments.affected import NONE, AffectedVisits, load_affected
from practice.scheduling.availability.outside_hours import find_outside_hours
from practice.security.work import Work


def change_own_practice(work: Work, version: int, changes: dict[str, Any]) -> tuple[Practice, AffectedVisits]:
    """Change the practice, and return it with the open visits that a new time zone leaves outside hours."""
    if "time_zone" not in changes:
        return practices.change_practice(work, work.tenant_id, version, changes), NONE
    before = find_outside_hours(work)
    practice = practices.change_practice(work, work.tenant_id, version, changes)
    return practice, load_affected(work, find_outside_hours(work) - before)
