"""Every named corruption is found with the right code at the right location, and nothing else is."""

import re

import polars as pl
import pytest

import edi
from edi import synthetic
from edi.problems import CODES

PLAN = synthetic.Plan(claims=6)
SEEDS = range(3)


@pytest.mark.parametrize("name", synthetic.CORRUPTIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_corruption_is_found_at_its_location(name: str, seed: int) -> None:
    corrupted = synthetic.corrupt(name, synthetic.generate(PLAN, seed))
    problems = set(edi.read(corrupted.data).problems.select("code", "segment", "element").rows())
    assert set(corrupted.expected) <= problems
    assert {code for code, _, _ in problems - set(corrupted.expected)} <= set(corrupted.allowed)


@pytest.mark.parametrize("name", synthetic.CORRUPTIONS)
def test_the_offset_is_the_first_byte_of_the_segment(name: str) -> None:
    file = synthetic.generate(synthetic.Plan(claims=6, delimiters="|>\n"), 1)
    corrupted = synthetic.corrupt(name, file)
    pieces = corrupted.data.split(b"\n")
    for segment, offset in edi.read(corrupted.data).problems.select("segment", "offset").rows():
        if segment is not None:
            assert corrupted.data[offset:].startswith(pieces[segment - 1])


def test_every_code_is_covered_by_a_test() -> None:
    file = synthetic.generate(PLAN, 1)
    covered = {code for name in synthetic.CORRUPTIONS for code, _, _ in synthetic.corrupt(name, file).expected}
    elsewhere = {"TOO_LARGE", "TRANSACTION_TOO_LONG", "TOO_MANY_PARTS", "BAD_ARCHIVE"}  # in test_edi_limits
    assert covered | elsewhere == set(CODES)


@pytest.mark.parametrize("name", synthetic.CORRUPTIONS)
def test_structural_corruption_makes_a_payment_unsound_and_a_wrong_amount_does_not(name: str) -> None:
    remittance = edi.read(synthetic.corrupt(name, synthetic.generate(PLAN, 2)).data)
    errors = "error" in remittance.problems["severity"].to_list()
    if remittance.payments.height == 1:
        assert remittance.payments["sound"].to_list() == [not errors]
    else:
        assert errors or name in ("TRACE_REPEATED", "CONTROL_NUMBER_REPEATED")


def test_an_error_in_one_payment_leaves_the_others_sound() -> None:
    file = synthetic.generate(synthetic.Plan(claims=3, payments=3), 4)
    corrupted = edi.read(synthetic.corrupt("BAD_DATE: another format", file).data)
    assert corrupted.payments["sound"].to_list() == [False, True, True]
    assert corrupted.payments["balanced_throughout"].to_list() == [True, True, True]


def test_an_invalid_group_makes_its_payments_unsound_and_no_others() -> None:
    file = synthetic.generate(synthetic.Plan(claims=1, payments=2, groups=2), 4)
    corrupted = edi.read(synthetic.corrupt("COUNT_DIFFERS in GE", file).data)
    assert corrupted.payments["sound"].to_list() == [False, False, True, True]


def test_an_invalid_interchange_makes_its_payments_unsound_and_no_others() -> None:
    file = synthetic.generate(synthetic.Plan(claims=1, groups=2, interchanges=2), 4)
    corrupted = edi.read(synthetic.corrupt("CONTROL_NUMBER_DIFFERS in IEA", file).data)
    assert corrupted.payments["sound"].to_list() == [False, False, True, True]


def test_messages_contain_no_names() -> None:
    for name in synthetic.CORRUPTIONS:
        messages = " ".join(edi.read(synthetic.corrupt(name, synthetic.generate(PLAN, 3)).data).problems["message"])
        words = {*synthetic.generator.LAST_NAMES, *synthetic.generator.FIRST_NAMES, "twelve", "ANOTHER"}
        assert not words & set(re.findall(r"\w+", messages))


def test_a_partly_unreadable_segment_is_stored_unchanged() -> None:
    file = synthetic.generate(PLAN, 1)
    corrupted = synthetic.corrupt("BAD_AMOUNT: words", file)
    remittance = edi.read(corrupted.data)
    segments = remittance.others.filter(pl.col("id") == "SVC")["elements"].to_list()
    assert [segment[2] for segment in segments] == ["twelve"]
    assert edi.write(remittance) == corrupted.data


def test_a_balance_problem_states_the_amounts_in_dollars() -> None:
    remittance = edi.read(synthetic.corrupt("PAYMENT_UNBALANCED", synthetic.generate(PLAN, 1)).data)
    amount = remittance.payments["amount_cents"][0]
    ending = f"come to {(amount - 1) / 100:.2f}, but BPR02 is {amount / 100:.2f}."
    assert remittance.problems["message"][0].endswith(ending)
    assert remittance.payments.select("balanced", "balanced_throughout", "sound").rows() == [(False, False, True)]


def test_interest_is_checked_only_if_a_claim_reports_some() -> None:
    """The first payment reports interest and agrees, the second pays unreported interest, the third has none."""
    service = synthetic.ServiceSpec("90837", 16500)
    claims = [
        synthetic.ClaimSpec(f"PCN{number}", (service,), interest=interest)
        for number, interest in ((1, 100), (2, 0), (3, 0))
    ]
    payments = (
        synthetic.PaymentSpec((claims[0],), (synthetic.ProviderAdjustmentSpec("L6", -100),), "T1"),
        synthetic.PaymentSpec((claims[1],), (synthetic.ProviderAdjustmentSpec("L6", -50),), "T2"),
        synthetic.PaymentSpec((claims[2],), (), "T3"),
    )
    assert edi.read(synthetic.render(synthetic.RemittanceFile(((payments,),))).data).problems.is_empty()


@pytest.mark.parametrize(
    ("kind", "number", "value", "flags"),
    [
        ("CLP", 4, "", (False, False)),
        ("CLP", 4, "5z", (False, False)),
        ("PLB", 4, "", (False, False)),
        ("CAS", 3, "x", (True, False)),
        ("SVC", 3, "", (True, False)),
        ("BPR", 2, "", (False, False)),
    ],
)
def test_a_sum_with_a_missing_amount_is_not_balanced(
    kind: str, number: int, value: str, flags: tuple[bool, bool]
) -> None:
    """A missing amount may not have been zero, even where the present amounts agree."""
    service = synthetic.ServiceSpec("90837", 16500, adjustments=(synthetic.AdjustmentSpec("CO", "29", 16500),))
    zero = (synthetic.ProviderAdjustmentSpec("L6", 0),)
    file = synthetic.render(
        synthetic.RemittanceFile((((synthetic.PaymentSpec((synthetic.ClaimSpec("PCN1", (service,)),), zero, "T1"),),),))
    )
    assert edi.read(file.data).payments["balanced_throughout"].all()
    segments = [list(segment) for segment in file.segments]
    changed = next(segment for segment in segments if segment[0] == kind)
    changed[number] = value
    if kind == "CAS":
        changed[number + 1 :] = ["", "45", "165"]
    read = edi.read(file.replace_segments(segments).data)
    assert read.payments.select("balanced", "balanced_throughout").rows() == [flags]
    assert not {code for code in read.problems["code"] if code.endswith("_UNBALANCED")}
