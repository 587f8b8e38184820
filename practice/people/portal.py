"""Portal access of clients: invite, confirm an email address, close."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text

from practice.errors import FieldProblem, Invalid, Refusal
from practice.local_time import date_of
from practice.people.clients import lock_client, reason_detail
from practice.people.email_changes import LINK_LIFETIME, emails_of, end_portal_access
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today, zone_of
from practice.people.rules.clients import choose_portal_email, compute_adult_cutoff, needs_guardian
from practice.people.settings import get_setting
from practice.security.accounts import ensure_account, invite_by_email, issue_invitation
from practice.security.installation import Installation
from practice.security.models import Account
from practice.security.one_time_tokens import consume_token, find_token
from practice.security.permissions import Scope, find_scope
from practice.security.work import Actor, Work
from practice.store.ids import SYSTEM_TENANT
from practice.store.records import on_conflict


class EmailMissing(Refusal):
    """The client has no email address, or a minor's record has none of the guardian, whose account it is.

    Fix: add it to the client's record, then invite them.
    """

    code = "EMAIL_MISSING"


class EmailTaken(Refusal):
    """The email address already serves another client of the practice, such as a brother or sister, or a staff member.

    Fix: use a different address for this client, or close the other client's portal first.
    """

    code = "EMAIL_TAKEN"


class EmailUnconfirmed(Refusal):
    """The client uses the portal with another email address, and has not confirmed the one in their record.

    Fix: ask the client to confirm it in the portal or with the link sent to the other address, or have an admin invite
    them with a reason in `X-Reason`.
    """

    code = "EMAIL_UNCONFIRMED"


class InvitationHeld(Refusal):
    """The client's email address, or a minor's guardian, was changed a short while ago.

    Fix: invite them after `held_until`, or have an admin invite them with a reason in `X-Reason`.
    """

    code = "INVITATION_HELD"


@dataclass(frozen=True)
class ClientInvitation:
    """An invited client, and the secret of the link unless it went to them by email."""

    client: Client
    secret: str | None


def invite_client(
    work: Work, scope: Scope, client_id: UUID, reason: str | None = None, *, by_email: bool = True
) -> ClientInvitation:
    """Invite the client to the portal by the email in their record, also after a lost link or a closed portal.

    The account of a minor is the guardian's, who signs and gets the messages.
    """
    client = lock_client(work, scope, client_id)
    today = local_today(work)
    email = choose_portal_email(client, today)
    if email is None and needs_guardian(client.birth_date, client.emancipated, today):
        raise EmailMissing(
            "The portal account of a minor is the guardian's. Record the guardian's email, then invite them."
        )
    if email is None:
        raise EmailMissing("This client has no email address. Add one, then invite them.")
    account = ensure_account(work.db, email, work.now)
    refuse_staff(work, account.id)
    if client.account_id != account.id:
        if reason is None or find_scope(work.actor.roles, "clients", "approve_email") is None:
            refuse_unconfirmed(work, client, account)
        if client.account_id is not None:
            end_portal_access(work, client)
    client.account_id = account.id
    taken = EmailTaken(
        "This email address already serves another client of the practice, such as a brother or sister, and an account "
        "holds the portal of one client. Use a different address of the same person for this client, or close the "
        "other client's portal first."
    )
    with on_conflict("uq_clients_tenant_id_account_id", taken):
        work.db.flush()
    if by_email:
        invite_by_email(work, account)
    work.record("client.invited", "client", client_id, **reason_detail(reason))
    return ClientInvitation(client, None if by_email else issue_invitation(work, account))


def refuse_unconfirmed(work: Work, client: Client, account: Account) -> None:
    """Raise a refusal while the new account may be somebody else's: the address in a record proves nothing."""
    in_use = client.account_id if client.portal_activated_at is not None else client.former_account_id
    if in_use == account.id or client.confirmed_email == account.email:
        return
    if in_use is not None:
        raise EmailUnconfirmed(
            "This client uses the portal with another email address. Ask them to confirm the new one, in the portal or "
            "with the link sent to the other address, or have an admin invite them with a reason."
        )
    if client.email_changed_at is not None:
        held_until = client.email_changed_at + timedelta(hours=get_setting(work, "portal_email_hold_hours"))
        if work.now < held_until:
            raise InvitationHeld(
                "The email address or the guardian of this client has just been changed. Invite them later, or have an "
                "admin invite them with a reason.",
                held_until=held_until.isoformat(),
            )


