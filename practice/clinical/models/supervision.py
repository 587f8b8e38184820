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
    one_of,
    same_practice,
    source_id,
)


class SupervisionSession(TenantPart, Voidable, Versioned, Base):
    __tablename__ = "supervision_sessions"
    __table_args__ = (
        same_practice("supervisee_id", "staff"),
        same_practice("supervisor_id", "staff"),
        source_id(),
        Index(None, "tenant_id", "supervisee_id", "held_at"),
        one_of("kind", "INDIVIDUAL", "GROUP"),
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
