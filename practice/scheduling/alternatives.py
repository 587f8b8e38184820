"""What else could be booked when a time is taken: the same clinician nearby, others and other rooms at that time."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from practice.scheduling.facts import Facts
from practice.scheduling.hours import busy_of
from practice.scheduling.models import Room
from practice.scheduling.slots import first_free, slots
from practice.security.work import Work

if TYPE_CHECKING:
    from practice.scheduling.booking import Wanted

MOST = 5
NEARBY = 3  # of them with the same clinician, at other times
DAYS_AROUND = timedelta(days=7)


def alternatives_to(work: Work, wanted: "Wanted", facts: Facts) -> list[dict[str, Any]]:
    """Up to five, each a time with a clinician and a room that were free when this was written."""
    row = facts.row
    if not (row.clinician_active and row.service_active and row.offered):
        return []
    rooms = other_rooms(work, wanted, facts)
    same_time = others_at_the_time(work, wanted, facts)
    nearby = nearest(work, wanted, facts)
    found = [*nearby[:NEARBY], *rooms, *same_time, *nearby[NEARBY:]][:MOST]
    return [
        {"clinician_id": str(clinician), "starts_at": start.isoformat(), "room_id": str(room) if room else None}
        for clinician, start, room in found
    ]


def nearest(work: Work, wanted: "Wanted", facts: Facts) -> list[tuple[Any, Any, Any]]:
    day = wanted.starts_at.astimezone(facts.zone).date()
    free = slots(work, facts.row.clinician_id, facts.row.service_code, day - DAYS_AROUND, day + DAYS_AROUND)
    free.sort(key=lambda slot: abs(slot.start - wanted.starts_at))
    return [(facts.row.clinician_id, slot.start, None) for slot in free[:MOST]]


def others_at_the_time(work: Work, wanted: "Wanted", facts: Facts) -> list[tuple[Any, Any, Any]]:
    day = wanted.starts_at.astimezone(facts.zone).date()
    free = first_free(work, facts.row.service_code, day, day, limit=100_000)
    return [
        (offer.clinician_id, offer.slot.start, None)
        for offer in free
        if offer.slot.start == wanted.starts_at and offer.clinician_id != facts.row.clinician_id
    ]


def other_rooms(work: Work, wanted: "Wanted", facts: Facts) -> list[tuple[Any, Any, Any]]:
    """Only where the clinician is free and it is the room that is not."""
    row, end = facts.row, wanted.starts_at + timedelta(minutes=facts.row.minutes)
    if row.room_id is None or busy_of(work, [row.clinician_id], [], [row.client_id], wanted.starts_at, end):
        return []
    rooms = work.db.scalars(
        select(Room.id).where(Room.tenant_id == work.tenant_id, Room.active, Room.id != row.room_id).order_by(Room.name)
    ).all()
    taken = {one.resource_id for one in busy_of(work, [], rooms, [], wanted.starts_at, end)}
    return [(row.clinician_id, wanted.starts_at, room) for room in rooms if room not in taken]
