"""Refreshes of the warehouse: which practices need one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from practice.people.practices import list_active_practice_ids
from practice.store.store import Store

REFRESH_AFTER = timedelta(hours=1)  # the clock alone moves values: a note becomes late, a session begins

STALE = text("""
    select
        exists (select from analytics.changes where tenant_id = :tenant_id)
        or not exists (
            select from analytics.refreshes where tenant_id = :tenant_id and is_current and as_of >= :oldest
        )
""")


def list_active_practices(store: Store) -> Sequence[UUID]:
    """Return the practices that are not suspended, by their short name."""
    with store.begin_system_session() as db:
        return list_active_practice_ids(db)


def list_stale_practices(store: Store, now: datetime) -> list[UUID]:
    """Return the active practices with changes since their last refresh, or whose last refresh is an hour old."""
    stale = []
    for tenant_id in list_active_practices(store):
        with store.begin_session(tenant_id) as db:
            if db.scalar(STALE, {"tenant_id": tenant_id, "oldest": now - REFRESH_AFTER}):
                stale.append(tenant_id)
    return stale
