"""Messages about visits: the reminders of those ahead, and warnings when news about them can reach nobody."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from practice.messages.outbox import (
    NEWS,
    REMINDER,
    ClientMessage,
    cancel_reminders,
    find_channels,
    load_recipient,
    load_recipients,
    queue_client_messages,
)
from practice.scheduling.appointments.rules.reminders import plan_reminders
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.statuses import EXPECTED
from practice.security.work import Work

# Warnings for staff, and for clients who are signed in.
UNREACHABLE = (
    "No message can be sent: the record has no email address or phone for the client's messages. Call or add one.",
    "No message can be sent to you. Add an email address or a phone number to your contact details.",
)


def list_reminders(work: Work, appointments: Iterable[Appointment]) -> list[ClientMessage]:
    """Return the reminders of the appointments that still lie ahead."""
    return [
        ClientMessage(REMINDER, reminder.due_at, appointment.id, reminder.lead_minutes)
        for appointment in appointments
        for reminder in plan_reminders(appointment.starts_at, work.now, {"any"})
    ]


def queue_reminders(work: Work, client_id: UUID, appointments: Iterable[Appointment]) -> None:
    """Queue the reminders of the client's appointments that still lie ahead, except those queued or sent before."""
    queue_client_messages(work, client_id, load_recipient(work, client_id), list_reminders(work, appointments))


def replan_reminders(work: Work, client_id: UUID) -> None:
    """Replan the reminders of the client's upcoming visits, since the channels or the contact details have changed."""
    work.db.flush()
    query = select(Appointment).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.client_id == client_id,
        Appointment.status.in_(EXPECTED),
        Appointment.starts_at > work.now,
    )
    appointments = work.db.scalars(query.order_by(Appointment.starts_at)).all()
    if appointments:
        recipient = load_recipient(work, client_id)
        channels = find_channels(recipient, REMINDER, work.now)
        cancel_reminders(work, [appointment.id for appointment in appointments], channels)
        queue_client_messages(work, client_id, recipient, list_reminders(work, appointments))


def find_reach_warnings(work: Work, recipient: Any) -> list[str]:
    """Return a warning if news can reach neither the client nor a minor's guardian now."""
    return [] if find_channels(recipient, NEWS, work.now) else [UNREACHABLE[work.actor.client_id is not None]]


def list_reach_warnings(work: Work, appointments: Iterable[Appointment], *, named: bool = False) -> list[str]:
    """Return a warning for each client whom news about these visits cannot reach, as far as they lie ahead.

    With `named`, each warning begins with the reference of the client's first visit.
    """
    first_visits: dict[UUID, Appointment] = {}
    for appointment in appointments:
        if appointment.starts_at > work.now:
            first_visits.setdefault(appointment.client_id, appointment)
    recipients = load_recipients(work, first_visits) if first_visits else {}
    return [
        f"{visit.reference}: {warning}" if named else warning
        for client_id, visit in first_visits.items()
        for warning in find_reach_warnings(work, recipients[client_id])
    ]
