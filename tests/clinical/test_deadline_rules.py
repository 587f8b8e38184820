"""Rules of note deadlines, session locks and the 7-day rule."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.clinical.deadlines.rules import (
    LatenessDays,
    Lock,
    compute_lateness,
    compute_reminder_times,
    deadline_of,
    find_lock_state,
)
from practice.local_time import cut_off, to_instant, week_of

NEW_YORK = ZoneInfo("America/New_York")
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
ZONES = st.sampled_from([NEW_YORK, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Pacific/Auckland")])
INSTANTS = st.integers(0, 7 * 366 * 24 * 3600).map(lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + seconds * SECOND)
DEADLINE = datetime(2026, 3, 16, 4, tzinfo=UTC)
RULE = LatenessDays(remind=5, alert=7, hold=14)


@pytest.mark.parametrize(
    ("local_start", "deadline"),
    [
        ("2026-03-14T23:00", "2026-03-16T04:00"),  # Saturday of the week in which clocks go forward
        ("2026-03-15T00:05", "2026-03-23T04:00"),  # Sunday: the next week
        ("2026-03-08T00:00", "2026-03-16T04:00"),
        ("2026-03-07T23:59", "2026-03-09T04:00"),  # the Monday after the clocks went forward on the Sunday
        ("2025-11-08T23:00", "2025-11-10T05:00"),  # of the week in which they go back
        ("2025-11-02T00:05", "2025-11-10T05:00"),
        ("2025-11-01T23:00", "2025-11-03T05:00"),
    ],
)
def test_a_note_is_due_before_the_monday_after_its_week(local_start: str, deadline: str) -> None:
    starts_at = datetime.fromisoformat(local_start).replace(tzinfo=NEW_YORK).astimezone(UTC)
    assert deadline_of(starts_at, NEW_YORK) == datetime.fromisoformat(deadline).replace(tzinfo=UTC)


@given(INSTANTS, ZONES)
def test_a_deadline_is_a_local_midnight_from_one_to_eight_days_after_the_session(at: datetime, zone: ZoneInfo) -> None:
    deadline = deadline_of(at, zone)
    local = deadline.astimezone(zone)
    assert (local.weekday(), local.time()) == (0, time.min)
    assert DAY - HOUR <= deadline - at <= 9 * DAY + HOUR
    assert (local.date() - at.astimezone(zone).date()).days in range(2, 9)


@given(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
def test_a_week_begins_on_the_sunday_on_or_before_the_day(day: date) -> None:
    assert week_of(day).isoweekday() == 7
    assert 0 <= (day - week_of(day)).days <= 6


BEFORE, AFTER = DEADLINE - DAY, DEADLINE + 2 * DAY


@pytest.mark.parametrize(
    ("last", "now", "since"),
    [
        (None, DEADLINE - SECOND, None),
        (None, DEADLINE, DEADLINE),  # whether or not a job has run
        (Lock("LOCKED", AFTER), AFTER + DAY, AFTER),  # recorded by the job
        (Lock("UNLOCKED", AFTER, AFTER + 2 * DAY), AFTER, None),
        (Lock("UNLOCKED", AFTER, AFTER + 2 * DAY), AFTER + 2 * DAY - SECOND, None),
        (Lock("UNLOCKED", AFTER, AFTER + 2 * DAY), AFTER + 2 * DAY, AFTER + 2 * DAY),
        (Lock("UNLOCKED", BEFORE, DEADLINE + DAY), DEADLINE, None),  # unlocked before, and until after the deadline
        (Lock("UNLOCKED", BEFORE, BEFORE + HOUR), BEFORE + 2 * HOUR, None),  # the deadline is still ahead
        (Lock("UNLOCKED", BEFORE, BEFORE + HOUR), DEADLINE, DEADLINE),
        (Lock("LOCKED", AFTER), BEFORE, None),  # later locks do not count yet
    ],
)
def test_a_session_is_locked_from_its_deadline_except_while_unlocked(
    last: Lock | None, now: datetime, since: datetime | None
) -> None:
    state = find_lock_state(DEADLINE, last, now)
    assert (state and state.since) == since
    assert state is None or state.cause == "DEADLINE"


@pytest.mark.parametrize("now", [BEFORE, DEADLINE, AFTER])
def test_a_lock_by_hand_keeps_its_cause_after_the_deadline(now: datetime) -> None:
    assert find_lock_state(DEADLINE, Lock("LOCKED", BEFORE, by_hand=True), now) == (BEFORE, "BY_HAND")


@pytest.mark.parametrize(
    ("days", "word"),
    [(0, "ok"), (5, "remind"), (6, "remind"), (7, "alert"), (13, "alert"), (14, "hold"), (400, "hold")],
)
def test_the_7_day_rule_counts_days_of_24_hours_after_the_end(days: int, word: str) -> None:
    ended = datetime(2026, 3, 7, 23, tzinfo=UTC)
    assert compute_lateness(ended, None, RULE, ended + days * DAY) == word
    assert compute_lateness(ended, ended + days * DAY, RULE, ended + days * DAY) == "ok"
    if days in (5, 7, 14):
        assert compute_lateness(ended, None, RULE, ended + days * DAY - SECOND) != word
    signed_later = ended + days * DAY + SECOND
    assert compute_lateness(ended, signed_later, RULE, ended + days * DAY) == word


def test_reminders_are_due_on_friday_at_nine_and_sunday_at_noon_local_time() -> None:
    spring, autumn = (
        compute_reminder_times(date(2026, 3, 1), NEW_YORK),
        compute_reminder_times(date(2025, 10, 26), NEW_YORK),
    )
    assert spring["NOTE_REMINDER_FRIDAY"] == datetime(2026, 3, 6, 14, tzinfo=UTC)
    assert spring["NOTE_REMINDER_SUNDAY"] == datetime(2026, 3, 8, 16, tzinfo=UTC)  # summer time since that night
    assert autumn["NOTE_REMINDER_SUNDAY"] == datetime(2025, 11, 2, 17, tzinfo=UTC)
    assert all(at < cut_off(date(2026, 3, 1), NEW_YORK) for at in spring.values())
    assert to_instant(date(2026, 3, 6), time(9), NEW_YORK) == spring["NOTE_REMINDER_FRIDAY"]
