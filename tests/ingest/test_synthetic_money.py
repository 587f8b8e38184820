"""The billing of the demo practice is realistic: payers and clients have habits."""

from collections import Counter, defaultdict
from statistics import mean, median

import pytest

from tests.support.drivers.synthetic import DEMO, SyntheticPractice, generate_practice


@pytest.fixture
def demo() -> SyntheticPractice:
    return generate_practice(DEMO)


def test_payers_have_habits(demo: SyntheticPractice) -> None:
    coverages = demo.bundle.by_id["coverages"]
    waits, outcomes = defaultdict(list), defaultdict(Counter)
    for claim in demo.bundle["claims"]:
        payer = coverages[claim["coverage_id"]]["payer_id"]
        if claim["outcome"]:
            waits[payer].append((claim["adjudicated_at"] - claim["submitted_at"]).days)
            for charge_id in claim["charge_ids"]:
                outcomes[payer, demo.bundle.by_id["charges"][charge_id]["cpt_code"]][claim["outcome"]] += 1
    typical = sorted(median(days) for days in waits.values())
    assert typical[0] < 20
    assert typical[-1] > 35
    denied = {key: counts["DENIED"] / counts.total() for key, counts in outcomes.items() if counts.total() >= 30}
    assert max(denied.values()) > 0.08
    assert median(denied.values()) < 0.05
    responses = Counter(claim["first_response"] for claim in demo.bundle["claims"])
    assert 0.01 < responses["REJECTED"] / responses.total() < 0.08
    assert any(len(claim["charge_ids"]) > 1 for claim in demo.bundle["claims"])


def test_denied_claims_are_reworked_or_written_off(demo: SyntheticPractice) -> None:
    sent = defaultdict(list)
    for claim in demo.bundle["claims"]:
        for charge_id in claim["charge_ids"]:
            sent[charge_id].append(claim["outcome"])
    denied = [outcomes for outcomes in sent.values() if "DENIED" in outcomes]
    assert any("PAID" in outcomes for outcomes in denied)
    reasons = {(row["group"], row["reason"]) for row in demo.bundle["adjustments"]}
    assert {("CO", "45"), ("WO", "DENIED"), ("WO", "BAD_DEBT"), ("PR", "1"), ("PR", "2"), ("PR", "3")} <= reasons


def test_money_is_received_at_visits_by_statement_and_in_remittances(demo: SyntheticPractice) -> None:
    bundle = demo.bundle
    applied = bundle.group_by("payment_applications", "payment_id")
    remittances = [row for row in bundle["payments"] if row["payer"] == "INSURANCE"]
    assert mean(len(applied[row["id"]]) for row in remittances) > 10
    cards = mean(row["method"] == "CREDIT_CARD" for row in bundle["payments"] if row["payer"] == "CLIENT")
    assert 0.4 < cards < 0.8
    overpaid = [
        row
        for row in bundle["payments"]
        if row["amount"] > sum(application["amount"] for application in applied[row["id"]])
    ]
    assert len(overpaid) > 10
    assert 5 < len(bundle["refunds"]) < 200
    assert any(row["amount"] < 0 for row in bundle["payment_applications"])
    secondary = {row["id"] for row in bundle["coverages"] if row["rank"] == 2}
    assert any(claim["coverage_id"] in secondary for claim in bundle["claims"])
    self_pay = {row["id"] for row in bundle["clients"] if row["self_pay"]}
    assert 0.05 < len(self_pay) / len(bundle["clients"]) < 0.25
    assert not self_pay & {claim["client_id"] for claim in bundle["claims"]}
    charges = [row for row in bundle["charges"] if row["voided_at"] is None]
    paid = sum(row["amount"] for row in bundle["payment_applications"])
    assert 0.55 < float(paid) / float(sum(row["amount"] for row in charges)) < 0.85
