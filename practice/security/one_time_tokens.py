"""Secrets that work once: invitations, password resets, the next step of a sign-in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security.models import Account, OneTimeToken
from practice.security.tokens import new_secret, secret_hash


class NotValid(Refusal):
    code = "LINK_NOT_VALID"
    status = 401

    def __init__(self) -> None:
        super().__init__("This link or step is not valid, was used already, or has expired. Start again.")


def issue_token(
    db: Session, purpose: str, account_id: UUID, tenant_id: UUID | None, lifetime: timedelta, now: datetime
) -> str:
    secret, hashed = new_secret()
    db.add(
        OneTimeToken(
            token_hash=hashed, purpose=purpose, account_id=account_id, tenant_id=tenant_id, expires_at=now + lifetime
        )
    )
    return secret


def find_token(db: Session, purpose: str, token: str, now: datetime) -> OneTimeToken:
    found = db.get(OneTimeToken, secret_hash(token))
    if found is None or found.purpose != purpose or found.used_at is not None or now >= found.expires_at:
        raise NotValid
    return found


def consume_token(db: Session, purpose: str, token: str, now: datetime) -> OneTimeToken:
    """Use a token up: of two at the same moment, one gets it."""
    used = (
        update(OneTimeToken)
        .where(
            OneTimeToken.token_hash == secret_hash(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
        .values(used_at=now)
        .returning(OneTimeToken)
    )
    found = db.scalar(used, execution_options={"populate_existing": True})
    if found is None:
        raise NotValid
    return found


def void_tokens(db: Session, account_id: UUID, purposes: Sequence[str], tenant_id: UUID | None, now: datetime) -> None:
    """Whatever of these is still in somebody's hands is worth nothing from now on."""
    db.execute(
        update(OneTimeToken)
        .where(
            OneTimeToken.account_id == account_id,
            OneTimeToken.purpose.in_(purposes),
            OneTimeToken.tenant_id.is_not_distinct_from(tenant_id),
            OneTimeToken.used_at.is_(None),
        )
        .values(used_at=now)
    )


def account_of(db: Session, token: OneTimeToken) -> Account:
    return db.get_one(Account, token.account_id)
