"""Synthetic practices are valid bundles and survive a round trip."""

from pathlib import Path

import pytest

from ingest.bundle.reader import read_bundle
from ingest.synthetic import generate
from practice.security.installation import Installation
from tests.support.builders.bundles import export_files, import_practice, read_files
from tests.support.drivers.synthetic import PRACTICES, SMALL


@pytest.mark.parametrize("name", list(PRACTICES))
def test_a_synthetic_practice_is_valid(name: str, tmp_path: Path) -> None:
    size, seed, until = PRACTICES[name]
    counts = generate(tmp_path, size, seed, until)
    bundle = read_bundle(tmp_path, until, lambda _: None)
    assert {f"{name}.csv": len(frame) for name, frame in bundle.frames.items()} == counts


def test_a_synthetic_practice_is_exported_unchanged(installation: Installation, tmp_path: Path) -> None:
    size, seed, until = PRACTICES[SMALL]
    counts = generate(tmp_path / "made", size, seed, until)
    imported = import_practice(installation, tmp_path / "made")
    assert imported.rows == counts
    assert export_files(installation, imported.practice, tmp_path / "out") == read_files(tmp_path / "made")
