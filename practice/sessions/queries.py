"""Queries for completed sessions, each with its appointment, note, lock, pay and latest override.

A session here is a completed appointment, with or without a completion record. Lists are pages of appointments; the
other values are loaded for the whole page in one statement.
"""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, text

from practice.clinical.deadlines.late_notes import load_lateness_days
from practice.clinical.deadlines.rules import (
    NO_SESSION_NOTES,
    Lateness,
    LatenessDays,
    Lock,
    LockState,
    compute_lateness,
    deadline_of,
    find_lock_state,
)
from practice.clinical.models.session_locks import SessionLock
from practice.errors import FieldProblem, Invalid, NotFound
from practice.local_time import WEEK, date_of, open_week, start_of_day
from practice.payroll.completions import SessionValue, has_payment, load_session_values
from practice.payroll.models import SessionCompletion
from practice.payroll.rules import find_week_problem
from practice.people.access import find_shown_client, visible_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.scheduling.appointments.affected import MAX_LISTED, NONE, AffectedVisits
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, fetch_page

IS_SIGNED = Appointment.note_signed_at.is_not(None)  # by an index: few of a long history are unsigned
SORTABLE = {"sessionDate": Appointment.starts_at, "id": Appointment.id}

# Each part is looked up by the session's id, so the cost depends on the number of sessions and not on the history.
SESSIONS_SQL = text("""
    select
        a.id, a.clinician_id, a.client_id, a.starts_at, a.ends_at, coalesce(c.kind, v.kind) as kind,
        coalesce(c.version, 0) as version, c.void_reason, n.id as note_id, n.status as note_status,
        n.version as note_version, n.signed_at,
        l.id as lock_id, l.kind as lock_kind, l.at as lock_at, l.until as lock_until, l.by_id as lock_by,
        l.reason as lock_reason,
        u.id as override_id, u.by_id as override_by, u.at as override_at, u.until as override_until,
        u.reason as override_reason, coalesce(u.overrides, 0) as overrides
    from unnest(cast(:ids as uuid [])) as w (id)
    join appointments as a on a.tenant_id = :tenant_id and a.id = w.id
    join services as v on v.tenant_id = :tenant_id and v.id = a.service_id
    left join session_completions as c on c.tenant_id = :tenant_id and c.id = a.id
    left join lateral (
        select o.id, o.status, o.version, o.signed_at from notes as o
        where o.tenant_id = :tenant_id and o.appointment_id = a.id and o.voided_at is null
            and o.entered_in_error_at is null and o.type <> all(:no_session_notes)
        order by o.signed_at nulls last, o.created_at desc, o.id desc limit 1
    ) as n on true
    left join lateral (
        select s.id, s.kind, s.at, s.until, s.by_id, s.reason from session_locks as s
        where s.tenant_id = :tenant_id and s.appointment_id = a.id and s.at <= :now
        order by s.at desc, s.id desc limit 1
    ) as l on true
    left join lateral (
        select s.id, s.by_id, s.at, s.until, s.reason, count(*) over () as overrides from session_locks as s
        where s.tenant_id = :tenant_id and s.appointment_id = a.id and s.at <= :now and s.kind = 'UNLOCKED'
        order by s.at desc, s.id desc limit 1
    ) as u on true
""")


class SessionRow(NamedTuple):
    """A row of `SESSIONS_SQL`."""

    id: UUID
    clinician_id: UUID
    client_id: UUID
    starts_at: datetime
    ends_at: datetime
    kind: str
    version: int
    void_reason: str | None
    note_id: UUID | None
    note_status: str | None
    note_version: int | None
    signed_at: datetime | None
    lock_id: UUID | None
    lock_kind: Literal["LOCKED", "UNLOCKED"] | None
    lock_at: datetime | None
    lock_until: datetime | None
    lock_by: UUID | None
    lock_reason: bytes | None
    override_id: UUID | None
    override_by: UUID | None
    override_at: datetime | None
    override_until: datetime | None
    override_reason: bytes | None
    overrides: int


