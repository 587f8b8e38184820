"""Completed sessions as the practice counts them: appointment, note, lock, pay and override of each in one place.

A session here is an appointment that was completed, whether or not its completion has a row of its own. Pages are pages
of appointments; what else there is to know about those of a page is looked up at once.
"""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, text

from practice.clinical.deadlines.late_notes import days_in_force
from practice.clinical.deadlines.locking import signed_session
from practice.clinical.deadlines.rules import (
    NO_SESSION_NOTES,
    Days,
    Lateness,
    Lock,
    deadline_of,
    lateness,
    locked_since,
)
from practice.clinical.models.session_locks import SessionLock
from practice.errors import Invalid, NotFound
from practice.local_time import WEEK, date_of, open_week, start_of_day
from practice.payroll.completions import PAID_ONCE, SESSION_ID, Worth, worth_of
from practice.payroll.models import PayLine, SessionCompletion
from practice.payroll.rules import week_problem
from practice.people.access import staff_within
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope, scope_of
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, page_of

SORTABLE = {"sessionDate": Appointment.starts_at, "id": Appointment.id}

# Of each session on its own, by its id: so the cost follows their number, whatever the practice holds besides.
FACTS = text("""
    select
        a.id, a.clinician_id, a.client_id, a.starts_at, a.ends_at, coalesce(c.kind, v.kind) as kind,
        coalesce(c.version, 0) as version, c.void_reason, n.id as note_id, n.signed_at,
        l.kind as lock_kind, l.at as lock_at, l.until as lock_until,
        u.id as override_id, u.by_id as override_by, u.at as override_at, u.until as override_until,
        u.reason as override_reason, coalesce(u.overrides, 0) as overrides
    from unnest(cast(:ids as uuid [])) as w (id)
    join appointments as a on a.tenant_id = :tenant_id and a.id = w.id
    join services as v on v.tenant_id = :tenant_id and v.id = a.service_id
    left join session_completions as c on c.tenant_id = :tenant_id and c.id = a.id
    left join lateral (
        select o.id, o.signed_at from notes as o
        where o.tenant_id = :tenant_id and o.appointment_id = a.id and o.voided_at is null
            and o.type <> all(:no_session_notes)
        order by o.signed_at nulls last, o.created_at desc, o.id desc limit 1
    ) as n on true
    left join lateral (
        select s.kind, s.at, s.until from session_locks as s
        where s.tenant_id = :tenant_id and s.appointment_id = a.id and s.at <= :now
        order by s.at desc, s.id desc limit 1
    ) as l on true
    left join lateral (
        select s.id, s.by_id, s.at, s.until, s.reason, count(*) over () as overrides from session_locks as s
        where s.tenant_id = :tenant_id and s.appointment_id = a.id and s.at <= :now and s.kind = 'UNLOCKED'
        order by s.at desc, s.id desc limit 1
    ) as u on true
""")


@dataclass(frozen=True)
class Filters:
    provider_id: UUID | None = None
    client_id: UUID | None = None
    week: date | None = None
    signed: bool | None = None
    locked: bool | None = None
    paid: bool | None = None
    voided: bool = False


@dataclass(frozen=True)
class Seen:
    """A session as somebody sees it: amounts are for those who read this clinician's pay, and why it was unlocked for
    the clinician and those who may unlock."""

    row: Any
    worth: Worth
    on: date
    deadline: datetime
    locked_at: datetime | None
    lateness: Lateness
    cents: int | None
    override_reason: str | None

    @property
    def signed(self) -> bool:
        return self.row.signed_at is not None

    @property
    def in_time(self) -> bool:
        return self.signed and self.row.signed_at < self.deadline


def list_sessions(work: Work, scope: Scope, asked: PageRequest, filters: Filters) -> Page:
    page = page_of(work.db, filtered(work, scope, filters), asked, SORTABLE, Appointment.id, "-sessionDate")
    if filters.client_id is not None:
        work.record("client.read", "client", filters.client_id, part="session completions")
    else:
        work.record("session_completions.listed", found=len(page.items))
    return Page(seen(work, [one.id for one in page.items]), page.next_cursor, page.total)


def get_session(work: Work, scope: Scope, session_id: UUID) -> Seen:
    find_session(work, scope, session_id)
    work.record("session_completion.read", "appointment", session_id)
    return seen(work, [session_id])[0]


def find_session(work: Work, scope: Scope, session_id: UUID) -> None:
    if work.db.scalar(filtered(work, scope, Filters()).where(Appointment.id == session_id)) is None:
        raise NotFound


