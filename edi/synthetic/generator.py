"""Made-up payments of any size: what a practice of therapists gets, in every variety that the 835 has for it.

The same plan and seed always give the same file, and everything in it balances. Nobody in it exists.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from edi.synthetic.content import Adjust, Bill, Mail, ProviderAdjust, Service, Transfer
from edi.synthetic.renderer import Written, written

PROCEDURES = (("90791", 19000), ("90832", 9000), ("90834", 13000), ("90837", 16500), ("90847", 15000), ("90853", 6000))
LAST = (
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
FIRST = (
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
    "of_the_claim",
    "reversed",
    "bundled",
    "drug",
    "interest",
)
PROVIDER = ("WO", "FB", "L6", "72", "CS", "IR", "LE", "AP", "J1", "LS", "B2", "50")


@dataclass(frozen=True)
class Plan:
    """How large, of which kinds, and how written. `claims` are those of each payment."""

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


def make_up(plan: Plan, seed: int = 0) -> Written:
    return written(mail_of(plan, seed))


def mail_of(plan: Plan, seed: int = 0) -> Mail:
    chance = Random(seed)  # noqa: S311 - no secret
    maker = Maker(chance, plan)
    interchanges = tuple(
        tuple(tuple(maker.transfer() for _ in range(plan.payments)) for _ in range(plan.groups))
        for _ in range(plan.interchanges)
    )
    return Mail(interchanges, plan.version, plan.delimiters, plan.line_breaks)


class Maker:
    """Makes claims and payments one after the other, numbered through."""

    def __init__(self, chance: Random, plan: Plan) -> None:
        self.chance, self.plan = chance, plan
        self.made = self.paid = 0

    def transfer(self) -> Transfer:
        self.paid += 1
        bills: list[Bill] = []
        while len(bills) < self.plan.claims:
            bills += self.bills(self.chance.choice(self.plan.kinds))
        bills = bills[: self.plan.claims]
        interest = sum(one.interest for one in bills)
        provider = [ProviderAdjust("L6", -interest)] if interest else []
        if self.plan.provider_adjustments:
            reasons = self.chance.sample(PROVIDER, self.chance.randint(0, 3))
            provider += [self.provider_adjust(one) for one in reasons if one != "L6"]
        transfer = Transfer(tuple(bills), tuple(provider), f"T{self.paid:08}", with_totals=self.plan.with_totals)
        if transfer.amount < 0:  # nothing is ever collected by a payment: what is owed is carried forward
            forward = ProviderAdjust("FB", transfer.amount, f"F{self.paid:06}")
            transfer = replace(transfer, provider_adjustments=(*provider, forward))
        return transfer

    def provider_adjust(self, reason: str) -> ProviderAdjust:
        cents = self.chance.randint(1, 5000) * self.chance.choice((1, -1))
        reference = f"R{self.chance.randint(1, 999999):06}" if self.chance.random() < 0.7 else None
        return ProviderAdjust(reason, cents, reference)

    def bills(self, kind: str) -> list[Bill]:
        bill = self.paid_bill()
        if kind == "reversed":  # the claim of an earlier payment, taken back, and what it should have been
            again = replace(self.paid_bill(), control_number=bill.control_number, patient=bill.patient)
            return [bill.reversed(), again]
        return [bill if kind == "paid" else getattr(self, f"_{kind}")(bill)]

    def paid_bill(self) -> Bill:
        self.made += 1
        number = self.made
        patient = (self.chance.choice(LAST), self.chance.choice(FIRST), f"M{number:08}")
        day = FIRST_DAY + timedelta(days=self.chance.randrange(60))
        services = tuple(
            self.service(day + timedelta(days=at), number, at) for at in range(self.chance.choice((1, 1, 2)))
        )
        return Bill(
            f"PCN{number:010}",
            services,
            payer_claim_number=f"P{number:011}",
            patient=patient,
            insured=("OAK", "HOLLY", patient[2]) if self.chance.random() < 0.1 else None,
            corrected=(patient[0], "ROSE", patient[2]) if self.chance.random() < 0.05 else None,
            rendering="1234567893" if self.chance.random() < 0.5 else None,
            remarks=("MA01", "MA18")[: self.chance.randint(1, 2)] if self.chance.random() < 0.2 else (),
            inpatient=self.chance.random() < 0.1,
        )

    def service(self, day: date, number: int, at: int) -> Service:
        procedure, charge = self.chance.choice(PROCEDURES)
        adjustments = [Adjust("CO", "45", self.chance.randint(500, 4000))]
        adjustments += [
            Adjust("PR", reason, self.chance.choice((500, 1000, 1250)))
            for reason in self.chance.sample(("1", "2", "3"), self.chance.randint(0, 2))
        ]
        modifiers = self.chance.choice(((), (), ("95",), ("GT", "HO")))
        return Service(procedure, charge, tuple(adjustments), day, modifiers=modifiers, control=f"L{number:08}{at}")

    def _denied(self, bill: Bill) -> Bill:
        group, reason, remark = self.chance.choice(
            (("CO", "29", "N1"), ("CO", "197", "M62"), ("PI", "16", "MA04"), ("PR", "204", "N30"))
        )
        services = tuple(
            replace(one, adjustments=(Adjust(group, reason, one.charge),), remarks=(remark,)) for one in bill.services
        )
        return replace(bill, services=services, status="4")

    def _capitated(self, bill: Bill) -> Bill:
        services = tuple(replace(one, adjustments=(Adjust("CO", "24", one.charge),)) for one in bill.services)
        return replace(bill, services=services, filing="HM")

    def _secondary(self, bill: Bill) -> Bill:
        services = tuple(replace(one, adjustments=(Adjust("OA", "23", one.charge - 2500),)) for one in bill.services)
        return replace(bill, services=services, status="2")

    def _tertiary(self, bill: Bill) -> Bill:
        return replace(self._secondary(bill), status="3")

    def _of_the_claim(self, bill: Bill) -> Bill:
        """Adjusted as a whole, with or without naming its services."""
        adjustments = (Adjust("CO", "45", 1000), Adjust("CO", "253", 123), Adjust("PR", "2", 700))
        if self.chance.random() < 0.3:
            return replace(bill, services=(), whole_charge=bill.charge, adjustments=adjustments)
        services = tuple(replace(one, adjustments=()) for one in bill.services)
        return replace(bill, services=services, adjustments=adjustments)

    def _bundled(self, bill: Bill) -> Bill:
        services = tuple(replace(one, submitted=one.procedure, procedure="90837") for one in bill.services)
        return replace(bill, services=services)

    def _drug(self, bill: Bill) -> Bill:
        many = tuple(Adjust("CO", str(reason), 5, 1) for reason in (45, 97, 131, 144, 161, 172, 222))
        return replace(
            bill,
            services=(
                replace(bill.services[0], kind="N4", procedure="00000000000", modifiers=(), units=3, adjustments=many),
            ),
        )

    def _interest(self, bill: Bill) -> Bill:
        return replace(bill, interest=self.chance.randint(1, 300))
