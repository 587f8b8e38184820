"""Signing notes: sign, submit for review, withdraw, return, co-sign, and sign in bulk.

A signature covers one version. Only the author signs a note, and only the author's supervisor co-signs it, or an
amendment or addendum of it that is in review.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, update

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.deadlines.locking import (
    build_note_locked,
    find_locked_sessions,
    has_begun,
    is_session_note,
    unlock_for_author,
)
from practice.clinical.deadlines.rules import NO_SESSION_NOTES, LockState
from practice.clinical.documents.rules.content import signing_problems
from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.documents.templates import find_templates
from practice.clinical.errors import (
    NoSupervisor,
    NoteEnteredInError,
    NoteInReview,
    NoteSigned,
    NotInReview,
    NotYourNote,
    ReviewNeeded,
    SessionNotHeld,
    SessionSigned,
    build_note_incomplete,
)
from practice.clinical.models.notes import Note
from practice.clinical.models.session_locks import SessionLock
from practice.clinical.notes.drafts import lock_own_note, refuse_locked_session
from practice.clinical.notes.locked_notes import (
    LockedNote,
    lock_note,
    lock_notes,
    seal_full_text,
    store_imported_versions,
)
from practice.clinical.notes.review_returns import ReviewReturn, dump_review_returns, parse_review_returns
from practice.clinical.notes.rules.review import needs_review
from practice.clinical.notes.signatures import NewSignature, store_signatures
from practice.errors import NotFound, Refusal, Stale
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.people.rules.staff import is_active_supervisor
from practice.people.settings import list_effective_settings
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import find_scope
from practice.security.work import Work
from practice.store.records import update_versioned

MAX_BULK_SIGN = 200
Step = Literal["sign", "submit"]
ACTIONS = {"AUTHOR": "note.signed", "CO_SIGNATURE": "note.co_signed"}
NO_REVIEWER = (
    "Your supervisor is no longer active as one, so nobody can review this note. Ask an admin to set another "
    "supervisor for you, who then finds it among the notes to review."
)


@dataclass(frozen=True)
class SigningResult:
    """The outcome for one note of a bulk signing."""

    note_id: UUID
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Author:
    """A note's author: who supervises them and whether their notes need review."""

    supervisor_id: UUID | None
    reviewed: bool


def sign_note(work: Work, note_id: UUID, version: int | None = None) -> Note:
    """Sign a note as its author, or co-sign it as the author's supervisor.

    `version` is the version that the signer has read.
    """
    locked = lock_note(work, note_id)
    if version is not None and locked.note.version != version:
        raise Stale
    sign_locked_notes(work, {note_id: locked})
    work.db.refresh(locked.note)
    return locked.note


def sign_many(work: Work, note_ids: Collection[UUID]) -> list[SigningResult]:
    """Sign each note that can be signed and return a result per note.

    The number of statements does not grow with the number of notes.
    """
    locked_notes = lock_notes(work, note_ids)
    refusals = sign_locked_notes(work, locked_notes, skip_refused=True)
    not_found = NotFound()
    return [
        SigningResult(note_id, refusals.get(note_id) if note_id in locked_notes else not_found)
        for note_id in dict.fromkeys(note_ids)
    ]


def sign_locked_notes(
    work: Work, locked_notes: Mapping[UUID, LockedNote], *, skip_refused: bool = False
) -> dict[UUID, Refusal]:
    """Sign the notes and return the refusals by note. Raise the first refusal unless `skip_refused`."""
    refusals = find_refusals(work, locked_notes, "sign")
    if refusals and not skip_refused:
        raise next(iter(refusals.values()))
    ready = [locked for note_id, locked in locked_notes.items() if note_id not in refusals]
    if not ready:
        return refusals
    store_imported_versions(work, ready)
    firsts = [locked for locked in ready if locked.versions.in_review is None]
    amended = [locked for locked in ready if locked.versions.in_review is not None]
    signatures = [
        NewSignature(locked, locked.versions.base, "AUTHOR" if is_author(work, locked) else "CO_SIGNATURE")
        for locked in firsts
    ]
    signatures += [
        NewSignature(locked, version, "CO_SIGNATURE") for locked in amended if (version := locked.versions.in_review)
    ]
    audit_details = store_signatures(work, signatures)
    for signature in signatures:
        note = signature.locked.note
        action = "note.amendment_co_signed" if signature.version.needs_review else ACTIONS[signature.kind]
        audit_chart_access(work, note, action, **audit_details[note.id])
    mark_signed(work, firsts)
    put_amendments_in_force(work, amended)
    return refusals


