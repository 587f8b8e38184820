"""Lifecycle rules: every pair of statuses, and notice periods."""

from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.appointments.rules.lifecycle import (
    LABELS,
    NEXT,
    booking_window_problem,
    check_in_day_problem,
    early_step_problem,
    notice_problem,
    portal_change_problem,
    transition_problem,
)
from practice.scheduling.statuses import ACTIVE, FINAL, STATUSES

START = datetime(2026, 3, 18, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ZONE = ZoneInfo("America/New_York")

# rows: current status; columns: requested status; y: yes, s: from the start time on
TABLE = """
             SCHEDULED CONFIRMED CHECKED_IN IN_PROGRESS COMPLETED NO_SHOW CANCELLED RESCHEDULED
SCHEDULED    -         y         y          -           y         s       y         y
CONFIRMED    -         -         y          -           y         s       y         y
CHECKED_IN   -         -         -          y           y         -       y         -
IN_PROGRESS  -         -         -          -           y         -       -         -
COMPLETED    -         -         -          -           -         -       -         -
NO_SHOW      -         -         -          -           -         -       -         -
CANCELLED    -         -         -          -           -         -       -         -
RESCHEDULED  -         -         -          -           -         -       -         -
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
LEGAL = {(row[0], requested): may for row in ROWS for requested, may in zip(HEAD, row[1:], strict=True)}


@pytest.mark.parametrize(("current", "requested"), list(product(HEAD, HEAD)))
def test_transitions_follow_the_table(current: str, requested: str) -> None:
    may = LEGAL[current, requested]
    before = transition_problem(current, requested, START, START - SECOND)
    after = transition_problem(current, requested, START, START)
    assert (before is None) == (may == "y")
    assert (after is None) == (may in ("y", "s"))
    for problem in (before, after):
        assert problem is None or problem.endswith(".")


def test_the_statuses_are_the_eight() -> None:
    assert set(LABELS) == STATUSES == set(HEAD)
    assert {"CANCELLED", "RESCHEDULED", "NO_SHOW"} == STATUSES - ACTIVE
    assert set(NEXT) == STATUSES - FINAL


def test_a_refused_transition_lists_the_possible_ones() -> None:
    problem = transition_problem("CHECKED_IN", "NO_SHOW", START, START)
    assert problem == (
        "An appointment that is checked in cannot become a no-show; it can become in progress, completed, cancelled."
    )


@pytest.mark.parametrize(
    ("now", "possible"),
    [
        ("2026-03-17 23:59", False),
        ("2026-03-18 00:00", True),
        ("2026-03-18 23:59", True),
        ("2026-03-19 00:00", False),
        ("2026-04-18 10:00", False),
    ],
)
def test_check_in_is_possible_on_the_local_day_of_the_visit(now: str, possible: bool) -> None:
    start = datetime(2026, 3, 18, 20, tzinfo=ZONE)  # already the next day in UTC
    at = datetime.fromisoformat(now).replace(tzinfo=ZONE).astimezone(UTC)
    assert (check_in_day_problem(start, start + timedelta(hours=1), at, ZONE) is None) is possible
    until_midnight = check_in_day_problem(start, start + timedelta(hours=4), at, ZONE)
    assert (until_midnight is None) is possible


def test_a_visit_over_midnight_has_two_days_of_check_in() -> None:
    start = datetime(2026, 3, 18, 23, 30, tzinfo=ZONE)
    for hours, possible in ((-1, True), (1, True), (25, False), (-24, False)):
        problem = check_in_day_problem(start, start + timedelta(hours=1), start + timedelta(hours=hours), ZONE)
        assert (problem is None) is possible


@pytest.mark.parametrize("requested", ["IN_PROGRESS", "COMPLETED"])
@pytest.mark.parametrize(
    ("ahead", "refused"),
    [
        (timedelta(minutes=15), False),
        (timedelta(minutes=15) + SECOND, True),
        (timedelta(days=9), True),
        (-timedelta(days=9), False),
    ],
)
def test_a_session_starts_and_ends_from_fifteen_minutes_before_on(
    requested: str, ahead: timedelta, refused: bool
) -> None:
    assert (early_step_problem(requested, START, START - ahead, 15) is not None) is refused


@given(st.lists(st.tuples(st.sampled_from(HEAD), st.integers(-3, 3)), max_size=12))
def test_no_status_is_taken_twice(tries: list[tuple[str, int]]) -> None:
    status, lived = "SCHEDULED", ["SCHEDULED"]
    for requested, hours in tries:
        if transition_problem(status, requested, START, START + timedelta(hours=hours)) is None:
            status = requested
            lived.append(status)
    assert len(lived) == len(set(lived))
    assert not FINAL & set(lived[:-1])


@pytest.mark.parametrize(
    ("ahead", "refused"),
    [
        (timedelta(hours=24), False),
        (timedelta(hours=24) - SECOND, True),
        (timedelta(days=30), False),
        (timedelta(0), True),
        (-timedelta(days=1), True),
    ],
)
def test_a_client_may_change_until_exactly_a_day_before(ahead: timedelta, refused: bool) -> None:
    assert (portal_change_problem(START, START - ahead, 24) is not None) is refused


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (timedelta(hours=24), None),
        (timedelta(hours=24) - SECOND, "later"),
        (timedelta(days=30), None),
        (timedelta(days=30) + SECOND, "earlier"),
    ],
)
def test_a_client_books_from_a_day_to_thirty_days_ahead(ahead: timedelta, says: str | None) -> None:
    problem = booking_window_problem(START, START - ahead, 24, 30)
    assert problem is None if says is None else says in (problem or "")


@pytest.mark.parametrize(("ahead", "refused"), [(timedelta(hours=48), False), (timedelta(hours=48) - SECOND, True)])
def test_a_clinician_requests_a_move_two_days_before(ahead: timedelta, refused: bool) -> None:
    assert (notice_problem(START, START - ahead, 48) is not None) is refused


def test_hours_are_elapsed_time() -> None:
    new_york = ZoneInfo("America/New_York")
    start = datetime(2026, 3, 8, 12, tzinfo=new_york)  # the night before has an hour less
    assert portal_change_problem(start, datetime(2026, 3, 7, 12, tzinfo=new_york), 24) is not None
    assert portal_change_problem(start, datetime(2026, 3, 7, 11, tzinfo=new_york), 24) is None
