"""The warehouse agrees with an independent computation of all metrics, cell by cell."""

import csv
import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from practice.security.installation import Installation
from tests.support.builders.edge_practices.draft import Span
from tests.support.builders.edge_practices.practice import SHORT_SPANS, make_practice
from tests.support.drivers.metric_agreement import (
    compute_expected,
    compute_warehouse,
    import_edge_practice,
    list_differences,
)
from tests.support.oracles.metrics.calendar import list_periods
from tests.support.oracles.metrics.values import compute_values

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))
AS_OF = datetime(2026, 3, 18, 20, 30, tzinfo=UTC)
SPAN = (date(2025, 10, 1), date(2026, 3, 31))
DAY_SPAN = (date(2026, 3, 1), date(2026, 3, 18))


@pytest.mark.parametrize("span", SHORT_SPANS, ids=lambda span: span.time_zone)
def test_every_cell_agrees(installation: Installation, tmp_path: Path, span: Span) -> None:
    edge = make_practice(span)
    practice = import_edge_practice(installation, tmp_path / "bundle", edge)
    for name in ("midnight", "signature"):
        expected = compute_expected(edge, edge.instants[name])
        assert {value.status for value in expected.values()} == {
            "on_target",
            "below_target",
            "alert",
            "info",
            "no_data",
        }
        for engine in ("duckdb", "postgres"):
            computed = compute_warehouse(installation, practice, edge, edge.instants[name], engine, tmp_path)
            differences = list_differences(expected, computed)
            assert not differences, f"{name}, {engine}: {len(differences)} of {len(expected)}, e.g. {differences[:3]}"


@pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN is not set")
@pytest.mark.parametrize("name", ["a", "b"])
def test_the_independent_computation_gives_the_golden_values(name: str) -> None:
    tables = {}
    for file in (GOLDEN / f"practice_{name}").glob("*.csv"):
        with file.open(newline="", encoding="utf-8") as rows:
            tables[file.stem] = list(csv.DictReader(rows))
    cells = 0
    for kind in ("day", "week", "month", "quarter"):
        file = GOLDEN / f"practice_{name}_{kind}.json"
        if not file.exists():
            continue
        expected = {
            (*(row[field] for field in ("metric_key", "entity_kind", "entity_id")), row["period_start"]): [
                row["status"],
                *(round_known(row[field]) for field in ("numerator", "denominator", "value")),
            ]
            for row in json.loads(file.read_text())
        }
        periods = list(list_periods(kind, *(DAY_SPAN if kind == "day" else SPAN)))
        computed = {
            (*key[:3], key.period_start.isoformat()): [
                value.status,
                *(round_known(number) for number in (value.numerator, value.denominator, value.value)),
            ]
            for key, value in compute_values(tables, AS_OF, periods, [])
        }
        differences = [(key, expected.get(key), computed.get(key)) for key in expected.keys() | computed.keys()]
        differences = [difference for difference in differences if difference[1] != difference[2]]
        assert not differences, f"{len(differences)} of {len(expected)} {kind} values, e.g. {differences[:3]}"
        cells += len(expected)
    assert cells > 8_000


def round_known(number: object) -> Decimal | None:
    """Return a number with as many digits as the golden files are exact to."""
    return None if number is None else round(Decimal(float(number)), 3)  # ty: ignore[invalid-argument-type]
