"""Concurrent work on one practice, where the second waits for the first."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from practice.security.work import Work
from tests.support.builders.people import PracticeFixture
from tests.support.harness import cluster

WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


def collide(practice: PracticeFixture, first: Callable[[Work], Any], second: Callable[[Work], Any]) -> Future[Any]:
    """Run both concurrently and return the outcome of the second. The first commits once the second waits or ends."""

    def run_second() -> Any:
        with practice.work() as work:
            return second(work)

    with (
        cluster.connect_as_superuser(practice.installation.store.database) as observer,
        ThreadPoolExecutor(1) as thread,
        practice.work() as work,
    ):
        first(work)
        outcome = thread.submit(run_second)
        deadline = time.monotonic() + 20
        while not outcome.done() and not observer.execute(WAITING).fetchone()[0]:
            assert time.monotonic() < deadline, "the second neither waited nor ended"
            time.sleep(0.01)
    return outcome


def wait_until(is_done: Callable[[], bool]) -> None:
    """Wait until another process has come so far."""
    deadline = time.monotonic() + 120
    while not is_done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def assert_second_waits(practice: PracticeFixture, service_function: Callable[[Work], Any]) -> None:
    """Assert that a second call waits for the first transaction."""
    with practice.work() as first:
        service_function(first)
        with practice.work() as second:
            second.db.execute(text("set local lock_timeout = '20ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                service_function(second)
            second.db.rollback()
