"""Charges and client payments: copays at the visit, monthly statements, and bad debt."""

from dataclasses import dataclass
from random import Random

from ingest.synthetic.days import DAY, NEVER, Days, get_first_of_month, get_month_number
from ingest.synthetic.files import AMOUNTS, Files
from ingest.synthetic.model import Client, Clinician, Coverage
from ingest.synthetic.names import pick
from ingest.synthetic.practice_setup import PARENTS
from ingest.synthetic.visits import Visit


@dataclass(slots=True, eq=False)
class Charge:
    """A charge of a visit."""

    id: str
    client: Client
    clinician: Clinician
    day: int
    cpt: str
    amount: int
    created_at: int
    signed_at: int  # no claim is submitted before
    paid_at_visit: int = 0
    visit_payment_id: str = ""


@dataclass(slots=True, eq=False)
class OpenBalance:
    """A client's open balance of a charge."""

    client: Client
    charge_id: str
    cents: int
    reason: str  # PR reason if the practice waives it: 1 deductible, 2 coinsurance, 3 copay, empty without a payer


class Money:
    """Writes charges, payments, adjustments and refunds."""

    def __init__(self, rng: Random, days: Days, files: Files) -> None:
        self.rng, self.days, self.files = rng, days, files
        self.balances: dict[int, list[OpenBalance]] = {}  # by the month of the statement before

    def create_charge(self, visit: Visit, is_telehealth: bool, signed_at: int) -> Charge | None:
        """Return the charge of a completed visit, or None if it was forgotten or is entered too late."""
        random, days = self.rng.random, self.days
        r = random()
        if r < 0.006:
            return None
        created_at = (
            visit.outcome_at + 5 + int(random() * 240)
            if r < 0.9
            else days.shift_to_daytime(visit.outcome_at + DAY + int(random() * 4 * DAY))
        )
        if created_at > days.until:
            return None
        modifiers = "95" if is_telehealth else ""
        if visit.clinician.license == "LMSW" and random() < 0.4:
            modifiers = "95|HO" if is_telehealth else "HO"
        charge = Charge(
            "", visit.client, visit.clinician, visit.day, visit.service.cpt, visit.service.rate, created_at, signed_at
        )
        voided_at = days.shift_to_daytime(created_at + DAY + int(random() * 9 * DAY))
        if r > 0.994 and voided_at < days.until:
            self.write_charge(charge, visit.id, modifiers, days.format_instant(voided_at))
            charge.created_at = voided_at + 4
        self.write_charge(charge, visit.id, modifiers, "")
        if visit.service is PARENTS and random() < 0.02:
            self.add_telephone_charge(charge)
        return charge

    def write_charge(self, charge: Charge, visit_id: str, modifiers: str, voided_at: str) -> None:
        charge.id = self.files.add_row(
            "charges", charge.client.id, charge.clinician.id, visit_id, self.days.dates[charge.day], charge.cpt,
            modifiers, "1", AMOUNTS[charge.amount], charge.client.diagnoses,
            self.days.format_instant(charge.created_at), voided_at,
        )  # fmt: skip

    def add_telephone_charge(self, charge: Charge) -> None:
        """Add a charge without an appointment, for a call with the parents."""
        telephone_charge = Charge(
            "", charge.client, charge.clinician, charge.day, charge.cpt, 4_500, charge.created_at, NEVER
        )
        self.write_charge(telephone_charge, "", "", "")
        self.bill_client(charge.client, telephone_charge.id, telephone_charge.amount, telephone_charge.created_at, "")

    def collect_at_visit(self, charge: Charge, cents: int, visit: Visit) -> None:
        """Collect a payment at the visit. It is applied once the charge is entered."""
        if cents <= 0:
            return
        posted_at = visit.ends_at + 2 + int(self.rng.random() * 10)
        payment_id = self.receive_payment(charge.client, cents, posted_at)
        self.apply_payment(payment_id, charge.id, cents, max(posted_at, charge.created_at))
        charge.paid_at_visit, charge.visit_payment_id = cents, payment_id
        if self.rng.random() < 0.003 and charge.created_at + 3 * DAY < self.days.until:
            self.apply_payment(payment_id, charge.id, -cents, charge.created_at + DAY)
            self.apply_payment(payment_id, charge.id, cents, charge.created_at + DAY + 30)

    def receive_payment(self, client: Client, cents: int, posted_at: int) -> str:
        days = self.days
        method = client.payment_method if self.rng.random() < 0.95 else pick(self.rng, ("CASH", "CHECK", "OTHER"))
        reference = f"{1000 + int(self.rng.random() * 9000)}" if method == "CHECK" else ""
        received = days.dates[days.to_local_day(posted_at)]
        values = "CLIENT", client.id, "", method, AMOUNTS[cents], received, days.format_instant(posted_at), reference
        return self.files.add_row("payments", *values, "")  # kept by no payer

    def apply_payment(self, payment_id: str, charge_id: str, cents: int, posted_at: int) -> None:
        if posted_at <= self.days.until:
            self.files.add_row(
                "payment_applications", payment_id, charge_id, AMOUNTS[cents], self.days.format_instant(posted_at)
            )

    def adjust_charge(self, charge_id: str, group: str, reason: str, cents: int, posted_at: int) -> None:
        if cents and posted_at <= self.days.until:
            self.files.add_row(
                "adjustments", charge_id, group, reason, AMOUNTS[cents], self.days.format_instant(posted_at)
            )

    def refund_payment(self, payment_id: str, cents: int, method: str, refunded_at: int, reason: str) -> None:
        if refunded_at <= self.days.until:
            self.files.add_row(
                "refunds", payment_id, AMOUNTS[cents], method, self.days.format_instant(refunded_at), reason
            )

    def bill_self_pay(self, charge: Charge, visit: Visit) -> None:
        """Collect a payment of a client without insurance, and bill the rest."""
        client = charge.client
        if client.payment_habit == "good" and self.rng.random() < 0.9:
            self.collect_at_visit(charge, charge.amount, visit)
        elif client.payment_habit == "partial":
            self.collect_at_visit(charge, charge.amount // 2, visit)
        self.bill_client(client, charge.id, charge.amount - charge.paid_at_visit, charge.created_at, "")

    def collect_copay(self, charge: Charge, coverage: Coverage, visit: Visit) -> None:
        if charge.client.payment_habit in ("good", "slow") and self.rng.random() < 0.94:
            self.collect_at_visit(
                charge, min(coverage.copay, charge.amount * coverage.payer.allowed_percent // 100), visit
            )

    def bill_client(self, client: Client, charge_id: str, cents: int, known_at: int, reason: str) -> None:
        """Put an amount on the client's next statement, or adjust it if the client's share is waived."""
        if cents <= 0 or known_at > self.days.until:
            return
        if client.payment_habit == "waived":
            group, reason = ("PR", reason) if reason else ("WO", "HARDSHIP")
            self.adjust_charge(
                charge_id,
                group,
                reason,
                cents,
                self.days.shift_to_daytime(known_at + DAY + int(self.rng.random() * 6 * DAY)),
            )
            return
        month = get_month_number(self.days.to_local_day(known_at))
        self.balances.setdefault(month, []).append(OpenBalance(client, charge_id, cents, reason))

    def send_statements(self, before: int) -> None:
        """Process the statements of all months before that of this day."""
        current_month = get_month_number(before)
        while self.balances and (month := min(self.balances)) < current_month:
            by_client: dict[str, list[OpenBalance]] = {}
            for balance in self.balances.pop(month):
                by_client.setdefault(balance.client.id, []).append(balance)
            for client_balances in by_client.values():
                self.pay_statement(client_balances, month + 1)

    def pay_statement(self, client_balances: list[OpenBalance], month: int) -> None:
        """Pay a client's statement in full or in part, or write it off if the client never pays."""
        random, client = self.rng.random, client_balances[0].client
        total = sum(balance.cents for balance in client_balances)
        day_of_month = 30 if client.payment_habit == "slow" else 2
        paid_at = self.days.to_instant(
            get_first_of_month(month) + day_of_month + int(random() * 26), 500 + int(random() * 700)
        )
        if paid_at > self.days.until:
            return
        if client.payment_habit == "never":
            if random() < 0.7:
                written_off_at = paid_at + (60 + int(random() * 60)) * DAY
                for balance in client_balances:
                    self.adjust_charge(balance.charge_id, "WO", "BAD_DEBT", balance.cents, written_off_at)
            return
        amount = total if client.payment_habit != "partial" else max(min(total, 2_000), total // 2)
        overpayment = -amount % 5_000 if random() < 0.02 else 0  # the client paid a round sum
        payment_id = self.receive_payment(client, amount + overpayment, paid_at)
        if overpayment and random() < 0.5:
            self.refund_payment(
                payment_id,
                overpayment,
                client.payment_method,
                paid_at + (10 + int(random() * 40)) * DAY,
                "Paid more than was due",
            )
        for balance in client_balances:
            share = min(balance.cents, amount)
            if share:
                self.apply_payment(payment_id, balance.charge_id, share, paid_at + 5)
            amount -= share
            if balance.cents > share:
                self.balances.setdefault(month, []).append(
                    OpenBalance(client, balance.charge_id, balance.cents - share, balance.reason)
                )
