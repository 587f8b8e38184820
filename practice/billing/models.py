"""Charges, claims, payments with their applications and refunds, and adjustments."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

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


class Charge(TenantPart, Voidable, Versioned, Base):
    __tablename__ = "charges"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("appointment_id", "appointments"),
        unique_external_id(),
        Index(None, "tenant_id", "client_id", "service_date"),
        Index(None, "tenant_id", "appointment_id"),
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("cardinality(modifiers) <= 4", name="modifiers"),
        CheckConstraint("cardinality(diagnoses) <= 12", name="diagnoses"),
    )

    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    appointment_id: Mapped[UUID | None]
    service_date: Mapped[date]
    cpt_code: Mapped[str]
    modifiers: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    units: Mapped[int]
    amount_cents: Mapped[Cents]
    diagnoses: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]


class Claim(TenantPart, Versioned, Base):
    __tablename__ = "claims"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("coverage_id", "coverages"),
        unique_external_id(),
        UniqueConstraint("tenant_id", "control_number"),
        Index(None, "tenant_id", "client_id"),
        enum_check("first_response", "ACCEPTED", "REJECTED"),
        enum_check("outcome", "PAID", "PARTIAL", "DENIED"),
    )

    external_id: Mapped[str | None]
    control_number: Mapped[str]
    client_id: Mapped[UUID]
    coverage_id: Mapped[UUID]
    submitted_at: Mapped[datetime]
    first_response_at: Mapped[datetime | None]
    first_response: Mapped[str | None]
    adjudicated_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    payer_claim_number: Mapped[str | None]


class ClaimCharge(Base):
    """A charge at its position on a claim."""

    __tablename__ = "claim_charges"
    __table_args__ = (
        same_practice("claim_id", "claims"),
        same_practice("charge_id", "charges"),
        Index(None, "tenant_id", "charge_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    charge_id: Mapped[UUID]


class Payment(TenantKeyed, Voidable, Versioned, Base):
    __tablename__ = "payments"
    __table_args__ = (
        same_practice("client_id", "clients"),
        unique_external_id(),
        Index(None, "tenant_id", "client_id", "received_on", postgresql_where=text("client_id is not null")),
        Index(None, "tenant_id", "posted_at"),
        enum_check("payer", "INSURANCE", "CLIENT"),
        enum_check("method", "CASH", "CHECK", "CREDIT_CARD", "DEBIT_CARD", "EFT", "OTHER"),
        CheckConstraint("payer <> 'CLIENT' or client_id is not null", name="client_pays"),
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


class PaymentApplication(TenantPart, Base):
    """The part of a payment that pays a charge. A negative amount reverses an earlier application."""

    __tablename__ = "payment_applications"
    __table_args__ = (
        same_practice("payment_id", "payments"),
        same_practice("charge_id", "charges"),
        unique_external_id(),
        Index(None, "tenant_id", "payment_id"),
        Index(None, "tenant_id", "charge_id"),
    )

    external_id: Mapped[str | None]
    payment_id: Mapped[UUID]
    charge_id: Mapped[UUID]
    amount_cents: Mapped[Cents]
    posted_at: Mapped[datetime]


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


class Adjustment(TenantPart, Base):
    """A change of a charge's balance, with group and reason code. A positive amount lowers the balance."""

    __tablename__ = "adjustments"
    __table_args__ = (
        same_practice("charge_id", "charges"),
        unique_external_id(),
        Index(None, "tenant_id", "charge_id"),
        enum_check("group_code", "CO", "PR", "OA", "PI", "CR", "WO"),
    )

    external_id: Mapped[str | None]
    charge_id: Mapped[UUID]
    group_code: Mapped[str]
    reason: Mapped[str]
    amount_cents: Mapped[Cents]
    posted_at: Mapped[datetime]
