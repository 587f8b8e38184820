"""Checks of the published values, practice by practice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from practice.metric_dictionary import METRICS
from practice.store.store import Store

OUTDATED_AFTER = timedelta(hours=2)

UNKNOWN_ENTITIES = text("""
    select count(distinct c.entity_id)
    from analytics.metric_cells as c
    left join staff as s on s.tenant_id = c.tenant_id and s.id = c.entity_id
    where c.tenant_id = :tenant_id and s.id is null
        and (c.entity_kind <> 'practice' or c.entity_id <> c.tenant_id)
""")
VALUES_OF_LAST_MONTH = text("""
    select r.metric_keys, c.statuses
    from analytics.refreshes as r
    inner join analytics.metric_cells as c on c.tenant_id = r.tenant_id
    where r.tenant_id = :tenant_id and r.is_current and c.entity_kind = 'practice' and c.period_kind = 'month'
    order by c.period_start desc
    limit 1
""")
LAST_REFRESH = text("select as_of, row_count from analytics.refreshes where tenant_id = :tenant_id and is_current")


@dataclass(frozen=True)
class PublishedValues:
    """What is wrong with the published values of a practice."""

    practice_id: UUID
    outdated: bool
    unknown_entities: int
    missing_metrics: list[str]


def check_published_values(store: Store, practice_ids: Iterable[UUID], now: datetime) -> list[PublishedValues]:
    """Return what is wrong with the values of each practice.

    The values of an entity and a period are unique by the primary key of their table.
    """
    return [check_practice(store, practice_id, now) for practice_id in practice_ids]


def check_practice(store: Store, practice_id: UUID, now: datetime) -> PublishedValues:
    values = {"tenant_id": practice_id}
    with store.begin_session(practice_id) as db:
        refresh = db.execute(LAST_REFRESH, values).one_or_none()
        month = db.execute(VALUES_OF_LAST_MONTH, values).one_or_none()
        unknown = db.scalar(UNKNOWN_ENTITIES, values) or 0
    statuses = dict(zip(month.metric_keys, month.statuses, strict=True)) if month else {}
    missing = [
        key for key, metric in METRICS.items() if metric.entities != "clinician" and statuses.get(key, "-") == "-"
    ]
    outdated = refresh is None or refresh.as_of <= now - OUTDATED_AFTER
    # a practice without records has no periods yet
    return PublishedValues(practice_id, outdated, unknown, missing if refresh and refresh.row_count else [])


def count_rows(store: Store, practice_id: UUID) -> int:
    """Return the number of rows that the practice's last refresh published."""
    with store.begin_session(practice_id) as db:
        refresh = db.execute(LAST_REFRESH, {"tenant_id": practice_id}).one_or_none()
    return refresh.row_count if refresh else 0
