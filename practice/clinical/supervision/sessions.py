"""Supervision sessions: record, change, sign, void and read. A group session is one row per supervisee.

`hours.py` computes the hours of a month.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Interval, literal, or_, select

from practice.clinical.errors import NotYours
from practice.clinical.models.supervision import SupervisionSession
from practice.clinical.supervision.rules import Person, end_of, held_at_problems, session_problems, supervisor_problems
from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.local_time import date_of, start_of_day
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned

TABLE = "supervision_sessions"


class SupervisionSigned(Refusal):
    """The note of the supervision session is signed, so the session cannot be changed.

    Fix: void it, and record a new one.
    """

    code = "SUPERVISION_SIGNED"


class SupervisionExists(Refusal):
    """Another supervision session of a supervisee, or an individual one of the supervisor, overlaps this one.

    Fix: choose another time, or change that session.
    """

    code = "SUPERVISION_EXISTS"


class NoteEmpty(Refusal):
    """The supervision session has no note to sign.

    Fix: write its note first.
    """

    code = "NOTE_EMPTY"


@dataclass(frozen=True)
class SupervisionView:
    """A supervision session with its decrypted note."""

    session: SupervisionSession
    note: str | None


@dataclass(frozen=True)
class Filters:
    """Filters of a list of sessions. `since` and `until` are local dates, both inclusive."""

    supervisee_id: UUID | None = None
    supervisor_id: UUID | None = None
    since: date | None = None
    until: date | None = None
    signed: bool | None = None
    voided: bool = False


def list_sessions(work: Work, scope: Scope, page_request: PageRequest, filters: Filters) -> Page:
    """Return a page of sessions without their notes."""
    query = select(SupervisionSession).where(SupervisionSession.tenant_id == work.tenant_id, is_readable(work, scope))
    zone = zone_of(work)
    if filters.supervisee_id is not None:
        query = query.where(SupervisionSession.supervisee_id == filters.supervisee_id)
    if filters.supervisor_id is not None:
        query = query.where(SupervisionSession.supervisor_id == filters.supervisor_id)
    if filters.since is not None:
        query = query.where(SupervisionSession.held_at >= start_of_day(filters.since, zone))
    if filters.until is not None:
        query = query.where(SupervisionSession.held_at < start_of_day(filters.until + timedelta(days=1), zone))
    if filters.signed is not None:
        query = query.where(
            SupervisionSession.note_signed_at.is_not(None)
            if filters.signed
            else SupervisionSession.note_signed_at.is_(None)
        )
    if not filters.voided:
        query = query.where(SupervisionSession.voided_at.is_(None))
    return fetch_page(
        work.db,
        query,
        page_request,
        {"held_at": SupervisionSession.held_at, "id": SupervisionSession.id},
        SupervisionSession.id,
        "-held_at",
    )


def get_session(work: Work, scope: Scope, session_id: UUID) -> SupervisionView:
    """Return a session with its note and record the access in the audit log."""
    session = find_session(work, scope, session_id)
    work.record("supervision.read", "staff", session.supervisee_id, session_id=str(session_id))
    return SupervisionView(session, unseal_note(work, session))


def record_sessions(
    work: Work,
    scope: Scope,
    *,
    supervisee_ids: Sequence[UUID],
    kind: str,
    held_at: datetime,
    hours: Decimal,
    topics: Sequence[str] = (),
    note: str | None = None,
    supervisor_id: UUID | None = None,
) -> list[SupervisionSession]:
    """Record a session held by the actor with their team, or by any supervisor if the actor is an admin."""
    me = work.actor.staff_id
    supervisor_id = supervisor_id or me
    people = lock_staff(work, scope, [*supervisee_ids, *([supervisor_id] if supervisor_id else [])])
    problems = session_problems(kind, supervisee_ids, people, supervisor_id, date_of(held_at, zone_of(work)))
    problems += supervisor_problems(find_person(work, supervisor_id))
    problems += held_at_problems(held_at, hours, work.now)
    if me in supervisee_ids and supervisor_id != me:
        message = "Your own supervision is recorded by the supervisor who held it."
        problems.append(FieldProblem("supervisee_ids", message))
    if scope is not Scope.ALL and supervisor_id != me:
        problems.append(FieldProblem("supervisor_id", "You can only record sessions that you held yourself."))
    if problems:
        raise Invalid(problems)
    refuse_overlap(work, kind, supervisee_ids, supervisor_id, held_at, hours)
    sessions = [
        add_session(
            work,
            note,
            supervisee_id=staff_id,
            supervisor_id=supervisor_id,
            held_at=held_at,
            hours=hours,
            kind=kind,
            topics=list(topics),
        )
        for staff_id in supervisee_ids
    ]
    for session in sessions:
        work.record("supervision.recorded", "staff", session.supervisee_id, session_id=str(session.id), kind=kind)
    return sessions


def change_session(
    work: Work, scope: Scope, session_id: UUID, version: int, changes: dict[str, Any]
) -> SupervisionView:
    """Change an unsigned session."""
    session = lock_editable_session(work, scope, session_id)
    refuse_signed(session)
    if session.version != version:
        raise Stale
    if not changes.keys().isdisjoint(("held_at", "hours")):
        refuse_time(work, session, *(changes.get(name, getattr(session, name)) for name in ("held_at", "hours")))
    values = dict(changes)
    if "note" in changes:
        values["note"] = work.seal(TABLE, "note", session_id, changes["note"])
    update_versioned(session, values)
    work.record(
        "supervision.changed", "staff", session.supervisee_id, session_id=str(session_id), fields=sorted(changes)
    )
    return SupervisionView(session, unseal_note(work, session))


def sign_session(work: Work, scope: Scope, session_id: UUID) -> SupervisionView:
    """Sign the note of a session as the supervisor who held it. Signed sessions cannot be changed."""
    session = lock_editable_session(work, scope, session_id)
    if session.supervisor_id != work.actor.staff_id:
        raise NotYours("Only the supervisor who held the session can sign its note.")
    refuse_signed(session)
    note = unseal_note(work, session)
    if not (note or "").strip():
        raise NoteEmpty("There is nothing to sign. Write the note of the session first.")
    update_versioned(session, {"note_signed_at": work.now})
    work.record("supervision.signed", "staff", session.supervisee_id, session_id=str(session_id))
    return SupervisionView(session, note)


def void_session(work: Work, scope: Scope, session_id: UUID, reason: str) -> None:
    """Void a session, so that its hours no longer count."""
    session = lock_editable_session(work, scope, session_id)
    work.void(session, reason)
    work.record("supervision.voided", "staff", session.supervisee_id, session_id=str(session_id), reason=reason)


# Loading, locking and checks


def is_readable(work: Work, scope: Scope) -> ColumnElement[bool]:
    """Return the condition for sessions that the actor or their team attended, or that the actor held."""
    attended = visible_staff(work, scope, SupervisionSession.supervisee_id)
    if scope is not Scope.TEAM:
        return attended
    return or_(attended, SupervisionSession.supervisor_id == work.actor.staff_id)


def find_session(work: Work, scope: Scope, session_id: UUID, *, lock: bool = False) -> SupervisionSession:
    """Return a readable session that is not voided, or raise NotFound."""
    query = select(SupervisionSession).where(
        SupervisionSession.tenant_id == work.tenant_id,
        SupervisionSession.id == session_id,
        SupervisionSession.voided_at.is_(None),
    )
    query = query.where(is_readable(work, scope))
    session = work.db.scalar(query.with_for_update(of=SupervisionSession) if lock else query)
    if session is None:
        raise NotFound
    return session


def lock_editable_session(work: Work, scope: Scope, session_id: UUID) -> SupervisionSession:
    """Lock a session for a change by its supervisor or an admin. Supervisees cannot change their own sessions."""
    session = find_session(work, scope, session_id, lock=True)
    me = work.actor.staff_id
    if session.supervisor_id != me and (scope is not Scope.ALL or session.supervisee_id == me):
        raise NotYours("This session was held by somebody else. Ask them or an admin to change it.")
    return session


def lock_staff(work: Work, scope: Scope, staff_ids: Collection[UUID]) -> dict[UUID, Person]:
    """Lock visible staff in id order, so that concurrent recordings of one session find each other's rows."""
    query = select(Staff).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(staff_ids))
    query = query.where(visible_staff(work, scope, Staff.id)).order_by(Staff.id)
    return {staff.id: to_person(staff) for staff in work.db.scalars(query.with_for_update(key_share=True))}


