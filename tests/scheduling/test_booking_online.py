"""What clients do for themselves: book, cancel and move, within the practice's hours of notice."""

from datetime import timedelta
from typing import Any

import pytest

from practice.people.settings import set_rule
from tests.support.builders.people import Person
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, SECOND, BookingApi, at, refused, wall

TEN = wall(MONDAY, 10)


@pytest.fixture
def me(booking_api: BookingApi) -> Person:
    return booking_api.portal()


def test_a_client_books_for_themselves(booking_api: BookingApi, me: Person) -> None:
    answer = booking_api.book(TEN, me, special_requests="A quiet room")
    booked = answer.json()["appointment"]
    assert (booked["client_id"], booked["booked_via"]) == (str(me.staff_id), "PORTAL")
    assert answer.json() | {"appointment": None} == {
        **{"appointment": None, "reference": booked["reference"], "status": "SCHEDULED"},
        **{"payment_required": True, "amount": "150.00", "warnings": []},
    }
    assert booking_api.book(TEN + HOUR, me, client_id=me.staff_id).status_code == 201
    refused(booking_api.book(TEN + 2 * HOUR, me, client_id=make_client(booking_api.practice)), "FORBIDDEN", 403)


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
    answer = booking_api.book(booking_api.now + ahead, me)
    if free:
        assert answer.status_code == 201
    else:
        refused(answer, "OUTSIDE_BOOKING_WINDOW")
    assert booking_api.book(booking_api.now + ahead + 2 * HOUR).status_code == 201  # the booking_api books any time


def test_the_window_is_the_practices_own_from_its_date_on(booking_api: BookingApi, me: Person) -> None:
    with booking_api.practice.work() as work:
        set_rule(work, "portal_book_hours", 2, booking_api.now.date())
        set_rule(work, "portal_book_days", 3, booking_api.now.date())
        set_rule(work, "portal_change_hours", 1, booking_api.now.date() + DAY)
    soon = booking_api.booked(booking_api.now + 2 * HOUR, me)
    refused(booking_api.book(booking_api.now + 3 * DAY + SECOND, me), "OUTSIDE_BOOKING_WINDOW")
    refused(booking_api.step(soon, "cancel", me), "TOO_LATE")  # as yet it is a day
    later = booking_api.booked(booking_api.now + DAY + 2 * HOUR, me)
    booking_api.now += DAY
    booking_api.done(later, "cancel", me)


@pytest.mark.parametrize(("ahead", "may"), [(timedelta(hours=24), True), (timedelta(hours=24) - SECOND, False)])
@pytest.mark.parametrize("verb", ["cancel", "reschedule"])
def test_clients_cancel_and_move_until_a_day_before(
    booking_api: BookingApi, me: Person, verb: str, ahead: timedelta, may: bool
) -> None:
    booked = booking_api.booked(TEN, me)
    booking_api.now = TEN - ahead
    body: dict[str, Any] = {} if verb == "cancel" else {"starts_at": TEN + 2 * DAY}
    answer = booking_api.step(booked, verb, me, **body)
    if may:
        assert answer.status_code < 300, answer.text
    else:
        assert "24 hours" in refused(answer, "TOO_LATE")["message"]
        assert booking_api.read(booked, me) == booked
    assert booking_api.count("waitlist_offers") == 0


def test_a_client_moves_only_into_the_window(booking_api: BookingApi, me: Person) -> None:
    booked = booking_api.booked(TEN, me)
    for start in (booking_api.now + 23 * HOUR, booking_api.now + 31 * DAY):
        refused(booking_api.step(booked, "reschedule", me, starts_at=start), "OUTSIDE_BOOKING_WINDOW")
    [moved] = booking_api.done(booked, "reschedule", me, starts_at=TEN + DAY)["items"]
    assert (at(moved["starts_at"]), moved["booked_via"]) == (TEN + DAY, "PORTAL")


