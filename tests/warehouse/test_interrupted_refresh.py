"""Refreshes that are killed, meet changes or find another file: nothing is lost, and readers see whole refreshes."""

import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from threading import Event

import pytest
from sqlalchemy import text

from practice.people.models.practices import Practice
from practice.security.installation import Installation
from tests.warehouse.conftest import be_quiet
from tests.warehouse.test_changes import count_queued, refresh_and_compare
from warehouse import files
from warehouse.files import FILE
from warehouse.refresh import refresh_practice

NOW = datetime(2025, 11, 12, 17, 0, tzinfo=UTC)
CHANGE = text("update appointments set status = 'NO_SHOW', status_at = :now where external_id = :id")
KEPT = text("""
    select r.as_of, c.numerators[array_position(r.metric_keys, 'kept_visit_rate')]
    from analytics.refreshes as r
    join analytics.metric_cells as c on c.tenant_id = r.tenant_id and c.entity_kind = 'practice'
        and c.period_kind = 'month' and c.period_start = '2025-10-01'
    where r.is_current
""")
WRITTEN = text("select count(*) from analytics.metric_cells where xmin::text::bigint >= :since")


def change(installation: Installation, practice: Practice, appointment: str = "A1") -> None:
    with installation.store.begin_session(practice.id) as db:
        assert db.execute(CHANGE, {"now": NOW, "id": appointment}).rowcount == 1


def is_full(copied: list[str]) -> bool:
    return "Copying appointments" in copied


KILLS = ("Copying changed appointments", "Finding", "Computing", "Publishing", "replacing the file")


def kill_refresh(installation: Installation, practice: Practice, root: Path, moment: str) -> None:
    """Run a refresh in a process that is killed at a moment."""
    code = f"""
        import os, signal
        from datetime import datetime
        from pathlib import Path
        from uuid import UUID
        from practice.store.store import Store
        from warehouse import refresh

        def report(message, *_):
            if message.startswith({moment!r}):
                os.kill(os.getpid(), signal.SIGKILL)

        refresh.os.replace = lambda *_: report("replacing the file")
        store = Store(Path({str(installation.store.embedded.data_dir)!r}), database={installation.store.database!r})
        now = datetime.fromisoformat({NOW.isoformat()!r})
        refresh.refresh_practice(store, Path({str(root)!r}), UUID({str(practice.id)!r}), now, "duckdb", report)
    """
    process = subprocess.run([sys.executable, "-c", dedent(code)], cwd=Path(__file__).parents[2], check=False)
    assert process.returncode == -signal.SIGKILL, moment


def test_a_killed_refresh_loses_nothing(installation: Installation, oak_street: Practice, tmp_path: Path) -> None:
    refresh_and_compare(installation, oak_street.id, tmp_path, NOW)
    with installation.store.begin_session(oak_street.id) as db:
        appointments = db.scalars(text("select external_id from appointments where external_id is not null")).all()
    for number, moment in enumerate(KILLS):
        change(installation, oak_street, appointments[number % len(appointments)])
        before = count_queued(installation, oak_street.id)
        kill_refresh(installation, oak_street, tmp_path, moment)
        is_published = moment == "replacing the file"
        assert count_queued(installation, oak_street.id) == (0 if is_published else before)
        copied = refresh_and_compare(installation, oak_street.id, tmp_path, NOW + timedelta(minutes=number))
        assert not is_full(copied), "the file of the refresh before was not found"
        assert count_queued(installation, oak_street.id) == 0


def test_a_change_during_a_refresh_is_for_the_next(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    refresh_and_compare(installation, oak_street.id, tmp_path, NOW)
    change(installation, oak_street)

    def report(message: str) -> None:
        if message.startswith("Computing their sums"):
            change(installation, oak_street, "A2")

    refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", report)
    assert count_queued(installation, oak_street.id) == 3, "the appointment, and what it said before and says now"
    copied = refresh_and_compare(installation, oak_street.id, tmp_path, NOW)
    tables = ("practices", "record versions", "appointments")
    assert copied == [f"Copying changed {table}" for table in tables]


@pytest.mark.parametrize("how", ["lost", "older", "damaged", "of another version", "of the other engine", "asked for"])
def test_a_file_that_cannot_be_continued_is_rebuilt(
    installation: Installation, oak_street: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    refresh_and_compare(installation, oak_street.id, tmp_path, NOW)
    file, older = tmp_path / oak_street.id.hex / FILE, tmp_path / "older"
    shutil.copy(file, older)
    change(installation, oak_street)
    refresh_and_compare(installation, oak_street.id, tmp_path, NOW)
    change(installation, oak_street, "A2")
    if how == "lost":
        file.unlink()
    elif how == "older":
        older.replace(file)
    elif how == "damaged":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif how == "of another version":
        monkeypatch.setattr(files, "COLUMNS", {})
    elif how == "of the other engine":
        refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "postgres", be_quiet)
        assert count_queued(installation, oak_street.id) == 0
        change(installation, oak_street, "A3")
    if how == "asked for":
        messages: list[str] = []
        refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", messages.append, full=True)
        assert is_full(messages)
    else:
        assert is_full(refresh_and_compare(installation, oak_street.id, tmp_path, NOW))
    monkeypatch.undo()
    assert count_queued(installation, oak_street.id) == 0


def test_only_cells_that_differ_are_written(installation: Installation, oak_street: Practice, tmp_path: Path) -> None:
    refresh_and_compare(installation, oak_street.id, tmp_path, NOW)
    change(installation, oak_street)
    with installation.store.begin_session(oak_street.id) as db:
        since = db.scalar(text("select pg_current_xact_id()::text::bigint"))
        total = db.scalar(WRITTEN, {"since": 0})
    refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", be_quiet)
    with installation.store.begin_session(oak_street.id) as db:
        assert 0 < db.scalar(WRITTEN, {"since": since}) < total / 10


def test_readers_see_whole_refreshes(installation: Installation, oak_street: Practice, tmp_path: Path) -> None:
    refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", be_quiet)
    stop, seen = Event(), set()

    def poll() -> None:
        while not stop.is_set():
            with installation.store.begin_session(oak_street.id) as db:
                seen.update(tuple(row) for row in db.execute(KEPT))

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(poll)
        for number, appointment in enumerate(("A1", "A2", "A3"), 1):
            change(installation, oak_street, appointment)
            refresh_practice(
                installation.store, tmp_path, oak_street.id, NOW + timedelta(minutes=number), "duckdb", be_quiet
            )
        stop.set()
        reader.result()
    assert len({as_of for as_of, _ in seen}) == len(seen) >= 2, "an instant with values of two refreshes"
