"""The export of a practice as a bundle: one file per table, each by one query, all from one database snapshot.

Voided records without a column for it are left out, unless an exported record refers to them.
"""

import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from psycopg import IsolationLevel, sql

from ingest.bundle import column_mapping
from ingest.bundle.format import TABLES, Table
from ingest.bundle.progress import ignore_count, ignore_message
from ingest.bundle.queries import build_count_query, build_export_query
from practice.csv_cells import FORMULA, escape_formula
from practice.errors import Refusal
from practice.security.encryption import FieldCipher
from practice.security.installation import Installation
from practice.security.work import Actor

OpenFile = Callable[[str], AbstractContextManager[IO[bytes]]]
REPORTED_ROWS = 10_000  # rows between two reports of progress
NEEDS_QUOTES = re.compile('[",\r\n]')


class FolderInUse(Refusal):
    """The export folder is not empty.

    Fix: choose a new folder.
    """

    code = "FOLDER_IN_USE"


def export_practice(
    installation: Installation,
    tenant_id: UUID,
    folder: Path,
    now: datetime,
    report: Callable[[str], None],
    count: Callable[[int, int], None] = ignore_count,
) -> dict[str, int]:
    """Write the bundle into the folder and return the number of rows of each file.

    The folder appears with all files in it, or not at all.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderInUse(f"{folder} already exists and is not empty. Choose a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # mkdtemp makes it private: the bundle holds the whole record
    partial_folder = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        counts = export_tables(
            installation, tenant_id, lambda name: (partial_folder / name).open("wb"), now, report, count
        )
        partial_folder.rename(folder)
    except BaseException:
        shutil.rmtree(partial_folder, ignore_errors=True)
        raise
    return counts


def export_tables(
    installation: Installation,
    tenant_id: UUID,
    open_file: OpenFile,
    now: datetime,
    report: Callable[[str], None] = ignore_message,
    count: Callable[[int, int], None] = ignore_count,
) -> dict[str, int]:
    """Write all files of the bundle, from one snapshot, and return the number of rows of each.

    `count` is called with the rows written so far and the rows in all.
    """
    with installation.work(Actor(tenant_id), now) as work:
        work.record("practice.exported", "practice", tenant_id)
    with installation.store.connect("app") as connection:
        connection.rollback()
        connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
        cipher = installation.keys.get_cipher(tenant_id)
        with connection.cursor() as cursor:
            parameters = enter_practice(cursor, tenant_id, now)
            progress = RowCounter(count_rows(cursor, parameters), count)
            for table in TABLES.values():
                report(f"Writing {table.file}: {progress.done:,} of {progress.total:,} rows")
                with open_file(table.file) as file:
                    file.write(",".join(column.name for column in table.columns).encode() + b"\n")
                    write_rows(cursor, cipher, table, parameters, file, progress)
                progress.end_file(table.file, cursor.rowcount)
    return progress.counts


class RowCounter:
    """The rows written so far, of how many. It tells `count` now and then, and at the end of each file."""

    def __init__(self, total: int, count: Callable[[int, int], None]) -> None:
        self.total, self._count = total, count
        self.counts: dict[str, int] = {}
        self._in_file = 0
        self._count(0, total)

    @property
    def done(self) -> int:
        return sum(self.counts.values()) + self._in_file

    def add_row(self) -> None:
        self._in_file += 1
        if self._in_file % REPORTED_ROWS == 0:
            self._count(min(self.done, self.total), self.total)

    def end_file(self, file: str, rows: int) -> None:
        self.counts[file], self._in_file = rows, 0
        self._count(self.done, self.total)


def enter_practice(cursor: psycopg.Cursor, tenant_id: UUID, now: datetime) -> dict[str, Any]:
    """Set the practice of the transaction, and return the parameters of its export queries."""
    cursor.execute("select enter_practice(%s)", (tenant_id,))
    cursor.execute("set local statement_timeout = 0")  # a large practice takes its time
    time_zone = cursor.execute("select time_zone from practices where id = %s", (tenant_id,)).fetchone()
    assert time_zone is not None  # noqa: S101 - the caller has looked up the practice
    return {"tenant_id": tenant_id, "today": now.astimezone(ZoneInfo(time_zone[0])).date()}


def count_rows(cursor: psycopg.Cursor, parameters: dict[str, Any]) -> int:
    """Return the number of rows of all files together."""
    queries = sql.SQL(" + ").join(sql.SQL("({})").format(build_count_query(table)) for table in TABLES.values())
    row = cursor.execute(sql.SQL("select {}").format(queries), parameters).fetchone()
    assert row is not None  # noqa: S101 - a query without a table has one row
    return row[0]


def write_rows(
    cursor: psycopg.Cursor,
    cipher: FieldCipher,
    table: Table,
    parameters: dict[str, Any],
    file: IO[bytes],
    progress: RowCounter,
) -> None:
    """Write the rows of one table as CSV, with sealed columns decrypted."""
    names = [column.name for column in table.columns]
    sealed_names = {column for name, column in column_mapping.SEALED if name == table.name}
    cells = [
        guard_formula(column.name)
        if column.is_free_text and column.name not in sealed_names
        else sql.Identifier(column.name)
        for column in table.columns
    ]
    query = sql.SQL("copy (select {} from ({}) as rows) to stdout").format(
        sql.SQL(", ").join([sql.Identifier("row_id"), *cells] if sealed_names else cells), build_export_query(table)
    )
    if not sealed_names:
        with cursor.copy(query + sql.SQL(" (format csv)"), parameters) as copy:
            for data in copy:
                file.write(data)
                progress.add_row()
        return
    database_table = column_mapping.get_table_name(table)
    with cursor.copy(query, parameters) as copy:
        copy.set_types(["uuid", *("bytea" if name in sealed_names else "text" for name in names)])
        for row_id, *values in copy.rows():
            texts = [
                escape_formula(cipher.open(database_table, name, row_id, value))
                if name in sealed_names and value is not None
                else value
                for name, value in zip(names, values, strict=True)
            ]
            file.write((",".join(map(quote, texts)) + "\n").encode())
            progress.add_row()


def guard_formula(name: str) -> sql.Composed:
    """Return the SQL expression for the column as text that no spreadsheet program evaluates as a formula."""
    return sql.SQL("case when {0} ~ {1} then chr(39) || {0} else {0} end").format(
        sql.Identifier(name), sql.Literal(f"^{FORMULA}")
    )


def quote(text: str | None) -> str:
    """Return a text as PostgreSQL writes it to CSV.

    The csv module does not quote a lone carriage return, and no reader accepts that.
    """
    if text is None:
        return ""
    return '"' + text.replace('"', '""') + '"' if NEEDS_QUOTES.search(text) else text
