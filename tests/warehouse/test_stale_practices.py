"""Practices that need a refresh: changed since the last one, or not refreshed for an hour."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from practice.analytics.refreshes import list_stale_practices
from practice.people.models.practices import Practice
from practice.security.installation import Installation
from tests.support.builders.people import NOW
from tests.warehouse.conftest import be_quiet
from warehouse.refresh import refresh_practice


def test_a_practice_is_stale_after_a_change_or_an_hour(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    store = installation.store

    def is_stale(minutes: int = 0) -> bool:
        return oak_street.id in list_stale_practices(store, NOW + timedelta(minutes=minutes))

    assert is_stale(), "never refreshed"
    for engine in ("duckdb", "postgres"):
        refresh_practice(store, tmp_path, oak_street.id, NOW, engine, be_quiet)
        assert [is_stale(minutes) for minutes in (0, 60, 61)] == [False, False, True]
        with store.begin_session(oak_street.id) as db:
            db.execute(text("update incidents set responded_at = now()"))
        assert is_stale()
    with store.begin_system_session() as db:
        db.execute(text("update practices set status = 'SUSPENDED' where id = :id"), {"id": oak_street.id})
    assert not is_stale()
