"""Booking an appointment: what is stored, and what is refused."""

import re
from datetime import date, time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.scheduling.models.availability import AvailabilityWindow, WindowService
from practice.scheduling.models.catalog import ClinicianService
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import make_practice
from tests.support.builders.schedule import make_appointment, make_client, make_room, make_service, put
from tests.support.drivers.booking import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    BookingApi,
    assert_error,
    local,
    parse_instant,
    problem_codes,
)

TEN = local(MONDAY, 10)


def test_a_booking_occupies_the_time_and_returns_the_appointment(booking_api: BookingApi) -> None:
    response = booking_api.book(
        TEN, room_id=booking_api.room, special_requests="Ground floor", instructions="Ring twice"
    )
    assert response.status_code == 201
    booked = response.json()["appointment"]
    assert {
        "client_id": str(booking_api.client),
        "clinician_id": str(booking_api.clinician.staff_id),
        "service_code": "TALK",
        "room_id": str(booking_api.room),
        "status": "SCHEDULED",
        "type": "THERAPY_SESSION",
        "booked_via": "FRONT_DESK",
        "telehealth": False,
        "special_requests": "Ground floor",
        "instructions": "Ring twice",
        "version": 1,
    }.items() <= booked.items()
    assert (parse_instant(booked["starts_at"]), parse_instant(booked["ends_at"])) == (TEN, TEN + HOUR)
    assert re.fullmatch(r"BK-2026-[0-9]{6}", booked["reference"])
    assert response.json()["reference"] == booked["reference"]
    assert booking_api.read(booked) == booked
    assert booking_api.list_occupancies() == {
        ("clinician", booking_api.clinician.staff_id, TEN),
        ("room", booking_api.room, TEN),
        ("client", booking_api.client, TEN),
    }
    [step] = booking_api.get(f"/appointments/{booked['id']}/status-history").json()["items"]
    assert (step["status"], parse_instant(step["at"]), step["account_id"]) == (
        "SCHEDULED",
        booking_api.now,
        str(booking_api.scheduler.account_id),
    )


def test_references_are_unique_and_of_the_local_year(client: TestClient, installation: Installation) -> None:
    new_years_eve = local(date(2026, 12, 31), 23)  # in UTC it is the next year already
    booking_api = BookingApi(client, make_practice(installation, now=new_years_eve))
    references = [booking_api.book_appointment(local(date(2027, 1, 4), hour))["reference"] for hour in range(8, 20)]
    assert len(set(references)) == 12
    assert all(reference.startswith("BK-2026-") for reference in references)


def test_the_end_follows_from_the_minutes_of_the_service_or_the_clinician(booking_api: BookingApi) -> None:
    assert parse_instant(booking_api.book_appointment(TEN)["ends_at"]) == TEN + HOUR
    own = ClinicianService(clinician_id=booking_api.clinician.staff_id, service_id=booking_api.service, minutes=45)
    put(booking_api.practice, own)
    assert parse_instant(booking_api.book_appointment(TEN + HOUR)["ends_at"]) == TEN + HOUR + 45 * MINUTE


@pytest.mark.parametrize(
    ("kind", "type"),
    [("INTAKE", "INITIAL_EVALUATION"), ("FAMILY", "FAMILY_THERAPY"), ("MEDICATION", "MEDICATION_MANAGEMENT")],
)
def test_the_type_follows_from_the_service_unless_it_is_given(booking_api: BookingApi, kind: str, type: str) -> None:
    make_service(booking_api.practice, "KIND", kind=kind)
    assert booking_api.book_appointment(TEN, service_code="KIND")["type"] == type
    assert booking_api.book_appointment(TEN + HOUR, service_code="KIND", type="FOLLOW_UP")["type"] == "FOLLOW_UP"


def test_a_booking_with_several_problems_reports_all_of_them(booking_api: BookingApi) -> None:
    booking_api.book_appointment(TEN, client_id=make_client(booking_api.practice), room_id=booking_api.room)
    client = make_client(booking_api.practice, ended_on=date(2026, 3, 20))
    booking_api.write("update consents set revoked_at = signed_at + interval '1 day' where client_id = :id", id=client)
    booking_api.write("update rooms set active = false where id = :id", id=booking_api.room)
    booking_api.add_exception(MONDAY)
    error = assert_error(booking_api.book(TEN, client_id=client, room_id=booking_api.room), "SLOT_TAKEN")
    messages = {problem["code"]: problem["message"] for problem in error["details"]["problems"]}
    assert set(messages) == {"SLOT_TAKEN", "OUTSIDE_HOURS", "CLIENT_NOT_ACTIVE", "CONSENT_REVOKED", "ROOM_NOT_USABLE"}
    assert len(error["details"]["problems"]) == 6  # the clinician and the room are taken, each
    assert all(problem["message"] in error["message"] for problem in error["details"]["problems"])
    assert booking_api.count("appointments") == 1


