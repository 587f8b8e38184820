"""What payers allow for a service, from a date on."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.deps import Desk, endpoint
from api.fields import Day, MoneyIn, MoneyOut, Short, Why
from api.responses import Input, ListQuery, PageOut, page_out, some_of
from practice.scheduling.catalog import fee_schedules
from practice.scheduling.catalog.fee_schedules import Allowed

router = APIRouter(prefix="/fee-schedules", tags=["fee schedules"])


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


@endpoint(router, "GET", "", may="fees.read")
def list_fees(desk: Desk, query: Annotated[FeeQuery, Query()]) -> PageOut[FeeInList]:
    """What payers allow, with the voided ones where they are asked for. Sorts by payer_id, set_at or id."""
    wanted = {"payer_id": query.payer_id, "service": query.service, "clinician": query.clinician}
    return page_out(fee_schedules.list_fees(desk.work, query.asked(), voided=query.voided, **wanted), FeeOut)


@endpoint(router, "POST", "", may="fees.write", status=201)
def set_fee(desk: Desk, body: FeeIn) -> FeeOut:
    """What a payer allows for a service: from a date on or since ever, for one clinician or for all."""
    about = body.model_dump(exclude={"rate"})
    return FeeOut.of(fee_schedules.add_fee(desk.work, rate_cents=body.rate, **about))


@endpoint(router, "DELETE", "/{fee_id}", may="fees.write", status=204)
def void_fee(desk: Desk, fee_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """It was never right, and does not count. What was charged stays charged. The reason names nobody."""
    fee_schedules.void_fee(desk.work, fee_id, reason)
