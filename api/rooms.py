"""Routes of rooms: their records, blocks, availability and utilization."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.affected import AffectedOut, describe_affected
from api.context import RequestContext, Version
from api.fields import ClinicianId, Day, Instant, Name, RecordId, RecordVersion, RoomId, Text40, describe, example
from api.filters import DaysQuery
from api.names import RoomName, StaffName, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.people.practice_time import span_of_days
from practice.scheduling.appointments.affected import NONE, load_affected_by_capacity, load_affected_by_room
from practice.scheduling.availability import blocks
from practice.scheduling.catalog import rooms
from practice.scheduling.catalog.rooms import RoomNameTaken, RoomUtilization
from practice.scheduling.errors import SlotTaken
from practice.scheduling.models.availability import Block
from practice.scheduling.models.catalog import Room
from practice.security.work import Work

router = PermissionRouter(prefix="/rooms", tags=["rooms"])

Capacity = Annotated[int, Field(ge=1, le=1000)]
Equipment = Annotated[list[Text40], Field(max_length=30)]


class RoomIn(Input):
    model_config = example(name="Blue room", capacity=3, equipment=["whiteboard"])

    name: Annotated[Name, describe("The name of the room.")]
    capacity: Annotated[Capacity, describe("The most people at once.")]
    equipment: Annotated[Equipment, describe("What the room has, or must have.")] = Field(default_factory=list)


class RoomChange(Input):
    """Only the fields sent are changed."""

    model_config = example(capacity=4)

    name: Annotated[Name, describe("The name of the room.")] = ""
    capacity: Annotated[Capacity, describe("The most people at once.")] = 1
    equipment: Annotated[Equipment, describe("What the room has, or must have.")] = Field(default_factory=list)


class RoomQuery(ListQuery):
    active: Annotated[bool | None, describe("Only active rooms, or only others.")] = None


class FreeRoomQuery(Input):
    starts_at: Annotated[Instant, describe("The begin of the time.")]
    ends_at: Annotated[Instant, describe("The end of the time.")]
    capacity: Annotated[Capacity, describe("For at least so many people.")] = 1
    equipment: Annotated[Equipment, describe("What the room must have.")] = Field(default_factory=list)


class SpanQuery(Input):
    first: Annotated[Day, Field(alias="from"), describe("The first local day.")]
    last: Annotated[Day, Field(alias="to"), describe("The last local day, inclusive.")]


class BlockIn(Input):
    model_config = example(
        starts_at="2026-03-20T13:00:00-04:00", ends_at="2026-03-20T15:00:00-04:00", reason="Painting"
    )

    starts_at: Annotated[Instant, describe("When the block begins.")]
    ends_at: Annotated[Instant, describe("When the block ends.")]
    reason: Annotated[Name | None, describe("Why, such as a repair or a meeting.")] = None


class BlockQuery(DaysQuery):
    """Blocks that overlap the local dates or the instants; both apply."""

    ends_after: Annotated[Instant | None, Field(description="Ends after this instant.")] = None
    starts_before: Annotated[Instant | None, Field(description="Starts before this instant.")] = None

    def to_span(self, work: Work) -> tuple[datetime | None, datetime | None]:
        """Return the start and end of the span."""
        return span_of_days(work, self.first, self.last, self.ends_after, self.starts_before)


class RoomOut(BaseModel):
    id: RecordId
    name: Annotated[str, describe("The name of the room.")]
    capacity: Annotated[int, describe("The most people at once.")]
    equipment: Annotated[list[str], describe("What the room has, or must have.")]
    active: Annotated[bool, describe("Whether it can be booked.")]
    version: RecordVersion

    @classmethod
    def of(cls, room: Room) -> "RoomOut":
        return from_record(cls, room)


class AffectedRoomOut(AffectedOut, RoomOut):
    """A room, with the visits booked in it that a change concerns."""


class RoomsOut(BaseModel):
    items: Annotated[list[RoomOut], describe("The free rooms, the smallest sufficient one first.")]


class RoomUtilizationOut(BaseModel):
    room_id: RoomId
    name: Annotated[str, describe("The name of the room.")]
    active: Annotated[bool, describe("Whether it can be booked.")]
    booked_minutes: Annotated[int, describe("Minutes of booked sessions.")]
    blocked_minutes: Annotated[int, describe("Minutes of blocks.")]
    open_minutes: Annotated[int, describe("Minutes that the practice was open.")]
    utilization: Annotated[
        float | None, Field(description="Booked minutes divided by open minutes; null without open minutes.")
    ]

    @classmethod
    def of(cls, use: RoomUtilization) -> "RoomUtilizationOut":
        names = ("booked_minutes", "blocked_minutes", "open_minutes", "utilization")
        figures = {name: getattr(use, name) for name in names}
        return cls(room_id=use.room.id, name=use.room.name, active=use.room.active, **figures)


class UtilizationOut(BaseModel):
    items: Annotated[list[RoomUtilizationOut], describe("One row for each room.")]


class BlockOut(BaseModel):
    id: RecordId
    room_id: RoomId | None
    room_name: RoomName = None
    clinician_id: ClinicianId | None
    clinician_name: StaffName = None
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    reason: Annotated[str | None, describe("Why, such as a repair.")]

    @classmethod
    def of(cls, block: Block) -> "BlockOut":
        return from_record(cls, block)


RoomInList: Any = partial_model(RoomOut)
BlockInList: Any = partial_model(BlockOut)


@router.get("", permission="rooms.read")
def list_rooms(ctx: RequestContext, query: Annotated[RoomQuery, Query()]) -> PageOut[RoomInList]:
    """List rooms.

    Sorts by name, capacity or id.
    """
    return to_page(rooms.list_rooms(ctx.work, query.page_request(), active=query.active), RoomOut)


@router.post("", permission="rooms.write", status_code=201, errors=[RoomNameTaken])
def add_room(ctx: RequestContext, body: RoomIn) -> RoomOut:
    """Add a room."""
    return RoomOut.of(rooms.add_room(ctx.work, **body.model_dump()))


@router.get("/availability", permission="rooms.read")
def list_free_rooms(ctx: RequestContext, query: Annotated[FreeRoomQuery, Query()]) -> RoomsOut:
    """List free rooms.

    Rooms that are free for the whole span, of 92 days at most, smallest sufficient capacity first.
    """
    free_rooms = rooms.list_free_rooms(
        ctx.work, query.starts_at, query.ends_at, capacity=query.capacity, equipment=query.equipment
    )
    return RoomsOut(items=[RoomOut.of(room) for room in free_rooms])


@router.get("/utilization", permission="rooms.read")
def get_room_utilization(ctx: RequestContext, query: Annotated[SpanQuery, Query()]) -> UtilizationOut:
    """Get the utilization of rooms.

    Over local dates, 92 days at most. Booked minutes are those of active appointments, a group session counted once.
    Open minutes lie between the earliest start and the latest end of any clinician's weekly hours, summed over the
    dates on which the practice was not closed.
    """
    return UtilizationOut(
        items=[RoomUtilizationOut.of(use) for use in rooms.compute_room_utilization(ctx.work, query.first, query.last)]
    )


@router.get("/{room_id}", permission="rooms.read")
def get_room(ctx: RequestContext, room_id: UUID) -> RoomOut:
    """Get a room."""
    return RoomOut.of(rooms.get_room(ctx.work, room_id))


@router.patch("/{room_id}", permission="rooms.write", errors=[RoomNameTaken])
def change_room(ctx: RequestContext, room_id: UUID, version: Version, body: RoomChange) -> AffectedRoomOut:
    """Change a room.

    Groups in it offer no more seats than it has. Seats that are taken stay, and the response lists the groups that had,
    or offered, more.
    """
    changes = body.model_dump(exclude_unset=True)
    affected = load_affected_by_capacity(ctx.work, room_id, body.capacity) if "capacity" in changes else NONE
    room = rooms.change_room(ctx.work, room_id, version, changes)
    return AffectedRoomOut(**RoomOut.of(room).model_dump(), **describe_affected(affected))


@router.post("/{room_id}/deactivate", permission="rooms.write")
def deactivate_room(ctx: RequestContext, room_id: UUID) -> AffectedRoomOut:
    """Deactivate a room.

    It cannot be booked any more; booked appointments stay, and the response lists them.
    """
    room = RoomOut.of(rooms.set_room_active(ctx.work, room_id, False))
    return AffectedRoomOut(**room.model_dump(), **describe_affected(load_affected_by_room(ctx.work, room_id)))


@router.post("/{room_id}/activate", permission="rooms.write", errors=[RoomNameTaken])
def activate_room(ctx: RequestContext, room_id: UUID) -> RoomOut:
    """Activate a room.

    It can be booked again.
    """
    return RoomOut.of(rooms.set_room_active(ctx.work, room_id, True))


@router.get("/{room_id}/blocks", permission="rooms.read")
def list_room_blocks(ctx: RequestContext, room_id: UUID, query: Annotated[BlockQuery, Query()]) -> PageOut[BlockInList]:
    """List blocks of a room.

    Those that overlap the span. Sorts by starts_at or id.
    """
    start, end = query.to_span(ctx.work)
    page = blocks.list_blocks(ctx.work, ctx.scope, query.page_request(), room_id=room_id, start=start, end=end)
    return to_page(page, BlockOut)


@router.post("/{room_id}/blocks", permission="rooms.write", status_code=201, errors=[SlotTaken])
def block_room(ctx: RequestContext, room_id: UUID, body: BlockIn) -> BlockOut:
    """Block a room.

    For a time in which nothing is booked.
    """
    return BlockOut.of(blocks.add_block(ctx.work, ctx.scope, room_id=room_id, **body.model_dump()))


@router.delete("/{room_id}/blocks/{block_id}", permission="rooms.write", status_code=204)
def unblock_room(ctx: RequestContext, room_id: UUID, block_id: UUID, body: VoidIn) -> None:
    """Void a block of a room.

    The room can be booked again. The block stays on record with who, when and why. Do not put personal data in
    `reason`.
    """
    blocks.void_block(ctx.work, ctx.scope, block_id, body.reason, room_id=room_id)
