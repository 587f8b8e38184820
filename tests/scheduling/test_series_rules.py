"""Series rules: supported recurrence rules and their starts."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.appointments.rules.series import PARTS, expand_occurrences, series_problems

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [ZoneInfo(name) for name in ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")]
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def at(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def expand_local(rule: str, first: str, zone: ZoneInfo = NEW_YORK) -> list[str]:
    starts = expand_occurrences(rule, at(first, zone), zone)
    return [start.astimezone(zone).strftime("%Y-%m-%d %H:%M") for start in starts]


@pytest.mark.parametrize(
    ("rule", "first", "starts"),
    [
        ("FREQ=WEEKLY;COUNT=3", "2026-03-18 09:00", ["2026-03-18", "2026-03-25", "2026-04-01"]),
        ("freq=weekly;interval=2;count=2", "2026-03-18 09:00", ["2026-03-18", "2026-04-01"]),
        ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=3", "2026-03-18 09:00", ["2026-03-18", "2026-03-23", "2026-03-25"]),
        # a week of the rule begins on Monday: the Sunday belongs to the week of the 16th
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;COUNT=3", "2026-03-18 09:00", ["2026-03-18", "2026-03-22", "2026-04-01"]),
        ("FREQ=WEEKLY;UNTIL=20260401", "2026-03-18 23:30", ["2026-03-18", "2026-03-25", "2026-04-01"]),
        # midnight belongs to the day that it begins
        ("FREQ=WEEKLY;BYDAY=TU,WE;UNTIL=20260324", "2026-03-18 00:00", ["2026-03-18", "2026-03-24"]),
        ("FREQ=WEEKLY;UNTIL=20260401T130000Z", "2026-03-18 09:00", ["2026-03-18", "2026-03-25", "2026-04-01"]),
        ("FREQ=WEEKLY;UNTIL=20260401T125959Z", "2026-03-18 09:00", ["2026-03-18", "2026-03-25"]),
        ("FREQ=MONTHLY;COUNT=3", "2026-01-31 09:00", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "2026-01-31 09:00", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15;COUNT=3", "2026-01-15 09:00", ["2026-01-15", "2026-02-01", "2026-02-15"]),
        ("FREQ=MONTHLY;BYDAY=2TU;COUNT=3", "2026-01-13 09:00", ["2026-01-13", "2026-02-10", "2026-03-10"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "2026-01-30 09:00", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        (
            "FREQ=MONTHLY;INTERVAL=3;BYDAY=+1MO,3MO;COUNT=3",
            "2026-01-05 09:00",
            ["2026-01-05", "2026-01-19", "2026-04-06"],
        ),
        ("FREQ=MONTHLY;INTERVAL=24;COUNT=2", "2026-03-18 09:00", ["2026-03-18", "2028-03-18"]),
        ("FREQ=MONTHLY;INTERVAL=12;UNTIL=20260228", "2024-02-28 09:00", ["2024-02-28", "2025-02-28", "2026-02-28"]),
    ],
)
def test_a_rule_gives_these_days(rule: str, first: str, starts: list[str]) -> None:
    assert series_problems(rule, at(first), NEW_YORK) == []
    assert expand_local(rule, first) == [day + first[10:] for day in starts]


def test_weekdays_are_local() -> None:
    starts = expand_occurrences("FREQ=WEEKLY;BYDAY=WE;COUNT=2", at("2026-03-18 22:00"), NEW_YORK)
    assert [start.isoformat() for start in starts] == ["2026-03-19T02:00:00+00:00", "2026-03-26T02:00:00+00:00"]


def test_a_time_that_the_clock_skips_moves_forward_by_the_gap() -> None:
    expected = ["2026-03-01 02:30", "2026-03-08 03:30", "2026-03-15 02:30"]
    assert expand_local("FREQ=WEEKLY;COUNT=3", "2026-03-01 02:30") == expected
    lord_howe = ["2026-09-27 02:10", "2026-10-04 02:40", "2026-10-11 02:10"]
    assert expand_local("FREQ=WEEKLY;COUNT=3", "2026-09-27 02:10", ZONES[2]) == lord_howe


def test_a_repeated_local_time_means_the_first_of_the_two() -> None:
    starts = expand_occurrences("FREQ=WEEKLY;COUNT=2", at("2026-10-25 01:30"), NEW_YORK)
    assert starts[1] == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_series_that_starts_in_the_second_hour_starts_there() -> None:
    second = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)  # 01:30 for the second time
    starts = expand_occurrences("FREQ=WEEKLY;COUNT=2", second, NEW_YORK)
    assert starts == [second, datetime(2026, 11, 8, 6, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", ["is not supported"]),
        ("FREQ=DAILY;COUNT=3", ["WEEKLY or MONTHLY"]),
        ("FREQ=SECONDLY;COUNT=3", ["WEEKLY or MONTHLY"]),
        ("FREQ=YEARLY;COUNT=3", ["WEEKLY or MONTHLY"]),
        ("COUNT=3", ["needs FREQ"]),
        ("FREQ=WEEKLY;FREQ=MONTHLY;COUNT=3", ["more than once"]),
        ("FREQ=WEEKLY;COUNT=3;BYHOUR=9", ["'BYHOUR'"]),
        ("FREQ=WEEKLY;COUNT=3;WKST=SU", ["'WKST'"]),
        ("FREQ=WEEKLY;COUNT=3;BYSETPOS=1", ["'BYSETPOS'"]),
        ("RRULE:FREQ=WEEKLY;COUNT=3", ["'RRULE:FREQ'"]),
        ("DTSTART:20260318T090000\nRRULE:FREQ=WEEKLY;COUNT=3", ["is not supported"]),
        ("FREQ=WEEKLY;COUNT=3\nRDATE:20260319", ["COUNT is"]),
        ("FREQ=WEEKLY;COUNT=3;", ["'' is not supported"]),
        ("FREQ=WEEKLY", ["either COUNT or UNTIL"]),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20260401", ["either COUNT or UNTIL"]),
        ("FREQ=WEEKLY;COUNT=0", ["COUNT is"]),
        ("FREQ=WEEKLY;COUNT=1", ["at least two"]),
        ("FREQ=WEEKLY;COUNT=-3", ["COUNT is"]),
        ("FREQ=WEEKLY;COUNT=99999999999999999999", ["COUNT is"]),
        ("FREQ=WEEKLY;COUNT=３", ["ASCII text"]),
        ("FREQ=WEEKLY;INTERVAL=0;COUNT=3", ["INTERVAL is"]),
        ("FREQ=WEEKLY;INTERVAL=100;COUNT=3", ["INTERVAL is"]),
        ("FREQ=WEEKLY;INTERVAL=1.5;COUNT=3", ["INTERVAL is"]),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=3", ["BYDAY is"]),
        ("FREQ=WEEKLY;BYDAY=;COUNT=3", ["BYDAY is"]),
        ("FREQ=WEEKLY;BYDAY=1WE;COUNT=3", ["plain weekdays"]),
        ("FREQ=WEEKLY;BYMONTHDAY=18;COUNT=3", ["plain weekdays"]),
        ("FREQ=MONTHLY;BYDAY=WE;COUNT=3", ["numbered weekdays"]),
        ("FREQ=MONTHLY;BYDAY=6WE;COUNT=3", ["BYDAY is"]),
        ("FREQ=MONTHLY;BYDAY=3WE;BYMONTHDAY=18;COUNT=3", ["either BYDAY or BYMONTHDAY"]),
        ("FREQ=MONTHLY;BYMONTHDAY=32;COUNT=3", ["BYMONTHDAY is"]),
        ("FREQ=MONTHLY;BYMONTHDAY=0;COUNT=3", ["BYMONTHDAY is"]),
        ("FREQ=WEEKLY;UNTIL=20260231", ["UNTIL is"]),
        ("FREQ=WEEKLY;UNTIL=20260401T090000", ["UNTIL is"]),
        ("FREQ=WEEKLY;UNTIL=20260401T256061Z", ["UNTIL is"]),
        ("FREQ=WEEKLY;UNTIL=99991231", ["UNTIL is"]),
        ("FREQ=WEEKLY;UNTIL=20260320", ["at least two"]),
        ("FREQ=WEEKLY;UNTIL=20250101", ["at least two"]),
        ("FREQ=WEEKLY;UNTIL=20280319", ["at most 2 years"]),
        ("FREQ=WEEKLY;UNTIL=20280319T040000Z", ["at most 2 years"]),
        ("FREQ=WEEKLY;COUNT=106", ["at most 2 years"]),
        ("FREQ=MONTHLY;INTERVAL=25;COUNT=2", ["at most 2 years"]),
        ("FREQ=WEEKLY;BYDAY=TU;COUNT=3", ["not on a day"]),
        ("FREQ=MONTHLY;BYDAY=2WE;COUNT=3", ["not on a day"]),
        ("FREQ=MONTHLY;BYMONTHDAY=17;COUNT=99", ["not on a day", "at most 2 years"]),
        ("FREQ=DAILY;INTERVAL=x;COUNT=y;BYDAY=z", ["WEEKLY or MONTHLY", "INTERVAL is", "COUNT is", "BYDAY is"]),
        ("FREQ=WEEKLY;" * 1000, ["ASCII text"]),
    ],
)
def test_every_problem_of_a_rule_is_reported(rule: str, expected: list[str]) -> None:
    problems = series_problems(rule, at("2026-03-18 09:00"), NEW_YORK)
    assert len(problems) == len(expected)
    assert all(phrase in problem for phrase, problem in zip(expected, problems, strict=True))
    with pytest.raises(ValueError, match=r"\.$"):
        expand_occurrences(rule, at("2026-03-18 09:00"), NEW_YORK)


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;COUNT=105", "FREQ=WEEKLY;UNTIL=20280318", "FREQ=MONTHLY;COUNT=25"])
def test_a_series_lasts_at_most_two_years(rule: str) -> None:
    assert series_problems(rule, at("2026-03-18 09:00"), NEW_YORK) == []


@pytest.mark.parametrize("first", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)])
def test_an_extreme_first_start_is_refused(first: datetime) -> None:
    (problem,) = series_problems("FREQ=WEEKLY;COUNT=2", first, NEW_YORK)
    assert "too far" in problem


instants = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
pieces = st.one_of(
    st.sampled_from(["FREQ=WEEKLY", "FREQ=MONTHLY", "BYDAY=MO", "BYDAY=-5SU", "BYMONTHDAY=-31", "UNTIL=20270101"]),
    st.builds("{}={}".format, st.sampled_from([*PARTS, "WKST", "BYHOUR"]), st.integers() | st.text()),
    st.text(),
)


@given(st.lists(pieces, max_size=8).map(";".join), instants, st.sampled_from(ZONES))
def test_any_input_gives_problems_or_a_series(rule: str, first: datetime, zone: ZoneInfo) -> None:
    problems = series_problems(rule, first, zone)
    assert all(problem.endswith(".") for problem in problems)
    if not problems:
        assert 2 <= len(expand_occurrences(rule, first, zone)) <= 732


def to_local(start: datetime, zone: ZoneInfo) -> datetime:
    return start.astimezone(zone).replace(tzinfo=None, fold=0)


def check_local_times(starts: list[datetime], first: datetime, zone: ZoneInfo) -> None:
    """Check that each start has the local time of the first, plus the gap where that time does not exist."""
    assert starts[0] == first
    assert starts == sorted(set(starts))
    assert all(start.utcoffset() == timedelta(0) for start in starts)
    first_time = to_local(first, zone).time()
    for start in starts[1:]:
        local_start = to_local(start, zone)
        if local_start.time() != first_time:
            expected = datetime.combine(local_start.date(), first_time)
            assert to_local(expected.replace(tzinfo=zone).astimezone(UTC), zone) != expected  # the clock skipped it
            assert local_start - expected in (timedelta(hours=1), timedelta(minutes=30))
        earlier = [start - shift for shift in (timedelta(hours=1), timedelta(minutes=30))]
        assert all(to_local(before, zone) != local_start for before in earlier)  # the first of two


@given(instants, st.sampled_from(ZONES), st.integers(1, 8), st.integers(2, 12), st.sets(st.sampled_from(DAYS)))
def test_a_weekly_series_keeps_its_local_time_and_its_days(
    first: datetime, zone: ZoneInfo, interval: int, count: int, days: set[str]
) -> None:
    day = to_local(first, zone).date()
    days |= {DAYS[day.weekday()]}
    rule = f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={','.join(sorted(days))};COUNT={count}"
    starts = expand_occurrences(rule, first, zone)
    check_local_times(starts, first, zone)
    monday = day - timedelta(days=day.weekday())
    expected = [
        on
        for week in range(0, count * interval, interval)
        for on in (monday + timedelta(weeks=week, days=number) for number, name in enumerate(DAYS) if name in days)
        if on >= day
    ]
    assert [to_local(start, zone).date() for start in starts] == expected[:count]


@given(instants, st.sampled_from(ZONES), st.booleans())
def test_a_monthly_series_keeps_its_local_time_and_its_place_in_the_month(
    first: datetime, zone: ZoneInfo, from_the_end: bool
) -> None:
    day = to_local(first, zone).date()
    if from_the_end:
        after = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        rule_part = f"BYMONTHDAY={(day - after).days}"
    else:
        rule_part = f"BYDAY={(day.day + 6) // 7}{DAYS[day.weekday()]}"
    starts = expand_occurrences(f"FREQ=MONTHLY;{rule_part};UNTIL={day + timedelta(days=700):%Y%m%d}", first, zone)
    check_local_times(starts, first, zone)
    days = [to_local(start, zone).date() for start in starts]
    assert len({(on.year, on.month) for on in days}) == len(days)
    for on in days:
        if from_the_end:
            assert days_left(on) == days_left(day)
        else:
            assert (on.weekday(), (on.day + 6) // 7) == (day.weekday(), (day.day + 6) // 7)


def days_left(day: date) -> int:
    after = datetime.combine((day.replace(day=28) + timedelta(days=4)).replace(day=1), time.min)
    return (after.date() - day).days
