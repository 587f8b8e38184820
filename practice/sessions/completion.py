"""Services that complete a session (appointment, pay and note together) or later link, sign, lock or unlock it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select

from practice.clinical.chart_audit import audit_chart_access
from practice.clinical.deadlines import locking
from practice.clinical.deadlines.locking import is_session_signed, lock_session_row, refuse_locked
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.clinical.documents.templates import find_template
from practice.clinical.errors import NoteSigned
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import create_note
from practice.clinical.notes.signing import sign_note
from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.local_time import DAY, start_of_day
from practice.payroll.completions import (
    SessionPaid,
    SessionVoided,
    create_missing_completions,
    get_or_create_completion,
    is_paid,
    lock_completion,
    recount_completion,
    restore_completion,
)
from practice.payroll.models import SessionCompletion
from practice.people.practice_time import zone_of
from practice.scheduling.appointments import lifecycle
from practice.scheduling.errors import WrongStatus
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope, require
from practice.security.work import Work
from practice.sessions.queries import SessionView, load_views, require_session
from practice.store.records import update_versioned

MAX_DAYS = 31
NO_SUCH_NOTE = (
    "No matching note. Choose a session note by this clinician for this client that is not linked to a session "
    "and was not signed before this session began."
)


class NoteMissing(Refusal):
    """The session has no note to sign.

    Fix: write its note first.
    """

    code = "NOTE_MISSING"


@dataclass(frozen=True)
class NoteDraft:
    """The content of a new clinical note."""

    type: str
    sections: Mapping[str, str] = field(default_factory=dict)
    diagnoses: Sequence[str] = ()


@dataclass(frozen=True)
class BulkResult:
    """The outcome of a bulk request for one appointment: the refusal, or None if its completion exists."""

    appointment_id: UUID
    refusal: Refusal | None = None


def complete_session(
    work: Work,
    scope: Scope,
    appointment_id: UUID,
    actual_minutes: int | None = None,
    note: str | None = None,
    note_draft: NoteDraft | None = None,
    consent_override_reason: str | None = None,
) -> Appointment:
    """Complete an appointment, count it for pay and create its clinical note if one is given, all or nothing. The price
    is fixed from now on."""
    note_scope = require(work.actor.roles, "notes", "write") if note_draft else None
    appointment = lifecycle.complete(work, scope, appointment_id, actual_minutes, note, consent_override_reason)
    recount_completion(work, scope, appointment_id)
    if note_draft is not None and note_scope is not None:
        create_note(
            work,
            note_scope,
            client_id=appointment.client_id,
            type=note_draft.type,
            appointment_id=appointment_id,
            sections=note_draft.sections,
            diagnoses=note_draft.diagnoses,
        )
    return appointment


def ensure_completion(work: Work, scope: Scope, appointment_id: UUID) -> SessionView:
    """Count a completed appointment for pay, unless it counts already, and return its session."""
    get_or_create_completion(work, scope, appointment_id)
    return load_views(work, [appointment_id])[0]


def restore_session(work: Work, scope: Scope, session_id: UUID, reason: str) -> SessionView:
    """Undo the void of a session and return it."""
    restore_completion(work, scope, session_id, reason)
    return load_views(work, [session_id])[0]


def ensure_completions(
    work: Work, scope: Scope, *, appointment_ids: Sequence[UUID] | None = None, days: tuple[date, date] | None = None
) -> list[BulkResult]:
    """Count completed appointments for pay, by id or by days (inclusive), and return an outcome for each."""
    since = until = None
    if days is not None:
        first, last = days
        if not first <= last < first + MAX_DAYS * DAY:
            raise Invalid([FieldProblem("to", f"Invalid days: request 1 to {MAX_DAYS} days, the first day first.")])
        zone = zone_of(work)
        since, until = start_of_day(first, zone), start_of_day(last + DAY, zone)
    summary = create_missing_completions(work, scope, appointment_ids=appointment_ids, since=since, until=until)
    refusals: dict[UUID, Refusal | None] = dict.fromkeys([*summary.created, *summary.existing])
    refusals |= dict.fromkeys(summary.voided, SessionVoided())
    refusals |= dict.fromkeys(
        summary.not_completed, WrongStatus("This appointment is not completed. Complete it first.")
    )
    ids = refusals if appointment_ids is None else dict.fromkeys(appointment_ids)
    return [BulkResult(appointment_id, refusals.get(appointment_id, NotFound())) for appointment_id in ids]


def link_note(work: Work, scope: Scope, session_id: UUID, version: int, note_id: UUID) -> SessionView:
    """Link a note that was written without an appointment to a session. Refused once the session is signed, paid or
    locked, because a signature that the note already has counts from the moment it was given."""
    session = lock_session_row(work, scope, session_id)
    query = select(SessionCompletion.version).where(
        SessionCompletion.tenant_id == work.tenant_id, SessionCompletion.id == session_id
    )
    if (work.db.scalar(query) or 0) != version:
        raise Stale
    completion = lock_completion(work, scope, session_id)
    if is_paid(work, session_id):
        raise SessionPaid("A closed week has paid this session, so its note cannot change.")
    if is_session_signed(work, session_id):
        raise NoteSigned("This session already has a signed note. Amend that note instead.")
    refuse_locked(work, [session])
    linkable = select(Note).where(
        Note.tenant_id == work.tenant_id,
        Note.id == note_id,
        Note.client_id == session.client_id,
        Note.clinician_id == session.clinician_id,
        Note.appointment_id.is_(None),
        Note.voided_at.is_(None),
        Note.entered_in_error_at.is_(None),
        Note.type.not_in(NO_SESSION_NOTES),
        or_(Note.signed_at.is_(None), Note.signed_at >= session.starts_at),
    )
    note = work.db.scalar(linkable.with_for_update(key_share=True))
    if note is None:
        raise Invalid([FieldProblem("noteId", NO_SUCH_NOTE)])
    if note.signed_at is None and has_service_template(work, note, session.service_id):
        message = "This draft uses another template. Write a new note with the template of this service."
        raise Invalid([FieldProblem("noteId", message)])
    update_versioned(note, {"appointment_id": session_id})
    update_versioned(completion, {})
    audit_chart_access(work, note, "note.linked", appointment_id=str(session_id))
    work.record("session_completion.changed", "appointment", session_id, note_id=str(note_id))
    work.db.flush()
    return load_views(work, [session_id])[0]


def has_service_template(work: Work, note: Note, service_id: UUID) -> bool:
    """Return whether the service had its own template when the note was created."""
    own_template = find_template(work, note.type, service_id, note.created_at)
    return own_template != find_template(work, note.type, None, note.created_at)


def sign_session(work: Work, scope: Scope, session_id: UUID) -> SessionView:
    """Sign a session's note, as its author or as the supervisor who reviews it."""
    require_session(work, scope, session_id)
    query = select(Note.id).where(
        Note.tenant_id == work.tenant_id,
        Note.appointment_id == session_id,
        Note.voided_at.is_(None),
        Note.entered_in_error_at.is_(None),
        Note.type.not_in(NO_SESSION_NOTES),
    )
    query = query.order_by(
        Note.signed_at.is_(None).desc(),
        (Note.clinician_id == work.actor.staff_id).desc(),
        (Note.status == "IN_REVIEW").desc(),
        Note.created_at.desc(),
        Note.id,
    )
    note_id = work.db.scalar(query.limit(1))
    if note_id is None:
        raise NoteMissing("This session has no note yet. Write its note first, then sign it.")
    sign_note(work, note_id)
    return load_views(work, [session_id])[0]


def lock_session(work: Work, scope: Scope, session_id: UUID, reason: str) -> SessionView:
    require_session(work, scope, session_id)
    locking.lock_session(work, scope, session_id, reason)
    work.db.flush()
    return load_views(work, [session_id])[0]


def override_lock(work: Work, scope: Scope, session_id: UUID, reason: str, hours: int | None = None) -> SessionView:
    """Unlock a session for a number of hours, or for the practice's default."""
    require_session(work, scope, session_id)
    locking.unlock_session(work, scope, session_id, reason, hours)
    work.db.flush()
    return load_views(work, [session_id])[0]
