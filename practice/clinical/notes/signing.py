"""Verbs about signatures: sign, hand in for review, return, co-sign, take back from review; many at once.

Whoever signs, signs what stands there now. Nobody signs another's note, and nobody co-signs their own.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update

from practice.clinical.deadlines.locking import locked_note, locked_sessions
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.clinical.documents.rules.content import signing_problems
from practice.clinical.documents.rules.templates import Place
from practice.clinical.documents.templates import templates_for
from practice.clinical.errors import (
    NoSupervisor,
    NoteInReview,
    NoteSigned,
    NotInReview,
    NotYourNote,
    ReviewNeeded,
    incomplete,
)
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import hold_own, service_of
from practice.clinical.notes.locked_notes import Held, hold, hold_one, keep_what_came, record
from practice.clinical.notes.review_returns import Return, returns_in, written_returns
from practice.clinical.notes.rules.signing import needs_review
from practice.clinical.notes.signatures import Signature, put_signatures
from practice.errors import NotFound, Refusal, Stale
from practice.messages.outbox import ToStaff, tell_staff_once
from practice.people.models.practices import Staff
from practice.people.settings import settings_in_force
from practice.security.permissions import scope_of
from practice.security.work import Work
from practice.store.records import apply

MOST_AT_ONCE = 200
Step = Literal["sign", "submit"]
ACTIONS = {"AUTHOR": "note.signed", "CO_SIGNATURE": "note.co_signed"}


@dataclass(frozen=True)
class Signed:
    """What became of one of several: signed, or why not."""

    note_id: UUID
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Author:
    """Who wrote a note: who supervises them, and whether their notes are reviewed."""

    supervisor_id: UUID | None
    reviewed: bool


def sign_note(work: Work, note_id: UUID, version: int | None = None) -> Note:
    """As its author, or as their supervisor, with whom it is in review. `version`: that they have read."""
    held = hold_one(work, note_id)
    if version is not None and held.note.version != version:
        raise Stale
    sign_held(work, {note_id: held})
    work.db.refresh(held.note)
    return held.note


def sign_many(work: Work, note_ids: Collection[UUID]) -> list[Signed]:
    """Each of them is signed or says why not. However many they are, the questions to the database are as many."""
    held = hold(work, note_ids)
    refused = sign_held(work, held, each=True)
    gone = NotFound()
    return [Signed(one, refused.get(one) if one in held else gone) for one in dict.fromkeys(note_ids)]


def sign_held(work: Work, held: Mapping[UUID, Held], *, each: bool = False) -> dict[UUID, Refusal]:
    """Sign those that can be signed. The others say why not, or, where it is not for `each`, nothing happens at all."""
    refused = refusals_of(work, held, "sign")
    if refused and not each:
        raise next(iter(refused.values()))
    ready = [one for note_id, one in held.items() if note_id not in refused]
    if not ready:
        return refused
    keep_what_came(work, ready)
    signatures = [Signature(one, one.base, "AUTHOR" if is_author(work, one) else "CO_SIGNATURE") for one in ready]
    told = put_signatures(work, signatures)
    signed = update(Note).where(Note.tenant_id == work.tenant_id, Note.id.in_([one.note.id for one in ready]))
    values = {"status": "SIGNED", "signed_at": work.now, "signed_by_id": work.actor.staff_id}
    work.db.execute(signed.values(**values, version=Note.version + 1), execution_options={"synchronize_session": False})
    for one in signatures:
        record(work, ACTIONS[one.kind], one.held.note, **told[one.held.note.id])
    return refused


def submit_note(work: Work, note_id: UUID, version: int | None = None) -> Note:
    """Hand it in, signed by its author, for the supervisor's co-signature."""
    held = hold_own(work, note_id)
    note = held.note
    if version is not None and note.version != version:
        raise Stale
    for refusal in refusals_of(work, {note_id: held}, "submit").values():
        raise refusal
    keep_what_came(work, [held])
    told = put_signatures(work, [Signature(held, held.base, "AUTHOR")])
    apply(note, {"status": "IN_REVIEW", "submitted_at": work.now})
    supervisor_id = authors_of(work, [held])[note.clinician_id].supervisor_id
    if supervisor_id is not None:
        tell_staff_once(work, [ToStaff("NOTE_HANDED_IN", work.now, supervisor_id, note_id)])
    record(work, "note.submitted", note, **told[note_id])
    return note


