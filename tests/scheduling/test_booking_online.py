"""Clients book, cancel and move online, within the practice's notice periods."""

from datetime import timedelta
from typing import Any

import pytest

from practice.people.settings import change_setting
from tests.support.builders.people import Person
from tests.support.builders.schedule import make_client
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

TEN = local(MONDAY, 10)


@pytest.fixture
def me(booking_api: BookingApi) -> Person:
    return booking_api.add_portal_client()


def test_a_client_books_for_themselves(booking_api: BookingApi, me: Person) -> None:
    response = booking_api.book(TEN, me, special_requests="A quiet room")
    booked = response.json()["appointment"]
    assert (booked["client_id"], booked["booked_via"]) == (str(me.staff_id), "PORTAL")
    assert response.json() | {"appointment": None} == {
        **{"appointment": None, "reference": booked["reference"], "status": "SCHEDULED"},
        **{"payment_required": True, "amount": "150.00", "warnings": [], "intake_form": None},
    }
    assert booking_api.book(TEN + HOUR, me, client_id=me.staff_id).status_code == 201
    assert_error(booking_api.book(TEN + 2 * HOUR, me, client_id=make_client(booking_api.practice)), "FORBIDDEN", 403)


@pytest.mark.parametrize(
    ("ahead", "free"),
    [
        (timedelta(hours=24), True),
        (timedelta(hours=24) - SECOND, False),
        (timedelta(days=30), True),
        (timedelta(days=30) + SECOND, False),
        (timedelta(0), False),
        (-timedelta(days=1), False),
    ],
)
def test_clients_book_from_a_day_to_thirty_days_ahead(
    booking_api: BookingApi, me: Person, ahead: timedelta, free: bool
) -> None:
    response = booking_api.book(booking_api.now + ahead, me)
    if free:
        assert response.status_code == 201
    else:
        assert_error(response, "OUTSIDE_BOOKING_WINDOW")
    assert booking_api.book(booking_api.now + ahead + 2 * HOUR).status_code == 201  # staff book at any time


def test_the_booking_window_is_a_setting_with_an_effective_date(booking_api: BookingApi, me: Person) -> None:
    with booking_api.practice.work() as work:
        change_setting(work, "portal_book_hours", 2, booking_api.now.date())
        change_setting(work, "portal_book_days", 3, booking_api.now.date())
        change_setting(work, "portal_change_hours", 1, booking_api.now.date() + DAY)
    soon = booking_api.book_appointment(booking_api.now + 2 * HOUR, me)
    assert_error(booking_api.book(booking_api.now + 3 * DAY + SECOND, me), "OUTSIDE_BOOKING_WINDOW")
    assert_error(booking_api.post_step(soon, "cancel", me), "TOO_LATE")  # as yet it is a day
    later = booking_api.book_appointment(booking_api.now + DAY + 2 * HOUR, me)
    booking_api.now += DAY
    booking_api.take_step(later, "cancel", me)


@pytest.mark.parametrize(("ahead", "may"), [(timedelta(hours=24), True), (timedelta(hours=24) - SECOND, False)])
@pytest.mark.parametrize("action", ["cancel", "reschedule"])
def test_clients_cancel_and_move_until_a_day_before(
    booking_api: BookingApi, me: Person, action: str, ahead: timedelta, may: bool
) -> None:
    booked = booking_api.book_appointment(TEN, me)
    booking_api.now = TEN - ahead
    body: dict[str, Any] = {} if action == "cancel" else {"starts_at": TEN + 2 * DAY}
    response = booking_api.post_step(booked, action, me, **body)
    if may:
        assert response.status_code < 300, response.text
    else:
        assert "24 hours" in assert_error(response, "TOO_LATE")["message"]
        assert booking_api.read(booked, me) == booked
    assert booking_api.count("waitlist_offers") == 0


def test_a_client_moves_only_into_the_window(booking_api: BookingApi, me: Person) -> None:
    booked = booking_api.book_appointment(TEN, me)
    for start in (booking_api.now + 23 * HOUR, booking_api.now + 31 * DAY):
        assert_error(booking_api.post_step(booked, "reschedule", me, starts_at=start), "OUTSIDE_BOOKING_WINDOW")
    [moved] = booking_api.take_step(booked, "reschedule", me, starts_at=TEN + DAY)["items"]
    assert (parse_instant(moved["starts_at"]), moved["booked_via"]) == (TEN + DAY, "PORTAL")


