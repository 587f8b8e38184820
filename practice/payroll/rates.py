"""Base rates of clinicians and pay multipliers, each effective from a date on."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select

from practice.errors import FieldProblem, Invalid
from practice.payroll.models import PayMultiplier, PayPeriod, PayRate
from practice.people.access import require_visible_staff, visible_staff
from practice.people.models.practices import Staff
from practice.people.staff import get_staff
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page

NEWEST_FIRST: tuple[Any, ...] = (PayRate.effective_on.desc().nulls_last(), PayRate.set_at.desc(), PayRate.id.desc())

FIRST_DAY_MISSING = (
    "Weeks are closed already, and a rate without a first day changes the pay of all of them. Choose the day from "
    "which it counts. To correct the rate from the beginning, choose the first day of employment."
)


def find_base_rate(work: Work, staff_id: UUID, on: date) -> int | None:
    """Return the base rate in cents per hour that is in effect on a date, or None."""
    query = select(PayRate.rate_cents).where(
        PayRate.tenant_id == work.tenant_id,
        PayRate.staff_id == staff_id,
        or_(PayRate.effective_on.is_(None), PayRate.effective_on <= on),
    )
    return work.db.scalar(query.order_by(*NEWEST_FIRST).limit(1))


def list_pay_rates(work: Work, scope: Scope, staff_id: UUID) -> list[PayRate]:
    """Return every base rate of a staff member, the latest effective date first."""
    require_visible_staff(work, scope, staff_id)
    work.record("pay_rates.read", "staff", staff_id)
    query = select(PayRate).where(PayRate.tenant_id == work.tenant_id, PayRate.staff_id == staff_id)
    return list(work.db.scalars(query.order_by(*NEWEST_FIRST)))


def set_pay_rate(work: Work, staff_id: UUID, rate_cents: int, effective_on: date | None) -> PayRate:
    """Set a base rate from any date on. Its effect on closed weeks becomes adjustments in the next week.

    Once weeks are closed, another rate states its first day: a raise would otherwise be paid for all of them too.
    """
    get_staff(work, staff_id)
    if effective_on is None and has_rate(work, staff_id) and has_closed_week(work):
        raise Invalid([FieldProblem("effective_on", FIRST_DAY_MISSING)])
    rate = PayRate(
        tenant_id=work.tenant_id,
        id=new_id(),
        staff_id=staff_id,
        rate_cents=rate_cents,
        effective_on=effective_on,
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(rate)
    work.record("pay_rate.set", "staff", staff_id, effective_on=effective_on and effective_on.isoformat())
    return rate


def has_rate(work: Work, staff_id: UUID) -> bool:
    return bool(
        work.db.scalar(select(exists().where(PayRate.tenant_id == work.tenant_id, PayRate.staff_id == staff_id)))
    )


def has_closed_week(work: Work) -> bool:
    is_closed = exists().where(PayPeriod.tenant_id == work.tenant_id, PayPeriod.closed_at.is_not(None))
    return bool(work.db.scalar(select(is_closed)))


def list_multipliers(
    work: Work, scope: Scope, page_request: PageRequest, *, staff_id: UUID | None = None, kind: str | None = None
) -> Page:
    """Return a page of the practice's multipliers and those of visible staff. Multipliers are never deleted."""
    query = select(PayMultiplier).where(
        PayMultiplier.tenant_id == work.tenant_id,
        or_(PayMultiplier.staff_id.is_(None), visible_staff(work, scope, PayMultiplier.staff_id)),
    )
    if staff_id is not None:
        query = query.where(PayMultiplier.staff_id == staff_id)
    if kind is not None:
        query = query.where(PayMultiplier.kind == kind)
    work.record("pay_multipliers.listed")
    sortable = {"effective_on": PayMultiplier.effective_on, "kind": PayMultiplier.kind, "id": PayMultiplier.id}
    return fetch_page(work.db, query, page_request, sortable, PayMultiplier.id, "-effective_on")


def set_multiplier(
    work: Work, *, kind: str, multiplier: Decimal, effective_on: date, staff_id: UUID | None = None
) -> PayMultiplier:
    """Set the multiplier of a kind of service for one staff member or the practice. The last set for a date counts."""
    if staff_id is not None and work.db.get(Staff, (work.tenant_id, staff_id)) is None:
        raise Invalid([FieldProblem("staff_id", "Not found. Choose a staff member of this practice.")])
    pay_multiplier = PayMultiplier(
        tenant_id=work.tenant_id,
        id=new_id(),
        staff_id=staff_id,
        kind=kind,
        multiplier=multiplier,
        effective_on=effective_on,
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(pay_multiplier)
    work.record("pay_multiplier.set", "staff", staff_id, kind=kind, effective_on=effective_on.isoformat())
    return pay_multiplier
