"""Sign-in: password, second factor, choice of the practice, and the sessions and tokens that follow.

Each step returns the next one. An attempt is counted before it is checked, so that parallel guesses cannot outrun the
count; slow hashing happens outside any transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security import totp
from practice.security.admission import admit_within
from practice.security.attempts import compute_attempt_key, forget_attempts, reserve_attempt
from practice.security.installation import Installation
from practice.security.models import Account, AccountSession, RecoveryCode, RefreshToken, SignIn
from practice.security.one_time_tokens import InvalidToken, consume_token, find_token, issue_token, load_account
from practice.security.passwords import verify_password
from practice.security.tokens import AccessClaims, NotSignedIn, generate_secret, hash_secret
from practice.security.work import Actor, Work
from practice.store.ids import SYSTEM_TENANT, new_id

STEP_LIFETIME = timedelta(minutes=10)
IDLE_LIMIT = timedelta(minutes=15)
ABSOLUTE_LIMIT = timedelta(hours=12)
REFRESH_LIFETIME = timedelta(days=7)


class WrongCredentials(Refusal):
    """The email address, password or code is wrong.

    Fix: try again, or reset the password.
    """

    code = "WRONG_CREDENTIALS"
    status = 401


class NotYourPractice(Refusal):
    """The practice is not among the choices of this sign-in.

    Fix: choose one of those offered.
    """

    code = "NOT_YOUR_PRACTICE"
    status = 403


class PracticeClosed(Refusal):
    """The practice is suspended, or the account has no active membership in it.

    Fix: ask an admin of the practice or the operator of the installation.
    """

    code = "PRACTICE_CLOSED"
    status = 403


@dataclass(frozen=True)
class Tokens:
    """The access and refresh token of a session."""

    access: str
    refresh: str
    session_id: UUID
    training_lapsed: bool


@dataclass(frozen=True)
class Step:
    """The next step: `code`, `enrol`, `practice` or `new_password` (continue with the token), or `done`."""

    next: Literal["code", "enrol", "practice", "new_password", "done"]
    token: str | None = None
    practices: list[tuple[UUID, str]] | None = None
    tokens: Tokens | None = None
    recovery_codes: list[str] | None = None


def sign_in(
    installation: Installation, email: str, password: str, now: datetime, request_id: str | None = None
) -> Step:
    """Check the password and return the next step: the second factor or its enrollment."""
    email = email.strip().lower()
    actor = Actor(request_id=request_id)
    key = compute_attempt_key(installation, "password", email)
    with installation.store.begin_system_session() as db:
        reserve_attempt(db, key, now)
        account = db.scalar(select(Account).where(Account.email == email))
    is_correct = verify_password(account.password_hash if account else None, password)
    if account is None or not is_correct or account.disabled_at is not None:
        record_failure(installation, account, "password", actor, now)
        raise WrongCredentials("Wrong email address or password. Try again, or reset the password.")
    with installation.work(actor, now) as work:
        current_hash = select(Account.password_hash).where(Account.id == account.id)
        current_hash = current_hash.with_for_update(
            key_share=True
        )  # an import that names the account does not block it
        if work.db.scalar(current_hash) != account.password_hash:  # changed since it was verified
            raise WrongCredentials("The password has just been changed. Sign in with the new one.")
        forget_attempts(work.db, key)
        purpose: Literal["code", "enrol"] = "code" if account.totp_confirmed_at else "enrol"
        return Step(purpose, issue_token(work.db, purpose, account.id, None, STEP_LIFETIME, now))


def begin_enrollment(installation: Installation, token: str, now: datetime) -> tuple[str, str]:
    """Return a new TOTP secret and its URI for the QR code, for an account without a confirmed authenticator."""
    with installation.work(Actor(), now) as work:
        account = load_account(work.db, find_token(work.db, "enrol", token, now))
        secret = totp.generate_secret()
        sealed = work.seal("accounts", "totp_secret", account.id, secret)
        # one statement: a concurrent sign-in may be confirming an authenticator, which must not be lost
        unconfirmed = update(Account).where(Account.id == account.id, Account.totp_confirmed_at.is_(None))
        unused = {"totp_secret": sealed, "totp_last_step": 0}  # no code of the new secret has been used
        if work.db.scalar(unconfirmed.values(unused).returning(Account.id)) is None:
            raise InvalidToken
        work.record("mfa.enrollment_begun", "account", account.id)
        return secret, totp.build_provisioning_uri(secret, account.email)


def confirm_enrollment(
    installation: Installation, token: str, code: str, now: datetime, request_id: str | None = None
) -> Step:
    """Confirm the authenticator with a first code and return the next step, with the recovery codes."""
    account = check_code(installation, "enrol", token, code, now, request_id)
    with installation.work(Actor(request_id=request_id), now) as work:
        consume_token(work.db, "enrol", token, now)
        codes = replace_recovery_codes(work, account.id)
        # only for the secret of this code, and only if none is confirmed: an attacker who knows just the password must
        # not add or replace an authenticator
        unconfirmed = update(Account).where(
            Account.id == account.id, Account.totp_confirmed_at.is_(None), Account.totp_secret == account.totp_secret
        )
        if work.db.scalar(unconfirmed.values(totp_confirmed_at=now).returning(Account.id)) is None:
            raise InvalidToken
        work.record("mfa.enrolled", "account", account.id)
    try:
        step = choose_practice(installation, account, now, request_id)
    except PracticeClosed:
        step = Step("done")  # no practice to enter, but the recovery codes are shown only here
    return Step(step.next, step.token, step.practices, step.tokens, codes)


def renew_recovery_codes(installation: Installation, actor: Actor, code: str, now: datetime) -> list[str]:
    """Return new recovery codes for a current code of the signed-in person's authenticator. The old ones are void."""
    assert actor.account_id is not None  # noqa: S101 - callers are signed in
    with installation.store.begin_system_session() as db:
        account = db.get_one(Account, actor.account_id)
    spend_code(installation, account, code, now, actor.request_id, recovery=False)
    with installation.work(actor, now) as work:
        work.record("mfa.recovery_codes_renewed", "account", account.id)
        return replace_recovery_codes(work, account.id)