def mark_signed(work: Work, ready: Collection[LockedNote]) -> None:
    """Set the notes to SIGNED by the actor."""
    statement = update(Note).where(Note.tenant_id == work.tenant_id, Note.id.in_([locked.note.id for locked in ready]))
    values = {"status": "SIGNED", "signed_at": work.now, "signed_by_id": work.actor.staff_id}
    if ready:
        work.db.execute(
            statement.values(**values, version=Note.version + 1), execution_options={"synchronize_session": False}
        )


def put_amendments_in_force(work: Work, amended: Collection[LockedNote]) -> None:
    """Make the co-signed amendments and addenda part of their notes, which keep the time and signer of the first."""
    rows = []
    for locked in amended:
        if locked.versions.in_review is not None:
            locked.versions.put_in_force(locked.versions.in_review)
        note = locked.note
        rows.append(
            {
                "tenant_id": note.tenant_id,
                "id": note.id,
                "status": "AMENDED",
                "text": seal_full_text(work, locked),
                "version_in_review": None,
                "version": note.version + 1,
            }
        )
    if rows:
        work.db.execute(update(Note), rows)


def submit_note(work: Work, note_id: UUID, version: int | None = None) -> tuple[Note, list[str]]:
    """Sign a note as its author and submit it for the supervisor's co-signature.

    The warnings say when the supervisor can no longer review it.
    """
    locked = lock_own_note(work, note_id)
    note = locked.note
    if version is not None and note.version != version:
        raise Stale
    for refusal in find_refusals(work, {note_id: locked}, "submit").values():
        raise refusal
    store_imported_versions(work, [locked])
    audit_details = store_signatures(work, [NewSignature(locked, locked.versions.base, "AUTHOR")])
    update_versioned(note, {"status": "IN_REVIEW", "submitted_at": work.now})
    supervisor_id = load_authors(work, [note.clinician_id])[note.clinician_id].supervisor_id
    if supervisor_id is not None:
        queue_staff_messages_once(work, [StaffMessage("NOTE_HANDED_IN", work.now, supervisor_id, note_id)])
    audit_chart_access(work, note, "note.submitted", **audit_details[note_id])
    return note, find_review_warnings(work, supervisor_id)


def find_review_warnings(work: Work, supervisor_id: UUID | None) -> list[str]:
    """Return a warning unless the supervisor still works in the practice as one."""
    supervisor = work.db.get(Staff, (work.tenant_id, supervisor_id)) if supervisor_id is not None else None
    is_active = supervisor is not None and is_active_supervisor(
        supervisor.roles, supervisor.left_on, local_today(work), deactivated=supervisor.deactivated_at is not None
    )
    return [] if is_active else [NO_REVIEWER]


def withdraw_note(work: Work, note_id: UUID) -> Note:
    """Withdraw the actor's own note, or its amendment or addendum, from review.

    A note of a locked session stays in review: nobody could write or submit it again.
    """
    locked = lock_own_note(work, note_id)
    note = locked.note
    if not is_in_review(locked):
        raise NotInReview("This note is not in review, so it cannot be withdrawn.")
    refuse_locked_session(work, locked)
    action = "note.withdrawn" if note.signed_at is None else "note.amendment_withdrawn"
    update_versioned(note, end_review(locked))
    audit_chart_access(work, note, action)
    return note


