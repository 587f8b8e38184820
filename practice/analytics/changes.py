"""The practices whose published values are out of date."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from practice.people.models.practices import Practice
from practice.store.store import Store

REFRESH_AFTER = timedelta(hours=1)  # also where nothing changed: days, deadlines and ages pass
READING = (
    *("read", "listed", "searched", "previewed", "printed", "downloaded"),
    *("history_read", "review_read", "replayed", "denied"),
)
"""Verbs of audit actions that change no record. Any other one, a new one too, counts as a change."""

IS_STALE = text("""
    select r.as_of <= :before or exists (
        select from audit_log as a
        where a.tenant_id = :tenant_id and a.seq > r.audit_seq and split_part(a.action, '.', 2) <> all(:reading)
    )
    from analytics.refreshes as r
    where r.tenant_id = :tenant_id and r.is_current
""")


def list_active_practices(store: Store) -> Sequence[UUID]:
    """Return the practices that are not suspended, by their short name."""
    with store.begin_system_session() as db:
        return db.scalars(select(Practice.id).where(Practice.status == "ACTIVE").order_by(Practice.slug)).all()


def list_stale_practices(store: Store, now: datetime) -> list[UUID]:
    """Return the practices that changed after their last refresh had read them, or whose refresh is an hour old.

    Every transaction that changes records adds audit entries, whose numbers have no gaps and grow in the order of the
    commits, since the head of the chain is locked until then. A refresh stores the last number before it reads: so no
    commit can fall between the two. What bypasses the services is found by the hour.
    """
    return [practice_id for practice_id in list_active_practices(store) if is_stale(store, practice_id, now)]


def is_stale(store: Store, practice_id: UUID, now: datetime) -> bool:
    """Return whether the practice has changed since its last refresh, or never had one."""
    values = {"tenant_id": practice_id, "before": now - REFRESH_AFTER, "reading": list(READING)}
    with store.begin_session(practice_id) as db:
        return db.scalar(IS_STALE, values) is not False


def read_audit_position(store: Store, practice_id: UUID) -> int:
    """Return the number of the practice's last audit entry."""
    query = text("select seq from audit_heads where tenant_id = :tenant_id")
    with store.begin_session(practice_id) as db:
        return db.scalar(query, {"tenant_id": practice_id}) or 0
