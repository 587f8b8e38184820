"""A running service for the tests that need several worker processes: one for each test worker."""

from collections.abc import Generator

import httpx2
import pytest

from tests.support.drivers.server import Server, run_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with run_server(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def http(server: Server) -> Generator[httpx2.Client]:
    with server.open_client() as client:
        yield client
