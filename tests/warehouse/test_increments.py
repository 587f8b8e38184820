"""Incremental refreshes: after each round of changes and passing time they are equal to full builds."""

from pathlib import Path

import pytest

from practice.security.installation import Installation
from tests.support.drivers.incremental_rounds import run_rounds
from warehouse import continuation

ROUNDS, CHANGES = 4, 12


@pytest.fixture(autouse=True)
def _never_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small practice a few changes touch most clients: it would be computed as a whole."""
    monkeypatch.setattr(continuation, "MAX_SHARE", 2)


def test_an_incremental_refresh_equals_a_full_one(own_installation: Installation, tmp_path: Path) -> None:
    for done in run_rounds(own_installation, tmp_path, 1, ROUNDS, CHANGES):
        assert done.differing == {}, done
