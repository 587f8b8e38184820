"""Changes of clients' contact details and notification preferences, which the reminders of their visits follow."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from practice.people import clients
from practice.people.clients import ClientView
from practice.people.consents import list_signed_by
from practice.people.models.clients import Client, Consent
from practice.people.practice_time import local_today
from practice.people.rules.clients import needs_guardian
from practice.people.rules.consents import is_same_name
from practice.scheduling.appointments.notifications import replan_reminders
from practice.security.permissions import Scope
from practice.security.work import Work

# What decides who is written to, and where. A new guardian's name clears the contact details of the former one.
CONTACT_FIELDS = frozenset(
    {"email", "phone", "guardian_name", "guardian_email", "guardian_phone", "birth_date", "emancipated"}
)


def change_client(
    work: Work, scope: Scope, client_id: UUID, version: int, changes: dict[str, Any], reason: str | None = None
) -> tuple[ClientView, list[Consent]]:
    """Change the client's record. If messages then go elsewhere, replan the reminders of upcoming visits.

    Return the consents in force that a minor's former guardian signed: they go on counting.
    """
    query = select(Client.guardian_name).where(Client.tenant_id == work.tenant_id, Client.id == client_id)
    former = work.db.scalar(query)
    view = clients.change_client(work, scope, client_id, version, changes, reason)
    if changes.keys() & CONTACT_FIELDS:
        replan_reminders(work, client_id)
    client = view.client
    needed = needs_guardian(client.birth_date, client.emancipated, local_today(work))
    if former is None or not needed or is_same_name(former, client.guardian_name or ""):
        return view, []
    return view, list_signed_by(work, client_id, former)


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
