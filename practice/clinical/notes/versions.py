"""The versions of notes: making one, finding the last ones, reading all of them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, func, insert, or_, select
from sqlalchemy.orm import aliased

from practice.clinical.documents.content import salt
from practice.clinical.documents.rules.content import Content, as_it_came, kept, read
from practice.clinical.models.notes import Note, NoteVersion
from practice.clinical.notes.rules.signing import content_hash
from practice.security.work import Work
from practice.store.ids import new_id

VERSIONS = cast(Table, NoteVersion.__table__)  # as a table: nothing of what is put there is needed as objects


@dataclass(frozen=True, slots=True)
class Version:
    number: int
    kind: str
    content: Content
    kept: str  # as it is sealed and signed
    written_at: datetime
    written_by_id: UUID | None = None  # none: it came in with a bundle
    reason: str | None = None
    generated: bool = False

    @property
    def hash(self) -> bytes:
        return content_hash(self.kept, self.reason)

    @property
    def told(self) -> dict[str, Any]:
        """For the audit trail: which version, and its hash, by which a change of what was kept is seen."""
        return {"version": self.number, "content": self.hash.hex()}


def new_version(
    work: Work,
    number: int,
    content: Content,
    kind: str = "CONTENT",
    *,
    reason: str | None = None,
    generated: bool = False,
) -> Version:
    return Version(number, kind, content, kept(content), work.now, work.actor.staff_id, reason, generated)


def as_version(work: Work, note: Note) -> Version:
    """What a note that came in with a bundle says, as its first version."""
    content = replace(as_it_came(work.unseal("notes", "text", note.id, note.text) or ""), salt=salt())
    return Version(1, "CONTENT", content, kept(content), note.created_at)


def put_versions(work: Work, versions: Collection[tuple[UUID, Version]]) -> None:
    """Each under its note."""
    if versions:
        work.db.flush()  # the notes come first
        work.db.execute(insert(VERSIONS).values([version_row(work, *one) for one in versions]))


def version_row(work: Work, note_id: UUID, version: Version) -> dict[str, Any]:
    row_id = new_id()
    return {
        "tenant_id": work.tenant_id,
        "id": row_id,
        "note_id": note_id,
        "number": version.number,
        "kind": version.kind,
        "content": work.seal("note_versions", "content", row_id, version.kept),
        "reason": work.seal("note_versions", "reason", row_id, version.reason),
        "generated": version.generated,
        "written_at": version.written_at,
        "written_by_id": version.written_by_id,
    }


def last_versions(work: Work, note_ids: Collection[UUID]) -> tuple[dict[UUID, Version], dict[UUID, list[Version]]]:
    """What each note says, and what was added to it."""
    row, other = NoteVersion, aliased(NoteVersion)
    last = (
        select(func.max(other.number))
        .where(other.tenant_id == row.tenant_id, other.note_id == row.note_id, other.kind != "ADDENDUM")
        .scalar_subquery()
    )
    bases: dict[UUID, Version] = {}
    addenda: dict[UUID, list[Version]] = {}
    query = versions_of(work, note_ids).where(or_(row.kind == "ADDENDUM", row.number == last))
    for found in work.db.scalars(query):
        version = opened(work, found)
        if version.kind == "ADDENDUM":
            addenda.setdefault(found.note_id, []).append(version)
        else:
            bases[found.note_id] = version
    return bases, addenda


def all_versions(work: Work, note_id: UUID) -> list[Version]:
    return [opened(work, found) for found in work.db.scalars(versions_of(work, [note_id]))]


def versions_of(work: Work, note_ids: Collection[UUID]) -> Select[NoteVersion]:
    """Their rows, in their order."""
    row = NoteVersion
    query = select(row).where(row.tenant_id == work.tenant_id, row.note_id.in_(note_ids))
    return query.order_by(row.note_id, row.number)


def opened(work: Work, row: NoteVersion) -> Version:
    said = work.unseal("note_versions", "content", row.id, row.content) or ""
    reason = work.unseal("note_versions", "reason", row.id, row.reason)
    return Version(row.number, row.kind, read(said), said, row.written_at, row.written_by_id, reason, row.generated)
