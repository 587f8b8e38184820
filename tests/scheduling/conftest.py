"""Fixtures for tests that book: the API of a practice of its own."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import BookingApi


@pytest.fixture
def booking_api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)
