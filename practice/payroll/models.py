"""Pay rates and multipliers, session completions, and pay periods with their lines."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    Cents,
    Sealed,
    TenantKeyed,
    TenantPart,
    Versioned,
    Voidable,
    enum_check,
    same_practice,
)

REASONS = ("RATE_CHANGED", "VOIDED", "COUNTS_AGAIN")  # of adjustments


class PayRate(TenantPart, Base):
    """A staff member's base rate per hour from a date on (null: always). The rate set last for a date counts."""

    __tablename__ = "pay_rates"
    __table_args__ = (
        same_practice("staff_id", "staff"),
        Index(None, "tenant_id", "staff_id", text("effective_on desc nulls last"), text("set_at desc")),
        CheckConstraint("rate_cents >= 0", name="rate"),
    )

    staff_id: Mapped[UUID]
    rate_cents: Mapped[Cents]
    effective_on: Mapped[date | None]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]


class PayMultiplier(TenantKeyed, Base):
    """The pay multiplier of a kind of service from a date on. A clinician's own overrides the practice's."""

    __tablename__ = "pay_multipliers"
    __table_args__ = (
        same_practice("staff_id", "staff"),
        Index(None, "tenant_id", "kind", "staff_id", text("effective_on desc"), text("set_at desc")),
        CheckConstraint("multiplier >= 0", name="multiplier"),
    )

    staff_id: Mapped[UUID | None]
    kind: Mapped[str]
    multiplier: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    effective_on: Mapped[date]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]


class SessionCompletion(TenantPart, Voidable, Versioned, Base):
    """The record that a completed appointment counts for pay, with the minutes and kind of its service at that time.
    It has the appointment's id: each appointment has at most one. Imported appointments count without one."""

    __tablename__ = "session_completions"
    __table_args__ = (
        same_practice("id", "appointments"),
        Index(None, "tenant_id", "voided_at", postgresql_where=text("voided_at is not null")),
        CheckConstraint("minutes > 0", name="minutes"),
    )

    kind: Mapped[str]
    minutes: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]


class SessionCorrection(TenantPart, Base):
    """The completion of an appointment, or the void of a session, that was undone: it was in force from `since` until
    `at`. Rows are only added, so that what was known at an earlier instant stays known."""

    __tablename__ = "session_corrections"
    __table_args__ = (
        same_practice("appointment_id", "appointments"),
        Index(None, "tenant_id", "appointment_id"),
        Index(None, "tenant_id", "at"),
        enum_check("undone", "COMPLETION", "VOID"),
    )

    appointment_id: Mapped[UUID]
    undone: Mapped[str]
    since: Mapped[datetime]
    at: Mapped[datetime]
    account_id: Mapped[UUID | None]
    reason: Mapped[bytes | None] = mapped_column(Sealed)
    voided_by: Mapped[UUID | None]  # of an undone void, as is its reason
    void_reason: Mapped[str | None]


class PayPeriod(TenantKeyed, Versioned, Base):
    """A week of pay, which begins on a Sunday. A closed week never changes."""

    __tablename__ = "pay_periods"
    __table_args__ = (
        UniqueConstraint("tenant_id", "week"),
        CheckConstraint("extract(dow from week) = 0", name="week"),
    )

    week: Mapped[date]
    opened_at: Mapped[datetime]
    opened_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    problems: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))


class PayLine(TenantPart, Base):
    """What a week paid for a session, how it adjusted earlier pay, or what is pending ("standby"). Rows are only added,
    and never to a closed week. A session (a group is one session) is paid once; later changes are adjustments."""

    __tablename__ = "pay_lines"
    __table_args__ = (
        same_practice("period_id", "pay_periods"),
        same_practice("staff_id", "staff"),
        same_practice("appointment_id", "appointments"),
        UniqueConstraint("tenant_id", "period_id", "session_id", "kind"),
        Index(
            "uq_pay_lines_paid_once",
            "tenant_id",
            "session_id",
            unique=True,
            postgresql_where=text("kind in ('regular', 'late')"),
        ),
        Index(None, "tenant_id", "staff_id", "period_id"),
        Index(None, "tenant_id", "reason", "session_id", postgresql_where=text("reason is not null")),
        enum_check("kind", "regular", "late", "adjustment", "standby"),
        enum_check("reason", *REASONS),
        CheckConstraint("(kind = 'adjustment') = (reason is not null)", name="adjusted"),
    )

    period_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    session_id: Mapped[UUID]  # the id of the group session, or else of the appointment
    appointment_id: Mapped[UUID]  # the appointment that represents the session
    kind: Mapped[str]
    reason: Mapped[str | None]
    service_kind: Mapped[str]
    held_on: Mapped[date]
    minutes: Mapped[int]
    multiplier: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    rate_cents: Mapped[Cents]
    amount_cents: Mapped[Cents]
