"""Bringing a practice's file up to date: with the changed records, and with what they and the clock touch."""

import duckdb

from warehouse.builds import Scope, compute, fetch_settings, write_scope
from warehouse.extraction import COLUMNS, COPIED_WHOLE, Progress, Snapshot, apply_changes, fetch_changes, select_changed
from warehouse.files import CELLS
from warehouse.increments import Increment
from warehouse.touched import WHOLE_KINDS, WHOLE_TABLES
from warehouse.touched_cells import replace_cells
from warehouse.windows import list_windows

MAX_SHARE = 0.5
"""Of the clients: if more are touched, computing everything costs less."""

KINDS = ", ".join(f"'{kind}'" for kind in WHOLE_KINDS)
TABLES = ", ".join(f"'{table}'" for table in WHOLE_TABLES)
JUST = "> c.since and {0} <= c.until"
CONCERNS_EVERYTHING = f"""
    select
        exists (from scratch.changes where table_name in ({TABLES}))
        or exists (from scratch.changed.record_versions where record_kind in ({KINDS}))
        or exists (
            from records.record_versions, scratch.clock as c
            where record_kind in ({KINDS}) and known_at {JUST.format("known_at")}
        )
        or exists (from records.rule_settings, scratch.clock as c where set_at {JUST.format("set_at")})
        or exists (from records.time_zone_changes, scratch.clock as c where changed_at {JUST.format("changed_at")})
        or (select since > until from scratch.clock)
        or (from records.practices select time_zone) <> (from scratch.incoming.practices select time_zone)
"""


def continue_build(snapshot: Snapshot, connection: duckdb.DuckDBPyConnection, scope: Scope, progress: Progress) -> bool:
    """Bring the records and the warehouse of a file up to date.

    Return whether `scratch.new_cells` has all values that can differ from those before: else all were computed.
    """
    connection.execute("attach ':memory:' as scratch")
    for name in ("incoming", "changed", "known"):
        connection.execute(f"create schema scratch.{name}")
    whole = fetch_changes(snapshot, connection, progress)
    create_views_of_changes(connection, whole)
    increments = [Increment(connection, schema, number) for number, schema in enumerate(list_schemas(connection))]
    write_scope(connection, scope)
    is_continued = prepare(connection, increments, whole, progress)
    apply_changes(connection, whole)
    if is_continued:
        is_continued = are_windows_same(connection, scope, increments)
    for increment in increments:
        is_continued = is_continued and increment.replace_calendar()
        if is_continued:
            progress("Computing the facts that changed")
            increment.replace_facts()
            progress("Computing their sums")
            increment.replace_sums()
            progress("Computing their values")
            replace_cells(increment)
    if is_continued:
        cells = (f"select {CELLS} from {increment.own}.cells.metric_cells" for increment in increments)
        connection.execute(f"create table scratch.new_cells as {' union all '.join(cells)}")
    else:
        for increment in increments:
            connection.execute(f"detach {increment.own}")
        compute(connection, scope, progress)
    return is_continued


def prepare(
    connection: duckdb.DuckDBPyConnection, increments: list[Increment], whole: dict[str, bool], progress: Progress
) -> bool:
    """Find what changes and the clock touch, and keep its facts. Return false if that is too much."""
    for increment in increments:
        increment.create("stg_practices")
    connection.execute(f"""
        create table scratch.clock as
        select
            b.as_of as since, p.as_of as until, b.today as former_today, p.today,
            b.last_day as former_last_day, p.last_day
        from {increments[0].own}.before.stg_practices as b, {increments[0].schema}.stg_practices as p
    """)
    concerns_everything = connection.execute(CONCERNS_EVERYTHING).fetchall()[0][0]
    if concerns_everything or any(is_whole for table, is_whole in whole.items() if table != COPIED_WHOLE):
        return False
    progress("Finding what changed and what is due")
    for increment in increments:
        increment.find_touched()
        if increment.ask(
            f"(from own.touched.client select count(*)) > {MAX_SHARE} * (from records.clients select count(*))"
        ):
            return False
        increment.keep_facts()
    return True


def are_windows_same(connection: duckdb.DuckDBPyConnection, scope: Scope, increments: list[Increment]) -> bool:
    """Return whether the windows in force are those of the schemas."""
    (first_on,) = connection.execute("select min(on_date) from analytics.days").fetchall()[0]
    windows = list_windows(fetch_settings(connection), scope.as_of)
    in_force = [(w.from_on, w.until_on, *w.days) for w in windows if w is windows[0] or w.until_on > first_on]
    columns = "from_on, until_on, * exclude (tenant_id, from_on, until_on)"
    return in_force == [
        row
        for increment in increments
        for row in increment.execute(f"select {columns} from {{schema}}.windows").fetchall()
    ]


def create_views_of_changes(connection: duckdb.DuckDBPyConnection, whole: dict[str, bool]) -> None:
    """Create for each table the changed rows, as they were and as they are, and all rows before and after them."""
    (file,) = connection.execute("select current_database()").fetchall()[0]
    for table in COLUMNS:
        changed, known = f"select * from records.{table} limit 0", f"select * from {file}.records.{table}"
        if table in whole:
            changed = (
                f"select * from records.{table} where {select_changed(table)} union all from scratch.incoming.{table}"
            )
            known += f" union all select * from scratch.incoming.{table}"
        connection.execute(f"create table scratch.changed.{table} as {changed}")
        connection.execute(f"create view scratch.known.{table} as {known}")


def list_schemas(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the schemas of the build: the latest windows first."""
    query = """
        select schema_name from information_schema.schemata
        where catalog_name = current_database() and schema_name like 'analytics%'
        order by length(schema_name), schema_name
    """
    return [schema for (schema,) in connection.execute(query).fetchall()]
