"""Alternatives to a time that is not free: each of them can be booked."""

from datetime import date, datetime, time
from typing import Any

import pytest

from practice.scheduling.models.catalog import ClinicianService
from tests.support.builders.schedule import make_client, make_room, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, assert_error, local, parse_instant

TEN = local(MONDAY, 10)


def get_alternatives(response: Any) -> list[dict[str, Any]]:
    alternatives = response.json()["error"]["details"]["alternatives"]
    assert 0 < len(alternatives) <= 5
    assert all(alternative["clinician_name"].startswith("Robin Tester") for alternative in alternatives)
    assert len({tuple(alternative.items()) for alternative in alternatives}) == len(alternatives)
    return alternatives


def book_each(booking_api: BookingApi, response: Any, **fields: Any) -> list[dict[str, Any]]:
    """Book and cancel each alternative by itself."""
    alternatives = get_alternatives(response)
    for alternative in alternatives:
        booked = booking_api.book_appointment(
            parse_instant(alternative["starts_at"]),
            clinician_id=alternative["clinician_id"],
            room_id=alternative["room_id"],
            **fields,
        )
        booking_api.take_step(booked, "cancel", reason="Tried only")
    return alternatives


def test_a_taken_clinician_is_offered_at_the_nearest_times_and_others_at_the_same(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    booking_api.book_appointment(TEN, client_id=make_client(booking_api.practice))
    alternatives = book_each(booking_api, booking_api.book(TEN))
    own_starts = [
        parse_instant(alternative["starts_at"])
        for alternative in alternatives
        if alternative["clinician_id"] == str(booking_api.clinician.staff_id)
    ]
    assert sorted(own_starts[:2]) == [TEN - HOUR, TEN + HOUR]
    assert [
        (alternative["clinician_id"], parse_instant(alternative["starts_at"])) for alternative in alternatives[3:4]
    ] == [(str(other.staff_id), TEN)]
    assert len(alternatives) == 5


def test_other_rooms_are_offered_instead_of_a_taken_one(booking_api: BookingApi) -> None:
    booking_api.add_clinician()
    other_rooms = [make_room(booking_api.practice), make_room(booking_api.practice)]
    make_room(booking_api.practice, active=False)
    booking_api.book_appointment(
        TEN,
        room_id=booking_api.room,
        client_id=make_client(booking_api.practice),
        clinician_id=booking_api.add_clinician().staff_id,
    )
    alternatives = book_each(booking_api, booking_api.book(TEN, room_id=booking_api.room))
    same = [
        alternative["room_id"]
        for alternative in alternatives
        if parse_instant(alternative["starts_at"]) == TEN
        and alternative["clinician_id"] == str(booking_api.clinician.staff_id)
    ]
    assert set(same) == {str(room) for room in other_rooms}
    assert all(alternative["room_id"] for alternative in alternatives)  # a room was requested
    assert str(booking_api.room) in {
        alternative["room_id"] for alternative in alternatives
    }  # the same room, at another time


def test_alternatives_are_free_for_the_client_too(booking_api: BookingApi) -> None:
    other_clinician = booking_api.add_clinician().staff_id
    for hour in (9, 11, 12, 13):
        booking_api.book_appointment(local(MONDAY, hour), clinician_id=other_clinician)
    booking_api.book_appointment(TEN, client_id=make_client(booking_api.practice))
    assert all(
        parse_instant(alternative["starts_at"]) not in (TEN - HOUR, TEN + HOUR)
        for alternative in book_each(booking_api, booking_api.book(TEN))
    )


def test_a_time_outside_the_hours_leads_to_one_within_them(booking_api: BookingApi) -> None:
    booking_api.add_exception(MONDAY)
    alternatives = book_each(booking_api, booking_api.book(TEN, room_id=booking_api.room))
    assert {parse_instant(alternative["starts_at"]).astimezone().date() for alternative in alternatives} <= {
        MONDAY - DAY,
        MONDAY + DAY,
    }


def test_nothing_that_has_passed_or_is_closed_is_offered(booking_api: BookingApi) -> None:
    today = booking_api.now.date()
    booking_api.close_on(today + DAY)
    alternatives = book_each(booking_api, booking_api.book(local(today, 7)))
    assert all(parse_instant(alternative["starts_at"]) >= booking_api.now for alternative in alternatives)
    assert today + DAY not in {parse_instant(alternative["starts_at"]).date() for alternative in alternatives}


def test_a_client_online_is_offered_what_they_may_book_online(booking_api: BookingApi) -> None:
    me = booking_api.add_portal_client()
    tomorrow = local(booking_api.now.date() + DAY, 12)  # half an hour more than a day ahead
    booking_api.book_appointment(tomorrow)
    alternatives = get_alternatives(booking_api.book(tomorrow, me))
    for alternative in alternatives:
        assert parse_instant(alternative["starts_at"]) >= booking_api.now + DAY
        booking_api.take_step(
            booking_api.book_appointment(
                parse_instant(alternative["starts_at"]), me, clinician_id=alternative["clinician_id"]
            ),
            "cancel",
            me,
        )


def test_each_clinicians_own_minutes_count(booking_api: BookingApi) -> None:
    slow = booking_api.add_clinician(end=time(11))
    put(booking_api.practice, ClinicianService(clinician_id=slow.staff_id, service_id=booking_api.service, minutes=90))
    booking_api.book_appointment(TEN, client_id=make_client(booking_api.practice))
    alternatives = book_each(booking_api, booking_api.book(TEN))
    assert str(slow.staff_id) not in {alternative["clinician_id"] for alternative in alternatives}


@pytest.mark.parametrize("changes", ["deactivated_at = now()", "left_on = '2026-03-23'"])
def test_clinicians_who_left_are_not_offered(booking_api: BookingApi, changes: str) -> None:
    leaving = booking_api.add_clinician()
    booking_api.write(f"update staff set {changes} where id = :id", id=leaving.staff_id)
    tuesday = TEN + DAY
    booking_api.book_appointment(tuesday, client_id=make_client(booking_api.practice))
    alternatives = book_each(booking_api, booking_api.book(tuesday))
    assert str(leaving.staff_id) not in {alternative["clinician_id"] for alternative in alternatives}


def test_other_clinicians_are_offered_instead_of_one_who_left(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    booking_api.write(
        "update staff set left_on = :on where id = :id", id=booking_api.clinician.staff_id, on=date(2026, 3, 20)
    )
    booking_api.book_appointment(
        TEN, clinician_id=other.staff_id, client_id=make_client(booking_api.practice), room_id=booking_api.room
    )
    alternatives = get_alternatives(booking_api.book(TEN - 30 * MINUTE, room_id=booking_api.room))
    assert all(
        parse_instant(alternative["starts_at"]) < datetime(2026, 3, 21, tzinfo=TEN.tzinfo)
        or alternative["clinician_id"] == str(other.staff_id)
        for alternative in alternatives
    )


def test_without_a_time_problem_there_are_no_alternatives(booking_api: BookingApi) -> None:
    client = make_client(booking_api.practice, ended_on=date(2026, 3, 1))
    error = assert_error(booking_api.book(TEN, client_id=client), "CLIENT_NOT_ACTIVE")
    assert error["details"]["alternatives"] == []


def test_a_full_group_leads_to_other_times(booking_api: BookingApi) -> None:
    make_service(booking_api.practice, "GROUP", kind="GROUP", capacity=1)
    first = booking_api.book_appointment(TEN, service_code="GROUP", client_id=make_client(booking_api.practice))
    response = booking_api.book(
        TEN, group_session_id=first["group_session_id"], service_code="GROUP", clinician_id=None
    )
    assert_error(response, "GROUP_FULL")
    book_each(booking_api, response, service_code="GROUP")
