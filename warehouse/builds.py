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

from practice.analytics.values import Cell, Selection
from practice.metric_dictionary import METRICS
from practice.store.store import Store
from warehouse.dbt_build import run_models
from warehouse.extraction import copy_records

Progress = Callable[[str], None]
CELL_COLUMNS = (
    "entity_kind, entity_id, external_id, period_kind, period_start, receivable_days, "
    "numerators, denominators, value_hundredths, statuses"
)


@dataclass(frozen=True)
class Scope:
    """The practice of a build, the instant as of which it is computed, and the day from which on it has periods."""

    tenant_id: UUID
    as_of: datetime
    first_on: date | None = None


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

    def let_read(self, store: Store) -> None:
        """Let the service read the values, to publish them."""
        reader = sql.Identifier(str(store.build_connection_parameters("app")["user"]))
        schema = sql.Identifier(self.schema)
        self.connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, reader))
        cells = sql.Identifier(self.schema, "metric_cells")
        self.connection.execute(sql.SQL("grant select on {} to {}").format(cells, reader))

    def read_cells(self, selection: Selection) -> list[Cell]:
        """Return the cells of a selection, by period and entity."""
        query = sql.SQL(
            f"select {CELL_COLUMNS} from {{}} where "
            + FILTER.format("%s", "%s::date", "%s::date", "%s::text")
            + f" {ORDER}"
        ).format(sql.Identifier(self.schema, "metric_cells"))
        return [Cell(*row) for row in self.connection.execute(query, list_parameters(selection)).fetchall()]


FILTER = (
    "period_kind = {0} and period_start >= coalesce({1}, date '0001-01-01') "
    "and period_start <= coalesce({2}, date '9999-01-01') and entity_kind = coalesce({3}, entity_kind)"
)
ORDER = "order by period_start, entity_kind, external_id"


def list_parameters(selection: Selection) -> list[Any]:
    return [selection.period_kind, selection.first, selection.last, selection.entity_kind]


def list_keys() -> list[str]:
    """Return the keys of the metrics, in the order in which cells hold them."""
    return list(METRICS)


def build_duckdb(store: Store, scope: Scope, folder: Path, cache: Path, file: Path, progress: Progress) -> DuckDBBuild:
    """Copy the practice's records into a new file, and build its warehouse there."""
    copy_records(store.build_connection_parameters("app"), scope.tenant_id, scope.as_of, scope.first_on, file, progress)
    progress("Computing the metrics")
    run_models("duckdb", folder, cache, {"CASELOAD_WAREHOUSE_FILE": str(file)})
    return DuckDBBuild(file)


@contextmanager
def build_postgres(
    store: Store, scope: Scope, folder: Path, cache: Path, schema: str, progress: Progress
) -> Generator[PostgresBuild]:
    """Build the practice's warehouse inside the database, in a schema that exists until the end of the block."""
    parameters = store.build_connection_parameters("warehouse")
    with store.connect("warehouse") as connection:
        connection.autocommit = True
        drop_schema(connection, schema)
        try:
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
            connection.execute(
                sql.SQL(
                    "create table {} as select %s::uuid as tenant_id, %s::timestamptz as as_of, %s::date as first_on"
                ).format(sql.Identifier(schema, "scope")),
                (scope.tenant_id, scope.as_of, scope.first_on),
            )
            progress("Computing the metrics in the database")
            run_models(
                "postgres",
                folder,
                cache,
                {
                    "CASELOAD_WAREHOUSE_HOST": str(parameters["host"]),
                    "CASELOAD_WAREHOUSE_PORT": str(parameters["port"]),
                    "CASELOAD_WAREHOUSE_USER": str(parameters["user"]),
                    "CASELOAD_WAREHOUSE_PASSWORD": str(parameters["password"]),
                    "CASELOAD_WAREHOUSE_DATABASE": str(parameters["dbname"]),
                    "CASELOAD_WAREHOUSE_SCHEMA": schema,
                    "PGOPTIONS": "-c timezone=UTC -c work_mem=256MB -c jit=off",
                },
            )
            yield PostgresBuild(connection, schema)
        finally:
            drop_schema(connection, schema)


def drop_schema(connection: psycopg.Connection[Any], schema: str) -> None:
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
