"""The clinicians whom everybody may book, and their own minutes and prices."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext, Version
from api.fields import MoneyIn, MoneyOut, Short, Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from api.services import Minutes
from practice.scheduling.catalog import clinicians, fee_schedules
from practice.scheduling.catalog.clinicians import Offering
from practice.scheduling.catalog.fee_schedules import OwnPrice

router = PermissionRouter(prefix="/clinicians", tags=["clinicians"])


class ClinicianQuery(ListQuery):
    service: Short | None = None


class ClinicianOut(BaseModel):
    id: UUID
    first_name: str
    last_name: str
    discipline: str | None
    license_type: str | None
    services: list[str]

    @classmethod
    def of(cls, found: Offering) -> "ClinicianOut":
        plain = {name: getattr(found.clinician, name) for name in cls.model_fields if name != "services"}
        return cls(**plain, services=found.services)


class PriceIn(Input):
    """All of it, at once: what is left out is as in the catalogue."""

    minutes: Minutes | None = None
    price: MoneyIn | None = None
    offered: bool = True


class PriceOut(BaseModel):
    service: str
    minutes: int | None
    price: MoneyOut | None
    offered: bool
    version: int

    @classmethod
    def of(cls, own: OwnPrice) -> "PriceOut":
        return cls(**{name: getattr(own, name) for name in cls.model_fields if name != "price"}, price=own.price_cents)


class PricesOut(BaseModel):
    items: list[PriceOut]


ClinicianInList: Any = some_of(ClinicianOut)


@router.get("", permission="services.read")
def list_clinicians(ctx: RequestContext, query: Annotated[ClinicianQuery, Query()]) -> PageOut[ClinicianInList]:
    """Who works here, and which services each offers. Sorts by last_name or id."""
    return page_out(clinicians.list_clinicians(ctx.work, query.asked(), service=query.service), ClinicianOut)


@router.get("/{staff_id}/prices", permission="services.read")
def list_prices(ctx: RequestContext, staff_id: UUID) -> PricesOut:
    """Where a clinician's minutes, prices or services differ from the catalogue."""
    return PricesOut(items=[PriceOut.of(own) for own in fee_schedules.list_prices(ctx.work, staff_id)])


@router.get("/{staff_id}/prices/{code}", permission="services.read")
def get_price(ctx: RequestContext, staff_id: UUID, code: str) -> PriceOut:
    """A clinician's own terms for a service. Empty is as in the catalogue; of version 0, none were ever set."""
    return PriceOut.of(fee_schedules.get_price(ctx.work, staff_id, code))


@router.put("/{staff_id}/prices/{code}", permission="services.write")
def set_price(ctx: RequestContext, staff_id: UUID, code: str, version: Version, body: PriceIn) -> PriceOut:
    """Set a clinician's own terms for a service. Where none were ever set, If-Match is "0"."""
    terms = {"minutes": body.minutes, "price_cents": body.price, "offered": body.offered}
    return PriceOut.of(fee_schedules.set_price(ctx.work, staff_id, code, version, **terms))


@router.delete("/{staff_id}/prices/{code}", permission="services.write", status_code=204)
def reset_price(ctx: RequestContext, staff_id: UUID, code: str, reason: Annotated[Why, Query()]) -> None:
    """Back to the catalogue's terms. The reason goes into the audit log and names nobody."""
    fee_schedules.reset_price(ctx.work, staff_id, code, reason)
