"""Signing in: password, second factor, choice of the practice, tokens, and their refreshing and ending.

Each step answers with what comes next. A failure is counted before it is known to be one, so that parallel guesses
cannot outrun the count; slow hashing happens outside any transaction.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security import totp
from practice.security.admission import admit_within
from practice.security.installation import Installation
from practice.security.models import Account, AccountSession, RecoveryCode, RefreshToken, SignIn
from practice.security.one_time_tokens import NotValid, account_of, consume_token, find_token, issue_token
from practice.security.passwords import verify_password
from practice.security.tokens import AccessClaims, NotSignedIn, new_secret, secret_hash
from practice.security.work import Actor, Work
from practice.store.ids import NOBODY, new_id

MOST_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
STEP_LIFETIME = timedelta(minutes=10)
IDLE_LIMIT = timedelta(minutes=15)
ABSOLUTE_LIMIT = timedelta(hours=12)
REFRESH_LIFETIME = timedelta(days=7)


class WrongCredentials(Refusal):
    code = "WRONG_CREDENTIALS"
    status = 401


class SignInLocked(Refusal):
    code = "SIGN_IN_LOCKED"
    status = 429


class NotYourPractice(Refusal):
    code = "NOT_YOUR_PRACTICE"
    status = 403


class PracticeClosed(Refusal):
    code = "PRACTICE_CLOSED"
    status = 403


@dataclass(frozen=True)
class Tokens:
    access: str
    refresh: str
    session_id: UUID
    training_lapsed: bool


@dataclass(frozen=True)
class Step:
    """What comes next: `code`, `enrol`, `practice` or `new_password` (go on with the token), or `done`."""

    next: Literal["code", "enrol", "practice", "new_password", "done"]
    token: str | None = None
    practices: list[tuple[UUID, str]] | None = None
    tokens: Tokens | None = None
    recovery_codes: list[str] | None = None


def sign_in(
    installation: Installation, email: str, password: str, now: datetime, request_id: str | None = None
) -> Step:
    email = email.strip().lower()
    actor = Actor(request_id=request_id)
    key = attempt_key(installation, "password", email)
    with installation.store.system_session() as db:
        reserve_attempt(db, key, now)
        account = db.scalar(select(Account).where(Account.email == email))
    right = verify_password(account.password_hash if account else None, password)
    if account is None or not right or account.disabled_at is not None:
        record_failure(installation, account, "password", actor, now)
        raise WrongCredentials("The e-mail address or the password is not right. Try again, or reset the password.")
    with installation.work(actor, now) as work:
        of_now = select(Account.password_hash).where(Account.id == account.id).with_for_update()
        if work.db.scalar(of_now) != account.password_hash:  # changed while we looked at the old one
            raise WrongCredentials("The password has just been changed. Sign in with the new one.")
        forget_attempts(work.db, key)
        purpose: Literal["code", "enrol"] = "code" if account.totp_confirmed_at else "enrol"
        return Step(purpose, issue_token(work.db, purpose, account.id, None, STEP_LIFETIME, now))


def begin_enrolment(installation: Installation, token: str, now: datetime) -> tuple[str, str]:
    """A new TOTP secret for an account that has none confirmed: the secret, and the address for the QR code."""
    with installation.work(Actor(), now) as work:
        account = account_of(work.db, find_token(work.db, "enrol", token, now))
        secret = totp.new_secret()
        sealed = work.seal("accounts", "totp_secret", account.id, secret)
        # one statement: another sign-in may be confirming an authenticator at this moment, and must not lose it
        open_still = update(Account).where(Account.id == account.id, Account.totp_confirmed_at.is_(None))
        if work.db.scalar(open_still.values(totp_secret=sealed).returning(Account.id)) is None:
            raise NotValid
        work.record("mfa.enrolment_begun", "account", account.id)
        return secret, totp.provisioning_uri(secret, account.email)


def confirm_enrolment(
    installation: Installation, token: str, code: str, now: datetime, request_id: str | None = None
) -> Step:
    """The first code proves that the authenticator works. Answers with the recovery codes, shown this once."""
    account = check_code(installation, "enrol", token, code, now, request_id)
    with installation.work(Actor(request_id=request_id), now) as work:
        consume_token(work.db, "enrol", token, now)
        codes = totp.new_recovery_codes()
        work.db.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
        work.db.add_all(RecoveryCode(account_id=account.id, code_hash=totp.recovery_code_hash(c)) for c in codes)
        # only the very secret that the code was of, and only where there is none yet: whoever knows the password alone
        # must not put an authenticator of theirs beside or in place of the owner's
        first = update(Account).where(
            Account.id == account.id, Account.totp_confirmed_at.is_(None), Account.totp_secret == account.totp_secret
        )
        if work.db.scalar(first.values(totp_confirmed_at=now).returning(Account.id)) is None:
            raise NotValid
        work.record("mfa.enrolled", "account", account.id)
    try:
        step = choose_practice(installation, account, now, request_id)
    except PracticeClosed:
        step = Step("done")  # into no practice; but the codes exist, and are shown only here
    return Step(step.next, step.token, step.practices, step.tokens, codes)


def verify_code(
    installation: Installation, token: str, code: str, now: datetime, request_id: str | None = None
) -> Step:
    """The second factor: a code of the authenticator, or one of the recovery codes."""
    account = check_code(installation, "code", token, code, now, request_id)
    with installation.store.system_session() as db:
        consume_token(db, "code", token, now)
    return choose_practice(installation, account, now, request_id)


def check_code(
    installation: Installation, purpose: str, token: str, code: str, now: datetime, request_id: str | None
) -> Account:
    with installation.work(Actor(request_id=request_id), now) as work:
        account = account_of(work.db, find_token(work.db, purpose, token, now))
        key = attempt_key(installation, "code", str(account.id))
        reserve_attempt(work.db, key, now)
        secret = work.unseal("accounts", "totp_secret", account.id, account.totp_secret)
    with installation.work(Actor(request_id=request_id), now) as work:
        used = use_code(work.db, account.id, secret, code, now, recovery=purpose == "code") if secret else None
        if used is not None:
            forget_attempts(work.db, key)
            if used == "recovery":
                work.record("mfa.recovery_code_used", "account", account.id)
            return account
    record_failure(installation, account, "code", Actor(request_id=request_id), now)
    raise WrongCredentials("The code is not right or was used already. Wait for the next one and try again.")


def use_code(
    db: Session, account_id: UUID, secret: str, code: str, now: datetime, *, recovery: bool
) -> Literal["authenticator", "recovery"] | None:
    """Spend a code. Each works once: the step moves forward, or the recovery code goes, in one statement."""
    step = totp.matching_step(secret, code, now)
    if step is not None:
        moved = (
            update(Account).where(Account.id == account_id, Account.totp_last_step < step).values(totp_last_step=step)
        )
        return "authenticator" if db.scalar(moved.returning(Account.id)) is not None else None
    if not recovery:
        return None
    spent = delete(RecoveryCode).where(
        RecoveryCode.account_id == account_id, RecoveryCode.code_hash == totp.recovery_code_hash(code)
    )
    return "recovery" if db.scalar(spent.returning(RecoveryCode.account_id)) is not None else None


def choose_practice(installation: Installation, account: Account, now: datetime, request_id: str | None) -> Step:
    """Into the only practice, or asking which. A platform admin without one acts in none."""
    with installation.store.system_session() as db:
        practices = memberships(db, account.id)
        if len(practices) + account.platform_admin > 1:
            if account.platform_admin:
                practices = [(NOBODY, "The platform"), *practices]
            return Step("practice", issue_token(db, "practice", account.id, None, STEP_LIFETIME, now), practices)
    if not practices and not account.platform_admin:
        raise PracticeClosed(
            "This account belongs to no practice at present. Ask the practice's admin for an invitation."
        )
    return start_session(installation, account.id, practices[0][0] if practices else NOBODY, now, request_id)


def enter_practice(
    installation: Installation, token: str, tenant_id: UUID, now: datetime, request_id: str | None = None
) -> Step:
    """The person's answer to the question which practice."""
    with installation.store.system_session() as db:
        account = account_of(db, find_token(db, "practice", token, now))
        choices = {practice for practice, _ in memberships(db, account.id)} | (
            {NOBODY} if account.platform_admin else set()
        )
        if tenant_id not in choices:
            raise NotYourPractice("That is none of your practices. Choose one of those that were offered.")
        consume_token(db, "practice", token, now)
    return start_session(installation, account.id, tenant_id, now, request_id)


