"""Changes of a client's email address or guardian: what follows for their portal access, and the emails about them."""

from datetime import timedelta

from sqlalchemy import text

from practice.people.models.clients import Client
from practice.security.accounts import end_membership
from practice.security.email_outbox import Email
from practice.security.models import Account
from practice.security.one_time_tokens import issue_token, void_tokens
from practice.security.work import Work

LINK_LIFETIME = timedelta(days=7)


def record_email_change(work: Work, client: Client, old_email: str | None, new_email: str | None) -> None:
    """Tell the old address of a change, and ask the portal account to confirm the new one unless it made the change.

    The addresses are those that messages go to, for a minor the guardian's. Nothing is sent to the new one:
    invitations to it are held back (see portal.invite_client).
    """
    if (new_email or "").lower() == (old_email or "").lower():
        return
    by_client = work.actor.client_id is not None
    client.email_changed_at = work.now
    client.email_confirmed_at = work.now if by_client else None
    if client.account_id is not None and client.portal_activated_at is None:
        end_portal_access(work, client)  # the unused invitation was for the old address
    account_id = client.account_id or client.former_account_id
    account = work.db.get_one(Account, account_id) if account_id else None
    sign_in_email = account.email if account else None
    practice = work.db.scalar(text("select name from practices where id = :id"), {"id": work.tenant_id})
    for address in {email.lower() for email in (old_email, sign_in_email) if email} - {(new_email or "").lower()}:
        lines = [f"{practice} has replaced this email address in your record. If that is wrong, call the practice."]
        if account and address == sign_in_email and new_email and not by_client:
            lines.append(ask_to_confirm(work, client, account, new_email))
        work.emails.append(Email(address, f"Your email address at {practice} was changed", "\n\n".join(lines)))


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
    client.former_account_id = client.email_confirmed_at = None
    client.email_changed_at = work.now
