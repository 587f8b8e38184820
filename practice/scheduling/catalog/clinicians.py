"""Who can be booked, and for what."""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from practice.errors import NotFound
from practice.people.access import staff_within
from practice.people.models.practices import Staff
from practice.scheduling.models.catalog import ClinicianService, Service
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, page_of


@dataclass(frozen=True)
class Offering:
    """A clinician, and the codes of the services that can be booked with them."""

    clinician: Staff
    services: list[str]


def list_clinicians(work: Work, asked: PageRequest, *, service: str | None = None) -> Page:
    """Those who work here now; of one service, those who offer it."""
    query = select(Staff).where(
        Staff.tenant_id == work.tenant_id, Staff.roles.contains(["clinician"]), Staff.deactivated_at.is_(None)
    )
    if service is not None:
        offered = select(Service.id).where(
            Service.tenant_id == work.tenant_id, Service.code == service, offers(Staff.id)
        )
        query = query.where(offered.exists())
    page = page_of(work.db, query, asked, {"last_name": Staff.last_name, "id": Staff.id}, Staff.id, "last_name")
    return replace(page, items=with_services(work, list(page.items)))


def with_services(work: Work, clinicians: list[Staff]) -> list[Offering]:
    query = (
        select(Staff.id, Service.code)
        .join(Service, Service.tenant_id == Staff.tenant_id)
        .where(
            Staff.tenant_id == work.tenant_id,
            Staff.id.in_([clinician.id for clinician in clinicians]),
            offers(Staff.id),
        )
        .order_by(Service.code)
    )
    codes: dict[UUID, list[str]] = defaultdict(list)
    for row in work.db.execute(query):
        codes[row.id].append(row.code)
    return [Offering(clinician, codes[clinician.id]) for clinician in clinicians]


def offers(clinician_id: Any) -> ColumnElement[bool]:
    """Whether the clinician offers the `Service` of a query: all do while it is active, unless they said no to it."""
    own = ClinicianService
    declined = select(own.id).where(
        own.tenant_id == Service.tenant_id,
        own.clinician_id == clinician_id,
        own.service_id == Service.id,
        own.offered.is_(False),
    )
    return Service.active & ~declined.correlate_except(own).exists()


def get_clinician(work: Work, staff_id: UUID, scope: Scope = Scope.ALL) -> Staff:
    """Also one who has left. Somebody who is no clinician is not here."""
    query = select(Staff).where(
        Staff.tenant_id == work.tenant_id, Staff.id == staff_id, Staff.roles.contains(["clinician"])
    )
    clinician = work.db.scalar(query.where(staff_within(work, scope, Staff.id)))
    if clinician is None:
        raise NotFound
    return clinician


def is_clinician(work: Work, staff_id: UUID) -> bool:
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id == staff_id)
    return work.db.scalar(query.where(Staff.roles.contains(["clinician"]))) is not None
