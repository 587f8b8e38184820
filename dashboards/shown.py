"""Local dates, times and amounts as people read them."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo


def format_day(day: str) -> str:
    """Return a date with its weekday and year."""
    return f"{date.fromisoformat(day):%A}, {format_date(day)}"


def format_date(day: str) -> str:
    """Return a date with its year."""
    found = date.fromisoformat(day)
    return f"{found:%B} {found.day}, {found.year}"


def format_instant(text: str, zone: ZoneInfo) -> str:
    """Return an instant as its local date and time."""
    moment = datetime.fromisoformat(text).astimezone(zone)
    return f"{format_date(moment.date().isoformat())}, {format_clock(moment)}"


def format_clock(moment: datetime) -> str:
    return f"{moment.hour % 12 or 12}:{moment:%M} {'am' if moment.hour < 12 else 'pm'}"


def format_amount(amount: str) -> str:
    """Return an amount of the API, such as `-1234.05`, with its sign and currency."""
    value = Decimal(amount)
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
