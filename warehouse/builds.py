"""Builds of one practice's warehouse as of an instant, by DuckDB in a file or by PostgreSQL in a schema."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import psycopg
from psycopg import sql

from practice.analytics.values import Cell, MetricValue, Selection, decode_cells
from practice.metric_dictionary import METRICS
from practice.store.store import Store
from warehouse.extraction import copy_records
from warehouse.statements import load_statements
from warehouse.windows import SETTINGS_SQL, list_windows

Progress = Callable[[str], None]
CELL_COLUMNS = (
    "entity_kind, entity_id, external_id, period_kind, period_start, receivable_days, "
    "numerators, denominators, value_hundredths, statuses"
)


@dataclass(frozen=True)
class Scope:
    """The practice of a build, the instant as of which it is computed, and the day from which on it has periods.

    `audit_seq` is an audit entry that was the last one before the records were read.
    """

    tenant_id: UUID
    as_of: datetime
    first_on: date | None = None
    audit_seq: int = 0


class DuckDBBuild:
    """A finished build in a DuckDB file."""

    schema = "analytics"

    def __init__(self, file: Path) -> None:
        self.file = file

    @contextmanager
    def connect(self) -> Generator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(self.file, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection

    def read_cells(self, selection: Selection) -> list[Cell]:
        """Return the cells of a selection, by period and entity."""
        with self.connect() as connection:
            condition = FILTER.format("?", "?", "?", "?", "?")
            query = f"select {CELL_COLUMNS} from analytics.cells where {condition} {ORDER}"
            return [Cell(*row) for row in connection.execute(query, list_parameters(selection)).fetchall()]

    def fetch(self, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query whose parameters are `$1` and so on."""
        with self.connect() as connection:
            return connection.execute(query, parameters).fetchall()


class PostgresBuild:
    """A finished build in a schema of the database, dropped when it is no longer used."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str) -> None:
        self.connection = connection
        self.schema = schema

    def read_cells(self, selection: Selection) -> list[Cell]:
        """Return the cells of a selection, by period and entity."""
        query = sql.SQL(
            f"select {CELL_COLUMNS} from {{}} where "
            + FILTER.format("%s", "%s::date", "%s::date", "%s::text", "%s::uuid")
            + f" {ORDER}"
        ).format(sql.Identifier(self.schema, "cells"))
        return [Cell(*row) for row in self.connection.execute(query, list_parameters(selection)).fetchall()]

    def fetch(self, query: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a query whose parameters are `$1` and so on."""
        with psycopg.RawCursor(self.connection) as cursor:
            return cursor.execute(query.encode(), parameters).fetchall()


Build = DuckDBBuild | PostgresBuild
# A build holds the lock of its schema for as long as it lives.
LOCK_SCHEMA = "select pg_advisory_lock(hashtextextended(%s, 0))"
TRY_LOCK_SCHEMA = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
UNLOCK_SCHEMA = "select pg_advisory_unlock(hashtextextended(%s, 0))"
FILTER = (
    "period_kind = {0} and period_start >= coalesce({1}, date '0001-01-01') "
    "and period_start <= coalesce({2}, date '9999-01-01') and entity_kind = coalesce({3}, entity_kind) "
    "and entity_id = coalesce({4}, entity_id)"
)
ORDER = "order by period_start, entity_kind, external_id"


def list_parameters(selection: Selection) -> list[Any]:
    return [selection.period_kind, selection.first, selection.last, selection.entity_kind, selection.entity_id]


def read_values(build: Build, selection: Selection) -> list[MetricValue]:
    """Return the values of a selection, by period, entity and metric."""
    return list(decode_cells(build.read_cells(selection), list(METRICS), selection.metric_keys))


def build_duckdb(store: Store, scope: Scope, file: Path, progress: Progress) -> DuckDBBuild:
    """Copy the practice's records into a new file, and compute its warehouse there."""
    parameters = store.build_connection_parameters("app")
    copy_records(parameters, scope.tenant_id, scope.as_of, scope.first_on, file, progress)
    with duckdb.connect(file) as connection:
        connection.execute("set TimeZone = 'UTC'")
        settings = SETTINGS_SQL.format(source="records.rule_settings, records.scope", value="value")
        changes = connection.execute(settings).fetchall()

        def create(statement: str) -> None:
            connection.execute(statement)

        def find_first_day(schema: str) -> date:
            return connection.execute(f"select min(on_date) from {schema}.days").fetchall()[0][0]

        compute_models("duckdb", DuckDBBuild.schema, scope, changes, create, find_first_day, progress)
    return DuckDBBuild(file)


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
    tomorrow = scope.as_of.date() + timedelta(days=2)  # in every time zone
    in_force = [windows for windows in list_windows(changes) if windows.from_on < tomorrow]
    schemas: list[str] = []
    for windows in reversed(in_force):  # the latest first, which finds the first day of the calendar
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
