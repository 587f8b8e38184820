"""Clients and their records: statuses, clinicians, coverages, consents, documents, intake forms, deletion requests."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.people.rules.clients import DEMOGRAPHICS
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
    unique_external_id,
)

CONSENT_KINDS = ("INFORMED_TREATMENT", "GUARDIAN", "TELEHEALTH", "CONFIDENTIALITY", "DATA_PROCESSING")
STATUSES = ("ACTIVE", "INACTIVE", "DISCHARGED")
DOCUMENT_KINDS = ("CLINICAL", "INSURANCE", "CONSENT", "OTHER")


class Client(TenantKeyed, Versioned, Base):
    """A client. `ended_on` and `end_reason` are set when treatment ends; the history is in `client_statuses`.

    `former_account_id` is the account that used the portal before it was closed or moved.
    """

    __tablename__ = "clients"
    __table_args__ = (
        same_practice("primary_clinician_id", "staff"),
        unique_external_id(),
        UniqueConstraint("tenant_id", "account_id"),
        Index(None, "tenant_id", "by_last_name"),
        Index(None, "tenant_id", "by_first_name"),
        Index(None, "tenant_id", "birth_date"),
        Index(None, "tenant_id", "primary_clinician_id"),
        Index(None, "account_id"),
        enum_check("end_reason", "DISCHARGED", "INACTIVE"),
        CheckConstraint("reminders <@ array['email', 'sms']", name="reminders"),
        CheckConstraint("ended_on >= admitted_on", name="ended_after_admitted"),
    )

    external_id: Mapped[str | None]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    former_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    first_name: Mapped[str]
    last_name: Mapped[str]
    birth_date: Mapped[date]
    sex: Mapped[str | None]
    email: Mapped[str | None]
    email_changed_at: Mapped[datetime | None]
    email_confirmed_at: Mapped[datetime | None]  # by the client, since the change
    confirmed_email: Mapped[str | None]  # the address that they confirmed, in lower case
    phone: Mapped[str | None]
    address: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    zip: Mapped[str | None]
    emergency_contact_name: Mapped[str | None]
    emergency_contact_phone: Mapped[str | None]
    self_pay: Mapped[bool]
    emancipated: Mapped[bool]
    guardian_name: Mapped[str | None]
    guardian_phone: Mapped[str | None]
    guardian_email: Mapped[str | None]
    referring_provider: Mapped[str | None]
    medical_notes: Mapped[bytes | None] = mapped_column(Sealed)
    high_risk_since: Mapped[date | None]
    high_risk_until: Mapped[date | None]
    primary_clinician_id: Mapped[UUID | None]
    admitted_on: Mapped[date]
    ended_on: Mapped[date | None]
    end_reason: Mapped[str | None]
    portal_activated_at: Mapped[datetime | None]
    reminders: Mapped[list[str]] = mapped_column(server_default=text("'{email}'"))
    created_at: Mapped[datetime]
    by_last_name: Mapped[str] = mapped_column(
        Text(collation="C"), Computed("search_form((last_name || ' '::text) || first_name)", persisted=True)
    )
    by_first_name: Mapped[str] = mapped_column(
        Text(collation="C"), Computed("search_form((first_name || ' '::text) || last_name)", persisted=True)
    )
    has_complete_demographics: Mapped[bool] = mapped_column(
        Computed(
            " and ".join(
                f"coalesce(trim(both from {field}), ''::text) <> ''::text"
                for field in DEMOGRAPHICS
                if field != "birth_date"
            ),
            persisted=True,
        )
    )


class ClientNameWord(Base):
    """A word of a client's name as it is searched, without accents and in small letters. A trigger writes them."""

    __tablename__ = "client_name_words"
    __table_args__ = (same_practice("client_id", "clients"), Index(None, "tenant_id", "word", "client_id"))

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)


class ClientStatus(TenantPart, Base):
    """A change of a client's status from a date on. Rows are only added; only their reasons can be cleared."""

    __tablename__ = "client_statuses"
    __table_args__ = (
        same_practice("client_id", "clients"),
        Index(None, "tenant_id", "client_id", text("effective_on desc"), text("set_at desc")),
        enum_check("status", *STATUSES),
    )

    client_id: Mapped[UUID]
    status: Mapped[str]
    effective_on: Mapped[date]
    reason: Mapped[str | None]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]


class PrimaryClinician(TenantPart, Base):
    """A client's primary clinician from a date on; null means none. Rows are only added."""

    __tablename__ = "primary_clinicians"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        Index(None, "tenant_id", "client_id", text("effective_on desc"), text("set_at desc")),
    )

    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID | None]
    effective_on: Mapped[date]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]


