"""Routes of the waitlist and its offers."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.appointments import BookedOut
from api.context import RequestContext, Version
from api.fields import (
    EXAMPLE_ID,
    ClientId,
    ClinicianId,
    CreatedAt,
    Day,
    Instant,
    RecordId,
    RecordVersion,
    RoomId,
    Text40,
    TimeOfDay,
    describe,
    example,
)
from api.names import ClientName, RoomName, ServiceName, ServiceNames, StaffName, StaffNames, from_record
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.scheduling.catalog.services import load_service_codes
from practice.scheduling.errors import BOOKING_REFUSALS, WrongStatus
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.waitlist import entries, free_times, offers

router = PermissionRouter(prefix="/waitlist", tags=["waitlist"])

Ids = Annotated[list[UUID], Field(max_length=50)]
Codes = Annotated[list[Text40], Field(max_length=50, description="Service codes; empty for all services.")]
Weekdays = Annotated[list[Annotated[int, Field(ge=0, le=6)]], Field(max_length=7, description="0 is Sunday.")]
Priority = Annotated[int, Field(ge=1, le=3, description="1 is served first.")]


class PreferencesIn(Input):
    """An empty field means any: clinician, service, day or time."""

    model_config = example(weekdays=[1, 3], time_from="16:00", priority=1)

    clinician_ids: Annotated[Ids, describe("The clinicians that suit; empty for any.")] = Field(default_factory=list)
    service_codes: Codes = Field(default_factory=list)
    weekdays: Weekdays = Field(default_factory=list)
    time_from: Annotated[TimeOfDay | None, describe("The earliest time of day that suits, local.")] = None
    time_to: Annotated[TimeOfDay | None, describe("The latest end of the session that suits, local.")] = None
    until_on: Annotated[Day | None, describe("The last day on which an offer is welcome.")] = None
    priority: Priority = 2


class WaitlistEntryIn(PreferencesIn):
    model_config = example(client_id=EXAMPLE_ID, weekdays=[1, 3], time_from="16:00")

    client_id: Annotated[UUID, describe("Who waits.")]


class WaitlistQuery(ListQuery):
    status: Annotated[
        Literal["WAITING", "OFFERED", "BOOKED", "WITHDRAWN"] | None, describe("Only with this status.")
    ] = None


class WaitlistEntryOut(BaseModel):
    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    clinician_ids: Annotated[list[UUID], describe("The clinicians that suit; empty for any.")]
    clinician_names: StaffNames = Field(default_factory=list)
    service_codes: Annotated[list[str], describe("Codes of the services that suit; empty for any.")]
    service_names: ServiceNames = Field(default_factory=list)
    weekdays: Annotated[list[int], describe("Days that suit, 0 for Sunday to 6 for Saturday; empty for any.")]
    time_from: Annotated[TimeOfDay | None, describe("The earliest time of day that suits, local.")]
    time_to: Annotated[TimeOfDay | None, describe("The latest end of the session that suits, local.")]
    until_on: Annotated[date | None, describe("The last day on which an offer is welcome.")]
    priority: Annotated[int, describe("1 first, 3 last.")]
    status: Annotated[str, describe("`WAITING`, `OFFERED`, `BOOKED` or `WITHDRAWN`.")]
    created_at: CreatedAt
    version: RecordVersion

    @classmethod
    def of(cls, entry: WaitlistEntry, service_codes: Mapping[UUID, str]) -> "WaitlistEntryOut":
        return from_record(
            cls, entry, service_codes=sorted(service_codes[service_id] for service_id in entry.service_ids)
        )


class NewWaitlistEntryOut(WaitlistEntryOut):
    warnings: Annotated[list[str], describe("Whether the client already waits for some of the same times.")]


class OfferOut(BaseModel):
    id: RecordId
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    service_code: Annotated[str, describe("The code of the service in the catalog.")]
    service_name: ServiceName = None
    room_id: RoomId | None
    room_name: RoomName = None
    starts_at: Annotated[datetime, describe("When it begins.")]
    ends_at: Annotated[datetime, describe("When it ends.")]
    offered_at: Annotated[datetime, describe("When it was offered.")]
    holds_until: Annotated[datetime, describe("Until when the time is held.")]
    status: Annotated[str, describe("What became of the offer.")]

    @classmethod
    def of(cls, offer: WaitlistOffer, service_codes: Mapping[UUID, str]) -> "OfferOut":
        return from_record(cls, offer, service_code=service_codes[offer.service_id])


class FreeTimeIn(Input):
    """A free time of a clinician, with what it would be booked for."""

    model_config = example(clinician_id=EXAMPLE_ID, service_code="IND45", starts_at="2026-03-20T10:00:00-04:00")

    clinician_id: Annotated[UUID, describe("The clinician.")]
    service_code: Annotated[Text40, describe("The code of the service in the catalog, which decides the length.")]
    starts_at: Annotated[Instant, describe("When it begins.")]
    room_id: Annotated[UUID | None, describe("The room; left out, none.")] = None
    telehealth: Annotated[bool, describe("Held by video.")] = False

    def to_request(self) -> free_times.TimeRequest:
        return free_times.TimeRequest(**self.model_dump())


class CandidateOut(BaseModel):
    entry: Annotated[WaitlistEntryOut, describe("The entry of the waitlist.")]
    problems: Annotated[list[str], describe("What prevents that the client is booked then; empty if nothing.")]


class CandidatesOut(BaseModel):
    items: Annotated[list[CandidateOut], describe("The first entries that the time suits, first served first.")]


class WaitlistOffersOut(BaseModel):
    items: Annotated[list[OfferOut], describe("The offers, latest first.")]


WaitlistEntryInList: Any = partial_model(WaitlistEntryOut)


def load_codes(ctx: RequestContext, waitlist_entries: Sequence[WaitlistEntry]) -> dict[UUID, str]:
    """Return the codes of the entries' services by id."""
    return load_service_codes(ctx.work, {service_id for entry in waitlist_entries for service_id in entry.service_ids})


