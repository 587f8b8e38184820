"""Offers of freed times to waitlist entries."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select

from practice.errors import NotFound
from practice.messages.outbox import channels_of, message_row, put
from practice.people.practice_time import zone_of
from practice.people.settings import setting
from practice.scheduling import errors
from practice.scheduling.appointments.booking import Booked, book, problems_by_start, understand
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import busy_of
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.waitlist.entries import get_entry, read_entry
from practice.scheduling.waitlist.rules import Opening, Wish, fits, in_order
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import apply


class OfferClosed(errors.Refusal):
    code = "OFFER_CLOSED"


def withdraw_entry(work: Work, entry_id: UUID, scope: Scope) -> WaitlistEntry:
    """They no longer wait; what was offered to them goes to the next."""
    get_entry(work, entry_id, scope)
    of_entry = open_offers(work).where(WaitlistOffer.entry_id == entry_id)
    offers = lock_offers(work, of_entry)
    entry = get_entry(work, entry_id, scope, lock=True)
    if entry.status not in ("WAITING", "OFFERED"):
        raise errors.WrongStatus("This entry is no longer waiting.")
    if set(work.db.scalars(of_entry)) != set(offers):
        raise errors.WrongStatus("They were offered a time just now. Decline it first, or try again.")
    apply(entry, {"status": "WITHDRAWN"})
    work.db.flush()
    for offer in offers:
        close_offer(work, offer, "DECLINED")
    work.record("waitlist.withdrawn", "waitlist_entry", entry_id)
    return entry


def open_offers(work: Work) -> Select[WaitlistOffer]:
    return select(WaitlistOffer).where(WaitlistOffer.tenant_id == work.tenant_id, WaitlistOffer.status == "OPEN")


def list_offers(work: Work, entry_id: UUID, scope: Scope) -> list[WaitlistOffer]:
    read_entry(work, entry_id, scope)
    query = select(WaitlistOffer).where(WaitlistOffer.tenant_id == work.tenant_id, WaitlistOffer.entry_id == entry_id)
    return list(work.db.scalars(query.order_by(WaitlistOffer.offered_at.desc(), WaitlistOffer.id)))


def offer_freed(work: Work, freed: Appointment | WaitlistOffer) -> None:
    """Keep a time that became free for the first on the waitlist whom it suits and who can have it, and tell them."""
    if freed.starts_at <= work.now or getattr(freed, "group_session_id", None) is not None:
        return
    suited = whom_it_suits(work, freed)
    # when a series moves by a week, each time is the next one's new one
    rooms = [freed.room_id] if freed.room_id else []
    if not suited or busy_of(work, [freed.clinician_id], rooms, [], freed.starts_at, freed.ends_at):
        return
    first = next((entry for entry in suited if can_have(work, entry, freed)), None)
    if first is None:
        return
    holds_until = min(work.now + timedelta(hours=setting(work, "waitlist_offer_hours")), freed.starts_at)
    offer = WaitlistOffer(
        tenant_id=work.tenant_id,
        id=new_id(),
        entry_id=first.id,
        clinician_id=freed.clinician_id,
        service_id=freed.service_id,
        room_id=freed.room_id,
        telehealth=freed.telehealth,
        starts_at=freed.starts_at,
        ends_at=freed.ends_at,
        offered_at=work.now,
        holds_until=holds_until,
        status="OPEN",
    )
    work.db.add(offer)
    apply(first, {"status": "OFFERED"})
    work.db.flush()
    put(
        work,
        [
            message_row(work, "WAITLIST_OFFER", channel, work.now) | {"client_id": first.client_id}
            for channel in sorted(channels_of(work, first.client_id))
        ],
    )
    work.record("waitlist.offered", "waitlist_entry", first.id, offer=str(offer.id))


def whom_it_suits(work: Work, freed: Appointment | WaitlistOffer) -> list[WaitlistEntry]:
    """In their order. Nobody is asked twice about one time, nor whoever has just given it up."""
    opening = Opening(freed.clinician_id, freed.service_id, freed.starts_at, freed.ends_at)
    asked = select(WaitlistOffer.entry_id).where(
        WaitlistOffer.tenant_id == work.tenant_id,
        WaitlistOffer.clinician_id == freed.clinician_id,
        WaitlistOffer.starts_at == freed.starts_at,
    )
    entries = work.db.scalars(
        select(WaitlistEntry).where(
            WaitlistEntry.tenant_id == work.tenant_id,
            WaitlistEntry.status == "WAITING",
            WaitlistEntry.id.not_in(asked),
        )
    )
    gave_up = getattr(freed, "client_id", None)
    wishes = {wish_of(entry): entry for entry in entries if entry.client_id != gave_up}
    if not wishes:
        return []
    zone = zone_of(work)
    return [wishes[wish] for wish in in_order(wishes) if fits(wish, opening, zone)]


def can_have(work: Work, entry: WaitlistEntry, freed: Appointment | WaitlistOffer) -> bool:
    """Whether nothing speaks against booking them, and nobody changes their wish or has just done so."""
    wanted, facts = understand(work, wanted_for(work, entry.client_id, freed))
    if any(problems_by_start(work, wanted, facts, [wanted.starts_at]).values()):
        return False
    lock = select(WaitlistEntry.id).where(
        WaitlistEntry.tenant_id == work.tenant_id,
        WaitlistEntry.id == entry.id,
        WaitlistEntry.status == "WAITING",
        WaitlistEntry.version == entry.version,
    )
    return work.db.scalar(lock.with_for_update(skip_locked=True, key_share=True)) is not None


def wanted_for(work: Work, client_id: UUID, time: Appointment | WaitlistOffer) -> Wanted:
    return Wanted(
        client_id=client_id,
        clinician_id=time.clinician_id,
        service_code=work.db.get_one(Service, (work.tenant_id, time.service_id)).code,
        starts_at=time.starts_at,
        room_id=time.room_id,
        telehealth=time.telehealth,
    )


def wish_of(entry: WaitlistEntry) -> Wish:
    return Wish(
        client=entry.client_id,
        since=entry.created_at,
        priority=entry.priority,
        clinicians=frozenset(entry.clinician_ids),
        services=frozenset(entry.service_ids),
        weekdays=frozenset(entry.weekdays),
        from_time=entry.time_from,
        to_time=entry.time_to,
        until=entry.until_on,
    )


def lock_offers(work: Work, wanted: Select[WaitlistOffer], *more: UUID) -> list[WaitlistOffer]:
    """With their clinicians and rooms, which they go on keeping for somebody or give back."""
    kept = work.db.scalars(wanted).all()
    lock_resources(work, [*more, *(resource for one in kept for resource in (one.clinician_id, one.room_id))])
    wanted = wanted.where(WaitlistOffer.id.in_([one.id for one in kept])).order_by(WaitlistOffer.id)
    return list(work.db.scalars(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)))


def lock_offer(work: Work, offer_id: UUID, scope: Scope) -> tuple[WaitlistOffer, WaitlistEntry]:
    kept = work.db.get(WaitlistOffer, (work.tenant_id, offer_id))
    if kept is None:
        raise NotFound
    client_id = get_entry(work, kept.entry_id, scope).client_id
    by_id = select(WaitlistOffer).where(WaitlistOffer.tenant_id == work.tenant_id, WaitlistOffer.id == offer_id)
    [offer] = lock_offers(work, by_id, client_id)
    entry = get_entry(work, offer.entry_id, scope, lock=True)
    if offer.status != "OPEN" or offer.holds_until <= work.now:
        raise OfferClosed("This offer is no longer open. The next one will come when a time becomes free.")
    return offer, entry


def take_offer(work: Work, offer_id: UUID, scope: Scope) -> Booked:
    """Book the time that was kept. If something speaks against it after all, the offer stays as it was."""
    offer, entry = lock_offer(work, offer_id, scope)
    offer.status = "TAKEN"
    apply(entry, {"status": "BOOKED"})
    work.db.flush()
    booked = book(work, wanted_for(work, entry.client_id, offer), offered=True)
    work.record("waitlist.offer_taken", "waitlist_entry", entry.id, offer=str(offer.id))
    return booked


def decline_offer(work: Work, offer_id: UUID, scope: Scope) -> WaitlistOffer:
    """The time goes to the next whom it suits; whoever declined goes on waiting."""
    offer, entry = lock_offer(work, offer_id, scope)
    apply(entry, {"status": "WAITING"})
    close_offer(work, offer, "DECLINED")
    return offer


def close_offer(work: Work, offer: WaitlistOffer, status: str) -> None:
    offer.status = status
    work.db.flush()
    work.record(f"waitlist.offer_{status.lower()}", "waitlist_entry", offer.entry_id, offer=str(offer.id))
    offer_freed(work, offer)


def expire_offers(work: Work) -> int:
    """Those whose time to answer is over; each goes to the next. For a scheduled run."""
    lapsed = lock_offers(work, open_offers(work).where(WaitlistOffer.holds_until <= work.now))
    for offer in lapsed:
        entry = get_entry(work, offer.entry_id, Scope.ALL, lock=True)
        apply(entry, {"status": "WAITING"})
        close_offer(work, offer, "EXPIRED")
    return len(lapsed)
