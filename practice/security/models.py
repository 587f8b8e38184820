"""Accounts and sign-ins (system tables); audit log, data keys and stored answers (tables of a practice)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, Sealed, TenantPart, Versioned, same_practice, unique_external_id
from practice.store.ids import new_id


class Account(Versioned, Base):
    """A person who signs in, once for all their practices. The email address is stored in lower case.

    `email_proven_at` is when a mailed link was first used: until then a password or an authenticator may be somebody
    else's.
    """

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(unique=True)
    email_proven_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    password_set_at: Mapped[datetime | None]
    totp_secret: Mapped[bytes | None] = mapped_column(Sealed)
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int] = mapped_column(default=0, server_default="0")
    platform_admin: Mapped[bool] = mapped_column(default=False, server_default="false")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Membership(Base):
    """The membership of an account in a practice. What it may do there follows from the practice's own records."""

    __tablename__ = "memberships"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id"), primary_key=True)
    created_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class AnalystLogin(Base):
    """The practice of an analyst's database login. Its name tells nothing: everybody in the database sees it."""

    __tablename__ = "analyst_logins"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    login: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id"))
    name: Mapped[str]
    created_at: Mapped[datetime]


class RecoveryCode(Base):
    """The hash of an unused recovery code for the second factor."""

    __tablename__ = "recovery_codes"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class SignInAttempt(Base):
    """A count of failures by a keyed hash of the subject, so that unknown email addresses lock like known ones."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]


class AccountSession(Base):
    """A session in one practice (or, for a platform admin, in none), to which its tokens belong."""

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
    """The hash of a refresh token, which works once."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (Index(None, "session_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("account_sessions.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class OneTimeToken(Base):
    """The hash of a secret that works once: an invitation, a password reset, the next step of a sign-in.

    `mailed` ones went to the account's email address alone, so that their use proves the address.
    """

    __tablename__ = "one_time_tokens"
    __table_args__ = (
        Index(None, "account_id"),
        CheckConstraint(
            "purpose in ('invitation', 'reset', 'code', 'enrol', 'practice', 'email_change')", name="purpose"
        ),
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    purpose: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("practices.id"))
    client_id: Mapped[UUID | None]  # of an email change: whose address changed
    mailed: Mapped[bool] = mapped_column(default=False, server_default="false")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class DagsterTicket(Base):
    """The hash of a ticket to Dagster's page, until it is used; without a session it is the operator's."""

    __tablename__ = "dagster_tickets"

    ticket_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("account_sessions.id"))
    expires_at: Mapped[datetime]


class RateCounter(Base):
    """The requests of the current minute. Unlogged: after a crash, counting starts over."""

    __tablename__ = "rate_counters"
    __table_args__ = {"prefixes": ["unlogged"]}  # noqa: RUF012 - SQLAlchemy's own form

    key: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[datetime]
    requests: Mapped[int]


# The tenant of these may also be the installation itself (SYSTEM_TENANT), which is not a practice: no foreign key.


class DataKey(Base):
    """A practice's key for its sealed columns, wrapped by the master key. Old ones stay, since backups need them."""

    __tablename__ = "data_keys"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    master_key_id: Mapped[str]
    created_at: Mapped[datetime]


class AuditEntry(Base):
    """An audit entry: who did what, to what, when. The database numbers and chains them and refuses changes."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "tenant_id", "subject_id", "seq"),
        Index(None, "tenant_id", "account_id", "seq"),
        Index(None, "tenant_id", "at"),
        Index(  # lists, by the clients that they showed
            "ix_audit_log_client_ids",
            text("(details -> 'client_ids')"),
            postgresql_using="gin",
            postgresql_where=text("details ? 'client_ids'"),
        ),
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
    """The end of each practice's chain. Only the trigger of the audit log writes it."""

    __tablename__ = "audit_heads"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class StoredAnswer(Base):
    """The response to a POST with an Idempotency-Key, stored for a day so that a retry gets the same one."""

    __tablename__ = "stored_answers"
    __table_args__ = (Index(None, "tenant_id", "created_at"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    answer: Mapped[bytes | None] = mapped_column(Sealed)
    created_at: Mapped[datetime]


class SignIn(TenantPart, Base):
    """A sign-in of a staff member to the practice."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        same_practice("staff_id", "staff"),
        unique_external_id(),
        Index(None, "tenant_id", "staff_id", "at"),
    )

    external_id: Mapped[str | None]
    staff_id: Mapped[UUID]
    at: Mapped[datetime]
