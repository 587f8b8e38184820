"""Claims and what payers do with them: turn back, deny, cut, pay; the money comes in collected payments."""

from random import Random

from ingest.synthetic.days import DAY, NEVER, Days, to_date, weekday
from ingest.synthetic.files import AMOUNTS, Files
from ingest.synthetic.model import Client, Coverage
from ingest.synthetic.money import Charge, Money
from ingest.synthetic.practice_setup import Payer

DEDUCTIBLES = (25_000, 50_000, 100_000)
ATTEMPTS = 2
Line = tuple[str, int, int, str]  # charge, paid, adjusted, group of the adjustment


class Claims:
    def __init__(self, rng: Random, days: Days, files: Files, money: Money) -> None:
        self.rng, self.days, self.files, self.money = rng, days, files, money
        self.week: dict[str, tuple[Coverage, list[Charge]]] = {}  # of payers that want a week on one claim
        self.remittances: dict[tuple[int, str], tuple[Payer, list[Line]]] = {}

    def bill(self, charge: Charge, coverage: Coverage) -> None:
        if charge.signed > self.days.until:
            return
        if coverage.payer.weekly:
            self.week.setdefault(coverage.id, (coverage, []))[1].append(charge)
        else:
            self.submit([charge], coverage, max(charge.signed, charge.created), 0)

    def end_of_week(self, sunday: int) -> None:
        """The claims that were collected, and the remittances that came in before this week."""
        for coverage, charges in self.week.values():
            for at in range(0, len(charges), 6):
                some = charges[at : at + 6]
                self.submit(some, coverage, max(max(one.signed, one.created) for one in some), 0)
        self.week.clear()
        self.receive(sunday)

    def submit(self, charges: list[Charge], coverage: Coverage, ready: int, attempt: int) -> None:
        random, days, payer = self.rng.random, self.days, coverage.payer
        submitted = self.evening(ready)
        if submitted > days.until:
            return
        responded = submitted + 300 + int(random() * 3 * DAY)
        if random() < 0.035 and attempt < ATTEMPTS:
            self.write(charges, coverage, submitted, responded, "REJECTED", NEVER, "")
            if random() < 0.85:
                self.submit(charges, coverage, responded + DAY + int(random() * 6 * DAY), attempt + 1)
            else:
                self.too_late(charges, responded)
            return
        day = self.remittance_day(payer, responded)
        decided = days.at(day, 540 + int(random() * 120))
        denial = max(payer.denial(charge.cpt) for charge in charges) * (0.4 if attempt else 1.0)
        if random() < 0.01:
            day, decided, outcome = NEVER, NEVER, ""  # lost, as claims are
            self.too_late(charges, responded)
        elif random() < denial:
            outcome = "DENIED"
            self.denied(charges, coverage, decided, attempt)
        else:
            outcome = "PARTIAL" if random() < 0.03 else "PAID"
        self.write(charges, coverage, submitted, responded, "ACCEPTED", decided, outcome)
        if outcome in ("PARTIAL", "PAID") and decided <= days.until:
            for charge in charges:
                self.pay(charge, coverage, day, decided, outcome == "PARTIAL")

    def write(
        self,
        charges: list[Charge],
        coverage: Coverage,
        submitted: int,
        responded: int,
        response: str,
        decided: int,
        outcome: str,
    ) -> None:
        days, until = self.days, self.days.until
        claim_id = self.files.new_id("claims")
        known = decided <= until
        self.files.rows["claims"].append(
            f"{claim_id},CL{claim_id[1:]},{charges[0].client.id},{coverage.id},{'|'.join(one.id for one in charges)},"
            f"{days.stamp(submitted)},{days.stamp_if(responded)},{response if responded <= until else ''},"
            f"{days.stamp(decided) if known else ''},{outcome if known else ''},"
            f"{f'{coverage.payer.id}-{7 * int(claim_id[1:]):09d}' if known else ''}\n"
        )

    def evening(self, ready: int) -> int:
        """Claims leave on working days, in the evening."""
        day = self.days.local_day(ready)
        leaves = self.days.at(day, 1_170)
        if ready > leaves:
            day += 1
        day += (1 - weekday(day)) % 7 if weekday(day) in (0, 6) else 0
        return self.days.at(day, 1_170 + int(self.rng.random() * 20))

    def remittance_day(self, payer: Payer, responded: int) -> int:
        day = self.days.local_day(responded) + max(2, int(payer.days * (0.6 + 0.7 * self.rng.random())))
        while weekday(day) not in payer.remits_on:
            day += 1
        return day

    def denied(self, charges: list[Charge], coverage: Coverage, decided: int, attempt: int) -> None:
        """Reworked and sent again, given up, or left lying."""
        r = self.rng.random()
        if attempt < ATTEMPTS and r < 0.65:
            self.submit(charges, coverage, decided + (4 + int(self.rng.random() * 20)) * DAY, attempt + 1)
        elif r < 0.9:
            at = decided + (40 + int(self.rng.random() * 80)) * DAY
            for charge in charges:
                self.money.adjust(charge.id, "WO", "DENIED", charge.amount - charge.copaid, at)

        else:
            self.too_late(charges, decided)

    def too_late(self, charges: list[Charge], since: int) -> None:
        """What nobody pursued is found when the payer's time for claims is over."""
        at = since + (150 + int(self.rng.random() * 120)) * DAY
        for charge in charges:
            self.money.adjust(charge.id, "WO", "TIMELY_FILING", charge.amount - charge.copaid, at)

    def pay(self, charge: Charge, coverage: Coverage, day: int, decided: int, partial: bool) -> None:
        """The payer's part, what the contract takes off, and what is left to the next payer or the client."""
        random, payer, client = self.rng.random, coverage.payer, charge.client
        allowed = (charge.amount * payer.pays + 50) // 100
        group = "CO"
        if random() < payer.underpays:
            allowed = max(allowed * 85 // 100, charge.copaid)
            group = "CO" if random() < 0.9 else "PI"
        deductible = self.deductible(client, charge.day, allowed) if payer.deductible else 0
        copay = min(coverage.copay, allowed - deductible)
        coinsurance = (allowed - deductible - copay) * payer.coinsurance // 100
        paid = allowed - deductible - copay - coinsurance
        if charge.copaid and not deductible and random() < 0.0006:
            self.overpaid(charge, decided)
            paid, copay = paid + copay, 0
        if partial:
            self.cut(charge, coverage, day, paid - paid * 6 // 10)
            paid = paid * 6 // 10
        self.line(payer, day, (charge.id, paid, charge.amount - allowed, group))
        reason = "1" if deductible else "2" if coinsurance else "3"
        share = max(0, deductible + copay + coinsurance - charge.copaid)
        second = client.coverage_on(charge.day, rank=2)
        if second and coverage.rank == 1 and share:
            share -= self.secondary(charge, second, share, decided)
        self.money.owes(client, charge.id, share, decided + 2 * DAY, reason)

    def deductible(self, client: Client, day: int, allowed: int) -> int:
        year = to_date(day).year
        if client.deductible_year != year:
            client.deductible_year, client.deductible_left = year, DEDUCTIBLES[client.number % 3]
        part = min(client.deductible_left, allowed)
        client.deductible_left -= part
        return part

    def cut(self, charge: Charge, coverage: Coverage, day: int, short: int) -> None:
        """What a partial payment left out: paid after an appeal, written off, or open."""
        r = self.rng.random()
        if r < 0.5:
            sent = self.evening(self.days.at(day + 6 + int(self.rng.random() * 20), 900))
            again = self.remittance_day(coverage.payer, sent + DAY)
            decided = self.days.at(again, 570)
            if sent <= self.days.until:
                self.write([charge], coverage, sent, sent + 900, "ACCEPTED", decided, "PAID")
                self.line(coverage.payer, again, (charge.id, short, 0, "CO"))
        elif r < 0.85:
            self.money.adjust(charge.id, "WO", "PARTIAL", short, self.days.at(day + 70, 800))

    def secondary(self, charge: Charge, coverage: Coverage, share: int, decided: int) -> int:
        """Sent on to the second payer; answers with what that one takes over."""
        sent = self.evening(decided + 3 * DAY)
        day = self.remittance_day(coverage.payer, sent + DAY)
        takes = share * (100 if self.rng.random() < 0.7 else 80) // 100
        if sent <= self.days.until:
            self.write([charge], coverage, sent, sent + 1_000, "ACCEPTED", self.days.at(day, 560), "PAID")
            self.line(coverage.payer, day, (charge.id, takes, 0, "OA"))
        return takes

    def overpaid(self, charge: Charge, decided: int) -> None:
        """The payer pays the copay too. Noticed, the client's is given back; else the charge stays overpaid."""
        noticed = decided + (8 + int(self.rng.random() * 30)) * DAY
        if self.rng.random() < 0.5 and noticed <= self.days.until:
            self.money.apply(charge.copayment, charge.id, -charge.copaid, noticed)
            method = charge.client.method
            self.money.refund(charge.copayment, charge.copaid, method, noticed + 60, "The payer paid this part as well")

    def line(self, payer: Payer, day: int, line: Line) -> None:
        self.remittances.setdefault((day, payer.id), (payer, []))[1].append(line)

    def receive(self, before: int) -> None:
        """The remittances of the days before that one, each a payment for many charges."""
        for key in sorted(key for key in self.remittances if key[0] < before):
            payer, lines = self.remittances.pop(key)
            posted = self.days.at(key[0] + int(self.rng.random() * 3), 800 + int(self.rng.random() * 200))
            if posted > self.days.until:
                continue
            total = sum(paid for _, paid, _, _ in lines)
            if total:
                cells = "INSURANCE", "", payer.id, payer.method, AMOUNTS[total], self.days.dates[key[0]]
                number = self.files.numbers["payments"] + 1
                payment = self.files.add("payments", *cells, self.days.stamp(posted), f"{payer.method}{number:07d}")
                for charge_id, paid, _, _ in lines:
                    if paid:
                        self.money.apply(payment, charge_id, paid, posted)
            for charge_id, _, adjusted, group in lines:
                self.money.adjust(charge_id, group, "45", adjusted, posted)
