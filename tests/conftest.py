"""What every test may ask for: a migrated database of its worker, an installation over it, a practice of its own.

Tests share a worker's database without meeting: each makes practices of its own, and no practice sees another.
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
from tests.support.harness.in_process import Service

settings.register_profile("untimed", deadline=None)  # a busy machine is no defect
settings.load_profile("untimed")

for name in [name for name in os.environ if name.startswith("CASELOAD_") or name.startswith("DATABASE_")]:
    if name not in ("CASELOAD_GOLDEN", "CASELOAD_LONG", cluster.FOLDER):
        del os.environ[name]  # a developer's own installation stays out of the tests


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        cluster.make_folder()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        cluster.remove_folder()


def installation_on(database: str, folder: Path, **settings: Any) -> Installation:
    unhurried: dict[str, Any] = dict.fromkeys(
        ("requests_per_minute", "practice_requests_per_minute", "sign_ins_per_minute"), 1_000_000
    )
    key = SecretStr(MasterKey.generate().to_text())
    given = Settings(data_dir=folder, master_key=key, **unhurried | settings)
    return Installation(given, Store(cluster.server().data_dir, database=database))


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The installation of this worker."""
    cluster.prepare_template()
    database = f"test_{new_id().hex}"
    cluster.copy_template(database)
    installation = installation_on(database, tmp_path_factory.mktemp("installation"))
    yield installation
    installation.store.close()
    cluster.drop(database)


@contextmanager
def fresh_installation(folder: Path) -> Generator[Installation]:
    cluster.prepare_template()
    database = f"own_{new_id().hex}"
    cluster.copy_template(database)
    installation = installation_on(database, folder)
    yield installation
    installation.store.close()
    cluster.drop(database)


@pytest.fixture
def own_installation(tmp_path: Path) -> Iterator[Installation]:
    """An installation for one test alone, which may break it."""
    with fresh_installation(tmp_path) as installation:
        yield installation


@pytest.fixture
def other_installation(tmp_path: Path) -> Iterator[Installation]:
    """A second one, for what goes from one to another."""
    with fresh_installation(tmp_path / "other") as installation:
        yield installation


@pytest.fixture
def practice(installation: Installation) -> PracticeFixture:
    return make_practice(installation)


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """Where the service in this process runs."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture(scope="session")
def app(installation: Installation) -> FastAPI:
    """For all tests of a worker: making it takes a second."""
    return create_app(installation)


@pytest.fixture
def client(app: FastAPI, portal: BlockingPortal) -> TestClient:
    """The API at a fixed time; a test moves it by setting `client.app.state.clock`."""
    app.state.clock = lambda: NOW
    return Service(app, portal)


@pytest.fixture
def own_client(client: TestClient, installation: Installation, own_installation: Installation) -> Iterator[TestClient]:
    """The same over the installation of one test alone."""
    client.app.state.installation = own_installation
    yield client
    client.app.state.installation = installation
