"""Reading and writing are inverse, and writing keeps every segment."""

import os
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edi
from edi import synthetic
from tests.edi.test_edi_frames import FILE

EXAMPLES = 10_000 if "CASELOAD_LONG" in os.environ else 60
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


@settings(deadline=None, max_examples=EXAMPLES)
@given(plans, st.integers(0, 2**32))
def test_a_remittance_survives_a_round_trip(plan: synthetic.Plan, seed: int) -> None:
    file = synthetic.generate(plan, seed)
    remittance = edi.read(file.data)
    assert remittance.problems.is_empty()
    assert remittance.payments["balanced_throughout"].all()
    rewritten = edi.write(remittance)
    assert rewritten == file.data
    assert edi.read(rewritten) == remittance


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(synthetic.CORRUPTIONS), st.integers(0, 2**32))
def test_a_corrupted_file_keeps_its_segments(name: str, seed: int) -> None:
    corrupted = synthetic.corrupt(name, synthetic.generate(synthetic.Plan(claims=4), seed))
    remittance = edi.read(corrupted.data)
    if remittance.payments.is_empty():
        return
    rewritten = edi.write(remittance)
    assert split_segments(rewritten) == split_segments(corrupted.data)
    if name != "UNTERMINATED":  # the writer ends every segment
        assert Counter(edi.read(rewritten).problems["code"]) == count_expected_codes(remittance)


def split_segments(data: bytes) -> list[str]:
    return [segment.rstrip("*") for segment in data.decode().split("~") if segment.strip()]


def count_expected_codes(remittance: edi.Remittance) -> Counter[str]:
    codes = Counter(remittance.problems["code"])
    del codes["UNTERMINATED"]
    return codes


def test_a_changed_frame_is_written_with_its_changes() -> None:
    remittance = edi.read(synthetic.generate(synthetic.Plan(claims=2, kinds=("paid",)), 1).data)
    frames = remittance.to_frames()
    frames["payments"] = frames["payments"].with_columns(trace_number=pl.lit("CHK9"), amount_cents=pl.lit(123))
    frames["claims"] = frames["claims"].with_columns(control_number=pl.lit("X1"))
    changed = edi.read(edi.write(edi.Remittance(**frames)))
    assert changed.payments.select("trace_number", "amount_cents").rows() == [("CHK9", 123)]
    assert changed.claims["control_number"].to_list() == ["X1", "X1"]


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
def test_a_value_that_contains_a_delimiter_is_not_written(frame: str, column: str, value: str | list[str]) -> None:
    remittance = edi.read(FILE)
    frames = remittance.to_frames()
    frames[frame] = frames[frame].with_columns(pl.lit(value, frames[frame].schema[column]).alias(column))
    with pytest.raises(edi.CannotWrite, match="Choose other delimiters"):
        edi.write(edi.Remittance(**frames))


def test_a_component_separator_is_allowed_outside_composites() -> None:
    remittance = edi.read(FILE)
    frames = remittance.to_frames()
    frames["names"] = frames["names"].with_columns(last=pl.lit("A:B"))
    changed = edi.Remittance(**frames)
    assert edi.read(edi.write(changed)) == changed


def test_segments_are_written_on_separate_lines() -> None:
    data = synthetic.generate(synthetic.Plan(claims=1), 1).data
    assert edi.write(edi.read(data), line_breaks=True) == data.replace(b"~", b"~\n")


def test_a_transaction_of_another_kind_is_not_written() -> None:
    data = synthetic.corrupt("NOT_835", synthetic.generate(synthetic.Plan(claims=1, payments=2), 1)).data
    remittance = edi.read(data)
    assert remittance.payments.height == 1
    rewritten = edi.write(remittance)
    assert b"ST*837" not in rewritten
    assert rewritten.count(b"CLP*") == 1
