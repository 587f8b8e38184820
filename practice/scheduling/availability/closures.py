"""Closures: the dates on which the practice is closed."""

from datetime import date

from sqlalchemy import select

from practice.errors import NotFound, Refusal
from practice.scheduling.models.availability import Closure
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


def add_closure(work: Work, closed_on: date, reason: str | None) -> Closure:
    """Add a closure. The visits of that date stay until staff move them."""
    closure = Closure(tenant_id=work.tenant_id, id=new_id(), closed_on=closed_on, reason=reason)
    work.db.add(closure)
    duplicate = AlreadyClosed("The practice is already closed on that date.")
    with on_conflict("uq_closures_tenant_id_closed_on", duplicate):
        work.db.flush()
    work.record("closure.added", "closure", closure.id, closed_on=closed_on.isoformat())
    return closure


def void_closure(work: Work, closed_on: date, reason: str) -> None:
    query = select(Closure).where(
        Closure.tenant_id == work.tenant_id, Closure.closed_on == closed_on, Closure.voided_at.is_(None)
    )
    closure = work.db.scalar(query.with_for_update())
    if closure is None:
        raise NotFound
    work.void(closure, reason)
    work.record("closure.voided", "closure", closure.id, closed_on=closed_on.isoformat(), reason=reason)