def test_all_unknown_ids_are_reported_together(booking_api: BookingApi) -> None:
    nothing = str(new_id())
    response = booking_api.book(TEN, client_id=nothing, clinician_id=nothing, service_code="NONE", room_id=nothing)
    error = assert_error(response, "VALIDATION_ERROR", 422)
    assert len(error["details"]) == 4
    for name in ("client_id", "clinician_id", "service_code", "room_id"):
        assert f"`{name}`" in error["message"]
    assert nothing not in error["message"]
    assert "`client_id`" in assert_error(booking_api.book(TEN, client_id=None), "VALIDATION_ERROR", 422)["message"]
    unsaid = assert_error(booking_api.book(TEN, clinician_id=None, starts_at=None), "VALIDATION_ERROR", 422)["message"]
    assert "`clinician_id`" in unsaid
    assert "`starts_at`" in unsaid


def test_records_of_another_practice_do_not_exist(booking_api: BookingApi) -> None:
    other = make_practice(booking_api.practice.installation)
    other_fields = {"client_id": make_client(other), "room_id": make_room(other)}
    other_fields |= {"clinician_id": other.admin.staff_id, "service_code": "THEIRS"}
    make_service(other, "THEIRS")
    error = assert_error(booking_api.book(TEN, **other_fields), "VALIDATION_ERROR", 422)
    assert len(error["details"]) == 4


# Hours


@pytest.mark.parametrize("start", [(7, 59), (7, 0), (19, 1), (20, 0), (3, 0)])
def test_outside_the_hours_is_refused(booking_api: BookingApi, start: tuple[int, int]) -> None:
    assert (
        "outside the clinician's hours"
        in assert_error(booking_api.book(local(MONDAY, *start)), "OUTSIDE_HOURS")["message"]
    )


@pytest.mark.parametrize("start", [(8, 0), (19, 0), (11, 37)])
def test_within_the_hours_any_minute_can_be_booked(booking_api: BookingApi, start: tuple[int, int]) -> None:
    assert booking_api.book(local(MONDAY, *start)).status_code == 201


def test_on_a_day_on_which_the_practice_is_closed_nothing_is_booked(booking_api: BookingApi) -> None:
    booking_api.close_on(MONDAY)
    assert "closed" in assert_error(booking_api.book(TEN), "OUTSIDE_HOURS")["message"]
    assert booking_api.book(TEN + DAY).status_code == 201


def test_an_exception_opens_and_closes_hours(booking_api: BookingApi) -> None:
    booking_api.add_exception(MONDAY, time(10), time(12))
    booking_api.add_exception(MONDAY, time(20), time(22), open=True)
    assert "away" in assert_error(booking_api.book(local(MONDAY, 9, 30)), "OUTSIDE_HOURS")["message"]
    assert booking_api.book(local(MONDAY, 12)).status_code == 201
    assert booking_api.book(local(MONDAY, 19, 30)).status_code == 201
    assert booking_api.book(local(MONDAY, 20, 30)).status_code == 201
    assert_error(booking_api.book(local(MONDAY + DAY, 20)), "OUTSIDE_HOURS")


def test_hours_can_be_for_some_services_only(booking_api: BookingApi) -> None:
    other = make_service(booking_api.practice, "OTHER")
    sunday = MONDAY - DAY
    booking_api.write("update availability_windows set voided_at = now() where weekday = 0")
    window = AvailabilityWindow(id=new_id(), clinician_id=booking_api.clinician.staff_id, weekday=0)
    window.start_time, window.end_time = time(9), time(12)
    put(booking_api.practice, window, WindowService(window_id=window.id, service_id=other))
    assert_error(booking_api.book(local(sunday, 10)), "OUTSIDE_HOURS")
    assert booking_api.book(local(sunday, 10), service_code="OTHER").status_code == 201


# Who and what


