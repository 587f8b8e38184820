"""How full the practice is in the two weeks to come: hours, blocked time, open slots and their worth."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.views.overview import build_fill_rows, describe_capacity
from practice.dashboards.capacity import load_capacity, measure_overlap, split_at_quarters, subtract
from practice.scheduling.models.availability import Block
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import open_hours, put
from tests.support.builders.sessions import SessionBuilder

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY = datetime(2026, 3, 23, 9, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
START = datetime(2026, 3, 8, tzinfo=UTC)


@pytest.fixture
def clinician(practice: PracticeFixture) -> Person:
    clinician = practice.add("clinician")
    open_hours(practice, clinician, time(9), time(12), [1])
    return clinician


def test_open_slots_are_counted_and_valued(practice: PracticeFixture, clinician: Person) -> None:
    builder = SessionBuilder(practice, clinician)
    with practice.work() as work:
        assert load_capacity(work, Decimal(100)).open_slots is None  # no session says how long a slot is
    builder.add_session(NOW - 2 * DAY)
    builder.add_session(MONDAY, status="CONFIRMED", guarded=True)
    times = {"starts_at": MONDAY + 2 * HOUR, "ends_at": MONDAY + 3 * HOUR}
    put(practice, Block(id=new_id(), clinician_id=clinician.staff_id, **times))
    with practice.work() as work:
        found = load_capacity(work, Decimal("100.50"))
    assert [tuple(hour) for hour in found.hours] == [(1, 9, 120, 60), (1, 10, 120, 0), (1, 11, 60, 0)]
    assert (found.open_minutes, found.booked_minutes, found.session_minutes) == (300, 60, 60)
    assert (found.open_slots, found.open_cents) == (4, 40200)
    assert str(found.first) == "2026-03-19"  # today has begun
    with practice.work() as work:
        assert load_capacity(work, None).open_cents is None


periods = st.lists(
    st.tuples(st.integers(0, 2000), st.integers(1, 300)).map(
        lambda pair: (START + timedelta(minutes=pair[0]), START + timedelta(minutes=sum(pair)))
    ),
    max_size=6,
)


def list_minutes(pairs: list[tuple[datetime, datetime]]) -> set[datetime]:
    return {
        start + timedelta(minutes=number)
        for start, end in pairs
        for number in range((end - start) // timedelta(minutes=1))
    }


@given(periods, periods)
def test_no_minute_is_lost_or_counted_twice(kept: list, removed: list) -> None:
    left = list_minutes(subtract(kept, removed))
    assert left == list_minutes(kept) - list_minutes(removed)
    parts = list(split_at_quarters(kept))
    assert list_minutes(parts) == list_minutes(kept)
    assert all(end - start <= timedelta(minutes=15) for start, end in parts)
    for pair in kept[:2]:
        assert measure_overlap(pair, kept[:1]) == len(list_minutes([pair]) & list_minutes(kept[:1]))


def test_the_page_says_how_full_each_hour_is() -> None:
    hours = [
        {"weekday": 1, "hour": 9, "open_minutes": 120, "booked_minutes": 60},
        {"weekday": 2, "hour": 9, "open_minutes": 60, "booked_minutes": 60},
        {"weekday": 2, "hour": 13, "open_minutes": 60, "booked_minutes": 0},
    ]
    morning, afternoon = build_fill_rows(hours)
    assert (morning["hour"], morning["1"]["word"], morning["2"]["word"], morning["3"]) == (
        "9 am",
        "50 %",
        "100 %",
        None,
    )
    assert (afternoon["hour"], afternoon["2"]) == ("1 pm", {"word": "0 %", "colour": "red"})
    capacity = {
        "open_minutes": 240,
        "booked_minutes": 120,
        "session_minutes": 50,
        "open_slots": 2,
        "open_value": "250.00",
    }
    text = "50 % of the next two weeks is booked. 2 slots of 50 minutes are open, worth about $250.00."
    assert describe_capacity(capacity) == text
    assert describe_capacity(capacity | {"open_minutes": 0}) == "Nobody has hours in the next two weeks."