def to_response(ctx: RequestContext, entry: WaitlistEntry) -> WaitlistEntryOut:
    [response] = list_entries_out(ctx, [entry])
    return response


def list_entries_out(ctx: RequestContext, waitlist_entries: Sequence[WaitlistEntry]) -> list[WaitlistEntryOut]:
    """Return the entries as responses."""
    codes = load_codes(ctx, waitlist_entries)
    return [WaitlistEntryOut.of(entry, codes) for entry in waitlist_entries]


def to_offers(ctx: RequestContext, *entry_offers: WaitlistOffer) -> list[OfferOut]:
    codes = load_service_codes(ctx.work, {offer.service_id for offer in entry_offers})
    return [OfferOut.of(offer, codes) for offer in entry_offers]


@router.get("", permission="waitlist.read")
def list_waitlist(ctx: RequestContext, query: Annotated[WaitlistQuery, Query()]) -> PageOut[WaitlistEntryInList]:
    """List the waitlist.

    Sorts by created_at, priority or id.
    """
    page = entries.list_entries(ctx.work, ctx.scope, query.page_request(), query.status)
    return to_page(page, WaitlistEntryOut, load_codes(ctx, page.items))


@router.post("", permission="waitlist.write", status_code=201)
def add_to_waitlist(ctx: RequestContext, body: WaitlistEntryIn) -> NewWaitlistEntryOut:
    """Add a client to the waitlist.

    With their preferences. `warnings` says when they already wait for some of the same times.
    """
    entry, warnings = entries.add_entry(ctx.work, **body.model_dump())
    return NewWaitlistEntryOut(**to_response(ctx, entry).model_dump(), warnings=warnings)


@router.get("/candidates", permission="waitlist.write")
def list_waitlist_candidates(ctx: RequestContext, query: Annotated[FreeTimeIn, Query()]) -> CandidatesOut:
    """List the waitlist entries that a free time suits.

    In the order in which they are served, without clients who were offered the same start before.
    """
    candidates = free_times.list_candidates(ctx.work, ctx.scope, query.to_request())
    shown = list_entries_out(ctx, [candidate.entry for candidate in candidates])
    return CandidatesOut(
        items=[
            CandidateOut(entry=entry, problems=[problem.message for problem in candidate.problems])
            for entry, candidate in zip(shown, candidates, strict=True)
        ]
    )


@router.get("/{entry_id}", permission="waitlist.read")
def get_waitlist_entry(ctx: RequestContext, entry_id: UUID) -> WaitlistEntryOut:
    """Get a waitlist entry."""
    return to_response(ctx, entries.read_entry(ctx.work, ctx.scope, entry_id))


@router.patch("/{entry_id}", permission="waitlist.write")
def change_waitlist_entry(
    ctx: RequestContext, entry_id: UUID, version: Version, body: PreferencesIn
) -> WaitlistEntryOut:
    """Change the preferences of a waitlist entry."""
    changes = body.model_dump(exclude_unset=True)
    return to_response(ctx, entries.change_entry(ctx.work, ctx.scope, entry_id, version, changes))


@router.post("/{entry_id}/withdraw", permission="waitlist.write", errors=[WrongStatus])
def withdraw_waitlist_entry(ctx: RequestContext, entry_id: UUID) -> WaitlistEntryOut:
    """Withdraw a waitlist entry."""
    return to_response(ctx, offers.withdraw_entry(ctx.work, ctx.scope, entry_id))


@router.get("/{entry_id}/offers", permission="waitlist.read")
def list_waitlist_offers(ctx: RequestContext, entry_id: UUID) -> WaitlistOffersOut:
    """List the offers of a waitlist entry.

    Newest first.
    """
    return WaitlistOffersOut(items=to_offers(ctx, *offers.list_offers(ctx.work, ctx.scope, entry_id)))


@router.post(
    "/{entry_id}/offers", permission="waitlist.write", status_code=201, errors=[*BOOKING_REFUSALS, WrongStatus]
)
def offer_free_time(ctx: RequestContext, entry_id: UUID, body: FreeTimeIn) -> OfferOut:
    """Offer a free time to a waitlist entry.

    Holds the time for the client and notifies them. Their preferences are not checked.
    """
    return to_offers(ctx, free_times.offer_time(ctx.work, ctx.scope, entry_id, body.to_request()))[0]


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
