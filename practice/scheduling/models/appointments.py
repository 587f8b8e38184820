"""Tables of appointments: appointments, groups, series, occupancies, steps and reschedule requests."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    Cents,
    Sealed,
    TenantPart,
    Versioned,
    enum_check,
    same_practice,
    unique_external_id,
)

TYPES = (
    "INITIAL_EVALUATION",
    "FOLLOW_UP",
    "MEDICATION_MANAGEMENT",
    "THERAPY_SESSION",
    "GROUP_THERAPY",
    "FAMILY_THERAPY",
)
STATUSES = (
    "SCHEDULED",
    "CONFIRMED",
    "CHECKED_IN",
    "IN_PROGRESS",
    "COMPLETED",
    "NO_SHOW",
    "CANCELLED",
    "RESCHEDULED",
)
# The few that pay must find by when they were completed, not by when they took place.
COMPLETED_LATE_SQL = "status = 'COMPLETED' and status_at - starts_at > interval '5 days'"
GROUP_STATUSES = ("SCHEDULED", "CANCELLED", "RESCHEDULED")
# Of all completed ones the few whose note is still to be signed.
UNSIGNED_SQL = "status = 'COMPLETED' and note_signed_at is null"
BOOKED_VIA = ("FRONT_DESK", "PORTAL", "CLINICIAN", "SYNC")


class Appointment(TenantPart, Versioned, Base):
    """One client's visit or seat in a group. Its time, people and service never change: a move creates another one."""

    __tablename__ = "appointments"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("service_id", "services"),
        same_practice("room_id", "rooms"),
        same_practice("group_session_id", "group_sessions"),
        same_practice("series_id", "series"),
        same_practice("rescheduled_to_id", "appointments"),
        unique_external_id(),
        UniqueConstraint("tenant_id", "reference"),
        Index(None, "tenant_id", "clinician_id", "starts_at"),
        Index(None, "tenant_id", "client_id", "starts_at"),
        Index(None, "tenant_id", "starts_at", "id"),
        Index(None, "tenant_id", "starts_at", postgresql_where=text("not guarded")),
        Index(None, "tenant_id", "status", "starts_at", "id"),
        Index(None, "tenant_id", "status_at", postgresql_where=text(COMPLETED_LATE_SQL)),
        Index("ix_appointments_unsigned", "tenant_id", "starts_at", "id", postgresql_where=text(UNSIGNED_SQL)),
        Index(None, "tenant_id", "group_session_id", postgresql_where=text("group_session_id is not null")),
        Index(None, "tenant_id", "series_id", postgresql_where=text("series_id is not null")),
        enum_check("type", *TYPES),
        enum_check("status", *STATUSES),
        enum_check("booked_via", *BOOKED_VIA),
        # a query for overlaps with a moment needs to look back one day only
        CheckConstraint("ends_at > starts_at and ends_at - starts_at <= interval '24 hours'", name="length"),
        CheckConstraint(
            "status in ('SCHEDULED', 'CONFIRMED', 'CHECKED_IN', 'IN_PROGRESS') or status_at is not null",
            name="status_at",
        ),
    )

    external_id: Mapped[str | None]
    reference: Mapped[str]
    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    service_id: Mapped[UUID]
    room_id: Mapped[UUID | None]
    group_session_id: Mapped[UUID | None]
    series_id: Mapped[UUID | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    type: Mapped[str]
    status: Mapped[str]
    status_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
    booked_via: Mapped[str]
    telehealth: Mapped[bool]
    arrived_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    actual_minutes: Mapped[int | None]
    cancellation_reason: Mapped[str | None]
    rescheduled_to_id: Mapped[UUID | None]
    eligibility_verified_at: Mapped[datetime | None]
    special_requests: Mapped[str | None]
    instructions: Mapped[str | None]
    price_cents: Mapped[Cents | None]  # fixed when it is completed
    price_from: Mapped[str | None]
    copay_cents: Mapped[Cents | None]
    # false for imported appointments of the past: the import checks them, and they have no occupancies
    guarded: Mapped[bool] = mapped_column(server_default="true")
    overlap_allowed: Mapped[bool] = mapped_column(server_default="false")
    note_signed_at: Mapped[datetime | None]  # the first signature of its session note; triggers of notes write it


class GroupSession(TenantPart, Base):
    """One booking of clinician and room that several clients' seats share.

    If it was opened as a group (`held`), it occupies them until it is cancelled or moved, otherwise while a seat is
    active. Its time, people and service never change: a move creates another one.
    """

    __tablename__ = "group_sessions"
    __table_args__ = (
        same_practice("clinician_id", "staff"),
        same_practice("service_id", "services"),
        same_practice("room_id", "rooms"),
        same_practice("series_id", "series"),
        same_practice("rescheduled_to_id", "group_sessions"),
        Index(None, "tenant_id", "clinician_id", "starts_at"),
        Index(None, "tenant_id", "starts_at", "id"),
        Index(None, "tenant_id", "series_id", postgresql_where=text("series_id is not null")),
        Index(None, "tenant_id", "external_id", postgresql_where=text("external_id is not null")),
        enum_check("status", *GROUP_STATUSES),
        CheckConstraint("status = 'SCHEDULED' or status_at is not null", name="status_at"),
        CheckConstraint("ends_at > starts_at and ends_at - starts_at <= interval '24 hours'", name="length"),
        CheckConstraint("capacity > 0", name="capacity"),
    )

    external_id: Mapped[str | None]
    clinician_id: Mapped[UUID]
    service_id: Mapped[UUID]
    room_id: Mapped[UUID | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int | None]  # fixed at booking; empty for imported history
    series_id: Mapped[UUID | None]
    held: Mapped[bool] = mapped_column(server_default="false")
    status: Mapped[str] = mapped_column(server_default="SCHEDULED")
    status_at: Mapped[datetime | None]
    cancellation_reason: Mapped[str | None]
    rescheduled_to_id: Mapped[UUID | None]


class Series(TenantPart, Base):
    """Appointments of a client, or group sessions, booked together by one recurrence rule."""

    __tablename__ = "series"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("service_id", "services"),
    )

    client_id: Mapped[UUID | None]  # empty for group sessions
    clinician_id: Mapped[UUID]
    service_id: Mapped[UUID]
    rule: Mapped[str]
    first_starts_at: Mapped[datetime]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]


