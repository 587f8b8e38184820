"""Free times that the front desk offers: who on the waitlist could take one, and the offer to one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from practice.errors import FieldProblem, Invalid, Problem
from practice.people.access import visible_clients
from practice.scheduling import errors
from practice.scheduling.appointments.booking import (
    find_problems_by_start,
    lock_request_resources,
    raise_for_problems,
    resolve,
)
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.availability.expired_offers import release_expired_offers
from practice.scheduling.availability.slots import OFFERING_SQL
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.scheduling.waitlist.entries import get_entry
from practice.scheduling.waitlist.offers import FreeTime, create_offer, find_matching_entries
from practice.security.permissions import Scope
from practice.security.work import Work

MAX_CANDIDATES = 20


@dataclass(frozen=True)
class TimeRequest:
    """A time of a clinician for a service, which is to be offered."""

    clinician_id: UUID
    service_code: str
    starts_at: datetime
    room_id: UUID | None = None
    telehealth: bool = False


@dataclass(frozen=True)
class Candidate:
    """An entry whose preferences a free time matches, and what prevents that its client is booked then."""

    entry: WaitlistEntry
    problems: Sequence[Problem]


def list_candidates(work: Work, scope: Scope, time: TimeRequest) -> list[Candidate]:
    """Return the first entries that the time matches, in the order in which they are served, and record the access.

    Clients who were offered the same start before are left out.
    """
    query = select(WaitlistEntry.id).where(
        WaitlistEntry.tenant_id == work.tenant_id, visible_clients(work, scope, WaitlistEntry.client_id)
    )
    visible = set(work.db.scalars(query.where(WaitlistEntry.status == "WAITING")))
    candidates: list[Candidate] = []
    free = resolve_time(work, time)
    if visible:
        matching = [entry for entry in find_matching_entries(work, free) if entry.id in visible]
        for entry in matching[:MAX_CANDIDATES]:
            request, context = resolve(work, build_request(entry, time))
            problems = find_problems_by_start(work, request, context, [request.starts_at])[request.starts_at]
            candidates.append(Candidate(entry, list(dict.fromkeys(problems))))
    work.record_list("waitlist.matched", (candidate.entry.client_id for candidate in candidates))
    return candidates


def resolve_time(work: Work, time: TimeRequest) -> FreeTime:
    """Return the time with its end, or raise Invalid if it has passed, or its clinician or service is not there."""
    starts_at = time.starts_at.astimezone(UTC)
    if starts_at <= work.now:
        raise Invalid([FieldProblem("starts_at", "This time has passed. Choose a later one (`starts_at`).")])
    parameters = {"service_code": time.service_code, "clinician_ids": [time.clinician_id]}
    row = work.db.execute(OFFERING_SQL, {"tenant_id": work.tenant_id, **parameters}).one_or_none()
    if row is None:
        message = "This clinician does not offer the service. Choose another one (`service_code`)."
        raise Invalid([FieldProblem("service_code", message)])
    if row.service_kind == "GROUP":
        message = "Seats in a group are not offered to the waitlist. Choose another service (`service_code`)."
        raise Invalid([FieldProblem("service_code", message)])
    ends_at = starts_at + timedelta(minutes=row.minutes)
    return FreeTime(row.clinician_id, row.service_id, time.room_id, time.telehealth, starts_at, ends_at)


def build_request(entry: WaitlistEntry, time: TimeRequest) -> BookingRequest:
    return BookingRequest(client_id=entry.client_id, **vars(time))


def offer_time(work: Work, scope: Scope, entry_id: UUID, time: TimeRequest) -> WaitlistOffer:
    """Hold a free time for an entry and notify its client, or raise BookingRefused with what prevents it.

    The front desk chooses: the entry's preferences are not checked.
    """
    free = resolve_time(work, time)
    request, context = resolve(work, build_request(get_entry(work, scope, entry_id), time))
    lock_request_resources(work, request)
    release_expired_offers(work, free.clinician_id, free.room_id, [free.starts_at], free.ends_at - free.starts_at)
    entry = get_entry(work, scope, entry_id, lock=True)
    if entry.status != "WAITING":
        raise errors.WrongStatus("This entry is not waiting any more. Choose another one.")
    problems = find_problems_by_start(work, request, context, [request.starts_at])
    raise_for_problems(work, request, context, problems)
    return create_offer(work, entry, free)
