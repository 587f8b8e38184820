"""Clients who leave: with the end of treatment or a redaction, they no longer wait for a time."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from practice.people import client_history, deletion_requests
from practice.people.clients import ClientView
from practice.people.models.clients import Client, DeletionRequest
from practice.people.practice_time import local_today
from practice.scheduling.models.waitlist import WaitlistEntry
from practice.scheduling.waitlist.offers import OPEN_STATUSES, lock_client_offers, withdraw_client_entries
from practice.security.permissions import Scope
from practice.security.work import Work


def change_client_status(
    work: Work, scope: Scope, client_id: UUID, status: str, effective_on: date | None = None, reason: str | None = None
) -> tuple[ClientView, list[WaitlistEntry]]:
    """Change the client's status and return the waitlist entries that were withdrawn because treatment has ended."""
    offers = lock_client_offers(work, client_id)
    view = client_history.change_status(work, scope, client_id, status, effective_on, reason)
    has_ended = view.client.ended_on is not None and view.client.ended_on <= local_today(work)
    return view, withdraw_client_entries(work, client_id, offers) if has_ended else []


def redact_client(work: Work, request_id: UUID) -> DeletionRequest:
    """Redact the client's personal data and withdraw their waitlist entries."""
    client_id = deletion_requests.find_request(work, Scope.ALL, request_id).client_id
    offers = lock_client_offers(work, client_id)
    request = deletion_requests.redact_client(work, request_id)
    withdraw_client_entries(work, client_id, offers)
    return request


def withdraw_entries_of_former_clients(work: Work) -> None:
    """Withdraw the waitlist entries of clients whose treatment has ended since, on a date set before."""
    query = (
        select(WaitlistEntry.client_id)
        .join(Client, (Client.tenant_id == WaitlistEntry.tenant_id) & (Client.id == WaitlistEntry.client_id))
        .where(
            WaitlistEntry.tenant_id == work.tenant_id,
            WaitlistEntry.status.in_(OPEN_STATUSES),
            Client.ended_on <= local_today(work),
        )
    )
    for client_id in sorted(set(work.db.scalars(query))):
        withdraw_client_entries(work, client_id, lock_client_offers(work, client_id))
