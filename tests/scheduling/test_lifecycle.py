"""The steps of an appointment's life over the API: who takes them, what they stamp, and which make no sense."""

from typing import Any

import pytest

from tests.support.builders.schedule import make_appointment, make_client, make_room
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, at, refused, wall
from tests.support.drivers.http import V1

TEN = wall(MONDAY, 10)

# The practice's own table: from which status which verb leads where. Everything else is refused.
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
VERBS = ["confirm", "check-in", "ready", "start", "complete", "no-show", "cancel", "reschedule"]
STATUSES = [
    *("SCHEDULED", "CONFIRMED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED", "NO_SHOW", "CANCELLED", "RESCHEDULED"),
]


def take(booking_api: BookingApi, id: Any, verb: str) -> Any:
    body: dict[str, Any] = {"cancel": {"reason": "Ill"}, "reschedule": {"starts_at": TEN + 30 * DAY}}.get(verb, {})
    if verb == "ready":
        return booking_api.http.post(f"{V1}/appointments/{id}/ready", headers=booking_api.headers())
    return booking_api.step(id, verb, **body)


@pytest.mark.parametrize("status", STATUSES)
def test_only_the_steps_that_make_sense_are_taken(booking_api: BookingApi, status: str) -> None:
    booking_api.now = TEN
    for number, verb in enumerate(VERBS):
        more = {"status": status, "status_at": booking_api.now - HOUR}
        start = TEN - (number + 1) * DAY
        id = make_appointment(
            booking_api.practice, booking_api.clinician, booking_api.client, booking_api.service, start, **more
        )
        answer = take(booking_api, id, verb)
        found = booking_api.get(f"/appointments/{id}").json()
        if (status, verb) in LEADS:
            assert answer.status_code < 300, (verb, answer.text)
            assert found["status"] == LEADS[status, verb]
            assert found["version"] == 2
        else:
            sentence = refused(answer, "WRONG_STATUS")["message"]
            assert sentence[0].isupper(), verb
            assert (found["status"], found["version"]) == (status, 1)


@pytest.mark.parametrize("verb", ["no-show", "complete"])
def test_before_its_start_a_visit_is_neither_missed_nor_over(booking_api: BookingApi, verb: str) -> None:
    booked = booking_api.booked(TEN)
    booking_api.now = TEN - MINUTE
    assert "before its start" in refused(booking_api.step(booked, verb), "WRONG_STATUS")["message"]
    booking_api.now = TEN
    assert booking_api.done(booked, verb)["status"] in ("NO_SHOW", "COMPLETED")


