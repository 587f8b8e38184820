"""The outbox: each row is one message to one person over one channel, due at a moment, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, TenantKeyed, one_of, same_practice


class Message(TenantKeyed, Base):
    """Planned in the transaction of its cause. What it says is written when it is sent: here stand only references."""

    __tablename__ = "messages"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("staff_id", "staff"),
        same_practice("appointment_id", "appointments"),
        Index(
            "uq_messages_once",
            *("tenant_id", "appointment_id", "kind", "lead_minutes", "channel", "client_id", "staff_id"),
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("appointment_id is not null"),
        ),
        Index(
            "uq_messages_to_staff_once",
            *("tenant_id", "staff_id", "kind", "about_id", "due_at", "channel"),
            unique=True,
            postgresql_where=text("about_id is not null"),
        ),
        Index(None, "tenant_id", "due_at", postgresql_where=text("status = 'PLANNED'")),
        Index(None, "tenant_id", "client_id", "created_at", postgresql_where=text("client_id is not null")),
        one_of("channel", "email", "sms", "app"),
        one_of("status", "PLANNED", "SENT", "FAILED", "CANCELLED", "UNKNOWN"),
        CheckConstraint("num_nonnulls(client_id, staff_id) = 1", name="one_recipient"),
    )

    kind: Mapped[str]
    channel: Mapped[str]
    client_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    appointment_id: Mapped[UUID | None]
    about_id: Mapped[UUID | None]  # of what is due: a note's session, a plan's client, a person
    lead_minutes: Mapped[int | None]  # of a reminder: how long before
    due_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default="PLANNED")
    attempts: Mapped[int] = mapped_column(server_default="0")
    tried_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
