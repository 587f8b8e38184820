"""For each way of breaking a remittance that the generator knows: the right code at the right place, and no others."""

import re

import polars as pl
import pytest

import edi
from edi import synthetic
from edi.problems import CODES

PLAN = synthetic.Plan(claims=6)
SEEDS = range(3)


@pytest.mark.parametrize("name", synthetic.BREAKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_found_where_it_is(name: str, seed: int) -> None:
    broken = synthetic.broken(name, synthetic.make_up(PLAN, seed))
    found = set(edi.read(broken.data).problems.select("code", "segment", "element").rows())
    assert set(broken.must) <= found
    assert {code for code, _, _ in found - set(broken.must)} <= set(broken.also)


@pytest.mark.parametrize("name", synthetic.BREAKS)
def test_the_byte_is_that_of_the_segment(name: str) -> None:
    good = synthetic.make_up(synthetic.Plan(claims=6, delimiters="|>\n"), 1)
    broken = synthetic.broken(name, good)
    pieces = broken.data.split(b"\n")
    for segment, offset in edi.read(broken.data).problems.select("segment", "offset").rows():
        if segment is not None:
            assert broken.data[offset:].startswith(pieces[segment - 1])


def test_every_code_can_be_met() -> None:
    met = {place[0] for name in synthetic.BREAKS for place in synthetic.broken(name, synthetic.make_up(PLAN, 1)).must}
    elsewhere = {"TOO_LARGE", "TRANSACTION_TOO_LONG", "TOO_MANY_PARTS", "BAD_ARCHIVE"}  # see the tests of limits
    assert met | elsewhere == set(CODES)


@pytest.mark.parametrize("name", synthetic.BREAKS)
def test_structural_damage_makes_a_payment_unsound_and_money_does_not(name: str) -> None:
    remittance = edi.read(synthetic.broken(name, synthetic.make_up(PLAN, 2)).data)
    errors = "error" in remittance.problems["severity"].to_list()
    if remittance.payments.height == 1:
        assert remittance.payments["sound"].to_list() == [not errors]
    else:
        assert errors or name in ("TRACE_REPEATED", "CONTROL_NUMBER_REPEATED")


def test_damage_in_one_payment_leaves_the_others_sound() -> None:
    good = synthetic.make_up(synthetic.Plan(claims=3, payments=3), 4)
    broken = edi.read(synthetic.broken("BAD_DATE: another form", good).data)
    assert broken.payments["sound"].to_list() == [False, True, True]
    assert broken.payments["balanced_throughout"].to_list() == [True, True, True]


def test_a_wrong_group_makes_all_of_it_unsound_and_no_other() -> None:
    good = synthetic.make_up(synthetic.Plan(claims=1, payments=2, groups=2), 4)
    broken = edi.read(synthetic.broken("COUNT_DIFFERS in GE", good).data)
    assert broken.payments["sound"].to_list() == [False, False, True, True]


def test_a_wrong_interchange_makes_all_of_it_unsound_and_no_other() -> None:
    good = synthetic.make_up(synthetic.Plan(claims=1, groups=2, interchanges=2), 4)
    broken = edi.read(synthetic.broken("CONTROL_NUMBER_DIFFERS in IEA", good).data)
    assert broken.payments["sound"].to_list() == [False, False, True, True]


def test_problems_carry_no_name_and_no_value_that_could_be_one() -> None:
    for name in synthetic.BREAKS:
        told = " ".join(edi.read(synthetic.broken(name, synthetic.make_up(PLAN, 3)).data).problems["message"])
        words = {*synthetic.generator.LAST, *synthetic.generator.FIRST, "twelve", "ANOTHER"}
        assert not words & set(re.findall(r"\w+", told))


def test_what_cannot_be_read_of_a_segment_is_kept_as_it_was() -> None:
    good = synthetic.make_up(PLAN, 1)
    broken = synthetic.broken("BAD_AMOUNT: words", good)
    remittance = edi.read(broken.data)
    kept = remittance.others.filter(pl.col("id") == "SVC")["elements"].to_list()
    assert [segment[2] for segment in kept] == ["twelve"]
    assert edi.write(remittance) == broken.data


def test_a_balance_that_is_off_is_told_in_dollars() -> None:
    remittance = edi.read(synthetic.broken("PAYMENT_UNBALANCED", synthetic.make_up(PLAN, 1)).data)
    amount = remittance.payments["amount_cents"][0]
    told = f"come to {(amount - 1) / 100:.2f}, but BPR02 is {amount / 100:.2f}."
    assert remittance.problems["message"][0].endswith(told)
    assert remittance.payments.select("balanced", "balanced_throughout", "sound").rows() == [(False, False, True)]


def test_interest_is_looked_at_only_where_a_claim_tells_of_it() -> None:
    """Of three payments the first tells of interest and agrees, the second pays some untold, the third has none."""
    service = synthetic.Service("90837", 16500)
    bills = [
        synthetic.Bill(f"PCN{number}", (service,), interest=interest) for number, interest in ((1, 100), (2, 0), (3, 0))
    ]
    transfers = (
        synthetic.Transfer((bills[0],), (synthetic.ProviderAdjust("L6", -100),), "T1"),
        synthetic.Transfer((bills[1],), (synthetic.ProviderAdjust("L6", -50),), "T2"),
        synthetic.Transfer((bills[2],), (), "T3"),
    )
    assert edi.read(synthetic.written(synthetic.Mail(((transfers,),))).data).problems.is_empty()


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
def test_a_sum_with_a_missing_amount_proves_nothing(
    kind: str, number: int, value: str, flags: tuple[bool, bool]
) -> None:
    """Also where all that is there agrees, since what is missing was nothing, or could have been."""
    service = synthetic.Service("90837", 16500, adjustments=(synthetic.Adjust("CO", "29", 16500),))
    nothing = (synthetic.ProviderAdjust("L6", 0),)
    good = synthetic.written(
        synthetic.Mail((((synthetic.Transfer((synthetic.Bill("PCN1", (service,)),), nothing, "T1"),),),))
    )
    assert edi.read(good.data).payments["balanced_throughout"].all()
    segments = [list(segment) for segment in good.segments]
    changed = next(segment for segment in segments if segment[0] == kind)
    changed[number] = value
    if kind == "CAS":
        changed[number + 1 :] = ["", "45", "165"]
    read = edi.read(good.with_segments(segments).data)
    assert read.payments.select("balanced", "balanced_throughout").rows() == [flags]
    assert not {code for code in read.problems["code"] if code.endswith("_UNBALANCED")}
