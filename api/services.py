"""Routes of the catalog of services and their rates from a date on."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import RequestContext, Version
from api.field_problems import describe_pattern
from api.fields import AccountId, CreatedAt, Day, MoneyIn, MoneyOut, Name, RecordVersion, SetAt, describe, example
from api.names import PersonOf, from_record
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.scheduling.catalog import services
from practice.scheduling.catalog.services import CodeTaken, PricedService
from practice.scheduling.models.catalog import Service, ServiceRate

router = PermissionRouter(prefix="/services", tags=["services"])

ServiceKind = Literal["INDIVIDUAL", "GROUP", "INTAKE", "FAMILY", "MEDICATION", "ASSESSMENT", "CRISIS"]
SERVICE_CODE = describe_pattern(
    r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", "Expected letters, digits and . _ + - only, starting with a letter or digit."
)
ServiceCode = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=SERVICE_CODE)]
CPT_CODE = describe_pattern(r"^[0-9A-Z]{5}$", "Expected five digits or capital letters, like 90837.")
CptCode = Annotated[str, StringConstraints(pattern=CPT_CODE)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Seats = Annotated[int, Field(ge=1, le=1000, description="Seats of a group; null for the capacity of the room.")]


Online = Annotated[bool, Field(description="Whether clients can book it online.")]


class ServiceIn(Input):
    model_config = example(
        code="IND45", name="Individual session", kind="INDIVIDUAL", cpt_code="90834", minutes=45, rate="150.00"
    )

    code: Annotated[ServiceCode, describe("The code that bookings use; it cannot change.")]
    name: Annotated[Name, describe("The name that people read.")]
    category: Annotated[Name | None, describe("The practice's own grouping.")] = None
    kind: Annotated[ServiceKind, describe("The kind, which decides pay.")]
    cpt_code: Annotated[CptCode | None, describe("The CPT code of the service on claims.")] = None
    minutes: Annotated[Minutes, describe("Length in minutes.")]
    capacity: Annotated[Seats | None, describe("Seats of a group.")] = None
    bookable_online: Online = True
    rate: Annotated[MoneyIn, describe("What it costs without another price, from today on.")]


class ServiceChange(Input):
    """Only the fields sent are changed. The code cannot change; set a new rate with `/rates`."""

    model_config = example(minutes=50)

    name: Annotated[Name, describe("The name that people read.")] = ""
    category: Annotated[Name | None, describe("The practice's own grouping.")] = None
    kind: Annotated[ServiceKind, describe("The kind, which decides pay.")] = "INDIVIDUAL"
    cpt_code: Annotated[CptCode | None, describe("The CPT code of the service on claims.")] = None
    minutes: Annotated[Minutes, describe("Length in minutes.")] = 1
    capacity: Annotated[Seats | None, describe("Seats of a group.")] = None
    bookable_online: Online = True


class ServiceQuery(ListQuery):
    active: Annotated[bool | None, describe("Only active services, or only others.")] = None
    kind: Annotated[ServiceKind | None, describe("Only of this kind.")] = None
    bookable_online: Annotated[bool | None, Field(description="Whether clients can book them online.")] = None


class RateIn(Input):
    model_config = example(rate="160.00", effective_on="2026-07-01")

    rate: Annotated[MoneyIn, describe("What it costs without another price.")]
    effective_on: Annotated[Day, describe("The first day on which it applies.")]


class ServiceOut(BaseModel):
    code: Annotated[str, describe("The code that bookings use.")]
    name: Annotated[str, describe("The name that people read.")]
    category: Annotated[str | None, describe("The practice's own grouping.")]
    kind: Annotated[str, describe("The kind, which decides pay.")]
    cpt_code: Annotated[str | None, describe("The CPT code of the service on claims.")]
    minutes: Annotated[int, describe("Length in minutes.")]
    capacity: Annotated[int | None, describe("Seats of a group; null for other kinds.")]
    rate: Annotated[MoneyOut, Field(description="The rate in force today.")]
    active: Annotated[bool, describe("Whether it can be booked.")]
    bookable_online: Annotated[bool, describe("Whether clients can book it in the portal.")]
    created_at: CreatedAt
    version: RecordVersion

    @classmethod
    def of(cls, priced: PricedService) -> "ServiceOut":
        return from_record(cls, priced.service, rate=priced.rate_cents)


class RateOut(BaseModel):
    rate: Annotated[MoneyOut, describe("What it costs without another price.")]
    effective_on: Annotated[date | None, describe("The first day; null from the beginning.")]
    set_at: SetAt
    set_by: AccountId | None
    set_by_person: PersonOf = None

    @classmethod
    def of(cls, rate: ServiceRate) -> "RateOut":
        return cls(rate=rate.rate_cents, effective_on=rate.effective_on, set_at=rate.set_at, set_by=rate.set_by)


class RatesOut(BaseModel):
    items: Annotated[list[RateOut], describe("The rates, latest first day first.")]


ServiceInList: Any = partial_model(ServiceOut)


def to_response(ctx: RequestContext, service: Service) -> ServiceOut:
    """Return a service with its rate of today."""
    (priced,) = services.load_priced_services(ctx.work, [service])
    return ServiceOut.of(priced)


@router.get("", permission="services.read")
def list_services(ctx: RequestContext, query: Annotated[ServiceQuery, Query()]) -> PageOut[ServiceInList]:
    """List services.

    Sorts by code, name or id.
    """
    filters = {"active": query.active, "kind": query.kind, "bookable_online": query.bookable_online}
    page = services.list_services(ctx.work, query.page_request(), **filters)
    return to_page(page, ServiceOut)


@router.post("", permission="services.write", status_code=201, errors=[CodeTaken])
def add_service(ctx: RequestContext, body: ServiceIn) -> ServiceOut:
    """Add a service to the catalog.

    Its rate counts until another is set.
    """
    values = body.model_dump(exclude={"rate"})
    return to_response(ctx, services.add_service(ctx.work, rate_cents=body.rate, **values))


@router.get("/{code}", permission="services.read")
def get_service(ctx: RequestContext, code: str) -> ServiceOut:
    """Get a service."""
    return to_response(ctx, services.find_service(ctx.work, code))


@router.patch("/{code}", permission="services.write")
def change_service(ctx: RequestContext, code: str, version: Version, body: ServiceChange) -> ServiceOut:
    """Change a service.

    Once it has been booked its kind is fixed; booked appointments keep their times.
    """
    changes = body.model_dump(exclude_unset=True)
    return to_response(ctx, services.change_service(ctx.work, code, version, changes))


@router.post("/{code}/deactivate", permission="services.write")
def deactivate_service(ctx: RequestContext, code: str) -> ServiceOut:
    """Deactivate a service.

    It cannot be booked any more; booked appointments stay.
    """
    return to_response(ctx, services.set_service_active(ctx.work, code, False))


@router.post("/{code}/activate", permission="services.write")
def activate_service(ctx: RequestContext, code: str) -> ServiceOut:
    """Activate a service.

    It can be booked again.
    """
    return to_response(ctx, services.set_service_active(ctx.work, code, True))


@router.get("/{code}/rates", permission="settings.read")
def list_service_rates(ctx: RequestContext, code: str) -> RatesOut:
    """List the rates of a service.

    Latest date first.
    """
    return RatesOut(items=[RateOut.of(rate) for rate in services.list_service_rates(ctx.work, code)])


@router.post("/{code}/rates", permission="services.write", status_code=201)
def set_service_rate(ctx: RequestContext, code: str, body: RateIn) -> RateOut:
    """Set a rate of a service.

    From a date on, today or later. The last one set for a date counts.
    """
    return RateOut.of(services.set_service_rate(ctx.work, code, body.rate, body.effective_on))
