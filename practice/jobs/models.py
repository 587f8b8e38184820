"""Jobs, and the exports that they have made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import Base, TenantKeyed, TenantPart, enum_check, same_practice

OPEN_SQL = "status in ('QUEUED', 'RUNNING')"


class Job(TenantKeyed, Base):
    """Long work of a practice, one of a kind at a time. `active_at` is the time of the last progress."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("uq_jobs_one_open", "tenant_id", "kind", unique=True, postgresql_where=text(OPEN_SQL)),
        enum_check("kind", "EXPORT"),
        enum_check("status", "QUEUED", "RUNNING", "DONE", "FAILED"),
        CheckConstraint("(status in ('DONE', 'FAILED')) = (finished_at is not null)", name="finished"),
    )

    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default="QUEUED", server_default="QUEUED")
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    active_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    rows_done: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    rows_total: Mapped[int | None] = mapped_column(BigInteger)
    problem: Mapped[str | None]


class Export(TenantPart, Base):
    """The encrypted file that a job of kind EXPORT has made, under the job's id, until it expires."""

    __tablename__ = "exports"
    __table_args__ = (
        same_practice("id", "jobs"),
        Index(None, "tenant_id", "expires_at", postgresql_where=text("deleted_at is null")),
    )

    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    size: Mapped[int] = mapped_column(BigInteger)  # of the zip archive inside, in bytes
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    rows: Mapped[int] = mapped_column(BigInteger)
