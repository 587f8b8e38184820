"""The front desk of a practice of its own, for every test that books."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import House
from tests.support.drivers.booking import FrontDesk


@pytest.fixture
def desk(client: TestClient, practice: House) -> FrontDesk:
    return FrontDesk(client, practice)
