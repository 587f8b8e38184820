"""Blocks: times that a room (maintenance) or a clinician (a meeting) is not available for appointments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from practice.errors import FieldProblem, Invalid, NotFound
from practice.scheduling.availability.expired_offers import release_expired_offers
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import load_busy_intervals
from practice.scheduling.availability.rules.free_time import HELD
from practice.scheduling.catalog.clinicians import get_clinician
from practice.scheduling.catalog.rooms import get_room
from practice.scheduling.errors import SlotTaken
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.availability import Block
from practice.scheduling.statuses import ACTIVE
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict

CONFLICT_MESSAGES = {
    "room": "The room is taken for part of this time. Move its bookings or blocks first.",
    "clinician": "The clinician is taken for part of this time. Move their bookings or blocks first.",
}
HELD_MESSAGES = {
    "room": "The room is held for a client of the waitlist for part of this time. Wait for the answer.",
    "clinician": "The clinician's time is held for a client of the waitlist for a part of it. Wait for the answer.",
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
    """Block a room or a clinician for a free time, or raise SlotTaken with the visits that take it."""
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
    refuse_taken_time(work, block, kind)
    work.db.add(block)
    with on_conflict(f"never_twice_{kind}", SlotTaken(CONFLICT_MESSAGES[kind])):
        work.db.flush()
    work.record("block.added", "block", block.id, what=kind)
    return block


def refuse_taken_time(work: Work, block: Block, kind: str) -> None:
    """Raise SlotTaken with the visits that take a part of the block's time."""
    clinician_ids, room_ids = ([resource] if resource else [] for resource in (block.clinician_id, block.room_id))
    busy = load_busy_intervals(work, clinician_ids, room_ids, [], block.starts_at, block.ends_at)
    if not busy:
        return
    holders = {interval.holder_id for interval in busy}
    query = select(Appointment).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.status.in_(ACTIVE),
        or_(Appointment.id.in_(holders), Appointment.group_session_id.in_(holders)),
    )
    is_held = all(interval.reason == HELD for interval in busy)
    raise SlotTaken(
        HELD_MESSAGES[kind] if is_held else CONFLICT_MESSAGES[kind],
        appointments=[
            {"id": str(visit.id), "reference": visit.reference, "starts_at": visit.starts_at.isoformat()}
            for visit in work.db.scalars(query.order_by(Appointment.starts_at, Appointment.id))
        ],
    )


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
