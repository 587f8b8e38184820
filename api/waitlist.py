"""Routes of the waitlist and its offers."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.appointments import BookedOut
from api.context import RequestContext, Version
from api.fields import Day, TimeOfDay
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.scheduling.errors import BOOKING_REFUSALS, WrongStatus
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.waitlist import entries, offers

router = PermissionRouter(prefix="/waitlist", tags=["waitlist"])

Ids = Annotated[list[UUID], Field(max_length=50)]
Weekdays = Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7, description="0 is Sunday.")]
Priority = Annotated[int, Field(ge=1, le=3, description="1 is served first.")]


class PreferencesIn(Input):
    """An empty field means any: clinician, service, day or time."""

    clinician_ids: Ids = Field(default_factory=list)
    service_ids: Ids = Field(default_factory=list)
    weekdays: Weekdays = Field(default_factory=list)
    time_from: TimeOfDay | None = None
    time_to: TimeOfDay | None = None
    until_on: Day | None = None
    priority: Priority = 2


class EntryIn(PreferencesIn):
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


EntryInList: Any = partial_model(EntryOut)


@router.get("", permission="waitlist.read")
def list_waitlist(ctx: RequestContext, query: Annotated[WaitlistQuery, Query()]) -> PageOut[EntryInList]:
    """List the waitlist.

    Sorts by created_at, priority or id.
    """
    return to_page(entries.list_entries(ctx.work, ctx.scope, query.page_request(), query.status), EntryOut)


@router.post("", permission="waitlist.write", status_code=201)
def add_to_waitlist(ctx: RequestContext, body: EntryIn) -> EntryOut:
    """Add a client to the waitlist.

    With their preferences.
    """
    return EntryOut.of(entries.add_entry(ctx.work, **body.model_dump()))


@router.get("/{entry_id}", permission="waitlist.read")
def get_waitlist_entry(ctx: RequestContext, entry_id: UUID) -> EntryOut:
    """Get a waitlist entry."""
    return EntryOut.of(entries.read_entry(ctx.work, ctx.scope, entry_id))


@router.patch("/{entry_id}", permission="waitlist.write")
def change_waitlist_entry(ctx: RequestContext, entry_id: UUID, version: Version, body: PreferencesIn) -> EntryOut:
    """Change the preferences of a waitlist entry."""
    changes = body.model_dump(exclude_unset=True)
    return EntryOut.of(entries.change_entry(ctx.work, ctx.scope, entry_id, version, changes))


@router.post("/{entry_id}/withdraw", permission="waitlist.write", errors=[WrongStatus])
def withdraw_waitlist_entry(ctx: RequestContext, entry_id: UUID) -> EntryOut:
    """Withdraw a waitlist entry."""
    return EntryOut.of(offers.withdraw_entry(ctx.work, ctx.scope, entry_id))


@router.get("/{entry_id}/offers", permission="waitlist.read")
def list_waitlist_offers(ctx: RequestContext, entry_id: UUID) -> WaitlistOffersOut:
    """List the offers of a waitlist entry.

    Newest first.
    """
    entry_offers = offers.list_offers(ctx.work, ctx.scope, entry_id)
    return WaitlistOffersOut(items=[OfferOut.of(offer) for offer in entry_offers])


@router.post(
    "/offers/{offer_id}/take",
    permission="waitlist.answer",
    status_code=201,
    errors=[*BOOKING_REFUSALS, offers.OfferClosed],
)
def take_waitlist_offer(ctx: RequestContext, offer_id: UUID) -> BookedOut:
    """Take a waitlist offer.

    Books the time held for the client.
    """
    return BookedOut.of(ctx, offers.take_offer(ctx.work, ctx.scope, offer_id))


@router.post("/offers/{offer_id}/decline", permission="waitlist.answer", errors=[offers.OfferClosed])
def decline_waitlist_offer(ctx: RequestContext, offer_id: UUID) -> OfferOut:
    """Decline a waitlist offer.

    The time is offered to the next matching client.
    """
    return OfferOut.of(offers.decline_offer(ctx.work, ctx.scope, offer_id))
