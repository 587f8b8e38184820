"""The steps of an appointment's life over the API: who takes them, what they stamp, and which make no sense."""

from typing import Any

import pytest

from tests.support.builders.schedule import make_appointment, make_client, make_room
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, FrontDesk, at, refused, wall
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


def take(desk: FrontDesk, id: Any, verb: str) -> Any:
    body: dict[str, Any] = {"cancel": {"reason": "Ill"}, "reschedule": {"starts_at": TEN + 30 * DAY}}.get(verb, {})
    if verb == "ready":
        return desk.http.post(f"{V1}/appointments/{id}/ready", headers=desk.headers())
    return desk.step(id, verb, **body)


@pytest.mark.parametrize("status", STATUSES)
def test_only_the_steps_that_make_sense_are_taken(desk: FrontDesk, status: str) -> None:
    desk.now = TEN
    for number, verb in enumerate(VERBS):
        more = {"status": status, "status_at": desk.now - HOUR}
        start = TEN - (number + 1) * DAY
        id = make_appointment(desk.practice, desk.clinician, desk.client, desk.service, start, **more)
        answer = take(desk, id, verb)
        found = desk.get(f"/appointments/{id}").json()
        if (status, verb) in LEADS:
            assert answer.status_code < 300, (verb, answer.text)
            assert found["status"] == LEADS[status, verb]
            assert found["version"] == 2
        else:
            sentence = refused(answer, "WRONG_STATUS")["message"]
            assert sentence[0].isupper(), verb
            assert (found["status"], found["version"]) == (status, 1)


@pytest.mark.parametrize("verb", ["no-show", "complete"])
def test_before_its_start_a_visit_is_neither_missed_nor_over(desk: FrontDesk, verb: str) -> None:
    booked = desk.booked(TEN)
    desk.now = TEN - MINUTE
    assert "before its start" in refused(desk.step(booked, verb), "WRONG_STATUS")["message"]
    desk.now = TEN
    assert desk.done(booked, verb)["status"] in ("NO_SHOW", "COMPLETED")


