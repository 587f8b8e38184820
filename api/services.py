"""Routes of the catalog of services and their rates from a date on."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import RequestContext, Version
from api.field_problems import describe_pattern
from api.fields import Day, MoneyIn, MoneyOut, Name
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
    code: ServiceCode
    name: Name
    category: Name | None = None
    kind: ServiceKind
    cpt_code: CptCode | None = None
    minutes: Minutes
    capacity: Seats | None = None
    bookable_online: Online = True
    rate: MoneyIn


class ServiceChange(Input):
    """Only the fields sent are changed. The code cannot change; set a new rate with `/rates`."""

    name: Name = ""
    category: Name | None = None
    kind: ServiceKind = "INDIVIDUAL"
    cpt_code: CptCode | None = None
    minutes: Minutes = 1
    capacity: Seats | None = None
    bookable_online: Online = True


class ServiceQuery(ListQuery):
    active: bool | None = None
    kind: ServiceKind | None = None
    bookable_online: Annotated[bool | None, Field(description="Whether clients can book them online.")] = None


class RateIn(Input):
    rate: MoneyIn
    effective_on: Day


class ServiceOut(BaseModel):
    code: str
    name: str
    category: str | None
    kind: str
    cpt_code: str | None
    minutes: int
    capacity: int | None
    rate: Annotated[MoneyOut, Field(description="The rate in force today.")]
    active: bool
    bookable_online: bool
    created_at: datetime
    version: int

    @classmethod
    def of(cls, priced: PricedService) -> "ServiceOut":
        return from_record(cls, priced.service, rate=priced.rate_cents)


class RateOut(BaseModel):
    rate: MoneyOut
    effective_on: date | None
    set_at: datetime
    set_by: UUID | None
    set_by_person: PersonOf = None

    @classmethod
    def of(cls, rate: ServiceRate) -> "RateOut":
        return cls(rate=rate.rate_cents, effective_on=rate.effective_on, set_at=rate.set_at, set_by=rate.set_by)


class RatesOut(BaseModel):
    items: list[RateOut]


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
