"""Unlocking and locking the session of a note, by the note."""

from uuid import UUID

from sqlalchemy import select

from practice.clinical.deadlines.locking import lock_session, unlock_session
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.clinical.errors import NotLocked
from practice.clinical.models.notes import Note
from practice.clinical.models.session_locks import SessionLock
from practice.errors import NotFound
from practice.people.access import staff_within
from practice.security.permissions import Scope
from practice.security.work import Work


def unlock_note(work: Work, scope: Scope, note_id: UUID, reason: str, hours: int | None = None) -> SessionLock:
    return unlock_session(work, scope, session_of(work, scope, note_id), reason, hours)


def lock_note(work: Work, scope: Scope, note_id: UUID, reason: str) -> SessionLock:
    return lock_session(work, scope, session_of(work, scope, note_id), reason)


def session_of(work: Work, scope: Scope, note_id: UUID) -> UUID:
    query = select(Note.type, Note.appointment_id).where(
        Note.tenant_id == work.tenant_id,
        Note.id == note_id,
        Note.voided_at.is_(None),
        staff_within(work, scope, Note.clinician_id),
    )
    found = work.db.execute(query).one_or_none()
    if found is None:
        raise NotFound
    if found.appointment_id is None or found.type in NO_SESSION_NOTES:
        raise NotLocked("This is no session's note, and the weekly deadline does not lock it.")
    return found.appointment_id
