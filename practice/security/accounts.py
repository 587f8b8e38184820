"""Accounts: creation, invitations to practices, passwords and sessions."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security.attempts import compute_attempt_key, forget_attempts, reserve_attempt
from practice.security.email_outbox import Email
from practice.security.installation import Installation
from practice.security.models import Account, AccountSession, Membership, OneTimeToken, RecoveryCode
from practice.security.one_time_tokens import consume_token, find_token, issue_token, load_account, void_tokens
from practice.security.passwords import hash_password, verify_password
from practice.security.rules import password_problems
from practice.security.sign_in import WrongCredentials, end_session, list_memberships, record_failure
from practice.security.work import Actor, Work
from practice.store.ids import SYSTEM_TENANT, new_id

INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=1)
RESET_EMAIL_INTERVAL = timedelta(minutes=5)


class NoAccount(Refusal):
    """No account has this email address.

    Fix: check its spelling.
    """

    code = "NO_ACCOUNT"
    status = 404


class PlatformAdminExists(Refusal):
    """The account is a platform admin already.

    Fix: no action is needed. A forgotten password is reset at sign-in.
    """

    code = "PLATFORM_ADMIN_EXISTS"


class PasswordRefused(Refusal):
    """The new password is too weak, or is the current one.

    Fix: choose one that meets the rules in `details`.
    """

    code = "PASSWORD_REFUSED"
    status = 422


def ensure_account(db: Session, email: str, now: datetime) -> Account:
    """Return the account of an email address; create it if missing. Only its password proves whose it is."""
    return ensure_accounts(db, [email], now)[email]


def ensure_accounts(db: Session, emails: Collection[str], now: datetime) -> dict[str, Account]:
    """Return the accounts of these email addresses; create the missing ones."""
    if not emails:
        return {}
    db.execute(
        insert(Account)
        .values([{"id": new_id(), "email": email, "created_at": now} for email in sorted(emails)])
        .on_conflict_do_nothing(index_elements=["email"])
    )
    accounts = db.scalars(select(Account).where(Account.email == func.any(list(emails))))
    return {account.email: account for account in accounts}


def add_members(work: Work, account_ids: Collection[UUID], *, ended: bool) -> None:
    """Add memberships that are not accepted yet or, for people who have left, already ended ones."""
    if account_ids:
        ended_at = work.now if ended else None
        memberships = [
            {"account_id": account_id, "tenant_id": work.tenant_id, "created_at": work.now, "ended_at": ended_at}
            for account_id in account_ids
        ]
        work.db.execute(insert(Membership).values(memberships).on_conflict_do_nothing())


def invite_by_email(work: Work, account: Account) -> None:
    """Invite the account to the practice. The link goes to its email address and nowhere else."""
    secret = issue_invitation(work, account, mailed=True)
    practice = work.db.scalar(text("select name from practices where id = :id"), {"id": work.tenant_id})
    work.emails.append(
        Email(
            to=account.email,
            subject=f"Invitation to {practice}",
            text=f"{practice} invites you to Caseload. This link works once, within seven days:\n\n"
            f"{work.outbox.build_link('invitation', secret)}\n\n"
            "If you already have a Caseload password, accept with it. If you did not expect this, ignore this email.",
        )
    )


def issue_invitation(work: Work, account: Account, *, mailed: bool = False) -> str:
    """Invite the account to the practice and return the secret that accepts the invitation.

    For the command line, which prints the link: nothing that a request returns may contain it.
    """
    work.db.execute(
        insert(Membership)
        .values(account_id=account.id, tenant_id=work.tenant_id, created_at=work.now)
        .on_conflict_do_update(
            index_elements=["account_id", "tenant_id"],
            set_={"ended_at": None, "accepted_at": None},
            where=Membership.ended_at.is_not(None),
        )
    )
    void_tokens(
        work.db, account.id, ["invitation"], work.tenant_id, work.now
    )  # an earlier link may be in the wrong hands
    return issue_token(work.db, "invitation", account.id, work.tenant_id, INVITATION_LIFETIME, work.now, mailed=mailed)


def invite_platform_admin(work: Work, email: str) -> tuple[str, bool]:
    """Invite a platform admin, who creates and suspends practices and sees nothing in them.

    Return the secret, and whether it replaces that of an earlier invitation. The account becomes a platform admin when
    the link is accepted: until then nobody has proven whose account it is.
    """
    account = ensure_account(work.db, email, work.now)
    if account.platform_admin:
        raise PlatformAdminExists("This account is a platform admin already. Nothing was changed.")
    voided = void_tokens(work.db, account.id, ["invitation"], None, work.now)
    work.record("platform_admin.invited", "account", account.id)
    return issue_token(work.db, "invitation", account.id, None, INVITATION_LIFETIME, work.now), voided > 0


def accept_invitation(
    installation: Installation, token: str, password: str, now: datetime, request_id: str | None = None
) -> None:
    """Accept an invitation. A new account sets its password here; an existing one proves it.

    The two differ only for callers with the secret, which reached the address: it is proven by then.
    """
    with installation.store.begin_system_session() as db:
        invitation = find_token(db, "invitation", token, now)
        account = load_account(db, invitation)
    tenant_id = invitation.tenant_id or SYSTEM_TENANT
    if account.password_hash is None:
        refuse_weak(account, password)
        hashed = hash_password(password)
    else:
        hashed = None
        check_current_password(installation, account, password, Actor(request_id=request_id), now)
    with installation.work(Actor(tenant_id, account.id, request_id=request_id), now) as work:
        if consume_token(work.db, "invitation", token, now).mailed:
            prove_email(work, account.id)
        if hashed is not None:
            first = update(Account).where(Account.id == account.id, Account.password_hash.is_(None))
            if work.db.scalar(first.values(password_hash=hashed, password_set_at=now).returning(Account.id)) is None:
                raise WrongCredentials("This account already has a password. Accept the invitation with it.")
        accepted = update(Membership).where(Membership.account_id == account.id, Membership.tenant_id == tenant_id)
        work.db.execute(accepted.values(accepted_at=now))
        if invitation.tenant_id is None:
            work.db.execute(update(Account).where(Account.id == account.id).values(platform_admin=True))
        work.record("membership.accepted", "account", account.id, platform_admin=invitation.tenant_id is None)


def change_password(installation: Installation, actor: Actor, current: str, new: str, now: datetime) -> None:
    """Change the signed-in person's password after checking the current one. All their other sessions end."""
    assert actor.account_id is not None  # noqa: S101 - callers are signed in
    with installation.store.begin_system_session() as db:
        account = db.get_one(Account, actor.account_id)
    check_current_password(installation, account, current, actor, now)
    refuse_weak(account, new)
    refuse_current_password(account, new)
    hashed = hash_password(new)
    with installation.work(actor, now) as work:
        set_password(work, account.id, hashed, keep=actor.session_id)


