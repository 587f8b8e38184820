"""Refreshes of the warehouse: which practices need one."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from practice.people.models.practices import Practice
from practice.store.store import Store

MAX_AGE = timedelta(hours=1)  # the clock alone moves values: a note becomes late, a session begins

STALE = text("""
    select
        exists (select from analytics.changes where tenant_id = :tenant_id)
        or not exists (
            select from analytics.refreshes where tenant_id = :tenant_id and is_current and as_of >= :oldest
        )
""")


def list_stale_practices(store: Store, now: datetime) -> list[UUID]:
    """Return the active practices with changes since their last refresh, or whose last refresh is an hour old."""
    with store.begin_system_session() as db:
        practice_ids = db.scalars(select(Practice.id).where(Practice.status == "ACTIVE").order_by(Practice.slug)).all()
    stale = []
    for tenant_id in practice_ids:
        with store.begin_session(tenant_id) as db:
            if db.scalar(STALE, {"tenant_id": tenant_id, "oldest": now - MAX_AGE}):
                stale.append(tenant_id)
    return stale
