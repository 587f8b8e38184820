"""What a made-up remittance says: payments, claims, services, adjustments, in cents and days. No delimiters here.

Whoever needs remittances for claims of their own builds these by hand; `chance` makes them up.
"""

from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True)
class Adjust:
    group: str
    reason: str
    cents: int
    quantity: int | None = None


@dataclass(frozen=True)
class Service:
    """A line. What it paid is its charge less its adjustments, unless it is said to be otherwise."""

    procedure: str
    charge: int
    adjustments: tuple[Adjust, ...] = ()
    day: date = date(2026, 3, 2)
    units: int = 1
    modifiers: tuple[str, ...] = ()
    submitted: str | None = None
    control: str | None = None
    remarks: tuple[str, ...] = ()
    kind: str = "HC"
    paid_otherwise: int | None = None

    @property
    def paid(self) -> int:
        if self.paid_otherwise is not None:
            return self.paid_otherwise
        return self.charge - sum(one.cents for one in self.adjustments)


@dataclass(frozen=True)
class Bill:
    """A claim. Adjustments are those of the whole claim; a reversal is the same with everything negative."""

    control_number: str
    services: tuple[Service, ...]
    status: str = "1"
    filing: str = "12"
    payer_claim_number: str = "P0001"
    patient: tuple[str, str, str] = ("ALDER", "ASH", "M00000001")
    insured: tuple[str, str, str] | None = None
    corrected: tuple[str, str, str] | None = None
    rendering: str | None = None
    adjustments: tuple[Adjust, ...] = ()
    interest: int = 0
    remarks: tuple[str, ...] = ()
    inpatient: bool = False
    whole_charge: int | None = None  # of a claim that names no services

    @property
    def charge(self) -> int:
        return self.whole_charge if self.whole_charge is not None else sum(one.charge for one in self.services)

    @property
    def paid(self) -> int:
        paid = sum(one.paid for one in self.services) if self.services else self.charge
        return paid - sum(one.cents for one in self.adjustments)

    @property
    def patient_share(self) -> int:
        of_lines = [one for service in self.services for one in service.adjustments]
        return sum(one.cents for one in [*self.adjustments, *of_lines] if one.group == "PR")

    def reversed(self) -> "Bill":
        services = tuple(
            replace(one, charge=-one.charge, adjustments=negative(one.adjustments)) for one in self.services
        )
        whole = None if self.whole_charge is None else -self.whole_charge
        return replace(
            self,
            status="22",
            services=services,
            adjustments=negative(self.adjustments),
            interest=-self.interest,
            whole_charge=whole,
        )


def negative(adjustments: tuple[Adjust, ...]) -> tuple[Adjust, ...]:
    return tuple(replace(one, cents=-one.cents) for one in adjustments)


@dataclass(frozen=True)
class ProviderAdjust:
    """A pair of a PLB; positive takes away from the payment."""

    reason: str
    cents: int
    reference: str | None = None


@dataclass(frozen=True)
class Transfer:
    """A payment: one ST. What is paid follows from the claims and the provider adjustments."""

    bills: tuple[Bill, ...]
    provider_adjustments: tuple[ProviderAdjust, ...] = ()
    trace: str = "T0001"
    day: date = date(2026, 3, 16)
    payer: tuple[str, str] = ("MADE UP HEALTH PLAN", "00999")
    payee: tuple[str, str] = ("MADE UP PRACTICE", "1234567893")
    originator: str = "1999999999"
    with_totals: bool = False

    @property
    def amount(self) -> int:
        return sum(one.paid for one in self.bills) - sum(one.cents for one in self.provider_adjustments)


@dataclass(frozen=True)
class Mail:
    """A file: interchanges of groups of payments, and how it is written down."""

    interchanges: tuple[tuple[tuple[Transfer, ...], ...], ...]
    version: str = "5010"
    delimiters: str = "*:~"
    line_breaks: bool = False
    day: date = date(2026, 3, 16)
