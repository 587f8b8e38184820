"""Tables of the catalog: services, their rates and fees, and rooms."""

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

SERVICE_KINDS = ("INDIVIDUAL", "GROUP", "INTAKE", "FAMILY", "MEDICATION", "ASSESSMENT", "CRISIS")


class Service(TenantKeyed, Versioned, Base):
    """A service of the catalog. Its code identifies it in other systems too."""

    __tablename__ = "services"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        enum_check("kind", *SERVICE_KINDS),
        CheckConstraint("minutes between 1 and 1440", name="minutes"),
        CheckConstraint("capacity > 0", name="capacity"),
    )

    code: Mapped[str]
    name: Mapped[str]
    category: Mapped[str | None]
    kind: Mapped[str]
    cpt_code: Mapped[str | None]
    minutes: Mapped[int]
    capacity: Mapped[int | None]  # seats of a group; empty: as many as the room has
    active: Mapped[bool] = mapped_column(server_default="true")
    bookable_online: Mapped[bool] = mapped_column(server_default="true")  # by clients in the portal
    created_at: Mapped[datetime]


class ServiceRate(TenantPart, Base):
    """A service's rate from a date on (empty: from the beginning). Append-only; the last one set for a date counts."""

    __tablename__ = "service_rates"
    __table_args__ = (
        same_practice("service_id", "services"),
        Index(None, "tenant_id", "service_id", text("effective_on desc nulls last"), text("set_at desc")),
        CheckConstraint("rate_cents >= 0", name="rate"),
    )

    service_id: Mapped[UUID]
    rate_cents: Mapped[Cents]
    effective_on: Mapped[date | None]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]


class ClinicianService(TenantPart, Versioned, Base):
    """A clinician's own minutes and price for a service, or that they do not offer it. Without a row, the catalog's."""

    __tablename__ = "clinician_services"
    __table_args__ = (
        same_practice("clinician_id", "staff"),
        same_practice("service_id", "services"),
        UniqueConstraint("tenant_id", "clinician_id", "service_id"),
        CheckConstraint("minutes between 1 and 1440", name="minutes"),
        CheckConstraint("price_cents >= 0", name="price"),
    )

    clinician_id: Mapped[UUID]
    service_id: Mapped[UUID]
    minutes: Mapped[int | None]
    price_cents: Mapped[Cents | None]
    offered: Mapped[bool] = mapped_column(server_default="true")


class Fee(TenantPart, Voidable, Base):
    """A payer's rate for a service from a date on (empty: from the beginning), for one clinician or for all."""

    __tablename__ = "fees"
    __table_args__ = (
        same_practice("service_id", "services"),
        same_practice("clinician_id", "staff"),
        Index(None, "tenant_id", "payer_id", "service_id"),
        CheckConstraint("rate_cents >= 0", name="rate"),
    )

    payer_id: Mapped[str]
    service_id: Mapped[UUID]
    clinician_id: Mapped[UUID | None]
    rate_cents: Mapped[Cents]
    effective_on: Mapped[date | None]
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]


class Room(TenantKeyed, Versioned, Base):
    __tablename__ = "rooms"
    __table_args__ = (unique_external_id(), CheckConstraint("capacity > 0", name="capacity"))

    external_id: Mapped[str | None]
    name: Mapped[str]
    capacity: Mapped[int]
    equipment: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(server_default="true")
