"""Rescheduling: the original appointment becomes RESCHEDULED and a replacement is created in one transaction."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from practice.errors import Problem
from practice.local_time import to_instant
from practice.messages.outbox import cancel_pending
from practice.people.models.practices import Practice
from practice.scheduling import errors
from practice.scheduling.appointments.booking import (
    create_appointments,
    find_conflicts_by_start,
    find_problems_by_start,
    raise_for_problems,
    write_steps,
)
from practice.scheduling.appointments.booking_context import BookingContext, load_booking_context
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.lifecycle import SeriesScope, lock_in_series, refuse_late_changes
from practice.scheduling.appointments.move_requests import withdraw_open_requests
from practice.scheduling.appointments.online import address_caller, booking_window_problems
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.models.catalog import Service
from practice.scheduling.waitlist.offers import offer_freed_slot
from practice.security.permissions import Scope
from practice.security.work import Work


@dataclass(frozen=True)
class MoveBatch:
    """Appointments of a series with the same clinician, room, service and telehealth: checked and created together."""

    originals: list[Appointment]
    starts: list[datetime]
    request: BookingRequest
    context: BookingContext


def move(
    work: Work,
    scope: Scope,
    appointment_id: UUID,
    starts_at: datetime,
    series_scope: SeriesScope = "this",
    changes: dict[str, Any] | None = None,
) -> list[Appointment]:
    """Move an appointment, or more of its series, to another time, clinician or room, and return the replacements.

    The others of the series move by the same number of days and the same difference in local time. Either all move or
    none.
    """
    first, originals = lock_in_series(work, scope, appointment_id, series_scope)
    refuse_late_changes(work, originals, "RESCHEDULED")
    refuse_group_seats(work, originals)
    zone = ZoneInfo(work.db.get_one(Practice, work.tenant_id).time_zone)
    starts = compute_new_starts(originals, first, starts_at.astimezone(UTC), zone)
    batches = group_into_batches(work, originals, starts, changes or {})
    refuse_batches(work, batches, find_problems_by_start, booking_window_problems(work, starts_at, min(starts)))
    clinicians = [batch.request.clinician_id for batch in batches] + [original.clinician_id for original in originals]
    rooms = [batch.request.room_id for batch in batches] + [original.room_id for original in originals]
    lock_resources(work, [first.client_id, *clinicians, *rooms])
    refuse_batches(work, batches, find_conflicts_by_start)
    mark_rescheduled(work, originals)
    replacements: dict[UUID, Appointment] = {}
    for batch in batches:
        created = create_appointments(
            work,
            batch.request,
            batch.context,
            batch.starts,
            series_id=batch.originals[0].series_id,
            notification=None if replacements else "MOVED",
        )
        replacements |= {original.id: new for original, new in zip(batch.originals, created, strict=True)}
    for original in originals:
        new = replacements[original.id]
        original.rescheduled_to_id = new.id
        new.type, new.special_requests = original.type, original.special_requests
        new.instructions = original.instructions
        work.record("appointment.moved", "appointment", original.id, to=str(new.id))
    work.db.flush()
    for original in originals:
        offer_freed_slot(work, original)
    return [replacements[original.id] for original in originals]


def refuse_group_seats(work: Work, originals: Sequence[Appointment]) -> None:
    """Raise BookingRefused if any of the appointments is a seat in a group."""
    if any(original.group_session_id is not None for original in originals):
        message = "A group seat cannot be moved. Cancel it and book a seat in another group."
        raise errors.build_refusal(address_caller(work, [Problem("NOT_BOOKABLE", message)]))


def compute_new_starts(
    originals: Sequence[Appointment | GroupSession],
    first: Appointment | GroupSession,
    starts_at: datetime,
    zone: ZoneInfo,
) -> list[datetime]:
    """Return the new starts of all appointments or groups, given the new start of the first."""
    new_local, old_local = (at.astimezone(zone).replace(tzinfo=None) for at in (starts_at, first.starts_at))
    shifted = [
        original.starts_at.astimezone(zone).replace(tzinfo=None) + (new_local - old_local) for original in originals
    ]
    return [
        starts_at if original is first else to_instant(local.date(), local.time(), zone)
        for original, local in zip(originals, shifted, strict=True)
    ]


def group_into_batches(
    work: Work, originals: Sequence[Appointment], starts: Sequence[datetime], changes: dict[str, Any]
) -> list[MoveBatch]:
    """Group the appointments and their new starts into batches that are checked together."""
    groups: dict[Any, list[tuple[Appointment, datetime]]] = defaultdict(list)
    for original, start in zip(originals, starts, strict=True):
        key = (original.clinician_id, original.room_id, original.service_id, original.telehealth)
        groups[key].append((original, start))
    moved_from = frozenset(original.id for original in originals)
    return [build_batch(work, pairs, moved_from, changes) for pairs in groups.values()]


def build_batch(
    work: Work,
    pairs: Sequence[tuple[Appointment, datetime]],
    moved_from: frozenset[UUID],
    changes: dict[str, Any],
) -> MoveBatch:
    """Build the booking request of the batch and load its context."""
    originals, starts = [original for original, _ in pairs], [start for _, start in pairs]
    request = BookingRequest(
        client_id=originals[0].client_id,
        clinician_id=originals[0].clinician_id,
        service_code=work.db.get_one(Service, (work.tenant_id, originals[0].service_id)).code,
        starts_at=starts[0],
        room_id=originals[0].room_id,
        telehealth=originals[0].telehealth,
        moved_from=moved_from,
    )
    request = replace(request, **changes)
    context = load_booking_context(
        work,
        client_id=request.client_id,
        clinician_id=request.clinician_id,
        service_code=request.service_code,
        room_id=request.room_id,
        starts_at=request.starts_at,
    )
    return MoveBatch(originals, starts, request, context)


def refuse_batches(
    work: Work,
    batches: Sequence[MoveBatch],
    find_problems: Callable[[Work, BookingRequest, BookingContext, Sequence[datetime]], dict[datetime, list[Problem]]],
    first_problems: Sequence[Problem] = (),
) -> None:
    """Raise BookingRefused for the first batch with problems. `first_problems` belong to its first start."""
    for batch in batches:
        problems = find_problems(work, batch.request, batch.context, batch.starts)
        problems[batch.starts[0]] += first_problems
        raise_for_problems(work, batch.request, batch.context, problems)


def mark_rescheduled(work: Work, originals: Sequence[Appointment]) -> None:
    """Set the originals to RESCHEDULED, which frees their times for the replacements."""
    for original in originals:
        original.status, original.status_at = "RESCHEDULED", work.now
        original.version += 1
    work.db.flush()
    write_steps(work, [(original.id, "RESCHEDULED", None) for original in originals])
    ids = [original.id for original in originals]
    cancel_pending(work, ids)
    withdraw_open_requests(work, ids, "RESCHEDULED")
