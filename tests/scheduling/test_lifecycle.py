"""The lifecycle of an appointment over the API: permissions, timestamps, and invalid steps."""

from typing import Any

import pytest

from tests.support.builders.schedule import make_appointment, make_client, make_room
from tests.support.drivers.booking import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    SECOND,
    BookingApi,
    assert_error,
    local,
    parse_instant,
)
from tests.support.drivers.http import V1

TEN = local(MONDAY, 10)

# Allowed transitions: (status, action) to new status. Everything else is refused.
LEADS = {
    ("SCHEDULED", "confirm"): "CONFIRMED",
    ("SCHEDULED", "check-in"): "CHECKED_IN",
    ("CONFIRMED", "check-in"): "CHECKED_IN",
    ("CHECKED_IN", "ready"): "CHECKED_IN",
    ("CHECKED_IN", "start"): "IN_PROGRESS",
    ("SCHEDULED", "complete"): "COMPLETED",
    ("CONFIRMED", "complete"): "COMPLETED",
    ("CHECKED_IN", "complete"): "COMPLETED",
    ("IN_PROGRESS", "complete"): "COMPLETED",
    ("SCHEDULED", "no-show"): "NO_SHOW",
    ("CONFIRMED", "no-show"): "NO_SHOW",
    ("SCHEDULED", "cancel"): "CANCELLED",
    ("CONFIRMED", "cancel"): "CANCELLED",
    ("CHECKED_IN", "cancel"): "CANCELLED",
    ("SCHEDULED", "reschedule"): "RESCHEDULED",
    ("CONFIRMED", "reschedule"): "RESCHEDULED",
}
ACTIONS = ["confirm", "check-in", "ready", "start", "complete", "no-show", "cancel", "reschedule"]
STATUSES = [
    *("SCHEDULED", "CONFIRMED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"),
]


def post_step(booking_api: BookingApi, id: Any, action: str) -> Any:
    body: dict[str, Any] = {"cancel": {"reason": "Ill"}, "reschedule": {"starts_at": TEN + 30 * DAY}}.get(action, {})
    if action == "ready":
        return booking_api.http.post(f"{V1}/appointments/{id}/ready", headers=booking_api.build_headers())
    return booking_api.post_step(id, action, **body)


@pytest.mark.parametrize("status", STATUSES)
def test_only_allowed_transitions_succeed(booking_api: BookingApi, status: str) -> None:
    booking_api.now = TEN
    for number, action in enumerate(ACTIONS):
        fields = {"status": status, "status_at": booking_api.now - HOUR}
        start = TEN - (number + 1) * HOUR
        id = make_appointment(
            booking_api.practice, booking_api.clinician, booking_api.client, booking_api.service, start, **fields
        )
        response = post_step(booking_api, id, action)
        appointment = booking_api.get(f"/appointments/{id}").json()
        if (status, action) in LEADS:
            assert response.status_code < 300, (action, response.text)
            assert appointment["status"] == LEADS[status, action]
            assert appointment["version"] == 2
        else:
            message = assert_error(response, "WRONG_STATUS")["message"]
            assert message[0].isupper(), action
            assert (appointment["status"], appointment["version"]) == (status, 1)