def return_note(work: Work, note_id: UUID, reason: str) -> tuple[Note, SessionLock | None]:
    """Return a note in review, or its amendment or addendum, to its author with a reason.

    A locked session is unlocked, so that the author can write the note; the unlock is returned too.
    """
    locked = lock_note(work, note_id)
    note = locked.note
    author = load_authors(work, [note.clinician_id])[note.clinician_id]
    if not is_supervisor(work, author):
        raise NotYourNote("Only the author's supervisor can return a note.")
    if not is_in_review(locked):
        raise NotInReview("This note is not in review, so it cannot be returned.")
    part = "note" if note.signed_at is None else "amendment"
    kind, action = f"{part.upper()}_RETURNED", "note.returned" if part == "note" else "note.amendment_returned"
    returns = parse_review_returns(work.unseal("notes", "return_reason", note.id, note.return_reason))
    returns.append(ReviewReturn(work.now, str(work.actor.staff_id), reason))
    update_versioned(
        note,
        {
            **end_review(locked),
            "returned_at": work.now,
            "returned_by_id": work.actor.staff_id,
            "return_reason": work.seal("notes", "return_reason", note.id, dump_review_returns(returns)),
        },
    )
    session = locked.session if note.type not in NO_SESSION_NOTES else None
    unlock = unlock_for_author(work, session) if session is not None else None
    queue_staff_messages_once(work, [StaffMessage(kind, work.now, note.clinician_id, note_id)])
    audit_chart_access(work, note, action)
    return note, unlock


def is_in_review(locked: LockedNote) -> bool:
    """Return whether the note, or an amendment or addendum of it, waits for the supervisor."""
    return locked.note.status == "IN_REVIEW" or locked.versions.in_review is not None


def end_review(locked: LockedNote) -> dict[str, Any]:
    """Return the changes that take a note out of review. A signed note stays as it was signed."""
    if locked.versions.in_review is not None:
        return {"version_in_review": None}
    return {"status": "DRAFT", "submitted_at": None}


# Who can sign what


def is_author(work: Work, locked: LockedNote) -> bool:
    return locked.note.clinician_id == work.actor.staff_id


def is_supervisor(work: Work, author: Author) -> bool:
    can_co_sign = find_scope(work.actor.roles, "notes", "co_sign") is not None
    return can_co_sign and author.supervisor_id is not None and author.supervisor_id == work.actor.staff_id


def find_refusals(work: Work, locked_notes: Mapping[UUID, LockedNote], step: Step) -> dict[UUID, Refusal]:
    """Return, by note, why it cannot be signed or submitted."""
    authors = load_authors(work, [locked.note.clinician_id for locked in locked_notes.values()])
    templates = load_templates(work, locked_notes.values())
    sessions = [
        locked.session
        for locked in locked_notes.values()
        if locked.session and locked.note.type not in NO_SESSION_NOTES
    ]
    locks = find_locked_sessions(work, sessions)
    refusals = {
        note_id: find_refusal(work, locked, step, authors[locked.note.clinician_id], templates[note_id], locks)
        for note_id, locked in locked_notes.items()
    }
    refused = {note_id: refusal for note_id, refusal in refusals.items() if refusal is not None}
    return refused | find_second_notes(
        work, [locked for note_id, locked in locked_notes.items() if note_id not in refused]
    )


def find_second_notes(work: Work, ready: Iterable[LockedNote]) -> dict[UUID, Refusal]:
    """Return a refusal for each note that would give a session two signed notes, one of them not by its clinician.

    The caller holds the row locks of the sessions.
    """
    firsts = [
        (locked, locked.session)
        for locked in ready
        if locked.session and locked.note.type not in NO_SESSION_NOTES and locked.note.signed_at is None
    ]
    authors = find_signed_authors(work, [session.id for _, session in firsts])
    refusals: dict[UUID, Refusal] = {}
    for locked, session in firsts:
        note, signed_by = locked.note, authors[session.id]
        if signed_by and signed_by | {note.clinician_id} != {session.clinician_id}:
            advice = "Void it, or mark it as entered in error if you have submitted it."
            if not is_author(work, locked):
                advice = "Return it to its author."
            refusals[note.id] = SessionSigned(
                f"This session already has a signed note, so this one is not signed. {advice} What is missing is added "
                "to the signed note."
            )
        else:
            signed_by.add(note.clinician_id)
    return refusals


