"""Verbs about the locks of sessions: whether one is locked, unlocking it for a time, locking it by hand."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.clinical.deadlines.rules import NO_SESSION_NOTES, Lock, deadline_of, locked_since
from practice.clinical.errors import NoteLocked, NoteSigned, NotLocked, OwnSession
from practice.clinical.models.notes import Note
from practice.clinical.models.session_locks import SessionLock
from practice.errors import Invalid, NotFound
from practice.people.access import staff_within
from practice.people.practice_time import zone_of
from practice.people.settings import setting
from practice.scheduling.appointments.lifecycle import lock_in_order
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id


def lock_sessions(
    work: Work, appointment_ids: Collection[UUID], *theirs: ColumnElement[bool], waiting: bool = True
) -> dict[UUID, Appointment]:
    """Whoever writes to a session's note, signs it, locks it or unlocks it, waits here for whoever does so at the
    moment. Whoever has taken hold of a note already takes those that nobody else has, without waiting."""
    found = lock_in_order(work, appointment_ids, *theirs, waiting=waiting) if appointment_ids else []
    return {session.id: session for session in found}


def locked_sessions(work: Work, sessions: Collection[Appointment]) -> dict[UUID, datetime]:
    """Those of them that are locked, and since when. Their rows are locked by whoever asks, and will write."""
    if not sessions:
        return {}
    zone = zone_of(work)
    locks = last_locks(work, [session.id for session in sessions])
    late = {
        session.id: since
        for session in sessions
        if (since := locked_since(deadline_of(session.starts_at, zone), as_rule(locks.get(session.id)), work.now))
    }
    signed = signed_sessions(work, late)
    return {session_id: since for session_id, since in late.items() if session_id not in signed}


def last_locks(work: Work, appointment_ids: Collection[UUID]) -> dict[UUID, SessionLock]:
    """What was done last until now to the lock of each of these sessions, as far as anything was."""
    row = SessionLock
    query = select(row).where(
        row.tenant_id == work.tenant_id, row.appointment_id.in_(appointment_ids), row.at <= work.now
    )
    query = query.ext(distinct_on(row.appointment_id)).order_by(row.appointment_id, row.at.desc(), row.id.desc())
    return {lock.appointment_id: lock for lock in work.db.scalars(query)}


def as_rule(lock: SessionLock | None) -> Lock | None:
    return None if lock is None else Lock("LOCKED" if lock.kind == "LOCKED" else "UNLOCKED", lock.at, lock.until)


def of_session() -> tuple[ColumnElement[bool], ...]:
    """Conditions: a note is the appointment's, as a session's note."""
    return (
        Note.tenant_id == Appointment.tenant_id,
        Note.appointment_id == Appointment.id,
        Note.type.not_in(NO_SESSION_NOTES),
    )


def signed_session() -> ColumnElement[bool]:
    """A condition: one of the session's notes is signed."""
    return exists().where(*of_session(), Note.signed_at.is_not(None))


def signed_sessions(work: Work, appointment_ids: Collection[UUID]) -> set[UUID]:
    """Those of which a note is signed."""
    query = select(Appointment.id).where(Appointment.tenant_id == work.tenant_id, Appointment.id.in_(appointment_ids))
    return set(work.db.scalars(query.where(signed_session()))) if appointment_ids else set()


def refuse_locked(work: Work, sessions: Collection[Appointment]) -> None:
    """Before anything of an unsigned session's note is written. The sessions are locked as rows by whoever asks."""
    for since in locked_sessions(work, sessions).values():
        raise locked_note(since)


def locked_note(since: datetime) -> NoteLocked:
    return NoteLocked(
        "This session was not signed in time and is locked. Ask a supervisor or an admin to unlock it.",
        locked_since=since.isoformat(),
    )


def is_signed(work: Work, appointment_id: UUID) -> bool:
    return bool(signed_sessions(work, [appointment_id]))


def is_locked(work: Work, session: Appointment) -> bool:
    """By its deadline or by hand, signed or not."""
    last = as_rule(last_locks(work, [session.id]).get(session.id))
    return locked_since(deadline_of(session.starts_at, zone_of(work)), last, work.now) is not None


def unlock_session(
    work: Work, scope: Scope, appointment_id: UUID, reason: str, hours: int | None = None
) -> SessionLock:
    """The session can be written up and signed until a moment. No signature is ever removed by this."""
    session = lock_session_row(work, scope, appointment_id)
    if "admin" not in work.actor.roles and session.clinician_id == work.actor.staff_id:
        raise OwnSession("Your own session is unlocked by your supervisor, or by an admin.")
    if is_signed(work, appointment_id):
        raise NoteSigned("This session is signed. Signed notes are amended, not unlocked.")
    if not is_locked(work, session):
        raise NotLocked("This session is not locked: its note can be written and signed.")
    until = work.now + timedelta(hours=hours or setting(work, "note_unlock_hours"))
    return add_lock(work, session, "UNLOCKED", reason, until)


def lock_session(work: Work, scope: Scope, appointment_id: UUID, reason: str) -> SessionLock:
    """By hand, before its deadline or while it is unlocked."""
    session = lock_session_row(work, scope, appointment_id)
    if is_signed(work, appointment_id):
        raise NoteSigned("This session is signed, and there is nothing left to lock.")
    if is_locked(work, session):
        raise NoteLocked("This session is locked already.")
    return add_lock(work, session, "LOCKED", reason, None)


def lock_session_row(work: Work, scope: Scope, appointment_id: UUID) -> Appointment:
    """A session that has taken place, of somebody within reach."""
    session = lock_sessions(work, [appointment_id], staff_within(work, scope, Appointment.clinician_id)).get(
        appointment_id
    )
    if session is None:
        raise NotFound
    if not has_begun(work, session):
        raise Invalid(["appointment_id: this session has not taken place."])
    return session


def has_begun(work: Work, session: Appointment) -> bool:
    return session.starts_at <= work.now and session.status not in ("CANCELLED", "RESCHEDULED", "NO_SHOW")


def add_lock(work: Work, session: Appointment, kind: str, reason: str, until: datetime | None) -> SessionLock:
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
