"""Corrections of an appointment's status that was set by mistake: it goes back to the status before, with a reason."""

from typing import Any

from sqlalchemy import select

from practice.messages.outbox import cancel_pending
from practice.scheduling import errors
from practice.scheduling.appointments.booking import find_conflicts_by_start, raise_for_problems, write_steps
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.consents import limit_open_visits
from practice.scheduling.appointments.lifecycle import PRICE_FIELDS, load_appointment_context
from practice.scheduling.appointments.notifications import queue_reminders
from practice.scheduling.appointments.rules.lifecycle import LABELS, LATER_STAMPS, REVERTIBLE, find_status_before
from practice.scheduling.availability.expired_offers import release_expired_offers
from practice.scheduling.availability.locks import lock_resources
from practice.scheduling.models.appointments import Appointment, AppointmentStep
from practice.scheduling.statuses import EXPECTED
from practice.security.work import Work
from practice.store.records import update_versioned

COMPLETION_FIELDS = ("actual_minutes", *PRICE_FIELDS)


def require_status(appointment: Appointment, from_status: str) -> None:
    """Raise WrongStatus unless the appointment has the status that the caller wants to take back, and it can be."""
    if appointment.status != from_status:
        raise errors.WrongStatus(
            f"The appointment is {LABELS[appointment.status]}, not {LABELS[from_status]}. Read it again first."
        )
    if from_status not in REVERTIBLE:
        raise errors.WrongStatus(f"An appointment that is {LABELS[from_status]} has nothing to take back.")


def revert_status(work: Work, appointment: Appointment, reason: str) -> Appointment:
    """Return a locked appointment to the status before. The client gets no message, but the reminders still ahead.

    A no-show takes its time again, or raises BookingRefused if it cannot be booked any more.
    """
    taken_back = appointment.status
    status = find_status_before(load_statuses(work, appointment))
    if taken_back == "NO_SHOW":
        refuse_unbookable(work, appointment)
    changes: dict[str, Any] = dict.fromkeys(LATER_STAMPS.get(status, ()))
    if taken_back == "COMPLETED":
        changes |= dict.fromkeys(COMPLETION_FIELDS)
    update_versioned(appointment, {"status": status, "status_at": work.now, **changes})
    with errors.translate_constraint_errors():
        work.db.flush()
    cancel_pending(work, [appointment.id])  # such as the follow-up of a no-show
    if status in EXPECTED:
        queue_reminders(work, appointment.client_id, [appointment])
    write_steps(work, [(appointment.id, status, reason)])
    work.record("appointment.reverted", "appointment", appointment.id, from_status=taken_back, to_status=status)
    return appointment


def load_statuses(work: Work, appointment: Appointment) -> list[str]:
    """Return the statuses of the appointment's steps, oldest first."""
    query = select(AppointmentStep.status).where(
        AppointmentStep.tenant_id == work.tenant_id, AppointmentStep.appointment_id == appointment.id
    )
    return list(work.db.scalars(query.order_by(AppointmentStep.at, AppointmentStep.id)))


def refuse_unbookable(work: Work, appointment: Appointment) -> None:
    """Lock the clinician, room and client, and raise BookingRefused if one of them is taken at this time.

    Also raise it if the client lacks consents and has another open visit.
    """
    room_id, group_id = appointment.room_id, appointment.group_session_id
    context = load_appointment_context(work, appointment)
    request = BookingRequest(
        client_id=appointment.client_id,
        clinician_id=appointment.clinician_id,
        service_code=context.row.service_code,
        starts_at=appointment.starts_at,
        room_id=room_id,
        group_session_id=group_id,
        telehealth=appointment.telehealth,
    )
    lock_resources(work, [appointment.client_id, appointment.clinician_id, room_id, group_id])
    length = appointment.ends_at - appointment.starts_at
    release_expired_offers(work, appointment.clinician_id, room_id, [appointment.starts_at], length)
    problems = find_conflicts_by_start(work, request, context, [appointment.starts_at])
    limit_open_visits(work, request, context, problems)
    raise_for_problems(work, request, context, problems)
