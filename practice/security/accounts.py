"""Accounts: making them, inviting them into a practice, their passwords and their sessions."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security.email_outbox import Letter
from practice.security.installation import Installation
from practice.security.models import Account, AccountSession, Membership, OneTimeToken, RecoveryCode
from practice.security.one_time_tokens import account_of, consume_token, find_token, issue_token, void_tokens
from practice.security.passwords import hash_password, verify_password
from practice.security.rules import password_problems
from practice.security.sign_in import (
    WrongCredentials,
    attempt_key,
    end_session,
    forget_attempts,
    memberships,
    record_failure,
    reserve_attempt,
)
from practice.security.work import Actor, Work
from practice.store.ids import NOBODY, new_id

INVITATION_LIFETIME = timedelta(days=7)
RESET_LIFETIME = timedelta(hours=1)
LETTERS_APART = timedelta(minutes=5)


class NoAccount(Refusal):
    code = "NO_ACCOUNT"
    status = 404


class PasswordRefused(Refusal):
    code = "PASSWORD_REFUSED"
    status = 422


def account_for(db: Session, email: str, now: datetime) -> Account:
    """The account of this address, made when there is none. Whose it is, only its password tells."""
    return accounts_for(db, [email], now)[email]


def accounts_for(db: Session, emails: Collection[str], now: datetime) -> dict[str, Account]:
    """The accounts of these addresses, each made when there is none."""
    if not emails:
        return {}
    db.execute(
        insert(Account)
        .values([{"id": new_id(), "email": email, "created_at": now} for email in sorted(emails)])
        .on_conflict_do_nothing(index_elements=["email"])
    )
    found = db.scalars(select(Account).where(Account.email == func.any(list(emails))))
    return {account.email: account for account in found}


def add_members(work: Work, account_ids: Collection[UUID], *, ended: bool) -> None:
    """A place in the practice for each, not taken yet; or, for those who have left, one that has ended."""
    if account_ids:
        ended_at = work.now if ended else None
        places = [
            {"account_id": one, "tenant_id": work.tenant_id, "created_at": work.now, "ended_at": ended_at}
            for one in account_ids
        ]
        work.db.execute(insert(Membership).values(places).on_conflict_do_nothing())


def invite(work: Work, account: Account) -> str:
    """Offer the account a place in the practice. It counts once the person took it, with the secret returned here."""
    work.db.execute(
        insert(Membership)
        .values(account_id=account.id, tenant_id=work.tenant_id, created_at=work.now)
        .on_conflict_do_update(
            index_elements=["account_id", "tenant_id"],
            set_={"ended_at": None, "accepted_at": None},
            where=Membership.ended_at.is_not(None),
        )
    )
    void_tokens(work.db, account.id, ["invitation"], work.tenant_id, work.now)  # the lost link is in somebody's hands
    return issue_token(work.db, "invitation", account.id, work.tenant_id, INVITATION_LIFETIME, work.now)


def make_platform_admin(work: Work, email: str) -> str:
    """Invite somebody to run the installation: to create and suspend practices, and see nothing in them.

    They are one from the moment they accept, by this very link: until then nobody has shown whose account it is.
    """
    account = account_for(work.db, email, work.now)
    work.record("platform_admin.invited", "account", account.id)
    return issue_token(work.db, "invitation", account.id, None, INVITATION_LIFETIME, work.now)


def accept_invitation(
    installation: Installation, token: str, password: str, now: datetime, request_id: str | None = None
) -> None:
    """Take the place. A new account gets its password here; one that has a password proves it."""
    with installation.store.system_session() as db:
        invitation = find_token(db, "invitation", token, now)
        account = account_of(db, invitation)
    tenant_id = invitation.tenant_id or NOBODY
    if account.password_hash is None:
        refuse_weak(account, password)
        hashed = hash_password(password)
    else:
        hashed = None
        prove_password(installation, account, password, Actor(request_id=request_id), now)
    with installation.work(Actor(tenant_id, account.id, request_id=request_id), now) as work:
        consume_token(work.db, "invitation", token, now)
        if hashed is not None:
            first = update(Account).where(Account.id == account.id, Account.password_hash.is_(None))
            if work.db.scalar(first.values(password_hash=hashed, password_set_at=now).returning(Account.id)) is None:
                raise WrongCredentials("This account has just been given a password. Use that one.")
        accepted = update(Membership).where(Membership.account_id == account.id, Membership.tenant_id == tenant_id)
        work.db.execute(accepted.values(accepted_at=now))
        if invitation.tenant_id is None:
            work.db.execute(update(Account).where(Account.id == account.id).values(platform_admin=True))
        work.record("membership.accepted", "account", account.id, platform_admin=invitation.tenant_id is None)


def change_password(installation: Installation, actor: Actor, current: str, new: str, now: datetime) -> None:
    """The person's own doing, proven by the present password. Every other session of theirs ends."""
    assert actor.account_id is not None  # noqa: S101 - only a signed-in person comes here
    with installation.store.system_session() as db:
        account = db.get_one(Account, actor.account_id)
    prove_password(installation, account, current, actor, now)
    refuse_weak(account, new)
    refuse_present(account, new)
    hashed = hash_password(new)
    with installation.work(actor, now) as work:
        set_password(work, account.id, hashed, keep=actor.session_id)