def replace_recovery_codes(work: Work, account_id: UUID) -> list[str]:
    """Store the hashes of new recovery codes in place of the old ones, and return the codes."""
    codes = totp.generate_recovery_codes()
    work.db.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    work.db.add_all(RecoveryCode(account_id=account_id, code_hash=totp.hash_recovery_code(code)) for code in codes)
    return codes


def verify_code(
    installation: Installation, token: str, code: str, now: datetime, request_id: str | None = None
) -> Step:
    """Check a code of the authenticator or a recovery code, and return the next step."""
    account = check_code(installation, "code", token, code, now, request_id)
    with installation.store.begin_system_session() as db:
        consume_token(db, "code", token, now)
    return choose_practice(installation, account, now, request_id)


def check_code(
    installation: Installation, purpose: str, token: str, code: str, now: datetime, request_id: str | None
) -> Account:
    """Spend a code for a sign-in step and return the account, or raise WrongCredentials."""
    with installation.store.begin_system_session() as db:
        account = load_account(db, find_token(db, purpose, token, now))
    spend_code(installation, account, code, now, request_id, recovery=purpose == "code")
    return account


def spend_code(
    installation: Installation, account: Account, code: str, now: datetime, request_id: str | None, *, recovery: bool
) -> None:
    """Spend a code of the account, or record the failure and raise WrongCredentials."""
    key = compute_attempt_key(installation, "code", str(account.id))
    with installation.work(Actor(request_id=request_id), now) as work:
        reserve_attempt(work.db, key, now)
        secret = work.unseal("accounts", "totp_secret", account.id, account.totp_secret)
    with installation.work(Actor(request_id=request_id), now) as work:
        kind = use_code(work.db, account.id, secret, code, now, recovery=recovery) if secret else None
        if kind is not None:
            forget_attempts(work.db, key)
            if kind == "recovery":
                work.record("mfa.recovery_code_used", "account", account.id)
            return
    record_failure(installation, account, "code", Actor(request_id=request_id), now)
    raise WrongCredentials("The code is wrong or was already used. Wait for the next one and try again.")


