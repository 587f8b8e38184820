"""Rules of valid hours: windows that do not overlap, and exceptions whose times fit together."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID

from practice.errors import FieldProblem
from practice.scheduling.availability.rules.free_time import Span, Window

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def window_problems(window: Window, others: Iterable[Window]) -> list[FieldProblem]:
    """Return the problems of a window by itself, else its overlaps with the clinician's other windows."""
    problems = []
    if window.end <= window.start:
        problems.append(FieldProblem("end_time", "The hours end before they begin. Choose a later end."))
    if window.effective_on and window.ends_on and window.ends_on < window.effective_on:
        problems.append(FieldProblem("ends_on", "The last date is before the first one. Choose a later date."))
    return problems or [
        FieldProblem(
            "start_time",
            f"These hours overlap those of {describe_window(other)}. Change those or end them the day before.",
        )
        for other in others
        if is_overlapping(window, other)
    ]


def past_end_problems(ends_on: date | None, earliest: date) -> list[FieldProblem]:
    """Return why hours cannot end on this date: they would already be over."""
    if ends_on is not None and ends_on < earliest:
        return [FieldProblem("ends_on", f"`ends_on` is in the past. Choose {earliest} or later.")]
    return []


def is_overlapping(window: Window, other: Window) -> bool:
    """Return whether both windows are open at the same time for the same service."""
    return (
        window.weekday == other.weekday
        and window.start < other.end
        and other.start < window.end
        and (window.effective_on or date.min) <= (other.ends_on or date.max)
        and (other.effective_on or date.min) <= (window.ends_on or date.max)
        and (not window.services or not other.services or not window.services.isdisjoint(other.services))
    )


def describe_window(window: Window) -> str:
    since = f" from {window.effective_on}" if window.effective_on else ""
    until = f" until {window.ends_on}" if window.ends_on else ""
    return f"{WEEKDAYS[window.weekday]} {window.start:%H:%M}-{window.end:%H:%M}{since}{until}"


def exception_problems(available: bool, start: time | None, end: time | None) -> list[FieldProblem]:
    if (start is None) != (end is None):
        message = "Set both times or neither. Without times, the exception covers the whole day."
        return [FieldProblem("end_time" if end is None else "start_time", message)]
    if start is not None and end is not None and end <= start:
        return [FieldProblem("end_time", "The exception ends before it begins. Choose a later end.")]
    if available and start is None:
        return [FieldProblem("start_time", "An exception that opens hours needs both times. Send them.")]
    return []


class Visit(NamedTuple):
    """A booked time."""

    id: UUID
    start: datetime
    end: datetime


def find_outside(spans: Sequence[Span], visits: Iterable[Visit]) -> set[UUID]:
    """Return the visits that do not lie entirely within one of the ascending, disjoint spans."""
    starts = [span.start for span in spans]
    outside = set()
    for visit in visits:
        index = bisect_right(starts, visit.start) - 1
        if index < 0 or spans[index].end < visit.end:
            outside.add(visit.id)
    return outside
