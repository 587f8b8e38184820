"""Clinicians' hours and free slots, compared with a minute-by-minute definition."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.availability.rules.free_time import (
    AWAY,
    BOOKED,
    CLOSED,
    Busy,
    DayChange,
    Slot,
    Span,
    Window,
    compute_hours,
    compute_open_spans,
    find_free_slots,
    outside_hours_problem,
)

NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
BEIRUT = ZoneInfo("Asia/Beirut")  # its clock goes from 24:00 to 01:00
THERAPY, INTAKE = UUID(int=1), UUID(int=2)
MINUTE = timedelta(minutes=1)
WEDNESDAY = date(2026, 3, 18)


def at(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def format_spans(spans: list[Span], zone: ZoneInfo = NEW_YORK) -> list[str]:
    return [
        f"{span.start.astimezone(zone):%d %H:%M}-{span.end.astimezone(zone):%H:%M}"
        + (f" {span.closed_reason}" * bool(span.closed_reason))
        for span in spans
    ]


def make_daily_windows(start: int, end: int, **fields: object) -> list[Window]:
    return [Window(weekday, time(start), time(end), **fields) for weekday in range(7)]


@pytest.mark.parametrize(
    ("windows", "changes", "closures", "spans"),
    [
        ([Window(3, time(9), time(12))], [], set(), ["18 09:00-12:00"]),
        ([Window(0, time(9), time(12))], [], set(), []),
        # touching and overlapping windows are one
        ([Window(3, time(9), time(12)), Window(3, time(12), time(17))], [], set(), ["18 09:00-17:00"]),
        ([Window(3, time(9), time(17)), Window(3, time(10), time(11))], [], set(), ["18 09:00-17:00"]),
        # both dates of a window are among its days
        ([Window(3, time(9), time(12), WEDNESDAY, WEDNESDAY)], [], set(), ["18 09:00-12:00"]),
        ([Window(3, time(9), time(12), effective_on=date(2026, 3, 19))], [], set(), []),
        ([Window(3, time(9), time(12), ends_on=date(2026, 3, 17))], [], set(), []),
        # a closing without times closes the day, one with times the period, and takes precedence over an opening
        (make_daily_windows(9, 12), [DayChange(WEDNESDAY, False)], set(), ["18 09:00-12:00 away", "19 09:00-12:00"]),
        (
            make_daily_windows(9, 12),
            [DayChange(WEDNESDAY, False, time(10), time(11))],
            set(),
            ["18 09:00-10:00", "18 10:00-11:00 away", "18 11:00-12:00", "19 09:00-12:00"],
        ),
        (
            make_daily_windows(9, 12),
            [
                DayChange(WEDNESDAY, True, time(12), time(20)),
                DayChange(WEDNESDAY, False, time(11), time(13)),
                DayChange(WEDNESDAY, False, time(12, 30), time(14)),
            ],
            set(),
            ["18 09:00-11:00", "18 11:00-14:00 away", "18 14:00-20:00", "19 09:00-12:00"],
        ),
        ([], [DayChange(WEDNESDAY, True, time(18), time(20))], set(), ["18 18:00-20:00"]),
        ([], [DayChange(date(2026, 3, 20), True, time(18), time(20))], set(), []),
        # nobody works on a day on which the practice is closed, opened for it or not
        (
            make_daily_windows(9, 12),
            [DayChange(WEDNESDAY, True, time(14), time(15)), DayChange(WEDNESDAY, False, time(9), time(10))],
            {WEDNESDAY},
            ["18 09:00-12:00 closed", "18 14:00-15:00 closed", "19 09:00-12:00"],
        ),
    ],
)
def test_hours_of_a_wednesday_and_a_thursday(
    windows: list[Window], changes: list[DayChange], closures: set[date], spans: list[str]
) -> None:
    arguments = (windows, changes, closures, NEW_YORK, WEDNESDAY, date(2026, 3, 19))
    assert format_spans(compute_hours(*arguments)) == spans
    assert format_spans(compute_open_spans(*arguments)) == [
        span for span in spans if not span.endswith(("away", "closed"))
    ]


def test_a_window_for_some_services_is_open_for_those() -> None:
    windows = [Window(3, time(9), time(12)), Window(3, time(13), time(17), services=frozenset({INTAKE}))]
    arguments = (windows, [DayChange(WEDNESDAY, True, time(18), time(19))], set(), NEW_YORK, WEDNESDAY, WEDNESDAY)
    assert format_spans(compute_open_spans(*arguments, THERAPY)) == ["18 09:00-12:00", "18 18:00-19:00"]
    assert format_spans(compute_open_spans(*arguments, INTAKE)) == [
        "18 09:00-12:00",
        "18 13:00-17:00",
        "18 18:00-19:00",
    ]
    assert compute_open_spans(*arguments, None) == compute_open_spans(*arguments, INTAKE)


@pytest.mark.parametrize(
    ("day", "start", "end", "minutes", "zone"),
    [
        (date(2026, 3, 7), time(0), time(6), 360, NEW_YORK),
        (date(2026, 3, 8), time(0), time(6), 300, NEW_YORK),  # an hour is skipped
        (date(2026, 3, 8), time(2, 30), time(4), 30, NEW_YORK),  # begins in it: at 03:30
        (date(2026, 3, 8), time(1), time(2, 30), 90, NEW_YORK),  # ends in it: at 03:30
        (date(2026, 3, 8), time(2, 15), time(3), 0, NEW_YORK),
        (date(2026, 11, 1), time(0), time(6), 420, NEW_YORK),  # an hour comes twice
        (date(2026, 11, 1), time(1, 30), time(2), 90, NEW_YORK),  # begins when it is 01:30 for the first time
        (date(2026, 11, 1), time(0), time(1, 30), 90, NEW_YORK),  # ends then
        (date(2026, 4, 5), time(1), time(3), 150, LORD_HOWE),  # half an hour comes twice
        (date(2026, 3, 29), time(0), time(2), 60, BEIRUT),
    ],
)
def test_hours_last_as_long_as_the_time_that_passes(
    day: date, start: time, end: time, minutes: int, zone: ZoneInfo
) -> None:
    changes = [DayChange(day, True, start, end)]
    spans = compute_open_spans([], changes, set(), zone, day, day)
    assert sum((span.end - span.start for span in spans), timedelta()) == minutes * MINUTE


@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 8), 23), (date(2026, 3, 9), 24), (date(2026, 11, 1), 25)])
def test_a_day_closed_without_times_is_closed_from_midnight_to_midnight(day: date, length: int) -> None:
    nights = [DayChange(day + timedelta(days=off), True) for off in (-1, 0, 1)]
    around = (day - timedelta(days=1), day + timedelta(days=1))
    spans = compute_hours([], [*nights, DayChange(day, False)], set(), NEW_YORK, *around)
    assert [span.closed_reason for span in spans] == [None, AWAY, None]
    assert spans[1].end - spans[1].start == timedelta(hours=length)
    assert spans[0].end == spans[1].start


def test_an_absence_within_the_skipped_hour_closes_nothing() -> None:
    day = date(2026, 3, 8)
    spans = compute_hours(
        make_daily_windows(0, 6), [DayChange(day, False, time(2, 15), time(3))], set(), NEW_YORK, day, day
    )
    assert format_spans(spans) == ["08 00:00-06:00"]


def list_slots(
    spans: list[Span], busy: list[Busy], minutes: int = 60, step: int = 30, *, taken: bool = False
) -> list[tuple[str, str | None]]:
    ahead = {"earliest": at("2026-03-01"), "latest": at("2026-04-01")}
    free_slots = find_free_slots(
        spans, busy, NEW_YORK, minutes=minutes, step_minutes=step, include_taken=taken, **ahead
    )
    assert all(slot.end - slot.start == minutes * MINUTE for slot in free_slots)
    return [(f"{slot.start.astimezone(NEW_YORK):%H:%M}", slot.taken) for slot in free_slots]


def span(start: str, end: str) -> Span:
    return Span(at(f"2026-03-18 {start}"), at(f"2026-03-18 {end}"))


def busy(start: str, end: str) -> Busy:
    return Busy(at(f"2026-03-18 {start}"), at(f"2026-03-18 {end}"))


@pytest.mark.parametrize(
    ("spans", "taken", "minutes", "step", "starts"),
    [
        ([span("09:00", "11:00")], [], 60, 30, ["09:00", "09:30", "10:00"]),
        ([span("09:10", "11:05")], [], 60, 30, ["09:30", "10:00"]),  # the clock, not the window, sets the grid
        ([span("09:00", "09:59")], [], 60, 30, []),
        ([span("09:00", "10:00"), span("10:30", "11:30")], [], 60, 30, ["09:00", "10:30"]),
        ([span("09:00", "12:00")], [busy("10:00", "11:00")], 60, 30, ["09:00", "11:00"]),  # touching is no overlap
        ([span("09:00", "12:00")], [busy("10:00", "10:01"), busy("09:15", "09:45")], 60, 30, ["10:30", "11:00"]),
        ([span("09:00", "10:30")], [], 50, 50, ["09:10"]),  # fifty minutes are counted from midnight
        ([span("09:00", "10:00")], [busy("08:00", "12:00")], 15, 15, []),
    ],
)
def test_slots_free_on_a_day(spans: list[Span], taken: list[Busy], minutes: int, step: int, starts: list[str]) -> None:
    assert [start for start, _ in list_slots(spans, taken, minutes, step)] == starts


def test_the_grid_restarts_at_midnight() -> None:
    spans = [Span(at("2026-03-17 22:00"), at("2026-03-18 02:00"))]
    assert [start for start, _ in list_slots(spans, [], 50, 50)] == ["22:30", "23:20", "00:00", "00:50"]


def test_taken_slots_have_the_strongest_reason() -> None:
    changes = [DayChange(WEDNESDAY, False, time(10), time(11))]
    spans = compute_hours(
        make_daily_windows(9, 14), changes, {date(2026, 3, 19)}, NEW_YORK, WEDNESDAY, date(2026, 3, 19)
    )
    taken = [
        busy("10:30", "11:30"),  # booked before the period was closed
        Busy(at("2026-03-18 12:00"), at("2026-03-18 13:00"), AWAY),  # a meeting
        Busy(at("2026-03-19 10:00"), at("2026-03-19 11:00"), BOOKED),
    ]
    wednesday = [("09:00", None), ("10:00", AWAY), ("11:00", BOOKED), ("12:00", AWAY), ("13:00", None)]
    thursday = [(f"{hour:02}:00", CLOSED) for hour in range(9, 14)]
    assert list_slots(spans, taken, 60, 60, taken=True) == wednesday + thursday
    assert list_slots(spans, taken, 60, 60) == [("09:00", None), ("13:00", None)]


def test_slots_start_from_the_earliest_on_and_before_the_latest() -> None:
    spans = [span("09:00", "17:00")]
    ahead = {"earliest": at("2026-03-18 10:00"), "latest": at("2026-03-18 12:00")}
    free_slots = find_free_slots(spans, [], NEW_YORK, minutes=60, step_minutes=60, **ahead)
    assert [slot.start for slot in free_slots] == [at("2026-03-18 10:00"), at("2026-03-18 11:00")]


def test_slots_follow_local_time_through_repeated_and_skipped_hours() -> None:
    ahead = {"earliest": at("2026-01-01"), "latest": at("2027-01-01")}
    night = [Span(at("2026-11-01 00:00"), at("2026-11-01 04:00")), Span(at("2026-03-08 00:00"), at("2026-03-08 05:00"))]
    free_slots = find_free_slots(night, [], NEW_YORK, minutes=60, step_minutes=90, **ahead)
    local_times = [f"{slot.start.astimezone(NEW_YORK):%b %H:%M}" for slot in free_slots]
    assert local_times == ["Mar 00:00", "Mar 01:30", "Mar 03:00", "Nov 00:00", "Nov 01:30", "Nov 01:30", "Nov 03:00"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-03-18 09:00", "2026-03-18 10:00", None),
        ("2026-03-18 13:00", "2026-03-18 14:00", None),
        ("2026-03-18 13:30", "2026-03-18 14:30", "outside"),
        ("2026-03-18 20:00", "2026-03-18 21:00", "outside"),
        ("2026-03-18 09:30", "2026-03-18 10:30", "away"),
        ("2026-03-19 09:00", "2026-03-19 10:00", "closed"),
    ],
)
def test_a_time_outside_the_hours_has_a_reason(start: str, end: str, expected: str | None) -> None:
    changes = [DayChange(WEDNESDAY, False, time(10), time(11))]
    spans = compute_hours(
        make_daily_windows(9, 14), changes, {date(2026, 3, 19)}, NEW_YORK, WEDNESDAY, date(2026, 3, 19)
    )
    problem = outside_hours_problem(spans, at(start), at(end))
    assert problem is None if expected is None else expected in (problem or "")


# Minute by minute: March and November of New York, with the Sundays on which its clock changes between 01:00 and 03:00

quarters = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
unambiguous = quarters.filter(lambda at: at <= time(1) or at >= time(3))
periods = st.tuples(unambiguous, unambiguous).filter(lambda pair: pair[0] < pair[1])
firsts = st.sampled_from([date(2026, 3, 6), date(2026, 10, 30), date(2026, 6, 1)])
dates = st.none() | st.integers(-1, 5)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[list[Window], list[DayChange], set[date], date, date]:
    first = draw(firsts)

    def near(days: int | None) -> date | None:
        return None if days is None else first + timedelta(days=days)

    windows = [
        Window(weekday, start, end, near(effective), near(ends), services)
        for weekday, (start, end), effective, ends, services in draw(
            st.lists(
                st.tuples(st.integers(0, 6), periods, dates, dates, st.frozensets(st.sampled_from([THERAPY, INTAKE]))),
                max_size=12,
            )
        )
    ]
    days = st.integers(-1, 5).map(lambda number: first + timedelta(days=number))
    changes = [
        DayChange(on, available, *(period or (None, None)))
        for on, available, period in draw(st.lists(st.tuples(days, st.booleans(), periods | st.none()), max_size=6))
    ]
    closures = draw(st.sets(days, max_size=2))
    return windows, changes, closures, first, first + timedelta(days=draw(st.integers(0, 4)))


def is_open(
    minute: datetime, windows: list[Window], changes: list[DayChange], closures: set[date], service: UUID | None
) -> bool:
    """Return whether the local minute is open, by definition."""
    local = minute.astimezone(NEW_YORK)
    day, clock = local.date(), local.time()

    def covers(change: DayChange) -> bool:
        all_day = change.start is None or change.end is None
        return change.on == day and (all_day or change.start <= clock < change.end)

    weekly = any(
        (window.weekday + 6) % 7 == day.weekday()
        and window.start <= clock < window.end
        and (window.effective_on or day) <= day <= (window.ends_on or day)
        and (service is None or not window.services or service in window.services)
        for window in windows
    )
    opened = any(change.available and covers(change) for change in changes)
    shut = day in closures or any(not change.available and covers(change) for change in changes)
    return (weekly or opened) and not shut


@given(calendars(), st.sampled_from([None, THERAPY]))
def test_hours_match_the_definition_minute_by_minute(
    calendar: tuple[list[Window], list[DayChange], set[date], date, date], service: UUID | None
) -> None:
    windows, changes, closures, first, last = calendar
    spans = compute_open_spans(windows, changes, closures, NEW_YORK, first, last, service)
    for earlier, later in pairwise(spans):
        assert earlier.end < later.start  # ascending and merged
    open_minutes = {minute for span in spans for minute in minutes_of(span.start, span.end)}
    midnight = datetime.combine(last + timedelta(days=1), time(), NEW_YORK).astimezone(UTC)
    all_minutes = minutes_of(datetime.combine(first, time(), NEW_YORK).astimezone(UTC), midnight)
    step = 15  # every time above is a quarter of an hour
    assert {m for m in open_minutes if m.minute % step == 0} == {
        m for m in all_minutes if m.minute % step == 0 and is_open(m, windows, changes, closures, service)
    }
    assert len(open_minutes) == step * len({m for m in open_minutes if m.minute % step == 0})


def minutes_of(start: datetime, end: datetime) -> list[datetime]:
    return [start + number * MINUTE for number in range(int((end - start) / MINUTE))]


@given(
    calendars(),
    st.lists(st.tuples(st.integers(-60, 7000), st.integers(1, 180), st.sampled_from([AWAY, BOOKED])), max_size=12),
    st.sampled_from([15, 45, 60]),
    st.sampled_from([15, 20, 50, 60, 90]),
    st.integers(0, 3000),
    st.integers(0, 4000),
)
def test_free_slots_are_exactly_the_open_times_that_are_not_busy(
    calendar: tuple[list[Window], list[DayChange], set[date], date, date],
    taken: list[tuple[int, int, str]],
    minutes: int,
    step: int,
    wait: int,
    duration: int,
) -> None:
    windows, changes, closures, first, last = calendar
    begin = datetime.combine(first, time(), NEW_YORK).astimezone(UTC)
    busy = [Busy(begin + at * MINUTE, begin + (at + length) * MINUTE, reason) for at, length, reason in taken]
    spans = compute_hours(windows, changes, closures, NEW_YORK, first, last)
    bounds = {"earliest": begin + wait * MINUTE, "latest": begin + (wait + duration) * MINUTE}
    all_slots = find_free_slots(spans, busy, NEW_YORK, minutes=minutes, step_minutes=step, include_taken=True, **bounds)
    free = find_free_slots(spans, busy, NEW_YORK, minutes=minutes, step_minutes=step, **bounds)
    assert free == [slot for slot in all_slots if slot.taken is None]
    opened = [span for span in spans if span.closed_reason is None]
    expected = []
    for start in minutes_of(bounds["earliest"], bounds["latest"]):
        local = start.astimezone(NEW_YORK)
        if (local.hour * 60 + local.minute) % step:
            continue
        end = start + minutes * MINUTE
        inside = any(span.start <= start and end <= span.end for span in opened)
        met = [item for item in busy if item.start < end and start < item.end]
        if inside and not met:
            expected.append(Slot(start, end))
    assert free == expected
    for slot in all_slots:
        met = {item.reason for item in busy if item.start < slot.end and slot.start < item.end}
        met |= {
            span.closed_reason
            for span in spans
            if span.closed_reason and span.start < slot.end and slot.start < span.end
        }
        assert slot.taken == next((reason for reason in (CLOSED, AWAY, BOOKED) if reason in met), None)
