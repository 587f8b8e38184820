"""The rows that session queries read: never a whole table, even with a long history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bench.five_years import NOW, FiveYears, create_five_years
from bench.reads import measure_reads
from bench.sessions import sign_sessions
from practice.local_time import week_of
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions import analytics, queries
from practice.sessions.queries import SessionFilters
from practice.store.pages import PageRequest

TABLES = {"appointments", "notes"}  # the tables that grow and have rows here
LAST_WEEK = week_of(NOW.date()) - timedelta(weeks=1)


@pytest.fixture(scope="module")
def five_years(installation: Installation) -> FiveYears:
    practice = create_five_years(installation, clinicians=10, years=1, clients=2_000)
    sign_sessions(installation, practice)
    return practice


def list_page(count: bool = False, **filters: Any) -> Callable[[Work, FiveYears], Any]:
    """Return a query for a page of sessions. A filter may be a function of the practice."""

    def load_page(work: Work, practice: FiveYears) -> None:
        values = {name: value(practice) if callable(value) else value for name, value in filters.items()}
        page = queries.list_sessions(work, Scope.ALL, PageRequest(20, count=count), SessionFilters(**values))
        assert page.items

    return load_page


def load_deadlines(work: Work, practice: FiveYears) -> None:
    assert analytics.get_week(work, Scope.ALL, practice.clinicians[3], LAST_WEEK).signed_sessions


def load_analytics(work: Work, practice: FiveYears) -> None:
    analytics.get_analytics(work, Scope.ALL, practice.clinicians[3], None, None)


# Each query with the maximum number of rows it may read. A page reads each session it shows several times, and skips
# sessions in the future.
QUERIES: dict[str, tuple[Callable[[Work, FiveYears], Any], int]] = {
    "list": (list_page(), 6_000),
    "of a week": (list_page(week=LAST_WEEK), 300),
    "of a clinician": (list_page(provider_id=lambda practice: practice.clinicians[3]), 1_000),
    "of a client": (list_page(client_id=lambda practice: practice.clients[7]), 300),
    "unsigned": (list_page(signed=False), 300),
    "unsigned, counted": (list_page(signed=False, count=True), 800),
    "locked": (list_page(locked=True), 300),
    "locked, counted": (list_page(locked=True, count=True), 800),
    "deadlines": (load_deadlines, 1_000),
    "analytics": (load_analytics, 300),
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_reads_the_whole_history(installation: Installation, five_years: FiveYears, name: str) -> None:
    query, max_rows = QUERIES[name]
    with installation.work(five_years.admin, NOW) as work:
        reads = measure_reads(installation.store.engine, work.db, lambda: query(work, five_years))
    assert not reads.scanned_tables & TABLES
    assert reads.count_rows(TABLES) <= max_rows, reads.rows_read
    assert len(reads.statements) <= 15