def start_session(
    installation: Installation, account_id: UUID, tenant_id: UUID, now: datetime, request_id: str | None
) -> Step:
    session_id = new_id()
    actor = Actor(tenant_id, account_id, session_id=session_id, request_id=request_id)
    with installation.work(actor, now) as work:
        if password_too_old(work, account_id, now):
            return Step("new_password", issue_token(work.db, "reset", account_id, None, STEP_LIFETIME, now))
        work.db.add(
            AccountSession(
                id=session_id,
                account_id=account_id,
                tenant_id=None if tenant_id == NOBODY else tenant_id,
                started_at=now,
                last_seen_at=now,
                idle_seconds=int(IDLE_LIMIT.total_seconds()),
                absolute_seconds=int(ABSOLUTE_LIMIT.total_seconds()),
            )
        )
        work.db.flush()
        admitted = admit_within(work.db, session_id, now, active=True)
        if admitted.verdict != "welcome":
            raise PracticeClosed(
                "This practice is suspended, or your place in it has ended. Ask its admin, or sign in to another one."
            )
        refresh = issue_refresh_token(work.db, session_id, now)
        if admitted.staff_id is not None:
            work.db.add(SignIn(tenant_id=tenant_id, staff_id=admitted.staff_id, at=now))
        if admitted.client_id is not None:
            activate_portal(work, admitted.client_id)
        work.record("session.started", "account", account_id)
    access = installation.tokens.sign(AccessClaims(session_id, account_id), now)
    return Step("done", tokens=Tokens(access, refresh, session_id, admitted.training_lapsed))