def confirm_email(work: Work, scope: Scope, client_id: UUID, email: str) -> Client:
    """Confirm the signed-in client's own email address, as they read it in their record."""
    client = lock_client(work, scope, client_id)
    recorded = emails_of(client, local_today(work)).contact
    if recorded is None or recorded != email.strip().lower():
        raise Invalid(
            [FieldProblem("email", "This is not the address in your record. Read it again, and confirm that one.")]
        )
    return record_confirmation(work, client, recorded)


def confirm_email_by_link(installation: Installation, token: str, now: datetime, request_id: str | None = None) -> None:
    """Confirm a client's new email address with the link sent to the address of their portal account.

    The link is about the address that messages went to when it was sent: a minor's guardian's, also after they come of
    age. Each later change voids it.
    """
    with installation.store.begin_system_session() as db:
        stored = find_token(db, "email_change", token, now)
    actor = Actor(stored.tenant_id or SYSTEM_TENANT, stored.account_id, request_id=request_id)
    with installation.work(actor, now) as work:
        client = lock_client(work, Scope.ALL, stored.client_id or SYSTEM_TENANT)  # before the token, as a change does
        consume_token(work.db, "email_change", token, now)
        sent_at = stored.expires_at - LINK_LIFETIME
        record_confirmation(work, client, emails_of(client, sent_at.astimezone(zone_of(work)).date()).contact)


def record_confirmation(work: Work, client: Client, email: str | None) -> Client:
    client.email_confirmed_at, client.confirmed_email = work.now, email
    work.record("client.email_confirmed", "client", client.id)
    return client


def close_portal(work: Work, scope: Scope, client_id: UUID) -> Client:
    """End the client's portal access immediately. They regain it by a new invitation."""
    client = lock_client(work, scope, client_id)
    if client.account_id is not None:
        end_portal_access(work, client)
        work.record("client.portal_closed", "client", client_id)
    return client


def close_guardian_portals(work: Work) -> None:
    """End the portal access of guardians whose children have come of age: the record is the client's own from then on.

    The guardian has no say in the next invitation either.
    """
    of_age = or_(Client.birth_date <= compute_adult_cutoff(local_today(work)), Client.emancipated)
    # two days more than the rule needs, which decides below
    perhaps_as_minor = Client.portal_activated_at < Client.birth_date + text("interval '18 years 2 days'")
    has_guardians_address = and_(
        func.lower(Client.guardian_email) == Account.email, func.lower(Client.email).is_distinct_from(Account.email)
    )
    query = select(Client, has_guardians_address).join(Account, Account.id == Client.account_id)
    query = query.where(Client.tenant_id == work.tenant_id, of_age, perhaps_as_minor | has_guardians_address)
    for client, of_guardian in work.db.execute(query.with_for_update(of=Client)).all():
        if not (of_guardian or was_activated_as_minor(work, client)):
            continue
        end_portal_access(work, client)
        client.former_account_id = None
        work.record("client.portal_closed", "client", client.id, cause="OF_AGE")


def was_activated_as_minor(work: Work, client: Client) -> bool:
    """Return whether a guardian used the portal first: before the 18th birthday, in the practice's time zone."""
    if client.portal_activated_at is None:
        return False
    return needs_guardian(client.birth_date, client.emancipated, date_of(client.portal_activated_at, zone_of(work)))


def refuse_staff(work: Work, account_id: UUID) -> None:
    """Raise EmailTaken if the account is active staff: in a practice, an account is either staff or a client."""
    query = select(Staff.id).where(
        Staff.tenant_id == work.tenant_id, Staff.account_id == account_id, Staff.deactivated_at.is_(None)
    )
    if work.db.scalar(query) is not None:
        raise EmailTaken("A staff member signs in with this email address. Use a different one for this client.")