@dataclass(frozen=True)
class SessionFilters:
    """Filters of a list of sessions; `since` is inclusive, `until` exclusive."""

    provider_id: UUID | None = None
    client_id: UUID | None = None
    week: date | None = None
    signed: bool | None = None
    locked: bool | None = None
    paid: bool | None = None
    voided: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class SessionView:
    """A session as the caller may see it. `amount_cents` is None unless they can read this clinician's pay, and
    `override_reason` and `lock_reason` unless they are the clinician or can unlock sessions."""

    row: SessionRow
    value: SessionValue
    session_date: date
    deadline: datetime
    lock: LockState | None
    lateness: Lateness
    amount_cents: int | None
    override_reason: str | None
    lock_reason: str | None  # of a lock by hand

    @property
    def is_signed(self) -> bool:
        return self.row.signed_at is not None

    @property
    def signed_in_time(self) -> bool:
        return self.row.signed_at is not None and self.row.signed_at < self.deadline


def list_sessions(work: Work, scope: Scope, page_request: PageRequest, filters: SessionFilters) -> Page:
    query = build_query(work, scope, filters)
    page = fetch_page(work.db, query, page_request, SORTABLE, Appointment.id, "-sessionDate")
    shown_id = find_shown_client(work, scope, filters.client_id, page.items)
    if shown_id is not None:
        work.record("client.read", "client", shown_id, part="session completions")
    else:
        client_ids = (appointment.client_id for appointment in page.items)
        work.record_list("session_completions.listed", client_ids, found=len(page.items))
    views = load_views(work, [appointment.id for appointment in page.items])
    return Page(views, page.next_cursor, page.total)


def list_unsigned_of_leaver(work: Work, staff: Staff) -> AffectedVisits:
    """Return the completed sessions without a signed note of somebody who leaves; none of somebody who stays."""
    if staff.left_on is None and staff.deactivated_at is None:
        return NONE
    is_voided = exists().where(
        SessionCompletion.tenant_id == Appointment.tenant_id,
        SessionCompletion.id == Appointment.id,
        SessionCompletion.voided_at.is_not(None),
    )
    sessions = (
        Appointment.tenant_id == work.tenant_id,
        Appointment.clinician_id == staff.id,
        Appointment.status == "COMPLETED",
        ~IS_SIGNED,
        ~is_voided,
    )
    query = select(Appointment).where(*sessions).order_by(Appointment.starts_at, Appointment.id)
    listed = list(work.db.scalars(query.limit(MAX_LISTED)))
    count = len(listed)
    if count == MAX_LISTED:
        count = work.db.scalar(select(func.count()).select_from(Appointment).where(*sessions)) or 0
    if listed:
        work.record_list("appointments.listed", (session.client_id for session in listed), count=count)
    return AffectedVisits(count, listed)


def get_session(work: Work, scope: Scope, session_id: UUID) -> SessionView:
    require_session(work, scope, session_id)
    work.record("session_completion.read", "appointment", session_id)
    return load_views(work, [session_id])[0]


def require_session(work: Work, scope: Scope, session_id: UUID) -> None:
    if work.db.scalar(build_query(work, scope, SessionFilters()).where(Appointment.id == session_id)) is None:
        raise NotFound


def build_query(work: Work, scope: Scope, filters: SessionFilters) -> Select[Appointment]:
    """Return the query for the visible completed appointments that match the filters."""
    query = select(Appointment).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.status == "COMPLETED",
        visible_staff(work, scope, Appointment.clinician_id),
        has_voided_completion() if filters.voided else ~has_voided_completion(),
    )
    if filters.provider_id is not None:
        query = query.where(Appointment.clinician_id == filters.provider_id)
    if filters.client_id is not None:
        query = query.where(Appointment.client_id == filters.client_id)
    if filters.week is not None:
        problem = find_week_problem(filters.week)
        if problem:
            raise Invalid([FieldProblem("week", problem)])
        query = filter_by_weeks(query, zone_of(work), filters.week, filters.week)
    if filters.since is not None:
        query = query.where(Appointment.starts_at >= filters.since)
    if filters.until is not None:
        query = query.where(Appointment.starts_at < filters.until)
    if filters.signed is not None:
        query = query.where(IS_SIGNED if filters.signed else ~IS_SIGNED)
    if filters.locked is not None:
        query = query.where(is_locked_now(work) if filters.locked else ~is_locked_now(work))
    if filters.paid is not None:
        query = query.where(has_payment(work) if filters.paid else ~has_payment(work))
    return query


