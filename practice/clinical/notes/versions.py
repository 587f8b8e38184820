"""Versions of notes: building, storing and loading them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, func, insert, or_, select
from sqlalchemy.orm import aliased

from practice.clinical.documents.content import generate_salt
from practice.clinical.documents.rules.content import Content, canonical_json, imported_content, parse
from practice.clinical.models.notes import Note, NoteVersion
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
) -> Version:
    return Version(number, kind, content, canonical_json(content), work.now, work.actor.staff_id, reason, generated)


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
        "written_at": version.written_at,
        "written_by_id": version.written_by_id,
    }


def load_last_versions(work: Work, note_ids: Collection[UUID]) -> tuple[dict[UUID, Version], dict[UUID, list[Version]]]:
    """Return the current version and the addenda of each note."""
    other = aliased(NoteVersion)
    last = (
        select(func.max(other.number))
        .where(other.tenant_id == NoteVersion.tenant_id, other.note_id == NoteVersion.note_id, other.kind != "ADDENDUM")
        .scalar_subquery()
    )
    bases: dict[UUID, Version] = {}
    addenda: dict[UUID, list[Version]] = {}
    query = select_versions(work, note_ids).where(or_(NoteVersion.kind == "ADDENDUM", NoteVersion.number == last))
    for row in work.db.scalars(query):
        version = open_version(work, row)
        if version.kind == "ADDENDUM":
            addenda.setdefault(row.note_id, []).append(version)
        else:
            bases[row.note_id] = version
    return bases, addenda


def load_versions(work: Work, note_id: UUID) -> list[Version]:
    return [open_version(work, row) for row in work.db.scalars(select_versions(work, [note_id]))]


def select_versions(work: Work, note_ids: Collection[UUID]) -> Select[NoteVersion]:
    """Return the query for the versions of the notes, ordered by number."""
    query = select(NoteVersion).where(NoteVersion.tenant_id == work.tenant_id, NoteVersion.note_id.in_(note_ids))
    return query.order_by(NoteVersion.note_id, NoteVersion.number)


def open_version(work: Work, row: NoteVersion) -> Version:
    text = work.unseal("note_versions", "content", row.id, row.content) or ""
    reason = work.unseal("note_versions", "reason", row.id, row.reason)
    return Version(row.number, row.kind, parse(text), text, row.written_at, row.written_by_id, reason, row.generated)
