"""The practice's time zone, its current local date, and the instants that bound its local dates."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from practice.errors import FieldProblem, Invalid
from practice.local_time import DAY, start_of_day
from practice.people.models.practices import Practice
from practice.security.work import Work


def zone_of(work: Work) -> ZoneInfo:
    """Return the practice's time zone."""
    return ZoneInfo(work.db.scalar(select(Practice.time_zone).where(Practice.id == work.tenant_id)) or "UTC")


def local_today(work: Work) -> date:
    """Return today's date in the practice's time zone."""
    return work.now.astimezone(zone_of(work)).date()


def span_of_days(
    work: Work, first: date | None, last: date | None, since: datetime | None = None, until: datetime | None = None
) -> tuple[datetime | None, datetime | None]:
    """Return the start and the end of the local dates, both inclusive, narrowed to the instants, or raise Invalid."""
    if first is None and last is None:
        return since, until
    if first is not None and last is not None and last < first:
        raise Invalid([FieldProblem("to", "The dates are reversed. Choose a `to` on or after `from`.")])
    zone = zone_of(work)
    starts = [start_of_day(first, zone)] if first else []
    ends = [start_of_day(last + DAY, zone)] if last else []
    return (
        max([*starts, *([since] if since else [])], default=None),
        min([*ends, *([until] if until else [])], default=None),
    )
