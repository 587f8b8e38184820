"""The golden bundles in the folder CASELOAD_GOLDEN, if that is set."""

import csv
import io
import os
from pathlib import Path

import pytest

from practice.security.doctor import examine
from practice.security.installation import Installation
from tests.support.builders.bundles import NOW, export_files, import_practice, read, read_files

GOLDEN = Path(os.environ.get("CASELOAD_GOLDEN", "nowhere"))
pytestmark = pytest.mark.skipif("CASELOAD_GOLDEN" not in os.environ, reason="CASELOAD_GOLDEN names no folder")


@pytest.mark.parametrize("name", ["practice_a", "practice_b"])
def test_a_golden_bundle_is_valid(name: str) -> None:
    frames = read(GOLDEN / name).frames
    lines = {file.stem: len(file.read_text().splitlines()) - 1 for file in (GOLDEN / name).glob("*.csv")}
    assert {table: len(frames[table]) for table in lines} == lines
    assert not frames["appointments"]["overlap_allowed"].any()


@pytest.mark.parametrize("name", ["practice_a", "practice_b"])
def test_a_golden_bundle_survives_two_round_trips(
    installation: Installation, own_installation: Installation, tmp_path: Path, name: str
) -> None:
    files = export_files(installation, import_practice(installation, GOLDEN / name).practice, tmp_path / "out")
    for file, original in read_files(GOLDEN / name).items():
        rows, expected = parse_rows(files[file]), parse_rows(original)
        assert sorted(map(sort_columns, expected)) == sorted(
            sort_columns({k: row[k] for k in expected[0]}) for row in rows
        )
        if list(rows[0]) == list(expected[0]):
            assert sorted(original.splitlines()) == sorted(files[file].splitlines())  # the same text
        if "id" in rows[0]:
            assert [row["id"] for row in rows] == sorted(row["id"] for row in expected)
    assert (
        export_files(own_installation, import_practice(own_installation, tmp_path / "out").practice, tmp_path / "again")
        == files
    )
    own_installation.anchor_audit(NOW)
    assert [finding.message for finding in examine(own_installation, NOW) if not finding.ok] == []


def parse_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sort_columns(row: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(row.items())