def test_no_appointment_of_a_series_is_moved_online_outside_the_booking_window(
    booking_api: BookingApi, me: Person
) -> None:
    response = booking_api.post(
        "/appointments/series", **booking_api.booking_body(TEN, client_id=me.staff_id, rule="FREQ=WEEKLY;COUNT=4")
    )
    last = response.json()["occurrences"][-1]["appointment_id"]
    earlier = TEN + 3 * 7 * DAY - 5 * DAY  # the first would be over
    assert_error(
        booking_api.post_step(last, "reschedule", me, starts_at=earlier, series_scope="all"), "OUTSIDE_BOOKING_WINDOW"
    )
    assert (
        len(
            booking_api.take_step(last, "reschedule", me, starts_at=TEN + 3 * 7 * DAY + HOUR, series_scope="all")[
                "items"
            ]
        )
        == 4
    )


def test_staff_must_give_a_reason_and_clients_need_not(booking_api: BookingApi, me: Person) -> None:
    own, other = booking_api.book_appointment(TEN, me), booking_api.book_appointment(TEN + HOUR)
    [cancelled] = booking_api.take_step(own, "cancel", me)["items"]
    assert (cancelled["status"], cancelled["cancellation_reason"]) == ("CANCELLED", None)
    for body in ({}, {"reason": None}):
        assert (
            "`reason`"
            in assert_error(booking_api.post_step(other, "cancel", **body), "VALIDATION_ERROR", 422)["message"]
        )
    assert_error(booking_api.post_step(other, "cancel", reason="  "), "VALIDATION_ERROR", 422)
    booking_api.now = TEN + HOUR - MINUTE
    [cancelled] = booking_api.take_step(other, "cancel", reason="The clinician is ill")["items"]
    assert cancelled["cancellation_reason"] == "The clinician is ill"


def test_clients_do_not_see_the_cancellation_reason_of_staff(booking_api: BookingApi, me: Person) -> None:
    booked = booking_api.book_appointment(TEN, me)
    booking_api.take_step(booked, "cancel", reason="Owes us money")
    assert booking_api.read(booked)["cancellation_reason"] == "Owes us money"
    assert booking_api.read(booked, me)["cancellation_reason"] is None
    [listed] = booking_api.get("/appointments", me).json()["items"]
    assert listed["cancellation_reason"] is None


@pytest.mark.parametrize("action", ["confirm", "check-in", "ready", "start", "complete", "no-show"])
def test_other_steps_are_for_staff(booking_api: BookingApi, me: Person, action: str) -> None:
    booked = booking_api.book_appointment(TEN, me)
    body = {"json": {}} if action != "ready" else {}
    response = booking_api.http.post(
        f"/api/v1/appointments/{booked['id']}/{action}", headers=booking_api.build_headers(me), **body
    )
    assert_error(response, "FORBIDDEN", 403)
    assert_error(booking_api.patch(f"/appointments/{booked['id']}", 1, me, instructions="Mine"), "FORBIDDEN", 403)
    assert_error(
        booking_api.post("/appointments/bulk", me, action="confirm", appointment_ids=[booked["id"]]), "FORBIDDEN", 403
    )


def test_another_clients_appointment_does_not_exist(booking_api: BookingApi, me: Person) -> None:
    other = booking_api.book_appointment(TEN, booking_api.add_portal_client())
    assert_error(booking_api.get(f"/appointments/{other['id']}", me), "NOT_FOUND", 404)
    assert_error(booking_api.get(f"/appointments/{other['id']}/status-history", me), "NOT_FOUND", 404)
    assert_error(booking_api.post_step(other, "cancel", me), "NOT_FOUND", 404)
    assert_error(booking_api.post_step(other, "reschedule", me, starts_at=TEN + DAY), "NOT_FOUND", 404)
    assert booking_api.read(other) == other


def test_a_client_does_not_learn_what_the_clinician_does(booking_api: BookingApi, me: Person) -> None:
    booking_api.book_appointment(TEN)
    booking_api.block(TEN + HOUR, TEN + 2 * HOUR, clinician_id=booking_api.clinician.staff_id)
    problems = []
    for start in (TEN, TEN + HOUR):
        body = booking_api.booking_body(start) | {"client_id": None}
        [problem] = booking_api.post("/appointments/preview", me, **body).json()["problems"]
        problems.append((problem["code"], problem["message"]))
    assert problems == [("SLOT_TAKEN", "This time is not free. Choose another one, or call the practice.")] * 2
