"""Rounds of random changes and of passing time, after each of which an incremental refresh must equal a full build."""

import random
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import duckdb

from ingest.synthetic import Size, generate
from practice.metric_dictionary import METRICS
from practice.security.installation import Installation
from tests.support.builders.bundles import import_practice
from tests.support.drivers.random_changes import RecordChanges, disable_other_triggers
from warehouse.builds import Scope, build_duckdb, open_file
from warehouse.files import CELL_KEY, CELLS, FILE
from warehouse.increments import FACTS
from warehouse.refresh import refresh_practice

START = datetime(2026, 3, 18, 20, 30, tzinfo=UTC)
STEPS = (
    *(timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(hours=5)),
    *(timedelta(days=1), timedelta(days=7)),
)
MAX_CHANGES = 4
PUBLISHED = """
    select entity_kind, entity_id::text, period_kind, period_start, period_end, receivable_days, numerators,
        denominators, value_hundredths, statuses
    from analytics.metric_cells where tenant_id = %s
"""


class Round(NamedTuple):
    """A round: its number, what happened before the refresh, and the tables whose rows differ, with their number."""

    number: int
    now: datetime
    changes: list[str]
    differing: dict[str, int]


def run_rounds(
    installation: Installation, folder: Path, seed: int, rounds: int, max_changes: int = MAX_CHANGES
) -> Generator[Round]:
    """Yield the rounds of a practice of its own. In a quarter of them nothing changes but the clock."""
    rng = random.Random(seed)  # noqa: S311 - not for cryptography
    generate(folder / "bundle", Size(f"Rounds {seed}", "America/New_York", 3, 60, 3), seed, START)
    practice_id = import_practice(installation, folder / "bundle").practice.id
    root, now = folder / "warehouse", START
    refresh_practice(installation.store, root, practice_id, now, "duckdb", print_nothing)
    with installation.store.connect("superuser") as connection:
        connection.autocommit = True
        disable_other_triggers(connection)
        records = RecordChanges(connection, practice_id, seed)
        for number in range(1, rounds + 1):
            now += rng.choice(STEPS) * rng.choice([0, 1, 1, rng.random()])
            quiet = number % 4 == 0
            changes = [] if quiet else [records.change_something(now) for _ in range(rng.randint(1, max_changes))]
            refresh_practice(installation.store, root, practice_id, now, "duckdb", print_nothing)
            differing = compare_with_full(installation, practice_id, now, root / practice_id.hex / FILE, folder)
            if number % 10 == 0 or number == rounds:
                published = connection.execute(PUBLISHED.encode(), [practice_id]).fetchall()
                differing |= compare_published(root / practice_id.hex / FILE, published)
            yield Round(number, now, changes, differing)


def compare_with_full(
    installation: Installation, practice_id: UUID, now: datetime, file: Path, folder: Path
) -> dict[str, int]:
    """Return the tables whose rows differ from those of a full build, with the number of these rows."""
    full = folder / "full.duckdb"
    full.unlink(missing_ok=True)
    build_duckdb(installation.store, Scope(practice_id, now), full, print_nothing)
    differing = {}
    with open_file(file, read_only=True) as connection:
        connection.execute(f"attach '{full}' as full_build (read_only)")
        queries = {
            f"analytics.{fact}": (f"from analytics.{fact}", f"from full_build.analytics.{fact}")
            for fact in (*FACTS, "clinician_days")
        }
        expected = f"select {CELLS} from full_build.analytics.cells"
        queries["cells"] = (f"select {CELLS} from analytics.cells", expected)
        queries["published"] = ("from published.cells", expected)
        for name, (one, other) in queries.items():
            count = count_differing(connection, one, other)
            if count:
                differing[name] = count
        if "cells" in differing:
            differing |= dict.fromkeys(list_metrics_that_differ(connection)[:5], 1)
    return differing


def count_differing(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> int:
    query = f"select count(*) from ((({one}) except all ({other})) union all (({other}) except all ({one})))"
    return connection.execute(query).fetchall()[0][0]


def compare_published(file: Path, published: list[tuple[object, ...]]) -> dict[str, int]:
    """Return whether the published table has the rows of the file."""
    with open_file(file, read_only=True) as connection:
        kept = connection.execute("from published.cells").fetchall()
    count = len(set(map(repr, kept)) ^ set(map(repr, published)))
    return {"analytics.metric_cells": count} if count else {}


def print_nothing(message: str) -> None:
    """Report no progress."""


def list_metrics_that_differ(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return what differs from the cells of the attached full build, by entity and period."""
    query = f"""
        select {CELL_KEY},
            o.numerators, o.denominators, o.statuses, o.receivable_days,
            e.numerators, e.denominators, e.statuses, e.receivable_days
        from (select {CELLS} from analytics.cells) as o
        full join (select {CELLS} from full_build.analytics.cells) as e using ({CELL_KEY})
        where o is distinct from e
    """
    keys = list(METRICS)
    found = []
    for kind, _, period, start, *values in connection.execute(query).fetchall():
        ours, expected = values[:4], values[4:]
        if None in (ours[0], expected[0]):
            found.append(f"{kind} {period} {start}: only one has it")
            continue
        names = [
            f"{key} {n}/{d} {s} not {m}/{e} {t}"
            for key, n, d, s, m, e, t in zip(keys, *ours[:3], *expected[:3], strict=True)
            if (n, d, s) != (m, e, t)
        ]
        found.append(f"{kind} {period} {start}: {', '.join(names)} {ours[3]} {expected[3]}")
    return found
