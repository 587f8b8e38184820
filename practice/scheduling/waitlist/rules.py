"""Waitlist rules: which preferences a freed time matches, and in which order they are offered it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class WaitlistPreference:
    """What a client waits for. An empty field means any clinician, service, day or time."""

    client: UUID
    since: datetime
    priority: int = 1  # 1 comes first
    clinicians: frozenset[UUID] = frozenset()
    services: frozenset[UUID] = frozenset()
    weekdays: frozenset[int] = frozenset()  # 0 is Sunday
    from_time: time | None = None
    to_time: time | None = None
    until: date | None = None  # inclusive


class Opening(NamedTuple):
    """A freed time."""

    clinician: UUID
    service: UUID
    start: datetime
    end: datetime


def is_suitable(preference: WaitlistPreference, slot: Opening, zone: ZoneInfo) -> bool:
    """Return whether the freed time, in local time from start to end, lies within the preference."""
    start, end = (at.astimezone(zone).replace(tzinfo=None) for at in (slot.start, slot.end))
    day = start.date()
    return (
        (not preference.clinicians or slot.clinician in preference.clinicians)
        and (not preference.services or slot.service in preference.services)
        and (not preference.weekdays or day.isoweekday() % 7 in preference.weekdays)
        and (preference.from_time is None or start.time() >= preference.from_time)
        and (preference.to_time is None or end <= datetime.combine(day, preference.to_time))
        and (preference.until is None or day <= preference.until)
    )


def overlaps(preference: WaitlistPreference, other: WaitlistPreference) -> bool:
    """Return whether a freed time can lie within both preferences."""
    sets = (
        (preference.services, other.services),
        (preference.clinicians, other.clinicians),
        (preference.weekdays, other.weekdays),
    )
    latest_start = max(preference.from_time or time.min, other.from_time or time.min)
    earliest_end = min(preference.to_time or time.max, other.to_time or time.max)
    return all(not own or not others or own & others for own, others in sets) and latest_start < earliest_end


def sort_by_priority(preferences: Iterable[WaitlistPreference]) -> list[WaitlistPreference]:
    """Sort by priority, then by the longest wait."""
    return sorted(preferences, key=lambda preference: (preference.priority, preference.since))
