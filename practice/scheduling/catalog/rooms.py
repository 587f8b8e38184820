"""Rooms: the list, free rooms and utilization."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text, update

from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.scheduling.models.appointments import GroupSession
from practice.scheduling.models.catalog import Room
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned

MAX_SPAN = timedelta(days=92)


class RoomNameTaken(Refusal):
    """Another active room has this name.

    Fix: choose another name, or rename or deactivate that room.
    """

    code = "ROOM_NAME_TAKEN"


@dataclass(frozen=True)
class RoomUtilization:
    """A room's booked and blocked minutes, and the booked share of the practice's open minutes."""

    room: Room
    booked_minutes: int
    blocked_minutes: int
    open_minutes: int

    @property
    def utilization(self) -> float | None:
        return round(self.booked_minutes / self.open_minutes, 4) if self.open_minutes else None


def list_rooms(work: Work, page_request: PageRequest, *, active: bool | None = None) -> Page:
    query = select(Room).where(Room.tenant_id == work.tenant_id)
    if active is not None:
        query = query.where(Room.active.is_(active))
    sortable = {"name": Room.name, "capacity": Room.capacity, "id": Room.id}
    return fetch_page(work.db, query, page_request, sortable, Room.id, "name")


def get_room(work: Work, room_id: UUID, *, lock: bool = False) -> Room:
    """Return the room, or raise NotFound."""
    query = select(Room).where(Room.tenant_id == work.tenant_id, Room.id == room_id)
    room = work.db.scalar(query.with_for_update(key_share=True) if lock else query)
    if room is None:
        raise NotFound
    return room


def add_room(work: Work, *, name: str, capacity: int, equipment: Collection[str]) -> Room:
    refuse_taken_name(work, name)
    room = Room(
        tenant_id=work.tenant_id,
        id=new_id(),
        name=name,
        capacity=capacity,
        equipment=sorted(set(equipment)),
        active=True,
    )
    work.db.add(room)
    work.db.flush()
    work.record("room.added", "room", room.id)
    return room


def change_room(work: Work, room_id: UUID, version: int, changes: dict[str, Any]) -> Room:
    room = get_room(work, room_id, lock=True)
    if room.version != version:
        raise Stale
    if "name" in changes and room.active:
        refuse_taken_name(work, changes["name"], room_id)
    if "equipment" in changes:
        changes["equipment"] = sorted(set(changes["equipment"]))
    update_versioned(room, changes)
    if "capacity" in changes:
        reduce_groups(work, room)
    work.record("room.changed", "room", room_id, fields=sorted(changes))
    return room


def reduce_groups(work: Work, room: Room) -> None:
    """Let the groups ahead in the room offer no more seats than it has. Seats that are taken stay."""
    ahead = update(GroupSession).where(
        GroupSession.tenant_id == work.tenant_id,
        GroupSession.room_id == room.id,
        GroupSession.ends_at > work.now,
        or_(GroupSession.capacity.is_(None), GroupSession.capacity > room.capacity),
    )
    work.db.execute(ahead.values(capacity=room.capacity))


def set_room_active(work: Work, room_id: UUID, active: bool) -> Room:
    """Activate or deactivate a room. Existing bookings stay; an inactive room takes no new ones."""
    room = get_room(work, room_id, lock=True)
    if room.active != active:
        if active:
            refuse_taken_name(work, room.name, room_id)
        update_versioned(room, {"active": active})
        work.record("room.activated" if active else "room.deactivated", "room", room_id)
    return room


def refuse_taken_name(work: Work, name: str, room_id: UUID | None = None) -> None:
    """Raise RoomNameTaken if another active room has the name, in upper or lower case."""
    work.serialize_on("room names")
    query = select(Room.id).where(
        Room.tenant_id == work.tenant_id, Room.active, func.lower(Room.name) == func.lower(name)
    )
    if set(work.db.scalars(query)) - {room_id}:
        raise RoomNameTaken("Another active room has this name. Choose another name.")


FREE_ROOMS_SQL = text("""
    select r.* from rooms as r
    where r.tenant_id = :tenant_id and r.active
        and r.capacity >= :capacity and r.equipment @> cast(:equipment as text [])
        and not exists (
            select from occupancies as o
            where o.tenant_id = r.tenant_id and o.resource_id = r.id and o.ends_at > :start and o.starts_at < :end
                and not exists (
                    select from waitlist_offers as w
                    where o.holder = 'offer' and w.tenant_id = :tenant_id and w.id = o.holder_id
                        and w.holds_until <= :now
                )
        )
        and r.id not in (
            select a.room_id from appointments as a
            where a.tenant_id = :tenant_id and a.room_id is not null and not a.guarded
                and a.starts_at > :a_day_before and a.starts_at < :end and a.ends_at > :start
                and a.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
        )
    order by r.capacity, r.name, r.id
