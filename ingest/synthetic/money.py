"""Charges, and what clients pay themselves: copays at the visit, statements by the month, what is never paid."""

from dataclasses import dataclass
from random import Random

from ingest.synthetic.days import DAY, NEVER, Days, first_of_month, month_number
from ingest.synthetic.files import AMOUNTS, Files
from ingest.synthetic.model import Client, Clinician, Coverage
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import PARENTS
from ingest.synthetic.visits import Visit


@dataclass(slots=True, eq=False)
class Charge:
    id: str
    client: Client
    clinician: Clinician
    day: int
    cpt: str
    amount: int
    created: int
    signed: int  # the instant from which a claim may leave
    copaid: int = 0
    copayment: str = ""  # the payment's id


@dataclass(slots=True, eq=False)
class Owed:
    """What a client still has to pay of a charge."""

    client: Client
    charge_id: str
    cents: int
    reason: str  # PR reason, should the practice let it go: 1 deductible, 2 coinsurance, 3 copay, none without a payer


class Money:
    def __init__(self, rng: Random, days: Days, files: Files) -> None:
        self.rng, self.days, self.files = rng, days, files
        self.owed: dict[int, list[Owed]] = {}  # by the month in which it is known

    def charge(self, visit: Visit, telehealth: bool, signed: int) -> Charge | None:
        """The charge of a kept visit, unless nobody has made one."""
        random, days = self.rng.random, self.days
        r = random()
        if r < 0.006:
            return None
        created = (
            visit.at + 5 + int(random() * 240) if r < 0.9 else days.waking(visit.at + DAY + int(random() * 4 * DAY))
        )
        if created > days.until:
            return None
        modifiers = "95" if telehealth else ""
        if visit.clinician.license == "LMSW" and random() < 0.4:
            modifiers = "95|HO" if telehealth else "HO"
        charge = Charge(
            "", visit.client, visit.clinician, visit.day, visit.service.cpt, visit.service.rate, created, signed
        )
        voided = days.waking(created + DAY + int(random() * 9 * DAY))
        if r > 0.994 and voided < days.until:
            self.write(charge, visit.id, modifiers, days.stamp(voided))
            charge.created = voided + 4
        self.write(charge, visit.id, modifiers, "")
        if visit.service is PARENTS and random() < 0.02:
            self.by_telephone(charge)
        return charge

    def write(self, charge: Charge, visit_id: str, modifiers: str, voided: str) -> None:
        charge.id = self.files.add(
            "charges", charge.client.id, charge.clinician.id, visit_id, self.days.dates[charge.day], charge.cpt,
            modifiers, "1", AMOUNTS[charge.amount], charge.client.diagnoses, self.days.stamp(charge.created), voided,
        )  # fmt: skip

    def by_telephone(self, charge: Charge) -> None:
        """A charge that has no appointment: the parents called as well."""
        other = Charge("", charge.client, charge.clinician, charge.day, charge.cpt, 4_500, charge.created, NEVER)
        self.write(other, "", "", "")
        self.owes(charge.client, other.id, other.amount, other.created, "")

    def at_visit(self, charge: Charge, cents: int, visit: Visit) -> None:
        """Money over the counter; it waits for the charge to be entered."""
        if cents <= 0:
            return
        posted = visit.ends + 2 + int(self.rng.random() * 10)
        payment = self.receive(charge.client, cents, posted)
        self.apply(payment, charge.id, cents, max(posted, charge.created))
        charge.copaid, charge.copayment = cents, payment
        if self.rng.random() < 0.003 and charge.created + 3 * DAY < self.days.until:
            self.apply(payment, charge.id, -cents, charge.created + DAY)
            self.apply(payment, charge.id, cents, charge.created + DAY + 30)

    def receive(self, client: Client, cents: int, posted: int) -> str:
        days = self.days
        method = client.method if self.rng.random() < 0.95 else pick(self.rng, ("CASH", "CHECK", "OTHER"))
        reference = f"{1000 + int(self.rng.random() * 9000)}" if method == "CHECK" else ""
        received = days.dates[days.local_day(posted)]
        cells = "CLIENT", client.id, "", method, AMOUNTS[cents], received, days.stamp(posted), reference
        return self.files.add("payments", *cells)

    def apply(self, payment: str, charge_id: str, cents: int, posted: int) -> None:
        if posted <= self.days.until:
            self.files.add("payment_applications", payment, charge_id, AMOUNTS[cents], self.days.stamp(posted))

    def adjust(self, charge_id: str, group: str, reason: str, cents: int, posted: int) -> None:
        if cents and posted <= self.days.until:
            self.files.add("adjustments", charge_id, group, reason, AMOUNTS[cents], self.days.stamp(posted))

    def refund(self, payment: str, cents: int, method: str, at: int, reason: str) -> None:
        if at <= self.days.until:
            self.files.add("refunds", payment, AMOUNTS[cents], method, self.days.stamp(at), reason)

    def self_paid(self, charge: Charge, visit: Visit) -> None:
        client = charge.client
        if client.pays == "good" and self.rng.random() < 0.9:
            self.at_visit(charge, charge.amount, visit)
        elif client.pays == "partial":
            self.at_visit(charge, charge.amount // 2, visit)
        self.owes(client, charge.id, charge.amount - charge.copaid, charge.created, "")

    def copay(self, charge: Charge, coverage: Coverage, visit: Visit) -> None:
        if charge.client.pays in ("good", "slow") and self.rng.random() < 0.94:
            self.at_visit(charge, min(coverage.copay, charge.amount * coverage.payer.pays // 100), visit)

    def owes(self, client: Client, charge_id: str, cents: int, known: int, reason: str) -> None:
        """Goes on the next statement; what is waived is written down as the client's share let go."""
        if cents <= 0 or known > self.days.until:
            return
        if client.pays == "waived":
            group, reason = ("PR", reason) if reason else ("WO", "HARDSHIP")
            self.adjust(
                charge_id, group, reason, cents, self.days.waking(known + DAY + int(self.rng.random() * 6 * DAY))
            )
            return
        month = month_number(self.days.local_day(known))
        self.owed.setdefault(month, []).append(Owed(client, charge_id, cents, reason))

    def statements(self, before: int) -> None:
        """What clients do about the statements of the months before that day's."""
        last = month_number(before)
        while self.owed and (month := min(self.owed)) < last:
            by_client: dict[str, list[Owed]] = {}
            for owed in self.owed.pop(month):
                by_client.setdefault(owed.client.id, []).append(owed)
            for owed in by_client.values():
                self.statement(owed, month + 1)

    def statement(self, owed: list[Owed], month: int) -> None:
        random, client = self.rng.random, owed[0].client
        total = sum(one.cents for one in owed)
        late = 30 if client.pays == "slow" else 2
        paid = self.days.at(first_of_month(month) + late + int(random() * 26), 500 + int(random() * 700))
        if paid > self.days.until:
            return
        if client.pays == "never":
            if random() < 0.7:
                given_up = paid + (60 + int(random() * 60)) * DAY
                for one in owed:
                    self.adjust(one.charge_id, "WO", "BAD_DEBT", one.cents, given_up)
            return
        pays = total if client.pays != "partial" else max(min(total, 2_000), total // 2)
        rest = -pays % 5_000 if random() < 0.02 else 0  # a round sum was paid
        payment = self.receive(client, pays + rest, paid)
        if rest and random() < 0.5:
            self.refund(payment, rest, client.method, paid + (10 + int(random() * 40)) * DAY, "Paid more than was due")
        for one in owed:
            part = min(one.cents, pays)
            if part:
                self.apply(payment, one.charge_id, part, paid + 5)
            pays -= part
            if one.cents > part:
                self.owed.setdefault(month, []).append(Owed(client, one.charge_id, one.cents - part, one.reason))
