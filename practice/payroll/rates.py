"""What clinicians are paid by: base rates and multipliers, each from a date on."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from practice.errors import Invalid
from practice.payroll.models import PayMultiplier, PayRate
from practice.people.access import refuse_beyond, staff_within
from practice.people.models.practices import Staff
from practice.people.staff import get_staff
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of

NEWEST: tuple[Any, ...] = (PayRate.effective_on.desc().nulls_last(), PayRate.set_at.desc(), PayRate.id.desc())


def base_rate(work: Work, staff_id: UUID, on: date) -> int | None:
    """In cents for an hour: the newest that has come into effect by the date; None where nobody set one."""
    query = select(PayRate.rate_cents).where(
        PayRate.tenant_id == work.tenant_id,
        PayRate.staff_id == staff_id,
        or_(PayRate.effective_on.is_(None), PayRate.effective_on <= on),
    )
    return work.db.scalar(query.order_by(*NEWEST).limit(1))


def pay_rates(work: Work, scope: Scope, staff_id: UUID) -> list[PayRate]:
    """Every base rate that was set, the latest date first."""
    refuse_beyond(work, staff_id, scope)
    query = select(PayRate).where(PayRate.tenant_id == work.tenant_id, PayRate.staff_id == staff_id)
    return list(work.db.scalars(query.order_by(*NEWEST)))


def set_pay_rate(work: Work, staff_id: UUID, rate_cents: int, effective_on: date | None) -> PayRate:
    """From any date on. What it changes in periods that are closed becomes adjustments of the next one."""
    get_staff(work, staff_id)
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


def list_multipliers(
    work: Work, scope: Scope, asked: PageRequest, *, staff_id: UUID | None = None, kind: str | None = None
) -> Page:
    """The practice's, and of people's own those that the scope reaches. Nobody's are ever taken away."""
    multiplier = PayMultiplier
    query = select(multiplier).where(
        multiplier.tenant_id == work.tenant_id,
        or_(multiplier.staff_id.is_(None), staff_within(work, scope, multiplier.staff_id)),
    )
    if staff_id is not None:
        query = query.where(multiplier.staff_id == staff_id)
    if kind is not None:
        query = query.where(multiplier.kind == kind)
    sortable = {"effective_on": multiplier.effective_on, "kind": multiplier.kind, "id": multiplier.id}
    return page_of(work.db, query, asked, sortable, multiplier.id, "-effective_on")


def set_multiplier(
    work: Work, *, kind: str, multiplier: Decimal, effective_on: date, staff_id: UUID | None = None
) -> PayMultiplier:
    """Of a kind of service, for somebody or for the whole practice. Of one date the last set counts."""
    if staff_id is not None and work.db.get(Staff, (work.tenant_id, staff_id)) is None:
        raise Invalid(["The person is not on the staff."])
    row = PayMultiplier(
        tenant_id=work.tenant_id,
        id=new_id(),
        staff_id=staff_id,
        kind=kind,
        multiplier=multiplier,
        effective_on=effective_on,
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(row)
    work.record("pay_multiplier.set", "staff", staff_id, kind=kind, effective_on=effective_on.isoformat())
    return row
