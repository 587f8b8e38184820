"""Price rules."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.catalog.rules import Price, Rate, choose_price, find_rate_on

ON = date(2026, 3, 18)
EVER, TODAY, TOMORROW = None, ON, ON + timedelta(days=1)
ALL = {
    "payer_and_clinician": [Rate(11_000)],
    "payer": [Rate(10_000)],
    "clinician": [Rate(14_000)],
    "service": [Rate(15_000)],
}


@pytest.mark.parametrize(
    ("without", "source", "cents"),
    [
        ([], "payer_and_clinician", 11_000),
        (["payer_and_clinician"], "payer", 10_000),
        (["payer_and_clinician", "payer"], "clinician", 14_000),
        (["payer_and_clinician", "payer", "clinician"], "service", 15_000),
    ],
)
def test_the_most_specific_rate_sets_the_price(without: list[str], source: str, cents: int) -> None:
    rates = {name: rates for name, rates in ALL.items() if name not in without}
    assert choose_price(ON, **rates) == Price(cents, source, None)


def test_self_pay_skips_the_payer_and_its_copay() -> None:
    assert choose_price(ON, **ALL, self_pay=True, copay_cents=2_500) == Price(14_000, "clinician", 0)
    assert choose_price(ON, service=[Rate(15_000)], self_pay=True) == Price(15_000, "service", 0)


@pytest.mark.parametrize(("copay", "paid"), [(2_500, 2_500), (10_000, 10_000), (10_001, 10_000), (0, 0), (None, None)])
def test_the_copay_is_never_above_the_price(copay: int | None, paid: int | None) -> None:
    assert choose_price(ON, payer=[Rate(10_000)], copay_cents=copay) == Price(10_000, "payer", paid)


def test_a_price_of_zero_is_a_price() -> None:
    assert choose_price(ON, payer=[Rate(0)], service=[Rate(15_000)], copay_cents=2_500) == Price(0, "payer", 0)
    assert choose_price(ON, payer=[Rate(0)]) == Price(0, "payer", 0)  # a copay, known or not, is at most the price


def test_a_future_rate_does_not_apply_yet() -> None:
    assert choose_price(ON, payer=[Rate(10_000, TOMORROW)], service=[Rate(15_000)]) == Price(15_000, "service", None)
    assert choose_price(ON, service=[Rate(15_000, TOMORROW)]) is None
    assert choose_price(ON) is None


@pytest.mark.parametrize(
    ("begins", "cents"),
    [([EVER], 1), ([EVER, TODAY], 2), ([TODAY, EVER], 1), ([TODAY, TOMORROW], 1), ([EVER, TOMORROW], 1)],
)
def test_the_newest_rate_in_effect_applies(begins: list[date | None], cents: int) -> None:
    rate = find_rate_on([Rate(number, on) for number, on in enumerate(begins, 1)], ON)
    assert rate is not None
    assert rate.cents == cents


@given(st.dictionaries(st.integers(-50, 50), st.integers(0, 10**6), max_size=8), st.none() | st.integers(0, 10**6))
def test_a_later_rate_never_changes_an_earlier_price(dated: dict[int, int], copay: int | None) -> None:
    rates = [Rate(cents, ON + timedelta(days=days)) for days, cents in dated.items()]
    effective = [rate for rate in rates if rate.effective_on and rate.effective_on <= ON]
    price = choose_price(ON, service=rates, copay_cents=copay)
    assert price == choose_price(ON, service=reversed(effective), copay_cents=copay)
    assert (price is None) == (not effective)
    if price:
        assert (price.copay_cents is None) == (copay is None and price.cents > 0)
        assert 0 <= (price.copay_cents or 0) <= price.cents
