"""Tables of treatment plans and their reviews."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    Sealed,
    TenantPart,
    Versioned,
    Voidable,
    same_practice,
    unique_external_id,
)


class TreatmentPlan(TenantPart, Voidable, Versioned, Base):
    """A client's treatment from a date on. Its content is a note of type TREATMENT_PLAN."""

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
    """A review of a client's treatment plan. The first review of a plan is its start date."""

    __tablename__ = "treatment_plan_reviews"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("plan_id", "treatment_plans"),
        unique_external_id(),
        Index(None, "tenant_id", "client_id", "reviewed_on"),
    )

    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    reviewed_on: Mapped[date]
    created_at: Mapped[datetime]
    plan_id: Mapped[UUID | None]  # None: imported from a bundle
    summary: Mapped[bytes | None] = mapped_column(Sealed)
