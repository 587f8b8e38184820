"""Local dates and times of a practice: instants, dates, pay weeks and cut-offs."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
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


class ChangedZone(ZoneInfo):
    """A time zone that was changed at some instants: before each, local dates and times stay as they were then.

    Its key is that of the zone in force now. `zones` has one more item than `changes`, whose instants are in UTC.
    """

    zones: tuple[ZoneInfo, ...]
    changes: tuple[datetime, ...]

    def fromutc(self, at: datetime) -> datetime:
        """Return the local time of an instant in the zone in force then."""
        instant = at.replace(tzinfo=UTC)
        local = instant.astimezone(self.zones[bisect_right(self.changes, instant)]).replace(tzinfo=self, fold=0)
        return local if self.resolve(local) == instant else local.replace(fold=1)

    def utcoffset(self, at: datetime | None) -> timedelta | None:
        return None if at is None else at.replace(tzinfo=UTC) - self.resolve(at)

    def resolve(self, local: datetime) -> datetime:
        """Return the instant of a local time: of two the first (with fold the last), of none the first one after."""
        spans = list(zip(self.zones, (None, *self.changes), (*self.changes, None), strict=True))
        found, skipped = [], []
        for zone, since, until in spans:
            for fold in (0, 1):
                instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
                if (since is None or since <= instant) and (until is None or instant < until):
                    is_there = instant.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(
                        tzinfo=None, fold=0
                    )
                    (found if is_there else skipped).append(instant)
        if found:
            return max(found) if local.fold else min(found)
        if skipped:  # by the clock change of one zone: the first is the later time, as for any zone
            return skipped[0]
        wall = local.replace(tzinfo=None, fold=0)
        return next(
            change
            for change, zone in zip(self.changes, self.zones[1:], strict=True)
            if change.astimezone(zone).replace(tzinfo=None) > wall
        )


def join_zones(zones: Sequence[str], changes: Sequence[datetime]) -> ZoneInfo:
    """Return one time zone from those that were in force until each change, and the one in force now."""
    if not changes:
        return ZoneInfo(zones[-1])
    zone = ChangedZone.no_cache(zones[-1])
    zone.zones = tuple(ZoneInfo(key) for key in zones)
    zone.changes = tuple(change.astimezone(UTC) for change in changes)
    return zone


def to_parameters(zone: ZoneInfo) -> dict[str, Any]:
    """Return the parameters of `LOCAL_ZONE_SQL`."""
    if isinstance(zone, ChangedZone):
        return {"zones": [part.key for part in zone.zones], "zone_changes": list(zone.changes)}
    return {"zones": [zone.key], "zone_changes": []}


# The zone in force at an instant: `{at} at time zone {zone}` is its local time.
LOCAL_ZONE_SQL = """(cast(:zones as text []))[
    1 + width_bucket({at}, cast(:zone_changes as timestamptz []))
]"""

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
