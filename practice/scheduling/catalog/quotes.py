"""What an appointment costs: the rates in question, and the rule that chooses among them."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.scheduling.catalog.rules import Rate, price
from practice.security.work import Work

RATES = text("""
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
    """The price and where it comes from, what of it is due at the desk, and whether insurance is asked for the rest."""

    cents: int
    source: str
    copay_cents: int
    insurance: bool


class QuoteRequest(NamedTuple):
    """The values of a booking that its price depends on. `clinician_cents` is the clinician's own price."""

    on_date: date
    service_id: UUID
    clinician_id: UUID
    clinician_cents: int | None
    self_pay: bool
    payer_id: str | None
    copay_cents: int | None


def cost_of(work: Work, row: QuoteRequest) -> Cost | None:
    """Return the price on the appointment's local date, or None where the service has no rate."""
    keys = {"service_id": row.service_id, "payer_id": row.payer_id, "clinician_id": row.clinician_id}
    rates: dict[str, list[Rate]] = {"clinician": [Rate(row.clinician_cents)] if row.clinician_cents is not None else []}
    for found in work.db.execute(RATES, keys | {"tenant_id": work.tenant_id}):
        rates.setdefault(found.source, []).append(Rate(found.rate_cents, found.effective_on))
    chosen = price(row.on_date, **rates, self_pay=row.self_pay, copay_cents=row.copay_cents)
    insurance = not row.self_pay and row.payer_id is not None
    return Cost(chosen.cents, chosen.source, chosen.copay_cents, insurance) if chosen else None