def use_code(
    db: Session, account_id: UUID, secret: str, code: str, now: datetime, *, recovery: bool
) -> Literal["authenticator", "recovery"] | None:
    """Spend a code and return its kind, or None. One statement advances the step or deletes the recovery code."""
    step = totp.find_matching_step(secret, code, now)
    if step is not None:
        moved = (
            update(Account).where(Account.id == account_id, Account.totp_last_step < step).values(totp_last_step=step)
        )
        return "authenticator" if db.scalar(moved.returning(Account.id)) is not None else None
    if not recovery:
        return None
    spent = delete(RecoveryCode).where(
        RecoveryCode.account_id == account_id, RecoveryCode.code_hash == totp.hash_recovery_code(code)
    )
    return "recovery" if db.scalar(spent.returning(RecoveryCode.account_id)) is not None else None


def choose_practice(installation: Installation, account: Account, now: datetime, request_id: str | None) -> Step:
    """Start a session in the only practice, or return the choice. Platform admins may act in none."""
    with installation.store.begin_system_session() as db:
        practices = list_memberships(db, account.id)
        if len(practices) + account.platform_admin > 1:
            if account.platform_admin:
                practices = [(SYSTEM_TENANT, "The platform"), *practices]
            return Step("practice", issue_token(db, "practice", account.id, None, STEP_LIFETIME, now), practices)
    if not practices and not account.platform_admin:
        raise PracticeClosed(
            "This account does not belong to a practice. Ask an admin of the practice for an invitation."
        )
    return start_session(installation, account.id, practices[0][0] if practices else SYSTEM_TENANT, now, request_id)


def enter_practice(
    installation: Installation, token: str, tenant_id: UUID, now: datetime, request_id: str | None = None
) -> Step:
    """Start a session in the practice that the person chose."""
    with installation.store.begin_system_session() as db:
        account = load_account(db, find_token(db, "practice", token, now))
        choices = {practice for practice, _ in list_memberships(db, account.id)} | (
            {SYSTEM_TENANT} if account.platform_admin else set()
        )
        if tenant_id not in choices:
            raise NotYourPractice("This practice is not among your choices. Choose one of those offered.")
        consume_token(db, "practice", token, now)
    return start_session(installation, account.id, tenant_id, now, request_id)


