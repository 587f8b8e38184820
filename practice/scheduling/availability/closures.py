"""The days on which the practice is closed."""

from datetime import date, time, timedelta

from sqlalchemy import func, select

from practice.errors import NotFound, Refusal
from practice.local_time import instant
from practice.people.practice_time import zone_of
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.availability import Closure
from practice.scheduling.statuses import FINAL
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import refusing


class ClosedAlready(Refusal):
    code = "CLOSED_ALREADY"


def list_closures(work: Work, asked: PageRequest, *, first: date | None, last: date | None) -> Page:
    query = select(Closure).where(Closure.tenant_id == work.tenant_id, Closure.voided_at.is_(None))
    if first is not None:
        query = query.where(Closure.closed_on >= first)
    if last is not None:
        query = query.where(Closure.closed_on <= last)
    return page_of(work.db, query, asked, {"closed_on": Closure.closed_on}, Closure.id, "closed_on")


def add_closure(work: Work, closed_on: date, reason: str | None) -> tuple[Closure, int]:
    """With it comes how many appointments are booked for that day: they stay, and somebody has to move them."""
    closure = Closure(tenant_id=work.tenant_id, id=new_id(), closed_on=closed_on, reason=reason)
    work.db.add(closure)
    already = ClosedAlready("The practice is closed on that day already.")
    with refusing("uq_closures_tenant_id_closed_on", already):
        work.db.flush()
    work.record("closure.added", "closure", closure.id, closed_on=closed_on.isoformat())
    return closure, booked_on(work, closed_on)


def void_closure(work: Work, closed_on: date, reason: str) -> None:
    query = select(Closure).where(
        Closure.tenant_id == work.tenant_id, Closure.closed_on == closed_on, Closure.voided_at.is_(None)
    )
    closure = work.db.scalar(query.with_for_update())
    if closure is None:
        raise NotFound
    work.void(closure, reason)
    work.record("closure.voided", "closure", closure.id, closed_on=closed_on.isoformat(), reason=reason)


def booked_on(work: Work, day: date) -> int:
    zone = zone_of(work)
    query = select(func.count()).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.starts_at >= instant(day, time.min, zone),
        Appointment.starts_at < instant(day + timedelta(days=1), time.min, zone),
        Appointment.status.not_in(FINAL),
    )
    return work.db.scalar(query) or 0
