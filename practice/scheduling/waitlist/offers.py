"""Offers of freed times to waitlist entries."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from practice.errors import NotFound
from practice.messages.outbox import build_row, insert_rows, load_channels
from practice.people.practice_time import zone_of
from practice.people.settings import get_setting
from practice.scheduling import errors
from practice.scheduling.appointments.booking import BookingResult, book, find_problems_by_start, resolve
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import load_busy_intervals
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.waitlist.entries import build_preference, get_entry, read_entry
from practice.scheduling.waitlist.rules import Opening, is_suitable, sort_by_priority
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import update_versioned

OPEN_STATUSES = ("WAITING", "OFFERED")  # of entries


@dataclass(frozen=True)
class FreeTime:
    """A time that nothing takes, with what it would be booked for."""

    clinician_id: UUID
    service_id: UUID
    room_id: UUID | None
    telehealth: bool
    starts_at: datetime
    ends_at: datetime


Slot = Appointment | WaitlistOffer | FreeTime


class OfferClosed(errors.Refusal):
    """The waitlist offer is no longer open.

    Fix: wait for the next offer.
    """

    code = "OFFER_CLOSED"


def withdraw_entry(work: Work, scope: Scope, entry_id: UUID) -> WaitlistEntry:
    """Withdraw an entry. Its open offers go to the next matching entries."""
    get_entry(work, scope, entry_id)
    offers = lock_offers(work, select_open_offers(work).where(WaitlistOffer.entry_id == entry_id))
    entry = get_entry(work, scope, entry_id, lock=True)
    if entry.status not in OPEN_STATUSES:
        raise errors.WrongStatus("This entry is not waiting any more. Add a new one instead.")
    withdraw_locked_entries(work, [entry], offers)
    return entry


def lock_client_offers(work: Work, client_id: UUID) -> list[WaitlistOffer]:
    """Lock and return the open offers to the client, before their record and entries are locked."""
    entry_ids = select(WaitlistEntry.id).where(
        WaitlistEntry.tenant_id == work.tenant_id, WaitlistEntry.client_id == client_id
    )
    return lock_offers(work, select_open_offers(work).where(WaitlistOffer.entry_id.in_(entry_ids)))


def withdraw_client_entries(work: Work, client_id: UUID, offers: Collection[WaitlistOffer]) -> list[WaitlistEntry]:
    """Withdraw the open entries of a client who leaves, and return them. `offers` are the client's, locked."""
    query = select(WaitlistEntry).where(
        WaitlistEntry.tenant_id == work.tenant_id,
        WaitlistEntry.client_id == client_id,
        WaitlistEntry.status.in_(OPEN_STATUSES),
    )
    query = query.order_by(WaitlistEntry.created_at, WaitlistEntry.id).with_for_update(key_share=True)
    entries = list(work.db.scalars(query.execution_options(populate_existing=True)))
    withdraw_locked_entries(work, entries, offers)
    return entries


def withdraw_locked_entries(work: Work, entries: Collection[WaitlistEntry], offers: Collection[WaitlistOffer]) -> None:
    """Withdraw the entries and pass their offers on, or raise WrongStatus if there are other open offers by now."""
    open_offers = select_open_offers(work).where(WaitlistOffer.entry_id.in_([entry.id for entry in entries]))
    if set(work.db.scalars(open_offers)) != set(offers):
        raise errors.WrongStatus("The client was offered a time just now. Decline it first or try again.")
    for entry in entries:
        update_versioned(entry, {"status": "WITHDRAWN"})
    work.db.flush()
    for offer in offers:
        close_offer(work, offer, "DECLINED")
    for entry in entries:
        work.record("waitlist.withdrawn", "waitlist_entry", entry.id)


def select_open_offers(work: Work) -> Select[WaitlistOffer]:
    return select(WaitlistOffer).where(WaitlistOffer.tenant_id == work.tenant_id, WaitlistOffer.status == "OPEN")


