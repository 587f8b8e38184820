"""A plan of another kind asks for a new informed consent: nobody is booked until it is signed."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.booking import DAY, MINUTE, MONDAY, BookingApi, wall
from tests.support.drivers.http import V1, code_of

TEN = wall(MONDAY, 10)


@pytest.fixture
def booking_api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)


def begin(booking_api: BookingApi, kind: str, ago: int = 0) -> dict[str, object]:
    body = {"client_id": booking_api.client, "kind": kind, "starts_on": (booking_api.now - ago * DAY).date()}
    answer = booking_api.post("/treatment-plans", booking_api.clinician, **body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def bookable(booking_api: BookingApi) -> bool:
    answer = booking_api.book(TEN)
    if answer.status_code == 201:
        booking_api.done(answer.json()["appointment"], "cancel", reason="Only tried")
        return True
    assert (answer.status_code, code_of(answer)) == (409, "CONSENT_OUTDATED")
    return False


def sign(booking_api: BookingApi) -> None:
    answer = booking_api.post(f"/clients/{booking_api.client}/consents", kind="INFORMED_TREATMENT")
    assert answer.status_code == 201, answer.text
    booking_api.now += MINUTE


def test_a_change_of_treatment_asks_for_a_new_informed_consent(booking_api: BookingApi) -> None:
    assert begin(booking_api, "CBT", ago=20)["changes_treatment"] is False
    assert bookable(booking_api)  # the first plan ends nothing
    assert begin(booking_api, "cbt", ago=15)["changes_treatment"] is False  # the same one, renewed
    assert bookable(booking_api)
    assert begin(booking_api, "EMDR", ago=2)["changes_treatment"] is True
    assert not bookable(booking_api)
    sign(booking_api)
    assert bookable(booking_api)
    begin(booking_api, "EMDR")
    assert bookable(booking_api)


def test_the_consent_of_the_day_on_which_the_plan_begins_covers_it(booking_api: BookingApi) -> None:
    begin(booking_api, "CBT", ago=20)
    sign(booking_api)
    assert begin(booking_api, "EMDR")["changes_treatment"] is True
    assert bookable(booking_api)
    booking_api.now += DAY
    begin(booking_api, "DBT")
    assert not bookable(booking_api)


def test_a_plan_entered_by_mistake_asks_for_nothing_once_it_is_voided(booking_api: BookingApi) -> None:
    begin(booking_api, "CBT", ago=20)
    wrong = begin(booking_api, "EMDR", ago=2)
    assert not bookable(booking_api)
    headers = booking_api.headers(booking_api.clinician)
    path = f"{V1}/treatment-plans/{wrong['id']}?reason=Another+client"
    assert booking_api.http.delete(path, headers=headers).status_code == 204
    assert bookable(booking_api)


def test_check_in_asks_for_the_new_consent(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    begin(booking_api, "CBT", ago=20)
    begin(booking_api, "EMDR")
    booking_api.now = TEN
    (ask,) = booking_api.done(booked, "check-in")["asks"]
    assert "treatment has changed" in ask
