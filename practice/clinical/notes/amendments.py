"""Amendments and addenda of signed notes. The signed version and the time of signing never change."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.documents.content import generate_salt
from practice.clinical.documents.rules.content import Content, Section, content_problems, signing_problems
from practice.clinical.errors import NoteNotSigned, build_note_incomplete
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import build_content, load_template, lock_own_note
from practice.clinical.notes.locked_notes import LockedNote, seal_full_text, store_imported_versions
from practice.clinical.notes.signatures import NewSignature, store_signatures
from practice.clinical.notes.versions import Version, build_version, store_versions
from practice.errors import Invalid, Stale
from practice.security.work import Work
from practice.store.records import update_versioned

ADDENDUM = "addendum"  # the only section of an addendum


def amend_note(
    work: Work,
    note_id: UUID,
    version: int,
    *,
    sections: Mapping[str, str],
    diagnoses: Sequence[str] = (),
    reason: str,
) -> Note:
    """Replace the content of a signed note and sign the new version."""
    locked = lock_signed_note(work, note_id)
    if locked.note.version != version:
        raise Stale
    template = load_template(work, locked)
    content = build_content(template, sections, diagnoses, locked.base.content)
    problems = signing_problems(content, [section.key for section in template if section.required])
    if problems:
        raise build_note_incomplete(problems)
    store_imported_versions(work, [locked])
    locked.base = build_version(work, locked.last_number + 1, content, "AMENDMENT", reason=reason)
    return sign_new_version(work, locked, locked.base)


def add_addendum(work: Work, note_id: UUID, text: str, reason: str) -> Note:
    """Append text to a signed note and sign the addendum."""
    locked = lock_signed_note(work, note_id)
    content = Content((Section(ADDENDUM, "", text),), (), generate_salt())
    problems = content_problems(content, [ADDENDUM])
    if problems:
        raise Invalid(problems)
    store_imported_versions(work, [locked])
    addendum = build_version(work, locked.last_number + 1, content, "ADDENDUM", reason=reason)
    locked.addenda.append(addendum)
    return sign_new_version(work, locked, addendum)


def lock_signed_note(work: Work, note_id: UUID) -> LockedNote:
    """Lock the actor's own signed note, or raise NoteNotSigned."""
    locked = lock_own_note(work, note_id)
    if locked.note.signed_at is None:
        raise NoteNotSigned("This note is not signed yet. Edit the draft, then sign it.")
    return locked


def sign_new_version(work: Work, locked: LockedNote, version: Version) -> Note:
    """Store and sign an amendment or addendum, and set the note to AMENDED."""
    note = locked.note
    store_versions(work, [(note.id, version)])
    signature_details = store_signatures(work, [NewSignature(locked, version, version.kind)])
    update_versioned(note, {"status": "AMENDED", "text": seal_full_text(work, locked)})
    action = "note.amended" if version.kind == "AMENDMENT" else "note.added_to"
    audit_chart_access(work, note, action, **version.audit_details, **signature_details[note.id])
    return note
