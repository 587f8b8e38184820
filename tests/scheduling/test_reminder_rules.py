"""Reminder rules."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice.scheduling.appointments.rules.reminders import LEADS, plan_reminders

START = datetime(2026, 3, 18, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "leads"),
    [
        (timedelta(days=3), [1440, 120, 15]),
        (timedelta(days=1), [120, 15]),  # booked a day before to the second: confirmed, not reminded
        (timedelta(hours=3), [120, 15]),
        (timedelta(minutes=20), [15]),
        (timedelta(minutes=15), []),
        (timedelta(0), []),
        (timedelta(days=-1), []),
    ],
)
def test_only_reminders_that_are_still_ahead_are_planned(ahead: timedelta, leads: list[int]) -> None:
    plan = plan_reminders(START, START - ahead, {"SMS", "EMAIL"})
    assert [(reminder.lead_minutes, reminder.channel) for reminder in plan] == [
        (lead, channel) for lead in leads for channel in ("EMAIL", "SMS")
    ]


def test_without_channels_there_are_no_reminders() -> None:
    assert plan_reminders(START, START - timedelta(days=3), frozenset()) == []


@given(st.integers(-3000, 3000), st.sets(st.sampled_from(["EMAIL", "SMS"])))
def test_each_reminder_is_planned_once_between_now_and_the_start(minutes: int, channels: set[str]) -> None:
    now = START - timedelta(minutes=minutes)
    plan = plan_reminders(START, now, channels)
    assert len({reminder[:2] for reminder in plan}) == len(plan)
    assert [reminder.due_at for reminder in plan] == sorted(reminder.due_at for reminder in plan)
    for channel, lead, due_at in plan:
        assert channel in channels
        assert now < due_at == START - timedelta(minutes=lead) < START
    assert len(plan) == len(channels) * sum(lead < minutes for lead in LEADS)
