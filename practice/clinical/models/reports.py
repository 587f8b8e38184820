"""Tables of progress reports and their versions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from practice.store.base import (
    Base,
    Sealed,
    TenantPart,
    Versioned,
    Voidable,
    enum_check,
    same_practice,
)


class ProgressReport(TenantPart, Voidable, Versioned, Base):
    """A report on a client's progress. Drafts can be edited, final reports cannot."""

    __tablename__ = "progress_reports"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("appointment_id", "appointments"),
        same_practice("service_id", "services"),
        Index(None, "tenant_id", "client_id", "reported_on"),
        Index(None, "tenant_id", "clinician_id", "reported_on"),
        enum_check("status", "DRAFT", "FINAL"),
    )

    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    appointment_id: Mapped[UUID | None]
    service_id: Mapped[UUID | None]
    reported_on: Mapped[date]
    status: Mapped[str] = mapped_column(server_default="DRAFT")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    shared_at: Mapped[datetime | None]  # with the client


class ProgressReportVersion(TenantPart, Base):
    """A saved version of a report. Rows are only inserted."""

    __tablename__ = "progress_report_versions"
    __table_args__ = (
        same_practice("report_id", "progress_reports"),
        same_practice("written_by_id", "staff"),
        UniqueConstraint("tenant_id", "report_id", "number"),
    )

    report_id: Mapped[UUID]
    number: Mapped[int]
    content: Mapped[bytes] = mapped_column(Sealed)
    written_at: Mapped[datetime]
    written_by_id: Mapped[UUID]
