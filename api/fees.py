"""What payers allow for a service, from a date on."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Day, MoneyIn, MoneyOut, Short, Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.scheduling.catalog import fee_schedules
from practice.scheduling.catalog.fee_schedules import Allowed

router = PermissionRouter(prefix="/fee-schedules", tags=["fee schedules"])


class FeeIn(Input):
    payer_id: Short
    service: Short
    clinician_id: UUID | None = None
    rate: MoneyIn
    effective_on: Day | None = None


class FeeQuery(ListQuery):
    payer_id: Short | None = None
    service: Short | None = None
    clinician: UUID | None = None
    voided: bool = False


class FeeOut(BaseModel):
    id: UUID
    payer_id: str
    service: str
    clinician_id: UUID | None
    rate: MoneyOut
    effective_on: date | None
    set_at: datetime
    set_by: UUID | None
    voided_at: datetime | None
    void_reason: str | None

    @classmethod
    def of(cls, allowed: Allowed) -> "FeeOut":
        fee = allowed.fee
        plain = {name: getattr(fee, name) for name in cls.model_fields if name not in ("service", "rate")}
        return cls(**plain, service=allowed.service, rate=fee.rate_cents)


FeeInList: Any = some_of(FeeOut)


@router.get("", permission="fees.read")
def list_fees(ctx: RequestContext, query: Annotated[FeeQuery, Query()]) -> PageOut[FeeInList]:
    """What payers allow, with the voided ones where they are asked for. Sorts by payer_id, set_at or id."""
    wanted = {"payer_id": query.payer_id, "service": query.service, "clinician": query.clinician}
    return page_out(fee_schedules.list_fees(ctx.work, query.asked(), voided=query.voided, **wanted), FeeOut)


@router.post("", permission="fees.write", status_code=201)
def set_fee(ctx: RequestContext, body: FeeIn) -> FeeOut:
    """What a payer allows for a service: from a date on or since ever, for one clinician or for all."""
    about = body.model_dump(exclude={"rate"})
    return FeeOut.of(fee_schedules.add_fee(ctx.work, rate_cents=body.rate, **about))


@router.delete("/{fee_id}", permission="fees.write", status_code=204)
def void_fee(ctx: RequestContext, fee_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """It was never right, and does not count. What was charged stays charged. The reason names nobody."""
    fee_schedules.void_fee(ctx.work, fee_id, reason)
