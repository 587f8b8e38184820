"""The content of a synthetic remittance: payments, claims, services, adjustments, in cents and days. No delimiters.

`generator` produces this content at random; build it directly for remittances of specific claims.
"""

from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True)
class AdjustmentSpec:
    """A triplet of a CAS."""

    group: str
    reason: str
    cents: int
    quantity: int | None = None


@dataclass(frozen=True)
class ServiceSpec:
    """A service line. It pays its charge less its adjustments, unless `paid_override` is set."""

    procedure: str
    charge: int
    adjustments: tuple[AdjustmentSpec, ...] = ()
    day: date = date(2026, 3, 2)
    units: int = 1
    modifiers: tuple[str, ...] = ()
    submitted: str | None = None
    control: str | None = None
    remarks: tuple[str, ...] = ()
    kind: str = "HC"
    paid_override: int | None = None

    @property
    def paid(self) -> int:
        if self.paid_override is not None:
            return self.paid_override
        return self.charge - sum(adjustment.cents for adjustment in self.adjustments)


@dataclass(frozen=True)
class ClaimSpec:
    """A claim; `adjustments` are claim-level, and `total_charge` is for a claim without services."""

    control_number: str
    services: tuple[ServiceSpec, ...]
    status: str = "1"
    filing: str = "12"
    payer_claim_number: str = "P0001"
    patient: tuple[str, str, str] = ("ALDER", "ASH", "M00000001")
    insured: tuple[str, str, str] | None = None
    corrected: tuple[str, str, str] | None = None
    rendering: str | None = None
    adjustments: tuple[AdjustmentSpec, ...] = ()
    interest: int = 0
    remarks: tuple[str, ...] = ()
    inpatient: bool = False
    total_charge: int | None = None

    @property
    def charge(self) -> int:
        if self.total_charge is not None:
            return self.total_charge
        return sum(service.charge for service in self.services)

    @property
    def paid(self) -> int:
        paid = sum(service.paid for service in self.services) if self.services else self.charge
        return paid - sum(adjustment.cents for adjustment in self.adjustments)

    @property
    def patient_share(self) -> int:
        line_level = [adjustment for service in self.services for adjustment in service.adjustments]
        adjustments = [*self.adjustments, *line_level]
        return sum(adjustment.cents for adjustment in adjustments if adjustment.group == "PR")

    def reverse(self) -> "ClaimSpec":
        """Return the reversal of the claim: the same with every amount negated."""
        services = tuple(
            replace(service, charge=-service.charge, adjustments=negate(service.adjustments))
            for service in self.services
        )
        return replace(
            self,
            status="22",
            services=services,
            adjustments=negate(self.adjustments),
            interest=-self.interest,
            total_charge=None if self.total_charge is None else -self.total_charge,
        )


def negate(adjustments: tuple[AdjustmentSpec, ...]) -> tuple[AdjustmentSpec, ...]:
    return tuple(replace(adjustment, cents=-adjustment.cents) for adjustment in adjustments)


@dataclass(frozen=True)
class ProviderAdjustmentSpec:
    """A pair of a PLB; a positive amount lowers the payment."""

    reason: str
    cents: int
    reference: str | None = None


@dataclass(frozen=True)
class PaymentSpec:
    """A payment (one ST). Its amount follows from the claims and the provider adjustments."""

    claims: tuple[ClaimSpec, ...]
    provider_adjustments: tuple[ProviderAdjustmentSpec, ...] = ()
    trace: str = "T0001"
    day: date = date(2026, 3, 16)
    payer: tuple[str, str] = ("MADE UP HEALTH PLAN", "00999")
    payee: tuple[str, str] = ("MADE UP PRACTICE", "1234567893")
    originator: str = "1999999999"
    with_totals: bool = False

    @property
    def amount(self) -> int:
        provider = sum(adjustment.cents for adjustment in self.provider_adjustments)
        return sum(claim.paid for claim in self.claims) - provider


@dataclass(frozen=True)
class RemittanceFile:
    """A file: interchanges of groups of payments, and how it is rendered."""

    interchanges: tuple[tuple[tuple[PaymentSpec, ...], ...], ...]
    version: str = "5010"
    delimiters: str = "*:~"
    line_breaks: bool = False
    day: date = date(2026, 3, 16)
