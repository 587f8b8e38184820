"""Changes of a client's email address or guardian: what follows for their portal access, and the emails about them."""

from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import text

from practice.people.models.clients import Client
from practice.people.rules.clients import choose_contact, needs_guardian
from practice.security.accounts import end_membership
from practice.security.email_outbox import Email
from practice.security.models import Account
from practice.security.one_time_tokens import issue_token, void_tokens
from practice.security.work import Work

LINK_LIFETIME = timedelta(days=7)


class Emails(NamedTuple):
    """A client's addresses in lower case: the one that messages go to, the client's own, and a minor's guardian's."""

    contact: str | None
    own: str | None
    guardian: str | None


def emails_of(client: Client, day: date) -> Emails:
    """Return the addresses in the client's record on a day."""
    guardian = client.guardian_email if needs_guardian(client.birth_date, client.emancipated, day) else None
    emails = (choose_contact(client, day).email, client.email, guardian)
    return Emails(*(email.lower() if email else None for email in emails))


def record_email_change(work: Work, client: Client, old: Emails, new: Emails) -> None:
    """Tell the old addresses of a change, and ask the portal account to confirm a new contact that it did not set.

    A minor's own address counts too, because messages go to it from the 18th birthday on. Nothing is sent to the new
    addresses: invitations to them are held back (see portal.invite_client).
    """
    if new == old:
        return
    by_client = work.actor.client_id is not None
    client.email_changed_at = work.now
    is_new_contact = new.contact != old.contact
    if is_new_contact:
        client.email_confirmed_at, client.confirmed_email = (work.now, new.contact) if by_client else (None, None)
        if client.account_id is not None and client.portal_activated_at is None:
            end_portal_access(work, client)  # the unused invitation was for the old address
    account_id = client.account_id or client.former_account_id
    account = work.db.get_one(Account, account_id) if account_id else None
    sign_in_email = account.email if account else None
    practice = work.db.scalar(text("select name from practices where id = :id"), {"id": work.tenant_id})
    notified = ({old.contact, sign_in_email} | ({*old} - {*new})) - ({*new} - {*old})
    if is_new_contact:
        notified.discard(new.contact)
    for address in filter(None, notified):
        if address in new or (address not in old and not is_new_contact):
            subject, line = "An email address", f"{practice} has changed another email address in your record."
        else:
            subject, line = "Your email address", f"{practice} has replaced this email address in your record."
        lines = [f"{line} If that is wrong, call the practice."]
        if is_new_contact and account and address == sign_in_email and new.contact and not by_client:
            lines.append(ask_to_confirm(work, client, account, new.contact))
        work.emails.append(Email(address, f"{subject} at {practice} was changed", "\n\n".join(lines)))


def ask_to_confirm(work: Work, client: Client, account: Account, email: str) -> str:
    """Return the request to the portal account to confirm the new address, with its link. Earlier links are void."""
    void_tokens(work.db, account.id, ["email_change"], work.tenant_id, work.now)
    secret = issue_token(
        *(work.db, "email_change", account.id, work.tenant_id, LINK_LIFETIME, work.now),
        mailed=True,
        client_id=client.id,
    )
    return (
        f"If {mask_email(email)} is your new address, confirm it within seven days, so that you can be invited to the "
        f"portal with it:\n\n{work.outbox.build_link('email-change', secret)}"
    )


def mask_email(email: str) -> str:
    """Return an address that its owner recognizes and nobody else can write to."""
    local_part, _, domain = email.partition("@")
    return f"{local_part[:1]}***@{domain}"


def end_portal_access(work: Work, client: Client) -> None:
    """End the client's access. A portal that was in use is remembered: another account needs its consent."""
    assert client.account_id is not None  # noqa: S101 - callers check
    end_membership(work, client.account_id)
    if client.portal_activated_at is not None:
        client.former_account_id = client.account_id
    client.account_id = client.portal_activated_at = None


def end_former_guardian_access(work: Work, client: Client) -> None:
    """End the access of a minor's former guardian, who has no say in the next invitation.

    The next invitation is held back like one to a changed email address.
    """
    account_id = client.account_id or client.former_account_id
    if account_id is not None:
        void_tokens(work.db, account_id, ["email_change"], work.tenant_id, work.now)
    if client.account_id is not None:
        end_portal_access(work, client)
        work.record("client.portal_closed", "client", client.id, cause="GUARDIAN_CHANGED")
    client.former_account_id = client.email_confirmed_at = client.confirmed_email = None
    client.email_changed_at = work.now
