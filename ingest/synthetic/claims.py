"""Claims and the payers' decisions: rejected, denied, reduced or paid, with charge payment_id per remittance."""

from random import Random
from typing import NamedTuple

from ingest.synthetic.days import DAY, NEVER, Days, get_weekday, to_date
from ingest.synthetic.files import AMOUNTS, Files
from ingest.synthetic.model import Client, Coverage
from ingest.synthetic.money import Charge, Money
from ingest.synthetic.practice_setup import Payer

DEDUCTIBLES = (25_000, 50_000, 100_000)
MAX_RESUBMISSIONS = 2


class RemittanceLine(NamedTuple):
    """What a payer adjudicated_at about a charge."""

    charge_id: str
    paid: int
    adjusted: int
    group: str  # of the adjustment


class Claims:
    """Submits claims and receives remittances."""

    def __init__(self, rng: Random, days: Days, files: Files, money: Money) -> None:
        self.rng, self.days, self.files, self.money = rng, days, files, money
        self.weekly_charges: dict[str, tuple[Coverage, list[Charge]]] = {}  # of payers that take one claim a week
        self.remittances: dict[tuple[int, str], tuple[Payer, list[RemittanceLine]]] = {}

    def bill_charge(self, charge: Charge, coverage: Coverage) -> None:
        """Submit a claim for the charge once its note is signed, or collect it for the weekly claim."""
        if charge.signed_at > self.days.until:
            return
        if coverage.payer.bills_weekly:
            self.weekly_charges.setdefault(coverage.id, (coverage, []))[1].append(charge)
        else:
            self.submit_claim([charge], coverage, max(charge.signed_at, charge.created_at), 0)

    def end_week(self, sunday: int) -> None:
        """Submit the collected charges, and receive the remittances of the days before this one."""
        for coverage, charges in self.weekly_charges.values():
            for start in range(0, len(charges), 6):
                batch = charges[start : start + 6]
                self.submit_claim(batch, coverage, max(max(charge.signed_at, charge.created_at) for charge in batch), 0)
        self.weekly_charges.clear()
        self.receive_remittances(sunday)

    def submit_claim(self, charges: list[Charge], coverage: Coverage, ready_at: int, attempt: int) -> None:
        """Submit a claim and decide the payer's answer. A rejected or denied one may be submitted again."""
        random, days, payer = self.rng.random, self.days, coverage.payer
        submitted_at = self.choose_submission_time(ready_at)
        if submitted_at > days.until:
            return
        responded_at = submitted_at + 300 + int(random() * 3 * DAY)
        if random() < 0.035 and attempt < MAX_RESUBMISSIONS:
            self.write_claim(charges, coverage, submitted_at, responded_at, "REJECTED", NEVER, "")
            if random() < 0.85:
                self.submit_claim(charges, coverage, responded_at + DAY + int(random() * 6 * DAY), attempt + 1)
            else:
                self.write_off(charges, responded_at)
            return
        day = self.choose_remittance_day(payer, responded_at)
        adjudicated_at = days.to_instant(day, 540 + int(random() * 120))
        denial_rate = max(payer.get_denial_rate(charge.cpt) for charge in charges) * (0.4 if attempt else 1.0)
        if random() < 0.01:
            day, adjudicated_at, outcome = NEVER, NEVER, ""  # some claims get lost
            self.write_off(charges, responded_at)
        elif random() < denial_rate:
            outcome = "DENIED"
            self.handle_denial(charges, coverage, adjudicated_at, attempt)
        else:
            outcome = "PARTIAL" if random() < 0.03 else "PAID"
        self.write_claim(charges, coverage, submitted_at, responded_at, "ACCEPTED", adjudicated_at, outcome)
        if outcome in ("PARTIAL", "PAID") and adjudicated_at <= days.until:
            for charge in charges:
                self.adjudicate(charge, coverage, day, adjudicated_at, outcome == "PARTIAL")

    def write_claim(
        self,
        charges: list[Charge],
        coverage: Coverage,
        submitted_at: int,
        responded_at: int,
        response: str,
        adjudicated_at: int,
        outcome: str,
    ) -> None:
        days, until = self.days, self.days.until
        claim_id = self.files.make_id("claims")
        is_adjudicated = adjudicated_at <= until
        self.files.rows["claims"].append(
            f"{claim_id},CL{claim_id[1:]},{charges[0].client.id},{coverage.id},"
            f"{'|'.join(charge.id for charge in charges)},"
            f"{days.format_instant(submitted_at)},{days.format_if_past(responded_at)},"
            f"{response if responded_at <= until else ''},"
            f"{days.format_instant(adjudicated_at) if is_adjudicated else ''},{outcome if is_adjudicated else ''},"
            f"{f'{coverage.payer.id}-{7 * int(claim_id[1:]):09d}' if is_adjudicated else ''}\n"
        )

    def choose_submission_time(self, ready_at: int) -> int:
        """Return the next time at which claims are submitted: on the evening of a working day."""
        day = self.days.to_local_day(ready_at)
        submission = self.days.to_instant(day, 1_170)
        if ready_at > submission:
            day += 1
        day += (1 - get_weekday(day)) % 7 if get_weekday(day) in (0, 6) else 0
        return self.days.to_instant(day, 1_170 + int(self.rng.random() * 20))

    def choose_remittance_day(self, payer: Payer, responded_at: int) -> int:
        day = self.days.to_local_day(responded_at) + max(2, int(payer.response_days * (0.6 + 0.7 * self.rng.random())))
        while get_weekday(day) not in payer.remittance_weekdays:
            day += 1
        return day

    def handle_denial(self, charges: list[Charge], coverage: Coverage, adjudicated_at: int, attempt: int) -> None:
        """Submit denied charges again, write them off, or forget them."""
        r = self.rng.random()
        if attempt < MAX_RESUBMISSIONS and r < 0.65:
            self.submit_claim(charges, coverage, adjudicated_at + (4 + int(self.rng.random() * 20)) * DAY, attempt + 1)
        elif r < 0.9:
            written_off_at = adjudicated_at + (40 + int(self.rng.random() * 80)) * DAY
            for charge in charges:
                self.money.adjust_charge(
                    charge.id, "WO", "DENIED", charge.amount - charge.paid_at_visit, written_off_at
                )

        else:
            self.write_off(charges, adjudicated_at)

    def write_off(self, charges: list[Charge], since: int) -> None:
        """Write off charges that nobody pursued, once the payer's filing limit is over."""
        written_off_at = since + (150 + int(self.rng.random() * 120)) * DAY
        for charge in charges:
            self.money.adjust_charge(
                charge.id, "WO", "TIMELY_FILING", charge.amount - charge.paid_at_visit, written_off_at
            )

    def adjudicate(self, charge: Charge, coverage: Coverage, day: int, adjudicated_at: int, is_partial: bool) -> None:
        """Split the charge into payment, contractual adjustment, and the share of the next payer or the client."""
        random, payer, client = self.rng.random, coverage.payer, charge.client
        allowed = (charge.amount * payer.allowed_percent + 50) // 100
        group = "CO"
        if random() < payer.underpayment_rate:
            allowed = max(allowed * 85 // 100, charge.paid_at_visit)
            group = "CO" if random() < 0.9 else "PI"
        deductible = self.use_deductible(client, charge.day, allowed) if payer.has_deductible else 0
        copay = min(coverage.copay, allowed - deductible)
        coinsurance = (allowed - deductible - copay) * payer.coinsurance_percent // 100
        paid = allowed - deductible - copay - coinsurance
        if charge.paid_at_visit and not deductible and random() < 0.0006:
            self.overpay(charge, adjudicated_at)
            paid, copay = paid + copay, 0
        if is_partial:
            self.settle_shortfall(charge, coverage, day, paid - paid * 6 // 10)
            paid = paid * 6 // 10
        self.add_remittance_line(payer, day, RemittanceLine(charge.id, paid, charge.amount - allowed, group))
        reason = "1" if deductible else "2" if coinsurance else "3"
        share = max(0, deductible + copay + coinsurance - charge.paid_at_visit)
        secondary = client.get_coverage_on(charge.day, rank=2)
        if secondary and coverage.rank == 1 and share:
            share -= self.bill_secondary(charge, secondary, share, adjudicated_at)
        self.money.bill_client(client, charge.id, share, adjudicated_at + 2 * DAY, reason)

    def use_deductible(self, client: Client, day: int, allowed: int) -> int:
        """Return the part of the allowed amount that counts towards the client's deductible of the year."""
        year = to_date(day).year
        if client.deductible_year != year:
            client.deductible_year, client.deductible_left = year, DEDUCTIBLES[client.number % 3]
        part = min(client.deductible_left, allowed)
        client.deductible_left -= part
        return part

    def settle_shortfall(self, charge: Charge, coverage: Coverage, day: int, shortfall: int) -> None:
        """Appeal the unpaid part of a partial payment, write it off, or leave it open."""
        r = self.rng.random()
        if r < 0.5:
            submitted_at = self.choose_submission_time(self.days.to_instant(day + 6 + int(self.rng.random() * 20), 900))
            remittance_day = self.choose_remittance_day(coverage.payer, submitted_at + DAY)
            adjudicated_at = self.days.to_instant(remittance_day, 570)
            if submitted_at <= self.days.until:
                self.write_claim(
                    [charge], coverage, submitted_at, submitted_at + 900, "ACCEPTED", adjudicated_at, "PAID"
                )
                self.add_remittance_line(coverage.payer, remittance_day, RemittanceLine(charge.id, shortfall, 0, "CO"))
        elif r < 0.85:
            self.money.adjust_charge(charge.id, "WO", "PARTIAL", shortfall, self.days.to_instant(day + 70, 800))

    def bill_secondary(self, charge: Charge, coverage: Coverage, share: int, adjudicated_at: int) -> int:
        """Submit the client's share to the secondary payer, and return what that pays."""
        submitted_at = self.choose_submission_time(adjudicated_at + 3 * DAY)
        day = self.choose_remittance_day(coverage.payer, submitted_at + DAY)
        paid = share * (100 if self.rng.random() < 0.7 else 80) // 100
        if submitted_at <= self.days.until:
            self.write_claim(
                [charge],
                coverage,
                submitted_at,
                submitted_at + 1_000,
                "ACCEPTED",
                self.days.to_instant(day, 560),
                "PAID",
            )
            self.add_remittance_line(coverage.payer, day, RemittanceLine(charge.id, paid, 0, "OA"))
        return paid

    def overpay(self, charge: Charge, adjudicated_at: int) -> None:
        """Have the payer pay the copay too. If noticed, the client is refunded; otherwise the charge stays overpaid."""
        noticed_at = adjudicated_at + (8 + int(self.rng.random() * 30)) * DAY
        if self.rng.random() < 0.5 and noticed_at <= self.days.until:
            self.money.apply_payment(charge.visit_payment_id, charge.id, -charge.paid_at_visit, noticed_at)
            method = charge.client.payment_method
            self.money.refund_payment(
                charge.visit_payment_id,
                charge.paid_at_visit,
                method,
                noticed_at + 60,
                "The payer paid this part as well",
            )

    def add_remittance_line(self, payer: Payer, day: int, line: RemittanceLine) -> None:
        self.remittances.setdefault((day, payer.id), (payer, []))[1].append(line)

    def receive_remittances(self, before: int) -> None:
        """Receive the remittances of the days before this one, each as one payment for many charges."""
        for day, payer_id in sorted(key for key in self.remittances if key[0] < before):
            payer, lines = self.remittances.pop((day, payer_id))
            posted_at = self.days.to_instant(day + int(self.rng.random() * 3), 800 + int(self.rng.random() * 200))
            if posted_at > self.days.until:
                continue
            total = sum(line.paid for line in lines)
            if total:
                values = "INSURANCE", "", payer.id, payer.method, AMOUNTS[total], self.days.dates[day]
                number = self.files.numbers["payments"] + 1
                payment_id = self.files.add_row(
                    "payments", *values, self.days.format_instant(posted_at), f"{payer.method}{number:07d}", ""
                )
                for line in lines:
                    if line.paid:
                        self.money.apply_payment(payment_id, line.charge_id, line.paid, posted_at)
            for line in lines:
                self.money.adjust_charge(line.charge_id, line.group, "45", line.adjusted, posted_at)
