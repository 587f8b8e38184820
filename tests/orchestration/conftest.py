"""Fixtures of the orchestration tests."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import Place
from practice.security.installation import Installation


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Yield a storage of runs in memory."""
    with dg.instance_for_test() as instance:
        yield instance


@pytest.fixture
def place(own_installation: Installation, tmp_path: Path) -> Place:
    return Place(own_installation.store, tmp_path / "warehouse")
