"""The catalogue of services, and what each costs from a date on."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import RequestContext, Version
from api.fields import Day, MoneyIn, MoneyOut, Name
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.scheduling.catalog import services
from practice.scheduling.catalog.services import CodeTaken, Priced
from practice.scheduling.models.catalog import Service, ServiceRate

router = PermissionRouter(prefix="/services", tags=["services"])

ServiceKind = Literal["INDIVIDUAL", "GROUP", "INTAKE", "FAMILY", "MEDICATION", "ASSESSMENT", "CRISIS"]
ServiceCode = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
CptCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{5}$")]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Seats = Annotated[int, Field(ge=1, le=1000, description="Of a group; empty: as many as the room has.")]


class ServiceIn(Input):
    code: ServiceCode
    name: Name
    category: Name | None = None
    kind: ServiceKind
    cpt_code: CptCode | None = None
    minutes: Minutes
    capacity: Seats | None = None
    rate: MoneyIn


class ServiceChange(Input):
    """Only what is sent is changed. The code stays; the rate is changed from a date on, with a rate of its own."""

    name: Name = ""
    category: Name | None = None
    kind: ServiceKind = "INDIVIDUAL"
    cpt_code: CptCode | None = None
    minutes: Minutes = 1
    capacity: Seats | None = None


class ServiceQuery(ListQuery):
    active: bool | None = None
    kind: ServiceKind | None = None


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
    rate: Annotated[MoneyOut, Field(description="In force today.")]
    active: bool
    created_at: datetime
    version: int

    @classmethod
    def of(cls, priced: Priced) -> "ServiceOut":
        plain = {name: getattr(priced.service, name) for name in cls.model_fields if name != "rate"}
        return cls(**plain, rate=priced.rate_cents)


class RateOut(BaseModel):
    rate: MoneyOut
    effective_on: date | None
    set_at: datetime
    set_by: UUID | None

    @classmethod
    def of(cls, rate: ServiceRate) -> "RateOut":
        return cls(rate=rate.rate_cents, effective_on=rate.effective_on, set_at=rate.set_at, set_by=rate.set_by)


class RatesOut(BaseModel):
    items: list[RateOut]


ServiceInList: Any = some_of(ServiceOut)


def service_out(ctx: RequestContext, service: Service) -> ServiceOut:
    (priced,) = services.priced(ctx.work, [service])
    return ServiceOut.of(priced)


@router.get("", permission="services.read")
def list_services(ctx: RequestContext, query: Annotated[ServiceQuery, Query()]) -> PageOut[ServiceInList]:
    """The catalogue. Sorts by code, name or id."""
    found = services.list_services(ctx.work, query.asked(), active=query.active, kind=query.kind)
    return page_out(found, ServiceOut)


@router.post("", permission="services.write", status_code=201, errors=[CodeTaken])
def add_service(ctx: RequestContext, body: ServiceIn) -> ServiceOut:
    """Put a service into the catalogue. Its rate counts until another is set."""
    about = body.model_dump(exclude={"rate"})
    return service_out(ctx, services.add_service(ctx.work, rate_cents=body.rate, **about))


@router.get("/{code}", permission="services.read")
def get_service(ctx: RequestContext, code: str) -> ServiceOut:
    """One service."""
    return service_out(ctx, services.find_service(ctx.work, code))


@router.patch("/{code}", permission="services.write")
def change_service(ctx: RequestContext, code: str, version: Version, body: ServiceChange) -> ServiceOut:
    """Change a service. Once it has been booked its kind stays, and what is booked keeps its times."""
    changes = body.model_dump(exclude_unset=True)
    return service_out(ctx, services.change_service(ctx.work, code, version, changes))


@router.post("/{code}/deactivate", permission="services.write")
def deactivate_service(ctx: RequestContext, code: str) -> ServiceOut:
    """Nobody books it any more; what is booked stays."""
    return service_out(ctx, services.set_service_active(ctx.work, code, False))


@router.post("/{code}/activate", permission="services.write")
def activate_service(ctx: RequestContext, code: str) -> ServiceOut:
    """It can be booked again."""
    return service_out(ctx, services.set_service_active(ctx.work, code, True))


@router.get("/{code}/rates", permission="settings.read")
def list_service_rates(ctx: RequestContext, code: str) -> RatesOut:
    """How the rate came about: every rate that was set, the latest date first."""
    return RatesOut(items=[RateOut.of(rate) for rate in services.service_rates(ctx.work, code)])


@router.post("/{code}/rates", permission="services.write", status_code=201)
def set_service_rate(ctx: RequestContext, code: str, body: RateIn) -> RateOut:
    """A rate from a date on, today or later. Of one date the last set counts."""
    return RateOut.of(services.set_service_rate(ctx.work, code, body.rate, body.effective_on))
