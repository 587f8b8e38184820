"""Payments with their applications and refunds, and what payers take or give beside claims."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.billing.models.reversals import reversal_of
from practice.store.base import (
    Base,
    Cents,
    TenantKeyed,
    TenantPart,
    Versioned,
    Voidable,
    enum_check,
    same_practice,
    unique_external_id,
)


class Payment(TenantKeyed, Voidable, Versioned, Base):
    """Money received. Triggers keep how much of it is applied, refunded, and kept by the payer (negative: added to it).

    The rest is a credit. No more of a client's payment can be spent than there is.
    """

    __tablename__ = "payments"
    __table_args__ = (
        same_practice("client_id", "clients"),
        unique_external_id(),
        Index(None, "tenant_id", "client_id", "received_on", postgresql_where=text("client_id is not null")),
        Index(None, "tenant_id", "posted_at"),
        enum_check("payer", "INSURANCE", "CLIENT"),
        enum_check("method", "CASH", "CHECK", "CREDIT_CARD", "DEBIT_CARD", "EFT", "OTHER"),
        CheckConstraint("payer <> 'CLIENT' or client_id is not null", name="client_pays"),
        CheckConstraint(
            "payer <> 'CLIENT' or applied_cents + refunded_cents <= amount_cents + provider_cents", name="credit"
        ),
        # what another system took back may have been applied by another payment
        CheckConstraint(
            "payer <> 'CLIENT' or external_id is not null or applied_cents + refunded_cents >= 0", name="taken_back"
        ),
        CheckConstraint(
            "voided_at is null or (applied_cents = 0 and refunded_cents = 0 and provider_cents = 0)", name="void"
        ),
    )

    external_id: Mapped[str | None]
    payer: Mapped[str]
    client_id: Mapped[UUID | None]
    payer_id: Mapped[str | None]
    method: Mapped[str]
    amount_cents: Mapped[Cents]
    received_on: Mapped[date]
    posted_at: Mapped[datetime]
    reference: Mapped[str | None]
    applied_cents: Mapped[Cents] = mapped_column(server_default=text("0"))
    refunded_cents: Mapped[Cents] = mapped_column(server_default=text("0"))
    provider_cents: Mapped[Cents] = mapped_column(server_default=text("0"))


class PaymentApplication(TenantPart, Base):
    """The part of a payment that pays a charge. A negative amount takes back what was applied."""

    __tablename__ = "payment_applications"
    __table_args__ = (
        same_practice("payment_id", "payments"),
        same_practice("charge_id", "charges"),
        unique_external_id(),
        Index(None, "tenant_id", "payment_id"),
        Index(None, "tenant_id", "charge_id"),
        *reversal_of("payment_applications"),
    )

    external_id: Mapped[str | None]
    payment_id: Mapped[UUID]
    charge_id: Mapped[UUID]
    amount_cents: Mapped[Cents]
    posted_at: Mapped[datetime]
    reverses_id: Mapped[UUID | None]


class Refund(TenantPart, Base):
    """Money returned from the unapplied part of a payment."""

    __tablename__ = "refunds"
    __table_args__ = (
        same_practice("payment_id", "payments"),
        unique_external_id(),
        Index(None, "tenant_id", "payment_id"),
        enum_check("method", "CASH", "CHECK", "CREDIT_CARD", "DEBIT_CARD", "EFT", "OTHER"),
        CheckConstraint("amount_cents > 0", name="amount"),
    )

    external_id: Mapped[str | None]
    payment_id: Mapped[UUID]
    amount_cents: Mapped[Cents]
    method: Mapped[str]
    refunded_at: Mapped[datetime]
    reason: Mapped[str | None]


class ProviderAdjustment(TenantPart, Base):
    """What a payer kept of a payment or added to it beside the claims, signed as in the PLB: positive was kept.

    The code is the PLB's, such as WO or L6, or IMPORTED.
    """

    __tablename__ = "provider_adjustments"
    __table_args__ = (same_practice("payment_id", "payments"), Index(None, "tenant_id", "payment_id"))

    payment_id: Mapped[UUID]
    code: Mapped[str]
    reference: Mapped[str | None]
    amount_cents: Mapped[Cents]
    posted_at: Mapped[datetime]


class Settlement(TenantPart, Base):
    """Unapplied money of a payment that settles the payer's balance. A negative amount gives money back to it."""

    __tablename__ = "settlements"
    __table_args__ = (same_practice("payment_id", "payments"), Index(None, "tenant_id", "payment_id"))

    payment_id: Mapped[UUID]
    amount_cents: Mapped[Cents]
    posted_at: Mapped[datetime]
