"""What else could be booked when a time is taken: the same clinician nearby, others and other rooms at that time."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from practice.scheduling.appointments.booking_context import Facts
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.availability.queries import Taken, busy_of
from practice.scheduling.availability.slots import first_free, slots
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Room
from practice.security.work import Work

MOST = 5
NEARBY = 3  # of them with the same clinician, at other times
DAY = timedelta(days=1)
DAYS_AROUND = 7 * DAY
ALL = 100_000


class Place(NamedTuple):
    clinician_id: UUID
    start: datetime
    end: datetime
    room_id: UUID | None


def alternatives_to(work: Work, wanted: Wanted, facts: Facts, *, within_hours: bool) -> list[dict[str, Any]]:
    """Up to five, each a time with a clinician, and with a room where one was wanted, that were free for the client
    when this was written. `within_hours`: whether the clinician sees clients at the time that was wanted."""
    row = facts.row
    if not row.service_active:
        return []
    rooms = [] if row.room_id is None else rooms_of(work, row.room_id)
    taken: dict[UUID, list[Taken]] = {}
    around = (wanted.starts_at - DAYS_AROUND - DAY, wanted.starts_at + DAYS_AROUND + DAY)
    for one in busy_of(work, [row.clinician_id], rooms, [row.client_id], *around):
        taken.setdefault(one.resource_id, []).append(one)

    def is_free(resource_id: UUID, place: Place) -> bool:
        return not any(one.starts_at < place.end and place.start < one.ends_at for one in taken.get(resource_id, ()))

    def in_rooms(place: Place) -> list[Place]:
        if not is_free(row.client_id, place):
            return []
        free = [room for room in rooms if is_free(room, place)] if row.room_id else [None]
        return [place._replace(room_id=room) for room in free]

    def first_of(places: Iterable[Place]) -> list[Place]:
        return list(islice((found[0] for place in places if (found := in_rooms(place))), MOST))

    here = Place(row.clinician_id, wanted.starts_at, wanted.starts_at + row.length, None)
    same_time = in_rooms(here) if row.room_id and within_hours and is_free(row.clinician_id, here) else []
    nearby = first_of(nearest(work, wanted, facts))
    others = first_of(others_at_the_time(work, wanted, facts))
    found = [*nearby[:NEARBY], *same_time, *others, *nearby[NEARBY:]]
    return as_said(found)


def other_rooms(work: Work, appointment: Appointment, wanted: UUID) -> list[dict[str, Any]]:
    """Where else an appointment could be at its time."""
    start, end = appointment.starts_at, appointment.ends_at
    rooms = rooms_of(work, wanted)
    taken = {one.resource_id for one in busy_of(work, [], rooms, [], start, end)}
    return as_said([Place(appointment.clinician_id, start, end, room) for room in rooms if room not in taken])


def as_said(places: Sequence[Place]) -> list[dict[str, Any]]:
    return [
        {
            "clinician_id": str(place.clinician_id),
            "starts_at": place.start.isoformat(),
            "room_id": str(place.room_id) if place.room_id else None,
        }
        for place in places[:MOST]
    ]


def rooms_of(work: Work, wanted: UUID) -> Collection[UUID]:
    """Those in use, the wanted one first."""
    query = select(Room.id).where(Room.tenant_id == work.tenant_id, Room.active)
    return list(work.db.scalars(query.order_by(Room.id != wanted, Room.name, Room.id)))


def nearest(work: Work, wanted: Wanted, facts: Facts) -> list[Place]:
    row, day = facts.row, wanted.starts_at.astimezone(facts.zone).date()
    if not (row.clinician_active and row.offered):
        return []
    free = slots(work, row.clinician_id, row.service_code, day - DAYS_AROUND, day + DAYS_AROUND)
    free = [slot for slot in free if slot.start != wanted.starts_at]
    free.sort(key=lambda slot: abs(slot.start - wanted.starts_at))
    return [Place(row.clinician_id, slot.start, slot.end, None) for slot in free]


def others_at_the_time(work: Work, wanted: Wanted, facts: Facts) -> list[Place]:
    day = wanted.starts_at.astimezone(facts.zone).date()
    return [
        Place(offer.clinician_id, offer.slot.start, offer.slot.end, None)
        for offer in first_free(work, facts.row.service_code, day, day, ALL)
        if offer.slot.start == wanted.starts_at and offer.clinician_id != facts.row.clinician_id
    ]
