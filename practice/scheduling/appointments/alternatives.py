"""Alternatives to a time that is not free: the same clinician nearby, other clinicians or rooms at the same time."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from practice.people.models.practices import Staff
from practice.scheduling.appointments.booking_context import BookingContext
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.availability.group_slots import load_group_slots
from practice.scheduling.availability.queries import BusyInterval, load_busy_intervals
from practice.scheduling.availability.slots import find_first_free_slots, list_slots
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Room
from practice.security.work import Work

MAX_ALTERNATIVES = 5
MAX_NEARBY = 3  # of them with the same clinician, at other times
DAY = timedelta(days=1)
DAYS_AROUND = 7 * DAY
NO_LIMIT = 100_000


class Alternative(NamedTuple):
    """A time with a clinician, with a room where one was requested, or a seat in a group session."""

    clinician_id: UUID
    start: datetime
    end: datetime
    room_id: UUID | None
    group_session_id: UUID | None = None


def find_alternatives(
    work: Work, request: BookingRequest, context: BookingContext, *, within_hours: bool
) -> list[dict[str, Any]]:
    """Return up to five alternatives that are free for the client now.

    `within_hours` says whether the clinician sees clients at the requested time.
    """
    row = context.row
    if not row.service_active:
        return []
    groups = find_other_groups(work, request, context) if request.group_session_id else []
    if request.group_session_id is not None and work.actor.client_id is not None:
        return serialize_alternatives(work, groups)  # clients open no group
    rooms = [] if row.room_id is None else list_active_rooms(work, row.room_id)
    busy: dict[UUID, list[BusyInterval]] = {}
    period = (request.starts_at - DAYS_AROUND - DAY, request.starts_at + DAYS_AROUND + DAY)
    for interval in load_busy_intervals(work, [row.clinician_id], rooms, [row.client_id], *period):
        busy.setdefault(interval.resource_id, []).append(interval)

    def is_free(resource_id: UUID, option: Alternative) -> bool:
        return not any(
            interval.starts_at < option.end and option.start < interval.ends_at
            for interval in busy.get(resource_id, ())
        )

    def expand_rooms(option: Alternative) -> list[Alternative]:
        if not is_free(row.client_id, option):
            return []
        free_rooms = [room for room in rooms if is_free(room, option)] if row.room_id else [None]
        return [option._replace(room_id=room) for room in free_rooms]

    def take_first(options: Iterable[Alternative]) -> list[Alternative]:
        return list(islice((expanded[0] for option in options if (expanded := expand_rooms(option))), MAX_ALTERNATIVES))

    requested = Alternative(row.clinician_id, request.starts_at, request.starts_at + row.length, None)
    same_time = []
    if row.room_id and within_hours and is_free(row.clinician_id, requested):
        same_time = expand_rooms(requested)
    nearby = take_first(find_nearest(work, request, context))
    others = take_first(find_other_clinicians(work, request, context))
    return serialize_alternatives(work, [*groups, *nearby[:MAX_NEARBY], *same_time, *others, *nearby[MAX_NEARBY:]])


def find_other_rooms(work: Work, appointment: Appointment, room_id: UUID) -> list[dict[str, Any]]:
    """Return the other rooms that are free at the appointment's time."""
    start, end = appointment.starts_at, appointment.ends_at
    rooms = list_active_rooms(work, room_id)
    busy = {interval.resource_id for interval in load_busy_intervals(work, [], rooms, [], start, end)}
    free = [Alternative(appointment.clinician_id, start, end, room) for room in rooms if room not in busy]
    return serialize_alternatives(work, free)


def serialize_alternatives(work: Work, alternatives: Sequence[Alternative]) -> list[dict[str, Any]]:
    """Return the first alternatives with the names of their clinicians, which everybody who books may read."""
    listed = alternatives[:MAX_ALTERNATIVES]
    name = Staff.first_name + " " + Staff.last_name
    query = select(Staff.id, name).where(Staff.tenant_id == work.tenant_id)
    ids = {alternative.clinician_id for alternative in listed}
    names = {row.id: row[1] for row in work.db.execute(query.where(Staff.id.in_(ids)))} if ids else {}
    return [
        {
            "clinician_id": str(alternative.clinician_id),
            "clinician_name": names[alternative.clinician_id],
            "starts_at": alternative.start.isoformat(),
            "room_id": str(alternative.room_id) if alternative.room_id else None,
            "group_session_id": str(alternative.group_session_id) if alternative.group_session_id else None,
        }
        for alternative in listed
    ]


def list_active_rooms(work: Work, first: UUID) -> Collection[UUID]:
    """Return the ids of the active rooms, the given one first."""
    query = select(Room.id).where(Room.tenant_id == work.tenant_id, Room.active)
    return list(work.db.scalars(query.order_by(Room.id != first, Room.name, Room.id)))


def find_nearest(work: Work, request: BookingRequest, context: BookingContext) -> list[Alternative]:
    """Return the clinician's free slots in the week before and after, nearest first."""
    row, day = context.row, request.starts_at.astimezone(context.zone).date()
    if not (row.clinician_active and row.offered):
        return []
    free = list_slots(work, row.clinician_id, row.service_code, day - DAYS_AROUND, day + DAYS_AROUND)
    starts = [item.slot for item in free if item.group is None and item.slot.start != request.starts_at]
    starts.sort(key=lambda slot: abs(slot.start - request.starts_at))
    return [Alternative(row.clinician_id, slot.start, slot.end, None) for slot in starts]


def find_other_clinicians(work: Work, request: BookingRequest, context: BookingContext) -> list[Alternative]:
    """Return the slots of other clinicians at the requested time."""
    day = request.starts_at.astimezone(context.zone).date()
    return [
        Alternative(free.clinician_id, free.slot.start, free.slot.end, None)
        for free in find_first_free_slots(work, context.row.service_code, day, day, NO_LIMIT)
        if free.group is None and free.slot.start == request.starts_at and free.clinician_id != context.row.clinician_id
    ]


def find_other_groups(work: Work, request: BookingRequest, context: BookingContext) -> list[Alternative]:
    """Return the groups of the service with free seats in the weeks before and after, nearest first."""
    since, until = max(work.now, request.starts_at - DAYS_AROUND), request.starts_at + DAYS_AROUND + DAY
    groups = load_group_slots(work, context.row.service_id, since, until, client_id=context.row.client_id)
    free = [group for group in groups if group.free_seats != 0 and group.id != request.group_session_id]
    free.sort(key=lambda group: abs(group.start - request.starts_at))
    return [Alternative(group.clinician_id, group.start, group.end, None, group.id) for group in free]
