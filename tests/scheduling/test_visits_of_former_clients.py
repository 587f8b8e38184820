"""Visits of clients whose treatment has ended: nobody checks them in or completes them."""

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
