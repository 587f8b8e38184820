"""The publication of a build: its values replace those of the refresh before, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import duckdb
import psycopg
from psycopg import sql

from practice.metric_dictionary import METRICS
from practice.store.ids import new_id
from warehouse.builds import PostgresBuild
from warehouse.extraction import Snapshot

COLUMNS = (
    "entity_kind, entity_id, period_kind, period_start, period_end, receivable_days, "
    "numerators, denominators, value_hundredths, statuses"
)
CELL_OF_KEY = (
    "{0}.entity_kind = c.entity_kind and {0}.entity_id = c.entity_id and {0}.period_kind = c.period_kind "
    "and {0}.period_start = c.period_start"
)
DELETE_OTHERS = f"""
    delete from analytics.metric_cells as c
    where c.tenant_id = '{{tenant_id}}' and not exists (select from new_cells as n where {CELL_OF_KEY.format("n")})
"""
DELETE_REMOVED = f"""
    delete from analytics.metric_cells as c using removed_cells as r
    where c.tenant_id = '{{tenant_id}}' and {CELL_OF_KEY.format("r")}
"""
WRITE_CELLS = """
    insert into analytics.metric_cells as c (tenant_id, {columns})
    select '{tenant_id}', {columns} from new_cells
    on conflict (tenant_id, entity_kind, entity_id, period_kind, period_start) do update
    set period_end = excluded.period_end, receivable_days = excluded.receivable_days,
        numerators = excluded.numerators, denominators = excluded.denominators,
        value_hundredths = excluded.value_hundredths, statuses = excluded.statuses
    where (c.period_end, c.receivable_days, c.numerators, c.denominators, c.value_hundredths, c.statuses)
        is distinct from (
            excluded.period_end, excluded.receivable_days, excluded.numerators, excluded.denominators,
            excluded.value_hundredths, excluded.statuses
        )
"""
# The transaction sees the queue as it was when the refresh read the records: what was queued since stays.
FINISH = """
    update analytics.refreshes set is_current = false where tenant_id = '{tenant_id}' and is_current;
    insert into analytics.refreshes (
        tenant_id, id, as_of, engine, started_at, published_at, is_current, row_count,
        metric_keys, numerator_scales, denominator_scales, divided_by_days
    )
    select
        '{tenant_id}', '{id}', '{as_of}', '{engine}', '{started_at}', clock_timestamp(), true,
        {row_count}, {keys}, {numerator_scales}, {denominator_scales}, {divided_by_days};
    delete from analytics.refreshes
    where tenant_id = '{tenant_id}' and not is_current and published_at < clock_timestamp() - interval '30 days';
    delete from analytics.changes where tenant_id = '{tenant_id}'
"""


@dataclass(frozen=True)
class Publication:
    """What a refresh publishes about itself."""

    tenant_id: UUID
    as_of: datetime
    engine: str
    started_at: datetime
    id: UUID = field(default_factory=new_id)


def publish_file(
    snapshot: Snapshot, source: duckdb.DuckDBPyConnection, publication: Publication, *, continued: bool
) -> None:
    """Write the cells of a practice's file, of one that is continued only those that differ from the published ones.

    Readers see them when the snapshot's transaction is committed.
    """
    cursor, typed = snapshot.cursor, COLUMNS.replace("entity_id", "entity_id::uuid as entity_id")
    cells = source.sql(f"select * from published.{'changed_cells' if continued else 'cells'}")
    cursor.adbc_ingest("cells", cells, mode="create", temporary=True)
    cursor.execute(f"create temporary table new_cells as select {typed} from cells")
    if continued:
        cursor.adbc_ingest(
            "removed", source.sql("select * from published.removed_cells"), mode="create", temporary=True
        )
        cursor.execute(
            "create temporary table removed_cells as "
            "select entity_kind, entity_id::uuid as entity_id, period_kind, period_start from removed"
        )
    counted = source.execute("select count(*) from published.cells").fetchone()
    row_count = counted[0] if counted else 0
    for statement in format_statements(publication, DELETE_REMOVED if continued else DELETE_OTHERS, str(row_count)):
        cursor.execute(statement)


def publish_schema(connection: psycopg.Connection[Any], build: PostgresBuild, publication: Publication) -> None:
    """Copy the cells from the schema of a build, which the service itself cannot read, and write them."""
    cells = sql.Identifier(build.schema, "cells")
    unload = sql.SQL("copy (select {} from {}) to stdout (format binary)").format(sql.SQL(COLUMNS), cells)
    connection.execute("create temporary table new_cells (like analytics.metric_cells) on commit drop")
    connection.execute("alter table new_cells drop column tenant_id")
    load = sql.SQL("copy new_cells ({}) from stdin (format binary)").format(sql.SQL(COLUMNS))
    with build.connection.cursor().copy(unload) as source, connection.cursor().copy(load) as target:
        for block in source:
            target.write(block)
    for statement in format_statements(publication, DELETE_OTHERS, "(select count(*) from new_cells)"):
        connection.execute(statement.encode())


def format_statements(publication: Publication, delete: str, row_count: str) -> list[str]:
    """Return the statements that write the temporary table `new_cells` and make the refresh the current one."""
    metrics = METRICS.values()
    statements = ";".join(("analyze new_cells", delete, WRITE_CELLS, FINISH)).format(
        columns=COLUMNS,
        tenant_id=publication.tenant_id,
        id=publication.id,
        as_of=publication.as_of.isoformat(),
        engine=publication.engine,
        started_at=publication.started_at.isoformat(),
        row_count=row_count,
        keys=to_array([f"'{metric.key}'" for metric in metrics], "text"),
        numerator_scales=to_array([str(metric.numerator_scale) for metric in metrics], "bigint"),
        denominator_scales=to_array([str(metric.denominator_scale) for metric in metrics], "bigint"),
        divided_by_days=to_array([str(metric.divisor is not None).lower() for metric in metrics], "boolean"),
    )
    return statements.split(";")


def to_array(items: Sequence[str], type_name: str) -> str:
    return f"array[{', '.join(items)}]::{type_name}[]"
