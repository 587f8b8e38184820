"""Free slots over the API: what is open, what is taken and why, and who sees how much of it."""

from datetime import date, datetime, time
from typing import Any

import pytest

from practice.people.settings import set_rule
from practice.scheduling.models.catalog import ClinicianService
from tests.support.builders.people import Person
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, at, refused, wall

TEN = wall(MONDAY, 10)


def slots(booking_api: BookingApi, first: date = MONDAY, last: date | None = None, by: Any = None, **more: Any) -> Any:
    path = f"/clinicians/{booking_api.clinician.staff_id}/slots"
    return booking_api.get(path, by, **{"from": first, "to": last or first, "service": "TALK"} | more)


def free(answer: Any) -> list[datetime]:
    assert answer.status_code == 200, answer.text
    return [at(slot["starts_at"]) for slot in answer.json()["items"] if slot["available"]]


def first_free(booking_api: BookingApi, first: date, last: date, by: Any = None, **more: Any) -> Any:
    return booking_api.get("/slots", by, **{"from": first, "to": last, "service": "TALK"} | more)


def test_a_day_has_slots_every_half_hour_within_the_hours(booking_api: BookingApi) -> None:
    found = free(slots(booking_api))
    assert found == [wall(MONDAY, 8) + number * 30 * MINUTE for number in range(23)]
    for slot in slots(booking_api).json()["items"]:
        assert at(slot["ends_at"]) - at(slot["starts_at"]) == HOUR


def test_the_step_is_the_practices_own(booking_api: BookingApi) -> None:
    with booking_api.practice.work() as work:
        set_rule(work, "slot_step_minutes", 60, booking_api.now.date())
    assert free(slots(booking_api)) == [wall(MONDAY, hour) for hour in range(8, 20)]


def test_the_minutes_with_this_clinician_count(booking_api: BookingApi) -> None:
    put(
        booking_api.practice,
        ClinicianService(clinician_id=booking_api.clinician.staff_id, service_id=booking_api.service, minutes=90),
    )
    assert free(slots(booking_api))[-1] == wall(MONDAY, 18, 30)


def test_every_free_slot_can_be_booked_and_no_other(booking_api: BookingApi) -> None:
    booking_api.booked(wall(MONDAY, 9), client_id=make_client(booking_api.practice))
    booking_api.block(wall(MONDAY, 13), wall(MONDAY, 14, 30), clinician_id=booking_api.clinician.staff_id)
    booking_api.away(MONDAY, time(16), time(17))
    found = set(free(slots(booking_api)))
    for number in range(24):
        start = wall(MONDAY, 8) + number * 30 * MINUTE
        problems = booking_api.post("/appointments/preview", **booking_api.wanted(start)).json()["problems"]
        assert (start in found) is (problems == []), start


def test_taken_slots_come_with_the_reason_and_without_names(booking_api: BookingApi) -> None:
    booking_api.booked(wall(MONDAY, 9), client_id=make_client(booking_api.practice))
    booking_api.block(wall(MONDAY, 13), wall(MONDAY, 14), clinician_id=booking_api.clinician.staff_id)
    booking_api.away(MONDAY, time(16), time(17))
    booking_api.close_on(MONDAY + DAY)
    found = slots(booking_api, last=MONDAY + DAY, include_taken=True).json()["items"]
    reasons = {at(slot["starts_at"]): slot["reason"] for slot in found}
    assert reasons[wall(MONDAY, 9)] == reasons[wall(MONDAY, 8, 30)] == reasons[wall(MONDAY, 9, 30)] == "booked"
    assert reasons[wall(MONDAY, 13)] == reasons[wall(MONDAY, 16)] == reasons[wall(MONDAY, 15, 30)] == "away"
    assert reasons[wall(MONDAY, 10)] is None
    assert {reasons[start] for start in reasons if start > wall(MONDAY + DAY, 0)} == {"closed"}
    assert all(set(slot) == {"starts_at", "ends_at", "available", "reason"} for slot in found)
    assert all(slot["available"] is (slot["reason"] is None) for slot in found)
    assert [slot for slot in found if slot["available"]] == slots(booking_api, last=MONDAY + DAY).json()["items"]


