"""The audit trail of the schedule, and requests that are repeated."""

from collections import Counter
from typing import Any

import pytest

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, FrontDesk, refused, wall
from tests.support.drivers.http import V1

TEN = wall(MONDAY, 10)


def entries(desk: FrontDesk) -> Counter[str]:
    rows = desk.rows(
        "select action from audit_log where tenant_id = :tenant_id and account_id = :by", by=desk.scheduler.account_id
    )
    return Counter(action for (action,) in rows if action != "session.started")


def test_every_step_is_on_the_trail_with_who_when_and_which(desk: FrontDesk) -> None:
    booked, missed, ill = desk.booked(TEN), desk.booked(TEN + HOUR), desk.booked(TEN + 2 * HOUR)
    desk.patch(f"/appointments/{booked['id']}", 1, instructions="Ring twice", room_id=desk.room)
    desk.done(booked, "confirm")
    desk.now = TEN
    desk.done(booked, "check-in")
    desk.http.post(f"{V1}/appointments/{booked['id']}/ready", headers=desk.headers())
    desk.done(booked, "start")
    desk.done(booked, "complete")
    desk.now = TEN + HOUR
    desk.done(missed, "no-show")
    [moved] = desk.done(ill, "reschedule", starts_at=TEN + DAY)["items"]
    desk.done(moved, "cancel", reason="Ill")
    assert entries(desk) == {
        **{"appointment.booked": 3, "appointment.changed": 1, "appointment.confirmed": 1, "appointment.ready": 1},
        **{"appointment.checked_in": 1, "appointment.in_progress": 1, "appointment.completed": 1},
        **{"appointment.no_show": 1, "appointment.moved": 1, "appointment.cancelled": 1},
        "session_completion.made": 1,
    }
    [changed] = desk.recorded("appointment.changed")
    assert (str(changed.subject_id), changed.subject_kind) == (booked["id"], "appointment")
    assert changed.details == {"fields": ["instructions", "room_id"]}  # which, and not what
    [move] = desk.recorded("appointment.moved")
    assert (str(move.subject_id), move.details) == (ill["id"], {"to": moved["id"]})
    [no_show] = desk.recorded("appointment.no_show")
    assert no_show.at == TEN + HOUR


def test_every_look_is_on_the_trail(desk: FrontDesk) -> None:
    booked = desk.booked(TEN)
    entry = desk.post("/waitlist", client_id=desk.client).json()
    desk.read(booked)
    desk.get(f"/appointments/{booked['id']}/steps")
    desk.get("/appointments")
    desk.get("/appointments", client=desk.client)
    desk.get("/appointments/calendar")
    desk.post("/appointments/preview", **desk.wanted(TEN + DAY))
    desk.get("/waitlist")
    desk.get(f"/waitlist/{entry['id']}")
    desk.get(f"/waitlist/{entry['id']}/offers")
    body = {"appointment_id": booked["id"], "starts_at": TEN + DAY, "reason": "A conference"}
    request = desk.post("/reschedule-requests", desk.clinician, **body).json()
    desk.get("/reschedule-requests")
    desk.get(f"/reschedule-requests/{request['id']}")
    found = entries(desk)
    assert found["appointment.read"] == 2
    assert found["reschedule.listed"] == found["reschedule.read"] == 1
    assert found["calendar.read"] == found["appointment.previewed"] == found["waitlist.listed"] == 1
    assert found["waitlist.read"] == 2
    assert [entry.subject_id for entry in desk.recorded("appointments.listed")] == [None, desk.client]
    assert [entry.subject_id for entry in desk.recorded("appointment.previewed")] == [desk.client]


def test_the_waitlist_and_requests_are_on_the_trail(desk: FrontDesk) -> None:
    booked, other = desk.booked(TEN), desk.booked(TEN + HOUR)
    waiting = desk.post("/waitlist", client_id=make_client(desk.practice)).json()
    desk.patch(f"/waitlist/{waiting['id']}", 1, priority=1)
    desk.done(booked, "cancel", reason="Ill")
    [offer] = desk.get(f"/waitlist/{waiting['id']}/offers").json()["items"]
    desk.http.post(f"{V1}/waitlist/offers/{offer['id']}/take", headers=desk.headers())
    body = {"appointment_id": other["id"], "starts_at": TEN + DAY, "reason": "A conference"}
    request = desk.post("/reschedule-requests", desk.clinician, **body).json()
    desk.post(f"/reschedule-requests/{request['id']}/reject", note="No")
    found = entries(desk)
    for action in ("added", "changed", "offered", "offer_taken"):
        assert found[f"waitlist.{action}"] == 1, action
    assert found["appointment.booked"] == 3
    assert found["reschedule.rejected"] == len(desk.recorded("reschedule.asked")) == 1


def test_what_was_refused_left_no_trace(desk: FrontDesk) -> None:
    desk.booked(TEN)
    before = entries(desk)
    refused(desk.book(TEN), "SLOT_TAKEN")
    refused(desk.post("/appointments/series", **desk.wanted(TEN, rule="FREQ=WEEKLY;COUNT=3")), "SLOT_TAKEN")
    assert entries(desk) == before
    assert desk.count("series") == 0


def test_a_series_is_one_entry_and_its_cancellation_one_for_each(desk: FrontDesk) -> None:
    made = desk.post("/appointments/series", **desk.wanted(TEN, rule="FREQ=WEEKLY;COUNT=3")).json()
    [entry] = desk.recorded("series.booked")
    assert (str(entry.subject_id), entry.details) == (made["series_id"], {"appointments": 3})
    desk.done(made["occurrences"][0]["appointment_id"], "cancel", reason="Ill", which="all")
    assert len(desk.recorded("appointment.cancelled")) == 3


def test_the_trail_holds_no_names_and_no_words_of_people(desk: FrontDesk) -> None:
    booked = desk.booked(TEN, special_requests="Afraid of lifts")
    desk.done(booked, "confirm", note="Sounded worried")
    desk.done(booked, "cancel", reason="Admitted to hospital")
    whole = str(desk.rows("select * from audit_log where tenant_id = :tenant_id"))
    assert not any(word in whole for word in ("lifts", "worried", "hospital", "Casey"))


# Repeated requests


def send(desk: FrontDesk, path: str, key: str, **body: Any) -> Any:
    headers = desk.headers(idempotency_key=key)
    return desk.http.post(V1 + path, json=body, headers=headers)


def test_a_booking_that_is_sent_again_is_made_once(desk: FrontDesk) -> None:
    body = {name: str(value) for name, value in desk.wanted(TEN).items()} | {"starts_at": TEN.isoformat()}
    first, again = (send(desk, "/appointments", "a-booking-of-mine", **body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert desk.count("appointments") == len(desk.recorded("appointment.booked")) == 1
    assert desk.count("messages") == 4
    body["starts_at"] = (TEN + HOUR).isoformat()
    refused(send(desk, "/appointments", "a-booking-of-mine", **body), "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("verb", ["confirm", "cancel", "reschedule"])
def test_a_step_that_is_sent_again_is_taken_once(desk: FrontDesk, verb: str) -> None:
    booked = desk.booked(TEN)
    body = {"confirm": {}, "cancel": {"reason": "Ill"}, "reschedule": {"starts_at": (TEN + DAY).isoformat()}}[verb]
    path = f"/appointments/{booked['id']}/{verb}"
    first, again = (send(desk, path, "a-step-of-mine", **body) for _ in range(2))
    assert first.status_code < 300
    assert first.content == again.content
    assert desk.count("appointment_steps") == {"confirm": 2, "cancel": 2, "reschedule": 3}[verb]
