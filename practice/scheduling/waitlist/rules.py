"""Who on the waitlist a time that has become free would suit, and who is asked first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Wish:
    """What a client waits for. Nothing named is anything: any clinician, any service, any day, any time."""

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
    """A time that has become free."""

    clinician: UUID
    service: UUID
    start: datetime
    end: datetime


def fits(wish: Wish, slot: Opening, zone: ZoneInfo) -> bool:
    """Whether all of it, from start to end on the clock on the wall, lies within what the client waits for."""
    start, end = (at.astimezone(zone).replace(tzinfo=None) for at in (slot.start, slot.end))
    day = start.date()
    return (
        (not wish.clinicians or slot.clinician in wish.clinicians)
        and (not wish.services or slot.service in wish.services)
        and (not wish.weekdays or day.isoweekday() % 7 in wish.weekdays)
        and (wish.from_time is None or start.time() >= wish.from_time)
        and (wish.to_time is None or end <= datetime.combine(day, wish.to_time))
        and (wish.until is None or day <= wish.until)
    )


def in_order(wishes: Iterable[Wish]) -> list[Wish]:
    """By priority, and of the same priority who has waited longest."""
    return sorted(wishes, key=lambda wish: (wish.priority, wish.since))
