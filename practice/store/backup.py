"""Backup of the whole database and the audit anchors into one sealed file, and its restore."""

import json
import os
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import make_conninfo
from sqlalchemy import text

from practice.errors import StoreProblem
from practice.store.embedded_account import find_package_binaries
from practice.store.migrate import find_newest_revision, read_revision
from practice.store.private_files import write_private
from practice.store.sealed_file import read_header, read_sealed, write_sealed
from practice.store.store import Store

FORMAT = 1
LENGTH = struct.Struct(">Q")
PIECE_BYTES = 1 << 20
Progress = Callable[[str], None]


def backup(
    store: Store, file: Path, key: bytes, key_id: str, anchors: Path, now: datetime, progress: Progress
) -> dict[str, Any]:
    """Write a consistent backup to a new file and return its header. The file gets its name only when complete."""
    refuse_existing(file)
    with store.open_owner_connection() as connection:
        revision = read_revision(connection)
        sees_all = connection.scalar(text("select rolsuper or rolbypassrls from pg_roles where rolname = session_user"))
    if not sees_all:
        raise StoreProblem(
            "The login in DATABASE_OWNER_URL cannot bypass row-level security, so a backup would be empty. "
            "Give it BYPASSRLS, or use the administrator's login for backups."
        )
    header = {
        "format": FORMAT,
        "made_at": now.astimezone(UTC).isoformat(),
        "schema": revision,
        "key_id": key_id,
    }
    part: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # unique per run
        part = Path(name)
        with os.fdopen(descriptor, "wb") as out:
            progress("Writing the backup")
            write_sealed(out, key, header, stream_contents(store, anchors))
            out.flush()
            os.fsync(out.fileno())
        part.rename(file)
    except OSError as error:
        raise StoreProblem(
            f"The backup cannot be written to {file} ({error.strerror}). Choose another location."
        ) from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return header | {"file": str(file), "bytes": file.stat().st_size}


def refuse_existing(file: Path) -> None:
    """Raise StoreProblem if there is a file of this name."""
    if file.exists():
        raise StoreProblem(f"{file} already exists, and a backup is never overwritten. Choose another file name.")


def stream_contents(store: Store, anchors: Path) -> Iterator[bytes]:
    """Yield the anchors, then the database. Read first, the anchors are never newer than the database."""
    anchor_files = json.dumps({path.name: path.read_text() for path in sorted(anchors.glob("*.jsonl"))}).encode()
    yield LENGTH.pack(len(anchor_files))
    yield anchor_files
    with start_tool(
        store, "pg_dump", "--exclude-schema=warehouse_*", "--format=custom", "--compress=gzip:3", stdout=subprocess.PIPE
    ) as dump:
        assert dump.stdout is not None  # noqa: S101 - requested above
        while piece := dump.stdout.read(PIECE_BYTES):
            yield piece
        finish_tool(dump, "The database could not be read for the backup")


def restore(store: Store, file: Path, key: bytes, anchors: Path, now: datetime, progress: Progress) -> dict[str, Any]:
    """Restore a backup into an empty database, in one transaction, and return its header."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise StoreProblem(f"The backup {file} cannot be read ({error.strerror}). Check the file name.") from None
    with source:
        header = read_header(source)
        source.seek(0)
        pieces = read_sealed(source, key)
        if header.get("format") != FORMAT:
            raise StoreProblem(
                "This backup was made by a newer version of Caseload. Update Caseload, and restore it again."
            )
        progress("Preparing the database")
        store.make_roles()
        with store.open_owner_connection() as connection:
            if connection.scalar(text("select count(*) from pg_tables where schemaname = 'public'")):
                raise StoreProblem(
                    "The database is not empty, and a restore never overwrites data. "
                    "Choose an empty data folder with --data-dir, or an empty database with DATABASE_OWNER_URL."
                )
        reader = PieceReader(pieces)
        anchor_files = json.loads(reader.take(LENGTH.unpack(reader.take(LENGTH.size))[0]))
        progress("Restoring the database")
        restore_database(store, reader)
    progress("Restoring the audit anchors")
    restore_anchors(anchors, anchor_files, now)
    if header.get("schema") != find_newest_revision():
        progress("Migrating the schema")
    store.prepare()
    return header


def restore_database(store: Store, reader: "PieceReader") -> None:
    with start_tool(store, "pg_restore", "--exit-on-error", "--single-transaction", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - requested above
        try:
            for piece in reader.read_rest():
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass  # its exit status and message report the cause
        except BaseException:
            process.kill()  # before it sees a false end of input: nothing is committed
            raise
        finish_tool(process, "The backup could not be restored")


def restore_anchors(folder: Path, anchor_files: Mapping[str, str], now: datetime) -> None:
    """Write the anchors of the backup. Existing anchors are moved aside: they may be newer, and are evidence."""
    if folder.is_dir() and any(folder.iterdir()):
        folder.rename(folder.with_name(f"{folder.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, lines in anchor_files.items():
        write_private(folder / Path(name).name, lines)


class PieceReader:
    """A reader of the pieces of a sealed file, by length first and then to the end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = b""

    def take(self, size: int) -> bytes:
        while len(self._waiting) < size:
            self._waiting += next(self._pieces)
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return taken

    def read_rest(self) -> Iterator[bytes]:
        yield self._waiting
        yield from self._pieces


class ToolProcess(subprocess.Popen[bytes]):
    """A running PostgreSQL program and the file of its error output."""

    errors: IO[bytes]


def start_tool(
    store: Store, name: str, *options: str, stdin: int | None = None, stdout: int | None = None
) -> "ToolProcess":
    """Start a PostgreSQL program on this database. The password is passed in the environment, not as an argument."""
    parameters = dict(store.build_connection_parameters("superuser"))  # with those for transport security
    environment = {"PATH": os.environ.get("PATH", ""), "PGPASSWORD": str(parameters.pop("password") or "")}
    database = f"--dbname={make_conninfo('', **parameters)}"
    errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `finish_tool` closes it
    process = ToolProcess(
        [str(find_package_binaries() / name), "--no-password", database, *options],
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=errors,
    )
    process.errors = errors
    return process


def finish_tool(process: "ToolProcess", problem: str) -> None:
    """Wait for a program to end, or raise StoreProblem with the first line of its error output."""
    if process.wait() != 0:
        process.errors.seek(0)
        lines = process.errors.read().decode(errors="replace").strip().splitlines()
        raise StoreProblem(f"{problem}: {lines[0] if lines else 'no reason given'}. Nothing was changed.")
    process.errors.close()
