"""The page of one note: its sections by the template, what the reader may do, and what prevents a signature."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from practice.clinical.deadlines.locking import build_note_locked, find_locked_sessions, has_begun
from practice.clinical.deadlines.rules import NO_SESSION_NOTES, deadline_of
from practice.clinical.deadlines.writers import can_write_about
from practice.clinical.documents.rules.content import IMPORTED_SECTION, Content
from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.documents.templates import find_template
from practice.clinical.models.notes import NOTE_TYPES, Note
from practice.clinical.notes import signing
from practice.clinical.notes.queries import NoteView, is_readable, read_note
from practice.clinical.notes.signing import Author, find_signed_authors, load_authors
from practice.dashboards.words import format_moment
from practice.errors import NotFound
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work

SESSION_TYPES = tuple(type for type in NOTE_TYPES if type not in NO_SESSION_NOTES)
Step = str  # `write`, `sign`, `submit`, `withdraw`, `discard` or `add`


@dataclass(frozen=True)
class PadSection:
    """A section of the note, and what is missing while it is empty; nothing if it may be."""

    key: str
    title: str
    prompt: str
    text: str
    missing: str


@dataclass(frozen=True)
class NotePad:
    """Everything that the page shows."""

    client_id: UUID
    session: Appointment | None
    type: str
    types: Sequence[str]
    view: NoteView | None
    sections: Sequence[PadSection]
    diagnoses: Sequence[str]
    deadline: datetime | None
    may: Collection[Step]
    problems: Sequence[str]
    brief: Sequence[str]
    supervisor_id: UUID | None
    notes_begun: int


def load_note_pad(
    work: Work,
    scope: Scope,
    *,
    note_id: UUID | None = None,
    appointment_id: UUID | None = None,
    type: str | None = None,
) -> NotePad:
    """Return the page of a note, or of a session's note that may not be begun yet, and record the access.

    Raise NotFound for a note, or a session without one, that the actor may not know of.
    """
    if note_id is None and appointment_id is not None:
        note_id = find_note_of_session(work, scope, appointment_id)
    if note_id is not None:
        return open_note(work, read_note(work, scope, note_id))
    session = work.db.get(Appointment, (work.tenant_id, appointment_id)) if appointment_id else None
    is_writer = session is not None and can_write_about(work, session)
    if session is None or not (is_writer or is_in_team(work, scope, session)):
        raise NotFound
    work.record("client.read", "client", session.client_id, part="note pad")
    pad = open_new_note(work, session, type if type in SESSION_TYPES else SESSION_TYPES[0])
    return pad if is_writer else replace(pad, may=(), problems=())


def is_in_team(work: Work, scope: Scope, session: Appointment) -> bool:
    """Return whether the clinician of the session is within the scope, so that the actor may know of its note."""
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id == session.clinician_id)
    return work.db.scalar(query.where(visible_staff(work, scope, Staff.id))) is not None


def find_note_of_session(work: Work, scope: Scope, appointment_id: UUID) -> UUID | None:
    """Return the session's note that the actor may read, an own one first, or None."""
    query = select(Note.id).where(
        Note.tenant_id == work.tenant_id,
        Note.appointment_id == appointment_id,
        Note.type.not_in(NO_SESSION_NOTES),
        Note.voided_at.is_(None),
        Note.entered_in_error_at.is_(None),
        is_readable(work, scope),
    )
    is_own = Note.clinician_id == work.actor.staff_id
    return work.db.scalar(query.order_by(is_own.desc(), Note.created_at.desc(), Note.id).limit(1))


def open_new_note(work: Work, session: Appointment, type: str) -> NotePad:
    """Return the empty page of a session's note."""
    template = find_template(work, type, session.service_id)
    author = load_authors(work, [session.clinician_id])[session.clinician_id]
    problems = [] if has_begun(work, session) else ["This session has not begun. Its note can be written from then on."]
    problems += list_lock_problems(work, session, author)
    deadline = deadline_of(session.starts_at, zone_of(work))
    return NotePad(
        client_id=session.client_id,
        session=session,
        type=type,
        types=SESSION_TYPES,
        view=None,
        sections=build_sections(template, None),
        diagnoses=(),
        deadline=deadline,
        may=() if problems else ("write", choose_last_step(author)),
        problems=problems,
        brief=["Nothing is written yet.", describe_deadline(work, deadline)],
        supervisor_id=author.supervisor_id,
        notes_begun=count_notes(work, session.id),
    )


