"""When a clinician is open: weekly windows, changes to single days, the practice's closures; and slots free in that.

A clinician's hours on a date are the windows in effect on it and the stretches opened for it, less the stretches
closed. What is closed stays in sight as a span with the reason, so that one look at the hours tells both what is open
and why the rest is not. Times of day are the practice's own; where its clock changes, `wall_clock` says what they
mean, and every length is the time that really passes.
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

from practice.local_time import instant

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
RESOLUTION = timedelta.resolution
MIDNIGHT = time.min

Reason = Literal["closed", "away", "booked"]
CLOSED: Reason = "closed"  # the practice is closed that day
AWAY: Reason = "away"  # the clinician closed the stretch, or is in a meeting
BOOKED: Reason = "booked"  # an appointment

Pair = tuple[datetime, datetime]
Obstacle = tuple[Reason, list[datetime], list[datetime]]  # a reason, and when it begins and ends, ascending


@dataclass(frozen=True)
class Window:
    """Open every week on a weekday, from one date to another (inclusive), for some services or all."""

    weekday: int  # 0 is Sunday
    start: time
    end: time
    effective_on: date | None = None
    ends_on: date | None = None
    services: frozenset[UUID] = frozenset()  # none named: all


@dataclass(frozen=True)
class DayChange:
    """A stretch of one date opened or closed; without times, the whole day."""

    on: date
    available: bool
    start: time | None = None
    end: time | None = None


class Span(NamedTuple):
    start: datetime
    end: datetime
    shut: Reason | None = None  # CLOSED or AWAY where these hours are not open


class Busy(NamedTuple):
    start: datetime
    end: datetime
    reason: Reason = BOOKED  # or AWAY


class Slot(NamedTuple):
    start: datetime
    end: datetime
    taken: Reason | None = None


def hours(
    windows: Iterable[Window],
    changes: Iterable[DayChange],
    closures: Collection[date],
    zone: ZoneInfo,
    first: date,
    last: date,
    service: UUID | None = None,
) -> list[Span]:
    """The clinician's hours from the first date to the last, open and shut: merged, ascending and never overlapping.

    On a day on which the practice is closed they are what they would have been, and shut.
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
        offered = [
            (instant(day, window.start, zone), instant(day, window.end, zone))
            for window in weekly[day.isoweekday() % 7]
            if (window.effective_on is None or window.effective_on <= day)
            and (window.ends_on is None or day <= window.ends_on)
        ]
        offered += [_stretch(change, zone) for change in changed[day] if change.available]
        away = _merged(_stretch(change, zone) for change in changed[day] if not change.available)
        for start, end in _merged(offered):
            spans += [Span(start, end, CLOSED)] if day in closures else _cut(start, end, away)
    return [
        Span(start, end, shut)
        for shut, group in groupby(spans, key=lambda span: span.shut)
        for start, end in _merged((span.start, span.end) for span in group)
    ]


def open_spans(
    windows: Iterable[Window],
    changes: Iterable[DayChange],
    closures: Collection[date],
    zone: ZoneInfo,
    first: date,
    last: date,
    service: UUID | None = None,
) -> list[Span]:
    """The open ones of the hours."""
    return [span for span in hours(windows, changes, closures, zone, first, last, service) if span.shut is None]


def _stretch(change: DayChange, zone: ZoneInfo) -> Pair:
    start = instant(change.on, change.start or MIDNIGHT, zone)
    return start, instant(change.on, change.end, zone) if change.end else instant(change.on + DAY, MIDNIGHT, zone)


def _merged(pairs: Iterable[Pair]) -> list[Pair]:
    """As one each where they touch or overlap; what has no length falls away."""
    merged: list[Pair] = []
    for start, end in sorted(pair for pair in pairs if pair[0] < pair[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _cut(start: datetime, end: datetime, away: list[Pair]) -> Iterator[Span]:
    """A stretch of hours in pieces, open and away."""
    for away_start, away_end in away:
        if away_end <= start or end <= away_start:
            continue
        if start < away_start:
            yield Span(start, away_start)
        yield Span(max(start, away_start), min(end, away_end), AWAY)
        start = min(end, away_end)
    if start < end:
        yield Span(start, end)


def free_slots(
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
    """Slots of this length that start from `earliest` on and before `latest`, ascending.

    They start where the clock on the wall shows a multiple of the step since midnight (09:00, 09:30, ...) and lie
    whole within hours that are open and in which the clinician is not busy. With the taken ones come those that lie
    within hours but not so, with one reason each: `closed` goes before `away` and that before `booked`, so that a
    `booked` slot is one that a cancellation would free.
    """
    length, step = minutes * MINUTE, step_minutes * MINUTE
    spans, busy = list(spans), list(busy)
    obstacles = [
        _obstacle(reason, (item[:2] for item in [*spans, *busy] if item[2] == reason))
        for reason in (CLOSED, AWAY, BOOKED)
    ]
    within = _merged((span.start, span.end) for span in spans)
    return [
        Slot(at, at + length, _taken(at, at + length, obstacles) if include_taken else None)
        for start, end in (within if include_taken else _gaps(within, [*spans, *busy]))
        for at in _grid(max(start, earliest), min(end - length + RESOLUTION, latest), step, zone)
    ]


def _gaps(within: list[Pair], items: Iterable[Span | Busy]) -> Iterator[Pair]:
    """What of these stretches is open and free. Where everybody is booked out, little is left to be looked at."""
    taken = _merged(item[:2] for item in items if item[2] is not None)
    starts, ends = [start for start, _ in taken], [end for _, end in taken]
    for start, end in within:
        for piece in _cut(start, end, taken[bisect_right(ends, start) : bisect_left(starts, end)]):
            if piece.shut is None:
                yield piece.start, piece.end


def _obstacle(reason: Reason, pairs: Iterable[Pair]) -> Obstacle:
    merged = _merged(pairs)
    return reason, [start for start, _ in merged], [end for _, end in merged]


def _taken(start: datetime, end: datetime, obstacles: list[Obstacle]) -> Reason | None:
    for reason, starts, ends in obstacles:
        place = bisect_right(ends, start)
        if place < len(ends) and starts[place] < end:
            return reason
    return None


def _grid(start: datetime, end: datetime, step: timedelta, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants from `start` to before `end` at which the clock shows a multiple of the step since midnight."""
    while start < end:
        local = start.astimezone(zone)
        upto = min(end, instant(local.date() + DAY, MIDNIGHT, zone))
        # on a day on which the clock changes every minute is looked at, on all others only those that count
        even = local.utcoffset() == upto.astimezone(zone).utcoffset()
        pace = step if even else MINUTE
        at = start + (-_since_midnight(local)) % pace
        while at < upto:
            if even or not _since_midnight(at.astimezone(zone)) % step:
                yield at
            at += pace
        start = upto


def _since_midnight(local: datetime) -> timedelta:
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def outside_hours_problem(spans: Iterable[Span], start: datetime, end: datetime) -> str | None:
    """Why an appointment cannot lie there as far as the clinician's hours go; of `hours`, so that it can say why."""
    touched = [span for span in spans if span.start < end and start < span.end]
    if any(span.shut is None and span.start <= start and end <= span.end for span in touched):
        return None
    if any(span.shut == CLOSED for span in touched):
        return "The practice is closed then; choose another day."
    if any(span.shut == AWAY for span in touched):
        return "The clinician is away then; choose another time, or book with somebody else."
    return "That lies outside the clinician's hours; choose a time within them, or change the hours first."
