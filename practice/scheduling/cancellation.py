"""Cancellation of appointments; the freed time is offered to the waitlist."""

from uuid import UUID

from practice.errors import FieldProblem, Invalid
from practice.messages.outbox import ClientMessage, cancel_pending
from practice.scheduling.appointments.lifecycle import (
    RESCHEDULABLE,
    SeriesScope,
    lock_clinicians_and_rooms,
    lock_in_series,
    queue_messages,
    refuse_late_changes,
    transition,
)
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.waitlist.offers import offer_freed_slot
from practice.security.permissions import Scope
from practice.security.work import Work


def cancel(
    work: Work, scope: Scope, appointment_id: UUID, reason: str | None, series_scope: SeriesScope = "this"
) -> list[Appointment]:
    """Cancel an appointment, or more of its series, and return what was cancelled."""
    first, appointments = lock_in_series(work, scope, appointment_id, series_scope)
    if series_scope == "all":  # the named appointment may be final already; the rest is still cancelled
        upcoming = [appointment for appointment in appointments if appointment.status in RESCHEDULABLE]
        appointments = upcoming or appointments
    refuse_late_changes(work, appointments, "CANCELLED")
    if not (reason and reason.strip()) and work.actor.client_id is None:
        message = "Missing reason: say why the appointment is cancelled (`reason`)."
        raise Invalid([FieldProblem("reason", message)])
    lock_clinicians_and_rooms(work, appointments)
    for appointment in appointments:
        transition(work, appointment, "CANCELLED", None, cancellation_reason=reason)
    cancel_pending(work, [appointment.id for appointment in appointments])
    upcoming = [appointment for appointment in appointments if appointment.starts_at > work.now]
    queue_messages(
        work, first.client_id, [ClientMessage("CANCELLED", work.now, appointment.id) for appointment in upcoming[:1]]
    )
    for appointment in appointments:
        offer_freed_slot(work, appointment)
    return appointments
