"""Free-time rules: a clinician's hours from weekly windows, exceptions and closures, and the free slots within them.

A clinician's hours on a date are the windows in effect plus the periods opened for it, less the periods closed. Closed
periods remain as spans with a reason, so the hours say both what is open and why the rest is not. Times of day are
local to the practice; `practice.local_time` resolves clock changes, and every length is elapsed time.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from practice.local_time import to_instant

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
RESOLUTION = timedelta.resolution
MIDNIGHT = time.min
MAX_YEARS_AHEAD = 2  # of any booking

Reason = Literal["closed", "away", "booked", "held"]
CLOSED: Reason = "closed"  # the practice is closed that day
AWAY: Reason = "away"  # the clinician closed the period or is in a meeting
BOOKED: Reason = "booked"  # an appointment
HELD: Reason = "held"  # a waitlist offer that is not answered yet

Pair = tuple[datetime, datetime]
Obstacle = tuple[Reason, list[datetime], list[datetime]]  # a reason, and when it begins and ends, ascending


@dataclass(frozen=True)
class Window:
    """Weekly hours on a weekday, from one date to another (inclusive), for some services or all."""

    weekday: int  # 0 is Sunday
    start: time
    end: time
    effective_on: date | None = None
    ends_on: date | None = None
    services: frozenset[UUID] = frozenset()  # none named: all


@dataclass(frozen=True)
class DayChange:
    """A period of one date that is opened or closed; without times, the whole day."""

    on: date
    available: bool
    start: time | None = None
    end: time | None = None


class Span(NamedTuple):
    """A period of a clinician's hours, open or closed."""

    start: datetime
    end: datetime
    closed_reason: Reason | None = None  # CLOSED or AWAY where these hours are not open


class Busy(NamedTuple):
    """A period when the clinician is booked, away or held for the waitlist."""

    start: datetime
    end: datetime
    reason: Reason = BOOKED  # or AWAY or HELD


class Slot(NamedTuple):
    """A possible appointment time, and why it is taken if it is."""

    start: datetime
    end: datetime
    taken: Reason | None = None


def compute_hours(
    windows: Iterable[Window],
    changes: Iterable[DayChange],
    closures: Collection[date],
    zone: ZoneInfo,
    first: date,
    last: date,
    service: UUID | None = None,
) -> list[Span]:
    """Return the clinician's hours from the first date to the last, open and closed, merged and ascending.

    On a closure of the practice, the usual hours appear as closed.
    """
    weekly, changed = defaultdict(list), defaultdict(list)
    for window in windows:
        if service is None or not window.services or service in window.services:
            weekly[window.weekday].append(window)
    for change in changes:
        changed[change.on].append(change)
    spans: list[Span] = []
    for number in range((last - first).days + 1):
        day = first + number * DAY
        periods = [
            (to_instant(day, window.start, zone), to_instant(day, window.end, zone))
            for window in weekly[day.isoweekday() % 7]
            if (window.effective_on is None or window.effective_on <= day)
            and (window.ends_on is None or day <= window.ends_on)
        ]
        periods += [_resolve_change(change, zone) for change in changed[day] if change.available]
        away = merge_periods(_resolve_change(change, zone) for change in changed[day] if not change.available)
        for start, end in merge_periods(periods):
            spans += [Span(start, end, CLOSED)] if day in closures else _split(start, end, away)
    return [
        Span(start, end, shut)
        for shut, group in groupby(spans, key=lambda span: span.closed_reason)
        for start, end in merge_periods((span.start, span.end) for span in group)
    ]


def compute_open_spans(
    windows: Iterable[Window],
    changes: Iterable[DayChange],
    closures: Collection[date],
    zone: ZoneInfo,
    first: date,
    last: date,
    service: UUID | None = None,
) -> list[Span]:
    """Return only the open spans of the hours."""
    return [
        span
        for span in compute_hours(windows, changes, closures, zone, first, last, service)
        if span.closed_reason is None
    ]


def _resolve_change(change: DayChange, zone: ZoneInfo) -> Pair:
    start = to_instant(change.on, change.start or MIDNIGHT, zone)
    return start, to_instant(change.on, change.end, zone) if change.end else to_instant(change.on + DAY, MIDNIGHT, zone)


