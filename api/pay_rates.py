"""Routes of pay rates: base rates and multipliers, each from a date on."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, PlainSerializer, WithJsonSchema

from api.context import RequestContext
from api.field_problems import field_error
from api.fields import AccountId, Day, MoneyIn, MoneyOut, RecordId, SetAt, describe, example
from api.names import PersonOf, StaffName, from_record
from api.responses import Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from api.services import ServiceKind
from practice.payroll import rates
from practice.payroll.models import PayMultiplier, PayRate

router = PermissionRouter(tags=["pay"])

MULTIPLIER = r"^[0-9]{1,3}(\.[0-9]{1,2})?$"


def parse_multiplier(value: Any) -> Decimal:
    """Return the multiplier, or raise a field error."""
    if not isinstance(value, str) or not re.fullmatch(MULTIPLIER, value):
        raise field_error('Invalid multiplier: expected text with at most two decimals, like "1.25".')
    return Decimal(value)


Multiplier = Annotated[
    Decimal,
    BeforeValidator(parse_multiplier),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": MULTIPLIER, "examples": ["1.25"]}),
]


class PayRateIn(Input):
    model_config = example(rate="80.00", effective_on="2026-01-01")

    rate: Annotated[MoneyIn, describe("Base rate for an hour of an individual session.")]
    effective_on: Annotated[
        Day | None, describe("The first day. Left out, from the beginning, while no week is closed.")
    ] = None


class PayRateOut(BaseModel):
    id: RecordId
    rate: Annotated[MoneyOut, describe("Base rate for an hour of an individual session.")]
    effective_on: Annotated[date | None, describe("The first day; null from the beginning.")]
    set_at: SetAt
    set_by: AccountId | None
    set_by_person: PersonOf = None

    @classmethod
    def of(cls, rate: PayRate) -> "PayRateOut":
        return from_record(cls, rate, rate=rate.rate_cents)


class PayRatesOut(BaseModel):
    items: Annotated[list[PayRateOut], describe("The rates, latest first day first.")]


class MultiplierIn(Input):
    model_config = example(kind="GROUP", multiplier="1.50", effective_on="2026-01-01")

    staff_id: Annotated[UUID | None, describe("Only for this staff member; left out, for the practice.")] = None
    kind: Annotated[ServiceKind, describe("The kind of service.")]
    multiplier: Annotated[Multiplier, describe("Factor on the base rate for the kind of service.")]
    effective_on: Annotated[Day, describe("The first day on which it applies.")]


class MultiplierQuery(ListQuery):
    staff_id: Annotated[UUID | None, describe("Only of this staff member.")] = None
    kind: Annotated[ServiceKind | None, describe("Only for this kind of service.")] = None


class MultiplierOut(BaseModel):
    id: RecordId
    staff_id: Annotated[UUID | None, describe("Only for this staff member; null for the practice.")]
    staff_name: StaffName = None
    kind: Annotated[str, describe("The kind of service.")]
    multiplier: Annotated[str, describe("Factor on the base rate for the kind of service.")]
    effective_on: Annotated[date, describe("The first day on which it applies.")]
    set_at: SetAt
    set_by: AccountId | None
    set_by_person: PersonOf = None

    @classmethod
    def of(cls, multiplier: PayMultiplier) -> "MultiplierOut":
        return from_record(cls, multiplier, multiplier=f"{multiplier.multiplier:.2f}")


MultiplierInList: Any = partial_model(MultiplierOut)


@router.get("/staff/{staff_id}/pay-rates", permission="pay.read")
def list_pay_rates(ctx: RequestContext, staff_id: UUID) -> PayRatesOut:
    """List the base rates of a clinician.

    Per hour, latest date first.
    """
    return PayRatesOut(items=[PayRateOut.of(rate) for rate in rates.list_pay_rates(ctx.work, ctx.scope, staff_id)])


@router.post("/staff/{staff_id}/pay-rates", permission="pay.write", status_code=201)
def set_pay_rate(ctx: RequestContext, staff_id: UUID, body: PayRateIn) -> PayRateOut:
    """Set a base rate.

    From a date on, including past dates: pay of closed weeks becomes an adjustment.
    """
    return PayRateOut.of(rates.set_pay_rate(ctx.work, staff_id, body.rate, body.effective_on))


@router.get("/pay/multipliers", permission="pay.read")
def list_multipliers(ctx: RequestContext, query: Annotated[MultiplierQuery, Query()]) -> PageOut[MultiplierInList]:
    """List pay multipliers.

    By kind of service, for everybody or for one clinician. Sorts by effective_on, kind or id.
    """
    page = rates.list_multipliers(ctx.work, ctx.scope, query.page_request(), staff_id=query.staff_id, kind=query.kind)
    return to_page(page, MultiplierOut)


@router.post("/pay/multipliers", permission="pay.write", status_code=201)
def set_multiplier(ctx: RequestContext, body: MultiplierIn) -> MultiplierOut:
    """Set a pay multiplier.

    For a kind of service from a date on. The last one set for a date counts.
    """
    return MultiplierOut.of(rates.set_multiplier(ctx.work, **body.model_dump()))
