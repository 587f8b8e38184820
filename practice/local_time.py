"""Local dates and times of a practice: instants, dates, pay weeks and cut-offs."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def to_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the instant (in UTC) of a local date and time of day.

    A time that the clock skips that day moves forward by the gap; an ambiguous time is the first of the two. Midnight
    is therefore always the first instant of its date.
    """
    return datetime.combine(day, at.replace(fold=0), zone).astimezone(UTC)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    return to_instant(day, time.min, zone)


def date_of(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def date_before(at: datetime, zone: ZoneInfo) -> date:
    """Return the local date of the instant just before."""
    return date_of(at.astimezone(UTC) - timedelta.resolution, zone)


def elapsed(start: datetime, end: datetime) -> timedelta:
    """Return the elapsed time. Both are converted to UTC, since Python ignores clock changes within one zone."""
    return end.astimezone(UTC) - start.astimezone(UTC)


DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def week_of(day: date) -> date:
    """Return the Sunday on which the week of this date begins."""
    return day - timedelta(days=day.isoweekday() % 7)


def cut_off(week: date, zone: ZoneInfo) -> datetime:
    """Return the deadline of a pay week: midnight after the Sunday that follows it. Later work is late."""
    return start_of_day(week + WEEK + DAY, zone)


def open_week(now: datetime, zone: ZoneInfo) -> date:
    """Return the earliest pay week whose deadline has not passed: on a Sunday, still the week before."""
    return week_of(date_of(now, zone) - DAY)
