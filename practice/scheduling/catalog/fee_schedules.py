"""What differs from the catalogue: clinicians' own minutes and prices, and what payers allow."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select

from practice.errors import Invalid, NotFound, Stale
from practice.scheduling.catalog.clinicians import get_clinician, is_clinician
from practice.scheduling.catalog.services import code_problems, codes_of, find_service, ids_of
from practice.scheduling.models.catalog import ClinicianService, Fee, Service
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply, refusing

# Clinicians' own


@dataclass(frozen=True)
class OwnPrice:
    """A clinician's terms for a service; empty where they are as everybody's. Of version 0: none were ever set."""

    service: str
    minutes: int | None = None
    price_cents: int | None = None
    offered: bool = True
    version: int = 0


def list_prices(work: Work, staff_id: UUID) -> list[OwnPrice]:
    """Where the clinician's terms differ from everybody's."""
    get_clinician(work, staff_id)
    own = ClinicianService
    query = (
        select(Service.code, own.minutes, own.price_cents, own.offered, own.version)
        .join(own, (own.tenant_id == Service.tenant_id) & (own.service_id == Service.id))
        .where(
            own.tenant_id == work.tenant_id,
            own.clinician_id == staff_id,
            own.minutes.is_not(None) | own.price_cents.is_not(None) | own.offered.is_(False),
        )
    )
    return [OwnPrice(*row) for row in work.db.execute(query.order_by(Service.code))]


def get_price(work: Work, staff_id: UUID, code: str) -> OwnPrice:
    get_clinician(work, staff_id)
    own = find_own(work, staff_id, find_service(work, code).id)
    return OwnPrice(code) if own is None else own_price(code, own)


def set_price(
    work: Work,
    staff_id: UUID,
    code: str,
    version: int,
    *,
    minutes: int | None = None,
    price_cents: int | None = None,
    offered: bool = True,
) -> OwnPrice:
    get_clinician(work, staff_id)
    service = find_service(work, code)
    own = find_own(work, staff_id, service.id, lock=True)
    if version != (own.version if own else 0):
        raise Stale
    terms = {"minutes": minutes, "price_cents": price_cents, "offered": offered}
    if own is None:
        own = ClinicianService(
            tenant_id=work.tenant_id, id=new_id(), clinician_id=staff_id, service_id=service.id, version=1, **terms
        )
        work.db.add(own)
        with refusing("uq_clinician_services_tenant_id_clinician_id_service_id", Stale()):
            work.db.flush()
    else:
        apply(own, terms)
    work.record("clinician_price.set", "staff", staff_id, service=code)
    return own_price(code, own)


def reset_price(work: Work, staff_id: UUID, code: str, reason: str) -> None:
    """Back to the catalogue's."""
    get_clinician(work, staff_id)
    own = find_own(work, staff_id, find_service(work, code).id, lock=True)
    if own is None:
        raise NotFound
    apply(own, {"minutes": None, "price_cents": None, "offered": True})
    work.record("clinician_price.reset", "staff", staff_id, service=code, reason=reason)


def find_own(work: Work, staff_id: UUID, service_id: UUID, *, lock: bool = False) -> ClinicianService | None:
    query = select(ClinicianService).where(
        ClinicianService.tenant_id == work.tenant_id,
        ClinicianService.clinician_id == staff_id,
        ClinicianService.service_id == service_id,
    )
    return work.db.scalar(query.with_for_update() if lock else query)


def own_price(code: str, own: ClinicianService) -> OwnPrice:
    return OwnPrice(code, own.minutes, own.price_cents, own.offered, own.version)


# Payers'


@dataclass(frozen=True)
class Allowed:
    """A fee, with the code of its service."""

    fee: Fee
    service: str


def list_fees(
    work: Work,
    asked: PageRequest,
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
        of_code = select(Service.id).where(Service.tenant_id == work.tenant_id, Service.code == service)
        query = query.where(Fee.service_id.in_(of_code))
    page = page_of(
        work.db, query, asked, {"payer_id": Fee.payer_id, "set_at": Fee.set_at, "id": Fee.id}, Fee.id, "payer_id"
    )
    codes = codes_of(work, {fee.service_id for fee in page.items})
    return replace(page, items=[Allowed(fee, codes[fee.service_id]) for fee in page.items])


def add_fee(
    work: Work,
    *,
    payer_id: str,
    service: str,
    rate_cents: int,
    clinician_id: UUID | None = None,
    effective_on: date | None = None,
) -> Allowed:
    """From a date on, or since ever. Of the same payer, service, clinician and date the last one set counts."""
    found = ids_of(work, [service])
    problems = code_problems([service], found)
    if clinician_id is not None and not is_clinician(work, clinician_id):
        problems.append("The clinician is none of this practice.")
    if problems:
        raise Invalid(problems)
    fee = Fee(
        tenant_id=work.tenant_id,
        id=new_id(),
        payer_id=payer_id,
        service_id=found[service],
        clinician_id=clinician_id,
        rate_cents=rate_cents,
        effective_on=effective_on,
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(fee)
    work.record("fee.set", "fee", fee.id)
    return Allowed(fee, service)


def void_fee(work: Work, fee_id: UUID, reason: str) -> None:
    query = select(Fee).where(Fee.tenant_id == work.tenant_id, Fee.id == fee_id, Fee.voided_at.is_(None))
    fee = work.db.scalar(query.with_for_update())
    if fee is None:
        raise NotFound
    work.void(fee, reason)
    work.record("fee.voided", "fee", fee_id, reason=reason)