def find_signed_authors(work: Work, session_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return, by session, the authors of its signed notes."""
    authors: dict[UUID, set[UUID]] = {session_id: set() for session_id in session_ids}
    query = select(Appointment.id, Note.clinician_id).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.id.in_(authors),
        *is_session_note(),
        Note.signed_at.is_not(None),
    )
    for session_id, author_id in work.db.execute(query) if authors else ():
        authors[session_id].add(author_id)
    return authors


def find_refusal(
    work: Work,
    locked: LockedNote,
    step: Step,
    author: Author,
    template: Collection[TemplateSection],
    locks: Mapping[UUID, LockState],
) -> Refusal | None:
    """Return why the note cannot be signed or submitted, or None."""
    note = locked.note
    if locked.is_contended:
        return Stale()
    if not is_author(work, locked) and not is_supervisor(work, author):
        return NotYourNote("This note belongs to another clinician. Only its author and their supervisor can sign it.")
    if note.entered_in_error_at is not None:
        return NoteEnteredInError()
    if locked.versions.in_review is not None:
        if not is_author(work, locked):
            return None  # its content was checked when it was submitted, and a signed session is not locked
        return NoteInReview("You have submitted a change of this note. Wait for your supervisor, or withdraw it.")
    if note.signed_at is not None:
        return NoteSigned("This note is already signed. Amend it, or add an addendum.")
    if is_author(work, locked):
        if note.status == "IN_REVIEW":
            return NoteInReview("You have submitted this note. Wait for your supervisor, or withdraw it.")
        if step == "submit" and author.supervisor_id is None:
            return NoSupervisor(
                "You have no supervisor to submit to. Sign the note, or ask an admin to set a supervisor."
            )
        if step == "sign" and author.reviewed:
            return ReviewNeeded("Your notes need your supervisor's review. Submit this note instead.")
    elif note.status != "IN_REVIEW":
        return NotInReview("This note has not been submitted. Its author has to submit it first.")
    problems = signing_problems(locked.versions.base.content, [section.key for section in template if section.required])
    if problems:
        return build_note_incomplete(problems)
    if locked.session is None or note.type in NO_SESSION_NOTES:
        return None
    if not has_begun(work, locked.session):
        return SessionNotHeld(
            "The session of this note has not taken place. Correct the appointment's status, link the note to another "
            "session, or mark it as entered in error."
        )
    return build_note_locked(locks[locked.session.id]) if locked.session.id in locks else None


def load_authors(work: Work, staff_ids: Iterable[UUID]) -> dict[UUID, Author]:
    """Return authors of notes by staff id."""
    hours = {setting.key: setting.value for setting in list_effective_settings(work)}
    query = select(Staff.id, Staff.license_type, Staff.supervisor_id).where(
        Staff.tenant_id == work.tenant_id, Staff.id.in_(set(staff_ids))
    )
    return {
        row.id: Author(row.supervisor_id, needs_review(row.license_type, row.supervisor_id is not None, hours))
        for row in work.db.execute(query)
    }


def load_templates(work: Work, locked_notes: Iterable[LockedNote]) -> dict[UUID, tuple[TemplateSection, ...]]:
    """Return, by note, the template that it began with."""
    keys = {locked.note.id: (locked.note.type, locked.service_id, locked.note.created_at) for locked in locked_notes}
    templates = find_templates(work, set(keys.values()))
    return {note_id: templates[key] for note_id, key in keys.items()}
