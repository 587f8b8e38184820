"""Fixtures of all tests: a migrated database per worker, an installation on it, and a practice per test.

Tests share the database of a worker without interfering: each creates its own practices, which cannot see each other.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import settings
from pydantic import SecretStr

from api.app import create_app
from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.settings import Settings
from practice.store.ids import new_id
from practice.store.store import Store
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.harness import cluster
from tests.support.harness.in_process import InProcessClient

settings.register_profile("untimed", deadline=None)  # a slow machine is not a defect
settings.load_profile("untimed")

for name in [name for name in os.environ if name.startswith("CASELOAD_") or name.startswith("DATABASE_")]:
    if name not in ("CASELOAD_GOLDEN", "CASELOAD_LONG", cluster.FOLDER):
        del os.environ[name]  # a developer's own installation must not affect the tests


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        cluster.create_folder()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        cluster.remove_folder()


def create_installation(database: str, folder: Path, **settings: Any) -> Installation:
    unlimited: dict[str, Any] = dict.fromkeys(
        ("requests_per_minute", "practice_requests_per_minute", "sign_ins_per_minute"), 1_000_000
    )
    key = SecretStr(MasterKey.generate().to_text())
    configured = Settings(data_dir=folder, master_key=key, **unlimited | settings)
    return Installation(configured, Store(cluster.get_server().data_dir, database=database))


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Yield the installation of this worker."""
    cluster.prepare_template()
    database = f"test_{new_id().hex}"
    cluster.copy_template(database)
    installation = create_installation(database, tmp_path_factory.mktemp("installation"))
    yield installation
    installation.store.close()
    cluster.drop_database(database)


@contextmanager
def create_fresh_installation(folder: Path) -> Generator[Installation]:
    cluster.prepare_template()
    database = f"own_{new_id().hex}"
    cluster.copy_template(database)
    installation = create_installation(database, folder)
    yield installation
    installation.store.close()
    cluster.drop_database(database)


@pytest.fixture
def own_installation(tmp_path: Path) -> Iterator[Installation]:
    """Yield an installation for one test, which may break it."""
    with create_fresh_installation(tmp_path) as installation:
        yield installation


@pytest.fixture
def other_installation(tmp_path: Path) -> Iterator[Installation]:
    """Yield a second installation, for transfers between the two."""
    with create_fresh_installation(tmp_path / "other") as installation:
        yield installation


@pytest.fixture
def practice(installation: Installation) -> PracticeFixture:
    return make_practice(installation)


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """Yield the event loop that the in-process service runs in."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="session")
def app(installation: Installation) -> FastAPI:
    """Return the app for all tests of a worker, since creating it takes a second."""
    return create_app(installation)


@pytest.fixture
def client(app: FastAPI, portal: BlockingPortal) -> TestClient:
    """Return a client of the API at a fixed time, which a test changes with `client.app.state.clock`."""
    app.state.clock = lambda: NOW
    return InProcessClient(app, portal)


@pytest.fixture
def own_client(client: TestClient, installation: Installation, own_installation: Installation) -> Iterator[TestClient]:
    """Yield the client on the installation of one test."""
    client.app.state.installation = own_installation
    yield client
    client.app.state.installation = installation
