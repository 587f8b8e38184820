"""Access to a chart that rests on visits, over HTTP: what opens it, how long, what remains, and the audit log."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.notes import SOAP
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import BookingApi, local
from tests.support.drivers.http import assert_ok
from tests.support.drivers.notes import NotesApi

DAY = timedelta(days=1)
CHART = (
    *("", "/timeline", "/documents", "/coverages", "/consents", "/statuses", "/primary-clinician"),
    *("/notification-preferences", "/treatment-plan", "/safety-plan", "/progress-reports"),
)


def test_a_cancelled_booking_does_not_open_the_chart(client: TestClient, practice: PracticeFixture) -> None:
    api = BookingApi(client, practice)
    other = api.add_clinician()
    patient = make_client(practice, other)
    start = local((practice.now + DAY).date(), 10)
    assert api.get(f"/clients/{patient}", api.clinician).status_code == 404
    booked = api.book_appointment(start, client_id=patient)
    assert api.get(f"/clients/{patient}", api.clinician).status_code == 200
    api.take_step(booked, "cancel", reason="The wrong client")
    assert api.get(f"/clients/{patient}", api.clinician).status_code == 404
    assert api.get("/clients", api.clinician, clinician_id=api.clinician.staff_id).json()["items"] == [
        item for item in api.get("/clients", api.clinician).json()["items"] if item["id"] != str(patient)
    ]
    again = api.book_appointment(start, client_id=patient)
    moved = api.take_step(again, "reschedule", starts_at=start + DAY, clinician_id=other.staff_id)
    assert moved["items"][0]["clinician_id"] == str(other.staff_id)
    assert api.get(f"/clients/{patient}", api.clinician).status_code == 404


@pytest.fixture
def visit_only(notes_api: NotesApi) -> Person:
    """Return the colleague, who has seen the client once and is not the primary clinician."""
    notes_api.make_session(clinician=notes_api.colleague, status="COMPLETED", status_at=notes_api.now)
    return notes_api.colleague


@pytest.fixture
def notes_api(client: TestClient, practice: PracticeFixture) -> NotesApi:
    return NotesApi(client, practice)


def test_reading_a_chart_by_a_visit_is_audited_everywhere(notes_api: NotesApi, visit_only: Person) -> None:
    own = {"client_id": str(notes_api.client)}
    note = notes_api.create_signed_note()
    paths: list[tuple[str, dict[str, Any]]] = [(f"/clients/{notes_api.client}{part}", {}) for part in CHART]
    paths += [(f"/notes/{note['id']}{part}", {}) for part in ("", "/history", "/verification")]
    paths += [
        (path, own)
        for path in ("/notes", "/treatment-plans", "/treatment-plan-reviews", "/progress-reports", "/intake-forms")
    ]
    query = "select count(*) from audit_log where tenant_id = :tenant_id and subject_id = :id and account_id = :by"
    for path, params in paths:
        before = notes_api.load_rows(query, id=notes_api.client, by=visit_only.account_id)[0][0]
        assert_ok(notes_api.get(path, visit_only, **params))
        after = notes_api.load_rows(query, id=notes_api.client, by=visit_only.account_id)[0][0]
        assert after == before + 1, path


def test_own_notes_outlast_the_access_to_the_chart(notes_api: NotesApi, visit_only: Person) -> None:
    """What a clinician wrote stays readable and can be finished; the rest of the chart closes."""
    (session,) = notes_api.load_rows(
        "select id from appointments where tenant_id = :tenant_id and clinician_id = :id", id=visit_only.staff_id
    )
    others_note = notes_api.create_signed_note()
    own = notes_api.take_step(notes_api.create_note(visit_only), "sign", visit_only)
    due = notes_api.create_note(visit_only, appointment_id=session.id)
    assert notes_api.read(others_note, visit_only)["status"] == "SIGNED"

    notes_api.now += 91 * DAY
    for path in (f"/clients/{notes_api.client}", f"/notes/{others_note['id']}"):
        assert notes_api.get(path, visit_only).status_code == 404
    listed = {item["id"] for item in notes_api.get("/notes", visit_only).json()["items"]}
    assert listed == {own["id"], due["id"]}
    amended = notes_api.take_step(own, "amend", visit_only, sections=SOAP, reason="A wrong date")
    assert amended["status"] == "AMENDED"
    notes_api.post_step(due, "unlock", notes_api.practice.admin, reason="Was ill")
    assert notes_api.take_step(due, "sign", visit_only)["status"] == "SIGNED"
    # a note of an own session is still due, other notes are not
    assert notes_api.post_note(visit_only).status_code == 422
    assert notes_api.post_note(visit_only, appointment_id=session.id).status_code == 201
