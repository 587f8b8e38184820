"""Changes of clients' contact details and notification preferences, which the reminders of their visits follow."""

from typing import Any
from uuid import UUID

from practice.people import clients
from practice.people.clients import ClientView
from practice.people.models.clients import Client
from practice.scheduling.appointments.notifications import replan_reminders
from practice.security.permissions import Scope
from practice.security.work import Work

# What decides who is written to, and where. A new guardian's name clears the contact details of the former one.
CONTACT_FIELDS = frozenset(
    {"email", "phone", "guardian_name", "guardian_email", "guardian_phone", "birth_date", "emancipated"}
)


def change_client(
    work: Work, scope: Scope, client_id: UUID, version: int, changes: dict[str, Any], reason: str | None = None
) -> ClientView:
    """Change the client's record. If messages then go elsewhere, replan the reminders of upcoming visits."""
    client = clients.change_client(work, scope, client_id, version, changes, reason)
    if changes.keys() & CONTACT_FIELDS:
        replan_reminders(work, client_id)
    return client


def change_contact(work: Work, scope: Scope, client_id: UUID, version: int, changes: dict[str, Any]) -> ClientView:
    """Change contact details, which clients can maintain themselves, and replan the reminders of upcoming visits."""
    client = clients.change_contact(work, scope, client_id, version, changes)
    replan_reminders(work, client_id)
    return client


def change_reminders(work: Work, scope: Scope, client_id: UUID, version: int, reminders: list[str]) -> Client:
    """Set the channels of reminders, and replan those of upcoming visits."""
    client = clients.change_reminders(work, scope, client_id, version, reminders)
    replan_reminders(work, client_id)
    return client
