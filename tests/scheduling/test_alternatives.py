"""What is offered instead of a time that cannot be had: all of it can really be booked."""

from datetime import date, datetime, time
from typing import Any

import pytest

from practice.scheduling.models.catalog import ClinicianService
from tests.support.builders.schedule import make_client, make_room, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, FrontDesk, at, refused, wall

TEN = wall(MONDAY, 10)


def offered(answer: Any) -> list[dict[str, Any]]:
    found = answer.json()["error"]["details"]["alternatives"]
    assert 0 < len(found) <= 5
    assert len({tuple(one.items()) for one in found}) == len(found)
    return found


def book_each(desk: FrontDesk, answer: Any, **more: Any) -> list[dict[str, Any]]:
    """Each by itself, as somebody would who is told of them."""
    found = offered(answer)
    for one in found:
        booked = desk.booked(at(one["starts_at"]), clinician_id=one["clinician_id"], room_id=one["room_id"], **more)
        desk.done(booked, "cancel", reason="Only tried")
    return found


def test_a_taken_clinician_is_offered_at_the_nearest_times_and_others_at_the_same(desk: FrontDesk) -> None:
    other = desk.add_clinician()
    desk.booked(TEN, client_id=make_client(desk.practice))
    found = book_each(desk, desk.book(TEN))
    mine = [at(one["starts_at"]) for one in found if one["clinician_id"] == str(desk.clinician.staff_id)]
    assert sorted(mine[:2]) == [TEN - HOUR, TEN + HOUR]
    assert [(one["clinician_id"], at(one["starts_at"])) for one in found[3:4]] == [(str(other.staff_id), TEN)]
    assert len(found) == 5


def test_instead_of_a_taken_room_others_are_offered_at_the_same_time(desk: FrontDesk) -> None:
    desk.add_clinician()
    other_rooms = [make_room(desk.practice), make_room(desk.practice)]
    make_room(desk.practice, active=False)
    desk.booked(
        TEN, room_id=desk.room, client_id=make_client(desk.practice), clinician_id=desk.add_clinician().staff_id
    )
    found = book_each(desk, desk.book(TEN, room_id=desk.room))
    same = [
        one["room_id"]
        for one in found
        if at(one["starts_at"]) == TEN and one["clinician_id"] == str(desk.clinician.staff_id)
    ]
    assert set(same) == {str(room) for room in other_rooms}
    assert all(one["room_id"] for one in found)  # a room was wanted
    assert str(desk.room) in {one["room_id"] for one in found}  # the very one, at another time


def test_what_is_offered_suits_the_client_as_well(desk: FrontDesk) -> None:
    elsewhere = desk.add_clinician().staff_id
    for hour in (9, 11, 12, 13):
        desk.booked(wall(MONDAY, hour), clinician_id=elsewhere)
    desk.booked(TEN, client_id=make_client(desk.practice))
    assert all(at(one["starts_at"]) not in (TEN - HOUR, TEN + HOUR) for one in book_each(desk, desk.book(TEN)))


def test_a_time_outside_the_hours_leads_to_one_within_them(desk: FrontDesk) -> None:
    desk.away(MONDAY)
    found = book_each(desk, desk.book(TEN, room_id=desk.room))
    assert {at(one["starts_at"]).astimezone().date() for one in found} <= {MONDAY - DAY, MONDAY + DAY}


def test_nothing_that_has_passed_or_is_closed_is_offered(desk: FrontDesk) -> None:
    today = desk.now.date()
    desk.close_on(today + DAY)
    found = book_each(desk, desk.book(wall(today, 7)))
    assert all(at(one["starts_at"]) >= desk.now for one in found)
    assert today + DAY not in {at(one["starts_at"]).date() for one in found}


def test_a_client_online_is_offered_what_they_may_book_online(desk: FrontDesk) -> None:
    me = desk.portal()
    tomorrow = wall(desk.now.date() + DAY, 12)  # half an hour more than a day ahead
    desk.booked(tomorrow)
    found = offered(desk.book(tomorrow, me))
    for one in found:
        assert at(one["starts_at"]) >= desk.now + DAY
        desk.done(desk.booked(at(one["starts_at"]), me, clinician_id=one["clinician_id"]), "cancel", me)


def test_the_minutes_of_each_clinician_count(desk: FrontDesk) -> None:
    slow = desk.add_clinician(end=time(11))
    put(desk.practice, ClinicianService(clinician_id=slow.staff_id, service_id=desk.service, minutes=90))
    desk.booked(TEN, client_id=make_client(desk.practice))
    found = book_each(desk, desk.book(TEN))
    assert str(slow.staff_id) not in {one["clinician_id"] for one in found}


@pytest.mark.parametrize("changes", ["deactivated_at = now()", "left_on = '2026-03-23'"])
def test_nobody_is_offered_who_is_not_there(desk: FrontDesk, changes: str) -> None:
    leaving = desk.add_clinician()
    desk.write(f"update staff set {changes} where id = :id", id=leaving.staff_id)
    tuesday = TEN + DAY
    desk.booked(tuesday, client_id=make_client(desk.practice))
    found = book_each(desk, desk.book(tuesday))
    assert str(leaving.staff_id) not in {one["clinician_id"] for one in found}


def test_with_somebody_who_has_left_the_others_are_offered(desk: FrontDesk) -> None:
    other = desk.add_clinician()
    desk.write("update staff set left_on = :on where id = :id", id=desk.clinician.staff_id, on=date(2026, 3, 20))
    desk.booked(TEN, clinician_id=other.staff_id, client_id=make_client(desk.practice), room_id=desk.room)
    found = offered(desk.book(TEN - 30 * MINUTE, room_id=desk.room))
    assert all(
        at(one["starts_at"]) < datetime(2026, 3, 21, tzinfo=TEN.tzinfo) or one["clinician_id"] == str(other.staff_id)
        for one in found
    )


def test_where_time_is_not_the_matter_nothing_is_offered(desk: FrontDesk) -> None:
    client = make_client(desk.practice, ended_on=date(2026, 3, 1))
    error = refused(desk.book(TEN, client_id=client), "CLIENT_NOT_ACTIVE")
    assert error["details"]["alternatives"] == []


def test_a_full_group_leads_to_other_times(desk: FrontDesk) -> None:
    make_service(desk.practice, "GROUP", kind="GROUP", capacity=1)
    first = desk.booked(TEN, service_code="GROUP", client_id=make_client(desk.practice))
    answer = desk.book(TEN, group_session_id=first["group_session_id"], service_code="GROUP", clinician_id=None)
    refused(answer, "GROUP_FULL")
    book_each(desk, answer, service_code="GROUP")
