"""Notes locked for a change. Every service that changes a note locks it here first."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.deadlines.locking import lock_session_rows
from practice.clinical.documents.rules.content import full_text
from practice.clinical.models.notes import Note, NoteSignature
from practice.clinical.notes.queries import is_known_to_actor
from practice.clinical.notes.versions import (
    CurrentVersions,
    build_imported_version,
    load_current_versions,
    store_versions,
)
from practice.errors import NotFound, Stale
from practice.scheduling.models.appointments import Appointment
from practice.security.work import Work


@dataclass(slots=True)
class LockedNote:
    """A note whose row is locked, with its locked session, its current versions and its last signature."""

    note: Note
    session: Appointment | None
    versions: CurrentVersions
    signatures: int = 0
    signature_hash: bytes | None = None
    is_imported: bool = False  # from a bundle, and without any version yet

    @property
    def is_contended(self) -> bool:
        """Return whether the note was just linked to a session that another transaction has locked."""
        return self.note.appointment_id is not None and self.session is None

    @property
    def service_id(self) -> UUID | None:
        """Return the service of the note's session."""
        return self.session.service_id if self.session else None


def lock_notes(work: Work, note_ids: Collection[UUID]) -> dict[UUID, LockedNote]:
    """Lock the notes that the actor may know of, in a constant number of statements.

    Sessions are locked before notes, sessions in time order and notes in id order, so that concurrent writers cannot
    deadlock. A note may be linked to a session between the first query and its own lock; that session is then locked
    without waiting.
    """
    query = select(Note.id, Note.appointment_id).where(
        Note.tenant_id == work.tenant_id, Note.id.in_(note_ids), Note.voided_at.is_(None), is_known_to_actor(work)
    )
    links = work.db.execute(query).all()
    if not links:
        return {}
    sessions = lock_session_rows(work, {appointment_id for _, appointment_id in links if appointment_id})
    ids = [note_id for note_id, _ in links]
    statement = select(Note).where(Note.tenant_id == work.tenant_id, Note.id.in_(ids), Note.voided_at.is_(None))
    statement = statement.order_by(Note.id).with_for_update(key_share=True).execution_options(populate_existing=True)
    notes = {note.id: note for note in work.db.scalars(statement)}
    newly_linked = {note.appointment_id for note in notes.values() if note.appointment_id} - sessions.keys()
    sessions |= lock_session_rows(work, newly_linked, waiting=False)
    versions = load_current_versions(work, notes)
    locked_notes = {}
    for note_id, note in notes.items():
        session = sessions.get(note.appointment_id) if note.appointment_id else None
        current = versions.get(note_id) or CurrentVersions(build_imported_version(work, note))
        locked_notes[note_id] = LockedNote(note, session, current, is_imported=note_id not in versions)
    for signature in load_last_signatures(work, notes):
        locked = locked_notes[signature.note_id]
        locked.signatures, locked.signature_hash = signature.number, signature.hash
    return locked_notes


def lock_note(work: Work, note_id: UUID) -> LockedNote:
    """Lock one note, or raise NotFound or Stale."""
    locked_notes = lock_notes(work, [note_id])
    if not locked_notes:
        raise NotFound
    if locked_notes[note_id].is_contended:
        raise Stale
    return locked_notes[note_id]


def store_imported_versions(work: Work, locked_notes: Iterable[LockedNote]) -> None:
    """Store the content of imported notes as their first version before anything is added to them."""
    imported = [locked for locked in locked_notes if locked.is_imported]
    store_versions(work, [(locked.note.id, locked.versions.base) for locked in imported])
    for locked in imported:
        locked.is_imported = False
        audit_chart_access(work, locked.note, "note.import_stored", **locked.versions.base.audit_details)


def seal_full_text(work: Work, locked: LockedNote) -> bytes | None:
    """Return the note's current text with its addenda, encrypted."""
    versions = locked.versions
    text = full_text(versions.base.content, [addendum.content for addendum in versions.addenda])
    return work.seal("notes", "text", locked.note.id, text)


class LastSignature(NamedTuple):
    """The last signature of a note."""

    note_id: UUID
    number: int
    hash: bytes


def load_last_signatures(work: Work, note_ids: Collection[UUID]) -> list[LastSignature]:
    """Return the last signature of each note that has one."""
    query = select(NoteSignature.note_id, NoteSignature.number, NoteSignature.hash).where(
        NoteSignature.tenant_id == work.tenant_id, NoteSignature.note_id.in_(note_ids)
    )
    query = query.ext(distinct_on(NoteSignature.note_id))
    rows = work.db.execute(query.order_by(NoteSignature.note_id, NoteSignature.number.desc()))
    return [LastSignature(*row) for row in rows]
