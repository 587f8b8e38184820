"""Services of the catalog and their rates by date."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.people.practice_time import local_today
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.models.catalog import Service, ServiceRate
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict, update_versioned

NO_SUCH_SERVICE = "There is no such service in the catalog. Check its code."


class CodeTaken(Refusal):
    """Another service has this code.

    Fix: choose another code, or change that service.
    """

    code = "CODE_TAKEN"


@dataclass(frozen=True)
class PricedService:
    """A service with its rate on a date."""

    service: Service
    rate_cents: int


def list_services(
    work: Work,
    page_request: PageRequest,
    *,
    active: bool | None = None,
    kind: str | None = None,
    bookable_online: bool | None = None,
) -> Page:
    query = select(Service).where(Service.tenant_id == work.tenant_id)
    if active is not None:
        query = query.where(Service.active.is_(active))
    if kind is not None:
        query = query.where(Service.kind == kind)
    if bookable_online is not None:
        query = query.where(Service.bookable_online.is_(bookable_online))
    page = fetch_page(
        work.db, query, page_request, {"code": Service.code, "name": Service.name, "id": Service.id}, Service.id, "code"
    )
    return replace(page, items=load_priced_services(work, page.items))


def load_priced_services(work: Work, services: Sequence[Service]) -> list[PricedService]:
    """Return the services with today's rates."""
    rates = load_rates_on(work, [service.id for service in services], local_today(work))
    return [PricedService(service, rates[service.id]) for service in services]


def find_service(work: Work, code: str, *, lock: bool = False) -> Service:
    """Return the service, or raise NotFound."""
    query = select(Service).where(Service.tenant_id == work.tenant_id, Service.code == code)
    service = work.db.scalar(query.with_for_update(key_share=True) if lock else query)
    if service is None:
        raise NotFound
    return service


def load_service_ids(work: Work, codes: Collection[str]) -> dict[str, UUID]:
    """Return the service ids by code, without unknown codes."""
    query = select(Service.code, Service.id).where(Service.tenant_id == work.tenant_id, Service.code.in_(codes))
    return {row.code: row.id for row in work.db.execute(query)}


def service_code_problems(field: str, codes: Collection[str], known: Collection[str]) -> list[FieldProblem]:
    """Return a problem for each code of the field that is not among the known ones."""
    return [
        FieldProblem(f"{field}.item {number}", NO_SUCH_SERVICE)
        for number, code in enumerate(codes, 1)
        if code not in known
    ]


def load_service_codes(work: Work, service_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the codes of the services by id."""
    if not service_ids:
        return {}
    query = select(Service.id, Service.code).where(Service.tenant_id == work.tenant_id, Service.id.in_(service_ids))
    return {row.id: row.code for row in work.db.execute(query)}


def add_service(work: Work, *, rate_cents: int, **fields: Any) -> Service:
    """Add a service. Its rate applies from the beginning until another one takes effect."""
    service = Service(tenant_id=work.tenant_id, id=new_id(), active=True, created_at=work.now, **fields)
    work.db.add(service)
    duplicate = CodeTaken("A service already has this code. Choose another code or change that service.")
    with on_conflict("uq_services_tenant_id_code", duplicate):
        work.db.flush()
    add_rate(work, service, rate_cents, None)
    work.record("service.added", "service", service.id)
    return service


def change_service(work: Work, code: str, version: int, changes: dict[str, Any]) -> Service:
    service = find_service(work, code, lock=True)
    if service.version != version:
        raise Stale
    fixed = [
        name for name in ("kind", "minutes") if changes.get(name, getattr(service, name)) != getattr(service, name)
    ]
    if fixed and is_booked(work, service):
        message = (
            "This determines the pay of booked sessions and cannot change. Deactivate the service and add a new one, "
            "or cancel what is booked and has not taken place."
        )
        raise Invalid([FieldProblem(name, message) for name in fixed])
    update_versioned(service, changes)
    work.record("service.changed", "service", service.id, fields=sorted(changes))
    return service


def is_booked(work: Work, service: Service) -> bool:
    """Return whether visits or seats of the service are open or final without being cancelled, or can still be booked
    in a group that was opened."""
    visits = select(Appointment.id).where(
        Appointment.tenant_id == work.tenant_id,
        Appointment.service_id == service.id,
        Appointment.status.not_in(("CANCELLED", "RESCHEDULED")),
    )
    groups = select(GroupSession.id).where(
        GroupSession.tenant_id == work.tenant_id,
        GroupSession.service_id == service.id,
        GroupSession.held,
        GroupSession.status == "SCHEDULED",
        GroupSession.ends_at > work.now,
    )
    return any(work.db.scalar(query.limit(1)) for query in (visits, groups))


def set_service_active(work: Work, code: str, active: bool) -> Service:
    """Activate or deactivate a service. Existing bookings stay; an inactive service takes no new ones."""
    service = find_service(work, code, lock=True)
    if service.active != active:
        update_versioned(service, {"active": active})
        work.record("service.activated" if active else "service.deactivated", "service", service.id)
    return service


# Rates

NEWEST_FIRST = (ServiceRate.effective_on.desc().nulls_last(), ServiceRate.set_at.desc(), ServiceRate.id.desc())


def get_service_rate(work: Work, service_id: UUID, on: date) -> int:
    """Return the rate of the service on this date, in cents."""
    return load_rates_on(work, [service_id], on)[service_id]


def load_rates_on(work: Work, service_ids: Collection[UUID], on: date) -> dict[UUID, int]:
    """Return the newest rate in effect on the date, by service. The last one set for the same date counts."""
    query = (
        select(ServiceRate.service_id, ServiceRate.rate_cents)
        .ext(distinct_on(ServiceRate.service_id))
        .where(
            ServiceRate.tenant_id == work.tenant_id,
            ServiceRate.service_id.in_(service_ids),
            or_(ServiceRate.effective_on.is_(None), ServiceRate.effective_on <= on),
        )
        .order_by(ServiceRate.service_id, *NEWEST_FIRST)
    )
    return {row.service_id: row.rate_cents for row in work.db.execute(query)}


def list_service_rates(work: Work, code: str) -> list[ServiceRate]:
    """Return every rate of the service, the latest date first."""
    query = select(ServiceRate).where(
        ServiceRate.tenant_id == work.tenant_id, ServiceRate.service_id == find_service(work, code).id
    )
    return list(work.db.scalars(query.order_by(*NEWEST_FIRST)))


def set_service_rate(work: Work, code: str, rate_cents: int, effective_on: date) -> ServiceRate:
    """Set the rate from a date on, today or later. Setting it again for the same date corrects it."""
    service = find_service(work, code)
    if effective_on < local_today(work):
        raise Invalid([FieldProblem("effective_on", "A rate cannot start in the past. Choose today or later.")])
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
