"""Filters of lists: local dates where days are meant, instants where instants are, and `me` for oneself."""

from datetime import date
from typing import Any

from tests.support.builders.schedule import make_appointment
from tests.support.drivers.booking import DAY, HOUR, MONDAY, SECOND, BookingApi, assert_error, local

LATE, NEXT_DAY = local(MONDAY, 19), local(MONDAY + DAY, 8)


def list_references(booking_api: BookingApi, path: str = "/appointments", **query: Any) -> list[str]:
    response = booking_api.get(path, **query)
    assert response.status_code == 200, response.text
    return [visit["reference"] for visit in response.json()["items"]]


def test_appointments_are_filtered_by_local_dates(booking_api: BookingApi) -> None:
    late, early = booking_api.book_appointment(LATE), booking_api.book_appointment(NEXT_DAY)
    of_client = f"/clients/{booking_api.client}/appointments"
    for path in ("/appointments", of_client):
        assert list_references(booking_api, path, from_=MONDAY, to=MONDAY) == [late["reference"]]
        assert list_references(booking_api, path, from_=MONDAY + DAY) == [early["reference"]]
        assert list_references(booking_api, path, to=MONDAY - DAY) == []
        both = list_references(booking_api, path, from_=MONDAY, starts_after=LATE + SECOND)
        assert both == [early["reference"]]
        assert_error(booking_api.get(path, from_=MONDAY, to=MONDAY - DAY), "VALIDATION_ERROR", 422)
        assert_error(booking_api.get(path, from_=LATE), "VALIDATION_ERROR", 422)


def test_a_visit_is_found_by_its_reference(booking_api: BookingApi) -> None:
    booked, other = booking_api.book_appointment(LATE), booking_api.book_appointment(NEXT_DAY)
    booking_api.write("update appointments set reference = 'old-7' where id = :id", id=other["id"])
    assert booked["reference"] != booked["reference"].lower()
    for path in ("/appointments", f"/clients/{booking_api.client}/appointments"):
        for reference in (booked["reference"], booked["reference"].lower(), f" {booked['reference']} "):
            assert list_references(booking_api, path, reference=reference) == [booked["reference"]]
        assert list_references(booking_api, path, reference="old-7") == ["old-7"]
        assert list_references(booking_api, path, reference=booked["reference"][:-1]) == []
        assert list_references(booking_api, path, reference=booked["reference"], status="CANCELLED") == []
    stranger = booking_api.add_clinician()
    assert booking_api.get("/appointments", stranger, reference=booked["reference"]).json()["items"] == []


def test_the_calendar_takes_dates(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(LATE)
    days = booking_api.get("/appointments/calendar", from_=MONDAY, to=MONDAY + DAY).json()["days"]
    assert [day["on"] for day in days] == ["2026-03-23", "2026-03-24"]
    assert [[visit["id"] for visit in day["appointments"]] for day in days] == [[booked["id"]], []]
    wrong: list[dict[str, Any]] = [{"from_": MONDAY}, {"from_": MONDAY, "to": MONDAY - DAY}]
    wrong += [{"from_": MONDAY, "to": MONDAY, "view": "day"}, {"from_": MONDAY, "to": MONDAY + 62 * DAY}]
    for query in wrong:
        assert_error(booking_api.get("/appointments/calendar", **query), "VALIDATION_ERROR", 422)


def test_blocks_requests_and_the_audit_log_take_dates(booking_api: BookingApi) -> None:
    booking_api.book_appointment(LATE)
    booking_api.block(LATE + HOUR, LATE + 6 * HOUR, room_id=booking_api.room)  # until one in the morning
    path = f"/rooms/{booking_api.room}/blocks"
    for day, number in ((MONDAY - DAY, 0), (MONDAY, 1), (MONDAY + DAY, 1), (MONDAY + 2 * DAY, 0)):
        assert len(booking_api.get(path, from_=day, to=day).json()["items"]) == number
    today, admin = date(2026, 3, 18), booking_api.practice.admin

    def list_booked(**query: Any) -> list[Any]:
        return booking_api.get("/audit", admin, action="appointment.booked", **query).json()["items"]

    assert [len(list_booked(from_=day, to=day)) for day in (today - DAY, today, today + DAY)] == [0, 1, 0]
    assert len(list_booked(since=booking_api.now, until=booking_api.now + SECOND)) == 1
    assert list_booked(to=today, since=booking_api.now + SECOND) == []
    visit = booking_api.book_appointment(NEXT_DAY + HOUR)
    proposal = {"appointment_id": visit["id"], "starts_at": NEXT_DAY + 2 * HOUR, "reason": "A course"}
    assert booking_api.post("/reschedule-requests", booking_api.clinician, **proposal).status_code == 201
    found = [len(booking_api.get("/reschedule-requests", from_=day).json()["items"]) for day in (today, today + DAY)]
    assert found == [1, 0]


def test_a_clinician_is_me_in_session_completions(booking_api: BookingApi) -> None:
    me, other = booking_api.clinician, booking_api.add_clinician()
    day = date(2026, 3, 16)
    for clinician in (me, other):
        fields = {"status": "COMPLETED", "status_at": booking_api.now, "guarded": False}
        make_appointment(
            booking_api.practice, clinician, booking_api.client, booking_api.service, local(day, 20), **fields
        )
    path = "/compliance/session-completion"

    def list_days(**query: Any) -> list[str]:
        response = booking_api.get(path, me, **query)
        assert response.status_code == 200, response.text
        return [session["sessionDate"] for session in response.json()["items"]]

    assert list_days(provider="me") == list_days(provider="me", from_=day, to=day) == ["2026-03-16"]
    assert list_days(provider="me", from_=day + DAY) == list_days(provider="me", to=day - DAY) == []
    assert_error(booking_api.get(path, booking_api.practice.add("biller"), provider="you"), "VALIDATION_ERROR", 422)
    for name in ("compliance/deadlines", "payment/calculation", "dashboard", "analytics", "compliance/report"):
        own = booking_api.get(f"{path}/{name}/me", me)
        assert own.status_code == 200, own.text
        assert own.json() == booking_api.get(f"{path}/{name}/{me.staff_id}", me).json()
