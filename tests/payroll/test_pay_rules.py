"""Pay weeks, cut-offs and amounts, case by case."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.local_time import WEEK, cut_off, to_instant, week_of
from practice.payroll.rules import compute_amount_cents, find_payable_week, find_week_problem, get_default_multiplier

NEW_YORK = ZoneInfo("America/New_York")
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
zones = st.sampled_from([NEW_YORK, ZoneInfo("America/Denver"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")])
days = st.dates(date(2024, 1, 1), date(2030, 12, 31))
instants = st.integers(0, 7 * 366 * 24 * 3600).map(lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + seconds * SECOND)


@pytest.mark.parametrize(
    ("week", "begins", "hours", "cut_off_at"),
    [
        (date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC), 167, datetime(2026, 3, 16, 4, tzinfo=UTC)),
        (date(2025, 11, 2), datetime(2025, 11, 2, 4, tzinfo=UTC), 169, datetime(2025, 11, 10, 5, tzinfo=UTC)),
        (date(2026, 3, 1), datetime(2026, 3, 1, 5, tzinfo=UTC), 168, datetime(2026, 3, 9, 4, tzinfo=UTC)),
        (date(2025, 10, 26), datetime(2025, 10, 26, 4, tzinfo=UTC), 168, datetime(2025, 11, 3, 5, tzinfo=UTC)),
    ],
)
def test_weeks_and_cut_offs_follow_local_time(week: date, begins: datetime, hours: int, cut_off_at: datetime) -> None:
    assert to_instant(week, time.min, NEW_YORK) == begins
    assert to_instant(week + WEEK, time.min, NEW_YORK) - begins == hours * HOUR
    assert cut_off(week, NEW_YORK) == cut_off_at


@pytest.mark.parametrize("week", [date(2026, 3, 1), date(2026, 3, 8), date(2025, 10, 26), date(2025, 11, 2)])
def test_the_last_second_before_midnight_is_in_time(week: date) -> None:
    end = cut_off(week, NEW_YORK)
    assert (end - SECOND).astimezone(NEW_YORK).strftime("%a %H:%M:%S") == "Sun 23:59:59"
    assert find_payable_week(week, end - SECOND, NEW_YORK) == week
    assert find_payable_week(week, end, NEW_YORK) == week + WEEK


@pytest.mark.parametrize("sunday", [date(2026, 3, 8), date(2025, 11, 2), date(2026, 7, 5)])
def test_saturday_night_and_sunday_morning_are_in_different_weeks(sunday: date) -> None:
    saturday_night = to_instant(sunday - DAY, time(23), NEW_YORK)
    sunday_morning = to_instant(sunday, time(0, 5), NEW_YORK)
    weeks = [week_of(at.astimezone(NEW_YORK).date()) for at in (saturday_night, sunday_morning)]
    assert weeks == [sunday - WEEK, sunday]


@given(days)
def test_a_week_begins_on_the_sunday_before(day: date) -> None:
    week = week_of(day)
    assert week.isoweekday() == 7
    assert 0 <= (day - week).days < 7
    assert find_week_problem(week) is None
    assert (find_week_problem(day) is None) is (day == week)


@given(days, instants, zones)
def test_a_session_is_paid_in_the_first_week_that_is_not_cut_off(day: date, done_at: datetime, zone: ZoneInfo) -> None:
    own_week = week_of(day)
    week = find_payable_week(own_week, done_at, zone)
    assert week >= own_week
    assert done_at < cut_off(week, zone)
    assert week == own_week or done_at >= cut_off(week - WEEK, zone)


@pytest.mark.parametrize(
    ("rate", "multiplier", "minutes", "amount"),
    [
        (6050, "1", 30, 3025),
        (6050, "1", 45, 4538),  # 45.375
        (6050, "1", 60, 6050),
        (6050, "1.5", 90, 13613),  # 136.125
        (7050, "1", 50, 5875),
        (9500, "1.25", 53, 10490),  # 104.895..
        (0, "1.5", 60, 0),
    ],
)
def test_amounts(rate: int, multiplier: str, minutes: int, amount: int) -> None:
    assert compute_amount_cents(rate, Decimal(multiplier), minutes) == amount


@given(st.integers(0, 10**7), st.decimals(0, 1000, places=2), st.integers(1, 1440))
def test_amounts_are_exact_to_half_a_cent_which_is_rounded_up(rate: int, multiplier: Decimal, minutes: int) -> None:
    exact = Fraction(rate) * Fraction(multiplier) * minutes / 60
    assert -Fraction(1, 2) < exact - compute_amount_cents(rate, multiplier, minutes) < Fraction(1, 2) or (
        compute_amount_cents(rate, multiplier, minutes) - exact == Fraction(1, 2)
    )


def test_default_multipliers() -> None:
    multipliers = {kind: get_default_multiplier(kind) for kind in ("INDIVIDUAL", "GROUP", "INTAKE", "CRISIS")}
    assert multipliers == {"INDIVIDUAL": 1, "GROUP": Decimal("1.5"), "INTAKE": Decimal("1.25"), "CRISIS": 1}
