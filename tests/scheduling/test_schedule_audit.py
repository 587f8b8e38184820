"""Audit entries of scheduling, and repeated requests."""

from collections import Counter
from typing import Any

import pytest

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, assert_error, local
from tests.support.drivers.http import V1

TEN = local(MONDAY, 10)


def count_entries(booking_api: BookingApi) -> Counter[str]:
    rows = booking_api.load_rows(
        "select action from audit_log where tenant_id = :tenant_id and account_id = :by",
        by=booking_api.scheduler.account_id,
    )
    return Counter(action for (action,) in rows if action != "session.started")


def test_every_step_is_audited_with_account_time_and_subject(booking_api: BookingApi) -> None:
    booked, missed, ill = (
        booking_api.book_appointment(TEN),
        booking_api.book_appointment(TEN + HOUR),
        booking_api.book_appointment(TEN + 2 * HOUR),
    )
    booking_api.patch(f"/appointments/{booked['id']}", 1, instructions="Ring twice", room_id=booking_api.room)
    booking_api.take_step(booked, "confirm")
    booking_api.now = TEN
    booking_api.take_step(booked, "check-in")
    booking_api.http.post(f"{V1}/appointments/{booked['id']}/ready", headers=booking_api.build_headers())
    booking_api.take_step(booked, "start")
    booking_api.take_step(booked, "complete")
    booking_api.now = TEN + HOUR
    booking_api.take_step(missed, "no-show")
    [moved] = booking_api.take_step(ill, "reschedule", starts_at=TEN + DAY)["items"]
    booking_api.take_step(moved, "cancel", reason="Ill")
    assert count_entries(booking_api) == {
        **{"appointment.booked": 3, "appointment.changed": 1, "appointment.confirmed": 1, "appointment.ready": 1},
        **{"appointment.checked_in": 1, "appointment.in_progress": 1, "appointment.completed": 1},
        **{"appointment.no_show": 1, "appointment.moved": 1, "appointment.cancelled": 1},
        "session_completion.created": 1,
    }
    [changed] = booking_api.load_audit_entries("appointment.changed")
    assert (str(changed.subject_id), changed.subject_kind) == (booked["id"], "appointment")
    assert changed.details == {"fields": ["instructions", "room_id"]}  # names, not values
    [move] = booking_api.load_audit_entries("appointment.moved")
    assert (str(move.subject_id), move.details) == (ill["id"], {"to": moved["id"]})
    [no_show] = booking_api.load_audit_entries("appointment.no_show")
    assert no_show.at == TEN + HOUR


