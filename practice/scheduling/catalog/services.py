"""The catalogue: the services that can be booked, and what each costs from a date on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.practice_time import local_today
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service, ServiceRate
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply, refusing


class CodeTaken(Refusal):
    code = "CODE_TAKEN"


@dataclass(frozen=True)
class Priced:
    """A service with its rate in force on a date."""

    service: Service
    rate_cents: int


def list_services(work: Work, asked: PageRequest, *, active: bool | None = None, kind: str | None = None) -> Page:
    query = select(Service).where(Service.tenant_id == work.tenant_id)
    if active is not None:
        query = query.where(Service.active.is_(active))
    if kind is not None:
        query = query.where(Service.kind == kind)
    page = page_of(
        work.db, query, asked, {"code": Service.code, "name": Service.name, "id": Service.id}, Service.id, "code"
    )
    return replace(page, items=priced(work, page.items))


def priced(work: Work, services: Sequence[Service]) -> list[Priced]:
    """With the rates in force today."""
    rates = rates_on(work, [service.id for service in services], local_today(work))
    return [Priced(service, rates[service.id]) for service in services]


def find_service(work: Work, code: str, *, lock: bool = False) -> Service:
    query = select(Service).where(Service.tenant_id == work.tenant_id, Service.code == code)
    service = work.db.scalar(query.with_for_update(key_share=True) if lock else query)
    if service is None:
        raise NotFound
    return service


def ids_of(work: Work, codes: Collection[str]) -> dict[str, UUID]:
    """Of the services that these codes mean; a code that means none is left out."""
    query = select(Service.code, Service.id).where(Service.tenant_id == work.tenant_id, Service.code.in_(codes))
    return {row.code: row.id for row in work.db.execute(query)}


def code_problems(codes: Collection[str], known: Collection[str]) -> list[str]:
    return [f"There is no service {code!r} in the catalogue." for code in sorted(set(codes) - set(known))]


def codes_of(work: Work, service_ids: Collection[UUID]) -> dict[UUID, str]:
    query = select(Service.id, Service.code).where(Service.tenant_id == work.tenant_id, Service.id.in_(service_ids))
    return {row.id: row.code for row in work.db.execute(query)}


def add_service(work: Work, *, rate_cents: int, **about: Any) -> Service:
    """The rate counts since ever, until another is set from a date on."""
    service = Service(tenant_id=work.tenant_id, id=new_id(), active=True, created_at=work.now, **about)
    work.db.add(service)
    taken = CodeTaken("A service has this code already. Choose another, or change that one.")
    with refusing("uq_services_tenant_id_code", taken):
        work.db.flush()
    add_rate(work, service, rate_cents, None)
    work.record("service.added", "service", service.id)
    return service


def change_service(work: Work, code: str, version: int, changes: dict[str, Any]) -> Service:
    service = find_service(work, code, lock=True)
    if service.version != version:
        raise Stale
    if changes.get("kind", service.kind) != service.kind and is_booked(work, service):
        raise Invalid(
            ["This service has been booked, and pay rests on its kind. Deactivate it, and add one of the other kind."]
        )
    apply(service, changes)
    work.record("service.changed", "service", service.id, fields=sorted(changes))
    return service


def is_booked(work: Work, service: Service) -> bool:
    query = select(Appointment.id).where(Appointment.tenant_id == work.tenant_id, Appointment.service_id == service.id)
    return work.db.scalar(query.limit(1)) is not None


def set_service_active(work: Work, code: str, active: bool) -> Service:
    """What was booked stays booked; nothing new is, of a service that is not active."""
    service = find_service(work, code, lock=True)
    if service.active != active:
        apply(service, {"active": active})
        work.record("service.activated" if active else "service.deactivated", "service", service.id)
    return service


# Rates


def service_rate(work: Work, service_id: UUID, on: date) -> int:
    """What the service costs on this date, in cents."""
    return rates_on(work, [service_id], on)[service_id]


def rates_on(work: Work, service_ids: Collection[UUID], on: date) -> dict[UUID, int]:
    """The newest that has come into effect by the date; of one date the last that was set."""
    rate = ServiceRate
    query = (
        select(rate.service_id, rate.rate_cents)
        .ext(distinct_on(rate.service_id))
        .where(
            rate.tenant_id == work.tenant_id,
            rate.service_id.in_(service_ids),
            or_(rate.effective_on.is_(None), rate.effective_on <= on),
        )
    )
    newest = (rate.effective_on.desc().nulls_last(), rate.set_at.desc(), rate.id.desc())
    return {row.service_id: row.rate_cents for row in work.db.execute(query.order_by(rate.service_id, *newest))}


def service_rates(work: Work, code: str) -> list[ServiceRate]:
    """Every rate that was set, the latest date first."""
    rate = ServiceRate
    query = select(rate).where(rate.tenant_id == work.tenant_id, rate.service_id == find_service(work, code).id)
    return list(
        work.db.scalars(query.order_by(rate.effective_on.desc().nulls_last(), rate.set_at.desc(), rate.id.desc()))
    )


def set_service_rate(work: Work, code: str, rate_cents: int, effective_on: date) -> ServiceRate:
    """From a date on, today or later. Set again for the same date, it corrects what was set before."""
    service = find_service(work, code)
    if effective_on < local_today(work):
        raise Invalid(["A rate cannot begin in the past: what was charged stays charged. Choose today or later."])
    rate = add_rate(work, service, rate_cents, effective_on)
    work.record("service_rate.set", "service", service.id, effective_on=effective_on.isoformat())
    return rate


def add_rate(work: Work, service: Service, rate_cents: int, effective_on: date | None) -> ServiceRate:
    rate = ServiceRate(
        tenant_id=work.tenant_id,
        id=new_id(),
        service_id=service.id,
        rate_cents=rate_cents,
        effective_on=effective_on,
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(rate)
    work.db.flush()
    return rate
