"""A ward of its own for every test about notes."""

import pytest
from fastapi.testclient import TestClient

from tests.support.notes import Ward
from tests.support.people import House


@pytest.fixture
def ward(client: TestClient, practice: House) -> Ward:
    return Ward(client, practice)