def test_a_visit_from_arrival_to_end_is_stamped(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    booking_api.now = TEN - 10 * MINUTE
    arrived = booking_api.done(booked, "check-in")["appointment"]
    assert at(arrived["arrived_at"]) == at(arrived["status_at"]) == TEN - 10 * MINUTE
    assert (arrived["ready_at"], arrived["started_at"]) == (None, None)
    booking_api.now = TEN - 2 * MINUTE
    ready = take(booking_api, booked["id"], "ready").json()
    assert (at(ready["ready_at"]), ready["status"]) == (TEN - 2 * MINUTE, "CHECKED_IN")
    booking_api.now = TEN - MINUTE
    refused(take(booking_api, booked["id"], "ready"), "WRONG_STATUS")  # the first stamp stays
    booking_api.now = TEN + MINUTE
    assert at(booking_api.done(booked, "start")["started_at"]) == TEN + MINUTE
    booking_api.now = TEN + 54 * MINUTE
    over = booking_api.done(booked, "complete")
    assert (over["status"], over["actual_minutes"]) == ("COMPLETED", 53)
    assert (at(over["ready_at"]), at(over["arrived_at"])) == (TEN - 2 * MINUTE, TEN - 10 * MINUTE)
    steps = booking_api.get(f"/appointments/{booked['id']}/steps").json()["items"]
    assert [step["status"] for step in steps] == ["SCHEDULED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED"]


def test_the_minutes_can_be_said_and_are_not_guessed(booking_api: BookingApi) -> None:
    said, unknown = booking_api.booked(TEN), booking_api.booked(TEN + HOUR)
    booking_api.now = TEN + 3 * HOUR
    assert booking_api.done(said, "complete", actual_minutes=48)["actual_minutes"] == 48
    assert booking_api.done(unknown, "complete")["actual_minutes"] is None
    for minutes in (0, 1441, -5):
        refused(booking_api.step(said, "complete", actual_minutes=minutes), "VALIDATION_ERROR", 422)


def test_what_is_noted_with_a_step_is_for_staff_and_sealed(booking_api: BookingApi) -> None:
    me = booking_api.portal()
    booked = booking_api.booked(TEN, me)
    booking_api.done(booked, "confirm", note="Prefers the left chair")
    path = f"/appointments/{booked['id']}/steps"
    steps = booking_api.get(path).json()["items"]
    assert [step["note"] for step in steps] == [None, "Prefers the left chair"]
    assert steps[1]["account_id"] == str(booking_api.scheduler.account_id)
    for step in booking_api.get(path, me).json()["items"]:
        assert (step["note"], step["account_id"]) == (None, None)
    [(kept,)] = booking_api.rows("select note from appointment_steps where note is not null")
    assert b"chair" not in bytes(kept)


def test_a_clinician_takes_the_steps_of_their_own_appointments_only(booking_api: BookingApi) -> None:
    mine, theirs = (
        booking_api.booked(TEN),
        booking_api.booked(TEN + HOUR, clinician_id=booking_api.add_clinician().staff_id),
    )
    assert booking_api.done(mine, "confirm", booking_api.clinician)["status"] == "CONFIRMED"
    refused(booking_api.step(theirs, "confirm", booking_api.clinician), "NOT_FOUND", 404)
    refused(booking_api.step(theirs, "cancel", booking_api.clinician, reason="Ill"), "NOT_FOUND", 404)
    refused(booking_api.step(mine, "reschedule", booking_api.clinician, starts_at=TEN + DAY), "FORBIDDEN", 403)
    refused(booking_api.book(TEN + 2 * HOUR, booking_api.clinician), "FORBIDDEN", 403)
    booking_api.done(mine, "cancel", booking_api.clinician, reason="Ill")


def test_the_same_step_for_several_says_of_each_what_came_of_it(booking_api: BookingApi) -> None:
    first, second, cancelled = (
        booking_api.booked(TEN),
        booking_api.booked(TEN + HOUR),
        booking_api.booked(TEN + 2 * HOUR),
    )
    booking_api.done(cancelled, "cancel", reason="Ill")
    ids = [first["id"], cancelled["id"], "01890000-0000-7000-8000-000000000000", second["id"], first["id"]]
    answer = booking_api.post("/appointments/bulk", action="confirm", appointment_ids=ids)
    found = answer.json()["items"]
    assert [(one["done"], one["code"]) for one in found] == [
        *[(True, None), (False, "WRONG_STATUS"), (False, "NOT_FOUND"), (True, None)]
    ]
    assert [booking_api.read(one)["status"] for one in (first, second, cancelled)] == [
        "CONFIRMED",
        "CONFIRMED",
        "CANCELLED",
    ]
    assert len(booking_api.recorded("appointment.confirmed")) == 2
    without = booking_api.post("/appointments/bulk", action="cancel", appointment_ids=[first["id"]])
    assert without.json()["items"][0]["code"] == "VALIDATION_ERROR"
    booking_api.post("/appointments/bulk", action="cancel", appointment_ids=[first["id"]], reason="Ill")
    assert booking_api.read(first)["status"] == "CANCELLED"
    booking_api.now = TEN + HOUR
    booking_api.post("/appointments/bulk", action="no-show", appointment_ids=[second["id"]])
    assert booking_api.read(second)["status"] == "NO_SHOW"


def test_what_is_over_or_given_up_makes_room(booking_api: BookingApi) -> None:
    somebody = make_client(booking_api.practice)
    cancelled, missed, completed = (
        booking_api.booked(TEN),
        booking_api.booked(TEN + HOUR),
        booking_api.booked(TEN + 2 * HOUR),
    )
    booking_api.done(cancelled, "cancel", reason="Ill")
    booking_api.now = TEN + 4 * HOUR
    booking_api.done(missed, "no-show")
    booking_api.done(completed, "complete")
    assert booking_api.book(TEN, client_id=somebody).status_code == 201
    assert booking_api.book(TEN + HOUR, client_id=somebody).status_code == 201
    refused(booking_api.book(TEN + 2 * HOUR, client_id=somebody), "SLOT_TAKEN")


# Changes without a move


def test_requests_instructions_and_the_room_can_change(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN, special_requests="Ground floor")
    changed = booking_api.patch(
        f"/appointments/{booked['id']}", 1, room_id=booking_api.room, instructions="Ring twice"
    ).json()
    assert (changed["room_id"], changed["instructions"]) == (str(booking_api.room), "Ring twice")
    assert (changed["special_requests"], changed["version"]) == ("Ground floor", 2)
    assert ("room", booking_api.room, TEN) in booking_api.occupied()
    booking_api.patch(f"/appointments/{booked['id']}", 2, room_id=None, special_requests=None)
    assert ("room", booking_api.room, TEN) not in booking_api.occupied()
    assert booking_api.read(booked)["special_requests"] is None


def test_somebody_elses_change_is_not_overwritten(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    path = f"/appointments/{booked['id']}"
    assert booking_api.http.get(V1 + path, headers=booking_api.headers()).headers["ETag"] == '"1"'
    booking_api.done(booked, "confirm")
    refused(booking_api.patch(path, 1, instructions="Ring twice"), "STALE", 412)
    assert booking_api.http.patch(V1 + path, json={}, headers=booking_api.headers()).status_code == 428
    assert booking_api.patch(path, 2, instructions="Ring twice").status_code == 200


def test_a_room_that_is_taken_unknown_or_not_in_use_is_no_room_to_change_to(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    booking_api.booked(
        TEN + 30 * MINUTE,
        room_id=booking_api.room,
        client_id=make_client(booking_api.practice),
        clinician_id=booking_api.add_clinician().staff_id,
    )
    other, shut = make_room(booking_api.practice), make_room(booking_api.practice, active=False)
    path = f"/appointments/{booked['id']}"
    error = refused(booking_api.patch(path, 1, room_id=booking_api.room), "SLOT_TAKEN")
    [elsewhere] = error["details"]["alternatives"]
    assert (elsewhere["room_id"], at(elsewhere["starts_at"])) == (str(other), TEN)
    refused(booking_api.patch(path, 1, room_id=shut), "ROOM_NOT_USABLE")
    nowhere = "01890000-0000-7000-8000-000000000000"
    assert "`room_id`" in refused(booking_api.patch(path, 1, room_id=nowhere), "VALIDATION_ERROR", 422)["message"]
    booking_api.block(TEN, TEN + HOUR, room_id=other)
    assert "blocked" in refused(booking_api.patch(path, 1, room_id=other), "SLOT_TAKEN")["message"]
    assert booking_api.read(booked) == booked


@pytest.mark.parametrize("verb", ["cancel", "no-show", "complete"])
def test_what_is_over_does_not_change_any_more(booking_api: BookingApi, verb: str) -> None:
    booked = booking_api.booked(TEN)
    booking_api.now = TEN
    take(booking_api, booked["id"], verb)
    refused(booking_api.patch(f"/appointments/{booked['id']}", 2, instructions="Ring twice"), "WRONG_STATUS")
