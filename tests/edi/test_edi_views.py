"""Claims and payments as objects."""

from datetime import date
from decimal import Decimal

import edi
from edi import codes, synthetic
from tests.edi.test_edi_frames import FILE


def test_a_claim_with_every_field() -> None:
    claim = edi.get_claim(edi.read(FILE), 0)
    assert (claim.control_number, claim.status, claim.is_reversal) == ("PCN1", "1", False)
    assert (claim.charge_cents, claim.paid_cents, claim.patient_cents, claim.balanced) == (16500, 10050, 4000, True)
    assert claim.patient
    assert (claim.patient.last, claim.patient.first, claim.patient.id) == ("BIRCH", "ASH", "M1")
    assert claim.insured
    assert claim.insured.last == "OAK"
    assert claim.corrected
    assert claim.corrected.first == "ROSE"
    assert claim.rendering
    assert claim.rendering.id == "1234567893"
    assert (claim.service_from, claim.service_to) == (date(2026, 3, 1), date(2026, 3, 2))
    assert [(item.group, item.reason, item.amount_cents) for item in claim.adjustments] == [
        ("CO", "253", 150),
        ("CO", "45", 300),
    ]
    assert claim.remarks == ["MA01", "MA18"]
    assert claim.references == [("1L", "G9")]
    assert claim.amounts == [("AU", 14050)]
    (line,) = claim.lines
    assert (line.procedure, line.modifiers, line.submitted_procedure) == ("90837", ["95", "HO"], "90834")
    assert (line.units, line.date, line.control, line.remarks) == (Decimal(1), date(2026, 3, 2), "L1", ["N1"])
    assert [adjustment.amount_cents for adjustment in line.adjustments] == [1500, 2500, 2000]


def test_a_reversal_without_dates_of_its_own() -> None:
    claim = edi.get_claim(edi.read(FILE), 1)
    assert claim.is_reversal
    assert (claim.service_from, claim.service_to, claim.insured, claim.adjustments) == (None, None, None, [])
    assert claim.lines[0].revenue_code == "0900"


def test_all_payments_with_all_their_claims() -> None:
    remittance = edi.read(synthetic.generate(synthetic.Plan(claims=7, payments=3), 2).data)
    payments = list(edi.iterate_payments(remittance))
    assert [len(payment.claims) for payment in payments] == [7, 7, 7]
    claims = [claim for payment in payments for claim in payment.claims]
    assert claims == [edi.get_claim(remittance, number) for number in range(21)]
    provider = [item.amount_cents for payment in payments for item in payment.provider_adjustments]
    assert provider == remittance.provider_adjustments["amount_cents"].to_list()
    assert [payment.header["trace_number"] for payment in payments] == ["T00000001", "T00000002", "T00000003"]


def test_codes_have_one_category_each() -> None:
    for categories in (codes._CARC, codes._RARC, codes._PLB):
        listed = [code for group in categories.values() for code in group.split()]
        assert len(listed) == len(set(listed))
    assert codes.CARC["45"] == "contractual"
    assert codes.CARC["24"] == "capitation"
    assert codes.CARC["253"] == "sequestration"
    assert {codes.CARC[code] for code in ("1", "2", "3")} == {"deductible", "coinsurance", "copay"}
    assert codes.RARC["MA130"] == "missing_information"
    assert (codes.PLB["FB"], codes.PLB["WO"], codes.PLB["L6"]) == ("forwarding", "recovery", "interest")
    assert codes.STATUS["22"] == "reversal"
