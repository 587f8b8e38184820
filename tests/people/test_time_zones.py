"""Local dates and times of a practice whose time zone was changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.local_time import DAY, cut_off, date_of, join_zones, start_of_day, to_instant, week_of

NEW_YORK, LOS_ANGELES = "America/New_York", "America/Los_Angeles"
MIDDAY = datetime(2026, 3, 18, 16, tzinfo=UTC)
MICROSECOND = timedelta.resolution
ZONES = st.sampled_from(
    [NEW_YORK, LOS_ANGELES, "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Apia", "Australia/Lord_Howe"]
)
INSTANTS = st.integers(0, 3 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + minutes * 60 * DAY / 86400
)


@given(ZONES, ZONES, INSTANTS, INSTANTS)
def test_each_instant_has_the_local_time_of_the_zone_in_force_then(
    old: str, new: str, change: datetime, at: datetime
) -> None:
    zone = join_zones([old, new], [change])
    local = at.astimezone(zone)
    expected = at.astimezone(ZoneInfo(old if at < change else new))
    assert local.replace(tzinfo=None, fold=0) == expected.replace(tzinfo=None, fold=0)
    assert local.astimezone(UTC) == at


@given(ZONES, ZONES, INSTANTS, st.dates(date(2024, 1, 2), date(2026, 12, 30)))
def test_a_day_begins_with_its_first_instant(old: str, new: str, change: datetime, day: date) -> None:
    zone = join_zones([old, new], [change])
    start = start_of_day(day, zone)
    assert date_of(start, zone) >= day
    assert date_of(start - MICROSECOND, zone) < day or start == change


@given(ZONES, INSTANTS, st.dates(date(2024, 1, 2), date(2026, 12, 30)), st.times())
def test_a_change_to_the_same_zone_changes_nothing(key: str, change: datetime, day: date, at: time) -> None:
    assert to_instant(day, at, join_zones([key, key], [change])) == to_instant(day, at, ZoneInfo(key))


def test_weeks_before_the_change_keep_their_deadline_and_later_ones_get_the_new() -> None:
    zone = join_zones([NEW_YORK, LOS_ANGELES], [MIDDAY])
    last_week, next_week = date(2026, 3, 1), date(2026, 3, 15)
    assert cut_off(last_week, zone) == cut_off(last_week, ZoneInfo(NEW_YORK))
    assert cut_off(next_week, zone) == cut_off(next_week, ZoneInfo(LOS_ANGELES))


def test_late_sessions_before_the_change_stay_in_their_week() -> None:
    saturday_night = datetime(2026, 3, 8, 4, 30, tzinfo=UTC)  # 23:30 of the Saturday in New York
    assert week_of(date_of(saturday_night, ZoneInfo("Europe/Berlin"))) == date(2026, 3, 8)
    zone = join_zones([NEW_YORK, "Europe/Berlin"], [MIDDAY])
    assert week_of(date_of(saturday_night, zone)) == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("zones", "local", "instant"),
    [
        ([NEW_YORK, LOS_ANGELES], time(10), "2026-03-18T14:00"),  # twice, since clocks went back from 12:00 to 9:00
        ([LOS_ANGELES, NEW_YORK], time(10), "2026-03-18T16:00"),  # never, since they went from 9:00 to 12:00
    ],
)
def test_a_local_time_on_the_day_of_the_change(zones: list[str], local: time, instant: str) -> None:
    zone = join_zones(zones, [MIDDAY])
    assert to_instant(MIDDAY.date(), local, zone) == datetime.fromisoformat(instant).replace(tzinfo=UTC)