def test_a_visit_is_not_missed_before_its_start(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN - MINUTE
    assert "before its start" in assert_error(booking_api.post_step(booked, "no-show"), "WRONG_STATUS")["message"]
    booking_api.now = TEN
    assert booking_api.take_step(booked, "no-show")["status"] == "NO_SHOW"


def test_a_visit_of_another_day_is_not_held_today(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    complete = f"/appointments/{booked['id']}/complete"
    booking_api.now = local(MONDAY - DAY, 23, 59)
    for action in ("check-in", "start", "complete"):
        assert_error(booking_api.post_step(booked, action), "WRONG_STATUS")
    bulk = booking_api.post("/appointments/bulk", action="check-in", appointment_ids=[booked["id"]]).json()["items"]
    assert [(result["succeeded"], result["code"]) for result in bulk] == [(False, "WRONG_STATUS")]
    counted = booking_api.post("/compliance/session-completion", appointmentId=booked["id"])
    assert_error(counted, "WRONG_STATUS")
    booking_api.now = local(MONDAY, 0)
    booking_api.take_step(booked, "check-in")
    for at, possible in ((TEN - 15 * MINUTE - SECOND, False), (TEN - 15 * MINUTE, True)):
        booking_api.now = at
        started = booking_api.post_step(booked, "start")
        assert (started.status_code == 200) is possible
    assert booking_api.post(complete).status_code == 200
    tomorrow = booking_api.book_appointment(TEN + HOUR)
    booking_api.now = local(MONDAY + DAY, 0)
    assert "2026-03-23" in assert_error(booking_api.post_step(tomorrow, "check-in"), "WRONG_STATUS")["message"]
    booking_api.take_step(tomorrow, "complete")  # of a day that has passed, only the outcome is recorded


def test_a_session_that_was_started_by_an_import_is_not_completed_ahead_of_time(booking_api: BookingApi) -> None:
    fields = {"status": "IN_PROGRESS", "status_at": booking_api.now}
    people = (booking_api.practice, booking_api.clinician, booking_api.client, booking_api.service)
    id = make_appointment(*people, TEN, **fields)
    assert_error(booking_api.post_step(id, "complete"), "WRONG_STATUS")


def test_the_minutes_before_the_start_are_a_setting(booking_api: BookingApi) -> None:
    first, second = booking_api.book_appointment(TEN), booking_api.book_appointment(TEN + HOUR)
    booking_api.now = TEN - 10 * MINUTE
    booking_api.take_step(first, "complete")
    change = {"value": 0, "effective_on": MONDAY}
    changed = booking_api.post("/settings/early_start_minutes", booking_api.practice.admin, **change)
    assert changed.status_code == 201, changed.text
    booking_api.now = TEN + HOUR - MINUTE
    assert "0 minutes" in assert_error(booking_api.post_step(second, "complete"), "WRONG_STATUS")["message"]
    booking_api.now = TEN + HOUR
    booking_api.take_step(second, "complete")


def test_each_step_of_a_visit_has_a_timestamp(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN - 10 * MINUTE
    arrived = booking_api.take_step(booked, "check-in")["appointment"]
    assert parse_instant(arrived["arrived_at"]) == parse_instant(arrived["status_at"]) == TEN - 10 * MINUTE
    assert (arrived["ready_at"], arrived["started_at"]) == (None, None)
    booking_api.now = TEN - 2 * MINUTE
    ready = post_step(booking_api, booked["id"], "ready").json()
    assert (parse_instant(ready["ready_at"]), ready["status"]) == (TEN - 2 * MINUTE, "CHECKED_IN")
    booking_api.now = TEN - MINUTE
    assert_error(post_step(booking_api, booked["id"], "ready"), "WRONG_STATUS")  # the first timestamp stays
    booking_api.now = TEN + MINUTE
    assert parse_instant(booking_api.take_step(booked, "start")["started_at"]) == TEN + MINUTE
    booking_api.now = TEN + 54 * MINUTE
    over = booking_api.take_step(booked, "complete")
    assert (over["status"], over["actual_minutes"]) == ("COMPLETED", 53)
    assert (parse_instant(over["ready_at"]), parse_instant(over["arrived_at"])) == (TEN - 2 * MINUTE, TEN - 10 * MINUTE)
    steps = booking_api.get(f"/appointments/{booked['id']}/status-history").json()["items"]
    assert [step["status"] for step in steps] == ["SCHEDULED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED"]


def test_the_actual_minutes_can_be_given_and_are_not_guessed(booking_api: BookingApi) -> None:
    known, unknown = booking_api.book_appointment(TEN), booking_api.book_appointment(TEN + HOUR)
    booking_api.now = TEN + 3 * HOUR
    assert booking_api.take_step(known, "complete", actual_minutes=48)["actual_minutes"] == 48
    assert booking_api.take_step(unknown, "complete")["actual_minutes"] is None
    for minutes in (0, 1441, -5):
        assert_error(booking_api.post_step(known, "complete", actual_minutes=minutes), "VALIDATION_ERROR", 422)


def test_the_actual_minutes_are_possible_ones(booking_api: BookingApi) -> None:
    first, second = booking_api.book_appointment(TEN), booking_api.book_appointment(TEN + HOUR)
    booking_api.now = TEN + 30 * MINUTE
    early = 15  # minutes before its start from which a session can begin
    message = assert_error(
        booking_api.post_step(first, "complete", actual_minutes=30 + early + 1), "VALIDATION_ERROR", 422
    )
    assert message["details"] == [
        {
            "field": "actual_minutes",
            "message": "The session can have lasted 45 minutes by now. Enter at most that, or complete it later.",
        }
    ]
    assert booking_api.read(first)["status"] == "SCHEDULED"
    assert booking_api.take_step(first, "complete", actual_minutes=30 + early)["actual_minutes"] == 45
    booking_api.now = TEN + 4 * DAY
    problem = assert_error(booking_api.post_step(second, "complete", actual_minutes=500), "VALIDATION_ERROR", 422)
    assert "Enter at most 300 minutes" in problem["details"][0]["message"]
    assert booking_api.take_step(second, "complete", actual_minutes=300)["actual_minutes"] == 300


def test_step_notes_are_encrypted_and_for_staff_only(booking_api: BookingApi) -> None:
    me = booking_api.add_portal_client()
    booked = booking_api.book_appointment(TEN, me)
    booking_api.take_step(booked, "confirm", note="Prefers the left chair")
    path = f"/appointments/{booked['id']}/status-history"
    steps = booking_api.get(path).json()["items"]
    assert [step["note"] for step in steps] == [None, "Prefers the left chair"]
    assert steps[1]["account_id"] == str(booking_api.scheduler.account_id)
    for step in booking_api.get(path, me).json()["items"]:
        assert (step["note"], step["account_id"]) == (None, None)
    [(note,)] = booking_api.load_rows("select note from appointment_steps where note is not null")
    assert b"chair" not in bytes(note)


def test_a_clinician_takes_the_steps_of_their_own_appointments_only(booking_api: BookingApi) -> None:
    own, other = (
        booking_api.book_appointment(TEN),
        booking_api.book_appointment(TEN + HOUR, clinician_id=booking_api.add_clinician().staff_id),
    )
    assert booking_api.take_step(own, "confirm", booking_api.clinician)["status"] == "CONFIRMED"
    assert_error(booking_api.post_step(other, "confirm", booking_api.clinician), "NOT_FOUND", 404)
    assert_error(booking_api.post_step(other, "cancel", booking_api.clinician, reason="Ill"), "NOT_FOUND", 404)
    assert_error(booking_api.post_step(own, "reschedule", booking_api.clinician, starts_at=TEN + DAY), "FORBIDDEN", 403)
    assert_error(booking_api.book(TEN + 2 * HOUR, booking_api.clinician), "FORBIDDEN", 403)
    booking_api.take_step(own, "cancel", booking_api.clinician, reason="Ill")


def test_a_bulk_step_reports_each_result(booking_api: BookingApi) -> None:
    first, second, cancelled = (
        booking_api.book_appointment(TEN),
        booking_api.book_appointment(TEN + HOUR),
        booking_api.book_appointment(TEN + 2 * HOUR),
    )
    booking_api.take_step(cancelled, "cancel", reason="Ill")
    ids = [first["id"], cancelled["id"], "01890000-0000-7000-8000-000000000000", second["id"], first["id"]]
    response = booking_api.post("/appointments/bulk", action="confirm", appointment_ids=ids)
    results = response.json()["items"]
    assert [(result["succeeded"], result["code"]) for result in results] == [
        *[(True, None), (False, "WRONG_STATUS"), (False, "NOT_FOUND"), (True, None)]
    ]
    assert [booking_api.read(appointment)["status"] for appointment in (first, second, cancelled)] == [
        "CONFIRMED",
        "CONFIRMED",
        "CANCELLED",
    ]
    assert len(booking_api.load_audit_entries("appointment.confirmed")) == 2
    without = booking_api.post("/appointments/bulk", action="cancel", appointment_ids=[first["id"]])
    assert without.json()["items"][0]["code"] == "VALIDATION_ERROR"
    booking_api.post("/appointments/bulk", action="cancel", appointment_ids=[first["id"]], reason="Ill")
    assert booking_api.read(first)["status"] == "CANCELLED"
    booking_api.now = TEN + HOUR
    booking_api.post("/appointments/bulk", action="no-show", appointment_ids=[second["id"]])
    assert booking_api.read(second)["status"] == "NO_SHOW"


def test_cancelled_and_missed_appointments_free_their_time(booking_api: BookingApi) -> None:
    somebody = make_client(booking_api.practice)
    cancelled, missed, completed = (
        booking_api.book_appointment(TEN),
        booking_api.book_appointment(TEN + HOUR),
        booking_api.book_appointment(TEN + 2 * HOUR),
    )
    booking_api.take_step(cancelled, "cancel", reason="Ill")
    booking_api.now = TEN + 4 * HOUR
    booking_api.take_step(missed, "no-show")
    booking_api.take_step(completed, "complete")
    assert booking_api.book(TEN, client_id=somebody).status_code == 201
    assert booking_api.book(TEN + HOUR, client_id=somebody).status_code == 201
    assert_error(booking_api.book(TEN + 2 * HOUR, client_id=somebody), "SLOT_TAKEN")


# Updates


def test_requests_instructions_and_the_room_can_change(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN, special_requests="Ground floor")
    changed = booking_api.patch(
        f"/appointments/{booked['id']}", 1, room_id=booking_api.room, instructions="Ring twice"
    ).json()
    assert (changed["room_id"], changed["instructions"]) == (str(booking_api.room), "Ring twice")
    assert (changed["special_requests"], changed["version"]) == ("Ground floor", 2)
    assert ("room", booking_api.room, TEN) in booking_api.list_occupancies()
    booking_api.patch(f"/appointments/{booked['id']}", 2, room_id=None, special_requests=None)
    assert ("room", booking_api.room, TEN) not in booking_api.list_occupancies()
    assert booking_api.read(booked)["special_requests"] is None


def test_a_stale_update_is_refused(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    path = f"/appointments/{booked['id']}"
    assert booking_api.http.get(V1 + path, headers=booking_api.build_headers()).headers["ETag"] == '"1"'
    booking_api.take_step(booked, "confirm")
    assert_error(booking_api.patch(path, 1, instructions="Ring twice"), "STALE", 412)
    assert booking_api.http.patch(V1 + path, json={}, headers=booking_api.build_headers()).status_code == 428
    assert booking_api.patch(path, 2, instructions="Ring twice").status_code == 200


def test_the_new_room_must_exist_be_active_and_free(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.book_appointment(
        TEN + 30 * MINUTE,
        room_id=booking_api.room,
        client_id=make_client(booking_api.practice),
        clinician_id=booking_api.add_clinician().staff_id,
    )
    other, inactive = make_room(booking_api.practice), make_room(booking_api.practice, active=False)
    path = f"/appointments/{booked['id']}"
    error = assert_error(booking_api.patch(path, 1, room_id=booking_api.room), "SLOT_TAKEN")
    [alternative] = error["details"]["alternatives"]
    assert (alternative["room_id"], parse_instant(alternative["starts_at"])) == (str(other), TEN)
    assert_error(booking_api.patch(path, 1, room_id=inactive), "ROOM_NOT_USABLE")
    nowhere = "01890000-0000-7000-8000-000000000000"
    assert "`room_id`" in assert_error(booking_api.patch(path, 1, room_id=nowhere), "VALIDATION_ERROR", 422)["message"]
    booking_api.block(TEN, TEN + HOUR, room_id=other)
    assert "blocked" in assert_error(booking_api.patch(path, 1, room_id=other), "SLOT_TAKEN")["message"]
    assert booking_api.read(booked) == booked


@pytest.mark.parametrize("action", ["cancel", "no-show", "complete"])
def test_a_final_appointment_cannot_be_updated(booking_api: BookingApi, action: str) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN
    post_step(booking_api, booked["id"], action)
    assert_error(booking_api.patch(f"/appointments/{booked['id']}", 2, instructions="Ring twice"), "WRONG_STATUS")