def withdraw_note(work: Work, note_id: UUID) -> Note:
    """Its author takes it back from review, to go on writing."""
    note = hold_own(work, note_id).note
    if note.status != "IN_REVIEW":
        raise NotInReview("This note is not in review, so there is nothing to withdraw.")
    apply(note, {"status": "DRAFT", "submitted_at": None})
    record(work, "note.withdrawn", note)
    return note


def return_note(work: Work, note_id: UUID, reason: str) -> Note:
    """The supervisor gives it back, and says what is to be done."""
    held = hold_one(work, note_id)
    note = held.note
    author = authors_of(work, [held])[note.clinician_id]
    if not is_supervisor(work, author):
        raise NotYourNote("Notes are returned by their author's supervisor.")
    if note.status != "IN_REVIEW":
        raise NotInReview("This note is not in review, so there is nothing to return.")
    returns = returns_in(work.unseal("notes", "return_reason", note.id, note.return_reason))
    returns.append(Return(work.now, str(work.actor.staff_id), reason))
    apply(
        note,
        {
            **{"status": "DRAFT", "submitted_at": None, "returned_at": work.now},
            "returned_by_id": work.actor.staff_id,
            "return_reason": work.seal("notes", "return_reason", note.id, written_returns(returns)),
        },
    )
    tell_staff_once(work, [ToStaff("NOTE_RETURNED", work.now, note.clinician_id, note_id)])
    record(work, "note.returned", note)
    return note


# Whether it can be signed


def is_author(work: Work, held: Held) -> bool:
    return held.note.clinician_id == work.actor.staff_id


def is_supervisor(work: Work, author: Author) -> bool:
    may = scope_of(work.actor.roles, "notes", "co_sign") is not None
    return may and author.supervisor_id is not None and author.supervisor_id == work.actor.staff_id


def refusals_of(work: Work, held: Mapping[UUID, Held], step: Step) -> dict[UUID, Refusal]:
    """By note, why it cannot be signed or handed in; of those that can be, nothing."""
    authors = authors_of(work, held.values())
    templates = templates_of(work, held.values())
    sessions = [one.session for one in held.values() if one.session and one.note.type not in NO_SESSION_NOTES]
    locked = locked_sessions(work, sessions)
    found = {
        note_id: refusal_of(work, one, step, authors[one.note.clinician_id], templates[note_id], locked)
        for note_id, one in held.items()
    }
    return {note_id: refusal for note_id, refusal in found.items() if refusal is not None}


def refusal_of(
    work: Work,
    held: Held,
    step: Step,
    author: Author,
    places: Collection[Place],
    locked: Mapping[UUID, datetime],
) -> Refusal | None:
    note = held.note
    if held.busy:
        return Stale()
    if not is_author(work, held) and not is_supervisor(work, author):
        return NotYourNote("This note is another clinician's. It is signed by its author, and by their supervisor.")
    if note.signed_at is not None:
        return NoteSigned("This note is signed already, and stays as it is. Amend it, or add to it.")
    if is_author(work, held):
        if note.status == "IN_REVIEW":
            return NoteInReview("You have handed this note in. It waits for your supervisor's signature.")
        if step == "submit" and author.supervisor_id is None:
            return NoSupervisor("You have no supervisor on record whom to hand it in to. Sign it, or ask an admin.")
        if step == "sign" and author.reviewed:
            return ReviewNeeded("Your notes are reviewed by your supervisor. Hand this one in instead.")
    elif note.status != "IN_REVIEW":
        return NotInReview("This note has not been handed in. Its author signs first.")
    problems = signing_problems(held.base.content, [place.key for place in places if place.required])
    if problems:
        return incomplete(problems)
    if held.session is not None and held.session.id in locked and note.type not in NO_SESSION_NOTES:
        return locked_note(locked[held.session.id])
    return None


def authors_of(work: Work, held: Iterable[Held]) -> dict[UUID, Author]:
    hours = {one.key: one.value for one in settings_in_force(work)}
    query = select(Staff.id, Staff.license_type, Staff.supervisor_id).where(
        Staff.tenant_id == work.tenant_id, Staff.id.in_({one.note.clinician_id for one in held})
    )
    return {
        row.id: Author(row.supervisor_id, needs_review(row.license_type, row.supervisor_id is not None, hours))
        for row in work.db.execute(query)
    }


def templates_of(work: Work, held: Iterable[Held]) -> dict[UUID, tuple[Place, ...]]:
    """By note, the template that it was begun by."""
    wanted = {one.note.id: (one.note.type, service_of(one), one.note.created_at) for one in held}
    found = templates_for(work, set(wanted.values()))
    return {note_id: found[one] for note_id, one in wanted.items()}
