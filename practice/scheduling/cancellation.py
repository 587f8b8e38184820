"""Cancellation of appointments, which offers the freed time to the waitlist."""

from uuid import UUID

from practice.errors import Invalid
from practice.messages.outbox import Due, take_back
from practice.scheduling.appointments.lifecycle import (
    STILL_OPEN,
    Which,
    lock_meant,
    lock_times,
    refuse_late,
    step,
    tell,
)
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.waitlist.offers import offer_freed
from practice.security.permissions import Scope
from practice.security.work import Work


def cancel(
    work: Work, appointment_id: UUID, scope: Scope, reason: str | None, which: Which = "one"
) -> list[Appointment]:
    """One appointment, it and those of its series that follow, or all of the series that are still to come."""
    first, found = lock_meant(work, appointment_id, scope, which)
    if which == "all":  # what the one that was named has come to is no reason to keep the rest
        found = [one for one in found if one.status in STILL_OPEN] or found
    refuse_late(work, found, "CANCELLED")
    if not (reason and reason.strip()) and work.actor.client_id is None:
        raise Invalid(["Say why the appointment is cancelled (`reason`)."])
    lock_times(work, found)
    for appointment in found:
        step(work, appointment, "CANCELLED", None, cancellation_reason=reason)
    take_back(work, [appointment.id for appointment in found])
    ahead = [appointment for appointment in found if appointment.starts_at > work.now]
    tell(work, first.client_id, [Due("CANCELLED", work.now, appointment.id) for appointment in ahead[:1]])
    for appointment in found:
        offer_freed(work, appointment)
    return found
