"""The front booking_api of a practice of its own, for every test that books."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import BookingApi


@pytest.fixture
def booking_api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)
