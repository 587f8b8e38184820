"""Field types: money without floats, times of day to the minute, plausible dates."""

import sys
import unicodedata
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.fields import AMOUNT, INVISIBLE, Day, Instant, MoneyIn, MoneyOut, Name, Reason200, Text1000, TimeOfDay


class AmountIn(BaseModel):
    amount: MoneyIn


class AmountOut(BaseModel):
    amount: MoneyOut


class Hours(BaseModel):
    at: TimeOfDay


class DateFields(BaseModel):
    on: Day | None = None
    at: Instant | None = None


def parse_amount(text: object) -> int:
    return AmountIn.model_validate({"amount": text}).amount


@given(st.integers(0, 999_999_999))
def test_an_amount_round_trips(cents: int) -> None:
    serialized = AmountOut(amount=cents).model_dump(mode="json")["amount"]
    assert parse_amount(serialized) == cents
    assert AmountIn(amount=serialized).model_dump_json() == AmountOut(amount=cents).model_dump_json()


@given(st.from_regex(AMOUNT, fullmatch=True))
def test_an_amount_is_read_to_the_cent(text: str) -> None:
    dollars, _, cents = text.partition(".")
    assert parse_amount(text) == int(dollars) * 100 + {0: 0, 1: int(cents or 0) * 10, 2: int(cents or 0)}[len(cents)]


@pytest.mark.parametrize(("text", "cents"), [("0", 0), ("150", 15000), ("0.07", 7), ("1.5", 150), ("007.10", 710)])
def test_amounts(text: str, cents: int) -> None:
    assert parse_amount(text) == cents


@pytest.mark.parametrize(
    "text",
    [
        150,
        150.0,
        True,
        None,
        "",
        "-1",
        "-0.00",
        "+1",
        "1.",
        ".5",
        "1.234",
        "1e3",
        "1,000",
        "12345678",
        " 1",
        "1\n",
        "٣",
    ],
)
def test_an_invalid_amount_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        parse_amount(text)


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-12345, "-123.45"), (10**12, "10000000000.00")]
)
def test_serialized_amounts_have_two_decimals(cents: int, text: str) -> None:
    assert AmountOut(amount=cents).model_dump(mode="json") == {"amount": text}


@given(st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_a_time_of_day_round_trips(at: time) -> None:
    serialized = Hours(at=at).model_dump(mode="json")
    assert Hours.model_validate(serialized) == Hours(at=at)
    assert Hours(at=at).model_dump() == {"at": at}


@pytest.mark.parametrize("text", ["9:00", "24:00", "09:60", "09:00:00", "09:00Z", "09:00\n", "", 540, 9.0, None])
def test_an_invalid_time_of_day_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate({"at": text})


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_an_accepted_instant_allows_date_arithmetic(at: datetime) -> None:
    try:
        read_at = DateFields.model_validate({"at": at}).at
    except ValidationError:
        assert not 1901 <= at.year <= 2198
    else:
        assert read_at == at.astimezone(UTC)
        assert read_at.tzinfo is UTC
        assert read_at - timedelta(days=400) < read_at < read_at + timedelta(days=400)


@pytest.mark.parametrize(
    "values", [{"at": "2026-03-18T10:00:00"}, {"on": date.min}, {"on": date.max}, {"on": "1899-12-31"}]
)
def test_instants_need_an_offset_and_dates_a_plausible_year(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DateFields.model_validate(values)


INVISIBLE_TEXTS = [
    "\u202eevil",
    "Ada\u200b",
    "Ada\u2066 Lovelace",
    "\ufeffAda",
    "A\u00adda",
    "Ada\u3164",
    "Ada\U000e0041",
    "Ada\x85x",
]


@pytest.mark.parametrize("text", INVISIBLE_TEXTS)
def test_invisible_characters_are_refused_in_one_line_but_not_in_notes(text: str) -> None:
    for kind in (Name, Reason200):
        with pytest.raises(ValidationError, match="Invisible"):
            TypeAdapter(kind).validate_python(text)
    assert TypeAdapter(Text1000).validate_python("کتاب\u200cها\n\u2067שלום\u2069") == "کتاب\u200cها\n\u2067שלום\u2069"


@pytest.mark.parametrize("text", ["José Ñandú", "शर्मा", "李雷", "עמית", "O’Neil", "Sorry ☺️", "Zoë"])
def test_names_of_every_script_are_accepted(text: str) -> None:
    assert TypeAdapter(Name).validate_python(text) == text


def test_every_format_character_is_invisible_but_visible_signs_of_numbers() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    accepted = [c for c in characters if unicodedata.category(c) in ("Cf", "Zl", "Zp") and not INVISIBLE.match(c)]
    assert {unicodedata.name(c).split()[0] for c in accepted} == {"ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN"}
