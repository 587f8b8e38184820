"""Notes of sessions that began before their scheduled start."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import MINUTE, MONDAY, BookingApi, assert_error, local

TEN = local(MONDAY, 10)
SECTIONS = {"subjective": "Slept better.", "objective": "Calm.", "assessment": "Better.", "plan": "Go on."}


@pytest.fixture
def booking_api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    api = BookingApi(client, practice)
    api.now = TEN - 10 * MINUTE
    return api


def write_note(booking_api: BookingApi, visit: dict[str, Any]) -> Any:
    body = {"client_id": visit["client_id"], "appointment_id": visit["id"], "type": "SOAP_NOTE", "sections": SECTIONS}
    return booking_api.post("/notes", booking_api.clinician, **body)


@pytest.mark.parametrize("steps", [["check-in", "start"], ["check-in", "start", "complete"], ["complete"]])
def test_the_note_of_a_session_that_began_early_is_written(booking_api: BookingApi, steps: list[str]) -> None:
    visit = booking_api.book_appointment(TEN)
    for step in steps:
        booking_api.take_step(visit, step)
    written = write_note(booking_api, visit)
    assert written.status_code == 201, written.text
    path, version = f"/api/v1/notes/{written.json()['id']}/sign", written.json()["version"]
    headers = booking_api.build_headers(booking_api.clinician, if_match=f'"{version}"')
    signed = booking_api.http.post(path, json={}, headers=headers)
    assert signed.status_code == 200, signed.text


def test_a_session_is_completed_early_together_with_its_note(booking_api: BookingApi) -> None:
    visit = booking_api.book_appointment(TEN)
    note = {"type": "SOAP_NOTE", "sections": SECTIONS}
    completed = booking_api.take_step(visit, "complete", booking_api.clinician, clinical_note=note)
    assert completed["status"] == "COMPLETED"


def test_the_note_of_a_client_who_only_waits_is_not_written(booking_api: BookingApi) -> None:
    visit = booking_api.book_appointment(TEN)
    booking_api.take_step(visit, "check-in")
    assert "has not begun" in assert_error(write_note(booking_api, visit), "VALIDATION_ERROR", 422)["message"]
