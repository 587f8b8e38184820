"""Verbs about signed notes: another content, or an addition. What was signed stays, and so does when it was signed."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from practice.clinical.documents.content import salt
from practice.clinical.documents.rules.content import Content, Section, content_problems, signing_problems
from practice.clinical.errors import NoteNotSigned, incomplete
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import content_of, hold_own, places_of
from practice.clinical.notes.locked_notes import Held, keep_what_came, record, text_now
from practice.clinical.notes.signatures import Signature, put_signatures
from practice.clinical.notes.versions import Version, new_version, put_versions
from practice.errors import Invalid, Stale
from practice.security.work import Work
from practice.store.records import apply

ADDENDUM = "addendum"  # the one section of what is added to a note


def amend_note(
    work: Work,
    note_id: UUID,
    version: int,
    *,
    sections: Mapping[str, str],
    diagnoses: Sequence[str] = (),
    reason: str,
) -> Note:
    """The note says something else from now on, under a signature of its own."""
    held = hold_signed(work, note_id)
    if held.note.version != version:
        raise Stale
    places = places_of(work, held)
    content = content_of(places, sections, diagnoses, held.base.content)
    problems = signing_problems(content, [place.key for place in places if place.required])
    if problems:
        raise incomplete(problems)
    keep_what_came(work, [held])
    held.base = new_version(work, held.number + 1, content, "AMENDMENT", reason=reason)
    return signed_again(work, held, held.base)


def add_addendum(work: Work, note_id: UUID, text: str, reason: str) -> Note:
    """Something is added below what the note says, under a signature of its own."""
    held = hold_signed(work, note_id)
    content = Content((Section(ADDENDUM, "", text),), (), salt())
    problems = content_problems(content, [ADDENDUM])
    if problems:
        raise Invalid(problems)
    keep_what_came(work, [held])
    addendum = new_version(work, held.number + 1, content, "ADDENDUM", reason=reason)
    held.addenda.append(addendum)
    return signed_again(work, held, addendum)


def hold_signed(work: Work, note_id: UUID) -> Held:
    held = hold_own(work, note_id)
    if held.note.signed_at is None:
        raise NoteNotSigned("This note is not signed yet. Save it as it should be, then sign it.")
    return held


def signed_again(work: Work, held: Held, version: Version) -> Note:
    note = held.note
    put_versions(work, [(note.id, version)])
    told = put_signatures(work, [Signature(held, version, version.kind)])
    apply(note, {"status": "AMENDED", "text": text_now(work, held)})
    action = "note.amended" if version.kind == "AMENDMENT" else "note.added_to"
    record(work, action, note, **version.told, **told[note.id])
    return note
