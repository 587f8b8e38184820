"""The table of document templates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from practice.clinical.models.notes import NOTE_TYPES
from practice.store.base import (
    Base,
    TenantKeyed,
    enum_check,
    same_practice,
)


class NoteTemplate(TenantKeyed, Base):
    """The sections of a type of note or of progress reports, for one service or for all. The last row set counts."""

    __tablename__ = "note_templates"
    __table_args__ = (
        same_practice("service_id", "services"),
        Index(None, "tenant_id", "kind", "service_id", text("set_at desc")),
        enum_check("kind", *NOTE_TYPES, "PROGRESS_REPORT"),
    )

    kind: Mapped[str]
    service_id: Mapped[UUID | None]
    sections: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    set_at: Mapped[datetime]
    set_by: Mapped[UUID | None]