def test_no_part_of_a_series_is_moved_online_to_where_clients_do_not_book(booking_api: BookingApi, me: Person) -> None:
    answer = booking_api.post(
        "/appointments/series", **booking_api.wanted(TEN, client_id=me.staff_id, rule="FREQ=WEEKLY;COUNT=4")
    )
    last = answer.json()["occurrences"][-1]["appointment_id"]
    earlier = TEN + 3 * 7 * DAY - 5 * DAY  # the first would be over
    refused(booking_api.step(last, "reschedule", me, starts_at=earlier, which="all"), "OUTSIDE_BOOKING_WINDOW")
    assert len(booking_api.done(last, "reschedule", me, starts_at=TEN + 3 * 7 * DAY + HOUR, which="all")["items"]) == 4


def test_a_client_need_not_say_why_but_staff_must(booking_api: BookingApi, me: Person) -> None:
    mine, theirs = booking_api.booked(TEN, me), booking_api.booked(TEN + HOUR)
    [cancelled] = booking_api.done(mine, "cancel", me)["items"]
    assert (cancelled["status"], cancelled["cancellation_reason"]) == ("CANCELLED", None)
    for body in ({}, {"reason": None}):
        assert "`reason`" in refused(booking_api.step(theirs, "cancel", **body), "VALIDATION_ERROR", 422)["message"]
    refused(booking_api.step(theirs, "cancel", reason="  "), "VALIDATION_ERROR", 422)
    booking_api.now = TEN + HOUR - MINUTE
    [cancelled] = booking_api.done(theirs, "cancel", reason="The clinician is ill")["items"]
    assert cancelled["cancellation_reason"] == "The clinician is ill"


def test_why_staff_cancelled_is_for_staff_to_read(booking_api: BookingApi, me: Person) -> None:
    booked = booking_api.booked(TEN, me)
    booking_api.done(booked, "cancel", reason="Owes us money")
    assert booking_api.read(booked)["cancellation_reason"] == "Owes us money"
    assert booking_api.read(booked, me)["cancellation_reason"] is None
    [listed] = booking_api.get("/appointments", me).json()["items"]
    assert listed["cancellation_reason"] is None


@pytest.mark.parametrize("verb", ["confirm", "check-in", "ready", "start", "complete", "no-show"])
def test_the_rest_is_done_by_staff(booking_api: BookingApi, me: Person, verb: str) -> None:
    booked = booking_api.booked(TEN, me)
    body = {"json": {}} if verb != "ready" else {}
    answer = booking_api.http.post(
        f"/api/v1/appointments/{booked['id']}/{verb}", headers=booking_api.headers(me), **body
    )
    refused(answer, "FORBIDDEN", 403)
    refused(booking_api.patch(f"/appointments/{booked['id']}", 1, me, instructions="Mine"), "FORBIDDEN", 403)
    refused(
        booking_api.post("/appointments/bulk", me, action="confirm", appointment_ids=[booked["id"]]), "FORBIDDEN", 403
    )


def test_somebody_elses_appointment_is_as_if_it_were_not_there(booking_api: BookingApi, me: Person) -> None:
    theirs = booking_api.booked(TEN, booking_api.portal())
    refused(booking_api.get(f"/appointments/{theirs['id']}", me), "NOT_FOUND", 404)
    refused(booking_api.get(f"/appointments/{theirs['id']}/steps", me), "NOT_FOUND", 404)
    refused(booking_api.step(theirs, "cancel", me), "NOT_FOUND", 404)
    refused(booking_api.step(theirs, "reschedule", me, starts_at=TEN + DAY), "NOT_FOUND", 404)
    assert booking_api.read(theirs) == theirs


def test_a_client_is_not_told_what_else_a_clinician_does(booking_api: BookingApi, me: Person) -> None:
    booking_api.booked(TEN)
    booking_api.block(TEN + HOUR, TEN + 2 * HOUR, clinician_id=booking_api.clinician.staff_id)
    said = []
    for start in (TEN, TEN + HOUR):
        about = booking_api.wanted(start) | {"client_id": None}
        [problem] = booking_api.post("/appointments/preview", me, **about).json()["problems"]
        said.append((problem["code"], problem["sentence"]))
    assert said == [("SLOT_TAKEN", "This time is not free.")] * 2