def test_a_visit_from_arrival_to_end_is_stamped(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    desk.now = TEN - 10 * MINUTE
    arrived = desk.done(booked, "check-in")["appointment"]
    assert at(arrived["arrived_at"]) == at(arrived["status_at"]) == TEN - 10 * MINUTE
    assert (arrived["ready_at"], arrived["started_at"]) == (None, None)
    desk.now = TEN - 2 * MINUTE
    ready = take(desk, booked["id"], "ready").json()
    assert (at(ready["ready_at"]), ready["status"]) == (TEN - 2 * MINUTE, "CHECKED_IN")
    desk.now = TEN - MINUTE
    refused(take(desk, booked["id"], "ready"), "WRONG_STATUS")  # the first stamp stays
    desk.now = TEN + MINUTE
    assert at(desk.done(booked, "start")["started_at"]) == TEN + MINUTE
    desk.now = TEN + 54 * MINUTE
    over = desk.done(booked, "complete")
    assert (over["status"], over["actual_minutes"]) == ("COMPLETED", 53)
    assert (at(over["ready_at"]), at(over["arrived_at"])) == (TEN - 2 * MINUTE, TEN - 10 * MINUTE)
    steps = desk.get(f"/appointments/{booked['id']}/steps").json()["items"]
    assert [step["status"] for step in steps] == ["SCHEDULED", "CHECKED_IN", "IN_PROGRESS", "COMPLETED"]


def test_the_minutes_can_be_said_and_are_not_guessed(desk: FrontDesk) -> None:
    said, unknown = desk.booked(TEN), desk.booked(TEN + HOUR)
    desk.now = TEN + 3 * HOUR
    assert desk.done(said, "complete", actual_minutes=48)["actual_minutes"] == 48
    assert desk.done(unknown, "complete")["actual_minutes"] is None
    for minutes in (0, 1441, -5):
        refused(desk.step(said, "complete", actual_minutes=minutes), "VALIDATION_ERROR", 422)


def test_what_is_noted_with_a_step_is_for_staff_and_sealed(desk: FrontDesk) -> None:
    me = desk.portal()
    booked = desk.booked(TEN, me)
    desk.done(booked, "confirm", note="Prefers the left chair")
    path = f"/appointments/{booked['id']}/steps"
    steps = desk.get(path).json()["items"]
    assert [step["note"] for step in steps] == [None, "Prefers the left chair"]
    assert steps[1]["account_id"] == str(desk.scheduler.account_id)
    for step in desk.get(path, me).json()["items"]:
        assert (step["note"], step["account_id"]) == (None, None)
    [(kept,)] = desk.rows("select note from appointment_steps where note is not null")
    assert b"chair" not in bytes(kept)


def test_a_clinician_takes_the_steps_of_their_own_appointments_only(desk: FrontDesk) -> None:
    mine, theirs = desk.booked(TEN), desk.booked(TEN + HOUR, clinician_id=desk.add_clinician().staff_id)
    assert desk.done(mine, "confirm", desk.clinician)["status"] == "CONFIRMED"
    refused(desk.step(theirs, "confirm", desk.clinician), "NOT_FOUND", 404)
    refused(desk.step(theirs, "cancel", desk.clinician, reason="Ill"), "NOT_FOUND", 404)
    refused(desk.step(mine, "reschedule", desk.clinician, starts_at=TEN + DAY), "FORBIDDEN", 403)
    refused(desk.book(TEN + 2 * HOUR, desk.clinician), "FORBIDDEN", 403)
    desk.done(mine, "cancel", desk.clinician, reason="Ill")


def test_the_same_step_for_several_says_of_each_what_came_of_it(desk: FrontDesk) -> None:
    first, second, cancelled = desk.booked(TEN), desk.booked(TEN + HOUR), desk.booked(TEN + 2 * HOUR)
    desk.done(cancelled, "cancel", reason="Ill")
    ids = [first["id"], cancelled["id"], "01890000-0000-7000-8000-000000000000", second["id"], first["id"]]
    answer = desk.post("/appointments/bulk", action="confirm", appointment_ids=ids)
    found = answer.json()["items"]
    assert [(one["done"], one["code"]) for one in found] == [
        *[(True, None), (False, "WRONG_STATUS"), (False, "NOT_FOUND"), (True, None)]
    ]
    assert [desk.read(one)["status"] for one in (first, second, cancelled)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert len(desk.recorded("appointment.confirmed")) == 2
    without = desk.post("/appointments/bulk", action="cancel", appointment_ids=[first["id"]])
    assert without.json()["items"][0]["code"] == "VALIDATION_ERROR"
    desk.post("/appointments/bulk", action="cancel", appointment_ids=[first["id"]], reason="Ill")
    assert desk.read(first)["status"] == "CANCELLED"
    desk.now = TEN + HOUR
    desk.post("/appointments/bulk", action="no-show", appointment_ids=[second["id"]])
    assert desk.read(second)["status"] == "NO_SHOW"


def test_what_is_over_or_given_up_makes_room(desk: FrontDesk) -> None:
    somebody = make_client(desk.practice)
    cancelled, missed, completed = desk.booked(TEN), desk.booked(TEN + HOUR), desk.booked(TEN + 2 * HOUR)
    desk.done(cancelled, "cancel", reason="Ill")
    desk.now = TEN + 4 * HOUR
    desk.done(missed, "no-show")
    desk.done(completed, "complete")
    assert desk.book(TEN, client_id=somebody).status_code == 201
    assert desk.book(TEN + HOUR, client_id=somebody).status_code == 201
    refused(desk.book(TEN + 2 * HOUR, client_id=somebody), "SLOT_TAKEN")


# Changes without a move


def test_requests_instructions_and_the_room_can_change(desk: FrontDesk) -> None:
    booked = desk.booked(TEN, special_requests="Ground floor")
    changed = desk.patch(f"/appointments/{booked['id']}", 1, room_id=desk.room, instructions="Ring twice").json()
    assert (changed["room_id"], changed["instructions"]) == (str(desk.room), "Ring twice")
    assert (changed["special_requests"], changed["version"]) == ("Ground floor", 2)
    assert ("room", desk.room, TEN) in desk.occupied()
    desk.patch(f"/appointments/{booked['id']}", 2, room_id=None, special_requests=None)
    assert ("room", desk.room, TEN) not in desk.occupied()
    assert desk.read(booked)["special_requests"] is None


def test_somebody_elses_change_is_not_overwritten(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    path = f"/appointments/{booked['id']}"
    assert desk.http.get(V1 + path, headers=desk.headers()).headers["ETag"] == '"1"'
    desk.done(booked, "confirm")
    refused(desk.patch(path, 1, instructions="Ring twice"), "STALE", 412)
    assert desk.http.patch(V1 + path, json={}, headers=desk.headers()).status_code == 428
    assert desk.patch(path, 2, instructions="Ring twice").status_code == 200


def test_a_room_that_is_taken_unknown_or_not_in_use_is_no_room_to_change_to(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    desk.booked(
        TEN + 30 * MINUTE,
        room_id=desk.room,
        client_id=make_client(desk.practice),
        clinician_id=desk.add_clinician().staff_id,
    )
    other, shut = make_room(desk.practice), make_room(desk.practice, active=False)
    path = f"/appointments/{booked['id']}"
    error = refused(desk.patch(path, 1, room_id=desk.room), "SLOT_TAKEN")
    [elsewhere] = error["details"]["alternatives"]
    assert (elsewhere["room_id"], at(elsewhere["starts_at"])) == (str(other), TEN)
    refused(desk.patch(path, 1, room_id=shut), "ROOM_NOT_USABLE")
    nowhere = "01890000-0000-7000-8000-000000000000"
    assert "`room_id`" in refused(desk.patch(path, 1, room_id=nowhere), "VALIDATION_ERROR", 422)["message"]
    desk.block(TEN, TEN + HOUR, room_id=other)
    assert "blocked" in refused(desk.patch(path, 1, room_id=other), "SLOT_TAKEN")["message"]
    assert desk.read(booked) == booked


@pytest.mark.parametrize("verb", ["cancel", "no-show", "complete"])
def test_what_is_over_does_not_change_any_more(desk: FrontDesk, verb: str) -> None:
    booked = desk.booked(TEN)
    desk.now = TEN
    take(desk, booked["id"], verb)
    refused(desk.patch(f"/appointments/{booked['id']}", 2, instructions="Ring twice"), "WRONG_STATUS")
