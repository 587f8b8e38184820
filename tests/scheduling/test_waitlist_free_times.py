"""Free times that the front desk offers to the waitlist: who could take one, and the offer that holds it."""

from typing import Any

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import HOUR, BookingApi, assert_error, parse_instant, problem_codes
from tests.support.drivers.waitlist import TEN, WaitlistScenario


def build_time(booking_api: BookingApi, **values: Any) -> dict[str, Any]:
    return {"clinician_id": booking_api.clinician.staff_id, "service_code": "TALK", "starts_at": TEN + HOUR} | values


def list_candidates(booking_api: BookingApi, **values: Any) -> list[dict[str, Any]]:
    response = booking_api.get("/waitlist/candidates", **build_time(booking_api, **values))
    assert response.status_code == 200, response.text
    return response.json()["items"]


def test_a_free_time_lists_whom_it_suits_and_what_prevents_them(booking_api: BookingApi) -> None:
    scenario = WaitlistScenario(booking_api)
    later, first = scenario.join(), scenario.join(priority=1)
    busy = make_client(booking_api.practice)
    blocked = scenario.join(busy)
    other = booking_api.add_clinician()
    booking_api.book_appointment(TEN + HOUR, client_id=busy, clinician_id=other.staff_id)
    scenario.join(time_to="09:00")
    scenario.join(clinician_ids=[str(other.staff_id)])
    found = list_candidates(booking_api)
    assert [item["entry"]["id"] for item in found] == [first["id"], later["id"], blocked["id"]]
    assert [item["problems"] for item in found] == [[], [], ["The client has another appointment at this time."]]
    assert_error(
        booking_api.get("/waitlist/candidates", **build_time(booking_api, starts_at=booking_api.now)),
        "VALIDATION_ERROR",
        422,
    )
    unknown = booking_api.get("/waitlist/candidates", **build_time(booking_api, service_code="NONE"))
    assert_error(unknown, "VALIDATION_ERROR", 422)


def test_an_offer_holds_the_time_until_it_is_taken(booking_api: BookingApi) -> None:
    scenario = WaitlistScenario(booking_api)
    entry = scenario.join()
    response = booking_api.post(f"/waitlist/{entry['id']}/offers", **build_time(booking_api, room_id=booking_api.room))
    assert response.status_code == 201, response.text
    offer = response.json()
    assert (parse_instant(offer["ends_at"]), offer["room_id"]) == (TEN + 2 * HOUR, str(booking_api.room))
    assert scenario.get_status(entry) == "OFFERED"
    assert problem_codes(booking_api.book(TEN + HOUR, client_id=make_client(booking_api.practice))) == {"SLOT_TAKEN"}
    assert scenario.answer_offer(offer, "take").status_code == 201
    assert scenario.get_status(entry) == "BOOKED"
    again = booking_api.post(f"/waitlist/{entry['id']}/offers", **build_time(booking_api, starts_at=TEN + 3 * HOUR))
    assert_error(again, "WRONG_STATUS")


def test_a_time_that_is_taken_is_not_offered(booking_api: BookingApi) -> None:
    scenario = WaitlistScenario(booking_api)
    entry = scenario.join()
    refused = booking_api.post(f"/waitlist/{entry['id']}/offers", **build_time(booking_api, starts_at=TEN))
    assert problem_codes(refused) == {"SLOT_TAKEN"}
    at_night = booking_api.post(f"/waitlist/{entry['id']}/offers", **build_time(booking_api, starts_at=TEN - 6 * HOUR))
    assert problem_codes(at_night) == {"OUTSIDE_HOURS"}
    assert scenario.get_status(entry) == "WAITING"


def test_a_time_is_checked_also_while_nobody_waits(booking_api: BookingApi) -> None:
    assert list_candidates(booking_api) == []
    past = booking_api.get("/waitlist/candidates", **build_time(booking_api, starts_at="1900-01-01T10:00:00Z"))
    assert_error(past, "VALIDATION_ERROR", 422)
