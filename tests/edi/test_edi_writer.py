"""Reading what was written gives what was written; and writing what was read keeps every segment."""

import os
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edi
from edi import synthetic
from tests.edi.test_edi_frames import FILE

MANY = 10_000 if "CASELOAD_LONG" in os.environ else 60
DELIMITERS = ("*:~", "|>\n", "\t;!")

plans = st.builds(
    synthetic.Plan,
    claims=st.integers(1, 6),
    payments=st.integers(1, 2),
    groups=st.integers(1, 2),
    interchanges=st.integers(1, 2),
    version=st.sampled_from(["5010", "4010"]),
    delimiters=st.sampled_from(DELIMITERS),
    kinds=st.lists(st.sampled_from(synthetic.KINDS), min_size=1, unique=True).map(tuple),
    provider_adjustments=st.booleans(),
    with_totals=st.booleans(),
)


@settings(deadline=None, max_examples=MANY)
@given(plans, st.integers(0, 2**32))
def test_read_write_read_is_the_same(plan: synthetic.Plan, seed: int) -> None:
    written = synthetic.make_up(plan, seed)
    remittance = edi.read(written.data)
    assert remittance.problems.is_empty()
    assert remittance.payments["balanced_throughout"].all()
    again = edi.write(remittance)
    assert again == written.data
    assert edi.read(again) == remittance


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(synthetic.BREAKS), st.integers(0, 2**32))
def test_also_what_is_broken_keeps_its_segments(name: str, seed: int) -> None:
    broken = synthetic.broken(name, synthetic.make_up(synthetic.Plan(claims=4), seed))
    remittance = edi.read(broken.data)
    if remittance.payments.is_empty():
        return
    again = edi.write(remittance)
    assert segments(again) == segments(broken.data)
    if name != "UNTERMINATED":  # the writer ends every segment
        assert Counter(edi.read(again).problems["code"]) == expected_codes(remittance)


def segments(data: bytes) -> list[str]:
    return [segment.rstrip("*") for segment in data.decode().split("~") if segment.strip()]


def expected_codes(remittance: edi.Remittance) -> Counter[str]:
    codes = Counter(remittance.problems["code"])
    del codes["UNTERMINATED"]
    return codes


def test_a_changed_frame_is_written_as_it_is_now() -> None:
    remittance = edi.read(synthetic.make_up(synthetic.Plan(claims=2, kinds=("paid",)), 1).data)
    frames = remittance.frames()
    frames["payments"] = frames["payments"].with_columns(trace_number=pl.lit("CHK9"), amount_cents=pl.lit(123))
    frames["claims"] = frames["claims"].with_columns(control_number=pl.lit("X1"))
    again = edi.read(edi.write(edi.Remittance(**frames)))
    assert again.payments.select("trace_number", "amount_cents").rows() == [("CHK9", 123)]
    assert again.claims["control_number"].to_list() == ["X1", "X1"]


@pytest.mark.parametrize(
    ("frame", "column", "value"),
    [
        ("payments", "trace_number", "A*B"),
        ("names", "last", "A~B"),
        ("lines", "procedure", "908:37"),
        ("lines", "modifiers", ["95", "H:O"]),
        ("provider_adjustments", "reason", "WO:1"),
    ],
)
def test_a_value_that_holds_a_delimiter_is_not_written(frame: str, column: str, value: str | list[str]) -> None:
    remittance = edi.read(FILE)
    frames = remittance.frames()
    frames[frame] = frames[frame].with_columns(pl.lit(value, frames[frame].schema[column]).alias(column))
    with pytest.raises(edi.CannotWrite, match="Choose other delimiters"):
        edi.write(edi.Remittance(**frames))


def test_what_separates_components_may_stand_where_there_are_none() -> None:
    remittance = edi.read(FILE)
    frames = remittance.frames()
    frames["names"] = frames["names"].with_columns(last=pl.lit("A:B"))
    changed = edi.Remittance(**frames)
    assert edi.read(edi.write(changed)) == changed


def test_lines_of_their_own() -> None:
    data = synthetic.make_up(synthetic.Plan(claims=1), 1).data
    assert edi.write(edi.read(data), line_breaks=True) == data.replace(b"~", b"~\n")


def test_a_transaction_of_another_kind_is_not_kept() -> None:
    data = synthetic.broken("NOT_835", synthetic.make_up(synthetic.Plan(claims=1, payments=2), 1)).data
    remittance = edi.read(data)
    assert remittance.payments.height == 1
    written = edi.write(remittance)
    assert b"ST*837" not in written
    assert written.count(b"CLP*") == 1
