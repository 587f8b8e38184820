"""The export of a practice as a bundle: one file per table, each by one query, all from one database snapshot.

Voided records without a column for it are left out, unless an exported record refers to them.
"""

import re
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from psycopg import IsolationLevel, sql

from ingest.bundle import column_mapping
from ingest.bundle.format import TABLES, Table
from ingest.bundle.kinds import is_free_text
from ingest.bundle.queries import build_export_query
from practice.csv_cells import FORMULA, escape_formula
from practice.errors import Refusal
from practice.security.encryption import FieldCipher
from practice.security.installation import Installation
from practice.security.work import Actor

NEEDS_QUOTES = re.compile('[",\r\n]')


class FolderInUse(Refusal):
    """The export folder is not empty.

    Fix: choose a new folder.
    """

    code = "FOLDER_IN_USE"


def export_practice(
    installation: Installation, tenant_id: UUID, folder: Path, now: datetime, report: Callable[[str], None]
) -> dict[str, int]:
    """Write the bundle into the folder and return the number of rows of each file.

    The folder appears with all files in it, or not at all.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderInUse(f"{folder} already exists and is not empty. Choose a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with installation.work(Actor(tenant_id), now) as work:
        work.record("practice.exported", "practice", tenant_id)
    # mkdtemp makes it private: the bundle holds the whole record
    partial_folder = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with installation.store.connect("app") as connection:
            connection.rollback()
            connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
            cipher = installation.keys.get_cipher(tenant_id)
            counts = write_files(connection, cipher, tenant_id, partial_folder, now, report)
        partial_folder.rename(folder)
    except BaseException:
        shutil.rmtree(partial_folder, ignore_errors=True)
        raise
    return counts


def write_files(
    connection: psycopg.Connection,
    cipher: FieldCipher,
    tenant_id: UUID,
    folder: Path,
    now: datetime,
    report: Callable[[str], None],
) -> dict[str, int]:
    """Write all files of the bundle and return the number of rows of each."""
    counts = {}
    with connection.cursor() as cursor:
        cursor.execute("select enter_practice(%s)", (tenant_id,))
        cursor.execute("set local statement_timeout = 0")  # a large practice takes its time
        time_zone = cursor.execute("select time_zone from practices where id = %s", (tenant_id,)).fetchone()
        assert time_zone is not None  # noqa: S101 - the caller has looked up the practice
        parameters = {"tenant_id": tenant_id, "today": now.astimezone(ZoneInfo(time_zone[0])).date()}
        for table in TABLES.values():
            report(f"Writing {table.file}")
            with (folder / table.file).open("wb") as file:
                file.write(",".join(column.name for column in table.columns).encode() + b"\n")
                write_rows(cursor, cipher, table, parameters, file)
            counts[table.file] = cursor.rowcount
    return counts


def write_rows(
    cursor: psycopg.Cursor, cipher: FieldCipher, table: Table, parameters: dict[str, Any], file: BinaryIO
) -> None:
    """Write the rows of one table as CSV, with sealed columns decrypted."""
    names = [column.name for column in table.columns]
    sealed_names = {column for name, column in column_mapping.SEALED if name == table.name}
    cells = [
        guard_formula(column.name)
        if is_free_text(column) and column.name not in sealed_names
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
