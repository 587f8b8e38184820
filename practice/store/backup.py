"""A backup: the whole database and the audit anchors in one sealed file; and the way back, all of it or nothing."""

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
from practice.store.embedded_account import package_binaries
from practice.store.migrate import newest_revision, revision_of
from practice.store.private_files import write_private
from practice.store.sealed_file import read_header, read_sealed, write_sealed
from practice.store.store import Store

FORMAT = 1
LENGTH = struct.Struct(">Q")
PIECE = 1 << 20
Progress = Callable[[str], None]


def backup(
    store: Store, file: Path, key: bytes, key_id: str, anchors: Path, now: datetime, progress: Progress
) -> dict[str, Any]:
    """Write a consistent backup. The file takes its name only when it is whole."""
    with store.owner_connection() as connection:
        revision = revision_of(connection)
        sees_all = connection.scalar(text("select rolsuper or rolbypassrls from pg_roles where rolname = session_user"))
    if not sees_all:
        raise StoreProblem(
            "The login in DATABASE_OWNER_URL cannot read past the walls between practices, so a backup would be "
            "empty. "
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
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # each backup its own
        part = Path(name)
        with os.fdopen(descriptor, "wb") as out:
            progress("Writing the backup")
            write_sealed(out, key, header, contents(store, anchors))
            out.flush()
            os.fsync(out.fileno())
        part.rename(file)
    except OSError as error:
        raise StoreProblem(
            f"The backup cannot be written to {file} ({error.strerror}). Choose another place."
        ) from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
    return header | {"file": str(file), "bytes": file.stat().st_size}


def contents(store: Store, anchors: Path) -> Iterator[bytes]:
    """The anchors first: they are older than the database that follows, and so never lead beyond it."""
    found = {path.name: path.read_text() for path in sorted(anchors.glob("*.jsonl"))}
    text_of_anchors = json.dumps(found).encode()
    yield LENGTH.pack(len(text_of_anchors))
    yield text_of_anchors
    with tool(store, "pg_dump", "--format=custom", "--compress=gzip:3", stdout=subprocess.PIPE) as dump:
        assert dump.stdout is not None  # noqa: S101 - it was asked for
        while piece := dump.stdout.read(PIECE):
            yield piece
        finish(dump, "The database could not be read for the backup")


def restore(store: Store, file: Path, key: bytes, anchors: Path, now: datetime, progress: Progress) -> dict[str, Any]:
    """Bring a backup back into a database that holds nothing yet. One transaction: all of it, or nothing."""
    try:
        source = file.open("rb")
    except OSError as error:
        raise StoreProblem(f"The backup {file} cannot be read ({error.strerror}). Check its name.") from None
    with source:
        header = read_header(source)
        source.seek(0)
        pieces = read_sealed(source, key)
        if header.get("format") != FORMAT:
            raise StoreProblem("This backup was made by a newer Caseload. Update Caseload, and restore it then.")
        progress("Making room for the backup")
        store.make_roles()
        with store.owner_connection() as connection:
            if connection.scalar(text("select count(*) from pg_tables where schemaname = 'public'")):
                raise StoreProblem(
                    "There is a Caseload database here already, and a restore never writes over one. "
                    "Name an empty data folder with --data-dir, or an empty database with DATABASE_OWNER_URL."
                )
        stream = Stream(pieces)
        kept = json.loads(stream.take(LENGTH.unpack(stream.take(LENGTH.size))[0]))
        progress("Restoring the database")
        restore_database(store, stream)
    progress("Putting the audit anchors back")
    put_anchors(anchors, kept, now)
    if header.get("schema") != newest_revision():
        progress("Bringing the schema up to date")
    store.prepare()
    return header


def restore_database(store: Store, stream: "Stream") -> None:
    with tool(store, "pg_restore", "--exit-on-error", "--single-transaction", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101 - it was asked for
        try:
            for piece in stream.rest():
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it says itself what is wrong
        except BaseException:
            process.kill()  # before it sees an end that is none: nothing is committed
            raise
        finish(process, "The backup could not be restored")


def put_anchors(folder: Path, kept: Mapping[str, str], now: datetime) -> None:
    if folder.is_dir() and any(folder.iterdir()):  # they lead beyond what was restored, and stay as evidence
        folder.rename(folder.with_name(f"{folder.name}.before-restore-{now:%Y%m%dT%H%M%SZ}"))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, lines in kept.items():
        write_private(folder / Path(name).name, lines)


class Stream:
    """The pieces of a sealed file, read by length first and then to the end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = b""

    def take(self, size: int) -> bytes:
        while len(self._waiting) < size:
            self._waiting += next(self._pieces)
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return taken

    def rest(self) -> Iterator[bytes]:
        yield self._waiting
        yield from self._pieces


class Tool(subprocess.Popen[bytes]):
    errors: IO[bytes]


def tool(store: Store, name: str, *options: str, stdin: int | None = None, stdout: int | None = None) -> "Tool":
    """One of PostgreSQL's own programs against this database. Passwords go by the environment, not the command line."""
    to = dict(store.parameters("superuser"))  # all of it: also how the connection is to be protected
    environment = {"PATH": os.environ.get("PATH", ""), "PGPASSWORD": str(to.pop("password") or "")}
    where = f"--dbname={make_conninfo('', **to)}"
    errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - `finish` closes it
    process = Tool(
        [str(package_binaries() / name), "--no-password", where, *options],
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=errors,
    )
    process.errors = errors
    return process


def finish(process: "Tool", problem: str) -> None:
    if process.wait() != 0:
        process.errors.seek(0)
        said = process.errors.read().decode(errors="replace").strip().splitlines()
        raise StoreProblem(f"{problem}: {said[0] if said else 'no reason given'}. Nothing was changed.")
    process.errors.close()
