"""A bundle in the making: its span, its random choices, and the instants and dates at which something changes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from ingest.bundle.format import TABLES
from tests.support.oracles.metrics.calendar import DAY, Calendar, find_period, list_periods
from tests.support.oracles.metrics.records import Setting, Tables

TICK = timedelta.resolution
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Span:
    """The time zone, the seed, and the days on which the practice has visits."""

    time_zone: str
    first: date
    last: date
    seed: int = 1


@dataclass(frozen=True)
class EdgePractice:
    """A practice's bundle, its changed settings, and the instants at which to look."""

    span: Span
    tables: Tables
    settings: list[Setting]
    instants: dict[str, datetime]
    imported_at: datetime


def format_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    return "|".join(value) if isinstance(value, list) else str(value)


def format_cents(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"


def format_minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class Draft:
    """The rows so far, and helpers that choose values near the edges."""

    def __init__(self, span: Span) -> None:
        self.span, self.calendar = span, Calendar(span.time_zone)
        self.rng = Random(f"{span.time_zone} {span.first} {span.seed}")  # noqa: S311 - the same for the same seed
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.days = [span.first + DAY * number for number in range((span.last - span.first).days + 1)]
        self.change_days = [day for day in self.days if self.measure_day(day) != 24 * HOUR]
        self.instants = self.choose_instants()
        self.edges = [self.calendar.start_of(day) for day in self.list_edge_dates()] + list(self.instants.values())

    def measure_day(self, day: date) -> timedelta:
        return self.calendar.start_of(day + DAY) - self.calendar.start_of(day)

    def list_edge_dates(self) -> list[date]:
        """Return the dates on which periods begin. Longer periods come several times, to be chosen more often."""
        return [
            period.start
            for kind, weight in (("week", 1), ("month", 3), ("quarter", 4))
            for period in list_periods(kind, self.span.first, self.span.last)
            for _ in range(weight)
        ]

    def choose_instants(self) -> dict[str, datetime]:
        """Return the instants to look at: a midnight, one in a repeated hour, two around a signature, and another."""
        middle = self.days[len(self.days) * 5 // 8]
        month = find_period("month", self.days[-15]).start
        signed_on = self.days[len(self.days) * 3 // 4]
        signed_at = self.calendar.at_minute(signed_on, 16 * 60 + 20) + timedelta(seconds=30, microseconds=123456)
        long_days = [day for day in self.change_days if self.measure_day(day) > 24 * HOUR]
        repeated = self.find_repeated_hour(long_days[0]) if long_days else self.calendar.at_minute(middle, 95)
        return {
            "midnight": self.calendar.start_of(month),
            "repeated hour": repeated,
            "before signature": signed_at - TICK,
            "signature": signed_at,
            "ordinary": self.calendar.at_minute(self.days[-9], 14 * 60 + 5) + timedelta(seconds=17),
        }

    def find_repeated_hour(self, day: date) -> datetime:
        """Return an instant whose local time comes for the second time."""
        at = self.calendar.start_of(day)
        while at.astimezone(self.calendar.zone).fold == 0:
            at += timedelta(minutes=10)
        return at + timedelta(minutes=7)

    def add(self, table: str, **values: Any) -> None:
        self.rows[table].append(values)

    def number(self, table: str, prefix: str) -> str:
        """Return the next id of a table. As texts, ids are not in the order of their numbers."""
        return f"{prefix}{len(self.rows[table]) + 1}"

    def flip(self, probability: float) -> bool:
        return self.rng.random() < probability

    def choose(self, *choices: Any) -> Any:
        return self.rng.choice(choices)

    def choose_edge(self) -> datetime:
        """Return an instant at which something changes, or the one before or after."""
        return self.rng.choice(self.edges) + self.choose(-TICK, 0 * TICK, 0 * TICK, 0 * TICK, TICK)

    def choose_edge_date(self) -> date:
        """Return the last date of a period or the first of the next, or a date next to them."""
        return self.calendar.date_of(self.rng.choice(self.edges)) + DAY * self.choose(-2, -1, -1, 0, 0, 1)

    def choose_time(self, first: date, last: date, minutes: Sequence[int] = range(7 * 60, 20 * 60, 5)) -> datetime:
        """Return an instant between two dates."""
        day = first + DAY * self.rng.randint(0, max(0, (last - first).days))
        return self.calendar.at_minute(day, self.rng.choice(minutes))

    def choose_after(self, at: datetime, *delays: timedelta) -> datetime:
        """Return an instant some time after another: mostly one of the delays, now and then at an edge."""
        later = [edge for edge in self.edges if at < edge < at + 40 * DAY]
        if later and self.flip(0.15):
            return self.rng.choice(later) + self.choose(0 * TICK, 0 * TICK, TICK)
        return at + self.rng.choice(delays)

    def to_tables(self) -> Tables:
        """Return the rows as texts, with all columns of each table."""
        return {
            name: [
                {column.name: format_cell(row.get(column.name)) for column in table.columns}
                for row in self.rows.get(name, [])
            ]
            for name, table in TABLES.items()
        }
