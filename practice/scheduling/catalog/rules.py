"""Price rules: which rate applies on an appointment's date, and the copay."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

Source = Literal["payer_and_clinician", "payer", "clinician", "service"]


class Rate(NamedTuple):
    """A price from a date on until the next one; without a date, from the beginning."""

    cents: int
    effective_on: date | None = None


@dataclass(frozen=True)
class Price:
    """The chosen price, its source and the copay; None when the copay is not known."""

    cents: int
    source: Source
    copay_cents: int | None


def choose_price(
    on: date,
    *,
    payer_and_clinician: Iterable[Rate] = (),
    payer: Iterable[Rate] = (),
    clinician: Iterable[Rate] = (),
    service: Iterable[Rate] = (),
    self_pay: bool = False,
    copay_cents: int | None = None,
) -> Price | None:
    """Return the price of the service on the local date, or None where no rate is set.

    For a self-paying client, payer fees and the copay do not apply.
    """
    candidates: list[tuple[Source, Iterable[Rate]]] = [("clinician", clinician), ("service", service)]
    if not self_pay:
        candidates = [("payer_and_clinician", payer_and_clinician), ("payer", payer), *candidates]
    for source, rates in candidates:
        rate = find_rate_on(rates, on)
        if rate is not None:
            return Price(rate.cents, source, 0 if self_pay else limit_copay(copay_cents, rate.cents))
    return None


def limit_copay(copay_cents: int | None, price_cents: int) -> int | None:
    """Return the copay, at most the price; None when it is not known."""
    return min(copay_cents, price_cents) if copay_cents is not None else None if price_cents else 0


def find_rate_on(rates: Iterable[Rate], on: date) -> Rate | None:
    """Return the newest rate in effect on the date."""
    effective = [rate for rate in rates if rate.effective_on is None or rate.effective_on <= on]
    return max(effective, key=lambda rate: rate.effective_on or date.min, default=None)
