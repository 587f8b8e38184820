"""Refreshes: the published values are those of the build, replaced whole, and stay when a refresh fails."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from textwrap import dedent
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from practice.analytics.errors import NoRefresh, RefreshRunning
from practice.analytics.values import MetricValue, Selection, list_values
from practice.people.models.practices import Practice
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.warehouse.conftest import be_quiet, import_oak_street
from warehouse.builds import PostgresBuild, read_values
from warehouse.refresh import compute_aside, lock_practice, refresh_practice

NOW = datetime(2025, 11, 12, 17, 0, tzinfo=UTC)
OCTOBER = Selection(first=date(2025, 10, 1), last=date(2025, 10, 31))
ENGINES = ["duckdb", "postgres"]


def read_published(
    installation: Installation, tenant_id: UUID, selection: Selection = OCTOBER
) -> dict[tuple[str, str, str], MetricValue]:
    with installation.work(Actor(tenant_id), NOW) as work:
        _, values = list_values(work, selection)
    return {(value.metric_key, value.entity_kind, value.external_id): value for value in values}


@pytest.mark.parametrize("engine", ENGINES)
def test_published_values_are_those_of_a_build_aside(
    installation: Installation, oak_street: Practice, tmp_path: Path, engine: str
) -> None:
    store, messages = installation.store, []
    refresh_practice(store, tmp_path, oak_street.id, NOW, engine, messages.append)
    published = read_published(installation, oak_street.id)
    other_engine = ENGINES[1 - ENGINES.index(engine)]
    with compute_aside(store, tmp_path, oak_street.id, NOW, None, other_engine, be_quiet) as build:
        aside = read_values(build, OCTOBER)
    assert sorted(published.values(), key=repr) == sorted(aside, key=repr)
    kept = published["kept_visit_rate", "practice", ""]
    assert (kept.numerator, kept.denominator, kept.status) == (2, 4, "alert")
    assert "Publishing the values" in messages
    with store.connect("superuser") as connection:
        schemas = connection.execute("select nspname from pg_namespace where nspname like 'warehouse%'").fetchall()
    assert schemas == [], "a schema of a build was left behind"


def test_a_change_shows_with_the_next_refresh_and_not_before(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    refresh: Callable[[datetime], None] = lambda now: refresh_practice(  # noqa: E731
        installation.store, tmp_path, oak_street.id, now, "duckdb", be_quiet
    )
    refresh(NOW)
    before = read_published(installation, oak_street.id)
    with installation.store.begin_session(oak_street.id) as db:
        db.execute(text("update appointments set status = 'NO_SHOW' where external_id = 'A1'"))
    assert read_published(installation, oak_street.id) == before
    refresh(NOW + timedelta(minutes=5))
    after = read_published(installation, oak_street.id)
    key = ("kept_visit_rate", "practice", "")
    assert (before[key].numerator, after[key].numerator) == (2, 1)
    changed = {key for key in after if after[key] != before[key]}
    assert ("hipaa_training_current", "practice", "") not in changed
    with installation.store.begin_session(oak_street.id) as db:
        current = db.execute(text("select as_of, engine from analytics.refreshes where is_current")).all()
    assert current == [(NOW + timedelta(minutes=5), "duckdb")]


def test_the_last_good_values_stay_when_a_refresh_fails(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", be_quiet)
    before = read_published(installation, oak_street.id)
    with installation.store.begin_session(oak_street.id) as db:
        db.execute(text("update appointments set status = 'NO_SHOW' where external_id = 'A1'"))

    def stop(message: str) -> None:
        if message.startswith("Computing their values"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", stop)
    assert read_published(installation, oak_street.id) == before
    part = tmp_path / oak_street.id.hex / "warehouse.duckdb.part"
    assert part.exists()
    part.write_bytes(b"half a file")  # what a killed refresh can leave
    refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", be_quiet)
    assert read_published(installation, oak_street.id) != before


def test_one_refresh_of_a_practice_runs_at_a_time(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    with lock_practice(installation.store, oak_street.id), pytest.raises(RefreshRunning):
        refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", be_quiet)


def test_another_practice_sees_nothing_of_it(installation: Installation, oak_street: Practice, tmp_path: Path) -> None:
    other = import_oak_street(installation, tmp_path / "other bundle")
    refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", be_quiet)
    assert read_published(installation, oak_street.id)
    with pytest.raises(NoRefresh):
        read_published(installation, other.id)


def test_the_files_are_private(installation: Installation, oak_street: Practice, tmp_path: Path) -> None:
    """They hold birth dates, and no names."""
    root = tmp_path / "warehouse"
    refresh_practice(installation.store, root, oak_street.id, NOW, "duckdb", be_quiet)
    assert root.stat().st_mode & 0o777 == 0o700
    file = root / oak_street.id.hex / "warehouse.duckdb"
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    with installation.store.begin_session(oak_street.id) as db:
        names = db.scalars(text("select last_name from clients union select email from staff")).all()
    assert names
    assert [name for name in names if name.encode() in content] == []


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_killed_computation_leaves_is_removed_by_the_next(
    installation: Installation, oak_street: Practice, tmp_path: Path, engine: str
) -> None:
    code = f"""
        import os, signal, sys
        from pathlib import Path
        from datetime import datetime
        from uuid import UUID
        from practice.store.store import Store
        from warehouse.refresh import compute_aside

        def report(message):
            if message.startswith("Computing 5 "):
                os.kill(os.getpid(), signal.SIGKILL)

        store = Store(Path({str(installation.store.embedded.data_dir)!r}), database={installation.store.database!r})
        with compute_aside(
            store, Path({str(tmp_path)!r}), UUID({str(oak_street.id)!r}), datetime.fromisoformat({NOW.isoformat()!r}),
            None, {engine!r}, report,
        ):
            pass
    """
    process = subprocess.run([sys.executable, "-c", dedent(code)], cwd=Path(__file__).parents[2], check=False)
    assert process.returncode == -signal.SIGKILL
    assert list_remains(installation, tmp_path)
    with compute_aside(installation.store, tmp_path, oak_street.id, NOW, None, engine, be_quiet):
        pass
    assert list_remains(installation, tmp_path) == []


def list_remains(installation: Installation, root: Path) -> list[str]:
    """Return the folders and schemas of builds."""
    with installation.store.connect("superuser") as connection:
        query = "select nspname from pg_namespace where nspname like 'warehouse%'"
        schemas = [name for (name,) in connection.execute(query).fetchall()]
    return [*schemas, *(folder.name for folder in root.glob("aside_*"))]


def test_no_session_of_the_service_reads_a_build_inside_the_database(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    with compute_aside(installation.store, tmp_path, oak_street.id, NOW, None, "postgres", be_quiet) as build:
        assert isinstance(build, PostgresBuild)
        with installation.store.connect("app") as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(f'select count(*) from "{build.schema}".metric_cells'.encode())
    refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "postgres", be_quiet)
    with installation.store.connect("superuser") as connection:
        query = "select count(*) from pg_namespace where nspacl::text like '%caseload_app%' and nspname like 'ware%'"
        assert connection.execute(query).fetchone() == (0,)


def test_a_practice_with_decades_of_days_is_computed_in_seconds(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    """Days grow with the first hire. A join that grows with their square or cube does not end."""
    with installation.store.begin_session(oak_street.id) as db:
        db.execute(text("update staff set hired_on = '1990-01-01' where external_id = 'BOS'"))
        db.execute(text("set constraints all immediate"))
    refresh_practice(installation.store, tmp_path, oak_street.id, NOW, "duckdb", be_quiet)
    first = Selection(period_kind="quarter", first=date(1990, 1, 1), last=date(1990, 1, 1))
    published = read_published(installation, oak_street.id, first)
    assert published["kept_visit_rate", "clinician", "BOS"].status == "no_data"
