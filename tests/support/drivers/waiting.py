"""Of two who do the same at the same moment, the second waits for the first."""

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
    """What became of the second. The first commits once the second waits for it, or is done without waiting."""

    def alone() -> Any:
        with practice.work() as work:
            return second(work)

    with (
        cluster.superuser(practice.installation.store.database) as onlooker,
        ThreadPoolExecutor(1) as thread,
        practice.work() as work,
    ):
        first(work)
        outcome = thread.submit(alone)
        deadline = time.monotonic() + 20
        while not outcome.done() and not onlooker.execute(WAITING).fetchone()[0]:
            assert time.monotonic() < deadline, "the second came to nothing"
            time.sleep(0.01)
    return outcome


def second_waits(practice: PracticeFixture, verb: Callable[[Work], Any]) -> None:
    """That it does wait, where what becomes of it afterwards is shown elsewhere."""
    with practice.work() as first:
        verb(first)
        with practice.work() as second:
            second.db.execute(text("set local lock_timeout = '20ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                verb(second)
            second.db.rollback()
