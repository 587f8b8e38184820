"""Times that a room (maintenance) or a clinician (a meeting) is taken for something else than an appointment."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from practice.errors import Invalid, NotFound
from practice.scheduling.availability.expired_offers import release_lapsed_offers
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.catalog.clinicians import get_clinician
from practice.scheduling.catalog.rooms import get_room
from practice.scheduling.errors import SlotTaken
from practice.scheduling.models.availability import Block
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import refusing

TAKEN = {
    "room": "The room is taken for a part of this time. Move what is booked or blocked there first.",
    "clinician": "The clinician is taken for a part of this time. Move what is booked or blocked there first.",
}


def list_blocks(
    work: Work,
    scope: Scope,
    asked: PageRequest,
    *,
    room_id: UUID | None = None,
    clinician_id: UUID | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Page:
    """Of one room or one clinician; what touches the span."""
    refuse_unknown(work, scope, room_id, clinician_id)
    query = select(Block).where(
        Block.tenant_id == work.tenant_id,
        Block.room_id == room_id,
        Block.clinician_id == clinician_id,
        Block.voided_at.is_(None),
    )
    if start is not None:
        query = query.where(Block.ends_at > start)
    if end is not None:
        query = query.where(Block.starts_at < end)
    return page_of(work.db, query, asked, {"starts_at": Block.starts_at, "id": Block.id}, Block.id, "starts_at")


def add_block(
    work: Work,
    scope: Scope,
    *,
    starts_at: datetime,
    ends_at: datetime,
    reason: str | None = None,
    room_id: UUID | None = None,
    clinician_id: UUID | None = None,
) -> Block:
    refuse_unknown(work, scope, room_id, clinician_id)
    if ends_at <= starts_at:
        raise Invalid(["The end lies before the start, or at it."])
    block = Block(
        tenant_id=work.tenant_id,
        id=new_id(),
        room_id=room_id,
        clinician_id=clinician_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        version=1,
    )
    what = "room" if room_id else "clinician"
    lock_resources(work, [room_id, clinician_id])
    release_lapsed_offers(work, clinician_id, room_id, [starts_at], ends_at - starts_at)
    work.db.add(block)
    with refusing(f"never_twice_{what}", SlotTaken(TAKEN[what])):
        work.db.flush()
    work.record("block.added", "block", block.id, what=what)
    return block


def void_block(
    work: Work,
    scope: Scope,
    block_id: UUID,
    reason: str,
    *,
    room_id: UUID | None = None,
    clinician_id: UUID | None = None,
) -> None:
    """The time is free again."""
    refuse_unknown(work, scope, room_id, clinician_id)
    query = select(Block).where(
        Block.tenant_id == work.tenant_id,
        Block.id == block_id,
        Block.room_id == room_id,
        Block.clinician_id == clinician_id,
        Block.voided_at.is_(None),
    )
    block = work.db.scalar(query.with_for_update())
    if block is None:
        raise NotFound
    work.void(block, reason)
    work.record("block.voided", "block", block_id, reason=reason)


def refuse_unknown(work: Work, scope: Scope, room_id: UUID | None, clinician_id: UUID | None) -> None:
    if room_id is not None:
        get_room(work, room_id)
    elif clinician_id is not None:
        get_clinician(work, clinician_id, scope)
