"""The waitlist and its offers."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.appointments import BookedOut, booked_out
from api.context import RequestContext, Version
from api.fields import Day, TimeOfDay
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.scheduling.errors import BOOKING_REFUSALS, WrongStatus
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.waitlist import entries, offers

router = PermissionRouter(prefix="/waitlist", tags=["waitlist"])

Ids = Annotated[list[UUID], Field(max_length=50)]
Weekdays = Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7, description="0 is Sunday.")]
Priority = Annotated[int, Field(ge=1, le=3, description="1 comes first.")]


class WishIn(Input):
    """What is left empty does not matter: any clinician, any service, any day, any time."""

    clinician_ids: Ids = Field(default_factory=list)
    service_ids: Ids = Field(default_factory=list)
    weekdays: Weekdays = Field(default_factory=list)
    time_from: TimeOfDay | None = None
    time_to: TimeOfDay | None = None
    until_on: Day | None = None
    priority: Priority = 2


class EntryIn(WishIn):
    client_id: UUID


class WaitlistQuery(ListQuery):
    status: Literal["WAITING", "OFFERED", "BOOKED", "WITHDRAWN"] | None = None


class EntryOut(BaseModel):
    id: UUID
    client_id: UUID
    clinician_ids: list[UUID]
    service_ids: list[UUID]
    weekdays: list[int]
    time_from: TimeOfDay | None
    time_to: TimeOfDay | None
    until_on: date | None
    priority: int
    status: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, entry: WaitlistEntry) -> "EntryOut":
        return cls(**{name: getattr(entry, name) for name in cls.model_fields})


class OfferOut(BaseModel):
    id: UUID
    clinician_id: UUID
    service_id: UUID
    room_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    offered_at: datetime
    holds_until: datetime
    status: str

    @classmethod
    def of(cls, offer: WaitlistOffer) -> "OfferOut":
        return cls(**{name: getattr(offer, name) for name in cls.model_fields})


class WaitlistOffersOut(BaseModel):
    items: list[OfferOut]


EntryInList: Any = some_of(EntryOut)


@router.get("", permission="waitlist.read")
def list_waitlist(ctx: RequestContext, query: Annotated[WaitlistQuery, Query()]) -> PageOut[EntryInList]:
    """Who waits for what. Sorts by created_at, priority or id."""
    return page_out(entries.list_entries(ctx.work, query.asked(), ctx.scope, query.status), EntryOut)


@router.post("", permission="waitlist.write", status_code=201)
def add_to_waitlist(ctx: RequestContext, body: EntryIn) -> EntryOut:
    """Put a client on the waitlist, with what would suit them."""
    return EntryOut.of(entries.add_entry(ctx.work, **body.model_dump()))


@router.get("/{entry_id}", permission="waitlist.read")
def get_waitlist_entry(ctx: RequestContext, entry_id: UUID) -> EntryOut:
    """One entry."""
    return EntryOut.of(entries.read_entry(ctx.work, entry_id, ctx.scope))


@router.patch("/{entry_id}", permission="waitlist.write")
def change_waitlist_entry(ctx: RequestContext, entry_id: UUID, version: Version, body: WishIn) -> EntryOut:
    """Change what would suit them."""
    changes = body.model_dump(exclude_unset=True)
    return EntryOut.of(entries.change_entry(ctx.work, entry_id, ctx.scope, version, changes))


@router.post("/{entry_id}/withdraw", permission="waitlist.write", errors=[WrongStatus])
def withdraw_waitlist_entry(ctx: RequestContext, entry_id: UUID) -> EntryOut:
    """They no longer wait."""
    return EntryOut.of(offers.withdraw_entry(ctx.work, entry_id, ctx.scope))


@router.get("/{entry_id}/offers", permission="waitlist.read")
def list_waitlist_offers(ctx: RequestContext, entry_id: UUID) -> WaitlistOffersOut:
    """What they were offered, newest first."""
    found = offers.list_offers(ctx.work, entry_id, ctx.scope)
    return WaitlistOffersOut(items=[OfferOut.of(offer) for offer in found])


@router.post(
    "/offers/{offer_id}/take",
    permission="waitlist.answer",
    status_code=201,
    errors=[*BOOKING_REFUSALS, offers.OfferClosed],
)
def take_waitlist_offer(ctx: RequestContext, offer_id: UUID) -> BookedOut:
    """Book the time that is kept for them."""
    return booked_out(ctx, offers.take_offer(ctx.work, offer_id, ctx.scope))


@router.post("/offers/{offer_id}/decline", permission="waitlist.answer", errors=[offers.OfferClosed])
def decline_waitlist_offer(ctx: RequestContext, offer_id: UUID) -> OfferOut:
    """It goes to the next whom it suits."""
    return OfferOut.of(offers.decline_offer(ctx.work, offer_id, ctx.scope))
