"""The practice's clock on the wall: a local date and time of day as an instant."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """In UTC. A time that the clock skips that day moves forward by the gap; of one that comes twice it is the first.

    Midnight is therefore always the first instant of its date.
    """
    return datetime.combine(day, at.replace(fold=0), zone).astimezone(UTC)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    return instant(day, time.min, zone)


def date_of(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def date_before(at: datetime, zone: ZoneInfo) -> date:
    """The date of the instant just before."""
    return date_of(at.astimezone(UTC) - timedelta.resolution, zone)


def elapsed(start: datetime, end: datetime) -> timedelta:
    """Python subtracts two times of one zone by the clock on the wall, so both go to UTC before."""
    return end.astimezone(UTC) - start.astimezone(UTC)


DAY = timedelta(days=1)


WEEK = timedelta(days=7)


def week_of(day: date) -> date:
    """The Sunday on which its week begins."""
    return day - timedelta(days=day.isoweekday() % 7)


def cut_off(week: date, zone: ZoneInfo) -> datetime:
    """Midnight after the Sunday that follows the week: what is done from then on is late."""
    return start_of_day(week + WEEK + DAY, zone)


def open_week(now: datetime, zone: ZoneInfo) -> date:
    """The earliest week whose deadline has not passed: on its last day, a Sunday, still the one before."""
    return week_of(date_of(now, zone) - DAY)