class Occupancy(Base):
    """A time that a clinician, room or client is taken. Written by triggers only; the database rejects overlaps of one
    resource."""

    __tablename__ = "occupancies"
    __table_args__ = (
        Index(None, "tenant_id", "resource_id", "ends_at", "starts_at"),
        enum_check("kind", "clinician", "room", "client"),
        enum_check("holder", "appointment", "group", "block", "offer"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    holder_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    resource_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class AppointmentStep(TenantPart, Base):
    """A status change of an appointment: who made it, when, their note, and why they went on without a consent.

    Append-only; a redaction clears the texts.
    """

    __tablename__ = "appointment_steps"
    __table_args__ = (
        same_practice("appointment_id", "appointments"),
        Index(None, "tenant_id", "appointment_id", "at"),
        enum_check("status", *STATUSES),
    )

    appointment_id: Mapped[UUID]
    status: Mapped[str]
    at: Mapped[datetime]
    account_id: Mapped[UUID | None]
    note: Mapped[bytes | None] = mapped_column(Sealed)
    consent_override_reason: Mapped[bytes | None] = mapped_column(Sealed)


class RescheduleRequest(TenantPart, Versioned, Base):
    """A clinician's request to the front desk to move one of their appointments."""

    __tablename__ = "reschedule_requests"
    __table_args__ = (
        same_practice("appointment_id", "appointments"),
        same_practice("asked_by_id", "staff"),
        same_practice("room_id", "rooms"),
        same_practice("new_appointment_id", "appointments"),
        Index(
            "uq_reschedule_requests_tenant_id_appointment_id",
            "tenant_id",
            "appointment_id",
            unique=True,
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index(None, "tenant_id", "status", "asked_at"),
        enum_check("status", "PENDING", "APPROVED", "REJECTED", "WITHDRAWN"),
    )

    appointment_id: Mapped[UUID]
    asked_by_id: Mapped[UUID]
    asked_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    room_id: Mapped[UUID | None]
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="PENDING")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decision_note: Mapped[str | None]
    new_appointment_id: Mapped[UUID | None]
