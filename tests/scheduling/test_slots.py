"""Free slots over the API: open and taken times, reasons, and visibility."""

from datetime import date, datetime, time
from typing import Any

import pytest

from practice.people.settings import change_setting
from practice.scheduling.models.catalog import ClinicianService
from tests.support.builders.people import Person
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, assert_error, local, parse_instant

TEN = local(MONDAY, 10)


def get_slots(
    booking_api: BookingApi, first: date = MONDAY, last: date | None = None, by: Any = None, **query: Any
) -> Any:
    path = f"/clinicians/{booking_api.clinician.staff_id}/slots"
    return booking_api.get(path, by, **{"from": first, "to": last or first, "service": "TALK"} | query)


def parse_free_starts(response: Any) -> list[datetime]:
    assert response.status_code == 200, response.text
    return [parse_instant(slot["starts_at"]) for slot in response.json()["items"] if slot["available"]]


def get_first_free(booking_api: BookingApi, first: date, last: date, by: Any = None, **query: Any) -> Any:
    return booking_api.get("/slots", by, **{"from": first, "to": last, "service": "TALK"} | query)


def test_a_day_has_slots_every_half_hour_within_the_hours(booking_api: BookingApi) -> None:
    starts = parse_free_starts(get_slots(booking_api))
    assert starts == [local(MONDAY, 8) + number * 30 * MINUTE for number in range(23)]
    for slot in get_slots(booking_api).json()["items"]:
        assert parse_instant(slot["ends_at"]) - parse_instant(slot["starts_at"]) == HOUR


def test_the_slots_of_an_unknown_service_are_refused(booking_api: BookingApi) -> None:
    make_service(booking_api.practice, "GONE", active=False)
    for code in ("NOPE", "GONE"):
        for person in (booking_api.scheduler, booking_api.add_portal_client()):
            error = assert_error(
                get_first_free(booking_api, MONDAY, MONDAY, person, service=code), "VALIDATION_ERROR", 422
            )
            assert [problem["field"] for problem in error["details"]] == ["service"]
    make_service(booking_api.practice, "UNOFFERED")
    booking_api.write("update staff set deactivated_at = now() where id = :id", id=booking_api.clinician.staff_id)
    assert get_first_free(booking_api, MONDAY, MONDAY, service="UNOFFERED").json()["items"] == []


def test_the_slot_step_is_a_setting(booking_api: BookingApi) -> None:
    with booking_api.practice.work() as work:
        change_setting(work, "slot_step_minutes", 60, booking_api.now.date())
    assert parse_free_starts(get_slots(booking_api)) == [local(MONDAY, hour) for hour in range(8, 20)]


def test_the_minutes_with_this_clinician_count(booking_api: BookingApi) -> None:
    put(
        booking_api.practice,
        ClinicianService(clinician_id=booking_api.clinician.staff_id, service_id=booking_api.service, minutes=90),
    )
    assert parse_free_starts(get_slots(booking_api))[-1] == local(MONDAY, 18, 30)


def test_every_free_slot_can_be_booked_and_no_other(booking_api: BookingApi) -> None:
    booking_api.book_appointment(local(MONDAY, 9), client_id=make_client(booking_api.practice))
    booking_api.block(local(MONDAY, 13), local(MONDAY, 14, 30), clinician_id=booking_api.clinician.staff_id)
    booking_api.add_exception(MONDAY, time(16), time(17))
    starts = set(parse_free_starts(get_slots(booking_api)))
    for number in range(24):
        start = local(MONDAY, 8) + number * 30 * MINUTE
        problems = booking_api.post("/appointments/preview", **booking_api.booking_body(start)).json()["problems"]
        assert (start in starts) is (problems == []), start