def merge_periods(pairs: Iterable[Pair]) -> list[Pair]:
    """Merge periods that touch or overlap, and drop empty ones."""
    merged: list[Pair] = []
    for start, end in sorted(pair for pair in pairs if pair[0] < pair[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _split(start: datetime, end: datetime, away: list[Pair]) -> Iterator[Span]:
    """Yield the pieces of a period, open and away."""
    for away_start, away_end in away:
        if away_end <= start or end <= away_start:
            continue
        if start < away_start:
            yield Span(start, away_start)
        yield Span(max(start, away_start), min(end, away_end), AWAY)
        start = min(end, away_end)
    if start < end:
        yield Span(start, end)


def find_free_slots(
    spans: Iterable[Span],
    busy: Iterable[Busy],
    zone: ZoneInfo,
    *,
    minutes: int,
    step_minutes: int,
    earliest: datetime,
    latest: datetime,
    include_taken: bool = False,
) -> list[Slot]:
    """Return the slots of this length that start at or after `earliest` and before `latest`, ascending.

    They start at multiples of the step since local midnight (09:00, 09:30, ...) and lie entirely within open hours when
    the clinician is not busy. `include_taken` adds the other slots within the hours, with one reason each: `closed`
    before `away` before `booked` before `held`, so a `booked` slot is one that a cancellation would free, and a `held`
    one is free again when the client declines.
    """
    length, step = minutes * MINUTE, step_minutes * MINUTE
    spans, busy = list(spans), list(busy)
    obstacles = [
        _build_obstacle(reason, (item[:2] for item in [*spans, *busy] if item[2] == reason))
        for reason in (CLOSED, AWAY, BOOKED, HELD)
    ]
    within = merge_periods((span.start, span.end) for span in spans)
    return [
        Slot(at, at + length, _find_conflict(at, at + length, obstacles) if include_taken else None)
        for start, end in (within if include_taken else find_gaps(within, [*spans, *busy]))
        for at in _generate_starts(max(start, earliest), min(end - length + RESOLUTION, latest), step, zone)
    ]


def find_gaps(within: list[Pair], items: Iterable[Span | Busy]) -> Iterator[Pair]:
    """Yield the open and free parts of these periods, which are few when the clinician is fully booked."""
    unavailable = merge_periods(item[:2] for item in items if item[2] is not None)
    starts, ends = [start for start, _ in unavailable], [end for _, end in unavailable]
    for start, end in within:
        for piece in _split(start, end, unavailable[bisect_right(ends, start) : bisect_left(starts, end)]):
            if piece.closed_reason is None:
                yield piece.start, piece.end


def _build_obstacle(reason: Reason, pairs: Iterable[Pair]) -> Obstacle:
    merged = merge_periods(pairs)
    return reason, [start for start, _ in merged], [end for _, end in merged]


def _find_conflict(start: datetime, end: datetime, obstacles: list[Obstacle]) -> Reason | None:
    for reason, starts, ends in obstacles:
        index = bisect_right(ends, start)
        if index < len(ends) and starts[index] < end:
            return reason
    return None


def _generate_starts(start: datetime, end: datetime, step: timedelta, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the instants from `start` to before `end` at multiples of the step since local midnight."""
    while start < end:
        local = start.astimezone(zone)
        day_end = min(end, to_instant(local.date() + DAY, MIDNIGHT, zone))
        # on days with a clock change every minute is tested, on all others only multiples of the step
        is_regular = local.utcoffset() == day_end.astimezone(zone).utcoffset()
        pace = step if is_regular else MINUTE
        at = start + (-_time_since_midnight(local)) % pace
        while at < day_end:
            if is_regular or not _time_since_midnight(at.astimezone(zone)) % step:
                yield at
            at += pace
        start = day_end


def _time_since_midnight(local: datetime) -> timedelta:
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def outside_hours_problem(spans: Iterable[Span], start: datetime, end: datetime) -> str | None:
    """Return why an appointment does not fit the clinician's hours, or None. The spans include the closed ones."""
    overlapping = [span for span in spans if span.start < end and start < span.end]
    if any(span.closed_reason is None and span.start <= start and end <= span.end for span in overlapping):
        return None
    if any(span.closed_reason == CLOSED for span in overlapping):
        return "The practice is closed on that day. Choose another day."
    if any(span.closed_reason == AWAY for span in overlapping):
        return "The clinician is away at that time. Choose another time or clinician."
    return "The time is outside the clinician's hours. Choose a time within them or change the hours first."
