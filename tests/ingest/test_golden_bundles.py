"""The golden bundles, where CASELOAD_GOLDEN names their folder."""

import os
from pathlib import Path

import pytest

from tests.support.bundles import read

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))
pytestmark = pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN names no folder")


@pytest.mark.parametrize("name", ["practice_a", "practice_b"])
def test_a_golden_bundle_has_no_fault(name: str) -> None:
    frames = read(GOLDEN / name).frames
    lines = {file.stem: len(file.read_text().splitlines()) - 1 for file in (GOLDEN / name).glob("*.csv")}
    assert {table: len(frames[table]) for table in lines} == lines
    assert not frames["appointments"]["overlap_allowed"].any()
