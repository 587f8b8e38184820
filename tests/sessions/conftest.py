"""Fixtures of the session tests."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.sessions import SessionsApi


@pytest.fixture
def sessions_api(client: TestClient, practice: PracticeFixture) -> SessionsApi:
    return SessionsApi(client, practice)
