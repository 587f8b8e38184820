"""What a clinician's hours may be: windows that do not contradict each other, changes to a day that mean something."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time

from practice.scheduling.availability.rules.free_time import Span, Window

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def window_problems(window: Window, others: Iterable[Window]) -> list[str]:
    problems = []
    if window.end <= window.start:
        problems.append("The hours end before they begin.")
    if window.effective_on and window.ends_on and window.ends_on < window.effective_on:
        problems.append("The last date lies before the first one.")
    return problems or [
        f"These hours overlap those of {described(other)}: change those, or end them the day before."
        for other in others
        if overlap(window, other)
    ]


def overlap(one: Window, other: Window) -> bool:
    """On a day on which both count, for a service that both are for."""
    return (
        one.weekday == other.weekday
        and one.start < other.end
        and other.start < one.end
        and (one.effective_on or date.min) <= (other.ends_on or date.max)
        and (other.effective_on or date.min) <= (one.ends_on or date.max)
        and (not one.services or not other.services or not one.services.isdisjoint(other.services))
    )


def described(window: Window) -> str:
    since = f" from {window.effective_on}" if window.effective_on else ""
    until = f" until {window.ends_on}" if window.ends_on else ""
    return f"{WEEKDAYS[window.weekday]} {window.start:%H:%M}-{window.end:%H:%M}{since}{until}"


def exception_problems(available: bool, start: time | None, end: time | None) -> list[str]:
    if (start is None) != (end is None):
        return ["Give both times or neither: without times it is the whole day."]
    if start is not None and end is not None and end <= start:
        return ["The stretch ends before it begins."]
    if available and start is None:
        return ["A stretch that is opened needs its times."]
    return []


def count_outside(spans: Sequence[Span], times: Iterable[tuple[datetime, datetime]]) -> int:
    """How many do not lie whole in one of the spans, which are ascending and never overlap."""
    starts = [span.start for span in spans]
    outside = 0
    for start, end in times:
        place = bisect_right(starts, start) - 1
        outside += place < 0 or spans[place].end < end
    return outside
