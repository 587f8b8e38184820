"""The outbox table: one row per message, recipient and channel, with its due time and delivery status."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, TenantKeyed, enum_check, same_practice


class Message(TenantKeyed, Base):
    """A message, planned in the transaction that causes it. It stores references; the text is composed when sent."""

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
        enum_check("channel", "email", "sms", "app"),
        enum_check("status", "PLANNED", "SENT", "FAILED", "CANCELLED", "UNKNOWN"),
        CheckConstraint("num_nonnulls(client_id, staff_id) = 1", name="one_recipient"),
    )

    kind: Mapped[str]
    channel: Mapped[str]
    client_id: Mapped[UUID | None]
    staff_id: Mapped[UUID | None]
    appointment_id: Mapped[UUID | None]
    # what a staff message is about: the session of a note, the client of a plan, a person, or a reschedule request
    about_id: Mapped[UUID | None]
    lead_minutes: Mapped[int | None]  # reminders only: how long before the appointment
    due_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default="PLANNED")
    attempts: Mapped[int] = mapped_column(server_default="0")
    tried_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
