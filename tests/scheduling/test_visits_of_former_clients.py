"""Visits of clients whose treatment has ended: those that began before it can still be closed, no later ones."""

import pytest

from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, assert_error, local

TEN = local(MONDAY, 10)


def end_treatment(booking_api: BookingApi, days_before: int = 0) -> None:
    booking_api.write(
        "update clients set ended_on = :day, end_reason = 'DISCHARGED' where id = :id",
        day=MONDAY - days_before * DAY,
        id=booking_api.client,
    )


@pytest.mark.parametrize("action", ["check-in", "complete"])
@pytest.mark.parametrize("days_before", [0, 30])
def test_a_visit_after_the_end_of_treatment_does_not_begin(
    booking_api: BookingApi, action: str, days_before: int
) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.take_step(booked, "confirm")
    end_treatment(booking_api, days_before)
    booking_api.now = TEN
    error = assert_error(
        booking_api.post_step(booked, action, consent_override_reason="They came"), "CLIENT_NOT_ACTIVE"
    )
    assert "Readmit" in error["message"]
    assert booking_api.read(booked)["status"] == "CONFIRMED"
    booking_api.write("update clients set ended_on = null, end_reason = null where id = :id", id=booking_api.client)
    booking_api.take_step(booked, action)


@pytest.mark.parametrize("steps", [["check-in"], ["check-in", "start"]])
def test_a_visit_that_has_begun_is_completed(booking_api: BookingApi, steps: list[str]) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN
    for step in steps:
        booking_api.take_step(booked, step)
    end_treatment(booking_api)
    booking_api.take_step(booked, "complete")


def test_a_visit_before_the_end_of_treatment_is_recorded_late(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN - DAY)
    end_treatment(booking_api)
    booking_api.now = TEN + HOUR
    booking_api.take_step(booked, "complete")


@pytest.mark.parametrize("steps", [["complete"], ["check-in", "start", "complete"], ["no-show"]])
def test_a_visit_before_the_discharge_of_the_same_day_is_listed_and_closed(
    booking_api: BookingApi, steps: list[str]
) -> None:
    ended, missed, later = (booking_api.book_appointment(TEN + hours * HOUR) for hours in (0, 2, 8))
    booking_api.now = TEN + 4 * HOUR
    path = f"/clients/{booking_api.client}/status"
    discharged = booking_api.post(path, status="DISCHARGED").json()
    assert [visit["reference"] for visit in discharged["to_close"]] == [ended["reference"], missed["reference"]]
    assert [visit["reference"] for visit in discharged["affected"]] == [later["reference"]]
    assert (discharged["to_close_count"], discharged["affected_count"]) == (2, 1)
    for step in steps:
        booking_api.take_step(ended, step)
    assert_error(booking_api.post_step(later, "check-in"), "CLIENT_NOT_ACTIVE")
    booking_api.now += HOUR
    corrected = booking_api.post(path, status="INACTIVE").json()  # recorded later, but treatment ended at two
    assert [visit["reference"] for visit in corrected["to_close"]] == [missed["reference"]]
    booking_api.take_step(missed, "no-show")
    booking_api.now = TEN + 8 * HOUR
    assert_error(booking_api.post_step(later, "complete"), "CLIENT_NOT_ACTIVE")
    readmitted = booking_api.post(path, status="ACTIVE").json()
    assert (readmitted["to_close"], readmitted["affected"]) == ([], [])


def test_a_visit_after_a_discharge_set_before_does_not_begin(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    discharge = booking_api.post(
        f"/clients/{booking_api.client}/status", status="DISCHARGED", effective_on=MONDAY.isoformat()
    )
    assert [visit["reference"] for visit in discharge.json()["affected"]] == [booked["reference"]]
    booking_api.now = TEN + HOUR
    assert_error(booking_api.post_step(booked, "complete"), "CLIENT_NOT_ACTIVE")


def test_a_planned_end_that_was_replaced_does_not_count(booking_api: BookingApi) -> None:
    early, late = booking_api.book_appointment(TEN), booking_api.book_appointment(TEN + 4 * HOUR)
    path = f"/clients/{booking_api.client}/status"
    planned = (MONDAY + 7 * DAY).isoformat()
    assert booking_api.post(path, status="INACTIVE", effective_on=planned).status_code == 200
    booking_api.now = TEN + 2 * HOUR
    assert booking_api.post(path, status="DISCHARGED").status_code == 200
    booking_api.take_step(early, "complete")
    assert_error(booking_api.post_step(late, "check-in"), "CLIENT_NOT_ACTIVE")
    booking_api.now += HOUR
    assert booking_api.post(path, status="ACTIVE").status_code == 200
    booking_api.now = TEN + 4 * HOUR
    booking_api.take_step(late, "check-in")
