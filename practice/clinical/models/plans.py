"""Treatment plans and their reviews, progress reports, supervision sessions."""

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