def request_password_reset(installation: Installation, email: str, now: datetime) -> None:
    """Send a reset link by email if the account exists. Callers cannot tell, and repeated requests send no more."""
    with installation.work(Actor(), now) as work:
        account = work.db.scalar(
            select(Account).where(Account.email == email.strip().lower(), Account.disabled_at.is_(None))
        )
        if account is None or has_recent_reset_email(work.db, account.id, now):
            return
        secret = issue_token(work.db, "reset", account.id, None, RESET_LIFETIME, now, mailed=True)
        work.record("password.reset_asked", "account", account.id)
        work.emails.append(
            Email(
                to=account.email,
                subject="Set a new password for Caseload",
                text="A new password was requested for this account. This link works once, for an hour:\n\n"
                f"{work.outbox.build_link('reset', secret)}\n\nIf you did not request it, ignore this email.",
            )
        )


def has_recent_reset_email(db: Session, account_id: UUID, now: datetime) -> bool:
    """Return whether a reset email was sent within the last minutes and its link is unused."""
    recent = OneTimeToken.expires_at > now + RESET_LIFETIME - RESET_EMAIL_INTERVAL
    unused = (OneTimeToken.account_id == account_id, OneTimeToken.purpose == "reset", OneTimeToken.used_at.is_(None))
    return db.scalar(select(OneTimeToken.token_hash).where(*unused, recent).limit(1)) is not None


def reset_password(
    installation: Installation, token: str, password: str, now: datetime, request_id: str | None = None
) -> None:
    """Set a new password with an emailed link, or for an expired one after the code. All sessions of the account end.

    The second factor stays, unless it was enrolled before anybody had proven the email address.
    """
    with installation.store.begin_system_session() as db:
        account = load_account(db, find_token(db, "reset", token, now))
    refuse_weak(account, password)
    refuse_current_password(account, password)
    hashed = hash_password(password)
    with installation.work(Actor(account_id=account.id, request_id=request_id), now) as work:
        mailed = consume_token(work.db, "reset", token, now).mailed
        set_password(work, account.id, hashed, keep=None)
        if mailed and prove_email(work, account.id):
            remove_second_factor(work, account.id)
        forget_attempts(work.db, compute_attempt_key(installation, "password", account.email))


def set_password(work: Work, account_id: UUID, hashed: str, keep: UUID | None) -> None:
    """Store a new password, void open links and sign-in steps, and end all sessions but the one to keep."""
    work.db.execute(
        update(Account).where(Account.id == account_id).values(password_hash=hashed, password_set_at=work.now)
    )
    void_tokens(work.db, account_id, ["reset", "code", "enrol", "practice"], None, work.now)
    for session in list_sessions(work.db, account_id, work.now):
        if session.id != keep:
            end_session(work.db, session.id, "password", work.now)
    record_in_all_practices(work, account_id, "password.set")


