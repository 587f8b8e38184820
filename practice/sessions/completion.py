"""Completing a session over all rooms at once: the appointment, that it counts for pay, and what was written about it;
and what can be done to it afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select

from practice.clinical.deadlines import locking
from practice.clinical.deadlines.locking import is_signed, lock_session_row, refuse_locked
from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.clinical.documents.templates import template_for
from practice.clinical.errors import NoteSigned
from practice.clinical.models.notes import Note
from practice.clinical.notes.drafts import create_note
from practice.clinical.notes.locked_notes import record
from practice.clinical.notes.signing import sign_note
from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.local_time import DAY, start_of_day
from practice.payroll import completions
from practice.payroll.completions import SessionPaid, SessionVoided, complete_session, is_paid, lock_completion
from practice.payroll.models import SessionCompletion
from practice.people.practice_time import zone_of
from practice.scheduling.appointments import lifecycle
from practice.scheduling.errors import WrongStatus
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope, require
from practice.security.work import Work
from practice.sessions.queries import Seen, find_session, seen
from practice.store.records import apply

MOST_DAYS = 31
NO_SUCH_NOTE = (
    "noteId: this clinician has no such note of this client. It has to be a session's, belong to no session yet, and "
    "not have been signed before this one began."
)


class NoteMissing(Refusal):
    code = "NOTE_MISSING"


@dataclass(frozen=True)
class Written:
    """A clinical note as it is begun."""

    type: str
    sections: Mapping[str, str] = field(default_factory=dict)
    diagnoses: Sequence[str] = ()


@dataclass(frozen=True)
class Done:
    """Whether a session's completion is there now, or why it is not."""

    appointment_id: UUID
    refusal: Refusal | None = None


def complete(
    work: Work,
    appointment_id: UUID,
    scope: Scope,
    actual_minutes: int | None = None,
    note: str | None = None,
    written: Written | None = None,
) -> Appointment:
    """The session took place: its price is fixed, it counts for pay, and its note is begun where one comes with it.
    All of it, or nothing."""
    writes = require(work.actor.roles, "notes", "write") if written else None
    appointment = lifecycle.complete(work, appointment_id, scope, actual_minutes, note)
    complete_session(work, appointment_id, scope)
    if written is not None and writes is not None:
        create_note(
            work,
            writes,
            client_id=appointment.client_id,
            type=written.type,
            appointment_id=appointment_id,
            sections=written.sections,
            diagnoses=written.diagnoses,
        )
    return appointment


def count_session(work: Work, scope: Scope, appointment_id: UUID) -> Seen:
    """That a completed appointment counts for pay. Asked again, the same."""
    complete_session(work, appointment_id, scope)
    return seen(work, [appointment_id])[0]


def count_sessions(
    work: Work, scope: Scope, *, appointment_ids: Sequence[UUID] | None = None, days: tuple[date, date] | None = None
) -> list[Done]:
    """Those with these ids, or of these days (both count). Each is done, now or before, or says why not."""
    span = {}
    if days is not None:
        first, last = days
        if not first <= last < first + MOST_DAYS * DAY:
            raise Invalid([f"Ask for one to {MOST_DAYS} days, the first one first."])
        zone = zone_of(work)
        span = {"since": start_of_day(first, zone), "until": start_of_day(last + DAY, zone)}
    found = completions.complete_sessions(work, scope, appointment_ids=appointment_ids, **span)
    why: dict[UUID, Refusal | None] = dict.fromkeys([*found.made, *found.there])
    why |= dict.fromkeys(found.voided, SessionVoided("The completion of this session is voided, and that is final."))
    why |= dict.fromkeys(found.not_completed, WrongStatus("This appointment is not completed."))
    if appointment_ids is None:
        return [Done(one, refusal) for one, refusal in why.items()]
    return [Done(one, why.get(one) if one in why else NotFound()) for one in dict.fromkeys(appointment_ids)]


def link_note(work: Work, scope: Scope, session_id: UUID, version: int, note_id: UUID) -> Seen:
    """The session's note is one that was written without an appointment. Not once the session is signed or paid, or
    while it is locked: a signature that comes with the note counts from when it was given."""
    session = lock_session_row(work, scope, session_id)
    query = select(SessionCompletion.version).where(
        SessionCompletion.tenant_id == work.tenant_id, SessionCompletion.id == session_id
    )
    if (work.db.scalar(query) or 0) != version:
        raise Stale
    completion = lock_completion(work, scope, session_id)
    if is_paid(work, session_id):
        raise SessionPaid("A closed week has paid this session, and what it rested on stays as it is.")
    if is_signed(work, session_id):
        raise NoteSigned("This session is signed already, and that signature counts.")
    refuse_locked(work, [session])
    free = select(Note).where(
        Note.tenant_id == work.tenant_id,
        Note.id == note_id,
        Note.client_id == session.client_id,
        Note.clinician_id == session.clinician_id,
        Note.appointment_id.is_(None),
        Note.voided_at.is_(None),
        Note.type.not_in(NO_SESSION_NOTES),
        or_(Note.signed_at.is_(None), Note.signed_at >= session.starts_at),
    )
    note = work.db.scalar(free.with_for_update(key_share=True))
    if note is None:
        raise Invalid([NO_SUCH_NOTE])
    if note.signed_at is None and by_own_template(work, note, session.service_id):
        raise Invalid(["noteId: sessions of this service have a template of their own, and this draft has another."])
    apply(note, {"appointment_id": session_id})
    apply(completion, {})
    record(work, "note.linked", note, appointment_id=str(session_id))
    work.record("session_completion.changed", "appointment", session_id, note_id=str(note_id))
    work.db.flush()
    return seen(work, [session_id])[0]


def by_own_template(work: Work, note: Note, service_id: UUID) -> bool:
    """Whether the service's notes were written by a template of its own when this one was begun."""
    own, usual = (template_for(work, note.type, service, note.created_at) for service in (service_id, None))
    return own != usual


def sign_session(work: Work, scope: Scope, session_id: UUID) -> Seen:
    """Sign the note of a session: as its author, or as the supervisor with whom it is in review."""
    find_session(work, scope, session_id)
    note = select(Note.id).where(
        Note.tenant_id == work.tenant_id,
        Note.appointment_id == session_id,
        Note.voided_at.is_(None),
        Note.type.not_in(NO_SESSION_NOTES),
    )
    first = (Note.signed_at.is_(None), Note.clinician_id == work.actor.staff_id, Note.status == "IN_REVIEW")
    note = note.order_by(*(condition.desc() for condition in first), Note.created_at.desc(), Note.id)
    found = work.db.scalar(note.limit(1))
    if found is None:
        raise NoteMissing("Nothing has been written about this session yet. Write its note first, then sign it.")
    sign_note(work, found)
    return seen(work, [session_id])[0]


def lock_session(work: Work, scope: Scope, session_id: UUID, reason: str) -> Seen:
    find_session(work, scope, session_id)
    locking.lock_session(work, scope, session_id, reason)
    work.db.flush()
    return seen(work, [session_id])[0]


def override_lock(work: Work, scope: Scope, session_id: UUID, reason: str, hours: int | None = None) -> Seen:
    """Unlock a session for a time."""
    find_session(work, scope, session_id)
    locking.unlock_session(work, scope, session_id, reason, hours)
    work.db.flush()
    return seen(work, [session_id])[0]
