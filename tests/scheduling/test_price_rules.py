"""What an appointment costs, case by case."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.catalog.rules import Price, Rate, price, rate_on

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
def test_the_nearest_agreement_sets_the_price(without: list[str], source: str, cents: int) -> None:
    rates = {name: rates for name, rates in ALL.items() if name not in without}
    assert price(ON, **rates) == Price(cents, source, 0)


def test_who_pays_for_themselves_skips_the_payer_and_its_copay() -> None:
    assert price(ON, **ALL, self_pay=True, copay_cents=2_500) == Price(14_000, "clinician", 0)
    assert price(ON, service=[Rate(15_000)], self_pay=True) == Price(15_000, "service", 0)


@pytest.mark.parametrize(("copay", "paid"), [(2_500, 2_500), (10_000, 10_000), (10_001, 10_000), (0, 0), (None, 0)])
def test_the_copay_is_never_above_the_price(copay: int | None, paid: int) -> None:
    assert price(ON, payer=[Rate(10_000)], copay_cents=copay) == Price(10_000, "payer", paid)


def test_a_price_of_nothing_is_a_price() -> None:
    assert price(ON, payer=[Rate(0)], service=[Rate(15_000)], copay_cents=2_500) == Price(0, "payer", 0)


def test_an_agreement_that_has_not_begun_is_none_yet() -> None:
    assert price(ON, payer=[Rate(10_000, TOMORROW)], service=[Rate(15_000)]) == Price(15_000, "service", 0)
    assert price(ON, service=[Rate(15_000, TOMORROW)]) is None
    assert price(ON) is None


@pytest.mark.parametrize(
    ("begins", "cents"),
    [([EVER], 1), ([EVER, TODAY], 2), ([TODAY, EVER], 1), ([TODAY, TOMORROW], 1), ([EVER, TOMORROW], 1)],
)
def test_the_newest_rate_that_has_begun_applies(begins: list[date | None], cents: int) -> None:
    found = rate_on([Rate(number, on) for number, on in enumerate(begins, 1)], ON)
    assert found is not None
    assert found.cents == cents


@given(st.dictionaries(st.integers(-50, 50), st.integers(0, 10**6), max_size=8), st.none() | st.integers(0, 10**6))
def test_a_later_rate_never_changes_an_earlier_price(dated: dict[int, int], copay: int | None) -> None:
    rates = [Rate(cents, ON + timedelta(days=days)) for days, cents in dated.items()]
    begun = [rate for rate in rates if rate.effective_on and rate.effective_on <= ON]
    found = price(ON, service=rates, copay_cents=copay)
    assert found == price(ON, service=reversed(begun), copay_cents=copay)
    assert (found is None) == (not begun)
    if found:
        assert 0 <= found.copay_cents <= found.cents
