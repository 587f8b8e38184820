"""Random payments of any size, as a practice of therapists gets them, in every variety of the 835 that concerns it.

The same plan and seed always give the same file, and everything in it balances. All people in it are fictitious.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from edi.synthetic.content import (
    AdjustmentSpec,
    ClaimSpec,
    PaymentSpec,
    ProviderAdjustmentSpec,
    RemittanceFile,
    ServiceSpec,
)
from edi.synthetic.renderer import RenderedFile, render

PROCEDURES = (("90791", 19000), ("90832", 9000), ("90834", 13000), ("90837", 16500), ("90847", 15000), ("90853", 6000))
LAST_NAMES = (
    "ALDER",
    "BIRCH",
    "CEDAR",
    "ELM",
    "FERN",
    "GORSE",
    "HAZEL",
    "IVY",
    "JUNIPER",
    "LARCH",
    "MAPLE",
    "ROWAN",
    "SORREL",
)
FIRST_NAMES = (
    "ASH",
    "BAY",
    "CORAL",
    "DALE",
    "EDEN",
    "FLINT",
    "GALE",
    "HEATH",
    "JUNE",
    "KIT",
    "LARK",
    "MOSS",
    "PEARL",
    "REED",
)
FIRST_DAY = date(2026, 1, 5)

KINDS = (
    "paid",
    "denied",
    "capitated",
    "secondary",
    "tertiary",
    "claim_level",
    "reversed",
    "bundled",
    "drug",
    "interest",
)
PROVIDER_REASONS = ("WO", "FB", "L6", "72", "CS", "IR", "LE", "AP", "J1", "LS", "B2", "50")


@dataclass(frozen=True)
class Plan:
    """The size of a file, the kinds of its claims, and how it is rendered. `claims` are those of each payment."""

    claims: int = 10
    payments: int = 1
    groups: int = 1
    interchanges: int = 1
    version: str = "5010"
    delimiters: str = "*:~"
    line_breaks: bool = False
    kinds: tuple[str, ...] = KINDS
    provider_adjustments: bool = True
    with_totals: bool = True


def generate(plan: Plan, seed: int = 0) -> RenderedFile:
    """Return a balanced file with random content."""
    generator = Generator(plan, Random(seed))  # noqa: S311 - not a secret
    interchanges = tuple(
        tuple(tuple(generator.make_payment() for _ in range(plan.payments)) for _ in range(plan.groups))
        for _ in range(plan.interchanges)
    )
    return render(RemittanceFile(interchanges, plan.version, plan.delimiters, plan.line_breaks))


class Generator:
    """Makes payments and claims one after the other, with consecutive numbers."""

    def __init__(self, plan: Plan, random: Random) -> None:
        self.plan, self.random = plan, random
        self.claim_count = self.payment_count = 0

    def make_payment(self) -> PaymentSpec:
        self.payment_count += 1
        claims: list[ClaimSpec] = []
        while len(claims) < self.plan.claims:
            claims += self.make_claims(self.random.choice(self.plan.kinds))
        claims = claims[: self.plan.claims]
        interest = sum(claim.interest for claim in claims)
        adjustments = [ProviderAdjustmentSpec("L6", -interest)] if interest else []
        if self.plan.provider_adjustments:
            reasons = self.random.sample(PROVIDER_REASONS, self.random.randint(0, 3))
            adjustments += [self.make_provider_adjustment(reason) for reason in reasons if reason != "L6"]
        trace = f"T{self.payment_count:08}"
        payment = PaymentSpec(tuple(claims), tuple(adjustments), trace, with_totals=self.plan.with_totals)
        if payment.amount < 0:  # a payment never collects money, so the debt is carried forward
            forward = ProviderAdjustmentSpec("FB", payment.amount, f"F{self.payment_count:06}")
            payment = replace(payment, provider_adjustments=(*adjustments, forward))
        return payment

    def make_provider_adjustment(self, reason: str) -> ProviderAdjustmentSpec:
        cents = self.random.randint(1, 5000) * self.random.choice((1, -1))
        reference = f"R{self.random.randint(1, 999999):06}" if self.random.random() < 0.7 else None
        return ProviderAdjustmentSpec(reason, cents, reference)

    def make_claims(self, kind: str) -> list[ClaimSpec]:
        """Return a claim of this kind; a reversed one is the reversal of an earlier payment with its correction."""
        claim = self.make_paid_claim()
        if kind == "reversed":
            correction = replace(self.make_paid_claim(), control_number=claim.control_number, patient=claim.patient)
            return [claim.reverse(), correction]
        return [claim if kind == "paid" else getattr(self, f"_make_{kind}")(claim)]

    def make_paid_claim(self) -> ClaimSpec:
        self.claim_count += 1
        number = self.claim_count
        patient = (self.random.choice(LAST_NAMES), self.random.choice(FIRST_NAMES), f"M{number:08}")
        day = FIRST_DAY + timedelta(days=self.random.randrange(60))
        services = tuple(
            self.make_service(day + timedelta(days=index), number, index)
            for index in range(self.random.choice((1, 1, 2)))
        )
        return ClaimSpec(
            f"PCN{number:010}",
            services,
            payer_claim_number=f"P{number:011}",
            patient=patient,
            insured=("OAK", "HOLLY", patient[2]) if self.random.random() < 0.1 else None,
            corrected=(patient[0], "ROSE", patient[2]) if self.random.random() < 0.05 else None,
            rendering="1234567893" if self.random.random() < 0.5 else None,
            remarks=("MA01", "MA18")[: self.random.randint(1, 2)] if self.random.random() < 0.2 else (),
            inpatient=self.random.random() < 0.1,
        )

    def make_service(self, day: date, claim_number: int, index: int) -> ServiceSpec:
        procedure, charge = self.random.choice(PROCEDURES)
        adjustments = [AdjustmentSpec("CO", "45", self.random.randint(500, 4000))]
        adjustments += [
            AdjustmentSpec("PR", reason, self.random.choice((500, 1000, 1250)))
            for reason in self.random.sample(("1", "2", "3"), self.random.randint(0, 2))
        ]
        modifiers = self.random.choice(((), (), ("95",), ("GT", "HO")))
        control = f"L{claim_number:08}{index}"
        return ServiceSpec(procedure, charge, tuple(adjustments), day, modifiers=modifiers, control=control)

    def _make_denied(self, claim: ClaimSpec) -> ClaimSpec:
        group, reason, remark = self.random.choice(
            (("CO", "29", "N1"), ("CO", "197", "M62"), ("PI", "16", "MA04"), ("PR", "204", "N30"))
        )
        services = tuple(
            replace(service, adjustments=(AdjustmentSpec(group, reason, service.charge),), remarks=(remark,))
            for service in claim.services
        )
        return replace(claim, services=services, status="4")

    def _make_capitated(self, claim: ClaimSpec) -> ClaimSpec:
        services = tuple(
            replace(service, adjustments=(AdjustmentSpec("CO", "24", service.charge),)) for service in claim.services
        )
        return replace(claim, services=services, filing="HM")

    def _make_secondary(self, claim: ClaimSpec) -> ClaimSpec:
        services = tuple(
            replace(service, adjustments=(AdjustmentSpec("OA", "23", service.charge - 2500),))
            for service in claim.services
        )
        return replace(claim, services=services, status="2")

    def _make_tertiary(self, claim: ClaimSpec) -> ClaimSpec:
        return replace(self._make_secondary(claim), status="3")

    def _make_claim_level(self, claim: ClaimSpec) -> ClaimSpec:
        """Return the claim with claim-level adjustments, with or without its services."""
        adjustments = (
            AdjustmentSpec("CO", "45", 1000),
            AdjustmentSpec("CO", "253", 123),
            AdjustmentSpec("PR", "2", 700),
        )
        if self.random.random() < 0.3:
            return replace(claim, services=(), total_charge=claim.charge, adjustments=adjustments)
        services = tuple(replace(service, adjustments=()) for service in claim.services)
        return replace(claim, services=services, adjustments=adjustments)

    def _make_bundled(self, claim: ClaimSpec) -> ClaimSpec:
        services = tuple(replace(service, submitted=service.procedure, procedure="90837") for service in claim.services)
        return replace(claim, services=services)

    def _make_drug(self, claim: ClaimSpec) -> ClaimSpec:
        """Return a claim for a drug, with more adjustments than one CAS holds."""
        adjustments = tuple(AdjustmentSpec("CO", str(reason), 5, 1) for reason in (45, 97, 131, 144, 161, 172, 222))
        service = replace(
            claim.services[0], kind="N4", procedure="00000000000", modifiers=(), units=3, adjustments=adjustments
        )
        return replace(claim, services=(service,))

    def _make_interest(self, claim: ClaimSpec) -> ClaimSpec:
        return replace(claim, interest=self.random.randint(1, 300))
