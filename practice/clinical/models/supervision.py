"""The table of supervision sessions."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    Sealed,
    TenantPart,
    Versioned,
    Voidable,
    enum_check,
    same_practice,
    unique_external_id,
)


class SupervisionSession(TenantPart, Voidable, Versioned, Base):
    """A supervision session of one supervisee."""

    __tablename__ = "supervision_sessions"
    __table_args__ = (
        same_practice("supervisee_id", "staff"),
        same_practice("supervisor_id", "staff"),
        unique_external_id(),
        Index(None, "tenant_id", "supervisee_id", "held_at"),
        enum_check("kind", "INDIVIDUAL", "GROUP"),
        CheckConstraint("hours > 0", name="hours"),
    )

    external_id: Mapped[str | None]
    supervisee_id: Mapped[UUID]
    supervisor_id: Mapped[UUID]
    held_at: Mapped[datetime]
    hours: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    kind: Mapped[str]
    topics: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    note_signed_at: Mapped[datetime | None]
    note: Mapped[bytes | None] = mapped_column(Sealed)
