"""Results of refreshes that are kept, each with its rows, to be compared with rebuilds and with one another."""

import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from practice.analytics.errors import NoSuchValue
from practice.analytics.values import Selection, ValueKey
from practice.metric_dictionary import METRICS
from practice.security.installation import Installation
from warehouse.builds import DuckDBBuild, read_values
from warehouse.refresh import compute_aside, find_current_refresh, open_published, refresh_practice
from warehouse.rows import Row, read_rows

PERIOD_KINDS = ("day", "week", "month", "quarter")
VIEWS = "select schema_name, view_name from duckdb_views() where not internal order by view_name = 'cells' desc"
FINISHED = "select period_kind, period_start, last_on from {schema}.periods where not is_running"

Value = tuple[Fraction, Fraction | None, Any, str]
Period = tuple[str, date]


class OpenBuild(DuckDBBuild):
    """A build that is read over one connection, since opening a file for each of many queries takes time."""

    def __init__(self, build: DuckDBBuild, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(build.file)
        self.connection = connection

    @contextmanager
    def connect(self) -> Generator[duckdb.DuckDBPyConnection]:
        yield self.connection


@dataclass(frozen=True)
class KeptResult:
    """The file of a refresh, as it was published."""

    tenant_id: UUID
    as_of: datetime
    file: Path

    @contextmanager
    def open(self) -> Generator["OpenResult"]:
        build = DuckDBBuild(self.file)
        with build.connect() as connection:
            yield OpenResult(self.tenant_id, self.as_of, OpenBuild(build, connection))


@dataclass(frozen=True)
class OpenResult:
    """The values of a build, and the rows behind each."""

    tenant_id: UUID
    as_of: datetime
    build: OpenBuild

    def read_values(self) -> dict[ValueKey, Value]:
        """Return every value of all entities and period kinds."""
        return {
            value.value_key: (value.numerator, value.denominator, value.value, value.status)
            for kind in PERIOD_KINDS
            for value in read_values(self.build, Selection(None, kind))
        }

    def list_finished(self) -> dict[Period, date]:
        """Return the last day of each period that had ended by the build's instant."""
        found = self.build.fetch(FINISHED.format(schema=self.build.schema), [])
        return {(kind, start): last_on for kind, start, last_on in found}

    def read_rows(self, key: ValueKey) -> dict[tuple[str, UUID, UUID | None, date | None], Row]:
        """Return the rows behind a value by kind, id, clinician and day; none if the value does not exist."""
        try:
            rows = read_rows(self.build, self.tenant_id, key).rows
        except NoSuchValue:
            return {}
        return {(row.kind, row.id, row.clinician_id, row.on_date): row for row in rows}


def keep_result(installation: Installation, root: Path, tenant_id: UUID, as_of: datetime) -> KeptResult:
    """Refresh the practice as of now, and keep the file behind the published values."""
    refresh_practice(installation.store, root, tenant_id, as_of, "duckdb", lambda _: None)
    refresh_id = find_current_refresh(installation.store, tenant_id)
    assert refresh_id is not None
    kept = root / f"kept_{as_of:%Y%m%dT%H%M%S%f}.duckdb"
    shutil.copy(open_published(root, tenant_id, refresh_id).file, kept)
    materialize_views(kept)
    return KeptResult(tenant_id, as_of, kept)


def materialize_views(file: Path) -> None:
    """Put a table in the place of each view that the rows behind values are read from: there are many to read."""
    names = {"cells", *(metric.fact or metric.key for metric in METRICS.values())}
    with duckdb.connect(file) as connection:
        connection.execute("set TimeZone = 'UTC'")
        views = connection.execute(VIEWS).fetchall()
        for schema, name in views:
            if name in names:
                connection.execute(f"create table {schema}.materialized as select * from {schema}.{name}")
                connection.execute(f"drop view {schema}.{name}")
                connection.execute(f"alter table {schema}.materialized rename to {name}")


def list_moved(installation: Installation, root: Path, kept: KeptResult) -> tuple[int, list[tuple[ValueKey, Any, Any]]]:
    """Rebuild as of a kept result's instant; return how many values there are, and those that are not as they were."""
    with kept.open() as result:
        before = result.read_values()
    scope = (installation.store, root, kept.tenant_id, kept.as_of, None, "duckdb", lambda _: None)
    with compute_aside(*scope) as build:
        assert isinstance(build, DuckDBBuild)
        with build.connect() as connection:
            after = OpenResult(kept.tenant_id, kept.as_of, OpenBuild(build, connection)).read_values()
    return len(before), list(list_differences(before, after))


def list_differences(
    before: dict[ValueKey, Value], after: dict[ValueKey, Value]
) -> Iterator[tuple[ValueKey, Any, Any]]:
    """Yield each value that differs, or that only one of the results has."""
    for key in before.keys() | after.keys():
        if before.get(key) != after.get(key):
            yield key, before.get(key), after.get(key)
