"""Notes entered in error. They stay, struck, with who and why, and no longer count."""

from uuid import UUID

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import lock_own_note
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.security.work import Work
from practice.store.records import update_versioned


def mark_entered_in_error(work: Work, note_id: UUID, reason: str) -> Note:
    """Strike the actor's own note, also a signed one, and tell the supervisor who has co-signed it.

    Its session is unsigned again; if a closed week has paid it, the next week has the adjustment.
    """
    note = lock_own_note(work, note_id).note
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
    if note.signed_by_id not in (None, note.clinician_id):
        queue_staff_messages_once(work, [StaffMessage("NOTE_ENTERED_IN_ERROR", work.now, note.signed_by_id, note_id)])
    audit_chart_access(work, note, "note.entered_in_error")
    return note
