"""The golden bundles, where CASELOAD_GOLDEN names their folder."""

import csv
import io
import os
from pathlib import Path

import pytest

from practice.security.doctor import examine
from practice.security.installation import Installation
from tests.support.builders.bundles import NOW, contents, move_in, move_out, read

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))
pytestmark = pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN names no folder")


@pytest.mark.parametrize("name", ["practice_a", "practice_b"])
def test_a_golden_bundle_has_no_fault(name: str) -> None:
    frames = read(GOLDEN / name).frames
    lines = {file.stem: len(file.read_text().splitlines()) - 1 for file in (GOLDEN / name).glob("*.csv")}
    assert {table: len(frames[table]) for table in lines} == lines
    assert not frames["appointments"]["overlap_allowed"].any()


@pytest.mark.parametrize("name", ["practice_a", "practice_b"])
def test_a_golden_bundle_comes_out_as_it_went_in_and_again_from_another_installation(
    installation: Installation, own_installation: Installation, tmp_path: Path, name: str
) -> None:
    files = move_out(installation, move_in(installation, GOLDEN / name).practice, tmp_path / "out")
    for file, theirs in contents(GOLDEN / name).items():
        rows, wanted = rows_of(files[file]), rows_of(theirs)
        assert sorted(map(by_name, wanted)) == sorted(by_name({k: row[k] for k in wanted[0]}) for row in rows)
        if list(rows[0]) == list(wanted[0]):
            assert sorted(theirs.splitlines()) == sorted(files[file].splitlines())  # the very same text
        if "id" in rows[0]:
            assert [row["id"] for row in rows] == sorted(row["id"] for row in wanted)
    assert move_out(own_installation, move_in(own_installation, tmp_path / "out").practice, tmp_path / "again") == files
    own_installation.anchor_audit(NOW)
    assert [finding.sentence for finding in examine(own_installation, NOW) if not finding.ok] == []


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def by_name(row: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(row.items())