def filter_by_weeks(
    query: Select[Appointment], zone: ZoneInfo, first_week: date, last_week: date
) -> Select[Appointment]:
    return query.where(
        Appointment.starts_at >= start_of_day(first_week, zone),
        Appointment.starts_at < start_of_day(last_week + WEEK, zone),
    )


def has_voided_completion() -> ColumnElement[bool]:
    return exists().where(
        SessionCompletion.tenant_id == Appointment.tenant_id,
        SessionCompletion.id == Appointment.id,
        SessionCompletion.voided_at.is_not(None),
    )


def is_locked_now(work: Work) -> ColumnElement[bool]:
    """Return the SQL condition for what `find_lock_state` decides for one session."""
    lock_state = case((SessionLock.kind == "LOCKED", "LOCKED"), (SessionLock.until > work.now, "OPEN"), else_="LAPSED")
    last_state = (
        select(lock_state)
        .where(
            SessionLock.tenant_id == Appointment.tenant_id,
            SessionLock.appointment_id == Appointment.id,
            SessionLock.at <= work.now,
        )
        .order_by(SessionLock.at.desc(), SessionLock.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    state = func.coalesce(last_state, "NONE")
    zone = zone_of(work)
    is_past_deadline = Appointment.starts_at < start_of_day(open_week(work.now, zone), zone)
    return and_(~IS_SIGNED, or_(state == "LOCKED", and_(is_past_deadline, state != "OPEN")))


def load_views(work: Work, session_ids: Sequence[UUID]) -> list[SessionView]:
    """Return the sessions in this order, each as it is now and as the caller may see it."""
    if not session_ids:
        return []
    parameters = {
        "tenant_id": work.tenant_id,
        "ids": list(session_ids),
        "now": work.now,
        "no_session_notes": list(NO_SESSION_NOTES),
    }
    rows = {row.id: SessionRow(*row) for row in work.db.execute(SESSIONS_SQL, parameters)}
    values = load_session_values(work, session_ids, work.now)
    clinician_ids = {row.clinician_id for row in rows.values()}
    visible_pay = find_visible_staff_ids(work, "pay", "read", clinician_ids)
    visible_reasons = find_visible_staff_ids(work, "session_completions", "override", clinician_ids)
    visible_reasons |= {work.actor.staff_id}
    zone, days = zone_of(work), load_lateness_days(work)
    return [
        build_view(
            work,
            rows[session_id],
            values[session_id],
            zone,
            days,
            visible_pay=visible_pay,
            visible_reasons=visible_reasons,
        )
        for session_id in session_ids
        if session_id in values
    ]


def find_visible_staff_ids(work: Work, record: str, action: str, staff_ids: Collection[UUID]) -> frozenset[UUID | None]:
    """Return those staff ids that the caller's permission covers."""
    scope = find_scope(work.actor.roles, record, action)
    if scope is None:
        return frozenset()
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(staff_ids))
    return frozenset(work.db.scalars(query.where(visible_staff(work, scope, Staff.id))))


def build_view(
    work: Work,
    row: SessionRow,
    value: SessionValue,
    zone: ZoneInfo,
    days: LatenessDays,
    *,
    visible_pay: Container[UUID | None],
    visible_reasons: Container[UUID | None],
) -> SessionView:
    """Return a session without what the caller must not see; the two containers hold ids of clinicians."""
    deadline = deadline_of(row.starts_at, zone)
    last_lock = None
    if row.lock_kind and row.lock_at:
        last_lock = Lock(row.lock_kind, row.lock_at, row.lock_until, by_hand=row.lock_by is not None)
    lock = None if row.signed_at else find_lock_state(deadline, last_lock, work.now)
    override_reason = lock_reason = None
    if row.clinician_id in visible_reasons:
        if row.override_id is not None:
            override_reason = work.unseal("session_locks", "reason", row.override_id, row.override_reason)
        if row.lock_id is not None and lock is not None and lock.cause == "BY_HAND":
            lock_reason = work.unseal("session_locks", "reason", row.lock_id, row.lock_reason)
    return SessionView(
        row=row,
        value=value,
        session_date=date_of(row.starts_at, zone),
        deadline=deadline,
        lock=lock,
        lateness=compute_lateness(row.ends_at, row.signed_at, days, work.now),
        amount_cents=value.amount_cents if row.clinician_id in visible_pay else None,
        override_reason=override_reason,
        lock_reason=lock_reason,
    )
