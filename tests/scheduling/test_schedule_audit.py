"""The audit trail of the schedule, and requests that are repeated."""

from collections import Counter
from typing import Any

import pytest

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, refused, wall
from tests.support.drivers.http import V1

TEN = wall(MONDAY, 10)


def entries(booking_api: BookingApi) -> Counter[str]:
    rows = booking_api.rows(
        "select action from audit_log where tenant_id = :tenant_id and account_id = :by",
        by=booking_api.scheduler.account_id,
    )
    return Counter(action for (action,) in rows if action != "session.started")


def test_every_step_is_on_the_trail_with_who_when_and_which(booking_api: BookingApi) -> None:
    booked, missed, ill = booking_api.booked(TEN), booking_api.booked(TEN + HOUR), booking_api.booked(TEN + 2 * HOUR)
    booking_api.patch(f"/appointments/{booked['id']}", 1, instructions="Ring twice", room_id=booking_api.room)
    booking_api.done(booked, "confirm")
    booking_api.now = TEN
    booking_api.done(booked, "check-in")
    booking_api.http.post(f"{V1}/appointments/{booked['id']}/ready", headers=booking_api.headers())
    booking_api.done(booked, "start")
    booking_api.done(booked, "complete")
    booking_api.now = TEN + HOUR
    booking_api.done(missed, "no-show")
    [moved] = booking_api.done(ill, "reschedule", starts_at=TEN + DAY)["items"]
    booking_api.done(moved, "cancel", reason="Ill")
    assert entries(booking_api) == {
        **{"appointment.booked": 3, "appointment.changed": 1, "appointment.confirmed": 1, "appointment.ready": 1},
        **{"appointment.checked_in": 1, "appointment.in_progress": 1, "appointment.completed": 1},
        **{"appointment.no_show": 1, "appointment.moved": 1, "appointment.cancelled": 1},
        "session_completion.made": 1,
    }
    [changed] = booking_api.recorded("appointment.changed")
    assert (str(changed.subject_id), changed.subject_kind) == (booked["id"], "appointment")
    assert changed.details == {"fields": ["instructions", "room_id"]}  # which, and not what
    [move] = booking_api.recorded("appointment.moved")
    assert (str(move.subject_id), move.details) == (ill["id"], {"to": moved["id"]})
    [no_show] = booking_api.recorded("appointment.no_show")
    assert no_show.at == TEN + HOUR


def test_every_look_is_on_the_trail(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN)
    entry = booking_api.post("/waitlist", client_id=booking_api.client).json()
    booking_api.read(booked)
    booking_api.get(f"/appointments/{booked['id']}/steps")
    booking_api.get("/appointments")
    booking_api.get("/appointments", client=booking_api.client)
    booking_api.get("/appointments/calendar")
    booking_api.post("/appointments/preview", **booking_api.wanted(TEN + DAY))
    booking_api.get("/waitlist")
    booking_api.get(f"/waitlist/{entry['id']}")
    booking_api.get(f"/waitlist/{entry['id']}/offers")
    body = {"appointment_id": booked["id"], "starts_at": TEN + DAY, "reason": "A conference"}
    request = booking_api.post("/reschedule-requests", booking_api.clinician, **body).json()
    booking_api.get("/reschedule-requests")
    booking_api.get(f"/reschedule-requests/{request['id']}")
    found = entries(booking_api)
    assert found["appointment.read"] == 2
    assert found["reschedule.listed"] == found["reschedule.read"] == 1
    assert found["calendar.read"] == found["appointment.previewed"] == found["waitlist.listed"] == 1
    assert found["waitlist.read"] == 2
    assert [entry.subject_id for entry in booking_api.recorded("appointments.listed")] == [None, booking_api.client]
    assert [entry.subject_id for entry in booking_api.recorded("appointment.previewed")] == [booking_api.client]


