"""Tables of clinicians' hours, closures and blocks."""

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    TenantKeyed,
    TenantPart,
    Versioned,
    Voidable,
    same_practice,
    unique_external_id,
)


class Closure(TenantKeyed, Voidable, Base):
    """A day on which the practice is closed."""

    __tablename__ = "closures"
    __table_args__ = (
        Index(
            "uq_closures_tenant_id_closed_on",
            "tenant_id",
            "closed_on",
            unique=True,
            postgresql_where=text("voided_at is null"),
        ),
    )

    closed_on: Mapped[date]
    reason: Mapped[str | None]


class AvailabilityWindow(TenantPart, Voidable, Versioned, Base):
    """Weekly hours when a clinician can be booked, for the listed services or for all."""

    __tablename__ = "availability_windows"
    __table_args__ = (
        same_practice("clinician_id", "staff"),
        unique_external_id(),
        Index(None, "tenant_id", "clinician_id"),
        CheckConstraint("weekday between 0 and 6", name="weekday"),
        CheckConstraint("end_time > start_time", name="ends_after_start"),
        CheckConstraint("ends_on >= effective_on", name="ends_on_after_start"),
    )

    external_id: Mapped[str | None]
    clinician_id: Mapped[UUID]
    weekday: Mapped[int] = mapped_column(SmallInteger)  # 0 is Sunday
    start_time: Mapped[time]
    end_time: Mapped[time]
    effective_on: Mapped[date | None]
    ends_on: Mapped[date | None]


class WindowService(TenantPart, Base):
    __tablename__ = "window_services"
    __table_args__ = (
        same_practice("window_id", "availability_windows"),
        same_practice("service_id", "services"),
        UniqueConstraint("tenant_id", "window_id", "service_id"),
    )

    window_id: Mapped[UUID]
    service_id: Mapped[UUID]


class AvailabilityException(TenantPart, Voidable, Versioned, Base):
    """A date with other hours: closed, partly closed, or open at other times."""

    __tablename__ = "availability_exceptions"
    __table_args__ = (
        same_practice("clinician_id", "staff"),
        unique_external_id(),
        Index(None, "tenant_id", "clinician_id", "on_date"),
        CheckConstraint("end_time > start_time", name="ends_after_start"),
        CheckConstraint("(start_time is null) = (end_time is null)", name="both_times"),
        CheckConstraint("not available or start_time is not null", name="open_with_times"),
    )

    external_id: Mapped[str | None]
    clinician_id: Mapped[UUID]
    on_date: Mapped[date]
    available: Mapped[bool]
    start_time: Mapped[time | None]
    end_time: Mapped[time | None]
    reason: Mapped[str | None]


class Block(TenantKeyed, Voidable, Versioned, Base):
    """A time that a room (maintenance) or a clinician (a meeting) is not available for appointments."""

    __tablename__ = "blocks"
    __table_args__ = (
        same_practice("room_id", "rooms"),
        same_practice("clinician_id", "staff"),
        Index(None, "tenant_id", "room_id", "ends_at", postgresql_where=text("room_id is not null")),
        Index(None, "tenant_id", "clinician_id", "ends_at", postgresql_where=text("clinician_id is not null")),
        CheckConstraint("num_nonnulls(room_id, clinician_id) = 1", name="one_of_both"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    room_id: Mapped[UUID | None]
    clinician_id: Mapped[UUID | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str | None]
