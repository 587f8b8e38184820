"""Available and booked time of clinicians, in exact minutes."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from types import SimpleNamespace as Row

from tests.support.oracles.metrics.calendar import DAY
from tests.support.oracles.metrics.records import Records, is_staff

Span = tuple[datetime, datetime]
MONDAY_TO_THURSDAY = (0, 1, 2, 3)  # of date.weekday()
PRIME_START, PRIME_END = 9 * 60, 17 * 60


def unite(spans: Iterable[Span]) -> list[Span]:
    """Return the union of spans, in order and apart. Empty ones are dropped."""
    united: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], end))
        else:
            united.append((start, end))
    return united


def intersect(these: list[Span], those: list[Span]) -> list[Span]:
    return unite((max(a[0], b[0]), min(a[1], b[1])) for a in these for b in those)


def subtract(these: list[Span], those: list[Span]) -> list[Span]:
    for start, end in those:
        if start < end:
            these = unite(part for a in these for part in ((a[0], min(a[1], start)), (max(a[0], end), a[1])))
    return these


def measure_minutes(spans: list[Span]) -> Fraction:
    return sum((minutes_of(end - start) for start, end in spans), Fraction(0))


def minutes_of(duration: timedelta) -> Fraction:
    return Fraction(duration // timedelta.resolution, 60_000_000)


class Hours:
    """The time in which each clinician is available and booked, by date."""

    def __init__(self, records: Records) -> None:
        self.records, self.calendar = records, records.calendar
        self.windows = records.group("availability", "clinician_id")
        self.exceptions = records.group("availability_exceptions", "clinician_id")
        self.closures = {closure.date for closure in records.rows["closures"]}
        self.list_available = cache(self._list_available)
        self.list_booked = cache(self._list_booked)
        self.measure = cache(self._measure)

    def _list_available(self, staff_id: str, day: date) -> list[Span]:
        """Return the spans of a date in which somebody is available."""
        if not is_staff(self.records.staff[staff_id], day) or day in self.closures or not self.calendar.has_date(day):
            return []
        windows = [
            window
            for window in self.windows.get(staff_id, [])
            if window.weekday == (day.weekday() + 1) % 7
            and (window.effective_on is None or window.effective_on <= day)
            and (window.ends_on is None or window.ends_on >= day)
        ]
        exceptions = [exception for exception in self.exceptions.get(staff_id, []) if exception.date == day]
        opened = [self.to_span(day, row) for row in (*windows, *(e for e in exceptions if e.available))]
        closed = [self.to_span(day, exception) for exception in exceptions if not exception.available]
        return subtract(unite(opened), closed)

    def _list_booked(self, staff_id: str) -> list[Span]:
        """Return the time that appointments take, whenever it is."""
        return unite(
            (a.starts_at, a.ends_at)
            for a in self.records.appointments
            if a.clinician_id == staff_id and a.status_now not in ("CANCELLED", "RESCHEDULED")
        )

    def to_span(self, day: date, row: Row) -> Span:
        """Return the instants of a window or an exception. One without times closes the day."""
        if row.start_time is None:
            return self.calendar.start_of(day), self.calendar.start_of(day + DAY)
        return self.calendar.at_minute(day, row.start_time), self.calendar.at_minute(day, row.end_time)

    def _measure(self, staff_id: str, day: date, prime: bool) -> tuple[Fraction, Fraction]:
        """Return the booked and the available minutes of a date, or those of them in prime time."""
        available = self.list_available(staff_id, day)
        if prime and day.weekday() not in MONDAY_TO_THURSDAY:
            available = []
        if prime:
            span = self.calendar.at_minute(day, PRIME_START), self.calendar.at_minute(day, PRIME_END)
            available = intersect(available, [span])
        booked = intersect(self.list_booked(staff_id), available)
        return measure_minutes(booked), measure_minutes(available)
