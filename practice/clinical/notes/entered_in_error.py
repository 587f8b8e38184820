"""Notes entered in error. They stay, struck, with who and why, and no longer count."""

from uuid import UUID

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.errors import NoteEnteredInError, NotYourNote
from practice.clinical.models.notes import Note
from practice.clinical.notes.locked_notes import lock_note
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people.staff import get_staff
from practice.security.work import Work
from practice.store.records import update_versioned


def refuse_unless_own_to_strike(work: Work, note: Note) -> None:
    """Raise NotYourNote unless the actor may strike the note: as its author, its signer or the author's supervisor."""
    if work.actor.staff_id in (note.clinician_id, note.signed_by_id):
        return
    if work.actor.staff_id != get_staff(work, note.clinician_id).supervisor_id:
        raise NotYourNote("This note belongs to another clinician. Its author or their supervisor can strike it.")


def mark_entered_in_error(work: Work, note_id: UUID, reason: str) -> Note:
    """Strike a note, also a signed one, and tell its author or the supervisor who has co-signed it.

    Its author does, who sees first that it is in the wrong chart, or the supervisor, also after the author has left.
    Its session is unsigned again; if a closed week has paid it, the next week has the adjustment.
    """
    note = lock_note(work, note_id).note
    refuse_unless_own_to_strike(work, note)
    if note.entered_in_error_at is not None:
        raise NoteEnteredInError
    update_versioned(
        note,
        {
            "status": "ENTERED_IN_ERROR",
            "version_in_review": None,
            "entered_in_error_at": work.now,
            "entered_in_error_by_id": work.actor.staff_id,
            "error_reason": work.seal("notes", "error_reason", note_id, reason),
        },
    )
    others = {note.clinician_id, note.signed_by_id} - {None, work.actor.staff_id}
    messages = [StaffMessage("NOTE_ENTERED_IN_ERROR", work.now, staff_id, note_id) for staff_id in others if staff_id]
    queue_staff_messages_once(work, messages)
    audit_chart_access(work, note, "note.entered_in_error")
    return note
