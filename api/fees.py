"""Routes of fee schedules: what payers allow for a service from a date on."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import Day, MoneyIn, MoneyOut, Text40
from api.names import PersonOf, ServiceName, StaffName, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.scheduling.catalog import fee_schedules
from practice.scheduling.catalog.fee_schedules import FeeWithService

router = PermissionRouter(prefix="/fee-schedules", tags=["fee schedules"])


class FeeIn(Input):
    payer_id: Text40
    service: Text40
    clinician_id: UUID | None = None
    rate: MoneyIn
    effective_on: Day | None = None


class FeeQuery(ListQuery):
    payer_id: Text40 | None = None
    service: Text40 | None = None
    clinician_id: UUID | None = None
    voided: bool = False


class FeeOut(BaseModel):
    id: UUID
    payer_id: str
    service: str
    service_id: UUID
    service_name: ServiceName = None
    clinician_id: UUID | None
    clinician_name: StaffName = None
    rate: MoneyOut
    effective_on: date | None
    set_at: datetime
    set_by: UUID | None
    set_by_person: PersonOf = None
    voided_at: datetime | None
    voided_by: UUID | None
    voided_by_person: PersonOf = None
    void_reason: str | None

    @classmethod
    def of(cls, allowed: FeeWithService) -> "FeeOut":
        fee = allowed.fee
        return from_record(cls, fee, service=allowed.service, rate=fee.rate_cents)


FeeInList: Any = partial_model(FeeOut)


@router.get("", permission="fees.read")
def list_fees(ctx: RequestContext, query: Annotated[FeeQuery, Query()]) -> PageOut[FeeInList]:
    """List fees.

    Sorts by payer_id, set_at or id.
    """
    filters = {"payer_id": query.payer_id, "service": query.service, "clinician": query.clinician_id}
    return to_page(fee_schedules.list_fees(ctx.work, query.page_request(), voided=query.voided, **filters), FeeOut)


@router.post("", permission="fees.write", status_code=201)
def add_fee(ctx: RequestContext, body: FeeIn) -> FeeOut:
    """Add a fee.

    What a payer allows for a service: always or from a date on, for one clinician or for all.
    """
    values = body.model_dump(exclude={"rate"})
    return FeeOut.of(fee_schedules.add_fee(ctx.work, rate_cents=body.rate, **values))


@router.delete("/{fee_id}", permission="fees.write", status_code=204)
def void_fee(ctx: RequestContext, fee_id: UUID, body: VoidIn) -> None:
    """Void a fee.

    It no longer counts, but stays on record with who, when and why; charges already made stay. Do not put personal
    data in `reason`.
    """
    fee_schedules.void_fee(ctx.work, fee_id, body.reason)
