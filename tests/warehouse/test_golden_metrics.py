"""The golden metrics on both engines, if CASELOAD_GOLDEN names their folder."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from caseload.warehouse import to_document
from practice.analytics.values import Selection
from practice.security.installation import Installation
from tests.support.builders.bundles import import_practice
from warehouse.builds import read_values
from warehouse.refresh import compute_aside

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))
AS_OF = datetime(2026, 3, 18, 20, 30, tzinfo=UTC)
SPANS = {"day": (date(2026, 3, 1), date(2026, 3, 18))}  # by period kind, where it is not that of all others
SPAN = (date(2025, 10, 1), date(2026, 3, 31))


@pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN is not set")
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
@pytest.mark.parametrize("name", ["a", "b"])
def test_every_cell_agrees(own_installation: Installation, tmp_path: Path, name: str, engine: str) -> None:
    practice = import_practice(own_installation, GOLDEN / f"practice_{name}").practice
    files = {
        kind: file
        for kind in ("day", "week", "month", "quarter")
        if (file := GOLDEN / f"practice_{name}_{kind}.json").exists()
    }
    assert {"week", "month"} <= set(files)
    with compute_aside(own_installation.store, tmp_path, practice.id, AS_OF, SPAN[0], engine, print) as build:
        for kind, file in files.items():
            first, last = SPANS.get(kind, SPAN)
            selection = Selection(period_kind=kind, first=first, last=last)
            values = [to_document(value) for value in read_values(build, selection)]
            (tmp_path / "ours.json").write_text(json.dumps(values))
            compare = [sys.executable, GOLDEN / "compare.py", "metrics", file, tmp_path / "ours.json"]
            process = subprocess.run(compare, capture_output=True, text=True, check=False)
            assert process.returncode == 0, process.stdout + process.stderr
