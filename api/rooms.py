"""The rooms: which there are, what they are blocked for, which are free, and how much they are used."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import Day, Instant, Name, Short, Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.scheduling.availability import blocks
from practice.scheduling.catalog import rooms
from practice.scheduling.catalog.rooms import Use
from practice.scheduling.errors import SlotTaken
from practice.scheduling.models.availability import Block
from practice.scheduling.models.catalog import Room

router = PermissionRouter(prefix="/rooms", tags=["rooms"])

Capacity = Annotated[int, Field(ge=1, le=1000)]
Equipment = Annotated[list[Short], Field(max_length=30)]


class RoomIn(Input):
    name: Name
    capacity: Capacity
    equipment: Equipment = Field(default_factory=list)


class RoomChange(Input):
    """Only what is sent is changed."""

    name: Name = ""
    capacity: Capacity = 1
    equipment: Equipment = Field(default_factory=list)


class RoomQuery(ListQuery):
    active: bool | None = None


class FreeQuery(Input):
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    capacity: Capacity = 1
    equipment: Equipment = Field(default_factory=list)


class SpanQuery(Input):
    first: Annotated[Day, Field(alias="from")]
    last: Annotated[Day, Field(alias="to")]


class BlockIn(Input):
    starts_at: Instant
    ends_at: Instant
    reason: Name | None = None


class BlockQuery(ListQuery):
    start: Annotated[Instant | None, Field(alias="from")] = None
    end: Annotated[Instant | None, Field(alias="to")] = None


class RoomOut(BaseModel):
    id: UUID
    name: str
    capacity: int
    equipment: list[str]
    active: bool
    version: int

    @classmethod
    def of(cls, room: Room) -> "RoomOut":
        return cls(**{name: getattr(room, name) for name in cls.model_fields})


class RoomsOut(BaseModel):
    items: list[RoomOut]


class UseOut(BaseModel):
    room_id: UUID
    name: str
    active: bool
    booked_minutes: int
    blocked_minutes: int
    open_minutes: int
    utilisation: Annotated[float | None, Field(description="Booked by open minutes; empty where none were open.")]

    @classmethod
    def of(cls, use: Use) -> "UseOut":
        counted = ("booked_minutes", "blocked_minutes", "open_minutes", "utilisation")
        plain = {name: getattr(use, name) for name in counted}
        return cls(room_id=use.room.id, name=use.room.name, active=use.room.active, **plain)


class UtilisationOut(BaseModel):
    items: list[UseOut]


class BlockOut(BaseModel):
    id: UUID
    room_id: UUID | None
    clinician_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    reason: str | None

    @classmethod
    def of(cls, block: Block) -> "BlockOut":
        return cls(**{name: getattr(block, name) for name in cls.model_fields})


RoomInList: Any = some_of(RoomOut)
BlockInList: Any = some_of(BlockOut)


@router.get("", permission="rooms.read")
def list_rooms(ctx: RequestContext, query: Annotated[RoomQuery, Query()]) -> PageOut[RoomInList]:
    """The rooms. Sorts by name, capacity or id."""
    return page_out(rooms.list_rooms(ctx.work, query.asked(), active=query.active), RoomOut)


@router.post("", permission="rooms.write", status_code=201)
def add_room(ctx: RequestContext, body: RoomIn) -> RoomOut:
    """Add a room."""
    return RoomOut.of(rooms.add_room(ctx.work, **body.model_dump()))


@router.get("/availability", permission="rooms.read")
def list_free_rooms(ctx: RequestContext, query: Annotated[FreeQuery, Query()]) -> RoomsOut:
    """Rooms that are free for the whole span, of 92 days at most; the smallest that will do first."""
    found = rooms.free_rooms(ctx.work, query.start, query.end, capacity=query.capacity, equipment=query.equipment)
    return RoomsOut(items=[RoomOut.of(room) for room in found])


@router.get("/utilisation", permission="rooms.read")
def get_room_utilisation(ctx: RequestContext, query: Annotated[SpanQuery, Query()]) -> UtilisationOut:
    """How much each room was used, over local dates, 92 days at most.

    Booked are active appointments, a group once. Open are the minutes between the earliest beginning and the latest end
    of any clinician's weekly hours, summed over the dates on which the practice was not closed.
    """
    return UtilisationOut(items=[UseOut.of(use) for use in rooms.utilisation(ctx.work, query.first, query.last)])


@router.get("/{room_id}", permission="rooms.read")
def get_room(ctx: RequestContext, room_id: UUID) -> RoomOut:
    """One room."""
    return RoomOut.of(rooms.get_room(ctx.work, room_id))


@router.patch("/{room_id}", permission="rooms.write")
def change_room(ctx: RequestContext, room_id: UUID, version: Version, body: RoomChange) -> RoomOut:
    """Change a room. Groups that are booked in it keep their seats."""
    return RoomOut.of(rooms.change_room(ctx.work, room_id, version, body.model_dump(exclude_unset=True)))


@router.post("/{room_id}/deactivate", permission="rooms.write")
def deactivate_room(ctx: RequestContext, room_id: UUID) -> RoomOut:
    """Nothing is booked in it any more; what is booked stays."""
    return RoomOut.of(rooms.set_room_active(ctx.work, room_id, False))


@router.post("/{room_id}/activate", permission="rooms.write")
def activate_room(ctx: RequestContext, room_id: UUID) -> RoomOut:
    """It can be booked again."""
    return RoomOut.of(rooms.set_room_active(ctx.work, room_id, True))


@router.get("/{room_id}/blocks", permission="rooms.read")
def list_room_blocks(ctx: RequestContext, room_id: UUID, query: Annotated[BlockQuery, Query()]) -> PageOut[BlockInList]:
    """What a room is blocked for, where that touches the span. Sorts by starts_at or id."""
    found = blocks.list_blocks(ctx.work, ctx.scope, query.asked(), room_id=room_id, start=query.start, end=query.end)
    return page_out(found, BlockOut)


@router.post("/{room_id}/blocks", permission="rooms.write", status_code=201, errors=[SlotTaken])
def block_room(ctx: RequestContext, room_id: UUID, body: BlockIn) -> BlockOut:
    """Block a room for a time in which nothing is booked."""
    return BlockOut.of(blocks.add_block(ctx.work, ctx.scope, room_id=room_id, **body.model_dump()))


@router.delete("/{room_id}/blocks/{block_id}", permission="rooms.write", status_code=204)
def unblock_room(ctx: RequestContext, room_id: UUID, block_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """The room is free again. The reason names nobody."""
    blocks.void_block(ctx.work, ctx.scope, block_id, reason, room_id=room_id)
