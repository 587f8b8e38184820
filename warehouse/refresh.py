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

from sqlalchemy import text

from practice.analytics.errors import RefreshRunning, RowsUnavailable
from practice.analytics.published import count_rows
from practice.store.store import Store
from warehouse.builds import Build, DuckDBBuild, Scope, build_duckdb, build_postgres, compute, open_file
from warehouse.continuation import continue_build
from warehouse.extraction import Progress, copy_records, open_snapshot
from warehouse.files import FILE, begin_part, complete_part, find_file, is_of
from warehouse.publishing import Publication, publish_file, publish_schema

LONG_TRANSACTION = """
    set transaction isolation level repeatable read;
    set local idle_in_transaction_session_timeout = 0;
    set local statement_timeout = 0
"""


def refresh_practice(
    store: Store, root: Path, tenant_id: UUID, now: datetime, engine: str, progress: Progress, *, full: bool = False
) -> None:
    """Compute all metrics of a practice as of now, and publish them. Raise RefreshRunning while another one runs.

    Goes on from the last refresh with what changed since, unless the practice's file is missing or not that of the last
    refresh, or `full`.
    """
    publication = Publication(tenant_id, now, engine, started_at=now)
    folder = prepare_folder(prepare_folder(root) / tenant_id.hex)
    with lock_practice(store, tenant_id):
        if engine == "postgres":
            refresh_in_database(store, publication, progress)
        else:
            refresh_file(store, folder, publication, progress, full=full)


def refresh_file(store: Store, folder: Path, publication: Publication, progress: Progress, *, full: bool) -> None:
    """Bring a copy of the practice's file up to date, publish its values, and put it in the place of the file."""
    with open_snapshot(store, publication.tenant_id) as snapshot:
        file = None if full else find_file(folder, find_current_refresh(store, publication.tenant_id))
        part = begin_part(folder, file)
        with open_file(part) as connection:
            scope, found = Scope(publication.tenant_id, publication.as_of), False
            if file is None:
                copy_records(snapshot, connection, progress)
                compute(connection, scope, progress)
            else:
                found = continue_build(snapshot, connection, scope, progress)
            progress("Publishing the values")
            complete_part(connection, publication.id, continued=file is not None, found=found)
        with open_file(part, read_only=True) as connection:
            publish_file(snapshot, connection, publication, continued=file is not None)
        snapshot.commit()
    os.replace(part, folder / FILE)


def find_current_refresh(store: Store, tenant_id: UUID) -> UUID | None:
    """Return the refresh whose values are published, if there is one."""
    with store.begin_session(tenant_id) as db:
        return db.scalar(text("select id from analytics.refreshes where is_current"))


def refresh_in_database(store: Store, publication: Publication, progress: Progress) -> None:
    """Compute inside the database, and publish. The file is not that of the current refresh any more."""
    tenant_id = publication.tenant_id
    with store.connect("app") as connection:
        connection.execute(LONG_TRANSACTION)
        connection.execute("select enter_practice(%s)", [tenant_id])  # and takes the snapshot, before anything is read
        scope = Scope(tenant_id, publication.as_of)
        with build_postgres(store, scope, f"warehouse_{tenant_id.hex}", progress) as build:
            progress("Publishing the values")
            publish_schema(connection, build, publication)
            connection.commit()


def build_as_of(store: Store, root: Path, tenant_id: UUID, as_of: datetime, progress: Progress) -> Path:
    """Build a file as of an instant, beside the practice's, and return it. Published values stay as they are."""
    folder = prepare_folder(prepare_folder(root) / tenant_id.hex)
    with make_folder_aside(prepare_folder(root)) as aside:
        build = build_duckdb(store, Scope(tenant_id, as_of), aside / FILE, progress)
        return Path(shutil.move(build.file, folder / f"as_of_{as_of:%Y%m%dT%H%M%SZ}.duckdb"))


@dataclass(frozen=True)
class Outcome:
    """What became of a practice's refresh. A failure is named by its kind alone: its text could quote a record."""

    practice_id: UUID
    seconds: float
    rows: int = 0
    failure: str | None = None


def refresh_each(
    store: Store,
    root: Path,
    practice_ids: Iterable[UUID],
    clock: Callable[[], datetime],
    progress: Progress,
    *,
    full: bool = False,
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
            refresh_practice(store, root, practice_id, clock(), "duckdb", lambda _: None, full=full)
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


def open_published(root: Path, tenant_id: UUID, refresh_id: UUID) -> DuckDBBuild:
    """Return the build behind the published values, or raise RowsUnavailable if the file is that of another refresh."""
    folder = root / tenant_id.hex
    for file in (folder / FILE, folder / f"{FILE}.part"):  # the second until it takes the place of the first
        if is_of(file, refresh_id):
            return DuckDBBuild(file)
    raise RowsUnavailable


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
