"""What a new practice has to set up, step by step over HTTP, until nothing is left."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.sessions.setup import TEXT_KINDS
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.clients import NEW_CLIENT, send_request
from tests.support.drivers.http import assert_ok

STEPS = ["numbers", "staff", "services", "hours", "rates", "texts", "templates", "clients"]


def read(client: TestClient, practice: PracticeFixture) -> dict[str, Any]:
    return assert_ok(send_request(client, practice, "GET", "/practice/setup"))


@pytest.fixture
def send(client: TestClient, practice: PracticeFixture) -> Any:
    """Return a function that sends a request as the admin and returns its answer."""

    def send(method: str, path: str, body: Any, status: int = 201, **headers: str) -> Any:
        return assert_ok(send_request(client, practice, method, path, None, body, **headers), status)

    return send


def list_open(client: TestClient, practice: PracticeFixture) -> list[str]:
    return [step["key"] for step in read(client, practice)["items"] if not step["done"]]


def test_a_new_practice_is_led_to_its_first_client(client: TestClient, practice: PracticeFixture, send: Any) -> None:
    assert list_open(client, practice) == STEPS
    send("PATCH", "/practice", {"npi": "1234567893", "tax_id": "12-3456789"}, 200, If_Match='"1"')
    assert list_open(client, practice) == STEPS[1:]
    person = {"first_name": "Robin", "last_name": "Tester", "email": "robin@oak.example", "hired_on": "2026-03-01"}
    staff_id = send("POST", "/staff", person | {"roles": ["clinician"]})["staff"]["id"]
    assert list_open(client, practice) == STEPS[2:]
    service = {"code": "TALK", "name": "Individual", "kind": "INDIVIDUAL", "minutes": 60, "rate": "150.00"}
    send("POST", "/services", service)
    window = {"weekday": 1, "start_time": "09:00", "end_time": "17:00"}
    send("POST", f"/clinicians/{staff_id}/availability", window)
    assert list_open(client, practice) == STEPS[4:]
    send("POST", f"/staff/{staff_id}/pay-rates", {"rate": "60.50"})
    for kind in TEXT_KINDS:
        assert "texts" in list_open(client, practice)
        send("POST", "/agreements", {"kind": kind, "title": "A text", "text": "To be signed."})
    assert not read(client, practice)["done"]
    send("POST", "/clients", NEW_CLIENT)
    assert list_open(client, practice) == ["templates"]
    assert read(client, practice)["done"]


def test_a_second_clinician_without_hours_or_rate_opens_those_steps_again(
    client: TestClient, practice: PracticeFixture, send: Any
) -> None:
    first, _ = practice.add("clinician"), practice.add("clinician")
    send("POST", f"/staff/{first.staff_id}/pay-rates", {"rate": "60.50"})
    rates = next(step for step in read(client, practice)["items"] if step["key"] == "rates")
    assert (rates["done"], rates["sentence"]) == (
        False,
        "Clinicians without a pay rate: 1 of 2. Set one; until then their sessions are not paid.",
    )


def test_each_step_names_a_request_that_exists_and_what_to_do(client: TestClient, practice: PracticeFixture) -> None:
    paths = client.app.openapi()["paths"]
    for step in read(client, practice)["items"]:
        assert step["method"].lower() in paths[step["path"]]
        assert step["sentence"].endswith(".")
