"""What an appointment costs: whose price applies on its date, and what of it the client pays at the desk."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

Source = Literal["payer_and_clinician", "payer", "clinician", "service"]


class Rate(NamedTuple):
    """A price from a date on, until the next one; without a date, since ever."""

    cents: int
    effective_on: date | None = None


@dataclass(frozen=True)
class Price:
    cents: int
    source: Source
    copay_cents: int


def price(
    on: date,
    *,
    payer_and_clinician: Iterable[Rate] = (),
    payer: Iterable[Rate] = (),
    clinician: Iterable[Rate] = (),
    service: Iterable[Rate] = (),
    self_pay: bool = False,
    copay_cents: int | None = None,
) -> Price | None:
    """The price on the appointment's local date, given the rates for its very service; None where nobody set one.

    Who pays for themselves has no payer: its fees and the copay are left aside.
    """
    candidates: list[tuple[Source, Iterable[Rate]]] = [("clinician", clinician), ("service", service)]
    if not self_pay:
        candidates = [("payer_and_clinician", payer_and_clinician), ("payer", payer), *candidates]
    for source, rates in candidates:
        rate = rate_on(rates, on)
        if rate is not None:
            return Price(rate.cents, source, 0 if self_pay else min(copay_cents or 0, rate.cents))
    return None


def rate_on(rates: Iterable[Rate], on: date) -> Rate | None:
    """The newest that has come into effect by the date."""
    begun = [rate for rate in rates if rate.effective_on is None or rate.effective_on <= on]
    return max(begun, key=lambda rate: rate.effective_on or date.min, default=None)
