"""The practice's time zone, its current local date, and the instants that bound its local dates."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text

from practice.errors import FieldProblem, Invalid
from practice.local_time import DAY, join_zones, start_of_day
from practice.security.work import Work

ZONES_SQL = text("""
    select p.time_zone, c.zones, c.changes
    from practices as p
    cross join lateral (
        select
            array_agg(z.old_zone order by z.changed_at) as zones,
            array_agg(z.changed_at order by z.changed_at) as changes
        from time_zone_changes as z where z.tenant_id = :tenant_id
    ) as c
    where p.id = :tenant_id
""")


def zone_of(work: Work) -> ZoneInfo:
    """Return the practice's time zone, in which every instant has the local date that it had at the time.

    A change of the zone applies from then on: weeks, deadlines and dates of before stay as they were.
    """
    practice = work.db.execute(ZONES_SQL, {"tenant_id": work.tenant_id}).one_or_none()
    if practice is None:
        return ZoneInfo("UTC")
    return join_zones([*(practice.zones or ()), practice.time_zone], practice.changes or ())


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
