"""What is offered instead of a time that cannot be had: all of it can really be booked."""

from datetime import date, datetime, time
from typing import Any

import pytest

from practice.scheduling.models.catalog import ClinicianService
from tests.support.builders.schedule import make_client, make_room, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, at, refused, wall

TEN = wall(MONDAY, 10)


def offered(answer: Any) -> list[dict[str, Any]]:
    found = answer.json()["error"]["details"]["alternatives"]
    assert 0 < len(found) <= 5
    assert len({tuple(one.items()) for one in found}) == len(found)
    return found


def book_each(booking_api: BookingApi, answer: Any, **more: Any) -> list[dict[str, Any]]:
    """Each by itself, as somebody would who is told of them."""
    found = offered(answer)
    for one in found:
        booked = booking_api.booked(
            at(one["starts_at"]), clinician_id=one["clinician_id"], room_id=one["room_id"], **more
        )
        booking_api.done(booked, "cancel", reason="Only tried")
    return found


def test_a_taken_clinician_is_offered_at_the_nearest_times_and_others_at_the_same(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    booking_api.booked(TEN, client_id=make_client(booking_api.practice))
    found = book_each(booking_api, booking_api.book(TEN))
    mine = [at(one["starts_at"]) for one in found if one["clinician_id"] == str(booking_api.clinician.staff_id)]
    assert sorted(mine[:2]) == [TEN - HOUR, TEN + HOUR]
    assert [(one["clinician_id"], at(one["starts_at"])) for one in found[3:4]] == [(str(other.staff_id), TEN)]
    assert len(found) == 5


def test_instead_of_a_taken_room_others_are_offered_at_the_same_time(booking_api: BookingApi) -> None:
    booking_api.add_clinician()
    other_rooms = [make_room(booking_api.practice), make_room(booking_api.practice)]
    make_room(booking_api.practice, active=False)
    booking_api.booked(
        TEN,
        room_id=booking_api.room,
        client_id=make_client(booking_api.practice),
        clinician_id=booking_api.add_clinician().staff_id,
    )
    found = book_each(booking_api, booking_api.book(TEN, room_id=booking_api.room))
    same = [
        one["room_id"]
        for one in found
        if at(one["starts_at"]) == TEN and one["clinician_id"] == str(booking_api.clinician.staff_id)
    ]
    assert set(same) == {str(room) for room in other_rooms}
    assert all(one["room_id"] for one in found)  # a room was wanted
    assert str(booking_api.room) in {one["room_id"] for one in found}  # the very one, at another time


def test_what_is_offered_suits_the_client_as_well(booking_api: BookingApi) -> None:
    elsewhere = booking_api.add_clinician().staff_id
    for hour in (9, 11, 12, 13):
        booking_api.booked(wall(MONDAY, hour), clinician_id=elsewhere)
    booking_api.booked(TEN, client_id=make_client(booking_api.practice))
    assert all(
        at(one["starts_at"]) not in (TEN - HOUR, TEN + HOUR) for one in book_each(booking_api, booking_api.book(TEN))
    )


def test_a_time_outside_the_hours_leads_to_one_within_them(booking_api: BookingApi) -> None:
    booking_api.away(MONDAY)
    found = book_each(booking_api, booking_api.book(TEN, room_id=booking_api.room))
    assert {at(one["starts_at"]).astimezone().date() for one in found} <= {MONDAY - DAY, MONDAY + DAY}


def test_nothing_that_has_passed_or_is_closed_is_offered(booking_api: BookingApi) -> None:
    today = booking_api.now.date()
    booking_api.close_on(today + DAY)
    found = book_each(booking_api, booking_api.book(wall(today, 7)))
    assert all(at(one["starts_at"]) >= booking_api.now for one in found)
    assert today + DAY not in {at(one["starts_at"]).date() for one in found}


def test_a_client_online_is_offered_what_they_may_book_online(booking_api: BookingApi) -> None:
    me = booking_api.portal()
    tomorrow = wall(booking_api.now.date() + DAY, 12)  # half an hour more than a day ahead
    booking_api.booked(tomorrow)
    found = offered(booking_api.book(tomorrow, me))
    for one in found:
        assert at(one["starts_at"]) >= booking_api.now + DAY
        booking_api.done(booking_api.booked(at(one["starts_at"]), me, clinician_id=one["clinician_id"]), "cancel", me)


def test_the_minutes_of_each_clinician_count(booking_api: BookingApi) -> None:
    slow = booking_api.add_clinician(end=time(11))
    put(booking_api.practice, ClinicianService(clinician_id=slow.staff_id, service_id=booking_api.service, minutes=90))
    booking_api.booked(TEN, client_id=make_client(booking_api.practice))
    found = book_each(booking_api, booking_api.book(TEN))
    assert str(slow.staff_id) not in {one["clinician_id"] for one in found}


@pytest.mark.parametrize("changes", ["deactivated_at = now()", "left_on = '2026-03-23'"])
def test_nobody_is_offered_who_is_not_there(booking_api: BookingApi, changes: str) -> None:
    leaving = booking_api.add_clinician()
    booking_api.write(f"update staff set {changes} where id = :id", id=leaving.staff_id)
    tuesday = TEN + DAY
    booking_api.booked(tuesday, client_id=make_client(booking_api.practice))
    found = book_each(booking_api, booking_api.book(tuesday))
    assert str(leaving.staff_id) not in {one["clinician_id"] for one in found}


def test_with_somebody_who_has_left_the_others_are_offered(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    booking_api.write(
        "update staff set left_on = :on where id = :id", id=booking_api.clinician.staff_id, on=date(2026, 3, 20)
    )
    booking_api.booked(
        TEN, clinician_id=other.staff_id, client_id=make_client(booking_api.practice), room_id=booking_api.room
    )
    found = offered(booking_api.book(TEN - 30 * MINUTE, room_id=booking_api.room))
    assert all(
        at(one["starts_at"]) < datetime(2026, 3, 21, tzinfo=TEN.tzinfo) or one["clinician_id"] == str(other.staff_id)
        for one in found
    )


def test_where_time_is_not_the_matter_nothing_is_offered(booking_api: BookingApi) -> None:
    client = make_client(booking_api.practice, ended_on=date(2026, 3, 1))
    error = refused(booking_api.book(TEN, client_id=client), "CLIENT_NOT_ACTIVE")
    assert error["details"]["alternatives"] == []


def test_a_full_group_leads_to_other_times(booking_api: BookingApi) -> None:
    make_service(booking_api.practice, "GROUP", kind="GROUP", capacity=1)
    first = booking_api.booked(TEN, service_code="GROUP", client_id=make_client(booking_api.practice))
    answer = booking_api.book(TEN, group_session_id=first["group_session_id"], service_code="GROUP", clinician_id=None)
    refused(answer, "GROUP_FULL")
    book_each(booking_api, answer, service_code="GROUP")
