"""The rows behind values add up to their numerators and denominators, and say why they count."""

import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from practice.analytics.values import MetricValue, Selection
from practice.metric_dictionary import METRICS
from practice.people.models.practices import Practice
from practice.security.installation import Installation
from tests.support.builders.bundles import import_practice
from tests.warehouse.conftest import be_quiet
from warehouse.builds import Build, DuckDBBuild, read_values
from warehouse.refresh import compute_aside
from warehouse.rows import read_rows

NOW = datetime(2025, 11, 12, 17, 0, tzinfo=UTC)
GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))
LONG = bool(os.environ.get("CASELOAD_LONG"))
GOLDEN_AS_OF = datetime(2026, 3, 18, 20, 30, tzinfo=UTC)
SPANS = {
    "day": (date(2026, 2, 24), date(2026, 3, 18)),
    "week": (date(2025, 10, 1), date(2026, 3, 18)),
    "month": (date(2025, 10, 1), date(2026, 3, 31)),
    "quarter": (date(2025, 7, 1), date(2026, 3, 31)),
}


def list_samples(build: Build, kinds: Iterable[str]) -> Iterator[MetricValue]:
    """Yield a value of every metric, entity kind and period kind, one with much to count."""
    for kind in kinds:
        first, last = SPANS[kind]
        values = read_values(build, Selection(period_kind=kind, first=first, last=last))
        for key in METRICS:
            for entity_kind in ("practice", "clinician", "team"):
                found = [value for value in values if (value.metric_key, value.entity_kind) == (key, entity_kind)]
                if found:
                    yield max(found, key=lambda value: (value.denominator or 0, value.numerator, value.external_id))


def check_sums(build: Build, practice: Practice, kinds: Iterable[str]) -> int:
    """Compare the sums of rows with the values, and return for how many metrics there were rows."""
    seen = set()
    for value in list_samples(build, kinds):
        behind = read_rows(build, practice.id, value.value_key)
        assert len(behind.rows) == behind.count
        assert sum(row.numerator for row in behind.rows) == behind.numerator == value.numerator, value
        assert behind.denominator == value.denominator, value
        assert sum(row.denominator or 0 for row in behind.rows) == (value.denominator or 0), value
        assert all(row.reason for row in behind.rows)
        if behind.rows:
            seen.add(value.metric_key)
    return len(seen)


@pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN is not set")
@pytest.mark.parametrize(
    ("name", "engine", "kinds"),
    [
        ("a", "duckdb", SPANS if LONG else ["month"]),
        ("b", "duckdb", SPANS),
        ("b", "postgres", SPANS if LONG else ["month"]),
    ],
)
def test_rows_of_the_golden_practices_add_up(
    own_installation: Installation, tmp_path: Path, name: str, engine: str, kinds: Iterable[str]
) -> None:
    practice = import_practice(own_installation, GOLDEN / f"practice_{name}").practice
    with (
        compute_aside(own_installation.store, tmp_path, practice.id, GOLDEN_AS_OF, None, engine, be_quiet) as build,
        # keeps the file open for the many connections that follow
        build.connect() if isinstance(build, DuckDBBuild) else nullcontext(),
    ):
        assert check_sums(build, practice, kinds) >= 38


def test_rows_of_the_sample_practice_say_why_they_count(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    with compute_aside(installation.store, tmp_path, oak_street.id, NOW, None, "duckdb", be_quiet) as build:
        selection = Selection(frozenset(["kept_visit_rate"]), "month", date(2025, 10, 1), date(2025, 10, 1), "practice")
        (value,) = read_values(build, selection)
        behind = read_rows(build, oak_street.id, value.value_key)
        assert [row.reason for row in behind.rows].count("completed") == value.numerator == 2
        assert [row.reason for row in behind.rows].count("no-show or cancelled") == 2
        assert {row.kind for row in behind.rows} == {"appointment"}
        days = [row.on_date for row in behind.rows if row.on_date]
        assert days == sorted(days)
        pages = [read_rows(build, oak_street.id, value.value_key, 3, offset) for offset in (0, 3)]
        assert [*pages[0].rows, *pages[1].rows] == behind.rows
        assert {page.count for page in pages} == {4}
