"""The life of an appointment: every pair of statuses, and the hours before its start."""

from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.appointments.rules.lifecycle import (
    NEXT,
    WORDS,
    booking_window_problem,
    notice_problem,
    portal_change_problem,
    transition_problem,
)
from practice.scheduling.statuses import ACTIVE, FINAL, STATUSES

START = datetime(2026, 3, 18, 15, tzinfo=UTC)
SECOND = timedelta(seconds=1)

# rows: what it is; columns: what it is to become; y: yes, s: once its start has come
TABLE = """
             SCHEDULED CONFIRMED CHECKED_IN IN_PROGRESS COMPLETED NO_SHOW CANCELLED RESCHEDULED
SCHEDULED    -         y         y          -           s         s       y         y
CONFIRMED    -         -         y          -           s         s       y         y
CHECKED_IN   -         -         -          y           s         -       y         -
IN_PROGRESS  -         -         -          -           y         -       -         -
COMPLETED    -         -         -          -           -         -       -         -
NO_SHOW      -         -         -          -           -         -       -         -
CANCELLED    -         -         -          -           -         -       -         -
RESCHEDULED  -         -         -          -           -         -       -         -
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
LEGAL = {(row[0], wanted): may for row in ROWS for wanted, may in zip(HEAD, row[1:], strict=True)}


@pytest.mark.parametrize(("current", "wanted"), list(product(HEAD, HEAD)))
def test_a_status_follows_another_where_the_table_says_so(current: str, wanted: str) -> None:
    may = LEGAL[current, wanted]
    before = transition_problem(current, wanted, START, START - SECOND)
    after = transition_problem(current, wanted, START, START)
    assert (before is None) == (may == "y")
    assert (after is None) == (may in ("y", "s"))
    for problem in (before, after):
        assert problem is None or problem.endswith(".")


def test_the_statuses_are_the_eight() -> None:
    assert set(WORDS) == STATUSES == set(HEAD)
    assert {"CANCELLED", "RESCHEDULED", "NO_SHOW"} == STATUSES - ACTIVE
    assert set(NEXT) == STATUSES - FINAL


def test_a_status_that_cannot_follow_is_told_what_can() -> None:
    problem = transition_problem("CHECKED_IN", "NO_SHOW", START, START)
    assert problem == (
        "An appointment that is checked in cannot become a no-show; it can become in progress, completed, cancelled."
    )


@given(st.lists(st.tuples(st.sampled_from(HEAD), st.integers(-3, 3)), max_size=12))
def test_whatever_is_tried_an_appointment_lives_once(tries: list[tuple[str, int]]) -> None:
    status, lived = "SCHEDULED", ["SCHEDULED"]
    for wanted, hours in tries:
        if transition_problem(status, wanted, START, START + timedelta(hours=hours)) is None:
            status = wanted
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
def test_a_client_may_change_until_a_day_before_and_not_a_second_longer(ahead: timedelta, refused: bool) -> None:
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
def test_a_clinician_asks_two_days_before(ahead: timedelta, refused: bool) -> None:
    assert (notice_problem(START, START - ahead, 48) is not None) is refused


def test_hours_are_counted_as_they_pass_whatever_the_clock_shows() -> None:
    new_york = ZoneInfo("America/New_York")
    start = datetime(2026, 3, 8, 12, tzinfo=new_york)  # the night before has an hour less
    assert portal_change_problem(start, datetime(2026, 3, 7, 12, tzinfo=new_york), 24) is not None
    assert portal_change_problem(start, datetime(2026, 3, 7, 11, tzinfo=new_york), 24) is None