def start_session(
    installation: Installation, account_id: UUID, tenant_id: UUID, now: datetime, request_id: str | None
) -> Step:
    """Start a session and return its tokens, or ask for a new password if the current one has expired."""
    session_id = new_id()
    actor = Actor(tenant_id, account_id, session_id=session_id, request_id=request_id)
    with installation.work(actor, now) as work:
        if is_password_expired(work, account_id, now):
            return Step("new_password", issue_token(work.db, "reset", account_id, None, STEP_LIFETIME, now))
        work.db.add(
            AccountSession(
                id=session_id,
                account_id=account_id,
                tenant_id=None if tenant_id == SYSTEM_TENANT else tenant_id,
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
                "This practice is suspended, or your access to it has ended. Ask its admin, or choose another practice."
            )
        refresh_token = issue_refresh_token(work.db, session_id, now)
        if admitted.staff_id is not None:
            work.db.add(SignIn(tenant_id=tenant_id, staff_id=admitted.staff_id, at=now))
        if admitted.client_id is not None:
            activate_portal(work, admitted.client_id)
        work.record("session.started", "account", account_id)
    access_token = installation.tokens.sign(AccessClaims(session_id, account_id), now)
    return Step("done", tokens=Tokens(access_token, refresh_token, session_id, admitted.training_lapsed))


def activate_portal(work: Work, client_id: UUID) -> None:
    """Record a client's first sign-in to the portal. As SQL, since the package of clients depends on this one."""
    work.db.execute(
        text("""
            update clients set portal_activated_at = :now
            where tenant_id = :tenant_id and id = :id and portal_activated_at is null
        """),
        {"now": work.now, "tenant_id": work.tenant_id, "id": client_id},
    )


def refresh_session(installation: Installation, token: str, now: datetime, request_id: str | None = None) -> Tokens:
    """Exchange a refresh token for new tokens. A reused one ends the session, since somebody may have a copy."""
    with installation.store.begin_system_session() as db:
        session = db.scalar(
            select(AccountSession)
            .join(RefreshToken, RefreshToken.session_id == AccountSession.id)
            .where(RefreshToken.token_hash == hash_secret(token))
        )
    if session is None:
        raise NotSignedIn("Unknown refresh token. Sign in again.")
    actor = Actor(session.tenant_id or SYSTEM_TENANT, session.account_id, session_id=session.id, request_id=request_id)
    with installation.work(actor, now) as work:
        expires_at = work.db.scalar(
            update(RefreshToken)
            .where(RefreshToken.token_hash == hash_secret(token), RefreshToken.used_at.is_(None))
            .values(used_at=now)
            .returning(RefreshToken.expires_at)
        )
        if expires_at is None:
            if end_session(
                work.db, session.id, "reuse", now
            ):  # recorded once, so that repetition does not fill the audit log
                work.record("session.refresh_token_reused", "account", session.account_id)
            new_token = None
        else:
            admitted = admit_within(work.db, session.id, now, active=False)
            alive = admitted.verdict == "welcome" and now < expires_at
            new_token = issue_refresh_token(work.db, session.id, now) if alive else None
    if new_token is None:
        raise NotSignedIn("Your session has ended. Sign in again.")
    access_token = installation.tokens.sign(AccessClaims(session.id, session.account_id), now)
    return Tokens(access_token, new_token, session.id, admitted.training_lapsed)


def end_session(db: Session, session_id: UUID, reason: str, now: datetime) -> bool:
    """End a session and return whether it was still open."""
    ended = (
        update(AccountSession)
        .where(AccountSession.id == session_id, AccountSession.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
    )
    return db.scalar(ended.returning(AccountSession.id)) is not None


def issue_refresh_token(db: Session, session_id: UUID, now: datetime) -> str:
    secret, hashed = generate_secret()
    db.add(RefreshToken(token_hash=hashed, session_id=session_id, expires_at=now + REFRESH_LIFETIME))
    return secret


def list_memberships(db: Session, account_id: UUID) -> list[tuple[UUID, str]]:
    """Return id and name of the active practices that the account belongs to."""
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


def is_password_expired(work: Work, account_id: UUID, now: datetime) -> bool:
    days = work.db.scalar(
        text("""
            select rule_value(p.id, 'password_max_age_days', (:now at time zone p.time_zone)::date)::integer
            from practices as p where p.id = :tenant_id
        """),
        {"now": now, "tenant_id": work.tenant_id},
    )
    # locked: a concurrent password change ends the sessions that it finds, and must find this one
    set_at = work.db.scalar(
        select(Account.password_set_at).where(Account.id == account_id).with_for_update(key_share=True)
    )
    return bool(days) and set_at is not None and now >= set_at + timedelta(days=days)


def record_failure(
    installation: Installation, account: Account | None, factor: str, actor: Actor, now: datetime
) -> None:
    """Record a failed attempt in each of the account's practices, or in the installation if it has none."""
    with installation.store.begin_system_session() as db:
        tenant_ids = [tenant_id for tenant_id, _ in list_memberships(db, account.id)] if account else []
    for tenant_id in tenant_ids or [SYSTEM_TENANT]:
        with installation.work(Actor(tenant_id, request_id=actor.request_id), now) as work:
            work.record(
                "sign_in.failed", "account" if account else None, account.id if account else None, factor=factor
            )
