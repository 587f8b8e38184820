"""More of the page of a clinician over HTTP: own requests, clients who need a report, and own pay statements."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.clinical.models.reports import ProgressReport
from practice.payroll.rates import set_pay_rate
from practice.scheduling.reschedule_requests import reject_request, request_reschedule
from practice.security.permissions import Scope
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import put
from tests.support.builders.sessions import SessionBuilder, pay_session
from tests.support.drivers.http import V1, assert_ok, auth_headers

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def sessions(practice: PracticeFixture) -> SessionBuilder:
    return SessionBuilder(practice, practice.add("clinician"))


def load_page(client: TestClient, practice: PracticeFixture, by: Person) -> dict[str, Any]:
    return assert_ok(client.get(f"{V1}/dashboards/my-practice", headers=auth_headers(practice, by)))


def ask_to_move(practice: PracticeFixture, clinician: Person, appointment_id: UUID) -> UUID:
    with practice.work(clinician) as work:
        return request_reschedule(work, Scope.OWN, appointment_id, NOW + 9 * DAY, "A training").id


def test_own_requests_are_shown_with_their_state(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder
) -> None:
    visits = [
        sessions.add_session(NOW + days * DAY, status="SCHEDULED", status_at=None, reference=f"BK-2026-00000{days}")
        for days in (5, 6)
    ]
    colleague = practice.add("clinician")
    other = sessions.add_session(NOW + 5 * DAY, status="SCHEDULED", status_at=None, clinician=colleague)
    refused, waiting = (ask_to_move(practice, sessions.clinician, visit) for visit in visits)
    ask_to_move(practice, colleague, other)
    with practice.work() as work:
        reject_request(work, refused, "The room is taken.")
    requests = load_page(client, practice, sessions.clinician)["requests"]
    shown = {request["id"]: (request["status"], request["decision_note"]) for request in requests}
    assert shown == {str(refused): ("REJECTED", "The room is taken."), str(waiting): ("PENDING", None)}


def find_due(page: dict[str, Any]) -> list[str]:
    needs = [need for need in page["needs"] if need["key"] == "progress_reports"]
    return [record["id"] for need in needs for record in need["records"]]


def test_clients_who_were_seen_and_had_no_report_for_a_reviews_time_need_one(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder
) -> None:
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update clients set admitted_on = :day"), {"day": date(2025, 12, 1)})
    assert find_due(load_page(client, practice, sessions.clinician)) == []  # not seen yet
    sessions.add_session(NOW - 2 * DAY)
    assert find_due(load_page(client, practice, sessions.clinician)) == [str(sessions.client)]
    assert find_due(load_page(client, practice, practice.add("clinician"))) == []
    report = {"client_id": sessions.client, "clinician_id": sessions.clinician.staff_id, "created_at": NOW}
    put(practice, ProgressReport(id=new_id(), reported_on=date(2026, 3, 10), status="DRAFT", **report))
    assert find_due(load_page(client, practice, sessions.clinician)) == [str(sessions.client)]
    put(practice, ProgressReport(id=new_id(), reported_on=date(2026, 3, 10), status="FINAL", **report))
    assert find_due(load_page(client, practice, sessions.clinician)) == []


def test_own_statements_are_of_weeks_that_paid(
    client: TestClient, practice: PracticeFixture, sessions: SessionBuilder
) -> None:
    colleague = practice.add("clinician")
    with practice.work() as work:
        for person in (sessions.clinician, colleague):
            set_pay_rate(work, person.staff_id, 7500, date(2026, 2, 1))
    pay_session(practice, sessions.add_session(NOW - 16 * DAY), date(2026, 3, 1))
    pay_session(practice, sessions.add_session(NOW - 9 * DAY, clinician=colleague), date(2026, 3, 8))
    page = load_page(client, practice, sessions.clinician)
    assert (page["statements"], page["staff_id"]) == (["2026-03-01"], str(sessions.clinician.staff_id))
