"""Versions of notes: building, storing and loading them."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, exists, func, insert, or_, select
from sqlalchemy.orm import aliased

from practice.clinical.documents.content import generate_salt
from practice.clinical.documents.rules.content import Content, canonical_json, imported_content, parse
from practice.clinical.models.notes import Note, NoteSignature, NoteVersion
from practice.clinical.notes.rules.signing import hash_content
from practice.security.work import Work
from practice.store.ids import new_id

VERSIONS = cast(Table, NoteVersion.__table__)  # the table, because inserted rows are not needed as objects


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a note with its decrypted content."""

    number: int
    kind: str
    content: Content
    canonical: str  # the JSON that is encrypted and signed
    written_at: datetime
    written_by_id: UUID | None = None  # None: imported from a bundle
    reason: str | None = None
    generated: bool = False
    needs_review: bool = False  # an amendment or addendum that counts only with a supervisor's signature

    @property
    def hash(self) -> bytes:
        return hash_content(self.canonical, self.reason)

    @property
    def audit_details(self) -> dict[str, Any]:
        """Return the version's number and hash for the audit log, which reveals later changes of the stored content."""
        return {"version": self.number, "content": self.hash.hex()}


def build_version(
    work: Work,
    number: int,
    content: Content,
    kind: str = "CONTENT",
    *,
    reason: str | None = None,
    generated: bool = False,
    needs_review: bool = False,
) -> Version:
    canonical = canonical_json(content)
    return Version(number, kind, content, canonical, work.now, work.actor.staff_id, reason, generated, needs_review)


def build_imported_version(work: Work, note: Note) -> Version:
    """Return the content of an imported note as its first version."""
    content = replace(imported_content(work.unseal("notes", "text", note.id, note.text) or ""), salt=generate_salt())
    return Version(1, "CONTENT", content, canonical_json(content), note.created_at)


def store_versions(work: Work, versions: Collection[tuple[UUID, Version]]) -> None:
    """Insert versions, each with the id of its note."""
    if versions:
        work.db.flush()  # inserts the notes, which versions refer to
        work.db.execute(insert(VERSIONS).values([to_version_row(work, *item) for item in versions]))


def to_version_row(work: Work, note_id: UUID, version: Version) -> dict[str, Any]:
    row_id = new_id()
    return {
        "tenant_id": work.tenant_id,
        "id": row_id,
        "note_id": note_id,
        "number": version.number,
        "kind": version.kind,
        "content": work.seal("note_versions", "content", row_id, version.canonical),
        "reason": work.seal("note_versions", "reason", row_id, version.reason),
        "generated": version.generated,
        "needs_review": version.needs_review,
        "written_at": version.written_at,
        "written_by_id": version.written_by_id,
    }


@dataclass(slots=True)
class CurrentVersions:
    """The versions that make up a note: the content and addenda in force, and an amendment or addendum in review."""

    base: Version
    addenda: list[Version] = field(default_factory=list)
    in_review: Version | None = None
    last_number: int = 1  # of all versions, also of those that were returned

    def put_in_force(self, version: Version) -> None:
        """Make a signed amendment or addendum part of the note."""
        if version.kind == "ADDENDUM":
            self.addenda.append(version)
        else:
            self.base = version
        self.in_review = None


def load_current_versions(work: Work, note_ids: Collection[UUID]) -> dict[UUID, CurrentVersions]:
    """Return the current versions of each note that has any: an imported note has none before its first change."""
    other = aliased(NoteVersion)
    same_note = (other.tenant_id == NoteVersion.tenant_id, other.note_id == NoteVersion.note_id)
    last = select(func.max(other.number)).where(*same_note).scalar_subquery()
    base = select(func.max(other.number)).where(*same_note, other.kind != "ADDENDUM", is_in_force(other))
    is_addendum = and_(NoteVersion.kind == "ADDENDUM", is_in_force(NoteVersion))
    in_review = NoteVersion.number == Note.version_in_review
    query = (
        select_versions(work, note_ids)
        .join(Note, and_(Note.tenant_id == NoteVersion.tenant_id, Note.id == NoteVersion.note_id))
        .where(or_(is_addendum, NoteVersion.number == base.scalar_subquery(), in_review))
        .add_columns(last.label("last_number"), func.coalesce(in_review, False).label("in_review"))
    )
    parts: dict[UUID, dict[str, list[Version]]] = {}
    last_numbers: dict[UUID, int] = {}
    for row, last_number, is_in_review in work.db.execute(query):
        version = open_version(work, row)
        name = "in_review" if is_in_review else "addenda" if version.kind == "ADDENDUM" else "base"
        parts.setdefault(row.note_id, {}).setdefault(name, []).append(version)
        last_numbers[row.note_id] = last_number
    return {
        note_id: CurrentVersions(
            found["base"][0],
            found.get("addenda", []),
            next(iter(found.get("in_review", ())), None),
            last_numbers[note_id],
        )
        for note_id, found in parts.items()
    }


def is_in_force(version: Any) -> ColumnElement[bool]:
    """Return the condition for versions that need no review, or that a supervisor has co-signed."""
    return or_(
        version.needs_review.is_(False),
        exists().where(
            NoteSignature.tenant_id == version.tenant_id,
            NoteSignature.note_id == version.note_id,
            NoteSignature.version_number == version.number,
            NoteSignature.kind == "CO_SIGNATURE",
        ),
    )


def load_versions(work: Work, note_id: UUID) -> list[Version]:
    return [open_version(work, row) for row in work.db.scalars(select_versions(work, [note_id]))]


def select_versions(work: Work, note_ids: Collection[UUID]) -> Select[Any]:
    """Return the query for the versions of the notes, ordered by number."""
    query = select(NoteVersion).where(NoteVersion.tenant_id == work.tenant_id, NoteVersion.note_id.in_(note_ids))
    return query.order_by(NoteVersion.note_id, NoteVersion.number)


def open_version(work: Work, row: NoteVersion) -> Version:
    text = work.unseal("note_versions", "content", row.id, row.content) or ""
    reason = work.unseal("note_versions", "reason", row.id, row.reason)
    return Version(
        row.number,
        row.kind,
        parse(text),
        text,
        row.written_at,
        row.written_by_id,
        reason,
        row.generated,
        row.needs_review,
    )
