"""Secrets that work once: invitations, password resets and steps of a sign-in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security.models import Account, OneTimeToken
from practice.security.tokens import generate_secret, hash_secret


class InvalidToken(Refusal):
    """The link or token is unknown, used or expired.

    Fix: request a new one.
    """

    code = "LINK_NOT_VALID"
    status = 401

    def __init__(self) -> None:
        super().__init__("This link or sign-in step is invalid, already used, or expired. Start again.")


def issue_token(
    db: Session,
    purpose: str,
    account_id: UUID,
    tenant_id: UUID | None,
    lifetime: timedelta,
    now: datetime,
    *,
    mailed: bool = False,
    client_id: UUID | None = None,
) -> str:
    """Store the hash of a new token and return its secret. The caller sends a `mailed` one to the account's address."""
    secret, hashed = generate_secret()
    db.add(
        OneTimeToken(
            token_hash=hashed,
            purpose=purpose,
            account_id=account_id,
            tenant_id=tenant_id,
            client_id=client_id,
            mailed=mailed,
            expires_at=now + lifetime,
        )
    )
    return secret


def find_token(db: Session, purpose: str, token: str, now: datetime) -> OneTimeToken:
    """Return an unused, unexpired token, or raise InvalidToken."""
    stored = db.get(OneTimeToken, hash_secret(token))
    if stored is None or stored.purpose != purpose or stored.used_at is not None or now >= stored.expires_at:
        raise InvalidToken
    return stored


def consume_token(db: Session, purpose: str, token: str, now: datetime) -> OneTimeToken:
    """Mark a token as used and return it, or raise InvalidToken. Of two concurrent callers, one succeeds."""
    mark_used = (
        update(OneTimeToken)
        .where(
            OneTimeToken.token_hash == hash_secret(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
        .values(used_at=now)
        .returning(OneTimeToken)
    )
    consumed = db.scalar(mark_used, execution_options={"populate_existing": True})
    if consumed is None:
        raise InvalidToken
    return consumed


def void_tokens(db: Session, account_id: UUID, purposes: Sequence[str], tenant_id: UUID | None, now: datetime) -> int:
    """Invalidate the account's unused tokens of these purposes, and return how many there were."""
    statement = (
        update(OneTimeToken)
        .where(
            OneTimeToken.account_id == account_id,
            OneTimeToken.purpose.in_(purposes),
            OneTimeToken.tenant_id.is_not_distinct_from(tenant_id),
            OneTimeToken.used_at.is_(None),
        )
        .values(used_at=now)
    )
    return cast(CursorResult[Any], db.execute(statement)).rowcount


def load_account(db: Session, token: OneTimeToken) -> Account:
    return db.get_one(Account, token.account_id)
