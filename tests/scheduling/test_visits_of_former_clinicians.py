"""Visits of clinicians who have left: those until the last day can still be closed, no later ones."""

import pytest
from sqlalchemy import text

from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, assert_error, local

TEN = local(MONDAY, 10)


def leave(booking_api: BookingApi, days_before: int = 1) -> None:
    path = f"/staff/{booking_api.clinician.staff_id}/deactivate"
    response = booking_api.post(path, booking_api.practice.admin, left_on=MONDAY - days_before * DAY)
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("action", ["confirm", "check-in", "start", "complete", "no-show"])
def test_a_visit_after_the_last_day_is_not_held(booking_api: BookingApi, action: str) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN
    if action == "start":
        booking_api.take_step(booked, "check-in")
    leave(booking_api)
    error = assert_error(booking_api.post_step(booked, action), "CLINICIAN_NOT_ACTIVE")
    assert f"left on {MONDAY - DAY}" in error["message"]
    assert "another clinician or cancel" in error["message"]
    if action == "start":
        assert "Take its status back" in error["message"]
        booking_api.take_step(booked, "revert", from_status="CHECKED_IN", reason="The clinician has left")
    other = booking_api.add_clinician()
    moved = booking_api.take_step(booked, "reschedule", starts_at=TEN + HOUR, clinician_id=other.staff_id)
    booking_api.now = TEN + HOUR
    booking_api.take_step(moved["items"][0], "complete")


def test_nobody_is_reminded_of_a_visit_after_the_last_day(booking_api: BookingApi) -> None:
    kept, dropped = booking_api.book_appointment(TEN - DAY), booking_api.book_appointment(TEN + 3 * DAY)
    query = text(
        "select distinct appointment_id::text from messages"
        " where tenant_id = :id and status = 'PLANNED' and kind = 'REMINDER'"
    )

    def list_announced() -> set[str]:
        with booking_api.practice.work() as work:
            return set(work.db.scalars(query, {"id": work.tenant_id}))

    assert list_announced() == {kept["id"], dropped["id"]}
    booking_api.now = TEN - DAY
    leave(booking_api)
    assert list_announced() == {kept["id"]}
    booking_api.patch(f"/clients/{dropped['client_id']}", 1, booking_api.practice.admin, phone="404-555-0188")
    assert list_announced() == {kept["id"]}
    page = booking_api.get("/dashboards/schedule", booking_api.practice.admin).json()
    assert [need["count"] for need in page["needs"] if need["key"] == "unheld_visits"] == [1]


def test_who_comes_back_has_their_visits_announced_again(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN + 9 * DAY)
    staff, admin = f"/staff/{booking_api.clinician.staff_id}", booking_api.practice.admin
    query = text(
        "select count(*) from messages where appointment_id = :id and status = 'PLANNED' and kind = 'REMINDER'"
    )

    def count_planned() -> int:
        with booking_api.practice.work() as work:
            return work.db.scalar(query, {"id": booked["id"]}) or 0

    planned = count_planned()
    assert planned > 0
    for last_day, expected in ((MONDAY, 0), (None, planned)):
        version = booking_api.get(staff, admin).json()["version"]
        assert booking_api.patch(staff, version, admin, left_on=last_day).status_code == 200
        assert count_planned() == expected
    booking_api.now = TEN
    leave(booking_api)
    assert count_planned() == 0
    assert booking_api.post(f"{staff}/rehire", admin, returned_on=MONDAY).status_code in (200, 201)
    assert 0 < count_planned() <= planned  # those that are still to come


def test_a_visit_on_the_last_day_is_recorded_after_it(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.now = TEN + DAY
    leave(booking_api, 0)
    booking_api.take_step(booked, "complete")


def test_a_visit_before_the_first_day_is_not_held(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN)
    booking_api.write(
        "update staff set hired_on = :day where id = :id", day=MONDAY + DAY, id=booking_api.clinician.staff_id
    )
    booking_api.now = TEN
    error = assert_error(booking_api.post_step(booked, "check-in"), "CLINICIAN_NOT_ACTIVE")
    assert f"starts on {MONDAY + DAY}" in error["message"]
