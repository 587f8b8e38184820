"""Deletion requests that are withdrawn: a client's own by the client or an admin, who notifies them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from practice.messages.models import Message
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_portal_client
from tests.support.drivers.clients import send_request
from tests.support.drivers.http import assert_ok, error_code


@pytest.fixture
def patient(practice: PracticeFixture) -> Person:
    return make_portal_client(practice)


def ask(client: TestClient, practice: PracticeFixture, patient: Person, by: Person | None) -> str:
    body = {"client_id": str(patient.staff_id)}
    return assert_ok(send_request(client, practice, "POST", "/deletion-requests", by, body), 201)["id"]


def withdraw(client: TestClient, practice: PracticeFixture, request_id: str, by: Person | None, **body: str) -> Any:
    return send_request(client, practice, "POST", f"/deletion-requests/{request_id}/withdraw", by, body)


def list_messages(practice: PracticeFixture, patient: Person) -> list[tuple[str, str]]:
    with practice.work() as work:
        query = select(Message).where(Message.client_id == patient.staff_id)
        return [(message.kind, message.channel) for message in work.db.scalars(query)]


def test_the_front_desk_cannot_withdraw_what_a_client_requested(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    request_id = ask(client, practice, patient, patient)
    refused = withdraw(client, practice, request_id, practice.add("scheduler"), reason="They stay")
    assert (refused.status_code, error_code(refused)) == (403, "FORBIDDEN")
    assert "ask an admin" in refused.json()["error"]["message"]
    assert_ok(send_request(client, practice, "POST", f"/clients/{patient.staff_id}/portal/close", None))
    assert withdraw(client, practice, request_id, practice.add("scheduler"), reason="They stay").status_code == 403
    [item] = assert_ok(send_request(client, practice, "GET", "/deletion-requests"))["items"]
    assert item["status"] == "ASKED"


def test_an_admin_withdraws_it_with_a_reason_and_the_client_is_notified(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    request_id = ask(client, practice, patient, patient)
    assert withdraw(client, practice, request_id, None).status_code == 422
    assert list_messages(practice, patient) == []
    withdrawn = assert_ok(withdraw(client, practice, request_id, None, reason="Asked on the phone"))
    assert (withdrawn["status"], withdrawn["withdrawal_reason"]) == ("WITHDRAWN", "Asked on the phone")
    assert list_messages(practice, patient) == [("DELETION_WITHDRAWN", "email")]


def test_clients_withdraw_their_own_and_get_no_message(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    request_id = ask(client, practice, patient, patient)
    assert_ok(withdraw(client, practice, request_id, patient, reason="I stay"))
    assert list_messages(practice, patient) == []


def test_the_front_desk_withdraws_what_staff_recorded(
    client: TestClient, practice: PracticeFixture, patient: Person
) -> None:
    request_id = ask(client, practice, patient, practice.admin)
    assert_ok(withdraw(client, practice, request_id, practice.add("scheduler"), reason="Entered by mistake"))
    assert list_messages(practice, patient) == []
