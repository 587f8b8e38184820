"""A ward of its own for every test about notes."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import House
from tests.support.drivers.notes import Ward


@pytest.fixture
def ward(client: TestClient, practice: House) -> Ward:
    return Ward(client, practice)
