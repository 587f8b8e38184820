"""Instants as arguments of commands."""

from datetime import UTC, datetime

from practice.errors import Refusal


class InvalidInstant(Refusal):
    """The instant is not valid.

    Fix: write it with an offset, like 2026-03-18T20:30:00Z.
    """

    code = "NO_INSTANT"


def parse_instant(text: str) -> datetime:
    """Return the instant in UTC, or raise InvalidInstant."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not 1900 <= instant.year <= 2200:
        raise InvalidInstant(f"Invalid instant {text!r}. Write it with an offset, like 2026-03-18T20:30:00Z.")
    return instant.astimezone(UTC)
