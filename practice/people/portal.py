"""Verbs about a client's way into the portal: inviting them and closing it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from practice.errors import Refusal
from practice.people.clients import lock_client
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.security.accounts import account_for, end_membership, invite
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.records import refusing


class EmailMissing(Refusal):
    code = "EMAIL_MISSING"


class EmailTaken(Refusal):
    code = "EMAIL_TAKEN"


@dataclass(frozen=True)
class InvitedClient:
    """And the secret that lets them in once."""

    client: Client
    secret: str


def invite_client(work: Work, scope: Scope, client_id: UUID) -> InvitedClient:
    """To the portal, under the e-mail address of their record. Again for a lost link, or after it was closed."""
    client = lock_client(work, scope, client_id)
    if client.email is None:
        raise EmailMissing("The record has no e-mail address. Add the client's own, then invite them.")
    account = account_for(work.db, client.email.lower(), work.now)
    refuse_staff(work, account.id)
    if client.account_id not in (None, account.id):  # their address is another one now
        leave(work, client)
    client.account_id = account.id
    others = EmailTaken("Another client signs in with this e-mail address. Give this client's own.")
    with refusing("uq_clients_tenant_id_account_id", others):
        work.db.flush()
    secret = invite(work, account)
    work.record("client.invited", "client", client_id)
    return InvitedClient(client, secret)


def close_portal(work: Work, scope: Scope, client_id: UUID) -> Client:
    """They are out at once, and come back by a new invitation. Their record stays as it is."""
    client = lock_client(work, scope, client_id)
    if client.account_id is not None:
        leave(work, client)
        work.record("client.portal_closed", "client", client_id)
    return client


def leave(work: Work, client: Client) -> None:
    assert client.account_id is not None  # noqa: S101 - whoever calls has looked
    end_membership(work, client.account_id)
    client.account_id = client.portal_activated_at = None


def refuse_staff(work: Work, account_id: UUID) -> None:
    """An account is one person, and one thing in a practice: who works here signs in as staff."""
    staff = select(Staff.id).where(
        Staff.tenant_id == work.tenant_id, Staff.account_id == account_id, Staff.deactivated_at.is_(None)
    )
    if work.db.scalar(staff) is not None:
        raise EmailTaken("Somebody of the staff signs in with this e-mail address. Give the client's own.")
