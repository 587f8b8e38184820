"""What completed sessions read to show what they show: of a long past, no table from end to end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bench.five_years import NOW, FiveYears, furnish
from bench.reads import reads_of
from practice.local_time import week_of
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions import analytics, queries
from practice.sessions.queries import Filters
from practice.store.pages import PageRequest

TABLES = {"appointments", "notes"}  # those that grow, and are not empty here
LAST_WEEK = week_of(NOW.date()) - timedelta(weeks=1)

# All but one in a hundred of the past are signed.
NOTES = text("""
    insert into notes (
        tenant_id, id, client_id, clinician_id, appointment_id, type, created_at, status, signed_at, signed_by_id
    )
    select tenant_id, uuidv7(), client_id, clinician_id, id, 'PROGRESS_NOTE', ends_at, 'SIGNED', ends_at, clinician_id
    from appointments
    where tenant_id = :tenant_id and status = 'COMPLETED' and abs(hashtext(external_id)) % 100 > 0
""")


@pytest.fixture(scope="module")
def five_years(installation: Installation) -> FiveYears:
    made = furnish(installation, clinicians=10, years=1, clients=2_000)
    with installation.store.session_in(made.id) as db:
        db.execute(NOTES, {"tenant_id": made.id})
    with installation.store.owner_connection() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))
    return made


def page(**more: Any) -> Callable[[Work, FiveYears], Any]:
    def look(work: Work, practice: FiveYears) -> None:
        filters = Filters(**{name: value(practice) if callable(value) else value for name, value in more.items()})
        found = queries.list_sessions(work, Scope.ALL, PageRequest(20), filters)
        assert found.items

    return look


def deadlines(work: Work, practice: FiveYears) -> None:
    assert analytics.week_of_provider(work, Scope.ALL, practice.clinicians[3], LAST_WEEK).signed


def span_analytics(work: Work, practice: FiveYears) -> None:
    analytics.analytics_of(work, Scope.ALL, practice.clinicians[3], None, None)


# How many rows are read at most: a page looks at each session it shows some times, and passes over those still to come.
LOOKS: dict[str, tuple[Callable[[Work, FiveYears], Any], int]] = {
    "list": (page(), 6_000),
    "of a week": (page(week=LAST_WEEK), 300),
    "of a clinician": (page(provider_id=lambda practice: practice.clinicians[3]), 1_000),
    "of a client": (page(client_id=lambda practice: practice.clients[7]), 300),
    "unsigned": (page(signed=False), 8_000),
    "deadlines": (deadlines, 1_000),
    "analytics": (span_analytics, 300),
}


@pytest.mark.parametrize("look", LOOKS)
def test_no_look_reads_the_past_from_end_to_end(installation: Installation, five_years: FiveYears, look: str) -> None:
    verb, most = LOOKS[look]
    with installation.work(five_years.admin, NOW) as work:
        found = reads_of(installation.store.engine, work.db, lambda: verb(work, five_years))
    assert not found.scanned & TABLES
    assert found.of(TABLES) <= most, found.read
    assert len(found.statements) <= 15
