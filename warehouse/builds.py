"""Builds of one practice's warehouse as of an instant, by DuckDB in a file or by PostgreSQL in a schema."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import psycopg
from psycopg import sql

from practice.analytics.values import Cell, MetricValue, Selection, decode_cells
from practice.metric_dictionary import METRICS
from practice.store.store import Store
from warehouse.extraction import Progress, copy_records, open_snapshot
from warehouse.statements import load_statements
from warehouse.windows import FIRST_DAY, LAST_DAY, SETTINGS_SQL, list_windows

MEMORY_LIMIT = "1GB"
CELLS = """
    select
        entity_kind, entity_id, external_id, period_kind, period_start, receivable_days,
        numerators, denominators, value_hundredths, statuses
    from {schema}.cells
    where period_kind = $1 and period_start >= cast($2 as date) and period_start <= cast($3 as date)
        and entity_kind = coalesce(cast($4 as text), entity_kind) and entity_id = coalesce(cast($5 as uuid), entity_id)
    order by period_start, entity_kind, external_id
"""


@dataclass(frozen=True)
class Scope:
    """The practice of a build, the instant as of which it is computed, and the day from which on it has periods."""

    tenant_id: UUID
    as_of: datetime
    first_on: date | None = None


class DuckDBBuild:
    """A finished build in a DuckDB file."""

    schema = "analytics"

    def __init__(self, file: Path) -> None:
        self.file = file

    @contextmanager
    def connect(self) -> Generator[duckdb.DuckDBPyConnection]:
        with open_file(self.file, read_only=True) as connection:
            yield connection

    def fetch(self, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query whose parameters are `$1` and so on."""
        with self.connect() as connection:
            return connection.execute(query, parameters).fetchall()


class PostgresBuild:
    """A finished build in a schema of the database, dropped when it is no longer used."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str) -> None:
        self.connection = connection
        self.schema = schema

    def fetch(self, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query whose parameters are `$1` and so on."""
        with psycopg.RawCursor(self.connection) as cursor:
            return cursor.execute(query.encode(), parameters).fetchall()


Build = DuckDBBuild | PostgresBuild
# A build holds the lock of its schema for as long as it lives.
LOCK_SCHEMA = "select pg_advisory_lock(hashtextextended(%s, 0))"
TRY_LOCK_SCHEMA = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
UNLOCK_SCHEMA = "select pg_advisory_unlock(hashtextextended(%s, 0))"


def read_values(build: Build, selection: Selection) -> list[MetricValue]:
    """Return the values of a selection, by period, entity and metric."""
    first, last = selection.first or FIRST_DAY, selection.last or LAST_DAY
    parameters = [selection.period_kind, first, last, selection.entity_kind, selection.entity_id]
    cells = (Cell(*row) for row in build.fetch(CELLS.format(schema=build.schema), parameters))
    return list(decode_cells(cells, list(METRICS), selection.metric_keys))


@contextmanager
def open_file(file: Path, *, read_only: bool = False) -> Generator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a DuckDB file, whose memory is limited: what does not fit goes to a folder beside it."""
    with duckdb.connect(file, read_only=read_only, config={"memory_limit": MEMORY_LIMIT}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        if not read_only:
            file.chmod(0o600)  # it holds birth dates
        yield connection


def build_duckdb(store: Store, scope: Scope, file: Path, progress: Progress) -> DuckDBBuild:
    """Copy the practice's records into a new file, and compute its warehouse there."""
    with open_file(file) as connection:
        with open_snapshot(store, scope.tenant_id) as snapshot:
            copy_records(snapshot, connection, progress)
        compute(connection, scope, progress)
    return DuckDBBuild(file)


def compute(connection: duckdb.DuckDBPyConnection, scope: Scope, progress: Progress) -> None:
    """Compute the warehouse from the records of a file, in place of an earlier one."""
    found = connection.execute(
        "select schema_name from information_schema.schemata where schema_name like 'analytics%'"
    )
    for (schema,) in found.fetchall():
        connection.execute(f"drop schema {schema} cascade")
    write_scope(connection, scope)
    changes = fetch_settings(connection)

    def create(statement: str) -> None:
        connection.execute(statement)

    def find_first_day(schema: str) -> date:
        return connection.execute(f"select min(on_date) from {schema}.days").fetchall()[0][0]

    compute_models("duckdb", DuckDBBuild.schema, scope, changes, create, find_first_day, progress)


