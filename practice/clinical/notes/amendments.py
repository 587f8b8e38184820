"""Amendments and addenda of signed notes. The signed version and the time of signing never change.

A supervised clinician's amendment goes into review like the note itself: until the supervisor co-signs it, the note
stays as it was signed.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.documents.content import generate_salt
from practice.clinical.documents.rules.content import Content, Section, content_problems, signing_problems
from practice.clinical.errors import NoteInReview, NoteNotSigned, build_note_incomplete
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import build_content, load_template, lock_own_note
from practice.clinical.notes.locked_notes import LockedNote, seal_full_text, store_imported_versions
from practice.clinical.notes.signatures import NewSignature, store_signatures
from practice.clinical.notes.signing import load_authors
from practice.clinical.notes.versions import build_version, store_versions
from practice.errors import Invalid, Stale
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.security.work import Work
from practice.store.records import update_versioned

ADDENDUM = "addendum"  # the only section of an addendum
ACTIONS = {"AMENDMENT": "note.amended", "ADDENDUM": "note.added_to"}
SUBMIT_ACTIONS = {"AMENDMENT": "note.amendment_submitted", "ADDENDUM": "note.addendum_submitted"}


def amend_note(
    work: Work,
    note_id: UUID,
    version: int,
    *,
    sections: Mapping[str, str],
    diagnoses: Sequence[str] = (),
    reason: str,
) -> Note:
    """Replace the content of a signed note and sign the new version, or submit it to the supervisor."""
    locked = lock_signed_note(work, note_id)
    if locked.note.version != version:
        raise Stale
    template = load_template(work, locked)
    content = build_content(template, sections, diagnoses, locked.versions.base.content)
    problems = signing_problems(content, [section.key for section in template if section.required])
    if problems:
        raise build_note_incomplete(problems)
    return add_version(work, locked, content, "AMENDMENT", reason)


def add_addendum(work: Work, note_id: UUID, text: str, reason: str) -> Note:
    """Append text to a signed note and sign the addendum, or submit it to the supervisor."""
    locked = lock_signed_note(work, note_id)
    content = Content((Section(ADDENDUM, "", text),), (), generate_salt())
    problems = content_problems(content, [ADDENDUM])
    if problems:
        raise Invalid(problems)
    return add_version(work, locked, content, "ADDENDUM", reason)


def lock_signed_note(work: Work, note_id: UUID) -> LockedNote:
    """Lock the actor's own signed note, or raise NoteNotSigned or NoteInReview."""
    locked = lock_own_note(work, note_id)
    if locked.note.signed_at is None:
        raise NoteNotSigned("This note is not signed yet. Edit the draft, then sign it.")
    if locked.versions.in_review is not None:
        raise NoteInReview("A change of this note is in review. Wait for your supervisor, or withdraw it.")
    return locked


def add_version(work: Work, locked: LockedNote, content: Content, kind: str, reason: str) -> Note:
    """Store and sign an amendment or addendum. Without review it is in force from now on, and the note AMENDED."""
    note = locked.note
    author = load_authors(work, [note.clinician_id])[note.clinician_id]
    reviewer_id = author.supervisor_id if author.reviewed else None
    store_imported_versions(work, [locked])
    number = locked.versions.last_number + 1
    version = build_version(work, number, content, kind, reason=reason, needs_review=reviewer_id is not None)
    store_versions(work, [(note.id, version)])
    signature_details = store_signatures(work, [NewSignature(locked, version, kind)])
    if reviewer_id is None:
        locked.versions.put_in_force(version)
        update_versioned(note, {"status": "AMENDED", "text": seal_full_text(work, locked)})
    else:
        update_versioned(note, {"version_in_review": number})
        queue_staff_messages_once(work, [StaffMessage("AMENDMENT_HANDED_IN", work.now, reviewer_id, note.id)])
    action = (ACTIONS if reviewer_id is None else SUBMIT_ACTIONS)[kind]
    audit_chart_access(work, note, action, **version.audit_details, **signature_details[note.id])
    return note
