"""Clinical notes: their versions and signatures, the templates they are written by, and what locks their sessions."""

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
    one_of,
    same_practice,
    source_id,
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
    """What it says now, and how far it is. How it came to say so stands in its versions. Only one that nobody has
    signed can be voided."""

    __tablename__ = "notes"
    __table_args__ = (
        same_practice("client_id", "clients"),
        same_practice("clinician_id", "staff"),
        same_practice("appointment_id", "appointments"),
        same_practice("signed_by_id", "staff"),
        same_practice("returned_by_id", "staff"),
        source_id(),
        Index(None, "tenant_id", "client_id", "created_at"),
        Index(None, "tenant_id", "clinician_id", "created_at"),
        Index(None, "tenant_id", "appointment_id"),
        Index(None, "tenant_id", "submitted_at", postgresql_where=text("status = 'IN_REVIEW'")),
        one_of("type", *NOTE_TYPES),
        one_of("status", "DRAFT", "IN_REVIEW", "SIGNED", "AMENDED"),
        CheckConstraint(
            "(status in ('SIGNED', 'AMENDED')) = (signed_at is not null and signed_by_id is not null)", name="signed"
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
    text: Mapped[bytes | None] = mapped_column(Sealed)  # as it stands now
    submitted_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    returned_by_id: Mapped[UUID | None]
    return_reason: Mapped[bytes | None] = mapped_column(Sealed)  # of each time that it was (`return_rules.py`)
    shared_at: Mapped[datetime | None]  # with the client


class NoteVersion(TenantPart, Base):
    """A note as it was saved once: its sections and diagnoses, sealed. Rows are only added."""

    __tablename__ = "note_versions"
    __table_args__ = (
        same_practice("note_id", "notes"),
        same_practice("written_by_id", "staff"),
        UniqueConstraint("tenant_id", "note_id", "number"),
        one_of("kind", "CONTENT", "AMENDMENT", "ADDENDUM"),
        CheckConstraint("kind = 'CONTENT' or reason is not null", name="reason"),
    )

    note_id: Mapped[UUID]
    number: Mapped[int]
    kind: Mapped[str]
    content: Mapped[bytes] = mapped_column(Sealed)
    reason: Mapped[bytes | None] = mapped_column(Sealed)
    generated: Mapped[bool] = mapped_column(server_default="false")  # by a model; a person signs it or it stays a draft
    written_at: Mapped[datetime]
    written_by_id: Mapped[UUID | None]  # none: it came in with a bundle


class NoteSignature(TenantPart, Base):
    """Who signed which version when, over its content and the signature before. Rows are only added."""

    __tablename__ = "note_signatures"
    __table_args__ = (
        same_practice("note_id", "notes"),
        same_practice("signed_by_id", "staff"),
        UniqueConstraint("tenant_id", "note_id", "number"),
        one_of("kind", "AUTHOR", "CO_SIGNATURE", "AMENDMENT", "ADDENDUM"),
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