def ask_reset(installation: Installation, email: str, now: datetime) -> None:
    """Post a link to the address, if it is known. The asker cannot tell, and cannot fill somebody's mailbox."""
    with installation.work(Actor(), now) as work:
        account = work.db.scalar(
            select(Account).where(Account.email == email.strip().lower(), Account.disabled_at.is_(None))
        )
        if account is None or posted_lately(work.db, account.id, now):
            return
        secret = issue_token(work.db, "reset", account.id, None, RESET_LIFETIME, now)
        work.record("password.reset_asked", "account", account.id)
    installation.letters.post(
        Letter(
            to=account.email,
            subject="Set a new password for Caseload",
            text=f"Somebody, we hope you, asked for a new password. This link works once, for an hour:\n\n"
            f"{installation.settings.public_url}/reset#{secret}\n\nIf it was not you, leave it: nothing changes.",
        ),
        now,
    )


def posted_lately(db: Session, account_id: UUID, now: datetime) -> bool:
    young = OneTimeToken.expires_at > now + RESET_LIFETIME - LETTERS_APART
    mine = (OneTimeToken.account_id == account_id, OneTimeToken.purpose == "reset", OneTimeToken.used_at.is_(None))
    return db.scalar(select(OneTimeToken.token_hash).where(*mine, young).limit(1)) is not None


def reset_password(
    installation: Installation, token: str, password: str, now: datetime, request_id: str | None = None
) -> None:
    """A new password by the link that was posted. Every session of the account ends; the second factor stays."""
    with installation.store.system_session() as db:
        account = account_of(db, find_token(db, "reset", token, now))
    refuse_weak(account, password)
    refuse_present(account, password)
    hashed = hash_password(password)
    with installation.work(Actor(account_id=account.id, request_id=request_id), now) as work:
        consume_token(work.db, "reset", token, now)
        set_password(work, account.id, hashed, keep=None)
        forget_attempts(work.db, attempt_key(installation, "password", account.email))


def set_password(work: Work, account_id: UUID, hashed: str, keep: UUID | None) -> None:
    work.db.execute(
        update(Account).where(Account.id == account_id).values(password_hash=hashed, password_set_at=work.now)
    )
    void_tokens(work.db, account_id, ["reset", "code", "enrol", "practice"], None, work.now)
    for session in sessions_of(work.db, account_id, work.now):
        if session.id != keep:
            end_session(work.db, session.id, "password", work.now)
    record_everywhere(work, account_id, "password.set")


def reset_second_factor(work: Work, email: str) -> None:
    """For somebody who lost their authenticator and their codes, or found a stranger's: they enrol a new one.

    Whoever does this has made sure who asks. The password stays, and every session ends.
    """
    account = work.db.scalar(select(Account).where(Account.email == email).with_for_update())
    if account is None:
        raise NoAccount(f"There is no account of {email}. Look at how it is written.")
    account.totp_secret = account.totp_confirmed_at = None
    work.db.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    void_tokens(work.db, account.id, ["reset", "code", "enrol", "practice"], None, work.now)
    for session in sessions_of(work.db, account.id, work.now):
        end_session(work.db, session.id, "second factor", work.now)
    record_everywhere(work, account.id, "mfa.reset")


def record_everywhere(work: Work, account_id: UUID, action: str) -> None:
    """On the trail of each practice that the account belongs to, always in the same order; else the installation's."""
    practices = sorted(tenant_id for tenant_id, _ in memberships(work.db, account_id))
    for tenant_id in practices or [NOBODY]:
        with work.inside(tenant_id) as inside:
            inside.record(action, "account", account_id)


def prove_password(installation: Installation, account: Account, password: str, actor: Actor, now: datetime) -> None:
    key = attempt_key(installation, "password", account.email)
    with installation.store.system_session() as db:
        reserve_attempt(db, key, now)
    if not verify_password(account.password_hash, password):
        record_failure(installation, account, "password", actor, now)
        raise WrongCredentials("The present password is not right.")
    with installation.store.system_session() as db:
        forget_attempts(db, key)


def refuse_weak(account: Account, password: str) -> None:
    problems = password_problems(password, email=account.email)
    if problems:
        raise PasswordRefused(" ".join(problems), problems=problems)


def refuse_present(account: Account, password: str) -> None:
    """A password that has to change, changes."""
    if account.password_hash is not None and verify_password(account.password_hash, password):
        raise PasswordRefused("The new password is the present one. Choose another.")


def sessions_of(db: Session, account_id: UUID, now: datetime) -> Sequence[AccountSession]:
    """The account's sessions that live, newest first."""
    return db.scalars(
        select(AccountSession)
        .where(AccountSession.account_id == account_id, AccountSession.ended_at.is_(None))
        .where(func.session_over(literal_column("account_sessions"), now).is_(None))
        .order_by(AccountSession.started_at.desc())
    ).all()


def end_sessions_here(work: Work, account_id: UUID, reason: str) -> int:
    """End the account's sessions in this practice, and only there."""
    ended = update(AccountSession).where(
        AccountSession.account_id == account_id,
        AccountSession.tenant_id == work.tenant_id,
        AccountSession.ended_at.is_(None),
    )
    return len(work.db.scalars(ended.values(ended_at=work.now, end_reason=reason).returning(AccountSession.id)).all())


def end_membership(work: Work, account_id: UUID) -> None:
    ended = update(Membership).where(Membership.account_id == account_id, Membership.tenant_id == work.tenant_id)
    work.db.execute(ended.values(ended_at=work.now))
    void_tokens(work.db, account_id, ["invitation"], work.tenant_id, work.now)
    end_sessions_here(work, account_id, "left")


def end_all_memberships(work: Work) -> None:
    """Nobody has a place in the practice any more, nor an invitation to one, nor is signed in there."""
    for table, ended in (
        (Membership, Membership.ended_at),
        (OneTimeToken, OneTimeToken.used_at),
        (AccountSession, AccountSession.ended_at),
    ):
        work.db.execute(
            update(table).where(table.tenant_id == work.tenant_id, ended.is_(None)).values({ended.key: work.now})
        )
