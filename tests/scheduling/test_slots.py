"""Free slots over the API: what is open, what is taken and why, and who sees how much of it."""

from datetime import date, datetime, time
from typing import Any

import pytest

from practice.people.settings import set_rule
from practice.scheduling.models.catalog import ClinicianService
from tests.support.builders.people import Person
from tests.support.builders.schedule import make_client, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, FrontDesk, at, refused, wall

TEN = wall(MONDAY, 10)


def slots(desk: FrontDesk, first: date = MONDAY, last: date | None = None, by: Any = None, **more: Any) -> Any:
    path = f"/clinicians/{desk.clinician.staff_id}/slots"
    return desk.get(path, by, **{"from": first, "to": last or first, "service": "TALK"} | more)


def free(answer: Any) -> list[datetime]:
    assert answer.status_code == 200, answer.text
    return [at(slot["starts_at"]) for slot in answer.json()["items"] if slot["available"]]


def first_free(desk: FrontDesk, first: date, last: date, by: Any = None, **more: Any) -> Any:
    return desk.get("/slots", by, **{"from": first, "to": last, "service": "TALK"} | more)


def test_a_day_has_slots_every_half_hour_within_the_hours(desk: FrontDesk) -> None:
    found = free(slots(desk))
    assert found == [wall(MONDAY, 8) + number * 30 * MINUTE for number in range(23)]
    for slot in slots(desk).json()["items"]:
        assert at(slot["ends_at"]) - at(slot["starts_at"]) == HOUR


def test_the_step_is_the_practices_own(desk: FrontDesk) -> None:
    with desk.practice.work() as work:
        set_rule(work, "slot_step_minutes", 60, desk.now.date())
    assert free(slots(desk)) == [wall(MONDAY, hour) for hour in range(8, 20)]


def test_the_minutes_with_this_clinician_count(desk: FrontDesk) -> None:
    put(desk.practice, ClinicianService(clinician_id=desk.clinician.staff_id, service_id=desk.service, minutes=90))
    assert free(slots(desk))[-1] == wall(MONDAY, 18, 30)


def test_every_free_slot_can_be_booked_and_no_other(desk: FrontDesk) -> None:
    desk.booked(wall(MONDAY, 9), client_id=make_client(desk.practice))
    desk.block(wall(MONDAY, 13), wall(MONDAY, 14, 30), clinician_id=desk.clinician.staff_id)
    desk.away(MONDAY, time(16), time(17))
    found = set(free(slots(desk)))
    for number in range(24):
        start = wall(MONDAY, 8) + number * 30 * MINUTE
        problems = desk.post("/appointments/preview", **desk.wanted(start)).json()["problems"]
        assert (start in found) is (problems == []), start


def test_taken_slots_come_with_the_reason_and_without_names(desk: FrontDesk) -> None:
    desk.booked(wall(MONDAY, 9), client_id=make_client(desk.practice))
    desk.block(wall(MONDAY, 13), wall(MONDAY, 14), clinician_id=desk.clinician.staff_id)
    desk.away(MONDAY, time(16), time(17))
    desk.close_on(MONDAY + DAY)
    found = slots(desk, last=MONDAY + DAY, include_taken=True).json()["items"]
    reasons = {at(slot["starts_at"]): slot["reason"] for slot in found}
    assert reasons[wall(MONDAY, 9)] == reasons[wall(MONDAY, 8, 30)] == reasons[wall(MONDAY, 9, 30)] == "booked"
    assert reasons[wall(MONDAY, 13)] == reasons[wall(MONDAY, 16)] == reasons[wall(MONDAY, 15, 30)] == "away"
    assert reasons[wall(MONDAY, 10)] is None
    assert {reasons[start] for start in reasons if start > wall(MONDAY + DAY, 0)} == {"closed"}
    assert all(set(slot) == {"starts_at", "ends_at", "available", "reason"} for slot in found)
    assert all(slot["available"] is (slot["reason"] is None) for slot in found)
    assert [slot for slot in found if slot["available"]] == slots(desk, last=MONDAY + DAY).json()["items"]


