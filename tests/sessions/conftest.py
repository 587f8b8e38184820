"""A practice with somebody of every role who has to do with sessions, and its API as they use it."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.sessions import SessionsApi


@pytest.fixture
def sessions_api(client: TestClient, practice: PracticeFixture) -> SessionsApi:
    return SessionsApi(client, practice)
