"""A practice's records about itself: incidents with their notices, and performance goals."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    Sealed,
    TenantKeyed,
    TenantPart,
    Versioned,
    Voidable,
    enum_check,
    same_practice,
    unique_external_id,
)


class Incident(TenantKeyed, Voidable, Versioned, Base):
    """A security incident: a breach or a suspected one."""

    __tablename__ = "incidents"
    __table_args__ = (
        unique_external_id(),
        Index(None, "tenant_id", text("detected_at desc")),
        CheckConstraint("people_affected >= 0", name="people_affected"),
    )

    external_id: Mapped[str | None]
    kind: Mapped[str]
    detected_at: Mapped[datetime]
    responded_at: Mapped[datetime | None]
    summary: Mapped[bytes | None] = mapped_column(Sealed)
    people_affected: Mapped[int | None]


class IncidentNotice(TenantPart, Versioned, Base):
    """A required notice about an incident: its recipients, due date and sent date."""

    __tablename__ = "incident_notices"
    __table_args__ = (
        same_practice("incident_id", "incidents"),
        Index(None, "tenant_id", "incident_id"),
        enum_check("recipients", "INDIVIDUALS", "AUTHORITY", "MEDIA"),
    )

    incident_id: Mapped[UUID]
    recipients: Mapped[str]
    due_on: Mapped[date]
    sent_on: Mapped[date | None]


class Goal(TenantPart, Voidable, Versioned, Base):
    """A staff member's goal: a metric, a target, a period. Decided by the metric's value at the end of the period."""

    __tablename__ = "goals"
    __table_args__ = (
        same_practice("staff_id", "staff"),
        Index(None, "tenant_id", "staff_id"),
        enum_check("status", "ACTIVE", "ACHIEVED", "MISSED"),
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
    )

    staff_id: Mapped[UUID]
    metric_key: Mapped[str]
    target: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    status: Mapped[str] = mapped_column(server_default="ACTIVE")
    value: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    decided_at: Mapped[datetime | None]
    set_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
