"""Accounts and their sign-ins (system tables), and the audit log, data keys and stored answers (a practice's own)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, Sealed, TenantPart, Versioned, same_practice, source_id
from practice.store.ids import new_id


class Account(Versioned, Base):
    """A person who signs in, once for all their practices. The e-mail address is kept lower-cased."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    password_set_at: Mapped[datetime | None]
    totp_secret: Mapped[bytes | None] = mapped_column(Sealed)
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int] = mapped_column(default=0, server_default="0")
    platform_admin: Mapped[bool] = mapped_column(default=False, server_default="false")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Membership(Base):
    """That an account belongs to a practice, and nothing more: what it may do there, the practice's own records say."""

    __tablename__ = "memberships"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    created_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class RecoveryCode(Base):
    __tablename__ = "recovery_codes"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class SignInAttempt(Base):
    """Failures counted under a keyed hash of what was tried, so that unknown addresses lock like known ones."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]


class AccountSession(Base):
    """One sign-in, acting in one practice (or, for a platform admin, in none). It is the family of its tokens."""

    __tablename__ = "account_sessions"
    __table_args__ = (Index(None, "account_id", postgresql_where=text("ended_at is null")),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("practices.id"))
    started_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    idle_seconds: Mapped[int]
    absolute_seconds: Mapped[int]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]


class RefreshToken(Base):
    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "session_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("account_sessions.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OneTimeToken(Base):
    """A secret that works once: an invitation, a password reset, the next step of a sign-in. Only its hash is kept."""

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        Index(None, "account_id"),
        CheckConstraint("purpose in ('invitation', 'reset', 'code', 'enrol', 'practice')", name="purpose"),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("practices.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RateCounter(Base):
    """Requests in the running minute. Unlogged: after a crash everybody starts a minute afresh."""

    __tablename__ = "rate_counters"
    __table_args__ = {"prefixes": ["unlogged"]}  # noqa: RUF012 - SQLAlchemy's own form

    key: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[datetime]
    requests: Mapped[int]


# A tenant of these may also be the installation itself (NOBODY), which is no practice: hence no foreign key.


class DataKey(Base):
    """A practice's key for its sealed columns, wrapped by the master key. Old ones stay: backups need them."""

    __tablename__ = "data_keys"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    master_key_id: Mapped[str]
    created_at: Mapped[datetime]


class AuditEntry(Base):
    """Who did what to whom, when. The database numbers and chains the rows; nobody may change or remove one."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "tenant_id", "subject_id", "seq"),
        Index(None, "tenant_id", "account_id", "seq"),
        Index(None, "tenant_id", "at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, FetchedValue(), primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    account_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    request_id: Mapped[str | None]
    action: Mapped[str]
    subject_kind: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]]
    hash: Mapped[bytes] = mapped_column(LargeBinary, FetchedValue())


class AuditHead(Base):
    """The end of each practice's chain. Only the trigger behind the audit log writes it."""

    __tablename__ = "audit_heads"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class StoredAnswer(Base):
    """The answer to a POST that carried an Idempotency-Key, kept for a day, so that a retry is told the same."""

    __tablename__ = "stored_answers"
    __table_args__ = (Index(None, "tenant_id", "created_at"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    answer: Mapped[bytes | None] = mapped_column(Sealed)
    created_at: Mapped[datetime]


class SignIn(TenantPart, Base):
    """That somebody of the staff signed in to the practice, and when."""

    __tablename__ = "sign_ins"
    __table_args__ = (same_practice("staff_id", "staff"), source_id(), Index(None, "tenant_id", "staff_id", "at"))

    external_id: Mapped[str | None]
    staff_id: Mapped[UUID]
    at: Mapped[datetime]
