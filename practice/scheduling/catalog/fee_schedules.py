"""Deviations from the catalog: clinicians' own minutes and prices, and payers' fee schedules."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select

from practice.errors import FieldProblem, Invalid, NotFound, Stale
from practice.scheduling.catalog.clinicians import get_clinician, is_clinician
from practice.scheduling.catalog.services import (
    NO_SUCH_SERVICE,
    find_service,
    load_service_codes,
    load_service_ids,
)
from practice.scheduling.models.catalog import ClinicianService, Fee, Service
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict, update_versioned

# Clinicians' prices


@dataclass(frozen=True)
class ClinicianPrice:
    """A clinician's terms for a service. None means the catalog's; version 0 means that none were ever set."""

    service: str
    minutes: int | None = None
    price_cents: int | None = None
    offered: bool = True
    version: int = 0


def list_prices(work: Work, staff_id: UUID) -> list[ClinicianPrice]:
    """Return the clinician's terms that differ from the catalog."""
    get_clinician(work, Scope.ALL, staff_id)
    differs = (
        ClinicianService.minutes.is_not(None)
        | ClinicianService.price_cents.is_not(None)
        | ClinicianService.offered.is_(False)
    )
    query = (
        select(
            Service.code,
            ClinicianService.minutes,
            ClinicianService.price_cents,
            ClinicianService.offered,
            ClinicianService.version,
        )
        .join(
            ClinicianService,
            (ClinicianService.tenant_id == Service.tenant_id) & (ClinicianService.service_id == Service.id),
        )
        .where(ClinicianService.tenant_id == work.tenant_id, ClinicianService.clinician_id == staff_id, differs)
    )
    return [ClinicianPrice(*row) for row in work.db.execute(query.order_by(Service.code))]


def get_price(work: Work, staff_id: UUID, code: str) -> ClinicianPrice:
    get_clinician(work, Scope.ALL, staff_id)
    clinician_service = find_clinician_service(work, staff_id, find_service(work, code).id)
    return ClinicianPrice(code) if clinician_service is None else build_clinician_price(code, clinician_service)


def set_price(
    work: Work,
    staff_id: UUID,
    code: str,
    version: int,
    *,
    minutes: int | None = None,
    price_cents: int | None = None,
    offered: bool = True,
) -> ClinicianPrice:
    get_clinician(work, Scope.ALL, staff_id)
    service = find_service(work, code)
    clinician_service = find_clinician_service(work, staff_id, service.id, lock=True)
    if version != (clinician_service.version if clinician_service else 0):
        raise Stale
    terms = {"minutes": minutes, "price_cents": price_cents, "offered": offered}
    if clinician_service is None:
        clinician_service = ClinicianService(
            tenant_id=work.tenant_id, id=new_id(), clinician_id=staff_id, service_id=service.id, version=1, **terms
        )
        work.db.add(clinician_service)
        with on_conflict("uq_clinician_services_tenant_id_clinician_id_service_id", Stale()):
            work.db.flush()
    else:
        update_versioned(clinician_service, terms)
    work.record("clinician_price.set", "staff", staff_id, service=code)
    return build_clinician_price(code, clinician_service)


def reset_price(work: Work, staff_id: UUID, code: str, reason: str) -> None:
    """Reset the clinician's terms to the catalog's."""
    get_clinician(work, Scope.ALL, staff_id)
    clinician_service = find_clinician_service(work, staff_id, find_service(work, code).id, lock=True)
    if clinician_service is None:
        raise NotFound
    update_versioned(clinician_service, {"minutes": None, "price_cents": None, "offered": True})
    work.record("clinician_price.reset", "staff", staff_id, service=code, reason=reason)


def find_clinician_service(
    work: Work, staff_id: UUID, service_id: UUID, *, lock: bool = False
) -> ClinicianService | None:
    query = select(ClinicianService).where(
        ClinicianService.tenant_id == work.tenant_id,
        ClinicianService.clinician_id == staff_id,
        ClinicianService.service_id == service_id,
    )
    return work.db.scalar(query.with_for_update() if lock else query)


def build_clinician_price(code: str, clinician_service: ClinicianService) -> ClinicianPrice:
    return ClinicianPrice(
        code,
        clinician_service.minutes,
        clinician_service.price_cents,
        clinician_service.offered,
        clinician_service.version,
    )


# Payers' fees


@dataclass(frozen=True)
class FeeWithService:
    """A fee with the code of its service."""

    fee: Fee
    service: str


def list_fees(
    work: Work,
    page_request: PageRequest,
    *,
    payer_id: str | None = None,
    service: str | None = None,
    clinician: UUID | None = None,
    voided: bool = False,
) -> Page:
    query = select(Fee).where(Fee.tenant_id == work.tenant_id)
    if not voided:
        query = query.where(Fee.voided_at.is_(None))
    if payer_id is not None:
        query = query.where(Fee.payer_id == payer_id)
    if clinician is not None:
        query = query.where(Fee.clinician_id == clinician)
    if service is not None:
        matching = select(Service.id).where(Service.tenant_id == work.tenant_id, Service.code == service)
        query = query.where(Fee.service_id.in_(matching))
    page = fetch_page(
        work.db, query, page_request, {"payer_id": Fee.payer_id, "set_at": Fee.set_at, "id": Fee.id}, Fee.id, "payer_id"
    )
    codes = load_service_codes(work, {fee.service_id for fee in page.items})
    return replace(page, items=[FeeWithService(fee, codes[fee.service_id]) for fee in page.items])


def add_fee(
    work: Work,
    *,
    payer_id: str,
    service: str,
    rate_cents: int,
    clinician_id: UUID | None = None,
    effective_on: date | None = None,
) -> FeeWithService:
    """Add a fee from a date on, or from the beginning. The last one set for the same key and date counts."""
    service_ids = load_service_ids(work, [service])
    problems = [] if service_ids else [FieldProblem("service", NO_SUCH_SERVICE)]
    if clinician_id is not None and not is_clinician(work, clinician_id):
        problems.append(FieldProblem("clinician_id", "Clinician not found (`clinician_id`)."))
    if problems:
        raise Invalid(problems)
    fee = Fee(
        tenant_id=work.tenant_id,
        id=new_id(),
        payer_id=payer_id,
        service_id=service_ids[service],
        clinician_id=clinician_id,
        rate_cents=rate_cents,
        effective_on=effective_on,
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(fee)
    work.record("fee.set", "fee", fee.id)
    return FeeWithService(fee, service)


def void_fee(work: Work, fee_id: UUID, reason: str) -> None:
    query = select(Fee).where(Fee.tenant_id == work.tenant_id, Fee.id == fee_id, Fee.voided_at.is_(None))
    fee = work.db.scalar(query.with_for_update())
    if fee is None:
        raise NotFound
    work.void(fee, reason)
    work.record("fee.voided", "fee", fee_id, reason=reason)
