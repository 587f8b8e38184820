"""Free slots: of one clinician, and the first free ones with anybody."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext
from api.fields import Day, Short
from api.responses import Input
from api.routing import PermissionRouter
from practice.errors import Invalid
from practice.scheduling.availability import slots
from practice.security.permissions import Forbidden

router = PermissionRouter(tags=["appointments"])


class SlotsQuery(Input):
    """Local dates of the practice, both included; at most 92 days."""

    first: Annotated[Day, Field(alias="from")]
    last: Annotated[Day, Field(alias="to")]
    service: Short


class ClinicianSlotsQuery(SlotsQuery):
    include_taken: bool = False


class FirstFreeQuery(SlotsQuery):
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class SlotOut(BaseModel):
    starts_at: datetime
    ends_at: datetime
    available: bool
    reason: Literal["booked", "closed", "away"] | None


class SlotsOut(BaseModel):
    items: list[SlotOut]


class OfferOut(BaseModel):
    clinician_id: UUID
    starts_at: datetime
    ends_at: datetime


class OffersOut(BaseModel):
    items: list[OfferOut]


def refuse_long(query: SlotsQuery) -> None:
    if not 0 <= (query.last - query.first).days < slots.LONGEST_RANGE:
        raise Invalid([f"The range runs from its first day to its last, at most {slots.LONGEST_RANGE} days."])


@router.get("/clinicians/{staff_id}/slots", permission="availability.free_slots")
def list_clinician_slots(
    ctx: RequestContext, staff_id: UUID, query: Annotated[ClinicianSlotsQuery, Query()]
) -> SlotsOut:
    """Free slots of a clinician for a service; with `include_taken` also the others and why, without names."""
    refuse_long(query)
    if query.include_taken and ctx.actor.client_id is not None:
        raise Forbidden("Online you see the times that are free.")
    found = slots.slots(ctx.work, staff_id, query.service, query.first, query.last, include_taken=query.include_taken)
    return SlotsOut(
        items=[
            SlotOut(starts_at=one.start, ends_at=one.end, available=one.taken is None, reason=one.taken)
            for one in found
        ]
    )


@router.get("/slots", permission="availability.free_slots")
def list_first_free(ctx: RequestContext, query: Annotated[FirstFreeQuery, Query()]) -> OffersOut:
    """The earliest free slots with anybody who offers the service."""
    refuse_long(query)
    found = slots.first_free(ctx.work, query.service, query.first, query.last, query.limit)
    return OffersOut(
        items=[OfferOut(clinician_id=one.clinician_id, starts_at=one.slot.start, ends_at=one.slot.end) for one in found]
    )
