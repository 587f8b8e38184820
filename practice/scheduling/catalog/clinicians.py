"""Bookable clinicians and the services they offer."""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from practice.errors import NotFound
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.scheduling.models.catalog import ClinicianService, Service
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, fetch_page


@dataclass(frozen=True)
class Offering:
    """A clinician with the codes of the services they offer."""

    clinician: Staff
    services: list[str]


def list_clinicians(work: Work, page_request: PageRequest, *, service: str | None = None) -> Page:
    """Return a page of active clinicians, optionally only those who offer the service."""
    query = select(Staff).where(
        Staff.tenant_id == work.tenant_id, Staff.roles.contains(["clinician"]), Staff.deactivated_at.is_(None)
    )
    if service is not None:
        offered = select(Service.id).where(
            Service.tenant_id == work.tenant_id, Service.code == service, is_offered_by(Staff.id)
        )
        query = query.where(offered.exists())
    page = fetch_page(
        work.db, query, page_request, {"last_name": Staff.last_name, "id": Staff.id}, Staff.id, "last_name"
    )
    return replace(page, items=load_offerings(work, list(page.items)))


def load_offerings(work: Work, clinicians: list[Staff]) -> list[Offering]:
    """Return the clinicians with their service codes."""
    query = (
        select(Staff.id, Service.code)
        .join(Service, Service.tenant_id == Staff.tenant_id)
        .where(
            Staff.tenant_id == work.tenant_id,
            Staff.id.in_([clinician.id for clinician in clinicians]),
            is_offered_by(Staff.id),
        )
        .order_by(Service.code)
    )
    codes: dict[UUID, list[str]] = defaultdict(list)
    for row in work.db.execute(query):
        codes[row.id].append(row.code)
    return [Offering(clinician, codes[clinician.id]) for clinician in clinicians]


def is_offered_by(clinician_id: Any) -> ColumnElement[bool]:
    """Return the condition that the clinician offers the `Service` of a query: it is active and not declined."""
    declined = select(ClinicianService.id).where(
        ClinicianService.tenant_id == Service.tenant_id,
        ClinicianService.clinician_id == clinician_id,
        ClinicianService.service_id == Service.id,
        ClinicianService.offered.is_(False),
    )
    return Service.active & ~declined.correlate_except(ClinicianService).exists()


def get_clinician(work: Work, scope: Scope, staff_id: UUID) -> Staff:
    """Return the clinician within the scope, including one who has left, or raise NotFound."""
    query = select(Staff).where(
        Staff.tenant_id == work.tenant_id, Staff.id == staff_id, Staff.roles.contains(["clinician"])
    )
    clinician = work.db.scalar(query.where(visible_staff(work, scope, Staff.id)))
    if clinician is None:
        raise NotFound
    return clinician


def is_clinician(work: Work, staff_id: UUID) -> bool:
    query = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id == staff_id)
    return work.db.scalar(query.where(Staff.roles.contains(["clinician"]))) is not None
