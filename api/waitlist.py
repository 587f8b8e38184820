"""The waitlist and its offers."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.appointments import BookedOut, booked_out
from api.deps import Desk, Version, endpoint
from api.fields import Day, TimeOfDay
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from practice.scheduling.errors import BOOKING_REFUSALS, WrongStatus
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.waitlist import entries, offers

router = APIRouter(prefix="/waitlist", tags=["waitlist"])

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


@endpoint(router, "GET", "", may="waitlist.read")
def list_waitlist(desk: Desk, query: Annotated[WaitlistQuery, Query()]) -> PageOut[EntryInList]:
    """Who waits for what. Sorts by created_at, priority or id."""
    return page_out(entries.list_entries(desk.work, query.asked(), desk.scope, query.status), EntryOut)


@endpoint(router, "POST", "", may="waitlist.write", status=201)
def add_to_waitlist(desk: Desk, body: EntryIn) -> EntryOut:
    """Put a client on the waitlist, with what would suit them."""
    return EntryOut.of(entries.add_entry(desk.work, **body.model_dump()))


@endpoint(router, "GET", "/{entry_id}", may="waitlist.read")
def get_waitlist_entry(desk: Desk, entry_id: UUID) -> EntryOut:
    """One entry."""
    return EntryOut.of(entries.read_entry(desk.work, entry_id, desk.scope))


@endpoint(router, "PATCH", "/{entry_id}", may="waitlist.write")
def change_waitlist_entry(desk: Desk, entry_id: UUID, version: Version, body: WishIn) -> EntryOut:
    """Change what would suit them."""
    changes = body.model_dump(exclude_unset=True)
    return EntryOut.of(entries.change_entry(desk.work, entry_id, desk.scope, version, changes))


@endpoint(router, "POST", "/{entry_id}/withdraw", may="waitlist.write", refusals=[WrongStatus])
def withdraw_waitlist_entry(desk: Desk, entry_id: UUID) -> EntryOut:
    """They no longer wait."""
    return EntryOut.of(offers.withdraw_entry(desk.work, entry_id, desk.scope))


@endpoint(router, "GET", "/{entry_id}/offers", may="waitlist.read")
def list_waitlist_offers(desk: Desk, entry_id: UUID) -> WaitlistOffersOut:
    """What they were offered, newest first."""
    found = offers.list_offers(desk.work, entry_id, desk.scope)
    return WaitlistOffersOut(items=[OfferOut.of(offer) for offer in found])


@endpoint(
    router,
    "POST",
    "/offers/{offer_id}/take",
    may="waitlist.answer",
    status=201,
    refusals=[*BOOKING_REFUSALS, offers.OfferClosed],
)
def take_waitlist_offer(desk: Desk, offer_id: UUID) -> BookedOut:
    """Book the time that is kept for them."""
    return booked_out(desk, offers.take_offer(desk.work, offer_id, desk.scope))


@endpoint(router, "POST", "/offers/{offer_id}/decline", may="waitlist.answer", refusals=[offers.OfferClosed])
def decline_waitlist_offer(desk: Desk, offer_id: UUID) -> OfferOut:
    """It goes to the next whom it suits."""
    return OfferOut.of(offers.decline_offer(desk.work, offer_id, desk.scope))
