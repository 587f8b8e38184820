"""Routes of fee schedules: what payers allow for a service from a date on."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import (
    AccountId,
    Day,
    MoneyIn,
    MoneyOut,
    RecordId,
    ServiceId,
    SetAt,
    Text40,
    VoidedAt,
    VoidReason,
    describe,
    example,
)
from api.names import PersonOf, ServiceName, StaffName, from_record
from api.responses import Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.scheduling.catalog import fee_schedules
from practice.scheduling.catalog.fee_schedules import FeeWithService

router = PermissionRouter(prefix="/fee-schedules", tags=["fee schedules"])


class FeeIn(Input):
    model_config = example(payer_id="60054", service="IND45", rate="112.50", effective_on="2026-01-01")

    payer_id: Annotated[Text40, describe("The payer's id with the clearinghouse.")]
    service: Annotated[Text40, describe("The code of a service in the catalog.")]
    clinician_id: Annotated[UUID | None, describe("Only for this clinician; left out, for all.")] = None
    rate: Annotated[MoneyIn, describe("What the payer pays for the service.")]
    effective_on: Annotated[Day | None, describe("The first day; left out, from the beginning.")] = None


class FeeQuery(ListQuery):
    payer_id: Annotated[Text40 | None, describe("Only of this payer.")] = None
    service: Annotated[Text40 | None, describe("Only for this service.")] = None
    clinician_id: Annotated[UUID | None, describe("Only for this clinician.")] = None
    voided: Annotated[bool, describe("Also list voided records.")] = False


class FeeOut(BaseModel):
    id: RecordId
    payer_id: Annotated[str, describe("The payer's id with the clearinghouse.")]
    service: Annotated[str, describe("The code of a service in the catalog.")]
    service_id: ServiceId
    service_name: ServiceName = None
    clinician_id: Annotated[UUID | None, describe("Only for this clinician; null for all.")]
    clinician_name: StaffName = None
    rate: Annotated[MoneyOut, describe("What the payer pays for the service.")]
    effective_on: Annotated[date | None, describe("The first day; null from the beginning.")]
    set_at: SetAt
    set_by: AccountId | None
    set_by_person: PersonOf = None
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None

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
