"""Locks of sessions: whether a session is locked, unlocking it for some hours, and locking it by hand."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.clinical.deadlines.rules import NO_SESSION_NOTES, Lock, LockState, deadline_of, find_lock_state
from practice.clinical.deadlines.writers import is_writer_of
from practice.clinical.errors import NoteLocked, NoteSigned, NotLocked, OwnSession
from practice.clinical.models.notes import Note
from practice.clinical.models.session_locks import SessionLock
from practice.errors import FieldProblem, Invalid, NotFound
from practice.people.access import visible_staff
from practice.people.practice_time import zone_of
from practice.people.settings import get_setting
from practice.scheduling.appointments.lifecycle import lock_in_time_order
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id

RETURNED = "Its note was returned to its author. The reason is with the note."
NOT_BEGUN = FieldProblem("appointment_id", "This session has not begun. Use one that has.")


def lock_session_rows(
    work: Work, appointment_ids: Collection[UUID], *conditions: ColumnElement[bool], waiting: bool = True
) -> dict[UUID, Appointment]:
    """Lock the rows of the sessions, so that writing, signing, locking and unlocking of a session's note take turns.

    A transaction that already holds a note's row passes `waiting=False`, to take only free rows and never deadlock.
    """
    sessions = lock_in_time_order(work, appointment_ids, *conditions, waiting=waiting) if appointment_ids else []
    return {session.id: session for session in sessions}


def find_locked_sessions(work: Work, sessions: Collection[Appointment]) -> dict[UUID, LockState]:
    """Return since when and why the locked ones of the sessions are locked. The caller holds their row locks."""
    if not sessions:
        return {}
    zone = zone_of(work)
    locks = load_last_locks(work, [session.id for session in sessions])
    locked = {
        session.id: state
        for session in sessions
        if (state := find_lock_state(deadline_of(session.starts_at, zone), to_lock(locks.get(session.id)), work.now))
    }
    signed = find_signed_sessions(work, locked)
    return {session_id: state for session_id, state in locked.items() if session_id not in signed}


def is_note_locked(work: Work, session: Appointment) -> bool:
    """Return whether the session is locked and unsigned, so that its note cannot be written."""
    return session.id in find_locked_sessions(work, [session])


def load_last_locks(work: Work, appointment_ids: Collection[UUID]) -> dict[UUID, SessionLock]:
    """Return the latest lock or unlock of each session until now."""
    query = select(SessionLock).where(
        SessionLock.tenant_id == work.tenant_id,
        SessionLock.appointment_id.in_(appointment_ids),
        SessionLock.at <= work.now,
    )
    query = query.ext(distinct_on(SessionLock.appointment_id)).order_by(
        SessionLock.appointment_id, SessionLock.at.desc(), SessionLock.id.desc()
    )
    return {lock.appointment_id: lock for lock in work.db.scalars(query)}


def to_lock(lock: SessionLock | None) -> Lock | None:
    if lock is None:
        return None
    kind = "LOCKED" if lock.kind == "LOCKED" else "UNLOCKED"
    return Lock(kind, lock.at, lock.until, by_hand=lock.by_id is not None)


def is_session_note() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that join a note to its appointment as a session note."""
    return (
        Note.tenant_id == Appointment.tenant_id,
        Note.appointment_id == Appointment.id,
        Note.type.not_in(NO_SESSION_NOTES),
        Note.entered_in_error_at.is_(None),
    )


def has_signed_note() -> ColumnElement[bool]:
    """Return the condition for appointments with a signed session note."""
    return exists().where(*is_session_note(), Note.signed_at.is_not(None))


def find_signed_sessions(work: Work, appointment_ids: Collection[UUID]) -> set[UUID]:
    """Return sessions with a signed note."""
    query = select(Appointment.id).where(Appointment.tenant_id == work.tenant_id, Appointment.id.in_(appointment_ids))
    return set(work.db.scalars(query.where(has_signed_note()))) if appointment_ids else set()


def refuse_locked(work: Work, sessions: Collection[Appointment]) -> None:
    """Raise NoteLocked if one of the sessions is locked and unsigned. The caller holds their row locks."""
    for state in find_locked_sessions(work, sessions).values():
        raise build_note_locked(state)


LOCK_MESSAGES = {
    "DEADLINE": "The deadline for this session's note has passed without a signed note, so the session is locked.",
    "BY_HAND": "This session was locked by hand.",
}


