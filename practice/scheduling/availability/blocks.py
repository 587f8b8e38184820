"""Blocks: times that a room (maintenance) or a clinician (a meeting) is not available for appointments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from practice.errors import FieldProblem, Invalid, NotFound
from practice.scheduling.availability.expired_offers import release_expired_offers
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.catalog.clinicians import get_clinician
from practice.scheduling.catalog.rooms import get_room
from practice.scheduling.errors import SlotTaken
from practice.scheduling.models.availability import Block
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict

CONFLICT_MESSAGES = {
    "room": "The room is taken for part of this time. Move its bookings or blocks first.",
    "clinician": "The clinician is taken for part of this time. Move their bookings or blocks first.",
}


def list_blocks(
    work: Work,
    scope: Scope,
    page_request: PageRequest,
    *,
    room_id: UUID | None = None,
    clinician_id: UUID | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Page:
    """Return a page of one room's or one clinician's blocks that overlap the span."""
    require_visible(work, scope, room_id, clinician_id)
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
    return fetch_page(
        work.db, query, page_request, {"starts_at": Block.starts_at, "id": Block.id}, Block.id, "starts_at"
    )


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
    """Block a room or a clinician for a free time, or raise SlotTaken."""
    require_visible(work, scope, room_id, clinician_id)
    if ends_at <= starts_at:
        raise Invalid([FieldProblem("ends_at", "The block ends before it begins. Choose a later end (`ends_at`).")])
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
    kind = "room" if room_id else "clinician"
    lock_resources(work, [room_id, clinician_id])
    release_expired_offers(work, clinician_id, room_id, [starts_at], ends_at - starts_at)
    work.db.add(block)
    with on_conflict(f"never_twice_{kind}", SlotTaken(CONFLICT_MESSAGES[kind])):
        work.db.flush()
    work.record("block.added", "block", block.id, what=kind)
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
    """Void a block, which frees its time."""
    require_visible(work, scope, room_id, clinician_id)
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


def require_visible(work: Work, scope: Scope, room_id: UUID | None, clinician_id: UUID | None) -> None:
    """Raise NotFound unless the room or clinician exists within the scope."""
    if room_id is not None:
        get_room(work, room_id)
    elif clinician_id is not None:
        get_clinician(work, scope, clinician_id)