def test_what_was_cancelled_is_free_and_an_offer_is_not_until_it_lapses(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    assert TEN not in free(slots(desk))
    desk.post("/waitlist", client_id=make_client(desk.practice))
    desk.done(booked, "cancel", reason="Ill")
    assert TEN not in free(slots(desk))
    desk.now += DAY
    assert TEN in free(slots(desk))


def test_no_slot_lies_in_the_past_or_after_the_last_day(desk: FrontDesk) -> None:
    today = desk.now.date()
    assert free(slots(desk, today))[0] == desk.now  # half past eleven
    desk.now += MINUTE
    assert free(slots(desk, today))[0] == wall(today, 12)
    assert free(slots(desk, today - 3 * DAY, today - DAY)) == []
    desk.write("update staff set left_on = :on where id = :id", id=desk.clinician.staff_id, on=MONDAY)
    assert len(free(slots(desk))) == 23
    assert free(slots(desk, MONDAY + DAY)) == []
    assert free(slots(desk, MONDAY, MONDAY + 5 * DAY)) == free(slots(desk))


def test_a_last_day_at_the_end_of_the_calendar_is_none(desk: FrontDesk) -> None:
    desk.write("update staff set left_on = '9999-12-31' where id = :id", id=desk.clinician.staff_id)
    assert free(slots(desk)) != []
    assert first_free(desk, MONDAY, MONDAY).json()["items"] != []
    refused(desk.book(wall(MONDAY, 3)), "OUTSIDE_HOURS")  # with alternatives


def test_on_the_days_of_a_change_of_the_clock_the_hours_are_those_of_the_wall(desk: FrontDesk) -> None:
    for sunday in (date(2026, 11, 1), date(2027, 3, 14)):
        found = free(slots(desk, sunday))
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
def test_a_range_is_of_reasonable_days(desk: FrontDesk, query: dict[str, Any]) -> None:
    refused(slots(desk, **query), "VALIDATION_ERROR", 422)
    refused(desk.get("/slots", **{"from": MONDAY, "to": MONDAY, "service": "TALK"} | query), "VALIDATION_ERROR", 422)


def test_the_longest_range_is_a_quarter(desk: FrontDesk) -> None:
    assert len(free(slots(desk, MONDAY, MONDAY + 91 * DAY))) == 92 * 23


def test_who_does_not_offer_the_service_has_no_slots(desk: FrontDesk) -> None:
    refused(slots(desk, service="NONE"), "NOT_FOUND", 404)
    nobody = {"from": MONDAY, "to": MONDAY, "service": "TALK"}
    refused(desk.get(f"/clinicians/{desk.scheduler.staff_id}/slots", **nobody), "NOT_FOUND", 404)
    put(desk.practice, ClinicianService(clinician_id=desk.clinician.staff_id, service_id=desk.service, offered=False))
    refused(slots(desk), "NOT_FOUND", 404)
    make_service(desk.practice, "OLD", active=False)
    refused(slots(desk, service="OLD"), "NOT_FOUND", 404)
    assert first_free(desk, MONDAY, MONDAY).json()["items"] == []


# With anybody


def test_the_first_free_with_anybody_who_offers_it(desk: FrontDesk) -> None:
    early, never = desk.add_clinician(time(7), time(9)), desk.add_clinician()
    put(desk.practice, ClinicianService(clinician_id=never.staff_id, service_id=desk.service, offered=False))
    found = first_free(desk, MONDAY, MONDAY + 3 * DAY, limit=5).json()["items"]
    mine, theirs = str(desk.clinician.staff_id), str(early.staff_id)
    assert [at(one["starts_at"]) for one in found] == [
        *(wall(MONDAY, 7), wall(MONDAY, 7, 30), wall(MONDAY, 8), wall(MONDAY, 8), wall(MONDAY, 8, 30))
    ]
    assert [one["clinician_id"] for one in found] == [theirs, theirs, *sorted([mine, theirs]), mine]
    assert [at(one["ends_at"]) - at(one["starts_at"]) for one in found] == [HOUR] * 5


def test_days_without_a_slot_are_passed_over(desk: FrontDesk) -> None:
    desk.close_on(MONDAY)
    desk.away(MONDAY + DAY)
    found = first_free(desk, MONDAY, MONDAY + 10 * DAY, limit=1).json()["items"]
    assert [at(one["starts_at"]) for one in found] == [wall(MONDAY + 2 * DAY, 8)]


# Online


@pytest.fixture
def me(desk: FrontDesk) -> Person:
    return desk.portal()


def test_a_client_sees_what_they_can_book_online(desk: FrontDesk, me: Person) -> None:
    today = desk.now.date()
    found = free(slots(desk, today, today + 60 * DAY, me))
    assert (found[0], found[-1]) == (desk.now + DAY, desk.now + 30 * DAY)
    for start in (found[0], found[-1]):
        desk.booked(start, me)
    anybody = first_free(desk, today, today + 60 * DAY, me, limit=1).json()["items"]
    assert at(anybody[0]["starts_at"]) == desk.now + DAY + HOUR


def test_a_client_is_not_free_where_they_have_an_appointment(desk: FrontDesk, me: Person) -> None:
    elsewhere = desk.add_clinician()
    desk.booked(TEN, client_id=me.staff_id, clinician_id=elsewhere.staff_id)
    assert not {TEN - 30 * MINUTE, TEN, TEN + 30 * MINUTE} & set(free(slots(desk, by=me)))
    assert TEN in free(slots(desk))


def test_why_a_time_is_not_free_is_nothing_for_clients(desk: FrontDesk, me: Person) -> None:
    refused(slots(desk, by=me, include_taken=True), "FORBIDDEN", 403)


def test_who_keeps_the_books_needs_no_slots(desk: FrontDesk) -> None:
    refused(slots(desk, by=desk.practice.add("biller")), "FORBIDDEN", 403)
