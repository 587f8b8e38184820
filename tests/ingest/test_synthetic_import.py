"""What is made up goes in, whatever the size, and comes out again as it was made."""

from pathlib import Path

import pytest

from ingest.bundle.reader import read_bundle
from ingest.synthetic import make_up
from practice.security.installation import Installation
from tests.support.builders.bundles import contents, move_in, move_out
from tests.support.drivers.synthetic import PRACTICES, SMALL


@pytest.mark.parametrize("which", list(PRACTICES))
def test_the_import_finds_nothing_wrong_with_it(which: str, tmp_path: Path) -> None:
    size, seed, until = PRACTICES[which]
    counts = make_up(tmp_path, size, seed, until)
    bundle = read_bundle(tmp_path, until, lambda _: None)
    assert {f"{name}.csv": len(frame) for name, frame in bundle.frames.items()} == counts


def test_it_comes_out_as_it_was_made(installation: Installation, tmp_path: Path) -> None:
    size, seed, until = PRACTICES[SMALL]
    counts = make_up(tmp_path / "made", size, seed, until)
    done = move_in(installation, tmp_path / "made")
    assert done.rows == counts
    assert move_out(installation, done.practice, tmp_path / "out") == contents(tmp_path / "made")
