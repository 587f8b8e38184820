"""Reports that people save: their definition, with which roles they are shared, and when they are sent to whom."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, TenantPart, Versioned, Voidable, enum_check, same_practice


class ReportDefinition(TenantPart, Voidable, Versioned, Base):
    """A saved report. Everybody who opens it sees it by their own permissions, not by those of its owner."""

    __tablename__ = "report_definitions"
    __table_args__ = (
        same_practice("owner_id", "staff"),
        Index(None, "tenant_id", "owner_id"),
        Index(
            "ix_report_definitions_scheduled",
            "tenant_id",
            postgresql_where=text("send_every is not null and voided_at is null"),
        ),
        CheckConstraint("shared_with <@ array['admin', 'supervisor', 'clinician', 'biller']", name="shared_with"),
        enum_check("send_every", "week", "month"),
        CheckConstraint("send_day between 0 and 28", name="send_day"),
        CheckConstraint("send_hour between 0 and 23", name="send_hour"),
        CheckConstraint("num_nulls(send_every, send_day, send_hour, send_since) in (0, 4)", name="whole_schedule"),
    )

    owner_id: Mapped[UUID]
    name: Mapped[str]
    definition: Mapped[dict[str, Any]]
    shared_with: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    send_every: Mapped[str | None]
    send_day: Mapped[int | None]  # of the week, from Sunday on, or of the month
    send_hour: Mapped[int | None]
    send_since: Mapped[datetime | None]  # when the schedule was set: nothing is sent for times before
    created_at: Mapped[datetime]


class ReportRecipient(Base):
    """A staff member to whom a saved report is sent."""

    __tablename__ = "report_recipients"
    __table_args__ = (
        same_practice("report_id", "report_definitions"),
        same_practice("staff_id", "staff"),
        Index(None, "tenant_id", "staff_id"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    report_id: Mapped[UUID] = mapped_column(primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(primary_key=True)
