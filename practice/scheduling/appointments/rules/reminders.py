"""Which reminders an appointment gets, and when they are due."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

LEADS = (24 * 60, 2 * 60, 15)  # minutes before the start


class Reminder(NamedTuple):
    channel: str
    lead_minutes: int
    due_at: datetime


def reminder_plan(starts_at: datetime, now: datetime, channels: Collection[str]) -> list[Reminder]:
    """One by each channel at each lead that is still ahead, ascending: booked 20 minutes before, only the last."""
    due = [(lead, starts_at.astimezone(UTC) - timedelta(minutes=lead)) for lead in LEADS]
    return [Reminder(channel, lead, at) for lead, at in due if at > now for channel in sorted(channels)]