def build_note_locked(state: LockState) -> NoteLocked:
    """Return the error for a locked session, which says by what it was locked."""
    return NoteLocked(
        f"{LOCK_MESSAGES[state.cause]} Ask a supervisor or an admin to unlock it.",
        locked_since=state.since.isoformat(),
        cause=state.cause,
    )


def is_session_signed(work: Work, appointment_id: UUID) -> bool:
    return bool(find_signed_sessions(work, [appointment_id]))


def is_session_locked(work: Work, session: Appointment) -> bool:
    """Return whether the session is locked, by its deadline or by hand, signed or not."""
    last = to_lock(load_last_locks(work, [session.id]).get(session.id))
    return find_lock_state(deadline_of(session.starts_at, zone_of(work)), last, work.now) is not None


def unlock_session(
    work: Work, scope: Scope, appointment_id: UUID, reason: str, hours: int | None = None
) -> SessionLock:
    """Unlock a session for some hours, so that its note can be written and signed. Signatures are never removed."""
    session = lock_session_row(work, scope, appointment_id)
    refuse_own_session(work, session)
    if is_session_signed(work, appointment_id):
        raise NoteSigned("This session is signed. Amend the note instead.")
    if not is_session_locked(work, session):
        raise NotLocked("This session is not locked: its note can be written and signed.")
    return add_unlock(work, session, reason, hours)


def unlock_for_author(work: Work, session: Appointment) -> SessionLock | None:
    """Unlock the session of a note that is returned to its author, or return None if it is not locked.

    The reason for the return is part of the chart, so the unlock refers to it. The caller holds the session's row lock.
    """
    if not is_note_locked(work, session):
        return None
    refuse_own_session(work, session)
    return add_unlock(work, session, RETURNED)


def refuse_own_session(work: Work, session: Appointment) -> None:
    """Raise OwnSession if the actor, not an admin, would unlock a session whose note they write."""
    if "admin" not in work.actor.roles and is_writer_of(work, session):
        if session.clinician_id == work.actor.staff_id:
            raise OwnSession("You cannot unlock your own session. Ask your supervisor or an admin.")
        raise OwnSession("You finish the notes of this clinician, who has left. Ask an admin to unlock the session.")


def add_unlock(work: Work, session: Appointment, reason: str, hours: int | None = None) -> SessionLock:
    """Unlock the session for some hours, by default as many as the practice has set."""
    until = work.now + timedelta(hours=hours or get_setting(work, "note_unlock_hours"))
    return add_lock(work, session, "UNLOCKED", reason, until)


def lock_session(work: Work, scope: Scope, appointment_id: UUID, reason: str) -> SessionLock:
    """Lock an unsigned session by hand, before its deadline or while it is unlocked."""
    session = lock_session_row(work, scope, appointment_id)
    if is_session_signed(work, appointment_id):
        raise NoteSigned("This session is signed, so it cannot be locked.")
    if is_session_locked(work, session):
        raise NoteLocked("This session is already locked.")
    return add_lock(work, session, "LOCKED", reason, None)


def lock_session_row(work: Work, scope: Scope, appointment_id: UUID) -> Appointment:
    """Lock the row of a visible session that has begun, or raise NotFound or Invalid."""
    session = lock_session_rows(work, [appointment_id], visible_staff(work, scope, Appointment.clinician_id)).get(
        appointment_id
    )
    if session is None:
        raise NotFound
    if not has_begun(work, session):
        raise Invalid([NOT_BEGUN])
    return session


def has_begun(work: Work, session: Appointment) -> bool:
    """Return whether the session has begun, maybe early, and was not canceled, moved or missed."""
    if session.status in ("IN_PROGRESS", "COMPLETED"):
        return True
    return session.starts_at <= work.now and session.status not in ("CANCELLED", "RESCHEDULED", "NO_SHOW")


def add_lock(work: Work, session: Appointment, kind: str, reason: str, until: datetime | None) -> SessionLock:
    """Add a lock or unlock and record it in the audit log."""
    lock = SessionLock(
        tenant_id=work.tenant_id,
        id=new_id(),
        appointment_id=session.id,
        kind=kind,
        at=work.now,
        until=until,
        by_id=work.actor.staff_id,
        account_id=work.actor.account_id,
    )
    lock.reason = work.seal("session_locks", "reason", lock.id, reason)
    work.db.add(lock)
    details = {"until": until.isoformat()} if until else {}
    work.record(f"session.{kind.lower()}", "appointment", session.id, **details)
    return lock
