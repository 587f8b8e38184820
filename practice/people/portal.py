"""Portal access of clients: invite and close."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from practice.errors import Refusal
from practice.people.clients import lock_client
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.security.accounts import end_membership, ensure_account, invite
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.records import on_conflict


class EmailMissing(Refusal):
    """The client has no email address.

    Fix: add one to the client's record, then invite them.
    """

    code = "EMAIL_MISSING"


class EmailTaken(Refusal):
    """Another account of the practice signs in with this email address.

    Fix: use a different one for this client.
    """

    code = "EMAIL_TAKEN"


@dataclass(frozen=True)
class ClientInvitation:
    """An invited client and the one-time secret for their first sign-in."""

    client: Client
    secret: str


def invite_client(work: Work, scope: Scope, client_id: UUID) -> ClientInvitation:
    """Invite the client to the portal by the email in their record, also after a lost link or a closed portal."""
    client = lock_client(work, scope, client_id)
    if client.email is None:
        raise EmailMissing("This client has no email address. Add one, then invite them.")
    account = ensure_account(work.db, client.email.lower(), work.now)
    refuse_staff(work, account.id)
    if client.account_id not in (None, account.id):  # the email was changed
        end_portal_access(work, client)
    client.account_id = account.id
    taken = EmailTaken("Another client signs in with this email address. Use a different one for this client.")
    with on_conflict("uq_clients_tenant_id_account_id", taken):
        work.db.flush()
    secret = invite(work, account)
    work.record("client.invited", "client", client_id)
    return ClientInvitation(client, secret)


def close_portal(work: Work, scope: Scope, client_id: UUID) -> Client:
    """End the client's portal access immediately. They regain it by a new invitation."""
    client = lock_client(work, scope, client_id)
    if client.account_id is not None:
        end_portal_access(work, client)
        work.record("client.portal_closed", "client", client_id)
    return client


def end_portal_access(work: Work, client: Client) -> None:
    assert client.account_id is not None  # noqa: S101 - callers check
    end_membership(work, client.account_id)
    client.account_id = client.portal_activated_at = None


def refuse_staff(work: Work, account_id: UUID) -> None:
    """Raise EmailTaken if the account is active staff: in a practice, an account is either staff or a client."""
    query = select(Staff.id).where(
        Staff.tenant_id == work.tenant_id, Staff.account_id == account_id, Staff.deactivated_at.is_(None)
    )
    if work.db.scalar(query) is not None:
        raise EmailTaken("A staff member signs in with this email address. Use a different one for this client.")