def test_no_clinician_room_or_client_is_booked_twice_at_a_time(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    booking_api.book_appointment(TEN, room_id=booking_api.room)
    somebody = make_client(booking_api.practice)
    for fields, message in [
        ({"client_id": somebody}, "The clinician has another appointment"),
        ({"client_id": somebody, "clinician_id": other.staff_id, "room_id": booking_api.room}, "The room is taken"),
        ({"clinician_id": other.staff_id}, "The client has another appointment"),
    ]:
        for start in (TEN - 59 * MINUTE, TEN, TEN + 59 * MINUTE):
            error = assert_error(booking_api.book(start, **fields), "SLOT_TAKEN")
            assert [message in problem["message"] for problem in error["details"]["problems"]] == [True]
    response = booking_api.book(TEN, room_id=booking_api.room)
    assert len(response.json()["error"]["details"]["problems"]) == 3
    assert booking_api.book(TEN - HOUR, room_id=booking_api.room).status_code == 201
    assert booking_api.book(TEN + HOUR, room_id=booking_api.room).status_code == 201


def test_a_blocked_clinician_or_room_is_not_booked(booking_api: BookingApi) -> None:
    booking_api.block(TEN, TEN + HOUR, clinician_id=booking_api.clinician.staff_id)
    booking_api.block(TEN + HOUR, TEN + 2 * HOUR, room_id=booking_api.room)
    assert "clinician is blocked" in assert_error(booking_api.book(TEN + 30 * MINUTE), "SLOT_TAKEN")["message"]
    assert (
        "room is blocked"
        in assert_error(booking_api.book(TEN + HOUR, room_id=booking_api.room), "SLOT_TAKEN")["message"]
    )
    assert booking_api.book(TEN + HOUR).status_code == 201


def test_imported_appointments_conflict_too(booking_api: BookingApi) -> None:
    yesterday = local(booking_api.now.date() - DAY, 10)
    imported = {"guarded": False, "status": "COMPLETED", "status_at": booking_api.now, "room_id": booking_api.room}
    make_appointment(
        booking_api.practice, booking_api.clinician, booking_api.client, booking_api.service, yesterday, **imported
    )
    assert len(booking_api.book(yesterday, room_id=booking_api.room).json()["error"]["details"]["problems"]) == 3
    later = booking_api.book(yesterday + HOUR, room_id=booking_api.room)
    assert "passed" in " ".join(later.json()["warnings"])


@pytest.mark.parametrize("changes", ["deactivated_at = now()", "roles = '{scheduler}'", "left_on = '2026-03-22'"])
def test_a_clinician_who_is_not_active_then_is_not_booked(booking_api: BookingApi, changes: str) -> None:
    booking_api.write(f"update staff set {changes} where id = :id", id=booking_api.clinician.staff_id)
    assert_error(booking_api.book(TEN), "CLINICIAN_NOT_ACTIVE")


def test_on_their_last_day_a_clinician_is_booked(booking_api: BookingApi) -> None:
    booking_api.write("update staff set left_on = :on where id = :id", id=booking_api.clinician.staff_id, on=MONDAY)
    assert booking_api.book(TEN).status_code == 201
    assert_error(booking_api.book(TEN + DAY), "CLINICIAN_NOT_ACTIVE")


def test_a_service_has_to_be_offered(booking_api: BookingApi) -> None:
    put(
        booking_api.practice,
        ClinicianService(clinician_id=booking_api.clinician.staff_id, service_id=booking_api.service, offered=False),
    )
    assert "clinician does not offer" in assert_error(booking_api.book(TEN), "SERVICE_NOT_OFFERED")["message"]
    make_service(booking_api.practice, "OLD", active=False)
    assert "no longer" in assert_error(booking_api.book(TEN, service_code="OLD"), "SERVICE_NOT_OFFERED")["message"]


def test_a_room_that_is_not_in_use_is_not_booked(booking_api: BookingApi) -> None:
    room = make_room(booking_api.practice, active=False)
    assert problem_codes(booking_api.book(TEN, room_id=room)) == {"ROOM_NOT_USABLE"}


def test_a_client_is_booked_until_they_leave(booking_api: BookingApi) -> None:
    client = make_client(booking_api.practice, ended_on=MONDAY)
    assert_error(booking_api.book(TEN, client_id=client), "CLIENT_NOT_ACTIVE")
    assert booking_api.book(TEN - DAY, client_id=client).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"starts_at": "2026-03-23T10:00:00"},
        {"starts_at": "tomorrow"},
        {"starts_at": "9999-12-31T23:59:59Z"},
        {"starts_at": "0001-01-01T00:00:00+14:00"},
        {"special_requests": ""},
        {"special_requests": "x" * 1001},
        {"instructions": "a\x00b"},
        {"type": "SURGERY"},
        {"telehealth": "perhaps"},
        {"price_cents": 1},
    ],
)
def test_invalid_fields_are_refused(booking_api: BookingApi, body: dict[str, Any]) -> None:
    assert_error(booking_api.book(TEN, **body), "VALIDATION_ERROR", 422)
