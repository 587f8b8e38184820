"""The waitlist: several entries of one client."""

from typing import Any

import pytest

from tests.support.builders.schedule import make_client, make_service
from tests.support.drivers.booking import HOUR, MONDAY, BookingApi
from tests.support.drivers.waitlist import WaitlistScenario

HOLD = 24 * HOUR  # an offer holds for a day by default


@pytest.fixture
def waiting(booking_api: BookingApi) -> WaitlistScenario:
    return WaitlistScenario(booking_api)


@pytest.mark.parametrize("end", ["decline", "lapse"])
def test_a_client_is_offered_a_time_once(booking_api: BookingApi, waiting: WaitlistScenario, end: str) -> None:
    client = make_client(booking_api.practice)
    first, second = waiting.join(client), waiting.join(client)
    other = waiting.join()
    waiting.release()
    assert waiting.get_status(first) == "OFFERED"
    if end == "decline":
        waiting.answer_offer(waiting.get_open_offer(first), "decline")
    else:
        booking_api.now += HOLD
        waiting.expire_offers()
    assert [waiting.get_status(entry) for entry in (first, second, other)] == ["WAITING", "WAITING", "OFFERED"]
    assert waiting.list_offers(second) == []


@pytest.mark.parametrize(
    ("wish", "warned"),
    [
        ({"weekdays": [1, 2], "time_from": "11:00"}, True),
        ({}, True),
        ({"weekdays": [2]}, False),
        ({"service_codes": ["OTHER"]}, False),
        ({"time_from": "12:00"}, False),
    ],
)
def test_a_second_wait_for_the_same_times_is_warned_of(
    booking_api: BookingApi, wish: dict[str, Any], warned: bool
) -> None:
    make_service(booking_api.practice, "OTHER")
    client = make_client(booking_api.practice)
    first = {"service_codes": ["TALK"], "weekdays": [1], "time_from": "09:00", "time_to": "12:00"}
    added = booking_api.post("/waitlist", client_id=client, **first).json()
    assert added["warnings"] == []
    assert bool(booking_api.post("/waitlist", client_id=client, **wish).json()["warnings"]) is warned
    assert booking_api.post("/waitlist", client_id=booking_api.client, **wish).json()["warnings"] == []
    path = f"/api/v1/waitlist/{added['id']}/withdraw"
    assert booking_api.http.post(path, headers=booking_api.build_headers()).status_code == 200
    other = {"service_codes": ["TALK"], "weekdays": [1], "time_to": "12:00", "until_on": MONDAY}
    assert bool(booking_api.post("/waitlist", client_id=client, **other).json()["warnings"]) is warned
