"""The practice's time zone and its current local date."""

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from practice.people.models.practices import Practice
from practice.security.work import Work


def zone_of(work: Work) -> ZoneInfo:
    """Return the practice's time zone."""
    return ZoneInfo(work.db.scalar(select(Practice.time_zone).where(Practice.id == work.tenant_id)) or "UTC")


def local_today(work: Work) -> date:
    """Return today's date in the practice's time zone."""
    return work.now.astimezone(zone_of(work)).date()
