"""A practice becomes a bundle: a file per table, each by one query, all of them of one moment.

What was voided and has no column to say so stays out, unless what goes out refers to it.
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
from ingest.bundle.queries import query_of
from practice.errors import Refusal
from practice.security.encryption import FieldCipher
from practice.security.installation import Installation
from practice.security.work import Actor

QUOTED = re.compile('[",\r\n]')


class FolderInUse(Refusal):
    code = "FOLDER_IN_USE"


def export_practice(
    installation: Installation, tenant_id: UUID, folder: Path, now: datetime, say: Callable[[str], None]
) -> dict[str, int]:
    """Write the bundle into the folder, there whole in the end or not at all. Returns the rows of each file."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderInUse(f"{folder} is there already and not empty. Name a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with installation.work(Actor(tenant_id), now) as work:
        work.record("practice.exported", "practice", tenant_id)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))  # private: everything is in it
    try:
        with installation.store.connect("app") as connection:
            connection.rollback()
            connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
            counts = write_files(connection, installation.keys.cipher(tenant_id), tenant_id, part, now, say)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return counts


def write_files(
    connection: psycopg.Connection,
    cipher: FieldCipher,
    tenant_id: UUID,
    folder: Path,
    now: datetime,
    say: Callable[[str], None],
) -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        cursor.execute("select enter_practice(%s)", (tenant_id,))
        cursor.execute("set local statement_timeout = 0")  # a large practice takes its time
        zone = cursor.execute("select time_zone from practices where id = %s", (tenant_id,)).fetchone()
        assert zone is not None  # noqa: S101 - the practice was found before
        given = {"tenant_id": tenant_id, "today": now.astimezone(ZoneInfo(zone[0])).date()}
        for table in TABLES.values():
            say(f"Writing {table.file}")
            with (folder / table.file).open("wb") as file:
                file.write(",".join(column.name for column in table.columns).encode() + b"\n")
                write_file(cursor, cipher, table, given, file)
            counts[table.file] = cursor.rowcount
    return counts


def write_file(
    cursor: psycopg.Cursor, cipher: FieldCipher, table: Table, given: dict[str, Any], file: BinaryIO
) -> None:
    names = [column.name for column in table.columns]
    sealed = {column for name, column in column_mapping.SEALED if name == table.name}
    wanted = ["row_id", *names] if sealed else names
    query = sql.SQL("copy (select {} from ({}) as rows) to stdout").format(
        sql.SQL(", ").join(map(sql.Identifier, wanted)), query_of(table)
    )
    if not sealed:
        with cursor.copy(query + sql.SQL(" (format csv)"), given) as copy:
            for data in copy:
                file.write(data)
        return
    stored = column_mapping.table_of(table)
    with cursor.copy(query, given) as copy:
        copy.set_types(["uuid", *("bytea" if name in sealed else "text" for name in names)])
        for row_id, *values in copy.rows():
            texts = [
                cipher.open(stored, name, row_id, value) if name in sealed and value is not None else value
                for name, value in zip(names, values, strict=True)
            ]
            file.write((",".join(map(quoted, texts)) + "\n").encode())


def quoted(text: str | None) -> str:
    """As PostgreSQL writes it: the standard library leaves a lone carriage return bare, which nobody reads back."""
    if text is None:
        return ""
    return '"' + text.replace('"', '""') + '"' if QUOTED.search(text) else text
