"""Reschedule requests: a clinician requests, the front desk decides, both are notified."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.people.settings import change_setting
from tests.support.builders.schedule import make_client, make_service
from tests.support.drivers.booking import DAY, HOUR, MONDAY, SECOND, BookingApi, assert_error, local, parse_instant

TEN = local(MONDAY, 10)
PATH = "/reschedule-requests"


def post_request(
    booking_api: BookingApi, appointment: dict[str, Any], start: Any = TEN + DAY, by: Any = None, **fields: Any
) -> Any:
    body = {"appointment_id": appointment["id"], "starts_at": start, "reason": "A conference"} | fields
    return booking_api.post(PATH, by or booking_api.clinician, **body)


def create_request(booking_api: BookingApi, *arguments: Any, **fields: Any) -> dict[str, Any]:
    response = post_request(booking_api, *arguments, **fields)
    assert response.status_code == 201, response.text
    return response.json()


def decide_request(booking_api: BookingApi, request: dict[str, Any], action: str, by: Any = None, **body: Any) -> Any:
    if action == "withdraw":
        path = f"/api/v1{PATH}/{request['id']}/withdraw"
        return booking_api.http.post(path, headers=booking_api.build_headers(by or booking_api.clinician))
    return booking_api.post(f"{PATH}/{request['id']}/{action}", by, **body)


def notified_staff(booking_api: BookingApi, kind: str) -> set[UUID]:
    rows = booking_api.load_rows("select staff_id, channel from messages where kind = :kind", kind=kind)
    assert {channel for _, channel in rows} <= {"email"}
    assert len(rows) == len({staff for staff, _ in rows})
    return {staff for staff, _ in rows}


def list_front_desk(booking_api: BookingApi) -> set[UUID]:
    return {booking_api.practice.admin.staff_id, booking_api.scheduler.staff_id}


def test_a_clinician_requests_and_the_front_desk_is_notified(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    request = create_request(booking_api, booked, room_id=booking_api.room)
    assert (request["status"], request["asked_by_id"]) == ("PENDING", str(booking_api.clinician.staff_id))
    assert (parse_instant(request["starts_at"]), request["reason"], parse_instant(request["asked_at"])) == (
        TEN + DAY,
        "A conference",
        booking_api.now,
    )
    assert notified_staff(booking_api, "RESCHEDULE_ASKED") == list_front_desk(booking_api)
    assert booking_api.read(booked) == booked  # nothing happened yet
    assert booking_api.get(f"{PATH}/{request['id']}").json() == request
    assert booking_api.get(PATH, status="PENDING").json()["items"] == [request]


def test_approving_moves_the_appointment_and_notifies_both_sides(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    request = create_request(booking_api, booked, room_id=booking_api.room)
    approved = decide_request(booking_api, request, "approve", note="Done").json()
    assert (approved["status"], approved["decision_note"]) == ("APPROVED", "Done")
    new = booking_api.get(f"/appointments/{approved['new_appointment_id']}").json()
    assert (parse_instant(new["starts_at"]), new["room_id"], new["status"]) == (
        TEN + DAY,
        str(booking_api.room),
        "SCHEDULED",
    )
    assert booking_api.read(booked)["rescheduled_to_id"] == new["id"]
    assert notified_staff(booking_api, "RESCHEDULE_WITHDRAWN") == set()
    assert notified_staff(booking_api, "RESCHEDULE_APPROVED") == {booking_api.clinician.staff_id} | list_front_desk(
        booking_api
    )
    assert (
        len(
            booking_api.load_rows(
                "select 1 from messages where kind = 'MOVED' and client_id = :id", id=booking_api.client
            )
        )
        == 1
    )


def test_without_a_room_the_appointment_keeps_its_own(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN, room_id=booking_api.room)
    approved = decide_request(booking_api, create_request(booking_api, booked), "approve").json()
    assert booking_api.get(f"/appointments/{approved['new_appointment_id']}").json()["room_id"] == str(booking_api.room)


def test_rejecting_needs_a_note_and_changes_nothing(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    request = create_request(booking_api, booked)
    assert_error(decide_request(booking_api, request, "reject"), "VALIDATION_ERROR", 422)
    rejected = decide_request(booking_api, request, "reject", note="The client cannot").json()
    assert (rejected["status"], rejected["decision_note"]) == ("REJECTED", "The client cannot")
    assert parse_instant(rejected["decided_at"]) == booking_api.now
    assert booking_api.read(booked) == booked
    assert notified_staff(booking_api, "RESCHEDULE_REJECTED") == {booking_api.clinician.staff_id} | list_front_desk(
        booking_api
    )


def test_a_clinician_withdraws_a_request_and_the_front_desk_is_notified(booking_api: BookingApi) -> None:
    request = create_request(booking_api, booking_api.book_appointment(TEN))
    other = booking_api.add_clinician()
    assert_error(decide_request(booking_api, request, "withdraw", other), "NOT_FOUND", 404)
    assert decide_request(booking_api, request, "withdraw").json()["status"] == "WITHDRAWN"
    assert list_front_desk(booking_api) <= notified_staff(booking_api, "RESCHEDULE_WITHDRAWN")


@pytest.mark.parametrize("first", ["approve", "reject", "withdraw"])
def test_a_request_is_decided_once(booking_api: BookingApi, first: str) -> None:
    request = create_request(booking_api, booking_api.book_appointment(TEN))
    body = {"note": "So be it"}
    assert decide_request(booking_api, request, first, **body).status_code == 200
    for action in ("approve", "reject", "withdraw"):
        assert_error(decide_request(booking_api, request, action, **body), "WRONG_STATUS")


def test_the_request_stays_open_if_the_time_is_taken(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    request = create_request(booking_api, booked)
    in_the_way = booking_api.book_appointment(TEN + DAY, client_id=make_client(booking_api.practice))
    error = assert_error(decide_request(booking_api, request, "approve"), "SLOT_TAKEN")
    assert error["details"]["alternatives"]
    assert booking_api.get(f"{PATH}/{request['id']}").json()["status"] == "PENDING"
    assert notified_staff(booking_api, "RESCHEDULE_APPROVED") == set()
    booking_api.take_step(in_the_way, "cancel", reason="Ill")
    assert decide_request(booking_api, request, "approve").json()["status"] == "APPROVED"


def test_a_time_that_has_passed_is_not_approved(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN + 2 * DAY)
    request = create_request(booking_api, booked, TEN)
    booking_api.now = TEN
    assert_error(decide_request(booking_api, request, "approve"), "TOO_LATE")
    assert decide_request(booking_api, request, "reject", note="Too late").status_code == 200


def test_a_cancelled_appointment_is_not_moved(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    request = create_request(booking_api, booked)
    booking_api.take_step(booked, "cancel", reason="Ill")
    assert_error(decide_request(booking_api, request, "approve"), "WRONG_STATUS")


@pytest.mark.parametrize(
    ("action", "body", "note"),
    [
        ("cancel", {"reason": "Ill"}, "The visit was cancelled."),
        ("reschedule", {"starts_at": TEN + HOUR}, "The visit was moved."),
        ("complete", {}, "The visit took place."),
        ("no-show", {}, "The client did not come."),
    ],
)
def test_a_request_ends_with_its_visit(booking_api: BookingApi, action: str, body: dict[str, Any], note: str) -> None:
    booked, other = booking_api.book_appointment(TEN), booking_api.book_appointment(TEN + 3 * DAY)
    request = create_request(booking_api, booked)
    still_open = create_request(booking_api, other, TEN + 4 * DAY)
    if action in ("complete", "no-show"):
        booking_api.now = TEN
    booking_api.take_step(booked, action, **body)
    closed = booking_api.get(f"{PATH}/{request['id']}").json()
    assert (closed["status"], closed["decision_note"], closed["new_appointment_id"]) == ("WITHDRAWN", note, None)
    assert parse_instant(closed["decided_at"]) == booking_api.now
    assert [item["id"] for item in booking_api.get(PATH, status="PENDING").json()["items"]] == [still_open["id"]]
    staff = {booking_api.clinician.staff_id} | list_front_desk(booking_api)
    assert notified_staff(booking_api, "RESCHEDULE_WITHDRAWN") == staff


def test_a_request_shows_the_visit_as_it_is(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    request = create_request(booking_api, booked)
    assert (request["client_id"], request["appointment_reference"]) == (str(booking_api.client), booked["reference"])
    assert parse_instant(request["appointment_starts_at"]) == TEN
    for person in (booking_api.clinician, booking_api.scheduler):
        [listed] = booking_api.get(PATH, person).json()["items"]
        assert listed["client_name"] == booked["client_name"]


def test_messages_name_the_request(booking_api: BookingApi) -> None:
    for action in ("reject", "withdraw"):
        request = create_request(booking_api, booking_api.book_appointment(TEN))
        decide_request(booking_api, request, action, note="No")
        booking_api.take_step(request["appointment_id"], "cancel", reason="Ill")
        query = "select about_id from messages where tenant_id = :tenant_id and staff_id is not null and about_id = :id"
        assert len(booking_api.load_rows(query, id=request["id"])) == 5  # two deciders twice, the clinician once


@pytest.mark.parametrize(("ahead", "may"), [(timedelta(hours=48), True), (timedelta(hours=48) - SECOND, False)])
def test_a_request_needs_two_days_notice(booking_api: BookingApi, ahead: timedelta, may: bool) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN - ahead
    if may:
        create_request(booking_api, booked)
    else:
        assert "48 hours" in assert_error(post_request(booking_api, booked), "TOO_LATE")["message"]


def test_the_notice_is_a_setting(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    with booking_api.practice.work() as work:
        change_setting(work, "reschedule_notice_hours", 4, booking_api.now.date())
    booking_api.now = TEN - 5 * HOUR
    create_request(booking_api, booked)


def test_an_appointment_has_one_open_request(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    first = create_request(booking_api, booked)
    assert_error(post_request(booking_api, booked, TEN + 2 * DAY), "ALREADY_ASKED")
    decide_request(booking_api, first, "withdraw")
    second = create_request(booking_api, booked, TEN + 2 * DAY)
    decide_request(booking_api, second, "reject", note="No")
    create_request(booking_api, booked, TEN + 3 * DAY)


def test_invalid_requests_are_refused(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    assert_error(post_request(booking_api, booked, TEN), "VALIDATION_ERROR", 422)
    assert_error(post_request(booking_api, booked, booking_api.now - HOUR), "VALIDATION_ERROR", 422)
    nowhere = "01890000-0000-7000-8000-000000000000"
    assert (
        "`room_id`"
        in assert_error(post_request(booking_api, booked, room_id=nowhere), "VALIDATION_ERROR", 422)["message"]
    )
    assert_error(post_request(booking_api, booked, reason=""), "VALIDATION_ERROR", 422)
    assert_error(post_request(booking_api, {"id": nowhere}), "NOT_FOUND", 404)
    booking_api.take_step(booked, "cancel", reason="Ill")
    assert_error(post_request(booking_api, booked), "WRONG_STATUS")
    make_service(booking_api.practice, "GROUP", kind="GROUP")
    assert_error(post_request(booking_api, booking_api.book_appointment(TEN, service_code="GROUP")), "NOT_BOOKABLE")


def test_requests_are_for_own_appointments_and_visible_within_scope(booking_api: BookingApi) -> None:
    supervisor = booking_api.practice.add("supervisor")
    own = booking_api.add_clinician(supervisor=supervisor)
    booked = booking_api.book_appointment(TEN, clinician_id=own.staff_id)
    assert_error(post_request(booking_api, booked), "NOT_FOUND", 404)
    assert_error(post_request(booking_api, booked, by=booking_api.scheduler), "FORBIDDEN", 403)
    assert_error(post_request(booking_api, booked, by=supervisor), "FORBIDDEN", 403)
    request = create_request(booking_api, booked, by=own)
    for person in (own, supervisor, booking_api.scheduler, booking_api.practice.admin):
        assert [item["id"] for item in booking_api.get(PATH, person).json()["items"]] == [request["id"]]
    assert booking_api.get(PATH, booking_api.clinician).json()["items"] == []
    assert_error(booking_api.get(f"{PATH}/{request['id']}", booking_api.clinician), "NOT_FOUND", 404)
    for action in ("approve", "reject"):
        assert_error(decide_request(booking_api, request, action, own, note="Yes"), "FORBIDDEN", 403)
        assert_error(decide_request(booking_api, request, action, supervisor, note="Yes"), "FORBIDDEN", 403)
