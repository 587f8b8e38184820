"""Tables of clinical notes, their versions and their signatures."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
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

NOTE_TYPES = (
    "SOAP_NOTE",
    "PROGRESS_NOTE",
    "INTAKE_ASSESSMENT",
    "PSYCHIATRIC_EVALUATION",
    "TREATMENT_PLAN",
    "SAFETY_PLAN",
    "DISCHARGE_SUMMARY",
    "CRISIS_INTERVENTION",
)


class Note(TenantPart, Voidable, Versioned, Base):
    """A clinical note: its current text and status. Only unsigned notes can be voided; every note can be struck as
    entered in error, and stays."""

    __tablename__ = "notes"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("appointment_id", "appointments"),
        same_practice("signed_by_id", "staff"),
        same_practice("returned_by_id", "staff"),
        same_practice("entered_in_error_by_id", "staff"),
        unique_external_id(),
        Index(None, "tenant_id", "client_id", "created_at"),
        Index(None, "tenant_id", "clinician_id", "created_at"),
        Index(None, "tenant_id", "appointment_id"),
        Index(None, "tenant_id", "submitted_at", postgresql_where=text("status = 'IN_REVIEW'")),
        Index(None, "tenant_id", "entered_in_error_at", postgresql_where=text("entered_in_error_at is not null")),
        enum_check("type", *NOTE_TYPES),
        enum_check("status", "DRAFT", "IN_REVIEW", "SIGNED", "AMENDED", "ENTERED_IN_ERROR"),
        CheckConstraint(
            "(status in ('SIGNED', 'AMENDED')) = (signed_at is not null and signed_by_id is not null)"
            " or status = 'ENTERED_IN_ERROR'",
            name="signed",
        ),
        CheckConstraint("version_in_review is null or status in ('SIGNED', 'AMENDED')", name="version_in_review"),
        CheckConstraint(
            "(status = 'ENTERED_IN_ERROR')"
            " = (num_nonnulls(entered_in_error_at, entered_in_error_by_id, error_reason) = 3)",
            name="entered_in_error",
        ),
    )

    external_id: Mapped[str | None]
    client_id: Mapped[UUID]
    clinician_id: Mapped[UUID]
    appointment_id: Mapped[UUID | None]
    type: Mapped[str]
    created_at: Mapped[datetime]
    status: Mapped[str]
    signed_at: Mapped[datetime | None]
    signed_by_id: Mapped[UUID | None]
    text: Mapped[bytes | None] = mapped_column(Sealed)  # the current text
    submitted_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    returned_by_id: Mapped[UUID | None]
    return_reason: Mapped[bytes | None] = mapped_column(Sealed)  # all of them (`review_returns.py`)
    shared_at: Mapped[datetime | None]  # with the client
    version_in_review: Mapped[int | None]  # an amendment or addendum that waits for the supervisor's signature
    entered_in_error_at: Mapped[datetime | None]
    entered_in_error_by_id: Mapped[UUID | None]
    error_reason: Mapped[bytes | None] = mapped_column(Sealed)


class NoteVersion(TenantPart, Base):
    """A saved version of a note: its encrypted sections and diagnoses. Rows are only inserted."""

    __tablename__ = "note_versions"
    __table_args__ = (
        same_practice("note_id", "notes"),
        same_practice("written_by_id", "staff"),
        UniqueConstraint("tenant_id", "note_id", "number"),
        enum_check("kind", "CONTENT", "AMENDMENT", "ADDENDUM"),
        CheckConstraint("kind = 'CONTENT' or reason is not null", name="reason"),
    )

    note_id: Mapped[UUID]
    number: Mapped[int]
    kind: Mapped[str]
    content: Mapped[bytes] = mapped_column(Sealed)
    reason: Mapped[bytes | None] = mapped_column(Sealed)
    generated: Mapped[bool] = mapped_column(server_default="false")  # by a model; a draft until a person signs it
    needs_review: Mapped[bool] = mapped_column(server_default="false")  # in force once a supervisor has signed it
    written_at: Mapped[datetime]
    written_by_id: Mapped[UUID | None]  # None: imported from a bundle


class NoteSignature(TenantPart, Base):
    """A signature of one version, computed over its content and the previous signature. Rows are only inserted."""

    __tablename__ = "note_signatures"
    __table_args__ = (
        same_practice("note_id", "notes"),
        same_practice("signed_by_id", "staff"),
        UniqueConstraint("tenant_id", "note_id", "number"),
        enum_check("kind", "AUTHOR", "CO_SIGNATURE", "AMENDMENT", "ADDENDUM"),
    )

    note_id: Mapped[UUID]
    number: Mapped[int]
    version_number: Mapped[int]
    kind: Mapped[str]
    signed_at: Mapped[datetime]
    signed_by_id: Mapped[UUID]
    account_id: Mapped[UUID]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