def list_offers(work: Work, scope: Scope, entry_id: UUID) -> list[WaitlistOffer]:
    read_entry(work, scope, entry_id)
    query = select(WaitlistOffer).where(WaitlistOffer.tenant_id == work.tenant_id, WaitlistOffer.entry_id == entry_id)
    return list(work.db.scalars(query.order_by(WaitlistOffer.offered_at.desc(), WaitlistOffer.id)))


def offer_freed_slot(work: Work, freed: Appointment | WaitlistOffer) -> None:
    """Offer a freed time to the first matching and bookable waitlist entry, hold it for them and notify them."""
    if freed.starts_at <= work.now or getattr(freed, "group_session_id", None) is not None:
        return
    matching = find_matching_entries(work, freed)
    # when a series moves by a week, each freed time is the new time of the next appointment
    rooms = [freed.room_id] if freed.room_id else []
    if not matching or load_busy_intervals(work, [freed.clinician_id], rooms, [], freed.starts_at, freed.ends_at):
        return
    first = next((entry for entry in matching if is_bookable_for(work, entry, freed)), None)
    if first is None:
        return
    create_offer(work, first, freed)


def create_offer(work: Work, entry: WaitlistEntry, slot: Slot) -> WaitlistOffer:
    """Hold the time for the locked entry and notify its client."""
    holds_until = min(work.now + timedelta(hours=get_setting(work, "waitlist_offer_hours")), slot.starts_at)
    offer = WaitlistOffer(
        tenant_id=work.tenant_id,
        id=new_id(),
        entry_id=entry.id,
        clinician_id=slot.clinician_id,
        service_id=slot.service_id,
        room_id=slot.room_id,
        telehealth=slot.telehealth,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        offered_at=work.now,
        holds_until=holds_until,
        status="OPEN",
    )
    work.db.add(offer)
    update_versioned(entry, {"status": "OFFERED"})
    with errors.translate_constraint_errors():
        work.db.flush()
    insert_rows(
        work,
        [
            build_row(work, "WAITLIST_OFFER", channel, work.now) | {"client_id": entry.client_id}
            for channel in load_channels(work, entry.client_id)
        ],
    )
    work.record("waitlist.offered", "waitlist_entry", entry.id, offer=str(offer.id))
    return offer


def find_matching_entries(work: Work, freed: Slot) -> list[WaitlistEntry]:
    """Return matching entries by priority, excluding clients already offered this slot or who just released it."""
    opening = Opening(freed.clinician_id, freed.service_id, freed.starts_at, freed.ends_at)
    offered = aliased(WaitlistEntry)
    already_offered = (
        select(offered.client_id)
        .join(WaitlistOffer, (WaitlistOffer.tenant_id == offered.tenant_id) & (WaitlistOffer.entry_id == offered.id))
        .where(
            WaitlistOffer.tenant_id == work.tenant_id,
            WaitlistOffer.clinician_id == freed.clinician_id,
            WaitlistOffer.starts_at == freed.starts_at,
        )
    )
    entries = work.db.scalars(
        select(WaitlistEntry).where(
            WaitlistEntry.tenant_id == work.tenant_id,
            WaitlistEntry.status == "WAITING",
            WaitlistEntry.client_id.not_in(already_offered),
        )
    )
    releasing_client = getattr(freed, "client_id", None)
    by_preference = {build_preference(entry): entry for entry in entries if entry.client_id != releasing_client}
    if not by_preference:
        return []
    zone = zone_of(work)
    return [
        by_preference[preference]
        for preference in sort_by_priority(by_preference)
        if is_suitable(preference, opening, zone)
    ]


def is_bookable_for(work: Work, entry: WaitlistEntry, freed: Appointment | WaitlistOffer) -> bool:
    """Return whether the time can be booked for the entry, and lock the entry unless it was changed meanwhile."""
    request, context = resolve(work, build_booking_request(work, entry.client_id, freed))
    if any(find_problems_by_start(work, request, context, [request.starts_at]).values()):
        return False
    unchanged = select(WaitlistEntry.id).where(
        WaitlistEntry.tenant_id == work.tenant_id,
        WaitlistEntry.id == entry.id,
        WaitlistEntry.status == "WAITING",
        WaitlistEntry.version == entry.version,
    )
    return work.db.scalar(unchanged.with_for_update(skip_locked=True, key_share=True)) is not None


