"""Treatment plans and their reviews, progress reports, supervision sessions."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    Sealed,
    TenantPart,
    Versioned,
    Voidable,
    one_of,
    same_practice,
    source_id,
)


class TreatmentPlan(TenantPart, Voidable, Versioned, Base):
    """What a client is treated by from a day on. What it says is a note of type TREATMENT_PLAN."""

    __tablename__ = "treatment_plans"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("note_id", "notes"),
        Index(None, "tenant_id", "client_id", "starts_on"),
    )

    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    kind: Mapped[str]
    starts_on: Mapped[date]
    note_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class TreatmentPlanReview(TenantPart, Voidable, Versioned, Base):
    """A review of a client's treatment plan. The first of a plan is the day from which it counts."""

    __tablename__ = "treatment_plan_reviews"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("plan_id", "treatment_plans"),
        source_id(),
        Index(None, "tenant_id", "client_id", "reviewed_on"),
    )

    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    reviewed_on: Mapped[date]
    created_at: Mapped[datetime]
    plan_id: Mapped[UUID | None]  # none: it came in with a bundle
    summary: Mapped[bytes | None] = mapped_column(Sealed)


class ProgressReport(TenantPart, Voidable, Versioned, Base):
    """How a client is doing, written for those who follow it. Edited while it is a draft, and final after that."""

    __tablename__ = "progress_reports"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("appointment_id", "appointments"),
        same_practice("service_id", "services"),
        Index(None, "tenant_id", "client_id", "reported_on"),
        Index(None, "tenant_id", "clinician_id", "reported_on"),
        one_of("status", "DRAFT", "FINAL"),
    )

    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    appointment_id: Mapped[UUID | None]
    service_id: Mapped[UUID | None]
    reported_on: Mapped[date]
    status: Mapped[str] = mapped_column(server_default="DRAFT")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    shared_at: Mapped[datetime | None]  # with the client


class ProgressReportVersion(TenantPart, Base):
    """A report as it was saved once. Rows are only added."""

    __tablename__ = "progress_report_versions"
    __table_args__ = (
        same_practice("report_id", "progress_reports"),
        same_practice("written_by_id", "staff"),
        UniqueConstraint("tenant_id", "report_id", "number"),
    )

    report_id: Mapped[UUID]
    number: Mapped[int]
    content: Mapped[bytes] = mapped_column(Sealed)
    written_at: Mapped[datetime]
    written_by_id: Mapped[UUID]


class SupervisionSession(TenantPart, Voidable, Versioned, Base):
    __tablename__ = "supervision_sessions"
    __table_args__ = (
        same_practice("supervisee_id", "staff"),
        same_practice("supervisor_id", "staff"),
        source_id(),
        Index(None, "tenant_id", "supervisee_id", "held_at"),
        one_of("kind", "INDIVIDUAL", "GROUP"),
        CheckConstraint("hours > 0", name="hours"),
    )

    external_id: Mapped[str | None]
    supervisee_id: Mapped[UUID]
    supervisor_id: Mapped[UUID]
    held_at: Mapped[datetime]
    hours: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    kind: Mapped[str]
    topics: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    note_signed_at: Mapped[datetime | None]
    note: Mapped[bytes | None] = mapped_column(Sealed)