def test_taken_slots_come_with_the_reason_and_without_names(booking_api: BookingApi) -> None:
    booking_api.book_appointment(local(MONDAY, 9), client_id=make_client(booking_api.practice))
    booking_api.block(local(MONDAY, 13), local(MONDAY, 14), clinician_id=booking_api.clinician.staff_id)
    booking_api.add_exception(MONDAY, time(16), time(17))
    booking_api.close_on(MONDAY + DAY)
    slots = get_slots(booking_api, last=MONDAY + DAY, include_taken=True).json()["items"]
    reasons = {parse_instant(slot["starts_at"]): slot["reason"] for slot in slots}
    assert reasons[local(MONDAY, 9)] == reasons[local(MONDAY, 8, 30)] == reasons[local(MONDAY, 9, 30)] == "booked"
    assert reasons[local(MONDAY, 13)] == reasons[local(MONDAY, 16)] == reasons[local(MONDAY, 15, 30)] == "away"
    assert reasons[local(MONDAY, 10)] is None
    assert {reasons[start] for start in reasons if start > local(MONDAY + DAY, 0)} == {"closed"}
    names = {"starts_at", "ends_at", "available", "reason", "group_session_id", "free_seats"}
    assert all(set(slot) == names for slot in slots)
    assert all(slot["available"] is (slot["reason"] is None) for slot in slots)
    assert [slot for slot in slots if slot["available"]] == get_slots(booking_api, last=MONDAY + DAY).json()["items"]


