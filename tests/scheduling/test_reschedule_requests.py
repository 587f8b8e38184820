"""Reschedule requests: a clinician asks, the desk decides, both are told."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.people.settings import set_rule
from tests.support.builders.schedule import make_client, make_service
from tests.support.drivers.booking import DAY, HOUR, MONDAY, SECOND, FrontDesk, at, refused, wall

TEN = wall(MONDAY, 10)
PATH = "/reschedule-requests"


def ask(desk: FrontDesk, appointment: dict[str, Any], start: Any = TEN + DAY, by: Any = None, **more: Any) -> Any:
    body = {"appointment_id": appointment["id"], "starts_at": start, "reason": "A conference"} | more
    return desk.post(PATH, by or desk.clinician, **body)


def asked(desk: FrontDesk, *given: Any, **more: Any) -> dict[str, Any]:
    answer = ask(desk, *given, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def answer(desk: FrontDesk, request: dict[str, Any], verb: str, by: Any = None, **body: Any) -> Any:
    if verb == "withdraw":
        path = f"/api/v1{PATH}/{request['id']}/withdraw"
        return desk.http.post(path, headers=desk.headers(by or desk.clinician))
    return desk.post(f"{PATH}/{request['id']}/{verb}", by, **body)


def told(desk: FrontDesk, kind: str) -> set[UUID]:
    rows = desk.rows("select staff_id, channel from messages where kind = :kind", kind=kind)
    assert {channel for _, channel in rows} <= {"email"}
    assert len(rows) == len({staff for staff, _ in rows})
    return {staff for staff, _ in rows}


def the_desk(desk: FrontDesk) -> set[UUID]:
    return {desk.practice.admin.staff_id, desk.scheduler.staff_id}


def test_a_clinician_asks_and_the_desk_is_told(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    request = asked(desk, booked, room_id=desk.room)
    assert (request["status"], request["asked_by_id"]) == ("PENDING", str(desk.clinician.staff_id))
    assert (at(request["starts_at"]), request["reason"], at(request["asked_at"])) == (
        TEN + DAY,
        "A conference",
        desk.now,
    )
    assert told(desk, "RESCHEDULE_ASKED") == the_desk(desk)
    assert desk.read(booked) == booked  # nothing happened yet
    assert desk.get(f"{PATH}/{request['id']}").json() == request
    assert desk.get(PATH, status="PENDING").json()["items"] == [request]


def test_approving_moves_the_appointment_and_tells_both_sides(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    request = asked(desk, booked, room_id=desk.room)
    approved = answer(desk, request, "approve", note="Done").json()
    assert (approved["status"], approved["decision_note"]) == ("APPROVED", "Done")
    new = desk.get(f"/appointments/{approved['new_appointment_id']}").json()
    assert (at(new["starts_at"]), new["room_id"], new["status"]) == (TEN + DAY, str(desk.room), "SCHEDULED")
    assert desk.read(booked)["rescheduled_to_id"] == new["id"]
    assert told(desk, "RESCHEDULE_APPROVED") == {desk.clinician.staff_id} | the_desk(desk)
    assert len(desk.rows("select 1 from messages where kind = 'MOVED' and client_id = :id", id=desk.client)) == 1


def test_without_a_room_the_appointment_keeps_its_own(desk: FrontDesk) -> None:
    booked = desk.booked(TEN, room_id=desk.room)
    approved = answer(desk, asked(desk, booked), "approve").json()
    assert desk.get(f"/appointments/{approved['new_appointment_id']}").json()["room_id"] == str(desk.room)


def test_rejecting_needs_a_word_and_changes_nothing(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    request = asked(desk, booked)
    refused(answer(desk, request, "reject"), "VALIDATION_ERROR", 422)
    rejected = answer(desk, request, "reject", note="The client cannot").json()
    assert (rejected["status"], rejected["decision_note"]) == ("REJECTED", "The client cannot")
    assert at(rejected["decided_at"]) == desk.now
    assert desk.read(booked) == booked
    assert told(desk, "RESCHEDULE_REJECTED") == {desk.clinician.staff_id} | the_desk(desk)


def test_a_clinician_takes_a_request_back_and_the_desk_knows(desk: FrontDesk) -> None:
    request = asked(desk, desk.booked(TEN))
    other = desk.add_clinician()
    refused(answer(desk, request, "withdraw", other), "NOT_FOUND", 404)
    assert answer(desk, request, "withdraw").json()["status"] == "WITHDRAWN"
    assert the_desk(desk) <= told(desk, "RESCHEDULE_WITHDRAWN")


@pytest.mark.parametrize("first", ["approve", "reject", "withdraw"])
def test_a_request_is_decided_once(desk: FrontDesk, first: str) -> None:
    request = asked(desk, desk.booked(TEN))
    body = {"note": "So be it"}
    assert answer(desk, request, first, **body).status_code == 200
    for verb in ("approve", "reject", "withdraw"):
        refused(answer(desk, request, verb, **body), "WRONG_STATUS")


def test_if_the_time_is_taken_meanwhile_the_request_stays_open(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    request = asked(desk, booked)
    in_the_way = desk.booked(TEN + DAY, client_id=make_client(desk.practice))
    error = refused(answer(desk, request, "approve"), "SLOT_TAKEN")
    assert error["details"]["alternatives"]
    assert desk.get(f"{PATH}/{request['id']}").json()["status"] == "PENDING"
    assert told(desk, "RESCHEDULE_APPROVED") == set()
    desk.done(in_the_way, "cancel", reason="Ill")
    assert answer(desk, request, "approve").json()["status"] == "APPROVED"


def test_a_time_that_has_passed_is_not_approved(desk: FrontDesk) -> None:
    booked = desk.booked(TEN + 2 * DAY)
    request = asked(desk, booked, TEN)
    desk.now = TEN
    refused(answer(desk, request, "approve"), "TOO_LATE")
    assert answer(desk, request, "reject", note="Too late").status_code == 200


def test_what_was_cancelled_meanwhile_is_not_moved(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    request = asked(desk, booked)
    desk.done(booked, "cancel", reason="Ill")
    refused(answer(desk, request, "approve"), "WRONG_STATUS")
    assert answer(desk, request, "reject", note="Cancelled meanwhile").status_code == 200


@pytest.mark.parametrize(("ahead", "may"), [(timedelta(hours=48), True), (timedelta(hours=48) - SECOND, False)])
def test_a_request_needs_two_days_notice(desk: FrontDesk, ahead: timedelta, may: bool) -> None:
    booked = desk.booked(TEN)
    desk.now = TEN - ahead
    if may:
        asked(desk, booked)
    else:
        assert "48 hours" in refused(ask(desk, booked), "TOO_LATE")["message"]


def test_the_notice_is_the_practices_own(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    with desk.practice.work() as work:
        set_rule(work, "reschedule_notice_hours", 4, desk.now.date())
    desk.now = TEN - 5 * HOUR
    asked(desk, booked)


def test_of_one_appointment_one_request_is_open(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    first = asked(desk, booked)
    refused(ask(desk, booked, TEN + 2 * DAY), "ALREADY_ASKED")
    answer(desk, first, "withdraw")
    second = asked(desk, booked, TEN + 2 * DAY)
    answer(desk, second, "reject", note="No")
    asked(desk, booked, TEN + 3 * DAY)


def test_a_request_has_to_make_sense(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    refused(ask(desk, booked, TEN), "VALIDATION_ERROR", 422)
    refused(ask(desk, booked, desk.now - HOUR), "VALIDATION_ERROR", 422)
    nowhere = "01890000-0000-7000-8000-000000000000"
    assert "`room_id`" in refused(ask(desk, booked, room_id=nowhere), "VALIDATION_ERROR", 422)["message"]
    refused(ask(desk, booked, reason=""), "VALIDATION_ERROR", 422)
    refused(ask(desk, {"id": nowhere}), "NOT_FOUND", 404)
    desk.done(booked, "cancel", reason="Ill")
    refused(ask(desk, booked), "WRONG_STATUS")
    make_service(desk.practice, "GROUP", kind="GROUP")
    refused(ask(desk, desk.booked(TEN, service_code="GROUP")), "NOT_BOOKABLE")


def test_requests_are_about_ones_own_and_seen_by_those_they_concern(desk: FrontDesk) -> None:
    supervisor = desk.practice.add("supervisor")
    mine = desk.add_clinician(supervisor=supervisor)
    booked = desk.booked(TEN, clinician_id=mine.staff_id)
    refused(ask(desk, booked), "NOT_FOUND", 404)
    refused(ask(desk, booked, by=desk.scheduler), "FORBIDDEN", 403)
    refused(ask(desk, booked, by=supervisor), "FORBIDDEN", 403)
    request = asked(desk, booked, by=mine)
    for person in (mine, supervisor, desk.scheduler, desk.practice.admin):
        assert [one["id"] for one in desk.get(PATH, person).json()["items"]] == [request["id"]]
    assert desk.get(PATH, desk.clinician).json()["items"] == []
    refused(desk.get(f"{PATH}/{request['id']}", desk.clinician), "NOT_FOUND", 404)
    for verb in ("approve", "reject"):
        refused(answer(desk, request, verb, mine, note="Yes"), "FORBIDDEN", 403)
        refused(answer(desk, request, verb, supervisor, note="Yes"), "FORBIDDEN", 403)
