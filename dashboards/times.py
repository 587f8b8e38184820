"""Local dates and times as people read them."""

from datetime import datetime


def format_day(day: str) -> str:
    """Return a date as its weekday, month and day."""
    moment = datetime.fromisoformat(day)
    return f"{moment:%A, %B} {moment.day}"


def format_clock(moment: datetime) -> str:
    return f"{moment.hour % 12 or 12}:{moment:%M} {'am' if moment.hour < 12 else 'pm'}"
