"""Verbs about notes: begin one, save it, take a draft back, share a signed one with its client."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from practice.clinical.deadlines.locking import has_begun, lock_sessions, refuse_locked
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.clinical.documents.content import salt
from practice.clinical.documents.rules.content import AS_IT_CAME, Content, composed, content_problems, filled
from practice.clinical.documents.rules.templates import Place
from practice.clinical.documents.templates import template_for
from practice.clinical.errors import NoteInReview, NoteNotSigned, NoteSigned, NotYourNote
from practice.clinical.models.notes import NOTE_TYPES, Note
from practice.clinical.notes.locked_notes import Held, hold_one, keep_what_came, record, text_now
from practice.clinical.notes.versions import new_version, put_versions
from practice.errors import Invalid, Stale
from practice.people.access import is_within
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import apply


def create_note(
    work: Work,
    scope: Scope,
    *,
    client_id: UUID,
    type: str,
    appointment_id: UUID | None = None,
    sections: Mapping[str, str],
    diagnoses: Sequence[str] = (),
) -> Note:
    """A draft of the one who writes it, with its first version."""
    author = work.actor.staff_id
    if author is None:
        raise NotYourNote("Notes are written by clinicians.")
    problems = [] if type in NOTE_TYPES else ["type: there is no such type of note."]
    session = None
    if not is_within(work, scope, client_id):
        problems.append("client_id: there is no such client, or not one of yours.")
    elif appointment_id is not None:
        session = lock_sessions(work, [appointment_id]).get(appointment_id)
        problems += appointment_problems(work, session, client_id)
    if problems:
        raise Invalid(problems)
    places = template_for(work, type, session.service_id if session else None)
    content = content_of(places, sections, diagnoses)
    if session is not None and type not in NO_SESSION_NOTES:
        refuse_locked(work, [session])
    note = Note(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        clinician_id=author,
        appointment_id=appointment_id,
        type=type,
        created_at=work.now,
        status="DRAFT",
        version=1,
    )
    note.text = work.seal("notes", "text", note.id, composed(content, []))
    first = new_version(work, 1, content)
    work.db.add(note)
    put_versions(work, [(note.id, first)])
    about = {"type": type, "appointment_id": appointment_id and str(appointment_id)}
    record(work, "note.created", note, **about, **first.told)
    return note


def appointment_problems(work: Work, session: Appointment | None, client_id: UUID) -> list[str]:
    if session is None or (session.client_id, session.clinician_id) != (client_id, work.actor.staff_id):
        return ["appointment_id: you have no such appointment with this client."]
    return [] if has_begun(work, session) else ["appointment_id: this session has not taken place."]


def save_note(
    work: Work,
    note_id: UUID,
    version: int,
    *,
    sections: Mapping[str, str],
    diagnoses: Sequence[str] = (),
    generated: bool = False,
) -> Note:
    """A draft as it now stands, as a further version. The earlier ones stay."""
    held = hold_own(work, note_id)
    refuse_settled(held.note)
    if held.note.version != version:
        raise Stale
    content = content_of(places_of(work, held), sections, diagnoses, held.base.content)
    refuse_late(work, held)
    keep_what_came(work, [held])
    held.base = new_version(work, held.number + 1, content, generated=generated)
    put_versions(work, [(note_id, held.base)])
    apply(held.note, {"text": text_now(work, held)})
    record(work, "note.saved", held.note, **held.base.told)
    return held.note


def void_note(work: Work, note_id: UUID, reason: str) -> None:
    """Take back a draft that was never handed in or signed. It stays on record, with all its versions."""
    held = hold_own(work, note_id)
    refuse_settled(held.note)
    if held.signatures:
        raise NoteSigned("You have signed this note before, when you handed it in. It stays: finish it instead.")
    refuse_late(work, held)
    apply(held.note, {})
    work.void(held.note, reason)
    record(work, "note.voided", held.note, reason=reason)


def share_note(work: Work, note_id: UUID) -> Note:
    """From now on its client reads it through the portal, and what becomes of it."""
    note = hold_own(work, note_id).note
    if note.signed_at is None:
        raise NoteNotSigned("Only a signed note can be shared with its client. Sign it first.")
    if note.shared_at is None:
        apply(note, {"shared_at": work.now})
        record(work, "note.shared", note)
    return note


def unshare_note(work: Work, note_id: UUID) -> Note:
    note = hold_own(work, note_id).note
    if note.shared_at is not None:
        apply(note, {"shared_at": None})
        record(work, "note.unshared", note)
    return note


# What others build on


def hold_own(work: Work, note_id: UUID) -> Held:
    """For its author's changes."""
    held = hold_one(work, note_id)
    if held.note.clinician_id != work.actor.staff_id:
        raise NotYourNote("This note is another clinician's. Only its author changes it.")
    return held


def refuse_settled(note: Note) -> None:
    """Before a change of what only a draft lets change."""
    if note.signed_at is not None:
        raise NoteSigned("This note is signed and stays as it is. Amend it, or add to it.")
    if note.status == "IN_REVIEW":
        raise NoteInReview("This note is with your supervisor. Withdraw it before you change it.")


def refuse_late(work: Work, held: Held) -> None:
    if held.session is not None and held.note.type not in NO_SESSION_NOTES:
        refuse_locked(work, [held.session])


def places_of(work: Work, held: Held) -> tuple[Place, ...]:
    """A note is finished by the template that it was begun by."""
    return template_for(work, held.note.type, service_of(held), held.note.created_at)


def service_of(held: Held) -> UUID | None:
    return held.session.service_id if held.session else None


def content_of(
    places: Sequence[Place], sections: Mapping[str, str], diagnoses: Sequence[str], before: Content | None = None
) -> Content:
    """What was written, into the template's sections. What came in as one text can stay one."""
    titles = {place.key: place.title for place in places}
    if before is not None and [section.key for section in before.sections] == [AS_IT_CAME] == list(sections):
        titles = {AS_IT_CAME: ""}
    content = filled(titles, sections, diagnoses, salt())
    problems = content_problems(content, titles)
    if problems:
        raise Invalid(problems)
    return content
