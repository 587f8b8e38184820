"""What a visit costs, in responses."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.fields import MoneyOut, describe
from api.names import ServiceName
from practice.scheduling.appointments.booking_context import BookingContext
from practice.scheduling.catalog.quotes import Cost

Copay = Annotated[MoneyOut | None, Field(description="Null when it is not known.")]
PaymentRequired = Annotated[
    bool | None,
    Field(description="Whether something is due at the visit; null when the amount is not known."),
]
AmountDue = Annotated[MoneyOut | None, Field(description="The amount due at the visit; null when it is not known.")]


class CostOut(BaseModel):
    service_code: Annotated[str, describe("The code of the service in the catalog.")]
    service_name: ServiceName = None
    cpt_code: Annotated[str | None, describe("The CPT code of the service on claims.")]
    units: Annotated[int, describe("Billing units.")]
    minutes: Annotated[int, describe("Length in minutes.")]
    price: Annotated[MoneyOut | None, describe("What it will cost; null without a price.")]
    price_source: Annotated[str | None, describe("Where the price comes from: fee schedule, clinician or catalog.")]
    copay: Copay
    insurance_applies: Annotated[bool, describe("Whether a coverage is in force on that day.")]
    payment_required: PaymentRequired
    amount: AmountDue

    @classmethod
    def of(cls, facts: BookingContext, cost: Cost | None) -> "CostOut":
        return cls(
            service_code=facts.row.service_code,
            cpt_code=facts.row.cpt_code,
            units=1,
            minutes=facts.row.length // timedelta(minutes=1),
            price=cost.cents if cost else None,
            price_source=cost.source if cost else None,
            copay=cost.copay_cents if cost else None,
            insurance_applies=bool(cost and cost.insurance),
            **describe_payment(cost),
        )


def describe_payment(cost: Cost | None) -> dict[str, Any]:
    """Return what is due at the visit, as far as it is known."""
    due = cost.due_cents if cost else None
    return {"payment_required": None if due is None else due > 0, "amount": due}