def find_person(work: Work, staff_id: UUID | None) -> Person | None:
    staff = None if staff_id is None else work.db.get(Staff, (work.tenant_id, staff_id))
    return None if staff is None else to_person(staff)


def to_person(staff: Staff) -> Person:
    return Person(staff.id, staff.roles, staff.license_type, staff.hired_on, staff.left_on, staff.supervisor_id)


def refuse_time(work: Work, session: SupervisionSession, held_at: datetime, hours: Decimal) -> None:
    """Raise Invalid or SupervisionExists if the session cannot have been held at this time."""
    people = lock_staff(work, Scope.ALL, [session.supervisee_id, session.supervisor_id])
    held_on = date_of(held_at, zone_of(work))
    problems = session_problems(session.kind, [session.supervisee_id], people, session.supervisor_id, held_on)
    if problems := problems + held_at_problems(held_at, hours, work.now):
        raise Invalid(problems)
    refuse_overlap(
        work, session.kind, [session.supervisee_id], session.supervisor_id, held_at, hours, excluded_id=session.id
    )


def refuse_overlap(
    work: Work,
    kind: str,
    supervisee_ids: Collection[UUID],
    supervisor_id: UUID | None,
    held_at: datetime,
    hours: Decimal,
    *,
    excluded_id: UUID | None = None,
) -> None:
    """Raise SupervisionExists if a session in these hours stands against this one: no hour counts twice.

    That is any session of a supervisee, and one of the supervisor if it or this one is individual. The rows of a group
    are sessions of one supervisor at one time, and each can be corrected alone.
    """
    ends_at = SupervisionSession.held_at + SupervisionSession.hours * literal(timedelta(hours=1), Interval)
    of_supervisor = SupervisionSession.supervisor_id == supervisor_id
    if kind != "INDIVIDUAL":
        of_supervisor &= SupervisionSession.kind == "INDIVIDUAL"
    of_supervisee = SupervisionSession.supervisee_id.in_(supervisee_ids)
    query = select(SupervisionSession.supervisee_id).where(
        SupervisionSession.tenant_id == work.tenant_id,
        or_(of_supervisee, of_supervisor),
        SupervisionSession.held_at < end_of(held_at, hours),
        ends_at > held_at,
        SupervisionSession.voided_at.is_(None),
    )
    if excluded_id is not None:
        query = query.where(SupervisionSession.id != excluded_id)
    overlapping = set(work.db.scalars(query))
    if not overlapping.isdisjoint(supervisee_ids):
        raise SupervisionExists(
            "One of these supervisees already has a session that overlaps this one. Check the time and the hours."
        )
    if overlapping:
        raise SupervisionExists(
            "The supervisor already has a session that overlaps this one, and one of the two is individual. "
            "Check the time and the hours."
        )


def refuse_signed(session: SupervisionSession) -> None:
    """Raise SupervisionSigned if the session's note is signed."""
    if session.note_signed_at is not None:
        raise SupervisionSigned("The note of this session is signed, so the session cannot be changed.")


def add_session(work: Work, note: str | None, **columns: Any) -> SupervisionSession:
    """Add a session with its encrypted note and return it."""
    session = SupervisionSession(tenant_id=work.tenant_id, id=new_id(), version=1, **columns)
    session.note = work.seal(TABLE, "note", session.id, note)
    work.db.add(session)
    return session


def unseal_note(work: Work, session: SupervisionSession) -> str | None:
    return work.unseal(TABLE, "note", session.id, session.note)
