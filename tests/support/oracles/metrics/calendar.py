"""Local dates of a time zone, and the periods of metrics."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class Calendar:
    """Dates and instants of a time zone."""

    def __init__(self, time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        self.start_of = cache(self._find_start_of)
        self.date_of = cache(self._find_date_of)

    def _find_date_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def date_before(self, at: datetime) -> date:
        """Return the date of the instant just before."""
        return self.date_of(at - timedelta.resolution)

    def _find_start_of(self, day: date) -> datetime:
        """Return the first instant with this date, or with a later one where the zone skips the date."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
        if self.date_of(midnight) == day and midnight.astimezone(self.zone).hour == 0:
            return midnight
        before, after = midnight - 2 * DAY, midnight + 2 * DAY
        while after - before > timedelta.resolution:
            middle = before + (after - before) // 2
            if self.date_of(middle) < day:
                before = middle
            else:
                after = middle
        return after

    def has_date(self, day: date) -> bool:
        """Return whether any instant has this date: a zone that crosses the date line skips one."""
        return self.date_of(self.start_of(day)) == day

    def at_minute(self, day: date, minute: int) -> datetime:
        """Return the instant of a local time of day, given in minutes since midnight.

        Of a time that comes twice it is the first, and a skipped time moves forward by what is skipped.
        """
        local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.zone)
        return local.astimezone(UTC)


@dataclass(frozen=True)
class Period:
    """A period in local dates, without its end."""

    kind: str
    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    @property
    def days(self) -> list[date]:
        return [self.start + DAY * number for number in range((self.end - self.start).days)]

    @property
    def months(self) -> list["Period"]:
        return list(list_periods("month", self.start, self.end - DAY))


def add_months(day: date, months: int) -> date:
    """Return the first day of the month this many months later."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def find_period(kind: str, day: date) -> Period:
    """Return the period that a date lies in."""
    if kind == "day":
        return Period(kind, day, day + DAY)
    if kind == "week":
        sunday = day - DAY * ((day.weekday() + 1) % 7)
        return Period(kind, sunday, sunday + 7 * DAY)
    if kind == "month":
        return Period(kind, day.replace(day=1), add_months(day, 1))
    quarter = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return Period(kind, quarter, add_months(quarter, 3))


def list_periods(kind: str, first: date, last: date) -> Iterator[Period]:
    """Yield the periods that begin on these dates."""
    period = find_period(kind, first)
    while period.start <= last:
        if period.start >= first:
            yield period
        period = find_period(kind, period.end)


def add_year(day: date) -> date:
    """Return the same date a year later: for 29 February, 28 February."""
    if (day.month, day.day) == (2, 29):
        return date(day.year + 1, 2, 28)
    return day.replace(year=day.year + 1)


def turn_eighteen(born: date) -> date:
    """Return the 18th birthday: for 29 February, 1 March."""
    if (born.month, born.day) == (2, 29):
        return date(born.year + 18, 3, 1)
    return born.replace(year=born.year + 18)
