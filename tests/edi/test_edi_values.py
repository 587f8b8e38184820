"""What an element is worth: amounts, numbers and dates, as texts that a payer may write."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi.values import cents, cents_text, dates, money_text, number_text, numbers

AMOUNTS = {
    "150": 15000,
    "150.00": 15000,
    "150.5": 15050,
    ".5": 50,
    "-.05": -5,
    "-12": -1200,
    "12.": 1200,
    "0": 0,
    "-0": 0,
    "00012.10": 1210,
    "12.340": 1234,
    "9999999999.99": 999999999999,
    "12.345": None,
    "10000000000": None,
    "1e2": None,
    "+4": None,
    "1,000.00": None,
    "$5": None,
    "12 3": None,
    "-": None,
    ".": None,
    "5-": None,
    "NaN": None,
    "٣": None,
    "x": None,
}


@pytest.mark.parametrize(("text", "value"), AMOUNTS.items())
def test_an_amount_is_whole_cents_or_nothing(text: str, value: int | None) -> None:
    assert cents(pl.Series([text])).to_list() == [value]


def test_one_wrong_amount_spoils_no_other() -> None:
    assert cents(pl.Series(["1", None, "x", "2.50"])).to_list() == [100, None, None, 250]


@given(st.integers(-999_999_999_999, 999_999_999_999))
def test_cents_come_back_from_what_is_written(value: int) -> None:
    frame = pl.DataFrame({"v": [value]}).select(written=cents_text(pl.col("v")), told=money_text(pl.col("v")))
    assert cents(frame["written"]).to_list() == cents(frame["told"]).to_list() == [value]
    assert Decimal(frame["told"][0]) == Decimal(value) / 100
    assert frame["told"][0][-3] == "."


@given(st.integers(-99_999_999_999, 99_999_999_999))
def test_numbers_come_back_from_what_is_written(value: int) -> None:
    number = Decimal(value).scaleb(-4)
    frame = pl.DataFrame({"v": [number]}, schema={"v": pl.Decimal(18, 4)}).select(number_text(pl.col("v")))
    assert numbers(frame["v"]).to_list() == [number]


def test_whole_numbers_keep_their_zeros() -> None:
    frame = pl.DataFrame({"v": [Decimal(100)]}, schema={"v": pl.Decimal(18, 4)})
    assert frame.select(number_text(pl.col("v"))).item() == "100"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20260302", date(2026, 3, 2)),
        ("20240229", date(2024, 2, 29)),
        ("20260229", None),
        ("2026011", None),
        ("2026 101", None),
        ("+2026101", None),
        ("2026-1-1", None),
        ("260302", None),
        ("20260302-20260303", None),
        ("00000000", None),
        ("00000317", None),
        ("00010101", date(1, 1, 1)),
        ("99991231", date(9999, 12, 31)),
    ],
)
def test_a_date_is_a_day_of_the_calendar(text: str, value: date | None) -> None:
    assert dates(pl.Series([text])).to_list() == [value]
