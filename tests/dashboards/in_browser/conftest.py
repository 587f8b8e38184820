"""A running stack with its pages for the tests in Chromium, one for all of a worker; each test has a practice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.browser import require_chromium, run_pages
from tests.support.drivers.server import Server, run_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    require_chromium()
    with run_server(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of the pages."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def url(server: Server, folder: Path) -> Iterator[str]:
    with run_pages(server, folder) as address:
        yield address


@pytest.fixture
def practice(server: Server) -> PracticeFixture:
    return server.create_practice()