""")


def list_free_rooms(
    work: Work, start: datetime, end: datetime, *, capacity: int = 1, equipment: Collection[str] = ()
) -> list[Room]:
    """Return the active rooms that are free from start to end, the smallest sufficient one first."""
    refuse_span("ends_at", end <= start, end - start)
    parameters = {
        "tenant_id": work.tenant_id,
        "capacity": capacity,
        "equipment": list(equipment),
        "start": start,
        "end": end,
        "a_day_before": start - timedelta(hours=24),
        "now": work.now,
    }
    return list(work.db.scalars(select(Room).from_statement(FREE_ROOMS_SQL), parameters))


UTILIZATION_SQL = text("""
    with span as (
        select
            p.time_zone,
            cast(cast(:first as date) as timestamp) at time zone p.time_zone as start_at,
            cast(cast(:last as date) + 1 as timestamp) at time zone p.time_zone as end_at
        from practices as p where p.id = :tenant_id
    ),

    days as (
        select cast(d as date) as day
        from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 day') as d
        where not exists (
            select from closures as c
            where c.tenant_id = :tenant_id and c.closed_on = cast(d as date) and c.voided_at is null
        )
    ),

    open_days as (
        select
            (days.day + max(w.end_time)) at time zone span.time_zone
            - (days.day + min(w.start_time)) at time zone span.time_zone as length
        from days
        cross join span
        inner join availability_windows as w on w.tenant_id = :tenant_id and w.weekday = extract(dow from days.day)
        inner join staff as s on s.tenant_id = w.tenant_id and s.id = w.clinician_id
        where w.voided_at is null and (w.effective_on is null or w.effective_on <= days.day)
            and (w.ends_on is null or w.ends_on >= days.day) and (s.left_on is null or s.left_on >= days.day)
        group by days.day, span.time_zone
    ),

    sessions as (
        select distinct on (coalesce(a.group_session_id, a.id)) a.room_id, a.starts_at, a.ends_at
        from span
        inner join appointments as a on a.starts_at > span.start_at - interval '24 hours'
            and a.starts_at < span.end_at and a.ends_at > span.start_at
        where a.tenant_id = :tenant_id and a.room_id is not null
            and a.status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
    ),

    used as (
        select room_id, 'booked' as how, starts_at, ends_at from sessions
        union all
        select b.room_id, 'blocked', b.starts_at, b.ends_at
        from span
        inner join blocks as b on b.ends_at > span.start_at and b.starts_at < span.end_at
        where b.tenant_id = :tenant_id and b.room_id is not null and b.voided_at is null
    ),

    of_room as (
        select
            used.room_id,
            sum(least(ends_at, end_at) - greatest(starts_at, start_at)) filter (where how = 'booked') as booked,
            sum(least(ends_at, end_at) - greatest(starts_at, start_at)) filter (where how = 'blocked') as blocked
        from used
        cross join span
        group by used.room_id
    )

    select
        r.id,
        coalesce(floor(extract(epoch from of_room.booked) / 60), 0)::int as booked,
        coalesce(floor(extract(epoch from of_room.blocked) / 60), 0)::int as blocked,
        (select coalesce(floor(extract(epoch from sum(length)) / 60), 0)::int from open_days) as opened
    from rooms as r
    left join of_room on of_room.room_id = r.id
    where r.tenant_id = :tenant_id and (r.active or of_room.room_id is not null)
    order by r.name, r.id
""")


def compute_room_utilization(work: Work, first: date, last: date) -> list[RoomUtilization]:
    """Return the utilization of each room that is active or was used, from the first local date to the last.

    Booked sessions are past or future ones, a group once. The practice's open minutes run from the earliest start to
    the latest end of any clinician's weekly windows, summed over dates without a closure; exceptions of single
    clinicians do not change them. Sessions outside the open minutes count as booked all the same.
    """
    refuse_span("to", last < first, last - first + timedelta(days=1))
    rows = work.db.execute(UTILIZATION_SQL, {"tenant_id": work.tenant_id, "first": first, "last": last}).all()
    query = select(Room).where(Room.tenant_id == work.tenant_id, Room.id.in_([row.id for row in rows]))
    rooms = {room.id: room for room in work.db.scalars(query)}
    return [RoomUtilization(rooms[row.id], row.booked, row.blocked, row.opened) for row in rows]


def refuse_span(field: str, is_reversed: bool, length: timedelta) -> None:
    """Raise Invalid for a reversed or too long span; `field` is its end."""
    if is_reversed:
        raise Invalid([FieldProblem(field, "The time ends before it begins. Choose a later end.")])
    if length > MAX_SPAN:
        raise Invalid([FieldProblem(field, f"The span is longer than {MAX_SPAN.days} days. Choose a shorter one.")])
