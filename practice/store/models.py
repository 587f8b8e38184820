"""Versions of the records that past metrics rest on, kept by triggers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from practice.store.base import Base, TenantKeyed


class RecordVersion(TenantKeyed, Base):
    """The columns of a record that metrics use, as they stood from a moment on. Rows are only added; only the birth
    date of a redacted client is replaced by one that tells the year.

    `record_kind` is the name of its table. Without `known_at` the version has been known from the beginning, as all
    that an import brings.
    """

    __tablename__ = "record_versions"
    __table_args__ = (Index(None, "tenant_id", "record_kind", "record_id", "known_at"),)

    record_kind: Mapped[str]
    record_id: Mapped[UUID]
    known_at: Mapped[datetime | None]
    record_values: Mapped[dict[str, Any]]