def test_a_cancelled_time_is_free_unless_an_offer_holds_it(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    assert TEN not in parse_free_starts(get_slots(booking_api))
    booking_api.post("/waitlist", client_id=make_client(booking_api.practice))
    booking_api.take_step(booked, "cancel", reason="Ill")
    assert TEN not in parse_free_starts(get_slots(booking_api))
    booking_api.now += DAY
    assert TEN in parse_free_starts(get_slots(booking_api))


def test_no_slot_lies_in_the_past_or_after_the_last_day(booking_api: BookingApi) -> None:
    today = booking_api.now.date()
    assert parse_free_starts(get_slots(booking_api, today))[0] == booking_api.now  # half past eleven
    booking_api.now += MINUTE
    assert parse_free_starts(get_slots(booking_api, today))[0] == local(today, 12)
    assert parse_free_starts(get_slots(booking_api, today - 3 * DAY, today - DAY)) == []
    booking_api.write("update staff set left_on = :on where id = :id", id=booking_api.clinician.staff_id, on=MONDAY)
    assert len(parse_free_starts(get_slots(booking_api))) == 23
    assert parse_free_starts(get_slots(booking_api, MONDAY + DAY)) == []
    assert parse_free_starts(get_slots(booking_api, MONDAY, MONDAY + 5 * DAY)) == parse_free_starts(
        get_slots(booking_api)
    )


def test_a_last_day_at_the_end_of_the_calendar_has_no_effect(booking_api: BookingApi) -> None:
    booking_api.write("update staff set left_on = '9999-12-31' where id = :id", id=booking_api.clinician.staff_id)
    assert parse_free_starts(get_slots(booking_api)) != []
    assert get_first_free(booking_api, MONDAY, MONDAY).json()["items"] != []
    assert_error(booking_api.book(local(MONDAY, 3)), "OUTSIDE_HOURS")  # with alternatives


def test_hours_are_local_on_days_of_a_clock_change(booking_api: BookingApi) -> None:
    for sunday in (date(2026, 11, 1), date(2027, 3, 14)):
        starts = parse_free_starts(get_slots(booking_api, sunday))
        assert (len(starts), starts[0], starts[-1]) == (23, local(sunday, 8), local(sunday, 19))


@pytest.mark.parametrize(
    "query",
    [
        {"to": MONDAY - DAY},
        {"to": MONDAY + 92 * DAY},
        {"from": "0001-01-01", "to": "0001-01-02"},
        {"from": "9999-12-30", "to": "9999-12-31"},
        {"from": "soon"},
        {"names": "true"},
    ],
)
def test_invalid_ranges_are_refused(booking_api: BookingApi, query: dict[str, Any]) -> None:
    assert_error(get_slots(booking_api, **query), "VALIDATION_ERROR", 422)
    assert_error(
        booking_api.get("/slots", **{"from": MONDAY, "to": MONDAY, "service": "TALK"} | query), "VALIDATION_ERROR", 422
    )


def test_the_longest_range_is_92_days(booking_api: BookingApi) -> None:
    assert len(parse_free_starts(get_slots(booking_api, MONDAY, MONDAY + 91 * DAY))) == 92 * 23


def test_clinicians_who_do_not_offer_the_service_have_no_slots(booking_api: BookingApi) -> None:
    assert_error(get_slots(booking_api, service="NONE"), "NOT_FOUND", 404)
    nobody = {"from": MONDAY, "to": MONDAY, "service": "TALK"}
    assert_error(booking_api.get(f"/clinicians/{booking_api.scheduler.staff_id}/slots", **nobody), "NOT_FOUND", 404)
    put(
        booking_api.practice,
        ClinicianService(clinician_id=booking_api.clinician.staff_id, service_id=booking_api.service, offered=False),
    )
    assert_error(get_slots(booking_api), "NOT_FOUND", 404)
    make_service(booking_api.practice, "OLD", active=False)
    assert_error(get_slots(booking_api, service="OLD"), "NOT_FOUND", 404)
    assert get_first_free(booking_api, MONDAY, MONDAY).json()["items"] == []


# Of all clinicians


def test_the_first_free_slots_of_all_clinicians(booking_api: BookingApi) -> None:
    early, never = booking_api.add_clinician(time(7), time(9)), booking_api.add_clinician()
    put(
        booking_api.practice,
        ClinicianService(clinician_id=never.staff_id, service_id=booking_api.service, offered=False),
    )
    slots = get_first_free(booking_api, MONDAY, MONDAY + 3 * DAY, limit=5).json()["items"]
    own_id, early_id = str(booking_api.clinician.staff_id), str(early.staff_id)
    assert [parse_instant(slot["starts_at"]) for slot in slots] == [
        *(local(MONDAY, 7), local(MONDAY, 7, 30), local(MONDAY, 8), local(MONDAY, 8), local(MONDAY, 8, 30))
    ]
    assert [slot["clinician_id"] for slot in slots] == [early_id, early_id, *sorted([own_id, early_id]), own_id]
    assert [parse_instant(slot["ends_at"]) - parse_instant(slot["starts_at"]) for slot in slots] == [HOUR] * 5


def test_days_without_a_slot_are_skipped(booking_api: BookingApi) -> None:
    booking_api.close_on(MONDAY)
    booking_api.add_exception(MONDAY + DAY)
    slots = get_first_free(booking_api, MONDAY, MONDAY + 10 * DAY, limit=1).json()["items"]
    assert [parse_instant(slot["starts_at"]) for slot in slots] == [local(MONDAY + 2 * DAY, 8)]


# Online


@pytest.fixture
def me(booking_api: BookingApi) -> Person:
    return booking_api.add_portal_client()


def test_a_client_sees_what_they_can_book_online(booking_api: BookingApi, me: Person) -> None:
    today = booking_api.now.date()
    starts = parse_free_starts(get_slots(booking_api, today, today + 60 * DAY, me))
    assert (starts[0], starts[-1]) == (booking_api.now + DAY, booking_api.now + 30 * DAY)
    for start in (starts[0], starts[-1]):
        booking_api.book_appointment(start, me)
    anybody = get_first_free(booking_api, today, today + 60 * DAY, me, limit=1).json()["items"]
    assert parse_instant(anybody[0]["starts_at"]) == booking_api.now + DAY + HOUR


def test_a_clients_own_appointments_are_not_free(booking_api: BookingApi, me: Person) -> None:
    elsewhere = booking_api.add_clinician()
    booking_api.book_appointment(TEN, client_id=me.staff_id, clinician_id=elsewhere.staff_id)
    assert not {TEN - 30 * MINUTE, TEN, TEN + 30 * MINUTE} & set(parse_free_starts(get_slots(booking_api, by=me)))
    assert TEN in parse_free_starts(get_slots(booking_api))


def test_clients_do_not_see_why_a_time_is_taken(booking_api: BookingApi, me: Person) -> None:
    assert_error(get_slots(booking_api, by=me, include_taken=True), "FORBIDDEN", 403)


def test_billers_do_not_see_slots(booking_api: BookingApi) -> None:
    assert_error(get_slots(booking_api, by=booking_api.practice.add("biller")), "FORBIDDEN", 403)
