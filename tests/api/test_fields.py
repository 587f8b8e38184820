"""Kinds of fields: money without floats, times of day to the minute, dates that people mean."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from api.fields import AMOUNT, Day, Instant, MoneyIn, MoneyOut, TimeOfDay


class Paid(BaseModel):
    amount: MoneyIn


class Owed(BaseModel):
    amount: MoneyOut


class Hours(BaseModel):
    at: TimeOfDay


class When(BaseModel):
    on: Day | None = None
    at: Instant | None = None


def read(text: object) -> int:
    return Paid.model_validate({"amount": text}).amount


@given(st.integers(0, 999_999_999))
def test_an_amount_comes_back_as_it_went_out(cents: int) -> None:
    written = Owed(amount=cents).model_dump(mode="json")["amount"]
    assert read(written) == cents
    assert Paid(amount=written).model_dump_json() == Owed(amount=cents).model_dump_json()


@given(st.from_regex(AMOUNT, fullmatch=True))
def test_an_amount_is_read_to_the_cent(text: str) -> None:
    dollars, _, cents = text.partition(".")
    assert read(text) == int(dollars) * 100 + {0: 0, 1: int(cents or 0) * 10, 2: int(cents or 0)}[len(cents)]


@pytest.mark.parametrize(("text", "cents"), [("0", 0), ("150", 15000), ("0.07", 7), ("1.5", 150), ("007.10", 710)])
def test_amounts(text: str, cents: int) -> None:
    assert read(text) == cents


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
def test_what_is_no_amount_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        read(text)


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-12345, "-123.45"), (10**12, "10000000000.00")]
)
def test_amounts_that_go_out_have_two_decimals(cents: int, text: str) -> None:
    assert Owed(amount=cents).model_dump(mode="json") == {"amount": text}


@given(st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_a_time_of_day_comes_back_as_it_went_out(at: time) -> None:
    written = Hours(at=at).model_dump(mode="json")
    assert Hours.model_validate(written) == Hours(at=at)
    assert Hours(at=at).model_dump() == {"at": at}


@pytest.mark.parametrize("text", ["9:00", "24:00", "09:60", "09:00:00", "09:00Z", "09:00\n", "", 540, 9.0, None])
def test_what_is_no_time_of_day_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        Hours.model_validate({"at": text})


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_any_instant_is_either_refused_or_leaves_room_around_it(at: datetime) -> None:
    try:
        read_at = When.model_validate({"at": at}).at
    except ValidationError:
        assert not 1901 <= at.year <= 2198
    else:
        assert read_at == at.astimezone(UTC)
        assert read_at.tzinfo is UTC
        assert read_at - timedelta(days=400) < read_at < read_at + timedelta(days=400)


@pytest.mark.parametrize(
    "given", [{"at": "2026-03-18T10:00:00"}, {"on": date.min}, {"on": date.max}, {"on": "1899-12-31"}]
)
def test_instants_have_a_zone_and_dates_are_of_our_time(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        When.model_validate(given)
