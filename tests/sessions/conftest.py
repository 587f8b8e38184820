"""A practice with somebody of every role who has to do with sessions, and its API as they use it."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import House
from tests.support.drivers.sessions import SessionDesk


@pytest.fixture
def desk(client: TestClient, practice: House) -> SessionDesk:
    return SessionDesk(client, practice)
