"""Runs in Dagster's storage: whether one is on its way, how long they are kept, and one that is made at once."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from orchestration.home import build_environment, write_home

AT_MOST_EVERY = timedelta(minutes=5)
AFTER_FAILURE = timedelta(seconds=30)  # of a whole run, such as one whose process was killed
KEEP = timedelta(days=3)  # a run has hundreds of events
DELETE_AT_ONCE = 1000


def find_obstacle(instance: DagsterInstance, now: datetime) -> str | None:
    """Return why no run may begin now: one is on its way, or the last one began just now."""
    records = instance.get_run_records(limit=1)
    if not records:
        return None
    last = records[0].dagster_run
    if not last.is_finished:
        return "A refresh is on its way."
    pause = AFTER_FAILURE if last.status == DagsterRunStatus.FAILURE else AT_MOST_EVERY
    if now - records[0].create_timestamp < pause:
        return f"The last refresh began less than {pause.total_seconds():g} seconds ago."
    return None


def delete_old_runs(instance: DagsterInstance, now: datetime) -> None:
    """Delete runs and their events. Assets keep their last materialization."""
    for record in instance.get_run_records(RunsFilter(created_before=now - KEEP), limit=DELETE_AT_ONCE, ascending=True):
        instance.delete_run(record.dagster_run.run_id)


@contextmanager
def open_instance(database_url: str) -> Generator[DagsterInstance]:
    """Yield the instance whose storage is in this database, for use in this process."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="caseload-dagster-") as home:
        write_home(Path(home))
        os.environ.update(build_environment(Path(home), database_url))
        try:
            with DagsterInstance.from_config(home) as instance:
                # keeps connections instead of opening one for each event, of which a run has hundreds
                instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=4)
                yield instance
        finally:
            os.environ.clear()
            os.environ.update(before)
