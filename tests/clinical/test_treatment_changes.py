"""A change of treatment requires a new informed consent before the next booking."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import DAY, MINUTE, MONDAY, BookingApi, local
from tests.support.drivers.http import V1, error_code, void

TEN = local(MONDAY, 10)


@pytest.fixture
def booking_api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)


def begin(booking_api: BookingApi, kind: str, ago: int = 0) -> dict[str, object]:
    body = {"client_id": booking_api.client, "kind": kind, "starts_on": (booking_api.now - ago * DAY).date()}
    answer = booking_api.post("/treatment-plans", booking_api.clinician, **body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def is_bookable(booking_api: BookingApi) -> bool:
    answer = booking_api.book(TEN)
    if answer.status_code == 201:
        booking_api.take_step(answer.json()["appointment"], "cancel", reason="Only tried")
        return True
    assert (answer.status_code, error_code(answer)) == (409, "CONSENT_OUTDATED")
    return False


def sign(booking_api: BookingApi) -> None:
    answer = booking_api.post(f"/clients/{booking_api.client}/consents", kind="INFORMED_TREATMENT")
    assert answer.status_code == 201, answer.text
    booking_api.now += MINUTE


def test_a_change_of_treatment_requires_a_new_informed_consent(booking_api: BookingApi) -> None:
    assert begin(booking_api, "CBT", ago=20)["changes_treatment"] is False
    assert is_bookable(booking_api)  # the first plan ends nothing
    assert begin(booking_api, "cbt", ago=15)["changes_treatment"] is False  # the same one, renewed
    assert is_bookable(booking_api)
    assert begin(booking_api, "EMDR", ago=2)["changes_treatment"] is True
    assert not is_bookable(booking_api)
    sign(booking_api)
    assert is_bookable(booking_api)
    begin(booking_api, "EMDR")
    assert is_bookable(booking_api)


def test_a_consent_of_the_plan_s_start_date_is_sufficient(booking_api: BookingApi) -> None:
    begin(booking_api, "CBT", ago=20)
    sign(booking_api)
    assert begin(booking_api, "EMDR")["changes_treatment"] is True
    assert is_bookable(booking_api)
    booking_api.now += DAY
    begin(booking_api, "DBT")
    assert not is_bookable(booking_api)


def test_a_voided_plan_requires_no_consent(booking_api: BookingApi) -> None:
    begin(booking_api, "CBT", ago=20)
    wrong = begin(booking_api, "EMDR", ago=2)
    assert not is_bookable(booking_api)
    headers = booking_api.build_headers(booking_api.clinician)
    assert void(booking_api.http, f"{V1}/treatment-plans/{wrong['id']}", headers).status_code == 204
    assert is_bookable(booking_api)


def test_check_in_asks_for_the_new_consent(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    begin(booking_api, "CBT", ago=20)
    begin(booking_api, "EMDR")
    booking_api.now = TEN
    (ask,) = booking_api.take_step(booked, "check-in")["outstanding_items"]
    assert "treatment has changed" in ask
