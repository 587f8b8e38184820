"""Quotes: the cost of an appointment from the applicable rates."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.scheduling.catalog.rules import Rate, choose_price
from practice.security.work import Work

RATES_SQL = text("""
    select 'service' as source, rate_cents, effective_on, set_at from service_rates
    where tenant_id = :tenant_id and service_id = :service_id
    union all
    select case when clinician_id is null then 'payer' else 'payer_and_clinician' end, rate_cents, effective_on, set_at
    from fees
    where tenant_id = :tenant_id and payer_id = :payer_id and service_id = :service_id and voided_at is null
        and (clinician_id is null or clinician_id = :clinician_id)
    order by set_at desc
""")


@dataclass(frozen=True)
class Cost:
    """A price with its source, the copay, and whether insurance is billed for the rest.

    The copay is 0 without insurance, and None when the coverage does not say it.
    """

    cents: int
    source: str
    copay_cents: int | None
    insurance: bool

    @property
    def due_cents(self) -> int | None:
        """Return the amount due at the visit, or None when it is not known."""
        return self.copay_cents if self.insurance else self.cents


class QuoteRequest(NamedTuple):
    """The values of a booking that its price depends on. `clinician_cents` is the clinician's own price."""

    on_date: date
    service_id: UUID
    clinician_id: UUID
    clinician_cents: int | None
    self_pay: bool
    payer_id: str | None
    copay_cents: int | None


def compute_cost(work: Work, request: QuoteRequest) -> Cost | None:
    """Return the price on the appointment's local date, or None where the service has no rate."""
    parameters = {
        "tenant_id": work.tenant_id,
        "service_id": request.service_id,
        "payer_id": request.payer_id,
        "clinician_id": request.clinician_id,
    }
    rates: dict[str, list[Rate]] = defaultdict(list)
    if request.clinician_cents is not None:
        rates["clinician"].append(Rate(request.clinician_cents))
    for row in work.db.execute(RATES_SQL, parameters):
        rates[row.source].append(Rate(row.rate_cents, row.effective_on))
    price = choose_price(request.on_date, **rates, self_pay=request.self_pay, copay_cents=request.copay_cents)
    insurance = not request.self_pay and request.payer_id is not None
    return Cost(price.cents, price.source, price.copay_cents if insurance else 0, insurance) if price else None