def filtered(work: Work, scope: Scope, filters: Filters) -> Select[Appointment]:
    query = select(Appointment).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.status == "COMPLETED",
        staff_within(work, scope, Appointment.clinician_id),
        is_voided() if filters.voided else ~is_voided(),
    )
    if filters.provider_id is not None:
        query = query.where(Appointment.clinician_id == filters.provider_id)
    if filters.client_id is not None:
        query = query.where(Appointment.client_id == filters.client_id)
    if filters.week is not None:
        query = query.where(*in_week(work, filters.week))
    for wanted, condition in (
        (filters.signed, signed_session),
        (filters.locked, lambda: is_locked(work)),
        (filters.paid, lambda: is_paid(work)),
    ):
        if wanted is not None:
            query = query.where(condition() if wanted else ~condition())
    return query


def in_week(work: Work, week: date) -> tuple[ColumnElement[bool], ...]:
    problem = week_problem(week)
    if problem:
        raise Invalid([f"week: {problem}"])
    return in_weeks(zone_of(work), week, week)


def in_weeks(zone: ZoneInfo, first: date, last: date) -> tuple[ColumnElement[bool], ...]:
    start, end = start_of_day(first, zone), start_of_day(last + WEEK, zone)
    return Appointment.starts_at >= start, Appointment.starts_at < end


def is_voided() -> ColumnElement[bool]:
    row = SessionCompletion
    return exists().where(row.tenant_id == Appointment.tenant_id, row.id == Appointment.id, row.voided_at.is_not(None))


def is_locked(work: Work) -> ColumnElement[bool]:
    """As the rule says it of one (`locked_since`), as a condition of many."""
    row = SessionLock
    last = select(case((row.kind == "LOCKED", "LOCKED"), (row.until > work.now, "OPEN"), else_="LAPSED")).where(
        row.tenant_id == Appointment.tenant_id, row.appointment_id == Appointment.id, row.at <= work.now
    )
    state = func.coalesce(last.order_by(row.at.desc(), row.id.desc()).limit(1).scalar_subquery(), "NONE")
    zone = zone_of(work)
    past = Appointment.starts_at < start_of_day(open_week(work.now, zone), zone)
    return and_(~signed_session(), or_(state == "LOCKED", and_(past, state != "OPEN")))


def is_paid(work: Work) -> ColumnElement[bool]:
    return exists().where(PayLine.tenant_id == work.tenant_id, PayLine.session_id == SESSION_ID, PAID_ONCE)


def seen(work: Work, session_ids: Sequence[UUID]) -> list[Seen]:
    """In this order, each as it is now, as far as it is for the one who asks."""
    if not session_ids:
        return []
    zone = zone_of(work)
    values = {"ids": list(session_ids), "now": work.now, "no_session_notes": list(NO_SESSION_NOTES)}
    rows = {row.id: row for row in work.db.execute(FACTS, values | {"tenant_id": work.tenant_id})}
    worth = worth_of(work, session_ids, work.now)
    clinicians = {row.clinician_id for row in rows.values()}
    paid_to = staff_reached(work, "pay", "read", clinicians)
    unlocked = staff_reached(work, "session_completions", "override", clinicians) | {work.actor.staff_id}
    days = days_in_force(work)
    return [
        view(work, rows[one], worth[one], zone, days, paid_to=paid_to, unlocked=unlocked)
        for one in session_ids
        if one in worth
    ]


def staff_reached(work: Work, record: str, verb: str, staff_ids: Collection[UUID]) -> frozenset[UUID | None]:
    """Those of them to whom a permission of the one who asks reaches."""
    scope = scope_of(work.actor.roles, record, verb)
    if scope is None:
        return frozenset()
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(staff_ids))
    return frozenset(work.db.scalars(query.where(staff_within(work, scope, Staff.id))))


def view(
    work: Work,
    row: Any,
    worth: Worth,
    zone: ZoneInfo,
    days: Days,
    *,
    paid_to: Container[UUID | None],
    unlocked: Container[UUID | None],
) -> Seen:
    deadline = deadline_of(row.starts_at, zone)
    last = Lock(row.lock_kind, row.lock_at, row.lock_until) if row.lock_kind else None
    why = row.override_reason if row.clinician_id in unlocked else None
    return Seen(
        row=row,
        worth=worth,
        on=date_of(row.starts_at, zone),
        deadline=deadline,
        locked_at=None if row.signed_at else locked_since(deadline, last, work.now),
        lateness=lateness(row.ends_at, row.signed_at, days, work.now),
        cents=worth.amount_cents if row.clinician_id in paid_to else None,
        override_reason=work.unseal("session_locks", "reason", row.override_id, why),
    )