def open_note(work: Work, view: NoteView) -> NotePad:
    """Return the page of a note that exists."""
    note = view.note
    session = work.db.get(Appointment, (work.tenant_id, note.appointment_id)) if note.appointment_id else None
    due_session = session if note.type not in NO_SESSION_NOTES else None
    template = find_template(work, note.type, session.service_id if session else None, note.created_at)
    author = load_authors(work, [note.clinician_id])[note.clinician_id]
    is_draft = note.status == "DRAFT" and note.signed_at is None
    problems = list_session_problems(work, note, due_session) if is_draft else []
    is_unsigned = note.signed_at is None and note.entered_in_error_at is None
    locks = list_lock_problems(work, due_session, author) if is_unsigned and due_session is not None else []
    deadline = deadline_of(due_session.starts_at, zone_of(work)) if due_session is not None else None
    return NotePad(
        client_id=note.client_id,
        session=session,
        type=note.type,
        types=(),
        view=view,
        sections=build_sections(template, view.base.content),
        diagnoses=view.base.content.diagnoses,
        deadline=deadline,
        may=list_steps(work, view, author, is_locked=bool(locks)),
        problems=[*locks, *problems],
        brief=describe_note(work, view, author, deadline),
        supervisor_id=author.supervisor_id,
        notes_begun=0,
    )


def build_sections(template: Sequence[TemplateSection], content: Content | None) -> list[PadSection]:
    """Return the sections to fill in. A note that was imported as one plain text stays one."""
    if content is not None and [section.key for section in content.sections] == [IMPORTED_SECTION]:
        return [PadSection(IMPORTED_SECTION, "Text", "", content.sections[0].text, "The note is empty.")]
    texts = {section.key: section.text for section in content.sections} if content is not None else {}
    return [
        PadSection(
            section.key,
            section.title,
            section.prompt,
            texts.get(section.key, ""),
            f"{section.title} is empty." if section.required else "",
        )
        for section in template
    ]


def list_steps(work: Work, view: NoteView, author: Author, *, is_locked: bool) -> list[Step]:
    """Return what the actor may do with a note: only its author does something here."""
    note = view.note
    if note.clinician_id != work.actor.staff_id or note.entered_in_error_at is not None:
        return []
    if find_scope(work.actor.roles, "notes", "write") is None:
        return []
    if note.status == "IN_REVIEW" or note.version_in_review is not None:
        return [] if is_locked else ["withdraw"]
    if note.signed_at is not None:
        return ["add"]
    if is_locked:
        return []
    return ["write", choose_last_step(author), *([] if view.signatures else ["discard"])]


def choose_last_step(author: Author) -> signing.Step:
    return "submit" if author.reviewed else "sign"


def list_lock_problems(work: Work, session: Appointment, author: Author) -> list[str]:
    """Return why the session's note cannot be written now, and who unlocks it."""
    return [
        f"{build_note_locked(state).message}{name_supervisor(work, author)}"
        for state in find_locked_sessions(work, [session]).values()
    ]


def name_supervisor(work: Work, author: Author) -> str:
    supervisor = work.db.get(Staff, (work.tenant_id, author.supervisor_id)) if author.supervisor_id else None
    return f" The supervisor is {supervisor.first_name} {supervisor.last_name}." if supervisor else ""


def list_session_problems(work: Work, note: Note, session: Appointment | None) -> list[str]:
    """Return why the session prevents a signature: it did not take place, or another author's note is signed."""
    if session is None:
        return []
    if not has_begun(work, session):
        return ["The session of this note has not taken place. Correct the status of the visit first."]
    signed_by = find_signed_authors(work, [session.id])[session.id]
    if signed_by and signed_by | {note.clinician_id} != {session.clinician_id}:
        return ["This session already has a signed note, so this one cannot be signed. Void it."]
    return []


def describe_note(work: Work, view: NoteView, author: Author, deadline: datetime | None) -> list[str]:
    """Return one to three sentences: the state of the note, and what comes next."""
    note, zone = view.note, zone_of(work)
    if note.entered_in_error_at is not None:
        return ["This note was entered in error and does not count."]
    if note.signed_at is not None:
        sentences = [f"Signed on {format_moment(note.signed_at, zone)}. It can no longer be changed."]
        if note.version_in_review is not None and view.with_drafts:
            sentences.append(f"A change of it waits for the supervisor's signature.{name_supervisor(work, author)}")
        return sentences
    if note.status == "IN_REVIEW":
        return [f"This note waits for the supervisor's signature.{name_supervisor(work, author)}"]
    saved = f"A draft, saved on {format_moment(view.base.written_at, zone)}."
    return [saved, *([describe_deadline(work, deadline)] if deadline else [])]


def describe_deadline(work: Work, deadline: datetime) -> str:
    """Return by when the note is due."""
    moment = format_moment(deadline, zone_of(work))
    return f"Sign it before {moment}." if work.now < deadline else f"It was due before {moment}."


def count_notes(work: Work, appointment_id: UUID) -> int:
    """Return how many notes were ever begun about the session, voided ones included."""
    query = select(func.count()).where(Note.tenant_id == work.tenant_id, Note.appointment_id == appointment_id)
    return work.db.scalar(query) or 0
