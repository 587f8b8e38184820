"""Booking: the checks before a time is taken, and the appointments that take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert

from practice.errors import Problem
from practice.local_time import date_of
from practice.messages.outbox import ClientMessage, queue_client_messages
from practice.scheduling import errors
from practice.scheduling.appointments.alternatives import find_alternatives
from practice.scheduling.appointments.booking_context import BookingContext, load_booking_context
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.consents import limit_open_visits
from practice.scheduling.appointments.groups import ensure_group_session, is_full, load_group_session, seat_problems
from practice.scheduling.appointments.notifications import find_reach_warnings, list_reminders
from practice.scheduling.appointments.online import address_caller, online_problems, open_visit_problems
from practice.scheduling.appointments.references import generate_references
from practice.scheduling.appointments.rules.booking_eligibility import booking_problems, list_consent_warnings
from practice.scheduling.availability.expired_offers import release_expired_offers
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import BusyInterval, load_busy_intervals, load_hours
from practice.scheduling.availability.rules.free_time import Span, compute_hours, outside_hours_problem
from practice.scheduling.catalog.quotes import Cost, compute_cost
from practice.scheduling.models.appointments import Appointment, AppointmentStep
from practice.security.work import Work
from practice.store.ids import new_id

STEPS = cast(Table, AppointmentStep.__table__)  # the table: no objects are needed for inserts
TYPE_OF_KIND = {
    "INTAKE": "INITIAL_EVALUATION",
    "GROUP": "GROUP_THERAPY",
    "FAMILY": "FAMILY_THERAPY",
    "MEDICATION": "MEDICATION_MANAGEMENT",
}
CONFLICT_MESSAGES = {
    ("clinician", "booked"): "The clinician has another appointment at this time.",
    ("clinician", "away"): "The clinician is blocked at this time.",
    ("clinician", "held"): "The clinician's time is held for a client of the waitlist. Wait for the answer.",
    ("room", "booked"): "The room is taken at this time.",
    ("room", "away"): "The room is blocked at this time.",
    ("room", "held"): "The room is held for a client of the waitlist at this time. Wait for the answer.",
    ("client", "booked"): "The client has another appointment at this time.",
}
# Clients who book online must not learn what others have booked.
PORTAL_CONFLICT_MESSAGES = dict.fromkeys(
    CONFLICT_MESSAGES, "This time is not free. Choose another one, or call the practice."
) | {("client", "booked"): "You have another appointment at this time. Choose another one, or call the practice."}

# Warnings for staff, and for clients who book online.
CONSENT_FOR_CLIENT = "A consent is missing or ends before the visit. Sign it online, or call the practice."
UNVERIFIED = (
    "The client's insurance is not verified and they do not self-pay. Verify it before the visit.",
    "Your insurance is not verified yet. Please call the practice before your visit.",
)
UNKNOWN_COPAY = (
    "The copay is not known. Add it to the client's coverage.",
    "Your copay is not known yet. The practice will tell you what is due.",
)


@dataclass(frozen=True)
class BookingResult:
    """A booked appointment with its cost and the warnings for the front desk."""

    appointment: Appointment
    cost: Cost | None
    warnings: list[str] = field(default_factory=list)


def book(work: Work, request: BookingRequest, *, from_waitlist_offer: bool = False) -> BookingResult:
    """Book an appointment, or raise BookingRefused with every problem and possible alternatives.

    The limits of online booking do not apply to a time from a waitlist offer.
    """
    request, context = resolve(work, request)
    problems = find_problems_by_start(work, request, context, [request.starts_at])
    problems[request.starts_at] += [] if from_waitlist_offer else online_problems(work, request, context)
    raise_for_problems(work, request, context, problems)
    lock_request_resources(work, request)
    problems = find_conflicts_by_start(work, request, context, [request.starts_at])
    problems[request.starts_at] += [] if from_waitlist_offer else open_visit_problems(work)
    limit_open_visits(work, request, context, problems)
    raise_for_problems(work, request, context, problems)
    group_id = ensure_group_session(work, request, context)
    appointment = create_appointments(work, request, context, [request.starts_at], group_id)[0]
    work.record("appointment.booked", "appointment", appointment.id)
    cost = compute_cost(work, context.quote_request)
    return BookingResult(appointment, cost, collect_warnings(work, request, context, [request.starts_at]))


@dataclass(frozen=True)
class BookingPreview:
    """The cost of a requested booking and the problems it would meet."""

    context: BookingContext
    cost: Cost | None
    problems: list[Problem]
    warnings: list[str]


def preview(work: Work, request: BookingRequest) -> BookingPreview:
    """Return the cost, problems and warnings of a booking without booking it."""
    request, context = resolve(work, request)
    problems = find_problems_by_start(work, request, context, [request.starts_at])[request.starts_at]
    problems = address_caller(work, [*problems, *online_problems(work, request, context)])
    work.record("appointment.previewed", "client", request.client_id)
    cost = compute_cost(work, context.quote_request)
    return BookingPreview(context, cost, problems, collect_warnings(work, request, context, [request.starts_at]))


def resolve(work: Work, request: BookingRequest) -> tuple[BookingRequest, BookingContext]:
    """Fill in the clinician, room and time of the group session, if any, and load the booking context."""
    if request.group_session_id is not None:
        group = load_group_session(work, request.group_session_id)
        request = replace(request, clinician_id=group.clinician_id, room_id=group.room_id, starts_at=group.starts_at)
    request = replace(request, starts_at=request.starts_at.astimezone(UTC))
    context = load_booking_context(
        work,
        client_id=request.client_id,
        clinician_id=request.clinician_id,
        service_code=request.service_code,
        room_id=request.room_id,
        starts_at=request.starts_at,
        group_session_id=request.group_session_id,
    )
    return request, context


def lock_request_resources(work: Work, request: BookingRequest) -> None:
    lock_resources(work, [request.client_id, request.clinician_id, request.room_id, request.group_session_id])


def raise_for_problems(
    work: Work, request: BookingRequest, context: BookingContext, problems_by_start: dict[datetime, list[Problem]]
) -> None:
    """Raise BookingRefused, with alternatives, if any start has a problem."""
    problems = list(chain.from_iterable(problems_by_start.values()))
    if problems:
        alternatives = suggest_alternatives(work, request, context, problems_by_start)
        raise errors.build_refusal(address_caller(work, problems), alternatives)


def suggest_alternatives(
    work: Work, request: BookingRequest, context: BookingContext, problems_by_start: dict[datetime, list[Problem]]
) -> Sequence[dict[str, Any]]:
    """Return alternatives to the first start that is taken, full or outside the clinician's hours."""
    for start, problems in problems_by_start.items():
        codes = {problem.code for problem in problems}
        if codes & {"SLOT_TAKEN", "OUTSIDE_HOURS", "GROUP_FULL"}:
            within_hours = "OUTSIDE_HOURS" not in codes
            return find_alternatives(work, replace(request, starts_at=start), context, within_hours=within_hours)
    return ()


