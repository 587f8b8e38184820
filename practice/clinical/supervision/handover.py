"""What a change of a staff member's supervisor, license or employment leaves to do about their notes."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from practice.clinical.models.notes import Note
from practice.clinical.notes.rules.review import lacks_supervisor
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people import staff as people_staff
from practice.people.models.practices import Staff
from practice.people.settings import list_effective_settings
from practice.security.work import Work

UNSUPERVISED = (
    "This license requires supervision hours, and nobody supervises this person, who signs notes without review. "
    "Set a supervisor."
)


@dataclass(frozen=True)
class Handover:
    """A changed staff member, and what the change leaves to do about their notes."""

    staff: Staff
    warnings: list[str]
    notes_in_review: int


def change_staff(
    work: Work, staff_id: UUID, version: int, changes: dict[str, Any], reason: str | None = None
) -> Handover:
    """Change a staff member, and send a new supervisor a message about each note that waits for a co-signature."""
    former_id = people_staff.lock_staff(work, staff_id).supervisor_id
    return hand_over(work, people_staff.change_staff(work, staff_id, version, changes, reason), former_id)


def hand_over(work: Work, staff: Staff, former_supervisor_id: UUID | None) -> Handover:
    """Return what is left to do, and notify the supervisor if it is another one than before."""
    waiting = list_notes_in_review(work, staff.id)
    supervisor_id = staff.supervisor_id
    if supervisor_id is not None and supervisor_id != former_supervisor_id:
        queue_staff_messages_once(work, [StaffMessage(kind, work.now, supervisor_id, note) for note, kind in waiting])
    return Handover(staff, list_supervision_warnings(work, staff), len(waiting))


def list_notes_in_review(work: Work, author_id: UUID) -> list[tuple[UUID, str]]:
    """Return the author's notes in review, themselves or a change of them, with the kind of message that says so."""
    query = select(Note.id, Note.signed_at).where(
        Note.tenant_id == work.tenant_id,
        Note.clinician_id == author_id,
        Note.voided_at.is_(None),
        or_(Note.status == "IN_REVIEW", Note.version_in_review.is_not(None)),
    )
    rows = work.db.execute(query.order_by(Note.submitted_at, Note.id))
    return [(row.id, "NOTE_HANDED_IN" if row.signed_at is None else "AMENDMENT_HANDED_IN") for row in rows]


def list_supervision_warnings(work: Work, staff: Staff) -> list[str]:
    """Return a warning if the staff member's license requires supervision and they have no supervisor."""
    if "clinician" not in staff.roles or staff.deactivated_at is not None:
        return []
    hours = {setting.key: setting.value for setting in list_effective_settings(work)}
    return [UNSUPERVISED] if lacks_supervisor(staff.license_type, staff.supervisor_id is not None, hours) else []
