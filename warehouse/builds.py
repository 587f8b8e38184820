"""Builds of one practice's warehouse as of an instant, by DuckDB in a file or by PostgreSQL in a schema."""

from collections.abc import Callable, Generator
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
from warehouse.extraction import copy_records
from warehouse.statements import load_statements

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
            query = (
                f"select {CELL_COLUMNS} from analytics.metric_cells where {FILTER.format('?', '?', '?', '?')} {ORDER}"
            )
            return [Cell(*row) for row in connection.execute(query, list_parameters(selection)).fetchall()]


class PostgresBuild:
    """A finished build in a schema of the database, dropped when it is no longer used."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str) -> None:
        self.connection = connection
        self.schema = schema

    def read_cells(self, selection: Selection) -> list[Cell]:
        """Return the cells of a selection, by period and entity."""
        query = sql.SQL(
            f"select {CELL_COLUMNS} from {{}} where "
            + FILTER.format("%s", "%s::date", "%s::date", "%s::text")
            + f" {ORDER}"
        ).format(sql.Identifier(self.schema, "metric_cells"))
        return [Cell(*row) for row in self.connection.execute(query, list_parameters(selection)).fetchall()]


# A build holds the lock of its schema for as long as it lives.
LOCK_SCHEMA = "select pg_advisory_lock(hashtextextended(%s, 0))"
TRY_LOCK_SCHEMA = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
UNLOCK_SCHEMA = "select pg_advisory_unlock(hashtextextended(%s, 0))"
FILTER = (
    "period_kind = {0} and period_start >= coalesce({1}, date '0001-01-01') "
    "and period_start <= coalesce({2}, date '9999-01-01') and entity_kind = coalesce({3}, entity_kind)"
)
ORDER = "order by period_start, entity_kind, external_id"


def list_parameters(selection: Selection) -> list[Any]:
    return [selection.period_kind, selection.first, selection.last, selection.entity_kind]


def read_values(build: DuckDBBuild | PostgresBuild, selection: Selection) -> list[MetricValue]:
    """Return the values of a selection, by period, entity and metric."""
    return list(decode_cells(build.read_cells(selection), list(METRICS), selection.metric_key))


def build_duckdb(store: Store, scope: Scope, file: Path, progress: Progress) -> DuckDBBuild:
    """Copy the practice's records into a new file, and compute its warehouse there."""
    parameters = store.build_connection_parameters("app")
    copy_records(parameters, scope.tenant_id, scope.as_of, scope.first_on, file, progress)
    with duckdb.connect(file) as connection:
        connection.execute("set TimeZone = 'UTC'; create schema analytics")
        for number, (kind, name, query) in enumerate(statements := load_statements("duckdb"), 1):
            progress(f"Computing {number} of {len(statements)}")
            connection.execute(f"create {kind} analytics.{name} as {query}")
    return DuckDBBuild(file)


@contextmanager
def build_postgres(store: Store, scope: Scope, schema: str, progress: Progress) -> Generator[PostgresBuild]:
    """Compute the practice's warehouse inside the database, in a schema that exists until the end of the block."""
    with store.connect("warehouse") as connection:
        connection.autocommit = True
        connection.execute("set work_mem = '256MB'; set jit = off")
        drop_abandoned_schemas(connection)
        connection.execute(LOCK_SCHEMA, [schema])
        drop_schema(connection, schema)
        try:
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
            connection.execute(
                sql.SQL(
                    "create table {} as select %s::uuid as tenant_id, %s::timestamptz as as_of, %s::date as first_on"
                ).format(sql.Identifier(schema, "scope")),
                (scope.tenant_id, scope.as_of, scope.first_on),
            )
            for number, (kind, name, query) in enumerate(statements := load_statements("postgres"), 1):
                progress(f"Computing {number} of {len(statements)} in the database")
                statement = f"create {kind} {{schema}}.{name} as {query}".replace("{schema}", f'"{schema}"')
                connection.execute(statement.encode())
                if kind == "table":  # without statistics the planner joins badly
                    connection.execute(sql.SQL("analyze {}").format(sql.Identifier(schema, name)))
            yield PostgresBuild(connection, schema)
        finally:
            drop_schema(connection, schema)


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