def test_what_was_cancelled_is_free_and_an_offer_is_not_until_it_lapses(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    assert TEN not in free(slots(booking_api))
    booking_api.post("/waitlist", client_id=make_client(booking_api.practice))
    booking_api.done(booked, "cancel", reason="Ill")
    assert TEN not in free(slots(booking_api))
    booking_api.now += DAY
    assert TEN in free(slots(booking_api))


def test_no_slot_lies_in_the_past_or_after_the_last_day(booking_api: BookingApi) -> None:
    today = booking_api.now.date()
    assert free(slots(booking_api, today))[0] == booking_api.now  # half past eleven
    booking_api.now += MINUTE
    assert free(slots(booking_api, today))[0] == wall(today, 12)
    assert free(slots(booking_api, today - 3 * DAY, today - DAY)) == []
    booking_api.write("update staff set left_on = :on where id = :id", id=booking_api.clinician.staff_id, on=MONDAY)
    assert len(free(slots(booking_api))) == 23
    assert free(slots(booking_api, MONDAY + DAY)) == []
    assert free(slots(booking_api, MONDAY, MONDAY + 5 * DAY)) == free(slots(booking_api))


def test_a_last_day_at_the_end_of_the_calendar_is_none(booking_api: BookingApi) -> None:
    booking_api.write("update staff set left_on = '9999-12-31' where id = :id", id=booking_api.clinician.staff_id)
    assert free(slots(booking_api)) != []
    assert first_free(booking_api, MONDAY, MONDAY).json()["items"] != []
    refused(booking_api.book(wall(MONDAY, 3)), "OUTSIDE_HOURS")  # with alternatives


def test_on_the_days_of_a_change_of_the_clock_the_hours_are_those_of_the_wall(booking_api: BookingApi) -> None:
    for sunday in (date(2026, 11, 1), date(2027, 3, 14)):
        found = free(slots(booking_api, sunday))
        assert (len(found), found[0], found[-1]) == (23, wall(sunday, 8), wall(sunday, 19))


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
def test_a_range_is_of_reasonable_days(booking_api: BookingApi, query: dict[str, Any]) -> None:
    refused(slots(booking_api, **query), "VALIDATION_ERROR", 422)
    refused(
        booking_api.get("/slots", **{"from": MONDAY, "to": MONDAY, "service": "TALK"} | query), "VALIDATION_ERROR", 422
    )


def test_the_longest_range_is_a_quarter(booking_api: BookingApi) -> None:
    assert len(free(slots(booking_api, MONDAY, MONDAY + 91 * DAY))) == 92 * 23


def test_who_does_not_offer_the_service_has_no_slots(booking_api: BookingApi) -> None:
    refused(slots(booking_api, service="NONE"), "NOT_FOUND", 404)
    nobody = {"from": MONDAY, "to": MONDAY, "service": "TALK"}
    refused(booking_api.get(f"/clinicians/{booking_api.scheduler.staff_id}/slots", **nobody), "NOT_FOUND", 404)
    put(
        booking_api.practice,
        ClinicianService(clinician_id=booking_api.clinician.staff_id, service_id=booking_api.service, offered=False),
    )
    refused(slots(booking_api), "NOT_FOUND", 404)
    make_service(booking_api.practice, "OLD", active=False)
    refused(slots(booking_api, service="OLD"), "NOT_FOUND", 404)
    assert first_free(booking_api, MONDAY, MONDAY).json()["items"] == []


# With anybody


def test_the_first_free_with_anybody_who_offers_it(booking_api: BookingApi) -> None:
    early, never = booking_api.add_clinician(time(7), time(9)), booking_api.add_clinician()
    put(
        booking_api.practice,
        ClinicianService(clinician_id=never.staff_id, service_id=booking_api.service, offered=False),
    )
    found = first_free(booking_api, MONDAY, MONDAY + 3 * DAY, limit=5).json()["items"]
    mine, theirs = str(booking_api.clinician.staff_id), str(early.staff_id)
    assert [at(one["starts_at"]) for one in found] == [
        *(wall(MONDAY, 7), wall(MONDAY, 7, 30), wall(MONDAY, 8), wall(MONDAY, 8), wall(MONDAY, 8, 30))
    ]
    assert [one["clinician_id"] for one in found] == [theirs, theirs, *sorted([mine, theirs]), mine]
    assert [at(one["ends_at"]) - at(one["starts_at"]) for one in found] == [HOUR] * 5


def test_days_without_a_slot_are_passed_over(booking_api: BookingApi) -> None:
    booking_api.close_on(MONDAY)
    booking_api.away(MONDAY + DAY)
    found = first_free(booking_api, MONDAY, MONDAY + 10 * DAY, limit=1).json()["items"]
    assert [at(one["starts_at"]) for one in found] == [wall(MONDAY + 2 * DAY, 8)]


# Online


@pytest.fixture
def me(booking_api: BookingApi) -> Person:
    return booking_api.portal()


def test_a_client_sees_what_they_can_book_online(booking_api: BookingApi, me: Person) -> None:
    today = booking_api.now.date()
    found = free(slots(booking_api, today, today + 60 * DAY, me))
    assert (found[0], found[-1]) == (booking_api.now + DAY, booking_api.now + 30 * DAY)
    for start in (found[0], found[-1]):
        booking_api.booked(start, me)
    anybody = first_free(booking_api, today, today + 60 * DAY, me, limit=1).json()["items"]
    assert at(anybody[0]["starts_at"]) == booking_api.now + DAY + HOUR


def test_a_client_is_not_free_where_they_have_an_appointment(booking_api: BookingApi, me: Person) -> None:
    elsewhere = booking_api.add_clinician()
    booking_api.booked(TEN, client_id=me.staff_id, clinician_id=elsewhere.staff_id)
    assert not {TEN - 30 * MINUTE, TEN, TEN + 30 * MINUTE} & set(free(slots(booking_api, by=me)))
    assert TEN in free(slots(booking_api))


def test_why_a_time_is_not_free_is_nothing_for_clients(booking_api: BookingApi, me: Person) -> None:
    refused(slots(booking_api, by=me, include_taken=True), "FORBIDDEN", 403)


def test_who_keeps_the_books_needs_no_slots(booking_api: BookingApi) -> None:
    refused(slots(booking_api, by=booking_api.practice.add("biller")), "FORBIDDEN", 403)
