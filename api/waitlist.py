"""Routes of the waitlist and its offers."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.appointments import BookedOut
from api.context import RequestContext, Version
from api.fields import Day, Text40, TimeOfDay
from api.names import ClientName, RoomName, ServiceName, ServiceNames, StaffName, StaffNames, from_record
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.scheduling.catalog.services import load_service_codes
from practice.scheduling.errors import BOOKING_REFUSALS, WrongStatus
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.waitlist import entries, offers

router = PermissionRouter(prefix="/waitlist", tags=["waitlist"])

Ids = Annotated[list[UUID], Field(max_length=50)]
Codes = Annotated[list[Text40], Field(max_length=50, description="Service codes; empty for all services.")]
Weekdays = Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7, description="0 is Sunday.")]
Priority = Annotated[int, Field(ge=1, le=3, description="1 is served first.")]


class PreferencesIn(Input):
    """An empty field means any: clinician, service, day or time."""

    clinician_ids: Ids = Field(default_factory=list)
    service_codes: Codes = Field(default_factory=list)
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
    client_name: ClientName = None
    clinician_ids: list[UUID]
    clinician_names: StaffNames = Field(default_factory=list)
    service_codes: list[str]
    service_names: ServiceNames = Field(default_factory=list)
    weekdays: list[int]
    time_from: TimeOfDay | None
    time_to: TimeOfDay | None
    until_on: date | None
    priority: int
    status: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, entry: WaitlistEntry, service_codes: Mapping[UUID, str]) -> "EntryOut":
        return from_record(
            cls, entry, service_codes=sorted(service_codes[service_id] for service_id in entry.service_ids)
        )


class OfferOut(BaseModel):
    id: UUID
    clinician_id: UUID
    clinician_name: StaffName = None
    service_code: str
    service_name: ServiceName = None
    room_id: UUID | None
    room_name: RoomName = None
    starts_at: datetime
    ends_at: datetime
    offered_at: datetime
    holds_until: datetime
    status: str

    @classmethod
    def of(cls, offer: WaitlistOffer, service_codes: Mapping[UUID, str]) -> "OfferOut":
        return from_record(cls, offer, service_code=service_codes[offer.service_id])


class WaitlistOffersOut(BaseModel):
    items: list[OfferOut]


EntryInList: Any = partial_model(EntryOut)


def load_codes(ctx: RequestContext, waitlist_entries: Sequence[WaitlistEntry]) -> dict[UUID, str]:
    """Return the codes of the entries' services by id."""
    return load_service_codes(ctx.work, {service_id for entry in waitlist_entries for service_id in entry.service_ids})


def to_response(ctx: RequestContext, entry: WaitlistEntry) -> EntryOut:
    return EntryOut.of(entry, load_codes(ctx, [entry]))


def to_offers(ctx: RequestContext, *entry_offers: WaitlistOffer) -> list[OfferOut]:
    codes = load_service_codes(ctx.work, {offer.service_id for offer in entry_offers})
    return [OfferOut.of(offer, codes) for offer in entry_offers]


@router.get("", permission="waitlist.read")
def list_waitlist(ctx: RequestContext, query: Annotated[WaitlistQuery, Query()]) -> PageOut[EntryInList]:
    """List the waitlist.

    Sorts by created_at, priority or id.
    """
    page = entries.list_entries(ctx.work, ctx.scope, query.page_request(), query.status)
    return to_page(page, EntryOut, load_codes(ctx, page.items))


@router.post("", permission="waitlist.write", status_code=201)
def add_to_waitlist(ctx: RequestContext, body: EntryIn) -> EntryOut:
    """Add a client to the waitlist.

    With their preferences.
    """
    return to_response(ctx, entries.add_entry(ctx.work, **body.model_dump()))


@router.get("/{entry_id}", permission="waitlist.read")
def get_waitlist_entry(ctx: RequestContext, entry_id: UUID) -> EntryOut:
    """Get a waitlist entry."""
    return to_response(ctx, entries.read_entry(ctx.work, ctx.scope, entry_id))


@router.patch("/{entry_id}", permission="waitlist.write")
def change_waitlist_entry(ctx: RequestContext, entry_id: UUID, version: Version, body: PreferencesIn) -> EntryOut:
    """Change the preferences of a waitlist entry."""
    changes = body.model_dump(exclude_unset=True)
    return to_response(ctx, entries.change_entry(ctx.work, ctx.scope, entry_id, version, changes))


@router.post("/{entry_id}/withdraw", permission="waitlist.write", errors=[WrongStatus])
def withdraw_waitlist_entry(ctx: RequestContext, entry_id: UUID) -> EntryOut:
    """Withdraw a waitlist entry."""
    return to_response(ctx, offers.withdraw_entry(ctx.work, ctx.scope, entry_id))


@router.get("/{entry_id}/offers", permission="waitlist.read")
def list_waitlist_offers(ctx: RequestContext, entry_id: UUID) -> WaitlistOffersOut:
    """List the offers of a waitlist entry.

    Newest first.
    """
    return WaitlistOffersOut(items=to_offers(ctx, *offers.list_offers(ctx.work, ctx.scope, entry_id)))


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
    return to_offers(ctx, offers.decline_offer(ctx.work, ctx.scope, offer_id))[0]