def prove_email(work: Work, account_id: UUID) -> bool:
    """Record that a mailed link proved the address. Return whether the authenticator was enrolled before any did."""
    without_keys = {"key_share": True}  # an import that names the account does not block it
    account = work.db.get_one(Account, account_id, with_for_update=without_keys, populate_existing=True)
    account.email_proven_at = proven_at = account.email_proven_at or work.now
    return account.totp_confirmed_at is not None and account.totp_confirmed_at < proven_at


def reset_second_factor(work: Work, email: str) -> None:
    """Remove the second factor of an account, whose owner then enrolls a new one. All sessions end.

    For a lost authenticator or one that somebody else enrolled. The operator verifies the identity of the person first.
    """
    account_id = work.db.scalar(select(Account.id).where(Account.email == email))
    if account_id is None:
        raise NoAccount(f"No account has the email address {email}. Check its spelling.")
    void_tokens(work.db, account_id, ["reset", "code", "enrol", "practice"], None, work.now)
    for session in list_sessions(work.db, account_id, work.now):
        end_session(work.db, session.id, "second factor", work.now)
    remove_second_factor(work, account_id)


def remove_second_factor(work: Work, account_id: UUID) -> None:
    """Remove the authenticator and the recovery codes of an account."""
    removed = {"totp_secret": None, "totp_confirmed_at": None}
    work.db.execute(update(Account).where(Account.id == account_id).values(removed))
    work.db.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    record_in_all_practices(work, account_id, "mfa.reset")


def record_in_all_practices(work: Work, account_id: UUID, action: str) -> None:
    """Record an audit entry in each of the account's practices, or in the installation if it has none.

    The practices are locked in one order, so that two such calls cannot deadlock.
    """
    practices = sorted(tenant_id for tenant_id, _ in list_memberships(work.db, account_id))
    for tenant_id in practices or [SYSTEM_TENANT]:
        with work.in_practice(tenant_id) as practice_work:
            practice_work.record(action, "account", account_id)


def check_current_password(
    installation: Installation, account: Account, password: str, actor: Actor, now: datetime
) -> None:
    """Raise WrongCredentials unless this is the account's password. Failures count towards the lockout."""
    key = compute_attempt_key(installation, "password", account.email)
    with installation.store.begin_system_session() as db:
        reserve_attempt(db, key, now)
    if not verify_password(account.password_hash, password):
        record_failure(installation, account, "password", actor, now)
        raise WrongCredentials("The current password is wrong. Try again.")
    with installation.store.begin_system_session() as db:
        forget_attempts(db, key)


def refuse_weak(account: Account, password: str) -> None:
    """Raise PasswordRefused with everything that is wrong with a new password."""
    problems = password_problems(password, email=account.email)
    if problems:
        raise PasswordRefused(" ".join(problems), problems=problems)


def refuse_current_password(account: Account, password: str) -> None:
    """Raise PasswordRefused when the new password is the current one."""
    if account.password_hash is not None and verify_password(account.password_hash, password):
        raise PasswordRefused("The new password is the current one. Choose another.")


def list_sessions(db: Session, account_id: UUID, now: datetime) -> Sequence[AccountSession]:
    """Return the account's live sessions, newest first."""
    return db.scalars(
        select(AccountSession)
        .where(AccountSession.account_id == account_id, AccountSession.ended_at.is_(None))
        .where(func.session_over(literal_column("account_sessions"), now).is_(None))
        .order_by(AccountSession.started_at.desc())
    ).all()


def end_practice_sessions(work: Work, account_id: UUID, reason: str) -> int:
    """End the account's sessions in this practice only, and return how many."""
    ended = update(AccountSession).where(
        AccountSession.account_id == account_id,
        AccountSession.tenant_id == work.tenant_id,
        AccountSession.ended_at.is_(None),
    )
    return len(work.db.scalars(ended.values(ended_at=work.now, end_reason=reason).returning(AccountSession.id)).all())


def end_membership(work: Work, account_id: UUID) -> None:
    """End the account's membership of the practice, its invitation and its sessions there."""
    ended = update(Membership).where(Membership.account_id == account_id, Membership.tenant_id == work.tenant_id)
    work.db.execute(ended.values(ended_at=work.now))
    void_tokens(work.db, account_id, ["invitation"], work.tenant_id, work.now)
    end_practice_sessions(work, account_id, "left")


def end_all_memberships(work: Work) -> None:
    """End all memberships, open invitations and sessions of the practice."""
    for table, ended in (
        (Membership, Membership.ended_at),
        (OneTimeToken, OneTimeToken.used_at),
        (AccountSession, AccountSession.ended_at),
    ):
        work.db.execute(
            update(table).where(table.tenant_id == work.tenant_id, ended.is_(None)).values({ended.key: work.now})
        )
