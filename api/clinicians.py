"""Routes of bookable clinicians and their own durations and prices."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext, Version
from api.fields import MoneyIn, MoneyOut, RecordId, Text40, describe, example
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from api.services import Minutes
from practice.scheduling.catalog import clinicians, fee_schedules
from practice.scheduling.catalog.clinicians import Offering
from practice.scheduling.catalog.fee_schedules import ClinicianPrice

router = PermissionRouter(prefix="/clinicians", tags=["clinicians"])


class ClinicianQuery(ListQuery):
    service: Annotated[Text40 | None, describe("Only those who offer this service.")] = None


class ClinicianOut(BaseModel):
    id: RecordId
    first_name: Annotated[str, describe("Given name, as the person writes it.")]
    last_name: Annotated[str, describe("Family name, as the person writes it.")]
    discipline: Annotated[str | None, describe("Professional discipline.")]
    license_type: Annotated[str | None, describe("Type of license, which decides the supervision that it requires.")]
    services: Annotated[list[str], describe("Codes of the services that the clinician offers.")]

    @classmethod
    def of(cls, offering: Offering) -> "ClinicianOut":
        plain = {name: getattr(offering.clinician, name) for name in cls.model_fields if name != "services"}
        return cls(**plain, services=offering.services)


class PriceIn(Input):
    """Replaces the terms as a whole: an omitted field is as in the catalog."""

    model_config = example(minutes=50, price="175.00")

    minutes: Annotated[
        Minutes | None, describe("The clinician's own length, in minutes; left out, that of the catalog.")
    ] = None
    price: Annotated[MoneyIn | None, describe("The clinician's own price; left out, that of the catalog.")] = None
    offered: Annotated[bool, describe("Whether the clinician offers the service.")] = True


class PriceOut(BaseModel):
    service: Annotated[str, describe("The code of a service in the catalog.")]
    minutes: Annotated[int | None, describe("The clinician's own length, in minutes; null for that of the catalog.")]
    price: Annotated[MoneyOut | None, describe("The clinician's own price; null for that of the catalog.")]
    offered: Annotated[bool, describe("Whether the clinician offers the service.")]
    version: Annotated[int, describe("The number of this state; 0 before anything was set.")]

    @classmethod
    def of(cls, price: ClinicianPrice) -> "PriceOut":
        return cls(
            **{name: getattr(price, name) for name in cls.model_fields if name != "price"}, price=price.price_cents
        )


class PricesOut(BaseModel):
    items: Annotated[list[PriceOut], describe("The records, in the order of the list.")]


ClinicianInList: Any = partial_model(ClinicianOut)


@router.get("", permission="services.read")
def list_clinicians(ctx: RequestContext, query: Annotated[ClinicianQuery, Query()]) -> PageOut[ClinicianInList]:
    """List clinicians.

    And the services that each offers. Sorts by last_name or id.
    """
    return to_page(clinicians.list_clinicians(ctx.work, query.page_request(), service=query.service), ClinicianOut)


@router.get("/{staff_id}/prices", permission="services.read")
def list_prices(ctx: RequestContext, staff_id: UUID) -> PricesOut:
    """List a clinician's own terms.

    The services whose duration, price or offer differs from the catalog.
    """
    return PricesOut(items=[PriceOut.of(price) for price in fee_schedules.list_prices(ctx.work, staff_id)])


@router.get("/{staff_id}/prices/{code}", permission="services.read")
def get_price(ctx: RequestContext, staff_id: UUID, code: str) -> PriceOut:
    """Get a clinician's own terms for a service.

    Null fields are as in the catalog; version 0 means none were ever set.
    """
    return PriceOut.of(fee_schedules.get_price(ctx.work, staff_id, code))


@router.put("/{staff_id}/prices/{code}", permission="services.write")
def set_price(ctx: RequestContext, staff_id: UUID, code: str, version: Version, body: PriceIn) -> PriceOut:
    """Set a clinician's own terms for a service.

    Send `If-Match: "0"` when none were ever set.
    """
    terms = {"minutes": body.minutes, "price_cents": body.price, "offered": body.offered}
    return PriceOut.of(fee_schedules.set_price(ctx.work, staff_id, code, version, **terms))


@router.delete("/{staff_id}/prices/{code}", permission="services.write", status_code=204)
def reset_price(ctx: RequestContext, staff_id: UUID, code: str, body: VoidIn) -> None:
    """Reset a clinician's terms to the catalog.

    The reason goes into the audit log. Do not put personal data in `reason`.
    """
    fee_schedules.reset_price(ctx.work, staff_id, code, body.reason)
