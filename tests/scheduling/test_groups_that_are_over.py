"""Group sessions afterwards: their status is that of their seats; and services whose bookings are gone."""

from typing import Any

import pytest

from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, parse_instant
from tests.support.drivers.group_sessions import TEN, Groups


@pytest.fixture
def groups(booking_api: BookingApi) -> Groups:
    return Groups(booking_api)


def list_statuses(groups: Groups, **query: Any) -> dict[str, str]:
    return {group["id"]: group["status"] for group in groups.list_groups(limit=100, **query)}


def test_a_group_that_was_held_has_the_status_of_its_seats(booking_api: BookingApi, groups: Groups) -> None:
    held, missed, cancelled, empty, later = (groups.open(TEN + number * DAY) for number in range(5))
    seats = {name: [groups.join(group) for _ in range(2)] for name, group in (("held", held), ("missed", missed))}
    booking_api.take_step(groups.join(cancelled), "cancel", reason="Ill")
    booking_api.now = TEN + 3 * DAY + 2 * HOUR
    booking_api.take_step(seats["held"][0], "complete")
    booking_api.take_step(seats["missed"][0], "no-show")
    assert {list_statuses(groups)[group["id"]] for group in (held, missed)} == {"SCHEDULED"}  # a seat is open each
    for seat in (seats["held"][1], seats["missed"][1]):
        booking_api.take_step(seat, "no-show")
    expected = dict(
        zip(
            [group["id"] for group in (held, missed, cancelled, empty, later)],
            ["COMPLETED", "NO_SHOW", "CANCELLED", "SCHEDULED", "SCHEDULED"],
            strict=True,
        )
    )
    assert list_statuses(groups) == expected
    for status in ("SCHEDULED", "COMPLETED", "NO_SHOW", "CANCELLED"):
        listed = list_statuses(groups, status=status)
        assert listed == {id: of_group for id, of_group in expected.items() if of_group == status}
    read = groups.read(held)
    assert (read["status"], parse_instant(read["status_at"]), read["free_seats"]) == ("COMPLETED", booking_api.now, 0)
    assert list_statuses(groups, has_free_seats=True).keys() == {empty["id"], later["id"]}
    calendar = booking_api.get("/appointments/calendar", view="day", on=MONDAY).json()
    assert [group["status"] for day in calendar["days"] for group in day["group_sessions"]] == ["COMPLETED"]


def test_minutes_can_change_when_nothing_is_booked_any_more(booking_api: BookingApi, groups: Groups) -> None:
    admin = booking_api.practice.admin

    def change_minutes(minutes: int) -> int:
        version = booking_api.get("/services/GRIEF", admin).json()["version"]
        return booking_api.patch("/services/GRIEF", version, admin, minutes=minutes).status_code

    assert change_minutes(80) == 200
    booked = booking_api.book(TEN, service_code="GRIEF", client_id=make_client(booking_api.practice))
    assert (booked.status_code, change_minutes(90)) == (201, 422)
    booking_api.take_step(booked.json()["appointment"], "cancel", reason="Ill")
    assert change_minutes(90) == 200  # the group came with its only seat
    group = groups.open(TEN + DAY)
    seat = groups.join(group)
    booking_api.take_step(seat, "cancel", reason="Ill")
    assert change_minutes(60) == 422  # seats of ninety minutes can still be booked
    groups.cancel(group)
    assert change_minutes(60) == 200
    seat = groups.join(groups.open(TEN + 2 * DAY))
    booking_api.now = TEN + 3 * DAY
    booking_api.take_step(seat, "complete")
    assert change_minutes(90) == 422
