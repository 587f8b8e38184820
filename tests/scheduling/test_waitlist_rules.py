"""Waitlist rules."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.waitlist.rules import Opening, WaitlistPreference, is_suitable, sort_by_priority

NEW_YORK = ZoneInfo("America/New_York")
ANNA, BERT, THERAPY, INTAKE, CLIENT = (UUID(int=number) for number in range(1, 6))
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def opening(start: str = "2026-03-18 19:00", minutes: int = 60) -> Opening:
    at = datetime.fromisoformat(start).replace(tzinfo=NEW_YORK).astimezone(UTC)
    return Opening(ANNA, THERAPY, at, at + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("fields", "suits"),
    [
        ({}, True),
        ({"clinicians": frozenset({ANNA, BERT})}, True),
        ({"clinicians": frozenset({BERT})}, False),
        ({"services": frozenset({THERAPY})}, True),
        ({"services": frozenset({INTAKE})}, False),
        ({"weekdays": frozenset({3})}, True),
        ({"weekdays": frozenset({0, 1, 2, 4, 5, 6})}, False),
        ({"from_time": time(19), "to_time": time(20)}, True),
        ({"from_time": time(19, 1)}, False),
        ({"to_time": time(19, 59)}, False),
        ({"until": date(2026, 3, 18)}, True),
        ({"until": date(2026, 3, 17)}, False),
        ({"weekdays": frozenset({3}), "from_time": time(17), "clinicians": frozenset({BERT})}, False),
    ],
)
def test_a_freed_time_matches_the_preference(fields: dict, suits: bool) -> None:
    assert is_suitable(WaitlistPreference(CLIENT, SINCE, **fields), opening(), NEW_YORK) is suits


def test_days_and_times_are_those_of_the_practice() -> None:
    late = opening("2026-03-18 22:00")  # Thursday in UTC
    assert is_suitable(
        WaitlistPreference(CLIENT, SINCE, weekdays=frozenset({3}), until=date(2026, 3, 18)), late, NEW_YORK
    )
    assert not is_suitable(WaitlistPreference(CLIENT, SINCE, weekdays=frozenset({4})), late, NEW_YORK)


def test_a_time_past_midnight_does_not_end_early() -> None:
    assert not is_suitable(WaitlistPreference(CLIENT, SINCE, to_time=time(20)), opening("2026-03-18 23:30"), NEW_YORK)


def test_the_week_begins_with_sunday_as_zero() -> None:
    assert is_suitable(
        WaitlistPreference(CLIENT, SINCE, weekdays=frozenset({0})), opening("2026-03-22 10:00"), NEW_YORK
    )


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5))))
def test_entries_are_sorted_by_priority_then_wait(waiting: list[tuple[int, int]]) -> None:
    preferences = [
        WaitlistPreference(UUID(int=n), SINCE + timedelta(days=age), rank) for n, (rank, age) in enumerate(waiting)
    ]
    order = [(preference.priority, preference.since) for preference in sort_by_priority(preferences)]
    assert order == [(rank, SINCE + timedelta(days=age)) for rank, age in sorted(waiting)]
