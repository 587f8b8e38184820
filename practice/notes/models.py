"""Clinical notes, reviews of treatment plans, supervision sessions."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, Sealed, TenantPart, Versioned, one_of, same_practice, source_id

NOTE_TYPES = (
    "SOAP_NOTE",
    "PROGRESS_NOTE",
    "INTAKE_ASSESSMENT",
    "PSYCHIATRIC_EVALUATION",
    "TREATMENT_PLAN",
    "SAFETY_PLAN",
    "DISCHARGE_SUMMARY",
    "CRISIS_INTERVENTION",
)


class Note(TenantPart, Versioned, Base):
    __tablename__ = "notes"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("appointment_id", "appointments"),
        same_practice("signed_by_id", "staff"),
        source_id(),
        Index(None, "tenant_id", "client_id", "created_at"),
        Index(None, "tenant_id", "clinician_id", "created_at"),
        Index(None, "tenant_id", "appointment_id"),
        one_of("type", *NOTE_TYPES),
        one_of("status", "DRAFT", "IN_REVIEW", "SIGNED", "AMENDED"),
        CheckConstraint(
            "(status in ('SIGNED', 'AMENDED')) = (signed_at is not null and signed_by_id is not null)", name="signed"
        ),
    )

    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    appointment_id: Mapped[UUID | None]
    type: Mapped[str]
    created_at: Mapped[datetime]
    status: Mapped[str]
    signed_at: Mapped[datetime | None]
    signed_by_id: Mapped[UUID | None]
    text: Mapped[bytes | None] = mapped_column(Sealed)


class TreatmentPlanReview(TenantPart, Base):
    """A review of a client's treatment plan. The first of a plan is the day from which it counts."""

    __tablename__ = "treatment_plan_reviews"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        source_id(),
        Index(None, "tenant_id", "client_id", "reviewed_on"),
    )

    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    reviewed_on: Mapped[date]
    created_at: Mapped[datetime]


class SupervisionSession(TenantPart, Versioned, Base):
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
