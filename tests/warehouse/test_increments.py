"""Incremental refreshes: after each round of changes and passing time they are equal to full builds."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from practice.people import practices
from practice.people.practices import get_practice
from practice.people.settings import change_setting
from practice.people.staff import add_staff
from practice.security.installation import Installation
from practice.security.work import Work
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.schedule import make_client, open_hours
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.incremental_rounds import compare_with_full, run_rounds
from warehouse import continuation
from warehouse.files import FILE
from warehouse.increments import (
    CALENDAR,
    DAY_SUMS,
    FACTS,
    HOURS,
    SMALL,
    SMALL_DAY_SUMS,
    SMALL_STATES,
    STATES,
)
from warehouse.refresh import refresh_practice
from warehouse.statements import load_statements

ROUNDS, CHANGES = 4, 12


def never_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small practice a few changes touch most clients: it would be computed as a whole."""
    monkeypatch.setattr(continuation, "MAX_SHARE", 2)


def test_an_incremental_refresh_equals_a_full_one(
    own_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_whole(monkeypatch)
    for done in run_rounds(own_installation, tmp_path, 1, ROUNDS, CHANGES):
        assert done.differing == {}, done


def test_what_concerns_everything_computes_everything(practice: PracticeFixture, tmp_path: Path) -> None:
    clinician = practice.add("clinician")
    sessions = SessionBuilder(practice, clinician)
    sessions.add_note(sessions.add_session(NOW - timedelta(days=3)))
    root, file, times = tmp_path / "warehouse", tmp_path / "warehouse" / practice.id.hex / FILE, iter(range(1, 99))

    def refresh() -> bool:
        """Refresh a minute later, and return whether everything was computed; else compare with a full build."""
        messages: list[str] = []
        now = NOW + timedelta(minutes=next(times))
        refresh_practice(practice.installation.store, root, practice.id, now, "duckdb", messages.append)
        is_whole = any(message.startswith("Computing 1 of") for message in messages)
        assert is_whole or compare_with_full(practice.installation, practice.id, now, file, tmp_path) == {}
        return is_whole

    def change_zone(work: Work) -> Any:
        version = get_practice(work.db, practice.id).version
        return practices.change_practice(work, practice.id, version, {"time_zone": "America/Denver"})

    changes: list[Callable[[Work], Any]] = [
        lambda work: change_setting(work, "rebook_days", 14, NOW.date()),
        lambda work: add_staff(
            work, email="new@cedar.example", first_name="A", last_name="B", roles=["clinician"], hired_on=NOW.date()
        ),
        change_zone,
    ]
    assert refresh()
    for change in changes:
        with practice.work() as work:
            change(work)
        assert refresh()
    open_hours(practice, clinician)
    assert refresh()
    assert not refresh()
    sessions.add_session(NOW - timedelta(days=2))  # of the only client: more than half of them
    assert refresh()
    for _ in range(3):
        make_client(practice)
    assert refresh()
    sessions.add_session(NOW - timedelta(days=1))
    assert not refresh()


def test_every_table_is_brought_up_to_date() -> None:
    """A new table of the project that no list names would keep the rows of the last full build."""
    steps = [f"{state}_{kind}" for state in (*STATES, *SMALL_STATES) for kind in ("steps", "states")]
    brought = {"stg_practices", *CALENDAR, *HOURS, *FACTS, "clinician_days", *DAY_SUMS, *steps, *SMALL, *SMALL_DAY_SUMS}
    brought |= {"late_matured_charges", "receivable_days", "metric_sums"}
    # of staff and settings alone, whose changes compute everything
    of_staff = {"entities", "entity_members", "entity_members_and_practice", "metric_bounds"}
    tables = {statement.name for statement in load_statements("duckdb") if statement.kind == "table"}
    assert tables == brought | of_staff
