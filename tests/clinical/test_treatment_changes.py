"""A plan of another kind asks for a new informed consent: nobody is booked until it is signed."""

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import House
from tests.support.drivers.booking import DAY, MINUTE, MONDAY, FrontDesk, wall
from tests.support.drivers.http import V1, code_of

TEN = wall(MONDAY, 10)


@pytest.fixture
def desk(client: TestClient, practice: House) -> FrontDesk:
    return FrontDesk(client, practice)


def begin(desk: FrontDesk, kind: str, ago: int = 0) -> dict[str, object]:
    body = {"client_id": desk.client, "kind": kind, "starts_on": (desk.now - ago * DAY).date()}
    answer = desk.post("/treatment-plans", desk.clinician, **body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def bookable(desk: FrontDesk) -> bool:
    answer = desk.book(TEN)
    if answer.status_code == 201:
        desk.done(answer.json()["appointment"], "cancel", reason="Only tried")
        return True
    assert (answer.status_code, code_of(answer)) == (409, "CONSENT_OUTDATED")
    return False


def sign(desk: FrontDesk) -> None:
    answer = desk.post(f"/clients/{desk.client}/consents", kind="INFORMED_TREATMENT")
    assert answer.status_code == 201, answer.text
    desk.now += MINUTE


def test_a_change_of_treatment_asks_for_a_new_informed_consent(desk: FrontDesk) -> None:
    assert begin(desk, "CBT", ago=20)["changes_treatment"] is False
    assert bookable(desk)  # the first plan ends nothing
    assert begin(desk, "cbt", ago=15)["changes_treatment"] is False  # the same one, renewed
    assert bookable(desk)
    assert begin(desk, "EMDR", ago=2)["changes_treatment"] is True
    assert not bookable(desk)
    sign(desk)
    assert bookable(desk)
    begin(desk, "EMDR")
    assert bookable(desk)


def test_the_consent_of_the_day_on_which_the_plan_begins_covers_it(desk: FrontDesk) -> None:
    begin(desk, "CBT", ago=20)
    sign(desk)
    assert begin(desk, "EMDR")["changes_treatment"] is True
    assert bookable(desk)
    desk.now += DAY
    begin(desk, "DBT")
    assert not bookable(desk)


def test_a_plan_entered_by_mistake_asks_for_nothing_once_it_is_voided(desk: FrontDesk) -> None:
    begin(desk, "CBT", ago=20)
    wrong = begin(desk, "EMDR", ago=2)
    assert not bookable(desk)
    headers = desk.headers(desk.clinician)
    path = f"{V1}/treatment-plans/{wrong['id']}?reason=Another+client"
    assert desk.http.delete(path, headers=headers).status_code == 204
    assert bookable(desk)


def test_check_in_asks_for_the_new_consent(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    begin(desk, "CBT", ago=20)
    begin(desk, "EMDR")
    desk.now = TEN
    (ask,) = desk.done(booked, "check-in")["asks"]
    assert "treatment has changed" in ask