def write_scope(connection: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    """Write what is computed into the records of a file."""
    connection.execute(
        "create or replace table records.scope as "
        "select cast(? as uuid) as tenant_id, cast(? as timestamptz) as as_of, cast(? as date) as first_on",
        [scope.tenant_id, scope.as_of, scope.first_on],
    )


def fetch_settings(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, date, int]]:
    """Return every change of a setting in the records of a file."""
    settings = SETTINGS_SQL.format(source="records.rule_settings, records.scope", value="value")
    return connection.execute(settings).fetchall()


@contextmanager
def build_postgres(store: Store, scope: Scope, schema: str, progress: Progress) -> Generator[PostgresBuild]:
    """Compute the practice's warehouse inside the database, in schemas that exist until the end of the block."""
    with store.connect("warehouse") as connection:
        connection.autocommit = True
        # the tables' statistics do not know a practice that was just imported: the planner expects a row or none of it,
        # and nested loops over what is not there would take hours
        connection.execute("set work_mem = '256MB'; set jit = off; set enable_nestloop = off")
        connection.execute("set client_connection_check_interval = '5s'")  # end with the process that waits for it
        drop_abandoned_schemas(connection)
        created: list[str] = []

        def create(statement: str) -> None:
            kind, name = statement.split(maxsplit=3)[1:3]
            if kind == "schema":
                connection.execute(LOCK_SCHEMA, [name])
                drop_schema(connection, name)
                created.append(name)
            connection.execute(statement.encode())
            if kind == "table":  # without statistics the planner joins badly
                connection.execute(f"analyze {name}".encode())
            if name.endswith("_states"):  # each cell looks up the state of its last day
                connection.execute(f"create index on {name} (tenant_id, entity_kind, entity_id, from_on)".encode())

        def find_first_day(name: str) -> date:
            return connection.execute(f"select min(on_date) from {name}.days".encode()).fetchall()[0][0]

        try:
            first_on = "null" if scope.first_on is None else f"'{scope.first_on.isoformat()}'"
            create(f"create schema {schema}")
            create(
                f"create table {schema}.scope as select '{scope.tenant_id}'::uuid as tenant_id, "
                f"'{scope.as_of.isoformat()}'::timestamptz as as_of, {first_on}::date as first_on"
            )
            settings = SETTINGS_SQL.format(source=f"rule_settings, {schema}.scope", value="value #>> '{}'")
            changes = connection.execute(settings.encode()).fetchall()
            compute_models("postgres", schema, scope, changes, create, find_first_day, progress)
            yield PostgresBuild(connection, schema)
        finally:
            for name in created:
                drop_schema(connection, name)


def compute_models(
    engine: str,
    schema: str,
    scope: Scope,
    changes: Iterable[tuple[str, date, int]],
    create: Callable[[str], None],
    find_first_day: Callable[[str], date],
    progress: Progress,
) -> None:
    """Compute all models in the schema and, for periods before a change of windows, in others numbered from it.

    The view `cells` of the schema has the cells of all of them.
    """
    statements = load_statements(engine)
    schemas: list[str] = []
    for windows in list_windows(changes, scope.as_of):  # the latest first, which finds the first day of the calendar
        if schemas and windows.until_on <= find_first_day(schema):
            break
        name = f"{schema}_{len(schemas)}" if schemas else schema
        if schemas or engine == "duckdb":
            create(f"create schema {name}")
        if schemas and engine == "postgres":
            create(f"create view {name}.scope as select * from {schema}.scope")
        create(
            f"create table {name}.windows as "
            f"select cast('{scope.tenant_id}' as uuid) as tenant_id, {windows.format_columns()}"
        )
        for number, (kind, model, query) in enumerate(statements, 1):
            progress(f"Computing {number} of {len(statements)}{' in the database' if engine == 'postgres' else ''}")
            create(f"create {kind} {name}.{model} as {query}".replace("{schema}", name))
        schemas.append(name)
    cells = " union all ".join(f"select *, '{name}' as computed_in from {name}.metric_cells" for name in schemas)
    create(f"create view {schema}.cells as {cells}")


def drop_abandoned_schemas(connection: psycopg.Connection[Any]) -> None:
    """Drop the schemas of builds whose process has ended before it could do so."""
    query = "select nspname from pg_namespace where nspname like 'warehouse\\_%'"
    for (schema,) in connection.execute(query).fetchall():
        row = connection.execute(TRY_LOCK_SCHEMA, [schema]).fetchone()
        if row and row[0]:
            drop_schema(connection, schema)
            connection.execute(UNLOCK_SCHEMA, [schema])


def drop_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
