"""The audit trail of lists: every list that shows something about a client records the client."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.notes import make_note
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, local
from tests.support.drivers.clients import send_request
from tests.support.drivers.http import assert_ok
from tests.support.drivers.sample_requests.reports import SECTIONS

TEN = local(MONDAY, 10)
COMPLETIONS = "/compliance/session-completion"


@pytest.fixture
def api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)


def fill_chart(api: BookingApi) -> tuple[UUID, dict[str, str]]:
    """Return a client of whom every list shows something, and the ids of their visits, group and series."""
    practice, clinician = api.practice, api.clinician
    client_id = make_client(practice, clinician, high_risk_since=date(2026, 3, 1))
    held = {"status": "COMPLETED", "status_at": api.now, "guarded": False}
    session_id = make_appointment(practice, clinician, client_id, api.service, api.now - 2 * DAY, **held)
    make_note(practice, clinician, client_id)
    make_service(practice, "GRIEF", kind="GROUP", capacity=3)
    booked = api.book_appointment(TEN, client_id=client_id)
    of_client = {"client_id": client_id}
    series = api.booking_body(TEN + DAY, rule="FREQ=WEEKLY;COUNT=2", **of_client)
    group = {"clinician_id": clinician.staff_id, "service_code": "GRIEF", "starts_at": TEN + 2 * DAY}
    group_id = assert_ok(api.post("/group-sessions", **group), 201)["id"]
    made: list[tuple[str, Any, dict[str, Any]]] = [
        ("/appointments", None, {"group_session_id": group_id} | of_client),
        ("/waitlist", None, of_client),
        (
            "/reschedule-requests",
            clinician,
            {"appointment_id": booked["id"], "starts_at": TEN + HOUR, "reason": "Away"},
        ),
        ("/deletion-requests", practice.admin, of_client),
        ("/intake-forms", clinician, of_client),
        ("/treatment-plans", clinician, {"kind": "INDIVIDUAL", "starts_on": "2025-11-03"} | of_client),
        ("/progress-reports", clinician, {"sections": SECTIONS} | of_client),
    ]
    for path, by, body in made:
        assert_ok(api.post(path, by, **body), 201)
    series_id = assert_ok(api.post("/appointments/series", **series), 201)["series_id"]
    return client_id, {"session": str(session_id), "visit": booked["id"], "group": group_id, "series": series_id}


def test_every_list_that_shows_a_client_records_the_client(api: BookingApi) -> None:
    client_id, ids = fill_chart(api)
    clinician, scheduler, admin = api.clinician, api.scheduler, api.practice.admin

    def load_latest() -> dict[str, Any]:
        """Return the latest entry of those that somebody finds who asks who has seen the client."""
        return assert_ok(api.get("/audit", admin, subject_id=client_id, limit=1))["items"][0]

    unrecorded = []
    for path, by, body in (
        ("/clients", scheduler, None),
        ("/clients/search", scheduler, {"query": "casey"}),
        ("/appointments", clinician, None),
        ("/appointments/calendar?view=week&on=2026-03-23", clinician, None),
        (f"/appointments/series/{ids['series']}", scheduler, None),
        (f"/group-sessions/{ids['group']}", scheduler, None),
        ("/waitlist", scheduler, None),
        ("/reschedule-requests", scheduler, None),
        (COMPLETIONS, clinician, None),
        (f"{COMPLETIONS}/compliance/deadlines/me?week=2026-03-15", clinician, None),
        ("/deletion-requests", admin, None),
        ("/intake-forms", clinician, None),
        ("/notes", clinician, None),
        ("/notes/search", clinician, {"query": "diary"}),
        ("/progress-reports", clinician, None),
        ("/progress-reports/search", clinician, {"query": "should"}),
        ("/treatment-plans", clinician, None),
        ("/treatment-plan-reviews", clinician, None),
        ("/treatment-plans/due", clinician, None),
        ("/safety-plans/due", clinician, None),
    ):
        before = load_latest()["seq"]
        answer = send_request(api.http, api.practice, "POST" if body else "GET", path, by, body)
        assert_ok(answer)
        assert any(shown in answer.text for shown in (str(client_id), ids["session"], ids["visit"])), path
        entry = load_latest()
        if entry["seq"] == before or entry["account_id"] != str(by.account_id):
            unrecorded.append(path)
    assert unrecorded == []
