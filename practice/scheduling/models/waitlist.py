"""Tables of the waitlist: entries and offers."""

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, TenantPart, Versioned, enum_check, same_practice


class WaitlistEntry(TenantPart, Versioned, Base):
    """A client who waits for a time. An empty list of clinicians, services or weekdays means any."""

    __tablename__ = "waitlist_entries"
    __table_args__ = (
        same_practice("client_id", "clients"),
        Index(None, "tenant_id", "status", "priority", "created_at"),
        Index(None, "tenant_id", "client_id"),
        enum_check("status", "WAITING", "OFFERED", "BOOKED", "WITHDRAWN"),
        CheckConstraint("priority in (1, 2, 3)", name="priority"),
    )

    client_id: Mapped[UUID]
    clinician_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default=text("'{}'"))
    service_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default=text("'{}'"))
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), server_default=text("'{}'"))
    time_from: Mapped[time | None]
    time_to: Mapped[time | None]
    until_on: Mapped[date | None]
    priority: Mapped[int] = mapped_column(server_default="2")  # 1 comes first
    status: Mapped[str] = mapped_column(server_default="WAITING")
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]


class WaitlistOffer(TenantPart, Base):
    """A freed time, held for a waitlist entry until it is taken, declined or expired."""

    __tablename__ = "waitlist_offers"
    __table_args__ = (
        same_practice("entry_id", "waitlist_entries"),
        same_practice("clinician_id", "staff"),
        same_practice("service_id", "services"),
        same_practice("room_id", "rooms"),
        Index(None, "tenant_id", "entry_id"),
        Index(None, "tenant_id", "clinician_id", postgresql_where=text("status = 'OPEN'")),
        enum_check("status", "OPEN", "TAKEN", "DECLINED", "EXPIRED"),
    )

    entry_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    service_id: Mapped[UUID]
    room_id: Mapped[UUID | None]
    telehealth: Mapped[bool]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    offered_at: Mapped[datetime]
    holds_until: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default="OPEN")
