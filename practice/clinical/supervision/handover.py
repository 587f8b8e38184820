"""What a change of a staff member's supervisor, license or employment leaves to do about their notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from practice.clinical.models.notes import Note
from practice.clinical.notes.rules.review import lacks_supervisor
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people import staff as people_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.people.settings import list_effective_settings
from practice.people.staff import StaffInvitation, can_supervise_on
from practice.scheduling.appointments.notifications import replan_reminders_of_clinician
from practice.security.work import Work

UNSUPERVISED = (
    "This license requires supervision hours, and nobody supervises this person, who signs notes without review. "
    "Set a supervisor."
)


class WaitingNote(NamedTuple):
    """A note in review, itself or a change of it."""

    id: UUID
    clinician_id: UUID
    type: str
    is_amendment: bool


@dataclass(frozen=True)
class Handover:
    """A changed staff member, and what the change leaves to do about their notes and those of their supervisees.

    `unsupervised_notes` wait for this person, who leaves or is no supervisor: another one has to co-sign them.
    """

    staff: Staff
    warnings: list[str]
    notes_in_review: list[WaitingNote]
    unsupervised_notes: list[WaitingNote]


def change_staff(
    work: Work, staff_id: UUID, version: int, changes: dict[str, Any], reason: str | None = None
) -> Handover:
    """Change a staff member, and send messages about each note that waits for another supervisor than before."""
    staff = people_staff.lock_staff(work, staff_id)
    former_id, was_supervising, last_day = staff.supervisor_id, can_supervise_on(staff), staff.left_on
    changed = people_staff.change_staff(work, staff_id, version, changes, reason)
    if changed.left_on != last_day:
        replan_reminders_of_clinician(work, staff_id)
    return hand_over(work, changed, former_id, was_supervising=was_supervising)


def deactivate_staff(work: Work, staff_id: UUID, left_on: date) -> Handover:
    """Deactivate a staff member, and send their supervisees a message about each note that waits."""
    was_supervising = can_supervise_on(people_staff.lock_staff(work, staff_id))
    staff = people_staff.deactivate_staff(work, staff_id, left_on)
    replan_reminders_of_clinician(work, staff_id)
    return hand_over(work, staff, staff.supervisor_id, was_supervising=was_supervising)


def rehire_staff(work: Work, staff_id: UUID, returned_on: date) -> StaffInvitation:
    """Employ a staff member again who has left, and announce the visits that are still booked with them."""
    invitation = people_staff.rehire_staff(work, staff_id, returned_on)
    replan_reminders_of_clinician(work, staff_id)
    return invitation


def hand_over(work: Work, staff: Staff, former_supervisor_id: UUID | None, *, was_supervising: bool) -> Handover:
    """Return what is left to do. A new supervisor hears of the notes that wait for them, and the authors that the one
    who was to co-sign does so no longer."""
    waiting = list_notes_in_review(work, Note.clinician_id == staff.id)
    unsupervised: list[WaitingNote] = []
    if not can_supervise_on(staff):
        is_supervisee = (Staff.tenant_id == Note.tenant_id) & (Staff.supervisor_id == staff.id)
        unsupervised = list_notes_in_review(work, Note.clinician_id.in_(select(Staff.id).where(is_supervisee)))
    messages = []
    if staff.supervisor_id != former_supervisor_id:
        if staff.supervisor_id is not None:
            messages += [
                StaffMessage(
                    "AMENDMENT_HANDED_IN" if note.is_amendment else "NOTE_HANDED_IN",
                    work.now,
                    staff.supervisor_id,
                    note.id,
                )
                for note in waiting
            ]
        if former_supervisor_id is not None:
            messages += build_author_messages(work, waiting)
    if was_supervising:
        messages += build_author_messages(work, unsupervised)
    queue_staff_messages_once(work, messages)
    return Handover(staff, list_supervision_warnings(work, staff), waiting, unsupervised)


def list_notes_in_review(work: Work, of_authors: ColumnElement[bool]) -> list[WaitingNote]:
    """Return the authors' notes in review, themselves or a change of them, the longest waiting first."""
    work.db.flush()
    query = select(Note.id, Note.clinician_id, Note.type, Note.signed_at.is_not(None)).where(
        Note.tenant_id == work.tenant_id,
        of_authors,
        Note.voided_at.is_(None),
        or_(Note.status == "IN_REVIEW", Note.version_in_review.is_not(None)),
    )
    return [WaitingNote(*row) for row in work.db.execute(query.order_by(Note.submitted_at, Note.id))]


def build_author_messages(work: Work, notes: Sequence[WaitingNote]) -> list[StaffMessage]:
    """Return a message about each note to its author, unless they have left."""
    query = select(Staff.id).where(
        Staff.tenant_id == work.tenant_id,
        Staff.id.in_({note.clinician_id for note in notes}),
        Staff.deactivated_at.is_(None),
        or_(Staff.left_on.is_(None), Staff.left_on >= local_today(work)),
    )
    active = set(work.db.scalars(query)) if notes else set()
    return [
        StaffMessage("REVIEWER_CHANGED", work.now, note.clinician_id, note.id)
        for note in notes
        if note.clinician_id in active
    ]


def list_supervision_warnings(work: Work, staff: Staff) -> list[str]:
    """Return a warning if the staff member's license requires supervision and they have no supervisor."""
    if "clinician" not in staff.roles or staff.deactivated_at is not None:
        return []
    hours = {setting.key: setting.value for setting in list_effective_settings(work)}
    return [UNSUPERVISED] if lacks_supervisor(staff.license_type, staff.supervisor_id is not None, hours) else []