def test_every_read_is_audited(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    entry = booking_api.post("/waitlist", client_id=booking_api.client).json()
    booking_api.read(booked)
    booking_api.get(f"/appointments/{booked['id']}/status-history")
    booking_api.get("/appointments")
    booking_api.get("/appointments", client_id=booking_api.client)
    booking_api.get("/appointments/calendar")
    booking_api.post("/appointments/preview", **booking_api.booking_body(TEN + DAY))
    booking_api.get("/waitlist")
    booking_api.get(f"/waitlist/{entry['id']}")
    booking_api.get(f"/waitlist/{entry['id']}/offers")
    body = {"appointment_id": booked["id"], "starts_at": TEN + DAY, "reason": "A conference"}
    request = booking_api.post("/reschedule-requests", booking_api.clinician, **body).json()
    booking_api.get("/reschedule-requests")
    booking_api.get(f"/reschedule-requests/{request['id']}")
    counts = count_entries(booking_api)
    assert counts["appointment.read"] == 2
    assert counts["reschedule.listed"] == counts["reschedule.read"] == 1
    assert counts["calendar.read"] == counts["appointment.previewed"] == counts["waitlist.listed"] == 1
    assert counts["waitlist.read"] == 2
    assert [entry.subject_id for entry in booking_api.load_audit_entries("appointments.listed")] == [
        None,
        booking_api.client,
    ]
    assert [entry.subject_id for entry in booking_api.load_audit_entries("appointment.previewed")] == [
        booking_api.client
    ]


def test_the_waitlist_and_requests_are_audited(booking_api: BookingApi) -> None:
    booked, other = booking_api.book_appointment(TEN), booking_api.book_appointment(TEN + HOUR)
    waiting = booking_api.post("/waitlist", client_id=make_client(booking_api.practice)).json()
    booking_api.patch(f"/waitlist/{waiting['id']}", 1, priority=1)
    booking_api.take_step(booked, "cancel", reason="Ill")
    [offer] = booking_api.get(f"/waitlist/{waiting['id']}/offers").json()["items"]
    booking_api.http.post(f"{V1}/waitlist/offers/{offer['id']}/take", headers=booking_api.build_headers())
    body = {"appointment_id": other["id"], "starts_at": TEN + DAY, "reason": "A conference"}
    request = booking_api.post("/reschedule-requests", booking_api.clinician, **body).json()
    booking_api.post(f"/reschedule-requests/{request['id']}/reject", note="No")
    counts = count_entries(booking_api)
    for action in ("added", "changed", "offered", "offer_taken"):
        assert counts[f"waitlist.{action}"] == 1, action
    assert counts["appointment.booked"] == 3
    assert counts["reschedule.rejected"] == len(booking_api.load_audit_entries("reschedule.requested")) == 1


def test_refused_requests_are_not_audited(booking_api: BookingApi) -> None:
    booking_api.book_appointment(TEN)
    before = count_entries(booking_api)
    assert_error(booking_api.book(TEN), "SLOT_TAKEN")
    assert_error(
        booking_api.post("/appointments/series", **booking_api.booking_body(TEN, rule="FREQ=WEEKLY;COUNT=3")),
        "SLOT_TAKEN",
    )
    assert count_entries(booking_api) == before
    assert booking_api.count("series") == 0


def test_a_series_is_one_entry_and_its_cancellation_one_for_each(booking_api: BookingApi) -> None:
    series = booking_api.post(
        "/appointments/series", **booking_api.booking_body(TEN, rule="FREQ=WEEKLY;COUNT=3")
    ).json()
    [entry] = booking_api.load_audit_entries("series.booked")
    assert (str(entry.subject_id), entry.details) == (series["series_id"], {"appointments": 3})
    booking_api.take_step(series["occurrences"][0]["appointment_id"], "cancel", reason="Ill", series_scope="all")
    assert len(booking_api.load_audit_entries("appointment.cancelled")) == 3


def test_audit_entries_hold_no_personal_text(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN, special_requests="Afraid of lifts")
    booking_api.take_step(booked, "confirm", note="Sounded worried")
    booking_api.take_step(booked, "cancel", reason="Admitted to hospital")
    trail = str(booking_api.load_rows("select * from audit_log where tenant_id = :tenant_id"))
    assert not any(word in trail for word in ("lifts", "worried", "hospital", "Casey"))


# Repeated requests


def send(booking_api: BookingApi, path: str, key: str, **body: Any) -> Any:
    headers = booking_api.build_headers(idempotency_key=key)
    return booking_api.http.post(V1 + path, json=body, headers=headers)


def test_a_repeated_booking_is_made_once(booking_api: BookingApi) -> None:
    body = {name: str(value) for name, value in booking_api.booking_body(TEN).items()} | {"starts_at": TEN.isoformat()}
    first, again = (send(booking_api, "/appointments", "a-booking-of-mine", **body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert booking_api.count("appointments") == len(booking_api.load_audit_entries("appointment.booked")) == 1
    assert booking_api.count("messages") == 4
    body["starts_at"] = (TEN + HOUR).isoformat()
    assert_error(send(booking_api, "/appointments", "a-booking-of-mine", **body), "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize("action", ["confirm", "cancel", "reschedule"])
def test_a_repeated_step_is_taken_once(booking_api: BookingApi, action: str) -> None:
    booked = booking_api.book_appointment(TEN)
    body = {"confirm": {}, "cancel": {"reason": "Ill"}, "reschedule": {"starts_at": (TEN + DAY).isoformat()}}[action]
    path = f"/appointments/{booked['id']}/{action}"
    first, again = (send(booking_api, path, "a-step-of-mine", **body) for _ in range(2))
    assert first.status_code < 300
    assert first.content == again.content
    assert booking_api.count("appointment_steps") == {"confirm": 2, "cancel": 2, "reschedule": 3}[action]