def test_the_waitlist_and_requests_are_on_the_trail(booking_api: BookingApi) -> None:
    booked, other = booking_api.booked(TEN), booking_api.booked(TEN + HOUR)
    waiting = booking_api.post("/waitlist", client_id=make_client(booking_api.practice)).json()
    booking_api.patch(f"/waitlist/{waiting['id']}", 1, priority=1)
    booking_api.done(booked, "cancel", reason="Ill")
    [offer] = booking_api.get(f"/waitlist/{waiting['id']}/offers").json()["items"]
    booking_api.http.post(f"{V1}/waitlist/offers/{offer['id']}/take", headers=booking_api.headers())
    body = {"appointment_id": other["id"], "starts_at": TEN + DAY, "reason": "A conference"}
    request = booking_api.post("/reschedule-requests", booking_api.clinician, **body).json()
    booking_api.post(f"/reschedule-requests/{request['id']}/reject", note="No")
    found = entries(booking_api)
    for action in ("added", "changed", "offered", "offer_taken"):
        assert found[f"waitlist.{action}"] == 1, action
    assert found["appointment.booked"] == 3
    assert found["reschedule.rejected"] == len(booking_api.recorded("reschedule.asked")) == 1


def test_what_was_refused_left_no_trace(booking_api: BookingApi) -> None:
    booking_api.booked(TEN)
    before = entries(booking_api)
    refused(booking_api.book(TEN), "SLOT_TAKEN")
    refused(
        booking_api.post("/appointments/series", **booking_api.wanted(TEN, rule="FREQ=WEEKLY;COUNT=3")), "SLOT_TAKEN"
    )
    assert entries(booking_api) == before
    assert booking_api.count("series") == 0


def test_a_series_is_one_entry_and_its_cancellation_one_for_each(booking_api: BookingApi) -> None:
    made = booking_api.post("/appointments/series", **booking_api.wanted(TEN, rule="FREQ=WEEKLY;COUNT=3")).json()
    [entry] = booking_api.recorded("series.booked")
    assert (str(entry.subject_id), entry.details) == (made["series_id"], {"appointments": 3})
    booking_api.done(made["occurrences"][0]["appointment_id"], "cancel", reason="Ill", which="all")
    assert len(booking_api.recorded("appointment.cancelled")) == 3


def test_the_trail_holds_no_names_and_no_words_of_people(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN, special_requests="Afraid of lifts")
    booking_api.done(booked, "confirm", note="Sounded worried")
    booking_api.done(booked, "cancel", reason="Admitted to hospital")
    whole = str(booking_api.rows("select * from audit_log where tenant_id = :tenant_id"))
    assert not any(word in whole for word in ("lifts", "worried", "hospital", "Casey"))


# Repeated requests


def send(booking_api: BookingApi, path: str, key: str, **body: Any) -> Any:
    headers = booking_api.headers(idempotency_key=key)
    return booking_api.http.post(V1 + path, json=body, headers=headers)


def test_a_booking_that_is_sent_again_is_made_once(booking_api: BookingApi) -> None:
    body = {name: str(value) for name, value in booking_api.wanted(TEN).items()} | {"starts_at": TEN.isoformat()}
    first, again = (send(booking_api, "/appointments", "a-booking-of-mine", **body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert booking_api.count("appointments") == len(booking_api.recorded("appointment.booked")) == 1
    assert booking_api.count("messages") == 4
    body["starts_at"] = (TEN + HOUR).isoformat()
    refused(send(booking_api, "/appointments", "a-booking-of-mine", **body), "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("verb", ["confirm", "cancel", "reschedule"])
def test_a_step_that_is_sent_again_is_taken_once(booking_api: BookingApi, verb: str) -> None:
    booked = booking_api.booked(TEN)
    body = {"confirm": {}, "cancel": {"reason": "Ill"}, "reschedule": {"starts_at": (TEN + DAY).isoformat()}}[verb]
    path = f"/appointments/{booked['id']}/{verb}"
    first, again = (send(booking_api, path, "a-step-of-mine", **body) for _ in range(2))
    assert first.status_code < 300
    assert first.content == again.content
    assert booking_api.count("appointment_steps") == {"confirm": 2, "cancel": 2, "reschedule": 3}[verb]
