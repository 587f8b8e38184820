"""The pages' server of one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from dashboards import signed_in
from tests.support.drivers.pages import Pages


@pytest.fixture
def pages(client: TestClient, portal: BlockingPortal, tmp_path: Path) -> Iterator[Pages]:
    yield Pages(client.app, portal, tmp_path)  # ty: ignore[invalid-argument-type]
    signed_in.sessions = None
