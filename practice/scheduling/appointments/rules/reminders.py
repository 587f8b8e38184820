"""Reminder rules: which reminders an appointment gets, and when they are due."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

LEADS = (24 * 60, 2 * 60, 15)  # minutes before the start


class Reminder(NamedTuple):
    """A reminder on one channel, this long before the start."""

    channel: str
    lead_minutes: int
    due_at: datetime


def plan_reminders(starts_at: datetime, now: datetime, channels: Collection[str]) -> list[Reminder]:
    """Return one reminder per channel for each lead time still ahead: 20 minutes before the start, only the last."""
    due = [(lead, starts_at.astimezone(UTC) - timedelta(minutes=lead)) for lead in LEADS]
    return [Reminder(channel, lead, at) for lead, at in due if at > now for channel in sorted(channels)]
