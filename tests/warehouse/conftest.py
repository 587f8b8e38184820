"""Fixtures of the warehouse tests."""

from pathlib import Path

import pytest

from practice.people.models.practices import Practice
from practice.security.installation import Installation
from tests.support.builders.bundles import import_practice, load_sample_rows, make_unique, write_folder


def import_oak_street(installation: Installation, folder: Path) -> Practice:
    """Import the sample practice under a name of its own."""
    return import_practice(installation, write_folder(folder, make_unique(load_sample_rows()))).practice


def be_quiet(message: str) -> None:
    """Report no progress."""


@pytest.fixture
def oak_street(installation: Installation, tmp_path: Path) -> Practice:
    return import_oak_street(installation, tmp_path / "bundle")
