"""Unlocking and locking the session of a note."""

from uuid import UUID

from sqlalchemy import select

from practice.clinical.deadlines.locking import lock_session, unlock_session
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.clinical.errors import NotLocked
from practice.clinical.models.notes import Note
from practice.clinical.models.session_locks import SessionLock
from practice.errors import NotFound
from practice.people.access import visible_staff
from practice.security.permissions import Scope
from practice.security.work import Work


def unlock_note_session(work: Work, scope: Scope, note_id: UUID, reason: str, hours: int | None = None) -> SessionLock:
    return unlock_session(work, scope, find_session_id(work, scope, note_id), reason, hours)


def lock_note_session(work: Work, scope: Scope, note_id: UUID, reason: str) -> SessionLock:
    return lock_session(work, scope, find_session_id(work, scope, note_id), reason)


def find_session_id(work: Work, scope: Scope, note_id: UUID) -> UUID:
    """Return the session that the note belongs to, or raise NotFound or NotLocked."""
    query = select(Note.type, Note.appointment_id).where(
        Note.tenant_id == work.tenant_id,
        Note.id == note_id,
        Note.voided_at.is_(None),
        visible_staff(work, scope, Note.clinician_id),
    )
    note = work.db.execute(query).one_or_none()
    if note is None:
        raise NotFound
    if note.appointment_id is None or note.type in NO_SESSION_NOTES:
        raise NotLocked("This note does not belong to a session, so the weekly deadline does not lock it.")
    return note.appointment_id
