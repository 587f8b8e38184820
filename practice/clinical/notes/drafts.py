"""Creating, saving, voiding and sharing notes, and the checks that other changes of a note build on."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.deadlines.locking import NOT_BEGUN, has_begun, lock_session_rows, refuse_locked
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.clinical.deadlines.writers import can_write_about
from practice.clinical.documents.content import generate_salt
from practice.clinical.documents.rules.content import (
    IMPORTED_SECTION,
    Content,
    content_problems,
    fill_template,
    full_text,
)
from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.documents.templates import find_template
from practice.clinical.errors import NoteEnteredInError, NoteInReview, NoteNotSigned, NoteSigned, NotYourNote
from practice.clinical.models.notes import NOTE_TYPES, Note
from practice.clinical.notes.locked_notes import LockedNote, lock_note, seal_full_text, store_imported_versions
from practice.clinical.notes.versions import build_version, store_versions
from practice.errors import FieldProblem, Invalid, Stale
from practice.people.access import can_see_client
from practice.people.clients import REDACTED_PROBLEM, is_redacted
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import update_versioned


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
    """Create a draft by the actor with its first version."""
    author_id = work.actor.staff_id
    if author_id is None:
        raise NotYourNote("Only clinicians can write notes.")
    problems = [] if type in NOTE_TYPES else [FieldProblem("type", "There is no such type of note.")]
    session = None
    if appointment_id is not None:  # the note of an own session is due even when the chart is no longer open
        session = lock_session_rows(work, [appointment_id]).get(appointment_id)
        problems += appointment_problems(work, session, client_id)
    elif not can_see_client(work, scope, client_id):
        problems.append(FieldProblem("client_id", "There is no such client, or not one of yours."))
    elif is_redacted(work, client_id):
        problems.append(REDACTED_PROBLEM)
    if problems:
        raise Invalid(problems)
    template = find_template(work, type, session.service_id if session else None)
    content = build_content(template, sections, diagnoses)
    if session is not None and type not in NO_SESSION_NOTES:
        refuse_locked(work, [session])
    note = Note(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        clinician_id=author_id,
        appointment_id=appointment_id,
        type=type,
        created_at=work.now,
        status="DRAFT",
        version=1,
    )
    note.text = work.seal("notes", "text", note.id, full_text(content, []))
    first_version = build_version(work, 1, content)
    work.db.add(note)
    store_versions(work, [(note.id, first_version)])
    audit_chart_access(
        work,
        note,
        "note.created",
        type=type,
        appointment_id=appointment_id and str(appointment_id),
        **first_version.audit_details,
    )
    return note


def appointment_problems(work: Work, session: Appointment | None, client_id: UUID) -> list[FieldProblem]:
    """Return what prevents a note about the session: another client or clinician, or not begun yet."""
    if session is None or session.client_id != client_id or not can_write_about(work, session):
        return [FieldProblem("appointment_id", "You have no such appointment with this client.")]
    return [] if has_begun(work, session) else [NOT_BEGUN]


def save_note(
    work: Work,
    note_id: UUID,
    version: int,
    *,
    sections: Mapping[str, str],
    diagnoses: Sequence[str] = (),
    generated: bool = False,
) -> Note:
    """Store the content of a draft as a new version. Earlier versions stay."""
    locked = lock_own_note(work, note_id)
    refuse_unless_draft(locked.note)
    if locked.note.version != version:
        raise Stale
    versions = locked.versions
    content = build_content(load_template(work, locked), sections, diagnoses, versions.base.content)
    refuse_locked_session(work, locked)
    store_imported_versions(work, [locked])
    versions.base = build_version(work, versions.last_number + 1, content, generated=generated)
    store_versions(work, [(note_id, versions.base)])
    update_versioned(locked.note, {"text": seal_full_text(work, locked)})
    audit_chart_access(work, locked.note, "note.saved", **versions.base.audit_details)
    return locked.note


def void_note(work: Work, note_id: UUID, reason: str) -> None:
    """Void a draft that was never submitted or signed. The note and its versions stay in the database."""
    locked = lock_own_note(work, note_id)
    refuse_unless_draft(locked.note)
    if locked.signatures:
        raise NoteSigned(
            "You signed this note when you submitted it, so it cannot be voided. Finish it, or mark it as entered in "
            "error."
        )
    refuse_locked_session(work, locked)
    update_versioned(locked.note, {})
    work.void(locked.note, reason)
    audit_chart_access(work, locked.note, "note.voided")


def share_note(work: Work, note_id: UUID) -> Note:
    """Let the client read a signed note, including later amendments, in the portal."""
    note = lock_own_note(work, note_id).note
    if note.signed_at is None:
        raise NoteNotSigned("Only a signed note can be shared with its client. Sign it first.")
    if note.shared_at is None:
        update_versioned(note, {"shared_at": work.now})
        audit_chart_access(work, note, "note.shared")
    return note


def unshare_note(work: Work, note_id: UUID) -> Note:
    """Remove the note from the client's portal."""
    note = lock_own_note(work, note_id).note
    if note.shared_at is not None:
        update_versioned(note, {"shared_at": None})
        audit_chart_access(work, note, "note.unshared")
    return note


# Checks and building blocks


def lock_own_note(work: Work, note_id: UUID) -> LockedNote:
    """Lock a note for a change by its author, or raise NotYourNote or NoteEnteredInError."""
    locked = lock_note(work, note_id)
    if locked.note.clinician_id != work.actor.staff_id:
        raise NotYourNote("This note belongs to another clinician. Only its author can change it.")
    if locked.note.entered_in_error_at is not None:
        raise NoteEnteredInError
    return locked


def refuse_unless_draft(note: Note) -> None:
    """Raise NoteSigned or NoteInReview unless the note is a draft."""
    if note.signed_at is not None:
        raise NoteSigned("This note is signed and cannot be changed. Amend it, or add an addendum.")
    if note.status == "IN_REVIEW":
        raise NoteInReview("This note is in review. Withdraw it before you change it.")


def refuse_locked_session(work: Work, locked: LockedNote) -> None:
    """Raise NoteLocked if the note belongs to a locked session."""
    if locked.session is not None and locked.note.type not in NO_SESSION_NOTES:
        refuse_locked(work, [locked.session])


def load_template(work: Work, locked: LockedNote) -> tuple[TemplateSection, ...]:
    """Return the template that was in force when the note was created.

    A note is finished by the template it began with.
    """
    return find_template(work, locked.note.type, locked.service_id, locked.note.created_at)


def build_content(
    template: Sequence[TemplateSection],
    sections: Mapping[str, str],
    diagnoses: Sequence[str],
    previous: Content | None = None,
) -> Content:
    """Return the written sections filled into the template, or raise Invalid.

    An imported note that is one plain text may stay one.
    """
    titles = {section.key: section.title for section in template}
    if previous is not None and [section.key for section in previous.sections] == [IMPORTED_SECTION] == list(sections):
        titles = {IMPORTED_SECTION: ""}
    content = fill_template(titles, sections, diagnoses, generate_salt())
    problems = content_problems(content, titles)
    if problems:
        raise Invalid(problems)
    return content
