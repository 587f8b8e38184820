"""Verbs about supervision sessions: put on record, change, sign, void, read. A session of a group is a row for each.

Hours of a month, and who lacks some, are in `supervision_hours`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from practice.clinical.errors import NotYours
from practice.clinical.models.supervision import SupervisionSession
from practice.clinical.supervision.rules import Person, held_problems, session_problems, supervisor_problems
from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.local_time import date_of, start_of_day
from practice.people.access import staff_within
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply

TABLE = "supervision_sessions"

Row = SupervisionSession


class SupervisionSigned(Refusal):
    code = "SUPERVISION_SIGNED"


class SupervisionExists(Refusal):
    code = "SUPERVISION_EXISTS"


class NoteEmpty(Refusal):
    code = "NOTE_EMPTY"


@dataclass(frozen=True)
class Session:
    session: SupervisionSession
    note: str | None


@dataclass(frozen=True)
class Filters:
    """`since` and `until` are local dates, and both count."""

    supervisee_id: UUID | None = None
    supervisor_id: UUID | None = None
    since: date | None = None
    until: date | None = None
    signed: bool | None = None
    voided: bool = False


def list_sessions(work: Work, scope: Scope, asked: PageRequest, filters: Filters) -> Page:
    """Without their notes."""
    query = select(Row).where(Row.tenant_id == work.tenant_id, within(work, scope))
    zone = zone_of(work)
    if filters.supervisee_id is not None:
        query = query.where(Row.supervisee_id == filters.supervisee_id)
    if filters.supervisor_id is not None:
        query = query.where(Row.supervisor_id == filters.supervisor_id)
    if filters.since is not None:
        query = query.where(Row.held_at >= start_of_day(filters.since, zone))
    if filters.until is not None:
        query = query.where(Row.held_at < start_of_day(filters.until + timedelta(days=1), zone))
    if filters.signed is not None:
        query = query.where(Row.note_signed_at.is_not(None) if filters.signed else Row.note_signed_at.is_(None))
    if not filters.voided:
        query = query.where(Row.voided_at.is_(None))
    return page_of(work.db, query, asked, {"held_at": Row.held_at, "id": Row.id}, Row.id, "-held_at")


def get_session(work: Work, scope: Scope, session_id: UUID) -> Session:
    session = find(work, scope, session_id)
    work.record("supervision.read", "staff", session.supervisee_id, session_id=str(session_id))
    return Session(session, note_of(work, session))


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
    """A supervisor's own, with people of their team; an admin puts on record anybody's."""
    me = work.actor.staff_id
    supervisor_id = supervisor_id or me
    people = lock_people(work, scope, supervisee_ids)
    problems = session_problems(kind, supervisee_ids, people, supervisor_id, date_of(held_at, zone_of(work)))
    problems += supervisor_problems(find_person(work, supervisor_id)) + held_problems(held_at, work.now)
    if me in supervisee_ids and supervisor_id != me:
        problems.append("supervisee_ids: your own supervision is put on record by whoever held it.")
    if scope is not Scope.ALL and supervisor_id != me:
        problems.append("supervisor_id: you put on record what you held yourself.")
    if problems:
        raise Invalid(problems)
    refuse_twice(work, supervisee_ids, held_at)
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


def change_session(work: Work, scope: Scope, session_id: UUID, version: int, changes: dict[str, Any]) -> Session:
    """When it was, how long, what about, what its note says: until that is signed."""
    session = lock_session(work, scope, session_id)
    refuse_signed(session)
    if session.version != version:
        raise Stale
    if held_at := changes.get("held_at"):
        people = lock_people(work, Scope.ALL, [session.supervisee_id])
        held_on = date_of(held_at, zone_of(work))
        problems = session_problems(session.kind, [session.supervisee_id], people, session.supervisor_id, held_on)
        if problems := problems + held_problems(held_at, work.now):
            raise Invalid(problems)
        refuse_twice(work, [session.supervisee_id], held_at, session_id)
    after = dict(changes)
    if "note" in changes:
        after["note"] = work.seal(TABLE, "note", session_id, changes["note"])
    apply(session, after)
    about = {"session_id": str(session_id), "fields": sorted(changes)}
    work.record("supervision.changed", "staff", session.supervisee_id, **about)
    return Session(session, note_of(work, session))


def sign_session(work: Work, scope: Scope, session_id: UUID) -> Session:
    """By whoever held it. From here on it does not change."""
    session = lock_session(work, scope, session_id)
    if session.supervisor_id != work.actor.staff_id:
        raise NotYours("The note of a session is signed by whoever held it.")
    refuse_signed(session)
    note = note_of(work, session)
    if not (note or "").strip():
        raise NoteEmpty("There is nothing to sign. Write the note of the session first.")
    apply(session, {"note_signed_at": work.now})
    work.record("supervision.signed", "staff", session.supervisee_id, session_id=str(session_id))
    return Session(session, note)


def void_session(work: Work, scope: Scope, session_id: UUID, reason: str) -> None:
    """Its hours do not count any more."""
    session = lock_session(work, scope, session_id)
    work.void(session, reason)
    about = {"session_id": str(session_id), "reason": reason}
    work.record("supervision.voided", "staff", session.supervisee_id, **about)


# What stands behind them


def within(work: Work, scope: Scope) -> ColumnElement[bool]:
    """What somebody held, and what was held with them or with their team."""
    theirs = staff_within(work, scope, Row.supervisee_id)
    return theirs if scope is not Scope.TEAM else or_(theirs, Row.supervisor_id == work.actor.staff_id)


def find(work: Work, scope: Scope, session_id: UUID, *, lock: bool = False) -> SupervisionSession:
    query = select(Row).where(Row.tenant_id == work.tenant_id, Row.id == session_id, Row.voided_at.is_(None))
    query = query.where(within(work, scope))
    session = work.db.scalar(query.with_for_update(of=Row) if lock else query)
    if session is None:
        raise NotFound
    return session


def lock_session(work: Work, scope: Scope, session_id: UUID) -> SupervisionSession:
    """For a change, by whoever held it, or an admin. Of what was held with oneself nobody changes anything."""
    session = find(work, scope, session_id, lock=True)
    me = work.actor.staff_id
    if session.supervisor_id != me and (scope is not Scope.ALL or session.supervisee_id == me):
        raise NotYours("Somebody else held this session. Ask them, or an admin.")
    return session


def lock_people(work: Work, scope: Scope, staff_ids: Collection[UUID]) -> dict[UUID, Person]:
    """Of two who put the same hour on record for somebody the second waits here, and finds it there."""
    query = select(Staff).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(staff_ids))
    query = query.where(staff_within(work, scope, Staff.id)).order_by(Staff.id)
    return {staff.id: as_rule(staff) for staff in work.db.scalars(query.with_for_update(key_share=True))}


def find_person(work: Work, staff_id: UUID | None) -> Person | None:
    staff = None if staff_id is None else work.db.get(Staff, (work.tenant_id, staff_id))
    return None if staff is None else as_rule(staff)


def as_rule(staff: Staff) -> Person:
    return Person(staff.id, staff.roles, staff.license_type, staff.hired_on, staff.left_on, staff.supervisor_id)


def refuse_twice(work: Work, staff_ids: Collection[UUID], held_at: datetime, but: UUID | None = None) -> None:
    query = select(Row.id).where(
        *(Row.tenant_id == work.tenant_id, Row.supervisee_id.in_(staff_ids)),
        *(Row.held_at == held_at, Row.voided_at.is_(None)),
    )
    if work.db.scalar(query.where(Row.id != but) if but else query):
        raise SupervisionExists("A session of this moment is on record already, for one of them at least.")


def refuse_signed(session: SupervisionSession) -> None:
    if session.note_signed_at is not None:
        raise SupervisionSigned("The note of this session is signed, and the session stays as it is.")


def add_session(work: Work, note: str | None, **about: Any) -> SupervisionSession:
    session = SupervisionSession(tenant_id=work.tenant_id, id=new_id(), version=1, **about)
    session.note = work.seal(TABLE, "note", session.id, note)
    work.db.add(session)
    return session


def note_of(work: Work, session: SupervisionSession) -> str | None:
    return work.unseal(TABLE, "note", session.id, session.note)
