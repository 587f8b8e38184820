"""Routes of free slots: of one clinician, and the first ones of any clinician."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import ClinicianId, Day, Text40, describe
from api.names import StaffName
from api.responses import Input
from api.routing import PermissionRouter
from practice.errors import FieldProblem, Invalid
from practice.scheduling.appointments.online import refuse_offline_service
from practice.scheduling.availability import slots
from practice.scheduling.errors import NotBookableOnline
from practice.security.permissions import Forbidden

router = PermissionRouter(tags=["appointments"])


class SlotsQuery(Input):
    """Local dates, both inclusive; at most 92 days."""

    first: Annotated[Day, Field(alias="from"), describe("The first local day.")]
    last: Annotated[Day, Field(alias="to"), describe("The last local day, inclusive.")]
    service: Annotated[Text40, describe("The code of the service, which decides the length.")]


class ClinicianSlotsQuery(SlotsQuery):
    include_taken: Annotated[bool, describe("Also list times that are not free, with the reason.")] = False


class FirstFreeQuery(SlotsQuery):
    limit: Annotated[int, Field(ge=1, le=100), describe("The most rows to return.")] = 20


GroupId = Annotated[UUID | None, Field(description="The group session in which this is a seat; null otherwise.")]
FreeSeats = Annotated[int | None, Field(description="Free seats of the group session; null for no limit.")]


class SlotOut(BaseModel):
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    available: Annotated[bool, describe("Whether it can be booked.")]
    reason: Annotated[Literal["booked", "closed", "away", "held"] | None, describe("Why it is not free.")]
    group_session_id: GroupId
    free_seats: FreeSeats


class SlotsOut(BaseModel):
    items: Annotated[list[SlotOut], describe("The slots, by start.")]


class ClinicianSlotOut(BaseModel):
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    group_session_id: GroupId
    free_seats: FreeSeats


class ClinicianSlotsOut(BaseModel):
    items: Annotated[list[ClinicianSlotOut], describe("The earliest free slots, by start.")]


def describe_group(item: slots.ClinicianSlot) -> dict[str, Any]:
    """Return the group session and its free seats, where the slot is a seat."""
    group = item.group
    return {"group_session_id": group.id if group else None, "free_seats": group.free_seats if group else None}


def refuse_long_range(query: SlotsQuery) -> None:
    """Raise Invalid when the range is reversed or too long."""
    if not 0 <= (query.last - query.first).days < slots.MAX_RANGE_DAYS:
        message = f"Invalid range: `to` must be on or after `from`, and at most {slots.MAX_RANGE_DAYS} days later."
        raise Invalid([FieldProblem("to", message)])


@router.get("/clinicians/{staff_id}/slots", permission="availability.free_slots", errors=[NotBookableOnline])
def list_clinician_slots(
    ctx: RequestContext, staff_id: UUID, query: Annotated[ClinicianSlotsQuery, Query()]
) -> SlotsOut:
    """List free slots of a clinician.

    For a service. With `include_taken` also the other slots and why they are taken, without names. For a group service
    the group sessions with free seats, and for staff the times at which another one can be opened.
    """
    refuse_long_range(query)
    refuse_offline_service(ctx.work, query.service)
    if query.include_taken and ctx.actor.client_id is not None:
        raise Forbidden("Clients see free times only. Leave `include_taken` out.")
    clinician_slots = slots.list_slots(
        ctx.work, staff_id, query.service, query.first, query.last, include_taken=query.include_taken
    )
    return SlotsOut(
        items=[
            SlotOut(
                starts_at=item.slot.start,
                ends_at=item.slot.end,
                available=item.slot.taken is None,
                reason=item.slot.taken,
                **describe_group(item),
            )
            for item in clinician_slots
        ]
    )


@router.get("/slots", permission="availability.free_slots", errors=[NotBookableOnline])
def list_first_free_slots(ctx: RequestContext, query: Annotated[FirstFreeQuery, Query()]) -> ClinicianSlotsOut:
    """List the first free slots.

    The earliest ones of any clinician who offers the service; for a group service as in the slots of one clinician.
    An unknown service is refused.
    """
    refuse_long_range(query)
    slots.require_offered_service(ctx.work, query.service)
    refuse_offline_service(ctx.work, query.service)
    first_slots = slots.find_first_free_slots(ctx.work, query.service, query.first, query.last, query.limit)
    return ClinicianSlotsOut(
        items=[
            ClinicianSlotOut(
                clinician_id=item.clinician_id,
                starts_at=item.slot.start,
                ends_at=item.slot.end,
                **describe_group(item),
            )
            for item in first_slots
        ]
    )
