"""The publication of a build: its values replace those of the refresh before, in one transaction."""

from collections.abc import Sequence
from datetime import datetime

import adbc_driver_postgresql.dbapi as adbc
from psycopg import sql

from practice.metric_dictionary import METRICS
from practice.store.ids import new_id
from practice.store.store import Store
from warehouse.builds import Build, DuckDBBuild, PostgresBuild, Scope
from warehouse.extraction import build_uri

COLUMNS = (
    "entity_kind, entity_id, period_kind, period_start, period_end, receivable_days, "
    "numerators, denominators, value_hundredths, statuses"
)
REPLACE_CELLS = """
    analyze new_cells;
    delete from analytics.metric_cells as c
    where c.tenant_id = '{tenant_id}' and not exists (
        select from new_cells as n
        where n.entity_kind = c.entity_kind and n.entity_id = c.entity_id
            and n.period_kind = c.period_kind and n.period_start = c.period_start
    );
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
        );
    update analytics.refreshes set is_current = false where tenant_id = '{tenant_id}' and is_current;
    insert into analytics.refreshes (
        tenant_id, id, as_of, engine, started_at, published_at, is_current, row_count,
        metric_keys, numerator_scales, denominator_scales, divided_by_days, audit_seq
    )
    select
        '{tenant_id}', '{id}', '{as_of}', '{engine}', '{started_at}', clock_timestamp(), true,
        (select count(*) from new_cells), {keys}, {numerator_scales}, {denominator_scales}, {divided_by_days},
        {audit_seq};
    delete from analytics.refreshes
    where tenant_id = '{tenant_id}' and not is_current and published_at < clock_timestamp() - interval '30 days'
"""


def publish(store: Store, build: Build, scope: Scope, engine: str, started_at: datetime) -> None:
    """Replace the practice's published values by those of the build. Readers see either all of them or none."""
    statements = [f"select enter_practice('{scope.tenant_id}')", *format_statements(scope, engine, started_at)]
    if isinstance(build, DuckDBBuild):
        publish_from_file(store, build, statements)
    else:
        publish_from_schema(store, build, statements)


def publish_from_file(store: Store, build: DuckDBBuild, statements: Sequence[str]) -> None:
    """Send the cells of a DuckDB file to the database, and run the statements there."""
    enter, *replace = statements
    uri = build_uri(store.build_connection_parameters("app"))
    with adbc.connect(uri) as connection, connection.cursor() as cursor, build.connect() as source:
        cursor.execute(enter)
        columns = COLUMNS.replace("entity_id", "cast(entity_id as varchar) as entity_id")
        cells = source.sql(f"select {columns} from analytics.cells")
        cursor.adbc_ingest("cells", cells, mode="create", temporary=True)
        columns = COLUMNS.replace("entity_id", "entity_id::uuid as entity_id")
        cursor.execute(f"create temporary table new_cells as select {columns} from cells")
        for statement in replace:
            cursor.execute(statement)
        connection.commit()


def publish_from_schema(store: Store, build: PostgresBuild, statements: Sequence[str]) -> None:
    """Copy the cells from the schema of a build, which the service itself cannot read, and run the statements."""
    enter, *replace = statements
    cells = sql.Identifier(build.schema, "cells")
    unload = sql.SQL("copy (select {} from {}) to stdout (format binary)").format(sql.SQL(COLUMNS), cells)
    with store.connect("app") as connection:
        connection.execute(enter.encode())
        connection.execute("create temporary table new_cells (like analytics.metric_cells) on commit drop")
        connection.execute("alter table new_cells drop column tenant_id")
        load = sql.SQL("copy new_cells ({}) from stdin (format binary)").format(sql.SQL(COLUMNS))
        with build.connection.cursor().copy(unload) as source, connection.cursor().copy(load) as target:
            for block in source:
                target.write(block)
        for statement in replace:
            connection.execute(statement.encode())
        connection.commit()


def format_statements(scope: Scope, engine: str, started_at: datetime) -> list[str]:
    """Return the statements that replace the cells by those of the temporary table `new_cells`."""
    metrics = METRICS.values()
    statements = REPLACE_CELLS.format(
        columns=COLUMNS,
        tenant_id=scope.tenant_id,
        id=new_id(),
        as_of=scope.as_of.isoformat(),
        engine=engine,
        started_at=started_at.isoformat(),
        audit_seq=scope.audit_seq,
        keys=to_array([f"'{metric.key}'" for metric in metrics], "text"),
        numerator_scales=to_array([str(metric.numerator_scale) for metric in metrics], "bigint"),
        denominator_scales=to_array([str(metric.denominator_scale) for metric in metrics], "bigint"),
        divided_by_days=to_array([str(metric.divisor is not None).lower() for metric in metrics], "boolean"),
    )
    return statements.split(";")


def to_array(items: Sequence[str], type_name: str) -> str:
    return f"array[{', '.join(items)}]::{type_name}[]"