def find_problems_by_start(
    work: Work, request: BookingRequest, context: BookingContext, starts: Sequence[datetime]
) -> dict[datetime, list[Problem]]:
    """Return all problems of each start, so that one answer names everything to fix."""
    length = context.row.length
    spans = load_clinician_hours(work, context, min(starts), max(starts) + length)
    problems_by_start = find_conflicts_by_start(work, request, context, starts)
    for start, problems in problems_by_start.items():
        outside = outside_hours_problem(spans, start, start + length)
        problems += [Problem("OUTSIDE_HOURS", outside)] if outside else []
        problems += booking_problems(
            context.client, starts_at=start, telehealth=request.telehealth, now=work.now, zone=context.zone
        )
        problems += resource_problems(context, start) + seat_problems(work, request, context)
    limit_open_visits(work, request, context, problems_by_start)
    return problems_by_start


def find_conflicts_by_start(
    work: Work, request: BookingRequest, context: BookingContext, starts: Sequence[datetime]
) -> dict[datetime, list[Problem]]:
    """Return the conflicts of each start with bookings and blocks. Called again once the resources are locked."""
    row, length = context.row, context.row.length
    is_seat = request.group_session_id is not None
    busy = load_busy_intervals(
        work,
        [] if is_seat else [row.clinician_id],
        [] if is_seat or row.room_id is None else [row.room_id],
        [row.client_id],
        min(starts),
        max(starts) + length,
    )
    busy = [interval for interval in busy if interval.holder_id not in request.moved_from]
    messages = PORTAL_CONFLICT_MESSAGES if work.actor.client_id else CONFLICT_MESSAGES
    problems_by_start = {start: conflict_problems(busy, start, start + length, messages) for start in starts}
    if is_seat and is_full(work, load_group_session(work, request.group_session_id)):
        problems_by_start[request.starts_at].append(Problem("GROUP_FULL", "The group has no seat left."))
    return problems_by_start


def resource_problems(context: BookingContext, start: datetime) -> list[Problem]:
    """Return the problems of the clinician, service and room at the start."""
    row, problems = context.row, []
    if not row.clinician_active or (row.left_on is not None and row.left_on < date_of(start, context.zone)):
        problems.append(
            Problem("CLINICIAN_NOT_ACTIVE", "The clinician is not active on that date. Choose another one.")
        )
    elif date_of(start, context.zone) < row.hired_on:
        message = f"The clinician starts on {row.hired_on}. Choose a later date or another clinician."
        problems.append(Problem("CLINICIAN_NOT_ACTIVE", message))
    if not row.service_active:
        problems.append(Problem("SERVICE_NOT_OFFERED", "The service is no longer offered. Choose another one."))
    elif not row.offered:
        problems.append(
            Problem("SERVICE_NOT_OFFERED", "The clinician does not offer this service. Choose another one.")
        )
    if row.room_id is not None and not row.room_active:
        problems.append(Problem("ROOM_NOT_USABLE", "The room is not in use. Choose another one."))
    return problems


