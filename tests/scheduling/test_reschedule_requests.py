"""Reschedule requests: a clinician asks, the booking_api decides, both are told."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.people.settings import set_rule
from tests.support.builders.schedule import make_client, make_service
from tests.support.drivers.booking import DAY, HOUR, MONDAY, SECOND, BookingApi, at, refused, wall

TEN = wall(MONDAY, 10)
PATH = "/reschedule-requests"


def ask(
    booking_api: BookingApi, appointment: dict[str, Any], start: Any = TEN + DAY, by: Any = None, **more: Any
) -> Any:
    body = {"appointment_id": appointment["id"], "starts_at": start, "reason": "A conference"} | more
    return booking_api.post(PATH, by or booking_api.clinician, **body)


def asked(booking_api: BookingApi, *given: Any, **more: Any) -> dict[str, Any]:
    answer = ask(booking_api, *given, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def answer(booking_api: BookingApi, request: dict[str, Any], verb: str, by: Any = None, **body: Any) -> Any:
    if verb == "withdraw":
        path = f"/api/v1{PATH}/{request['id']}/withdraw"
        return booking_api.http.post(path, headers=booking_api.headers(by or booking_api.clinician))
    return booking_api.post(f"{PATH}/{request['id']}/{verb}", by, **body)


def told(booking_api: BookingApi, kind: str) -> set[UUID]:
    rows = booking_api.rows("select staff_id, channel from messages where kind = :kind", kind=kind)
    assert {channel for _, channel in rows} <= {"email"}
    assert len(rows) == len({staff for staff, _ in rows})
    return {staff for staff, _ in rows}


def the_desk(booking_api: BookingApi) -> set[UUID]:
    return {booking_api.practice.admin.staff_id, booking_api.scheduler.staff_id}


def test_a_clinician_asks_and_the_desk_is_told(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    request = asked(booking_api, booked, room_id=booking_api.room)
    assert (request["status"], request["asked_by_id"]) == ("PENDING", str(booking_api.clinician.staff_id))
    assert (at(request["starts_at"]), request["reason"], at(request["asked_at"])) == (
        TEN + DAY,
        "A conference",
        booking_api.now,
    )
    assert told(booking_api, "RESCHEDULE_ASKED") == the_desk(booking_api)
    assert booking_api.read(booked) == booked  # nothing happened yet
    assert booking_api.get(f"{PATH}/{request['id']}").json() == request
    assert booking_api.get(PATH, status="PENDING").json()["items"] == [request]


def test_approving_moves_the_appointment_and_tells_both_sides(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    request = asked(booking_api, booked, room_id=booking_api.room)
    approved = answer(booking_api, request, "approve", note="Done").json()
    assert (approved["status"], approved["decision_note"]) == ("APPROVED", "Done")
    new = booking_api.get(f"/appointments/{approved['new_appointment_id']}").json()
    assert (at(new["starts_at"]), new["room_id"], new["status"]) == (TEN + DAY, str(booking_api.room), "SCHEDULED")
    assert booking_api.read(booked)["rescheduled_to_id"] == new["id"]
    assert told(booking_api, "RESCHEDULE_APPROVED") == {booking_api.clinician.staff_id} | the_desk(booking_api)
    assert (
        len(booking_api.rows("select 1 from messages where kind = 'MOVED' and client_id = :id", id=booking_api.client))
        == 1
    )


def test_without_a_room_the_appointment_keeps_its_own(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN, room_id=booking_api.room)
    approved = answer(booking_api, asked(booking_api, booked), "approve").json()
    assert booking_api.get(f"/appointments/{approved['new_appointment_id']}").json()["room_id"] == str(booking_api.room)


def test_rejecting_needs_a_word_and_changes_nothing(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    request = asked(booking_api, booked)
    refused(answer(booking_api, request, "reject"), "VALIDATION_ERROR", 422)
    rejected = answer(booking_api, request, "reject", note="The client cannot").json()
    assert (rejected["status"], rejected["decision_note"]) == ("REJECTED", "The client cannot")
    assert at(rejected["decided_at"]) == booking_api.now
    assert booking_api.read(booked) == booked
    assert told(booking_api, "RESCHEDULE_REJECTED") == {booking_api.clinician.staff_id} | the_desk(booking_api)


def test_a_clinician_takes_a_request_back_and_the_desk_knows(booking_api: BookingApi) -> None:
    request = asked(booking_api, booking_api.booked(TEN))
    other = booking_api.add_clinician()
    refused(answer(booking_api, request, "withdraw", other), "NOT_FOUND", 404)
    assert answer(booking_api, request, "withdraw").json()["status"] == "WITHDRAWN"
    assert the_desk(booking_api) <= told(booking_api, "RESCHEDULE_WITHDRAWN")


@pytest.mark.parametrize("first", ["approve", "reject", "withdraw"])
def test_a_request_is_decided_once(booking_api: BookingApi, first: str) -> None:
    request = asked(booking_api, booking_api.booked(TEN))
    body = {"note": "So be it"}
    assert answer(booking_api, request, first, **body).status_code == 200
    for verb in ("approve", "reject", "withdraw"):
        refused(answer(booking_api, request, verb, **body), "WRONG_STATUS")


def test_if_the_time_is_taken_meanwhile_the_request_stays_open(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    request = asked(booking_api, booked)
    in_the_way = booking_api.booked(TEN + DAY, client_id=make_client(booking_api.practice))
    error = refused(answer(booking_api, request, "approve"), "SLOT_TAKEN")
    assert error["details"]["alternatives"]
    assert booking_api.get(f"{PATH}/{request['id']}").json()["status"] == "PENDING"
    assert told(booking_api, "RESCHEDULE_APPROVED") == set()
    booking_api.done(in_the_way, "cancel", reason="Ill")
    assert answer(booking_api, request, "approve").json()["status"] == "APPROVED"


def test_a_time_that_has_passed_is_not_approved(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN + 2 * DAY)
    request = asked(booking_api, booked, TEN)
    booking_api.now = TEN
    refused(answer(booking_api, request, "approve"), "TOO_LATE")
    assert answer(booking_api, request, "reject", note="Too late").status_code == 200


def test_what_was_cancelled_meanwhile_is_not_moved(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    request = asked(booking_api, booked)
    booking_api.done(booked, "cancel", reason="Ill")
    refused(answer(booking_api, request, "approve"), "WRONG_STATUS")
    assert answer(booking_api, request, "reject", note="Cancelled meanwhile").status_code == 200


@pytest.mark.parametrize(("ahead", "may"), [(timedelta(hours=48), True), (timedelta(hours=48) - SECOND, False)])
def test_a_request_needs_two_days_notice(booking_api: BookingApi, ahead: timedelta, may: bool) -> None:
    booked = booking_api.booked(TEN)
    booking_api.now = TEN - ahead
    if may:
        asked(booking_api, booked)
    else:
        assert "48 hours" in refused(ask(booking_api, booked), "TOO_LATE")["message"]


def test_the_notice_is_the_practices_own(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    with booking_api.practice.work() as work:
        set_rule(work, "reschedule_notice_hours", 4, booking_api.now.date())
    booking_api.now = TEN - 5 * HOUR
    asked(booking_api, booked)


def test_of_one_appointment_one_request_is_open(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    first = asked(booking_api, booked)
    refused(ask(booking_api, booked, TEN + 2 * DAY), "ALREADY_ASKED")
    answer(booking_api, first, "withdraw")
    second = asked(booking_api, booked, TEN + 2 * DAY)
    answer(booking_api, second, "reject", note="No")
    asked(booking_api, booked, TEN + 3 * DAY)


def test_a_request_has_to_make_sense(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    refused(ask(booking_api, booked, TEN), "VALIDATION_ERROR", 422)
    refused(ask(booking_api, booked, booking_api.now - HOUR), "VALIDATION_ERROR", 422)
    nowhere = "01890000-0000-7000-8000-000000000000"
    assert "`room_id`" in refused(ask(booking_api, booked, room_id=nowhere), "VALIDATION_ERROR", 422)["message"]
    refused(ask(booking_api, booked, reason=""), "VALIDATION_ERROR", 422)
    refused(ask(booking_api, {"id": nowhere}), "NOT_FOUND", 404)
    booking_api.done(booked, "cancel", reason="Ill")
    refused(ask(booking_api, booked), "WRONG_STATUS")
    make_service(booking_api.practice, "GROUP", kind="GROUP")
    refused(ask(booking_api, booking_api.booked(TEN, service_code="GROUP")), "NOT_BOOKABLE")


def test_requests_are_about_ones_own_and_seen_by_those_they_concern(booking_api: BookingApi) -> None:
    supervisor = booking_api.practice.add("supervisor")
    mine = booking_api.add_clinician(supervisor=supervisor)
    booked = booking_api.booked(TEN, clinician_id=mine.staff_id)
    refused(ask(booking_api, booked), "NOT_FOUND", 404)
    refused(ask(booking_api, booked, by=booking_api.scheduler), "FORBIDDEN", 403)
    refused(ask(booking_api, booked, by=supervisor), "FORBIDDEN", 403)
    request = asked(booking_api, booked, by=mine)
    for person in (mine, supervisor, booking_api.scheduler, booking_api.practice.admin):
        assert [one["id"] for one in booking_api.get(PATH, person).json()["items"]] == [request["id"]]
    assert booking_api.get(PATH, booking_api.clinician).json()["items"] == []
    refused(booking_api.get(f"{PATH}/{request['id']}", booking_api.clinician), "NOT_FOUND", 404)
    for verb in ("approve", "reject"):
        refused(answer(booking_api, request, verb, mine, note="Yes"), "FORBIDDEN", 403)
        refused(answer(booking_api, request, verb, supervisor, note="Yes"), "FORBIDDEN", 403)