def activate_portal(work: Work, client_id: UUID) -> None:
    """Once: the first time that the client came in. Clients are kept in a room above this one."""
    work.db.execute(
        text("""
            update clients set portal_activated_at = :now
            where tenant_id = :tenant_id and id = :id and portal_activated_at is null
        """),
        {"now": work.now, "tenant_id": work.tenant_id, "id": client_id},
    )


def refresh(installation: Installation, token: str, now: datetime, request_id: str | None = None) -> Tokens:
    """A new pair for a token that was not used yet. One that was, ends the whole session: somebody has a copy."""
    with installation.store.system_session() as db:
        session = db.scalar(
            select(AccountSession)
            .join(RefreshToken, RefreshToken.session_id == AccountSession.id)
            .where(RefreshToken.token_hash == secret_hash(token))
        )
    if session is None:
        raise NotSignedIn("This refresh token is not known. Sign in again.")
    actor = Actor(session.tenant_id or NOBODY, session.account_id, session_id=session.id, request_id=request_id)
    with installation.work(actor, now) as work:
        fresh = work.db.scalar(
            update(RefreshToken)
            .where(RefreshToken.token_hash == secret_hash(token), RefreshToken.used_at.is_(None))
            .values(used_at=now)
            .returning(RefreshToken.expires_at)
        )
        if fresh is None:
            if end_session(work.db, session.id, "reuse", now):  # once: whoever repeats it shall not fill the trail
                work.record("session.refresh_token_reused", "account", session.account_id)
            answer = None
        else:
            admitted = admit_within(work.db, session.id, now, active=False)
            alive = admitted.verdict == "welcome" and now < fresh
            answer = issue_refresh_token(work.db, session.id, now) if alive else None
    if answer is None:
        raise NotSignedIn("Your session has ended. Sign in again.")
    access = installation.tokens.sign(AccessClaims(session.id, session.account_id), now)
    return Tokens(access, answer, session.id, admitted.training_lapsed)


