"""Updates of an appointment that keep its time: room, telehealth, type, requests and instructions."""

from typing import Any
from uuid import UUID

from practice.errors import FieldProblem, Invalid, Problem, Stale
from practice.scheduling import errors
from practice.scheduling.appointments.alternatives import find_other_rooms
from practice.scheduling.appointments.booking import CONFLICT_MESSAGES, resolve
from practice.scheduling.appointments.booking_context import BookingContext
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.lifecycle import lock_appointment
from practice.scheduling.appointments.rules.booking_eligibility import booking_problems
from practice.scheduling.availability.expired_offers import release_expired_offers
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.availability.queries import load_busy_intervals
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.scheduling.statuses import FINAL
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.records import update_versioned


def change_appointment(
    work: Work, scope: Scope, appointment_id: UUID, version: int, changes: dict[str, Any]
) -> Appointment:
    """Update the appointment at this version, or raise for conflicts."""
    appointment = lock_appointment(work, scope, appointment_id)
    if appointment.version != version:
        raise Stale
    if appointment.status in FINAL:
        raise errors.WrongStatus("The appointment is final and can no longer be changed.")
    if appointment.group_session_id is not None and "room_id" in changes:
        message = "A group seat uses its group's room; the room of one seat cannot be changed."
        raise Invalid([FieldProblem("room_id", message)])
    refuse_changes(work, appointment, changes)
    update_versioned(appointment, changes)
    with errors.translate_constraint_errors():
        work.db.flush()
    work.record("appointment.changed", "appointment", appointment.id, fields=sorted(changes))
    return appointment


def refuse_changes(work: Work, appointment: Appointment, changes: dict[str, Any]) -> None:
    """Raise BookingRefused for problems of the new room or of telehealth. Values that stay are not checked again."""
    request, context = resolve(
        work,
        BookingRequest(
            client_id=appointment.client_id,
            clinician_id=appointment.clinician_id,
            service_code=work.db.get_one(Service, (work.tenant_id, appointment.service_id)).code,
            starts_at=appointment.starts_at,
            room_id=changes.get("room_id"),
            telehealth=bool(changes.get("telehealth")),
        ),
    )
    problems = telehealth_problems(work, request, context, appointment)
    if request.room_id is not None:
        problems += room_problems(work, request.room_id, context, appointment)
    if problems:
        raise errors.build_refusal(
            problems, find_other_rooms(work, appointment, request.room_id) if request.room_id else ()
        )


def telehealth_problems(
    work: Work, request: BookingRequest, context: BookingContext, appointment: Appointment
) -> list[Problem]:
    """Return the problems that only a telehealth visit has."""
    if not request.telehealth or appointment.telehealth:
        return []
    in_person, online = (
        booking_problems(
            context.client, starts_at=appointment.starts_at, telehealth=telehealth, now=work.now, zone=context.zone
        )
        for telehealth in (False, True)
    )
    return [problem for problem in online if problem not in in_person]


def room_problems(work: Work, room_id: UUID, context: BookingContext, appointment: Appointment) -> list[Problem]:
    """Lock the room and return its conflicts at the appointment's time."""
    lock_resources(work, [room_id])
    start, end = appointment.starts_at, appointment.ends_at
    release_expired_offers(work, appointment.clinician_id, room_id, [start], end - start)
    busy = load_busy_intervals(work, [], [room_id], [], start, end)
    problems = [
        Problem("SLOT_TAKEN", CONFLICT_MESSAGES[interval.kind, interval.reason])
        for interval in busy
        if interval.holder_id != appointment.id
    ]
    if not context.row.room_active:
        problems.append(Problem("ROOM_NOT_USABLE", "The room is not in use. Choose another one."))
    return problems
