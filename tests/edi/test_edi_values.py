"""Amounts, numbers and dates, in the formats that payers write."""

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi.values import format_cents, format_money, format_number, parse_cents, parse_dates, parse_numbers

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
def test_an_amount_is_whole_cents_or_invalid(text: str, value: int | None) -> None:
    assert parse_cents(pl.Series([text])).to_list() == [value]


def test_an_invalid_amount_does_not_affect_the_others() -> None:
    assert parse_cents(pl.Series(["1", None, "x", "2.50"])).to_list() == [100, None, None, 250]


@given(st.integers(-999_999_999_999, 999_999_999_999))
def test_cents_survive_a_round_trip(value: int) -> None:
    frame = pl.DataFrame({"v": [value]}).select(cents=format_cents(pl.col("v")), money=format_money(pl.col("v")))
    assert parse_cents(frame["cents"]).to_list() == parse_cents(frame["money"]).to_list() == [value]
    assert Decimal(frame["money"][0]) == Decimal(value) / 100
    assert frame["money"][0][-3] == "."


@given(st.integers(-99_999_999_999, 99_999_999_999))
def test_numbers_survive_a_round_trip(value: int) -> None:
    number = Decimal(value).scaleb(-4)
    frame = pl.DataFrame({"v": [number]}, schema={"v": pl.Decimal(18, 4)}).select(format_number(pl.col("v")))
    assert parse_numbers(frame["v"]).to_list() == [number]


def test_whole_numbers_keep_their_zeros() -> None:
    frame = pl.DataFrame({"v": [Decimal(100)]}, schema={"v": pl.Decimal(18, 4)})
    assert frame.select(format_number(pl.col("v"))).item() == "100"


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
def test_a_date_is_a_calendar_day_or_invalid(text: str, value: date | None) -> None:
    assert parse_dates(pl.Series([text])).to_list() == [value]
