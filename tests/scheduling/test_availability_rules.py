"""What a clinician's hours may be: every pair of windows, and every shape of an exception."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.availability.rules.free_time import Span, Window
from practice.scheduling.availability.rules.hours import count_outside, exception_problems, overlap, window_problems

A, B = UUID(int=1), UUID(int=2)
DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(6)]
NINE, TEN, NOON = time(9), time(10), time(12)


def window(start: time = NINE, end: time = NOON, weekday: int = 1, **more: Any) -> Window:
    return Window(weekday, start, end, **more)


windows = st.builds(
    Window,
    weekday=st.integers(0, 1),
    start=st.integers(0, 3).map(time),
    end=st.integers(4, 6).map(time) | st.integers(1, 3).map(time),
    effective_on=st.none() | st.sampled_from(DAYS),
    ends_on=st.none() | st.sampled_from(DAYS),
    services=st.sampled_from([frozenset(), frozenset({A}), frozenset({B}), frozenset({A, B})]),
).filter(lambda made: made.start < made.end and (made.effective_on or DAYS[0]) <= (made.ends_on or DAYS[-1]))


def moments(of: Window) -> set[tuple[int, date, int, UUID]]:
    """Every hour of every day for every service in which the window is open."""
    return {
        (of.weekday, day, hour, service)
        for day in DAYS
        if (of.effective_on or day) <= day <= (of.ends_on or day)
        for hour in range(of.start.hour, of.end.hour)
        for service in (of.services or {A, B})
    }


@given(windows, windows)
def test_windows_overlap_where_a_moment_of_a_service_is_in_both(one: Window, other: Window) -> None:
    assert overlap(one, other) == overlap(other, one) == bool(moments(one) & moments(other))


def test_each_window_that_is_overlapped_is_said() -> None:
    others = [
        window(time(8), TEN),
        window(NOON, time(13)),
        window(weekday=2),
        window(effective_on=date(2026, 4, 1), ends_on=date(2026, 4, 30)),
    ]
    assert window_problems(window(), others) == [
        "These hours overlap those of Monday 08:00-10:00: change those, or end them the day before.",
        "These hours overlap those of Monday 09:00-12:00 from 2026-04-01 until 2026-04-30: "
        "change those, or end them the day before.",
    ]


def test_a_window_goes_forward_in_time_and_in_dates() -> None:
    backwards = window(NOON, NINE, effective_on=date(2026, 4, 2), ends_on=date(2026, 4, 1))
    assert len(window_problems(backwards, [window()])) == 2
    assert window_problems(window(NINE, NINE), []) == ["The hours end before they begin."]
    assert window_problems(window(effective_on=DAYS[0], ends_on=DAYS[0]), []) == []


@pytest.mark.parametrize(
    ("available", "start", "end", "fine"),
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
def test_the_shapes_of_an_exception(available: bool, start: time | None, end: time | None, fine: bool) -> None:
    assert (exception_problems(available, start, end) == []) == fine


MIDNIGHT = datetime(2026, 3, 18, tzinfo=UTC)
hours = st.integers(0, 12).map(lambda number: MIDNIGHT + timedelta(hours=number))
stretches = st.tuples(hours, hours).filter(lambda pair: pair[0] < pair[1])


@given(st.sets(st.integers(0, 12), max_size=8), st.lists(stretches, max_size=5))
def test_what_lies_outside_is_what_no_span_holds_whole(edges: set[int], times: list[Any]) -> None:
    ends = [MIDNIGHT + timedelta(hours=edge) for edge in sorted(edges)]
    spans = [Span(*pair) for pair in zip(ends[::2], ends[1::2], strict=False)]
    held = [any(span.start <= start and end <= span.end for span in spans) for start, end in times]
    assert count_outside(spans, times) == held.count(False)
