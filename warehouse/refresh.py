"""Refreshes of a practice's warehouse: build, then publish. Builds as of an instant are made aside, not published."""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import duckdb

from practice.analytics.changes import read_audit_position
from practice.analytics.errors import RefreshRunning, RowsUnavailable
from practice.analytics.published import count_rows
from practice.store.store import Store
from warehouse.builds import Build, DuckDBBuild, Progress, Scope, build_duckdb, build_postgres
from warehouse.publishing import publish

FILE = "warehouse.duckdb"


def refresh_practice(store: Store, root: Path, tenant_id: UUID, now: datetime, engine: str, progress: Progress) -> None:
    """Compute all metrics of a practice as of now, and publish them. Raise RefreshRunning while another one runs."""
    folder = prepare_folder(prepare_folder(root) / tenant_id.hex)
    with lock_practice(store, tenant_id):
        scope = Scope(tenant_id, now, audit_seq=read_audit_position(store, tenant_id))
        if engine == "postgres":
            with build_postgres(store, scope, f"warehouse_{tenant_id.hex}", progress) as build:
                progress("Publishing the values")
                publish(store, build, scope, engine, now)
        else:
            part = folder / f"{FILE}.part"
            remove_file(part)
            build_duckdb(store, scope, part, progress)
            os.replace(part, folder / FILE)
            progress("Publishing the values")
            publish(store, DuckDBBuild(folder / FILE), scope, engine, now)


@dataclass(frozen=True)
class Outcome:
    """What became of a practice's refresh. A failure is named by its kind alone: its text could quote a record."""

    practice_id: UUID
    seconds: float
    rows: int = 0
    failure: str | None = None


def refresh_each(
    store: Store, root: Path, practice_ids: Iterable[UUID], clock: Callable[[], datetime], progress: Progress
) -> list[Outcome]:
    """Refresh practices one after the other, and return what became of each.

    A practice that fails keeps the values of its last refresh, and the others go on. One that somebody else refreshes
    at this moment is left out.
    """
    outcomes = []
    for number, practice_id in enumerate(practice_ids, 1):
        progress(f"Refreshing practice {number}")
        start = time.monotonic()
        try:
            refresh_practice(store, root, practice_id, clock(), "duckdb", lambda _: None)
            rows = count_rows(store, practice_id)
            outcomes.append(Outcome(practice_id, time.monotonic() - start, rows))
        except RefreshRunning:
            continue
        except Exception as error:
            outcomes.append(Outcome(practice_id, time.monotonic() - start, failure=type(error).__name__))
    return outcomes


@contextmanager
def compute_aside(
    store: Store, root: Path, tenant_id: UUID, as_of: datetime, first_on: date | None, engine: str, progress: Progress
) -> Generator[Build]:
    """Yield a build as of an instant, which is removed at the end of the block. Published values stay as they are."""
    scope = Scope(tenant_id, as_of, first_on)
    with make_folder_aside(prepare_folder(root)) as folder:
        if engine == "postgres":
            schema = f"warehouse_{as_of:%Y%m%d%H%M%S}_{folder.name}".lower()
            with build_postgres(store, scope, schema, progress) as build:
                yield build
        else:
            yield build_duckdb(store, scope, folder / FILE, progress)


def open_published(root: Path, tenant_id: UUID, as_of: datetime) -> DuckDBBuild:
    """Return the build behind the published values, or raise RowsUnavailable if the file is that of another refresh."""
    file = root / tenant_id.hex / FILE
    if not file.exists():
        raise RowsUnavailable
    build = DuckDBBuild(file)
    try:
        found = build.fetch("select as_of from records.scope", [])
    except duckdb.Error:  # a file that something else damaged; the next refresh makes it anew
        raise RowsUnavailable from None
    if found != [(as_of,)]:
        raise RowsUnavailable
    return build


@contextmanager
def make_folder_aside(root: Path) -> Generator[Path]:
    """Yield a folder of one build, removed at the end of the block. Folders of builds that were killed go first.

    A build holds the lock of its folder for as long as it lives.
    """
    with ExitStack() as stack:
        with (root / "lock").open("w") as gate:  # so that nobody takes a folder for abandoned before it is locked
            fcntl.flock(gate, fcntl.LOCK_EX)
            for abandoned in root.glob("aside_*"):
                with suppress(OSError), (abandoned / "lock").open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(abandoned)
            folder = Path(stack.enter_context(TemporaryDirectory(dir=root, prefix="aside_")))
            lock = stack.enter_context((folder / "lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@contextmanager
def lock_practice(store: Store, tenant_id: UUID) -> Generator[None]:
    """Hold the practice's refresh lock, or raise RefreshRunning. It ends with the connection, also after a crash."""
    with store.connect("app") as connection:
        connection.autocommit = True
        query = "select pg_try_advisory_lock(hashtextextended(%s, 0)) as locked"
        row = connection.execute(query, (f"refresh {tenant_id}",)).fetchone()
        if row is None or not row[0]:
            raise RefreshRunning
        yield


def prepare_folder(folder: Path) -> Path:
    """Return the folder, private to this account. It holds birth dates."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def remove_file(file: Path) -> None:
    """Remove a file of an interrupted build, and the journal beside it."""
    file.unlink(missing_ok=True)
    Path(f"{file}.wal").unlink(missing_ok=True)
    shutil.rmtree(f"{file}.tmp", ignore_errors=True)
