"""Client status and primary clinician over HTTP: effective dates, history, and the resulting record."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.people.client_history import change_status
from practice.people.models.clients import ClientStatus
from practice.security.permissions import Scope
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import NEW_CLIENT, load_audit_entries, send_request
from tests.support.drivers.http import assert_invalid, assert_ok
from tests.support.drivers.waiting import assert_second_waits


@pytest.fixture
def path(client: TestClient, practice: PracticeFixture) -> str:
    created = assert_ok(
        send_request(client, practice, "POST", "/clients", None, NEW_CLIENT | {"admitted_on": "2026-01-05"}), 201
    )
    return f"/clients/{created['id']}"


def set_status(
    client: TestClient, practice: PracticeFixture, path: str, status: str, day: str | None = None, **fields: Any
) -> Any:
    body = {"status": status, **({"effective_on": day} if day else {}), **fields}
    return send_request(client, practice, "POST", f"{path}/status", practice.admin, body)


def read_status(answer: Any) -> tuple[str, str | None, str | None]:
    record = assert_ok(answer)
    return record["status"], record["ended_on"], record["end_reason"]


def test_a_status_takes_effect_on_its_date_and_every_change_is_kept_on_record(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    changed = set_status(client, practice, path, "INACTIVE", "2026-02-01", reason="Moves away for a while")
    assert read_status(changed) == ("INACTIVE", "2026-02-01", "INACTIVE")
    assert changed.headers["ETag"] == '"2"'
    assert read_status(set_status(client, practice, path, "DISCHARGED", "2026-03-01")) == (
        "DISCHARGED",
        "2026-02-01",
        "DISCHARGED",
    )
    assert read_status(set_status(client, practice, path, "ACTIVE")) == ("ACTIVE", None, None)
    assert read_status(set_status(client, practice, path, "DISCHARGED", "2026-05-01")) == (
        "ACTIVE",
        "2026-05-01",
        "DISCHARGED",
    )
    rows = assert_ok(send_request(client, practice, "GET", f"{path}/statuses"))["items"]
    assert [(row["status"], row["effective_on"], row["reason"]) for row in rows] == [
        ("DISCHARGED", "2026-05-01", None),
        ("ACTIVE", "2026-03-18", None),
        ("DISCHARGED", "2026-03-01", None),
        ("INACTIVE", "2026-02-01", "Moves away for a while"),
        ("ACTIVE", "2026-01-05", None),
    ]
    assert {row["set_by"] for row in rows} == {str(practice.admin.account_id)}
    entries = load_audit_entries(client, practice, "client.status_changed")
    assert len(entries) == 4
    assert "Moves away" not in str(entries)


def test_an_invalid_status_change_is_refused_with_the_reason(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    (problem,) = assert_invalid(set_status(client, practice, path, "DISCHARGED", "2026-01-04"))
    assert "admitted on 2026-01-05" in problem
    assert_ok(set_status(client, practice, path, "INACTIVE", "2026-02-01"))
    (problem,) = assert_invalid(set_status(client, practice, path, "ACTIVE", "2026-03-19"))
    assert "not active today" in problem
    assert_ok(set_status(client, practice, path, "ACTIVE", "2026-02-10"))
    (problem,) = assert_invalid(set_status(client, practice, path, "DISCHARGED", "2026-02-09"))
    assert "2026-02-10" in problem
    assert set_status(client, practice, path, "GONE").status_code == 422
    assert len(assert_ok(send_request(client, practice, "GET", f"{path}/statuses"))["items"]) == 3


def test_a_planned_discharge_can_be_cancelled(client: TestClient, practice: PracticeFixture, path: str) -> None:
    for day in ("2026-05-01", None):
        assert_ok(set_status(client, practice, path, "DISCHARGED", "2026-05-01"))
        assert read_status(set_status(client, practice, path, "ACTIVE", day)) == ("ACTIVE", None, None)


def test_a_client_discharged_by_mistake_is_readmitted_although_an_end_was_planned_before(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    assert_ok(set_status(client, practice, path, "DISCHARGED", "2026-05-01"))
    assert read_status(set_status(client, practice, path, "DISCHARGED"))[:2] == ("DISCHARGED", "2026-03-18")
    (problem,) = assert_invalid(set_status(client, practice, path, "ACTIVE", "2026-05-01"))
    assert "not active today" in problem
    assert read_status(set_status(client, practice, path, "ACTIVE")) == ("ACTIVE", None, None)
    rows = assert_ok(send_request(client, practice, "GET", f"{path}/statuses"))["items"]
    assert [(row["status"], row["effective_on"], row["in_force"]) for row in rows] == [
        ("DISCHARGED", "2026-05-01", False),
        ("ACTIVE", "2026-03-18", True),
        ("DISCHARGED", "2026-03-18", False),
        ("ACTIVE", "2026-01-05", True),
    ]
    events = assert_ok(send_request(client, practice, "GET", f"{path}/timeline?kinds=status"))["items"]
    assert [(event["at"][:10], event["summary"]) for event in events] == [
        ("2026-03-18", "Status: active"),
        ("2026-01-05", "Status: active"),
    ]


def test_a_discharge_today_replaces_a_break_planned_for_later(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    assert_ok(set_status(client, practice, path, "INACTIVE", "2026-05-01"))
    ended = ("DISCHARGED", "2026-03-18", "DISCHARGED")
    assert read_status(set_status(client, practice, path, "DISCHARGED")) == ended


def test_an_imported_end_without_history_is_respected(client: TestClient, practice: PracticeFixture) -> None:
    ended = make_client(practice, ended_on=date(2025, 8, 1), end_reason="INACTIVE", admitted_on=date(2025, 8, 1))
    assert read_status(set_status(client, practice, f"/clients/{ended}", "DISCHARGED"))[0] == "DISCHARGED"
    with practice.installation.store.begin_session(practice.id) as db:
        rows = db.query(ClientStatus).filter_by(client_id=ended).count()
    assert rows == 2


def test_concurrent_changes_of_status_are_serialized(practice: PracticeFixture) -> None:
    client_id = make_client(practice)
    assert_second_waits(practice, lambda work: change_status(work, Scope.ALL, client_id, "INACTIVE"))


def test_clients_see_their_status_without_the_reason(client: TestClient, practice: PracticeFixture) -> None:
    client_id = make_portal_client(practice, practice.add("clinician"))
    path = f"/clients/{client_id.staff_id}"
    assert_ok(set_status(client, practice, path, "INACTIVE", reason="Does not come"))
    (first, _) = assert_ok(send_request(client, practice, "GET", f"{path}/statuses", client_id))["items"]
    assert (first["status"], first["reason"]) == ("INACTIVE", None)
    assert send_request(client, practice, "POST", f"{path}/status", client_id, {"status": "ACTIVE"}).status_code == 403


# Primary clinician


def assign_clinician(
    client: TestClient, practice: PracticeFixture, path: str, clinician_id: UUID | None, day: str | None = None
) -> Any:
    body = {"clinician_id": clinician_id and str(clinician_id)} | ({"effective_on": day} if day else {})
    return send_request(client, practice, "POST", f"{path}/primary-clinician", practice.admin, body)


def test_a_primary_clinician_changes_and_every_change_is_kept_on_record(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    clinician, other = practice.add("clinician"), practice.add("clinician", "supervisor")
    assert send_request(client, practice, "GET", path, clinician).status_code == 404
    record = assert_ok(assign_clinician(client, practice, path, clinician.staff_id, "2026-02-01"))
    assert record["primary_clinician_id"] == str(clinician.staff_id)
    assert send_request(client, practice, "GET", path, clinician).status_code == 200
    assert_ok(assign_clinician(client, practice, path, other.staff_id))
    assert send_request(client, practice, "GET", path, clinician).status_code == 404
    assert assert_ok(assign_clinician(client, practice, path, None))["primary_clinician_id"] is None
    rows = assert_ok(send_request(client, practice, "GET", f"{path}/primary-clinician"))["items"]
    assert [(row["clinician_id"], row["effective_on"]) for row in rows] == [
        (None, "2026-03-18"),
        (str(other.staff_id), "2026-03-18"),
        (str(clinician.staff_id), "2026-02-01"),
    ]


def test_a_client_is_assigned_to_active_clinicians_only(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    former = practice.add("clinician")
    body = {"left_on": "2026-03-17"}
    assert_ok(send_request(client, practice, "POST", f"/staff/{former.staff_id}/deactivate", practice.admin, body))
    assert "has left" in assert_invalid(assign_clinician(client, practice, path, former.staff_id))[0]
    assert "not a clinician" in assert_invalid(assign_clinician(client, practice, path, practice.admin.staff_id))[0]
    assert len(assert_invalid(assign_clinician(client, practice, path, former.staff_id, "2026-03-19"))) == 2
    assert_ok(assign_clinician(client, practice, path, None, "2026-03-10"))
    assert "2026-03-10" in assert_invalid(assign_clinician(client, practice, path, None, "2026-03-09"))[0]