def build_booking_request(work: Work, client_id: UUID, slot: Slot) -> BookingRequest:
    return BookingRequest(
        client_id=client_id,
        clinician_id=slot.clinician_id,
        service_code=work.db.get_one(Service, (work.tenant_id, slot.service_id)).code,
        starts_at=slot.starts_at,
        room_id=slot.room_id,
        telehealth=slot.telehealth,
    )


def lock_offers(work: Work, query: Select[WaitlistOffer], *resource_ids: UUID) -> list[WaitlistOffer]:
    """Lock and return the offers that still match, after their clinicians, rooms and any further resources."""
    offers = work.db.scalars(query).all()
    lock_resources(
        work, [*resource_ids, *(resource for offer in offers for resource in (offer.clinician_id, offer.room_id))]
    )
    query = query.where(WaitlistOffer.id.in_([offer.id for offer in offers])).order_by(WaitlistOffer.id)
    return list(work.db.scalars(query.with_for_update(key_share=True).execution_options(populate_existing=True)))


def lock_offer(work: Work, scope: Scope, offer_id: UUID) -> tuple[WaitlistOffer, WaitlistEntry]:
    """Lock and return an open offer with its entry, or raise NotFound or OfferClosed."""
    unlocked = work.db.get(WaitlistOffer, (work.tenant_id, offer_id))
    if unlocked is None:
        raise NotFound
    client_id = get_entry(work, scope, unlocked.entry_id).client_id
    by_id = select(WaitlistOffer).where(WaitlistOffer.tenant_id == work.tenant_id, WaitlistOffer.id == offer_id)
    [offer] = lock_offers(work, by_id, client_id)
    entry = get_entry(work, scope, offer.entry_id, lock=True)
    if offer.status != "OPEN" or offer.holds_until <= work.now:
        raise OfferClosed("This offer is no longer open. Wait for the next one.")
    return offer, entry


def take_offer(work: Work, scope: Scope, offer_id: UUID) -> BookingResult:
    """Book the held time. If the booking is refused, the offer stays open."""
    offer, entry = lock_offer(work, scope, offer_id)
    offer.status = "TAKEN"
    update_versioned(entry, {"status": "BOOKED"})
    work.db.flush()
    booked = book(work, build_booking_request(work, entry.client_id, offer), from_waitlist_offer=True)
    work.record("waitlist.offer_taken", "waitlist_entry", entry.id, offer=str(offer.id))
    return booked


def decline_offer(work: Work, scope: Scope, offer_id: UUID) -> WaitlistOffer:
    """Decline an offer. The time goes to the next matching entry; this one keeps waiting."""
    offer, entry = lock_offer(work, scope, offer_id)
    update_versioned(entry, {"status": "WAITING"})
    close_offer(work, offer, "DECLINED")
    return offer


def close_offer(work: Work, offer: WaitlistOffer, status: str) -> None:
    """Close an offer and offer its time to the next entry."""
    offer.status = status
    work.db.flush()
    work.record(f"waitlist.offer_{status.lower()}", "waitlist_entry", offer.entry_id, offer=str(offer.id))
    offer_freed_slot(work, offer)


def expire_offers(work: Work) -> int:
    """Expire offers past their deadline, offer each time to the next entry, and return their number."""
    expired = lock_offers(work, select_open_offers(work).where(WaitlistOffer.holds_until <= work.now))
    for offer in expired:
        entry = get_entry(work, Scope.ALL, offer.entry_id, lock=True)
        update_versioned(entry, {"status": "WAITING"})
        close_offer(work, offer, "EXPIRED")
    return len(expired)
