"""Fixtures of tests about notes."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.notes import NotesApi


@pytest.fixture
def notes_api(client: TestClient, practice: PracticeFixture) -> NotesApi:
    return NotesApi(client, practice)
