"""The lake: the marts of practices as Parquet files, and a DuckDB file with views over them.

FOLDER/practice=<slug>/<mart>.parquet
FOLDER/caseload.duckdb                  views by relative paths: open it in its folder, or set `file_search_path`
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from uuid import UUID

import adbc_driver_postgresql.dbapi as adbc
import duckdb

from practice.analytics.marts import Mart, list_marts
from practice.errors import Refusal
from practice.store.store import Store
from warehouse.extraction import build_uri

CATALOG = "caseload.duckdb"
EXPANDED = {
    "compliance_checks": """
        select c.calendar_on as checked_on, s.entity_kind, s.client_id, s.staff_id, s.check_key, s.status,
            s.first_on as since_on, s.practice
        from compliance_spans as s
        join calendar as c on c.practice = s.practice and c.calendar_on >= s.first_on and c.calendar_on <= s.last_on
    """
}
"""Marts that are views over other ones in the DuckDB file and no files: millions of rows, almost all like others."""
Progress = Callable[[str], None]


class LakeFolderInUse(Refusal):
    """The folder has other contents than a lake of the same practices.

    Fix: choose a new folder.
    """

    code = "LAKE_FOLDER_IN_USE"


class LakeFile(NamedTuple):
    """A file of the lake."""

    practice: str
    mart: str
    file: str
    rows: int


def write_lake(store: Store, practices: Mapping[str, UUID], folder: Path, progress: Progress) -> list[LakeFile]:
    """Write the marts of practices, by their slugs, and return the files.

    The folder appears with everything in it or not at all, and then replaces an earlier lake of these practices. It is
    private to this account.
    """
    check_folder(folder, practices)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as aside:
        part, before = Path(aside, "lake"), Path(aside, "before")
        part.mkdir(mode=0o700)
        marts = list_marts(store)
        files = [
            file
            for slug, tenant_id in practices.items()
            for file in copy_practice(store, slug, tenant_id, marts, part, progress)
        ]
        write_catalog(part, marts)
        if folder.exists():
            folder.rename(before)
        try:
            part.rename(folder)
        except BaseException:
            if before.exists():
                before.rename(folder)
            raise
    return files


def check_folder(folder: Path, practices: Mapping[str, UUID]) -> None:
    """Raise LakeFolderInUse unless the folder is new, empty, or a lake of no other practices."""
    if not folder.exists():
        return
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else {folder.name}
    foreign = names - {CATALOG, *(f"practice={slug}" for slug in practices)}
    others = sorted(name.removeprefix("practice=") for name in foreign if name.startswith("practice="))
    if names and CATALOG in names and len(others) == len(foreign) > 0:
        raise LakeFolderInUse(
            f"The lake in {folder} also has other practices ({', '.join(others)}). Choose another folder, or write all "
            "practices with --all."
        )
    if foreign or (names and CATALOG not in names):
        raise LakeFolderInUse(f"{folder} already exists and is not a lake. Choose a new folder.")


def copy_practice(
    store: Store, slug: str, tenant_id: UUID, marts: list[Mart], folder: Path, progress: Progress
) -> Iterator[LakeFile]:
    """Write the marts of a practice, all from one snapshot of the database.

    Connects as the runtime role in the practice, so that row-level security holds here too.
    """
    target = folder / f"practice={slug}"
    target.mkdir()
    uri = build_uri(store.build_connection_parameters("app"))
    with adbc.connect(uri) as connection, connection.cursor() as cursor, duckdb.connect() as writer:
        cursor.execute("set transaction isolation level repeatable read read only")
        cursor.execute(f"select enter_practice('{tenant_id}')")
        for mart in marts:
            if mart.name in EXPANDED:
                continue
            progress(f"Writing {mart.name.replace('_', ' ')} of {slug}")
            cursor.execute(f"select {', '.join(map(read_column, mart.columns))} from marts.{mart.name}")
            rows = cursor.fetch_arrow()  # noqa: F841 - DuckDB reads it by its name
            file = target / f"{mart.name}.parquet"
            copied = writer.execute(f"copy (from rows) to {quote(str(file))} (format parquet, compression zstd)")
            [count] = copied.fetchone() or [0]
            yield LakeFile(slug, mart.name, str(file.relative_to(folder)), count)


def read_column(column: tuple[str, str, str]) -> str:
    """Return the expression of a column. Exact numbers would arrive as text."""
    name, kind, _ = column
    return f"{name}::float8 as {name}" if kind.startswith("numeric") else name


def write_catalog(folder: Path, marts: list[Mart]) -> None:
    """Write the DuckDB file with a view for each mart, and the dictionary as comments."""
    with duckdb.connect(folder / CATALOG) as catalog:
        catalog.execute(f"set file_search_path = {quote(str(folder))}")  # of this connection only
        for mart in sorted(marts, key=lambda mart: mart.name in EXPANDED):
            files = f"'practice=*/{mart.name}.parquet', hive_partitioning = true, hive_types_autocast = false"
            rows = EXPANDED.get(mart.name, f"select * from read_parquet({files})")
            catalog.execute(f"create view {mart.name} as {rows}")
            catalog.execute(f"comment on view {mart.name} is {quote(mart.description)}")
            for column in mart.columns:
                catalog.execute(f"comment on column {mart.name}.{column.name} is {quote(column.description)}")


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