def end_session(db: Session, session_id: UUID, reason: str, now: datetime) -> bool:
    ended = (
        update(AccountSession)
        .where(AccountSession.id == session_id, AccountSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
    )
    return db.scalar(ended.returning(AccountSession.id)) is not None


def issue_refresh_token(db: Session, session_id: UUID, now: datetime) -> str:
    secret, hashed = new_secret()
    db.add(RefreshToken(token_hash=hashed, session_id=session_id, expires_at=now + REFRESH_LIFETIME))
    return secret


def memberships(db: Session, account_id: UUID) -> list[tuple[UUID, str]]:
    rows = db.execute(
        text("""
            select p.id, p.name from memberships as m join practices as p on p.id = m.tenant_id
            where m.account_id = :account_id and m.accepted_at is not null and m.ended_at is null
                and p.status = 'ACTIVE'
            order by p.name, p.id
        """),
        {"account_id": account_id},
    )
    return [(row.id, row.name) for row in rows]


def password_too_old(work: Work, account_id: UUID, now: datetime) -> bool:
    days = work.db.scalar(
        text("""
            select rule_value(p.id, 'password_max_age_days', (:now at time zone p.time_zone)::date)::integer
            from practices as p where p.id = :tenant_id
        """),
        {"now": now, "tenant_id": work.tenant_id},
    )
    # locked: a password that is being changed ends the sessions it finds, and has to find this one
    set_at = work.db.scalar(select(Account.password_set_at).where(Account.id == account_id).with_for_update())
    return bool(days) and set_at is not None and now >= set_at + timedelta(days=days)


# Attempts: counted before they are judged.


def attempt_key(installation: Installation, kind: str, subject: str) -> bytes:
    return hmac.new(installation.attempt_key, f"{kind}:{subject}".encode(), hashlib.sha256).digest()


def reserve_attempt(db: Session, key: bytes, now: datetime) -> None:
    """Count an attempt, or refuse it when too many went wrong lately. One statement, so that nobody slips between."""
    counted = db.scalar(
        text("""
            insert into sign_in_attempts as a (key, failures, last_at) values (:key, 1, :now)
            on conflict (key) do update
                set failures = case when a.last_at <= :now - :locked_for then 1 else a.failures + 1 end, last_at = :now
                where a.failures < :most or a.last_at <= :now - :locked_for
            returning failures
        """),
        {"key": key, "now": now, "locked_for": LOCKED_FOR, "most": MOST_FAILURES},
    )
    if counted is None:
        raise SignInLocked(
            "Too many attempts went wrong. Wait 15 minutes, or reset the password.",
            retry_after=int(LOCKED_FOR.total_seconds()),
        )


def forget_attempts(db: Session, key: bytes) -> None:
    db.execute(text("delete from sign_in_attempts where key = :key"), {"key": key})


def record_failure(
    installation: Installation, account: Account | None, factor: str, actor: Actor, now: datetime
) -> None:
    """On the trail of every practice that the account belongs to, or of the installation when it belongs to none."""
    with installation.store.system_session() as db:
        tenants = [t for t, _ in memberships(db, account.id)] if account else []
    for tenant_id in tenants or [NOBODY]:
        with installation.work(Actor(tenant_id, request_id=actor.request_id), now) as work:
            work.record(
                "sign_in.failed", "account" if account else None, account.id if account else None, factor=factor
            )
