"""Closures: the dates on which the practice is closed."""

from datetime import date, time, timedelta

from sqlalchemy import func, select

from practice.errors import NotFound, Refusal
from practice.local_time import to_instant
from practice.people.practice_time import zone_of
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.availability import Closure
from practice.scheduling.statuses import FINAL
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict


class AlreadyClosed(Refusal):
    """The practice is already closed on that day.

    Fix: no action is needed.
    """

    code = "CLOSED_ALREADY"


def list_closures(work: Work, page_request: PageRequest, *, first: date | None, last: date | None) -> Page:
    query = select(Closure).where(Closure.tenant_id == work.tenant_id, Closure.voided_at.is_(None))
    if first is not None:
        query = query.where(Closure.closed_on >= first)
    if last is not None:
        query = query.where(Closure.closed_on <= last)
    return fetch_page(work.db, query, page_request, {"closed_on": Closure.closed_on}, Closure.id, "closed_on")


def add_closure(work: Work, closed_on: date, reason: str | None) -> tuple[Closure, int]:
    """Add a closure and return it with the number of appointments on that date, which stay until staff move them."""
    closure = Closure(tenant_id=work.tenant_id, id=new_id(), closed_on=closed_on, reason=reason)
    work.db.add(closure)
    duplicate = AlreadyClosed("The practice is already closed on that date.")
    with on_conflict("uq_closures_tenant_id_closed_on", duplicate):
        work.db.flush()
    work.record("closure.added", "closure", closure.id, closed_on=closed_on.isoformat())
    return closure, count_appointments_on(work, closed_on)


def void_closure(work: Work, closed_on: date, reason: str) -> None:
    query = select(Closure).where(
        Closure.tenant_id == work.tenant_id, Closure.closed_on == closed_on, Closure.voided_at.is_(None)
    )
    closure = work.db.scalar(query.with_for_update())
    if closure is None:
        raise NotFound
    work.void(closure, reason)
    work.record("closure.voided", "closure", closure.id, closed_on=closed_on.isoformat(), reason=reason)


def count_appointments_on(work: Work, day: date) -> int:
    """Return the number of appointments on the local date that can still take place."""
    zone = zone_of(work)
    query = select(func.count()).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.starts_at >= to_instant(day, time.min, zone),
        Appointment.starts_at < to_instant(day + timedelta(days=1), time.min, zone),
        Appointment.status.not_in(FINAL),
    )
    return work.db.scalar(query) or 0
