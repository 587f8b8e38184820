"""The audit trail of access: the clients in lists, denied requests, pay, and the audit log itself."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_portal_client, make_service
from tests.support.drivers.clients import load_audit_entries, send_request
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code

Send = Callable[..., Any]
WEEK = "/pay/periods/2026-03-15"


@pytest.fixture
def send(client: TestClient, practice: PracticeFixture) -> Send:
    def send(method: str, path: str, by: Person | None = None, body: Any = None, **headers: str) -> Any:
        return send_request(client, practice, method, path, by, body, **headers)

    return send


def load_actions(client: TestClient, practice: PracticeFixture, subject: UUID) -> list[str]:
    params = {"subject_id": str(subject), "limit": 100}
    return [
        entry["action"]
        for entry in assert_ok(client.get(f"{V1}/audit", params=params, headers=auth_headers(practice)))["items"]
    ]


def test_lists_and_searches_record_the_clients_that_they_showed(
    client: TestClient, practice: PracticeFixture, send: Send
) -> None:
    clinician = practice.add("clinician")
    shown, other = make_client(practice, clinician), make_client(practice)
    make_appointment(practice, clinician, shown, make_service(practice), NOW)
    assert_ok(send("GET", "/clients", clinician))
    assert_ok(send("POST", "/clients/search", clinician, {"query": "casey"}))
    assert_ok(send("GET", "/appointments", clinician))
    assert_ok(send("GET", "/appointments/calendar", clinician))
    assert_ok(send("GET", "/compliance/session-completion", clinician))
    for action in ("clients.listed", "clients.searched", "appointments.listed", "calendar.read"):
        (entry,) = load_audit_entries(client, practice, action)
        assert entry["details"]["client_ids"] == [str(shown)], action
    assert_ok(send("GET", "/clients"))
    (latest, _) = load_audit_entries(client, practice, "clients.listed")
    assert latest["details"]["client_ids"] == sorted([str(shown), str(other)])
    # those who ask who has seen a client finds the lists too
    assert load_actions(client, practice, other).count("clients.listed") == 1
    assert load_actions(client, practice, shown).count("clients.listed") == 2
    assert "calendar.read" in load_actions(client, practice, shown)


@pytest.mark.parametrize(
    "path",
    [
        "/notes?client_id={id}",
        "/progress-reports?client_id={id}",
        "/treatment-plans?client_id={id}",
        "/treatment-plan-reviews?client_id={id}",
        "/compliance/session-completion?client={id}",
        "/appointments?client_id={id}",
    ],
)
def test_a_list_of_a_client_who_is_not_visible_is_no_access_to_the_client(
    client: TestClient, practice: PracticeFixture, send: Send, path: str
) -> None:
    clinician = practice.add("clinician")
    own, other, nobody = make_client(practice, clinician), make_client(practice), new_id()
    for client_id in (own, other, nobody):
        assert assert_ok(send("GET", path.format(id=client_id), clinician))["items"] == []
    assert len(load_actions(client, practice, own)) == 1
    assert load_actions(client, practice, other) == load_actions(client, practice, nobody) == []


@pytest.mark.parametrize("path", ["/deletion-requests?client_id={id}", "/intake-forms?client_id={id}"])
def test_a_list_of_an_unknown_client_is_no_access(
    client: TestClient, practice: PracticeFixture, send: Send, path: str
) -> None:
    known, nobody = make_client(practice), new_id()
    for client_id in (known, nobody):
        assert assert_ok(send("GET", path.format(id=client_id)))["items"] == []
    assert load_actions(client, practice, known) == ["client.read"]
    assert load_actions(client, practice, nobody) == []


def test_a_search_in_the_notes_of_a_client_who_is_not_visible_is_no_access(
    client: TestClient, practice: PracticeFixture, send: Send
) -> None:
    clinician = practice.add("clinician")
    own, other = make_client(practice, clinician), make_client(practice)
    for client_id in (own, other):
        assert_ok(send("POST", "/notes/search", clinician, {"query": "sleep", "client_id": str(client_id)}))
    assert load_actions(client, practice, own) == ["notes.searched"]
    assert load_actions(client, practice, other) == []


def test_a_denied_request_is_recorded(client: TestClient, practice: PracticeFixture, send: Send) -> None:
    biller, clinician = practice.add("biller"), practice.add("clinician")
    patient, other = make_portal_client(practice, clinician), make_client(practice)
    nothing = str(new_id())
    denied = [
        send("PATCH", f"/staff/{biller.staff_id}", biller, {"npi": None}, If_Match='"1"'),
        send("GET", f"/notes/{nothing}"),  # an admin without a reason
        send(
            "POST",
            "/appointments",
            patient,
            {"client_id": str(other), "service_code": "X", "starts_at": NOW.isoformat()},
        ),
    ]
    assert [(answer.status_code, error_code(answer)) for answer in denied] == [
        *((403, "FORBIDDEN"), (403, "REASON_MISSING"), (403, "FORBIDDEN"))
    ]
    entries = load_audit_entries(client, practice, "access.denied")[::-1]
    assert [entry["details"] for entry in entries] == [
        {"operation": "change_staff", "code": "FORBIDDEN", "path": {"staff_id": str(biller.staff_id)}},
        {"operation": "get_note", "code": "REASON_MISSING", "path": {"note_id": nothing}},
        {"operation": "book_appointment", "code": "FORBIDDEN", "path": {}},
    ]
    accounts = [str(person.account_id) for person in (biller, practice.admin, patient)]
    assert [entry["account_id"] for entry in entries] == accounts
    assert send("GET", f"/staff/{nothing}").status_code == 404
    assert len(load_audit_entries(client, practice, "access.denied")) == 3


def test_reading_pay_is_recorded(client: TestClient, practice: PracticeFixture, send: Send) -> None:
    staff_id = practice.add("clinician").staff_id
    paths = {
        "pay_periods.listed": "/pay/periods",
        "pay_period.read": WEEK,
        "pay_statements.listed": f"{WEEK}/statements",
        "pay_rates.read": f"/staff/{staff_id}/pay-rates",
        "pay_multipliers.listed": "/pay/multipliers",
        "pay_period.exported": f"{WEEK}/export",
    }
    for action, path in paths.items():
        assert send("GET", path).status_code == 200, path
        (entry,) = load_audit_entries(client, practice, action)
        assert entry["account_id"] == str(practice.admin.account_id)
    for suffix in ("", ".csv", ".pdf"):
        assert send("GET", f"{WEEK}/statements/{staff_id}{suffix}").status_code == 200
    entries = load_audit_entries(client, practice, "pay_statement.read", staff_id)
    assert [entry["details"] for entry in entries] == [{"week": "2026-03-15"}] * 3


def test_reading_the_audit_log_is_recorded_once_for_each_search(
    client: TestClient, practice: PracticeFixture, send: Send
) -> None:
    practice.token()
    first = assert_ok(send("GET", "/audit?action=session.started&limit=1"))
    assert_ok(send("GET", f"/audit?action=session.started&limit=1&cursor={first['next_cursor']}"))
    searches = [entry["details"] for entry in load_audit_entries(client, practice, "audit.searched")]
    assert searches == [{"filters": {"action": "session.started"}}]
