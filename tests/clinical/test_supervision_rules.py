"""Rules of supervision: hours by license, months, and valid participants."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from practice.clinical.supervision.rules import (
    Hours,
    Month,
    Person,
    compute_required_hours,
    get_reminder_time,
    get_report_time,
    held_at_problems,
    month_of,
    session_problems,
    supervisor_problems,
)

NEEDED = {"LPC": 2, "APC": 2, "LMSW": 4}
MARCH = Month(date(2026, 3, 1), date(2026, 4, 1))
ANN = Person("ann", ["clinician"], "LPC", date(2025, 1, 6), None)
NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)


@settings(deadline=None)
@given(st.dates(date(1900, 1, 1), date(2199, 12, 30)))
def test_every_day_is_in_its_month_and_months_follow_one_another(day: date) -> None:
    month = month_of(day)
    assert month.first <= day < month.end
    assert (month.first.day, month.end.day) == (1, 1)
    assert (month.last.year, month.last.month) == (day.year, day.month)
    assert month_of(month.end).first == month.end
    assert month_of(month.first - DAY).end == month.first


@pytest.mark.parametrize(
    ("license_type", "hours"), [("LPC", 2), ("APC", 2), ("LMSW", 4), ("LCSW", None), ("MD", None), (None, None)]
)
def test_required_hours_depend_on_the_license(license_type: str | None, hours: int | None) -> None:
    assert compute_required_hours(replace(ANN, license_type=license_type), MARCH, NEEDED) == hours


@pytest.mark.parametrize(
    ("hired_on", "left_on", "hours"),
    [
        (date(2026, 3, 1), None, 2),
        (date(2026, 3, 2), None, None),
        (date(2025, 1, 6), date(2026, 4, 1), 2),  # employed until 31 March
        (date(2025, 1, 6), date(2026, 3, 31), None),
        (date(2025, 1, 6), date(2026, 3, 15), None),
    ],
)
def test_no_hours_are_required_in_the_month_of_hiring_or_leaving(
    hired_on: date, left_on: date | None, hours: int | None
) -> None:
    assert compute_required_hours(replace(ANN, hired_on=hired_on, left_on=left_on), MARCH, NEEDED) == hours


def test_hours_are_required_only_of_clinicians_and_only_by_the_settings() -> None:
    assert compute_required_hours(replace(ANN, roles=["supervisor"]), MARCH, NEEDED) is None
    assert compute_required_hours(ANN, MARCH, NEEDED | {"LPC": 0}) is None
    assert compute_required_hours(ANN, MARCH, NEEDED | {"LPC": 3}) == 3


@pytest.mark.parametrize(
    ("required", "held", "missing"),
    [(2, "0.00", "2"), (2, "1.75", "0.25"), (2, "2.00", "0"), (2, "3.50", "0"), (None, "0.00", "0")],
)
def test_missing_hours(required: int | None, held: str, missing: str) -> None:
    assert Hours(required, Decimal(held)).missing == Decimal(missing)


def test_messages_are_due_a_week_before_and_right_after_the_end_of_a_month() -> None:
    assert get_reminder_time(MARCH, NEW_YORK) == datetime(2026, 3, 25, 13, tzinfo=UTC)
    assert get_report_time(MARCH, NEW_YORK) == datetime(2026, 4, 1, 13, tzinfo=UTC)
    february = month_of(date(2028, 2, 29))
    assert get_reminder_time(february, NEW_YORK) == datetime(2028, 2, 23, 14, tzinfo=UTC)


PEOPLE = {
    "ann": ANN,
    "ben": replace(ANN, id="ben"),
    "sam": replace(ANN, id="sam", roles=["scheduler"]),
    "gone": replace(ANN, id="gone", left_on=date(2026, 2, 28)),
}


@pytest.mark.parametrize(
    ("kind", "supervisees", "phrases"),
    [
        ("INDIVIDUAL", ["ann"], []),
        ("GROUP", ["ann"], []),
        ("GROUP", ["ann", "ben"], []),
        ("INDIVIDUAL", ["ann", "ben"], ["individual"]),
        ("GROUP", ["ann", "ann"], ["twice"]),
        ("GROUP", [], ["from 1 to 20"]),
        ("GROUP", ["ann", "sue"], ["themselves", "Person 2 is not on the staff"]),
        ("GROUP", ["sam", "ann", "zoe"], ["Person 1 is not a clinician", "Person 3 is not on the staff"]),
        ("INDIVIDUAL", ["gone"], ["not employed on 2026-03-01"]),
    ],
)
def test_all_problems_of_a_session_are_reported_together(kind: str, supervisees: list[str], phrases: list[str]) -> None:
    problems = session_problems(kind, supervisees, PEOPLE, "sue", date(2026, 3, 1))
    assert len(problems) == len(phrases)
    assert all(phrase in problem.message for phrase, problem in zip(phrases, problems, strict=True))


def test_supervision_is_possible_from_the_first_to_the_last_day_of_employment() -> None:
    for day, fine in ((date(2025, 1, 5), False), (date(2025, 1, 6), True), (date(2026, 2, 28), True)):
        assert (session_problems("INDIVIDUAL", ["gone"], PEOPLE, "sue", day) == []) is fine


def test_a_session_needs_a_supervisor_and_a_past_time() -> None:
    now = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
    assert supervisor_problems(replace(ANN, roles=["clinician", "supervisor"])) == []
    assert supervisor_problems(ANN) == supervisor_problems(None) != []
    assert held_at_problems(now - timedelta(minutes=90), Decimal("1.5"), now) == []
    (later,) = held_at_problems(now + timedelta(seconds=1), Decimal("1.5"), now)
    (unfinished,) = held_at_problems(now - timedelta(minutes=89), Decimal("1.5"), now)
    assert (later.field, unfinished.field) == ("held_at", "hours")
