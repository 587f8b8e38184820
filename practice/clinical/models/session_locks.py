"""The table of session locks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    Sealed,
    TenantPart,
    enum_check,
    same_practice,
)


class SessionLock(TenantPart, Base):
    """A lock of a session, or an unlock until a time, by a person or by the weekly deadline. The last row counts."""

    __tablename__ = "session_locks"
    __table_args__ = (
        same_practice("appointment_id", "appointments"),
        same_practice("by_id", "staff"),
        Index(None, "tenant_id", "appointment_id", text("at desc")),
        enum_check("kind", "LOCKED", "UNLOCKED"),
        CheckConstraint(
            "(kind = 'UNLOCKED') = (until is not null)"
            " and (kind = 'LOCKED' or (by_id is not null and reason is not null))",
            name="unlocked",
        ),
    )

    appointment_id: Mapped[UUID]
    kind: Mapped[str]
    at: Mapped[datetime]
    until: Mapped[datetime | None]
    by_id: Mapped[UUID | None]  # None: the deadline
    account_id: Mapped[UUID | None]
    reason: Mapped[bytes | None] = mapped_column(Sealed)