def load_clinician_hours(work: Work, context: BookingContext, first: datetime, last: datetime) -> list[Span]:
    """Return the clinician's hours for the service on the local dates of both instants and between."""
    row = context.row
    days = [at.astimezone(context.zone).date() for at in (first, last)]
    hours = load_hours(work, [row.clinician_id], *days)[row.clinician_id]
    return compute_hours(hours.windows, hours.changes, hours.closures, context.zone, *days, row.service_id)


def conflict_problems(
    busy: Sequence[BusyInterval], start: datetime, end: datetime, messages: Mapping[tuple[str, str], str]
) -> list[Problem]:
    """Return one problem per distinct message for the busy intervals that overlap the time."""
    overlapping = {(item.kind, item.reason) for item in busy if item.starts_at < end and start < item.ends_at}
    distinct = dict.fromkeys(message for key, message in messages.items() if key in overlapping)
    return [Problem("SLOT_TAKEN", message) for message in distinct]


def create_appointments(
    work: Work,
    request: BookingRequest,
    context: BookingContext,
    starts: Sequence[datetime],
    group_id: UUID | None = None,
    series_id: UUID | None = None,
    *,
    notification: str | None = "BOOKED",
) -> list[Appointment]:
    """Create the appointments, their first step and their messages. The database constraints have the final say."""
    row = context.row
    length = row.length
    release_expired_offers(work, row.clinician_id, row.room_id, starts, length)
    year = work.now.astimezone(context.zone).year
    appointments = [
        Appointment(
            tenant_id=work.tenant_id,
            id=new_id(),
            reference=reference,
            client_id=row.client_id,
            clinician_id=row.clinician_id,
            service_id=row.service_id,
            room_id=row.room_id,
            group_session_id=group_id,
            series_id=series_id,
            starts_at=start,
            ends_at=start + length,
            type=request.type or TYPE_OF_KIND.get(row.service_kind, "THERAPY_SESSION"),
            status="SCHEDULED",
            created_at=work.now,
            created_by=work.actor.account_id,
            booked_via=get_booking_channel(work),
            telehealth=request.telehealth,
            special_requests=request.special_requests,
            instructions=request.instructions,
        )
        for start, reference in zip(starts, generate_references(work, year, len(starts)), strict=True)
    ]
    work.db.add_all(appointments)
    with errors.translate_constraint_errors():
        work.db.flush()
    write_steps(work, [(appointment.id, "SCHEDULED", None) for appointment in appointments])
    upcoming = [appointment for appointment in appointments if appointment.starts_at > work.now]
    messages = [ClientMessage(notification, work.now, appointment.id) for appointment in upcoming[:1] if notification]
    messages += list_reminders(work, appointments)
    queue_client_messages(work, row.client_id, row, messages)
    return appointments


def write_steps(
    work: Work, steps: Sequence[tuple[UUID, str, str | None]], consent_override_reason: str | None = None
) -> None:
    """Record who moved which appointment to which status, now, with the sealed note and reason."""
    rows = []
    for appointment_id, status, note in steps:
        step_id = new_id()
        rows.append(
            {
                "tenant_id": work.tenant_id,
                "id": step_id,
                "appointment_id": appointment_id,
                "status": status,
                "at": work.now,
                "account_id": work.actor.account_id,
                "note": work.seal("appointment_steps", "note", step_id, note),
                "consent_override_reason": work.seal(
                    "appointment_steps", "consent_override_reason", step_id, consent_override_reason
                ),
            }
        )
    if rows:  # a group session can move without any seat
        work.db.execute(insert(STEPS), rows)


def get_booking_channel(work: Work) -> str:
    if work.actor.client_id is not None:
        return "PORTAL"
    is_front_desk = work.actor.roles & {"admin", "scheduler"}
    return "CLINICIAN" if "clinician" in work.actor.roles and not is_front_desk else "FRONT_DESK"


def collect_warnings(
    work: Work, request: BookingRequest, context: BookingContext, starts: Sequence[datetime]
) -> list[str]:
    """Return what the caller should know although these starts can be booked."""
    row, is_client = context.row, work.actor.client_id is not None
    warnings = list_consent_warnings(
        context.client, starts=starts, telehealth=request.telehealth, now=work.now, zone=context.zone
    )
    if warnings and is_client:
        warnings = [CONSENT_FOR_CLIENT]
    if not row.self_pay and row.verified_at is None:
        warnings.append(UNVERIFIED[is_client])
    if not row.self_pay and row.payer_id is not None and row.copay_cents is None:
        warnings.append(UNKNOWN_COPAY[is_client])
    if min(starts) < work.now:
        warnings.append("This time has already passed.")
    if max(starts) > work.now:
        warnings += find_reach_warnings(work, row)
    return warnings