class Coverage(TenantPart, Voidable, Versioned, Base):
    __tablename__ = "coverages"
    __table_args__ = (
        same_practice("client_id", "clients"),
        unique_external_id(),
        Index(None, "tenant_id", "client_id"),
        CheckConstraint("rank in (1, 2, 3)", name="rank"),
        CheckConstraint("ends_on >= effective_on", name="ends_after_start"),
        CheckConstraint("copay_cents >= 0", name="copay"),
    )

    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    rank: Mapped[int]
    payer_id: Mapped[str]
    payer_name: Mapped[str]
    member_id: Mapped[str]
    group_number: Mapped[str | None]
    effective_on: Mapped[date]
    ends_on: Mapped[date | None]
    verified_at: Mapped[datetime | None]
    copay_cents: Mapped[Cents | None]


class EligibilityCheck(TenantPart, Base):
    """A payer's response about a coverage, and the payer and member it was about.

    It is reused until it is older than `eligibility_cache_hours` or the coverage names another payer or member.
    """

    __tablename__ = "eligibility_checks"
    __table_args__ = (
        same_practice("coverage_id", "coverages"),
        Index(None, "tenant_id", "coverage_id", text("asked_at desc")),
        enum_check("outcome", "ACTIVE", "INACTIVE", "UNKNOWN"),
    )

    coverage_id: Mapped[UUID]
    payer_id: Mapped[str | None]
    member_id: Mapped[str | None]
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID | None]
    provider: Mapped[str]
    outcome: Mapped[str]
    copay_cents: Mapped[Cents | None]
    covered_until: Mapped[date | None]
    payer_reference: Mapped[str | None]


class Agreement(TenantKeyed, Base):
    """A numbered version of an agreement text that clients sign. Earlier versions stay."""

    __tablename__ = "agreements"
    __table_args__ = (
        UniqueConstraint("tenant_id", "kind", "number"),
        enum_check("kind", *CONSENT_KINDS),
    )

    kind: Mapped[str]
    number: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    published_at: Mapped[datetime]
    published_by: Mapped[UUID | None]


class Consent(TenantPart, Voidable, Versioned, Base):
    __tablename__ = "consents"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("agreement_id", "agreements"),
        unique_external_id(),
        Index(None, "tenant_id", "client_id", "kind", text("signed_at desc")),
        enum_check("kind", *CONSENT_KINDS),
    )

    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    kind: Mapped[str]
    signed_at: Mapped[datetime]
    signed_by_name: Mapped[str | None]
    expires_on: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
    agreement_id: Mapped[UUID | None]


class Document(TenantPart, Voidable, Versioned, Base):
    """A file in a client's chart. Its content is sealed as base64, like every text in the chart.

    Clinical documents are closed to the front desk and to billing.
    """

    __tablename__ = "documents"
    __table_args__ = (
        same_practice("client_id", "clients"),
        Index(None, "tenant_id", "client_id", text("uploaded_at desc")),
        enum_check("kind", *DOCUMENT_KINDS),
    )

    client_id: Mapped[UUID]
    kind: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(Sealed, deferred=True)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[UUID | None]


class DeletionRequest(TenantPart, Versioned, Base):
    """A client's request to delete their data, its decision and completion. A client has at most one open request."""

    __tablename__ = "deletion_requests"
    __table_args__ = (
        same_practice("client_id", "clients"),
        Index(None, "tenant_id", "client_id"),
        Index(
            "uq_deletion_requests_open",
            *("tenant_id", "client_id"),
            unique=True,
            postgresql_where=text("status in ('ASKED', 'APPROVED')"),
        ),
        enum_check("status", "ASKED", "APPROVED", "REFUSED", "REDACTED", "WITHDRAWN"),
        CheckConstraint("(status = 'REFUSED') = (refusal is not null)", name="refusal"),
        CheckConstraint(
            "(status = 'WITHDRAWN') = (num_nonnulls(withdrawn_at, withdrawal_reason) = 2)", name="withdrawal"
        ),
    )

    client_id: Mapped[UUID]
    status: Mapped[str]
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID | None]
    asked_in_portal: Mapped[bool] = mapped_column(server_default="false")
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None]
    refusal: Mapped[str | None]
    redacted_at: Mapped[datetime | None]
    redacted_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawal_reason: Mapped[str | None]


class IntakeForm(TenantPart, Versioned, Base):
    """A client's answers before treatment, in four sealed steps. A draft until all are complete."""

    __tablename__ = "intake_forms"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("appointment_id", "appointments"),
        Index(None, "tenant_id", "client_id"),
        enum_check("status", "DRAFT", "COMPLETED"),
        CheckConstraint("(status = 'COMPLETED') = (completed_at is not null)", name="completed"),
    )

    client_id: Mapped[UUID]
    appointment_id: Mapped[UUID | None]
    status: Mapped[str]
    personal: Mapped[bytes | None] = mapped_column(Sealed)
    assessment: Mapped[bytes | None] = mapped_column(Sealed)
    goals: Mapped[bytes | None] = mapped_column(Sealed)
    agreements: Mapped[bytes | None] = mapped_column(Sealed)
    started_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    treatment_declined: Mapped[bool] = mapped_column(server_default="false")  # the completed form says no to treatment
