"""Charges with their changes and the parts that passed on, adjustments, and claims."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.billing.models.reversals import reversal_of
from practice.store.base import (
    Base,
    Cents,
    TenantPart,
    Versioned,
    Voidable,
    enum_check,
    same_practice,
    unique_external_id,
)


class Charge(TenantPart, Voidable, Versioned, Base):
    """What is asked for a service. The payer owes it but for the client's copay; without a payer the client owes it.

    Who owes which part afterwards is on the ledger. Amounts stay once the charge is claimed, paid or adjusted.
    """

    __tablename__ = "charges"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("appointment_id", "appointments"),
        same_practice("coverage_id", "coverages"),
        unique_external_id(),
        Index(None, "tenant_id", "client_id", "service_date"),
        Index(None, "tenant_id", "appointment_id"),
        CheckConstraint("units > 0", name="units"),
        CheckConstraint("cardinality(modifiers) <= 4", name="modifiers"),
        CheckConstraint("cardinality(diagnoses) <= 12", name="diagnoses"),
        CheckConstraint("copay_cents between 0 and amount_cents", name="copay"),
        CheckConstraint("copay_cents = 0 or payer_id is not null", name="copay_beside_payer"),
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
    coverage_id: Mapped[UUID | None]
    payer_id: Mapped[str | None]
    """The payer when the charge was created."""
    copay_cents: Mapped[Cents] = mapped_column(server_default=text("0"))
    diagnoses: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]


class ChargeChange(TenantPart, Base):
    """A change of the amounts of an unbilled charge, as differences. A trigger of charges writes it."""

    __tablename__ = "charge_changes"
    __table_args__ = (
        same_practice("charge_id", "charges"),
        Index(None, "tenant_id", "charge_id"),
        CheckConstraint("amount_cents <> 0 or copay_cents <> 0", name="amounts"),
    )

    charge_id: Mapped[UUID]
    amount_cents: Mapped[Cents]
    copay_cents: Mapped[Cents]
    changed_at: Mapped[datetime]


class BalanceTransfer(TenantPart, Base):
    """A part of a charge that another party owes from now on. Without a payer, the party is the client."""

    __tablename__ = "balance_transfers"
    __table_args__ = (
        same_practice("charge_id", "charges"),
        Index(None, "tenant_id", "charge_id"),
        enum_check("reason", "EXPECTED", "PR", "NEXT_COVERAGE", "MANUAL", "IMPORTED"),
        CheckConstraint("from_payer_id is distinct from to_payer_id", name="parties"),
    )

    charge_id: Mapped[UUID]
    from_payer_id: Mapped[str | None]
    to_payer_id: Mapped[str | None]
    reason: Mapped[str]
    amount_cents: Mapped[Cents]
    posted_at: Mapped[datetime]


class Adjustment(TenantPart, Base):
    """A change of a charge's balance, with group and reason code. A positive amount lowers the balance: the part of the
    payer, or without one the client's part."""

    __tablename__ = "adjustments"
    __table_args__ = (
        same_practice("charge_id", "charges"),
        unique_external_id(),
        Index(None, "tenant_id", "charge_id"),
        *reversal_of("adjustments"),
        enum_check("group_code", "CO", "PR", "OA", "PI", "CR", "WO"),
    )

    external_id: Mapped[str | None]
    charge_id: Mapped[UUID]
    group_code: Mapped[str]
    reason: Mapped[str]
    amount_cents: Mapped[Cents]
    payer_id: Mapped[str | None]
    posted_at: Mapped[datetime]
    reverses_id: Mapped[UUID | None]


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
