"""Rules of valid hours: overlapping windows, and exceptions."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.availability.rules.free_time import Span, Window
from practice.scheduling.availability.rules.hours import (
    Visit,
    exception_problems,
    find_outside,
    is_overlapping,
    window_problems,
)
from practice.store.ids import new_id

A, B = UUID(int=1), UUID(int=2)
DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(6)]
NINE, TEN, NOON = time(9), time(10), time(12)


def make_window(start: time = NINE, end: time = NOON, weekday: int = 1, **fields: Any) -> Window:
    return Window(weekday, start, end, **fields)


windows = st.builds(
    Window,
    weekday=st.integers(0, 1),
    start=st.integers(0, 3).map(time),
    end=st.integers(4, 6).map(time) | st.integers(1, 3).map(time),
    effective_on=st.none() | st.sampled_from(DAYS),
    ends_on=st.none() | st.sampled_from(DAYS),
    services=st.sampled_from([frozenset(), frozenset({A}), frozenset({B}), frozenset({A, B})]),
).filter(lambda window: window.start < window.end and (window.effective_on or DAYS[0]) <= (window.ends_on or DAYS[-1]))


def moments(window: Window) -> set[tuple[int, date, int, UUID]]:
    """Return every open hour of every day for every service of the window."""
    return {
        (window.weekday, day, hour, service)
        for day in DAYS
        if (window.effective_on or day) <= day <= (window.ends_on or day)
        for hour in range(window.start.hour, window.end.hour)
        for service in (window.services or {A, B})
    }


@given(windows, windows)
def test_windows_overlap_if_both_are_open_at_a_time_for_the_same_service(window: Window, other: Window) -> None:
    assert is_overlapping(window, other) == is_overlapping(other, window) == bool(moments(window) & moments(other))


def test_each_overlapping_window_is_reported() -> None:
    others = [
        make_window(time(8), TEN),
        make_window(NOON, time(13)),
        make_window(weekday=2),
        make_window(effective_on=date(2026, 4, 1), ends_on=date(2026, 4, 30)),
    ]
    assert [problem.message for problem in window_problems(make_window(), others)] == [
        "These hours overlap those of Monday 08:00-10:00. Change those or end them the day before.",
        "These hours overlap those of Monday 09:00-12:00 from 2026-04-01 until 2026-04-30. "
        "Change those or end them the day before.",
    ]


def test_a_window_ends_after_it_starts() -> None:
    backwards = make_window(NOON, NINE, effective_on=date(2026, 4, 2), ends_on=date(2026, 4, 1))
    assert len(window_problems(backwards, [make_window()])) == 2
    (problem,) = window_problems(make_window(NINE, NINE), [])
    assert problem == ("end_time", "The hours end before they begin. Choose a later end.")
    assert window_problems(make_window(effective_on=DAYS[0], ends_on=DAYS[0]), []) == []


@pytest.mark.parametrize(
    ("available", "start", "end", "valid"),
    [
        (False, None, None, True),
        (False, NINE, NOON, True),
        (True, NINE, NOON, True),
        (True, None, None, False),
        (False, NINE, None, False),
        (False, None, NOON, False),
        (True, NINE, None, False),
        (False, NOON, NINE, False),
        (True, NINE, NINE, False),
    ],
)
def test_the_times_of_an_exception_fit_together(
    available: bool, start: time | None, end: time | None, valid: bool
) -> None:
    assert (exception_problems(available, start, end) == []) == valid


MIDNIGHT = datetime(2026, 3, 18, tzinfo=UTC)
hours = st.integers(0, 12).map(lambda number: MIDNIGHT + timedelta(hours=number))
periods = st.tuples(hours, hours).filter(lambda pair: pair[0] < pair[1])


@given(st.sets(st.integers(0, 12), max_size=8), st.lists(periods, max_size=5))
def test_times_not_entirely_within_one_span_are_outside(edges: set[int], times: list[Any]) -> None:
    ends = [MIDNIGHT + timedelta(hours=edge) for edge in sorted(edges)]
    spans = [Span(*pair) for pair in zip(ends[::2], ends[1::2], strict=False)]
    visits = [Visit(new_id(), start, end) for start, end in times]
    inside = {
        visit.id for visit in visits if any(span.start <= visit.start and visit.end <= span.end for span in spans)
    }
    assert find_outside(spans, visits) == {visit.id for visit in visits} - inside
