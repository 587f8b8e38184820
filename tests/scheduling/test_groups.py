"""Group sessions: one booking of clinician and room, with a seat for each client."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.scheduling.models.appointments import GroupSession
from practice.store.ids import new_id
from tests.support.builders.schedule import make_appointment, make_client, make_room, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, at, refused, wall

TEN = wall(MONDAY, 10)


class Group:
    def __init__(self, booking_api: BookingApi, seats: int | None = 3, room_seats: int = 8) -> None:
        self.booking_api = booking_api
        make_service(booking_api.practice, "GROUP", kind="GROUP", capacity=seats, minutes=90)
        self.room = make_room(booking_api.practice, capacity=room_seats)
        self.first = booking_api.booked(
            TEN, client_id=make_client(booking_api.practice), service_code="GROUP", room_id=self.room
        )
        self.id = self.first["group_session_id"]

    def seat(self, client_id: UUID | None = None, by: Any = None, **more: Any) -> Any:
        whom = None if by else client_id or make_client(self.booking_api.practice)
        about = {"client_id": whom, "service_code": "GROUP", "group_session_id": self.id} | more
        return self.booking_api.post("/appointments", by, **{n: v for n, v in about.items() if v is not None})


def test_a_group_service_opens_a_group_and_others_take_seats_in_it(booking_api: BookingApi) -> None:
    group = Group(booking_api)
    assert (group.first["type"], at(group.first["ends_at"])) == ("GROUP_THERAPY", TEN + 90 * MINUTE)
    answer = group.seat()
    assert answer.status_code == 201
    seat = answer.json()["appointment"]
    for name in ("group_session_id", "clinician_id", "room_id", "starts_at", "ends_at"):
        assert seat[name] == group.first[name]
    assert seat["reference"] != group.first["reference"]
    assert [kind for kind, _, _ in sorted(booking_api.occupied())] == ["client", "client", "clinician", "room"]


@pytest.mark.parametrize(("seats", "room_seats", "least"), [(2, 8, 2), (5, 3, 3), (None, 2, 2)])
def test_a_group_has_as_many_seats_as_the_service_and_the_room_allow(
    booking_api: BookingApi, seats: int | None, room_seats: int, least: int
) -> None:
    group = Group(booking_api, seats, room_seats)
    for _ in range(least - 1):
        assert group.seat().status_code == 201
    answer = group.seat()
    refused(answer, "GROUP_FULL")
    about = {"service_code": "GROUP", "group_session_id": group.id, "client_id": make_client(booking_api.practice)}
    [problem] = booking_api.post("/appointments/preview", **about).json()["problems"]
    assert problem["code"] == "GROUP_FULL"
    booking_api.done(group.first, "cancel", reason="Ill")
    assert group.seat().status_code == 201  # the seat that was given up


def test_a_full_group_is_said_together_with_everything_else(booking_api: BookingApi) -> None:
    group = Group(booking_api, 1)
    client = make_client(booking_api.practice, ended_on=MONDAY)
    error = refused(group.seat(client), "GROUP_FULL")
    assert {problem["code"] for problem in error["details"]["problems"]} == {"GROUP_FULL", "CLIENT_NOT_ACTIVE"}


def test_nobody_sits_on_two_chairs_or_in_two_places(booking_api: BookingApi) -> None:
    group = Group(booking_api)
    refused(group.seat(UUID(group.first["client_id"])), "SLOT_TAKEN")
    booking_api.booked(TEN + 30 * MINUTE, clinician_id=booking_api.add_clinician().staff_id)
    refused(group.seat(booking_api.client), "SLOT_TAKEN")


def test_a_group_takes_its_clinician_and_its_room(booking_api: BookingApi) -> None:
    group = Group(booking_api)
    refused(booking_api.book(TEN + HOUR), "SLOT_TAKEN")
    other = booking_api.add_clinician().staff_id
    refused(booking_api.book(TEN + HOUR, clinician_id=other, room_id=group.room), "SLOT_TAKEN")


def test_the_last_seat_that_is_given_up_frees_clinician_and_room(booking_api: BookingApi) -> None:
    group = Group(booking_api)
    second = group.seat().json()["appointment"]
    booking_api.done(group.first, "cancel", reason="Ill")
    refused(booking_api.book(TEN, room_id=group.room), "SLOT_TAKEN")
    booking_api.done(second, "cancel", reason="Ill")
    assert booking_api.occupied() == set()
    assert booking_api.book(TEN, room_id=group.room).status_code == 201
    refused(group.seat(), "SLOT_TAKEN")  # the group cannot come back now


def test_a_group_that_everybody_left_can_fill_again(booking_api: BookingApi) -> None:
    group = Group(booking_api)
    booking_api.done(group.first, "cancel", reason="Ill")
    assert group.seat().status_code == 201
    refused(booking_api.book(TEN), "SLOT_TAKEN")


def test_a_seat_has_what_its_group_has(booking_api: BookingApi) -> None:
    group = Group(booking_api)
    assert group.seat(starts_at=TEN, clinician_id=booking_api.clinician.staff_id, room_id=group.room).status_code == 201
    for more in ({"starts_at": TEN + HOUR}, {"clinician_id": new_id()}, {"room_id": booking_api.room}):
        assert "group" in refused(group.seat(**more), "VALIDATION_ERROR", 422)["message"]
    assert "another service" in refused(group.seat(service_code="TALK"), "NOT_BOOKABLE")["message"]
    assert "in a room" in refused(group.seat(telehealth=True), "NOT_BOOKABLE")["message"]
    missing = refused(group.seat(group_session_id=new_id()), "VALIDATION_ERROR", 422)
    assert "`group_session_id`" in missing["message"]


def test_seats_are_neither_moved_nor_put_elsewhere(booking_api: BookingApi) -> None:
    group = Group(booking_api)
    refused(booking_api.step(group.first, "reschedule", starts_at=TEN + DAY), "NOT_BOOKABLE")
    refused(
        booking_api.patch(f"/appointments/{group.first['id']}", 1, room_id=booking_api.room), "VALIDATION_ERROR", 422
    )
    changed = booking_api.patch(f"/appointments/{group.first['id']}", 1, special_requests="Near the door")
    assert changed.json()["special_requests"] == "Near the door"
    series = booking_api.wanted(TEN + DAY, service_code="GROUP", rule="FREQ=WEEKLY;COUNT=2")
    assert (
        "one by one" in refused(booking_api.post("/appointments/series", **series), "VALIDATION_ERROR", 422)["message"]
    )


def test_each_seat_lives_by_itself(booking_api: BookingApi) -> None:
    group = Group(booking_api)
    second, third = group.seat().json()["appointment"], group.seat().json()["appointment"]
    booking_api.now = TEN + 2 * HOUR
    booking_api.done(group.first, "complete")
    booking_api.done(second, "no-show")
    booking_api.done(third, "cancel", reason="Left early")
    assert {kind for kind, _, _ in booking_api.occupied()} == {"clinician", "room", "client"}
    refused(booking_api.book(TEN), "SLOT_TAKEN")


def test_a_client_takes_a_seat_for_themselves(booking_api: BookingApi) -> None:
    group, me = Group(booking_api), booking_api.portal()
    seat = group.seat(by=me).json()["appointment"]
    assert (seat["client_id"], seat["booked_via"]) == (str(me.staff_id), "PORTAL")


# Groups of the past, as an import brings them


class PastGroup:
    def __init__(self, booking_api: BookingApi) -> None:
        self.service = make_service(booking_api.practice, "GROUP", kind="GROUP")
        self.start = wall(booking_api.now.date() - 7 * DAY, 10)
        self.clients = [make_client(booking_api.practice) for _ in range(2)]
        about = {
            "clinician_id": booking_api.clinician.staff_id,
            "service_id": self.service,
            "room_id": booking_api.room,
        }
        group = GroupSession(id=new_id(), starts_at=self.start, ends_at=self.start + HOUR, **about)
        put(booking_api.practice, group)
        self.id = group.id
        past = {"guarded": False, "status": "COMPLETED", "status_at": booking_api.now, "room_id": booking_api.room}
        self.seats = [
            make_appointment(
                booking_api.practice,
                booking_api.clinician,
                client,
                self.service,
                self.start,
                group_session_id=self.id,
                **past,
            )
            for client in self.clients
        ]


def test_a_seat_is_added_to_a_group_that_came_with_an_import(booking_api: BookingApi) -> None:
    past = PastGroup(booking_api)
    seat = {"service_code": "GROUP", "group_session_id": past.id}
    answer = booking_api.post("/appointments", client_id=booking_api.client, **seat)
    assert answer.status_code == 201, answer.text
    assert at(answer.json()["appointment"]["starts_at"]) == past.start
    refused(booking_api.post("/appointments", client_id=past.clients[0], **seat), "SLOT_TAKEN")
    refused(
        booking_api.book(past.start + timedelta(minutes=30), client_id=make_client(booking_api.practice)), "SLOT_TAKEN"
    )
    booking_api.done(answer.json()["appointment"], "cancel", reason="By mistake")
    assert booking_api.occupied() == set()  # of the others nothing is kept
    refused(booking_api.book(past.start, client_id=make_client(booking_api.practice)), "SLOT_TAKEN")


@pytest.mark.parametrize("minutes", [60, 120])
def test_a_seat_is_as_long_as_its_group_whatever_the_service_is_now(booking_api: BookingApi, minutes: int) -> None:
    group = Group(booking_api)
    booking_api.write("update services set minutes = :minutes where code = 'GROUP'", minutes=minutes)
    about = {"service_code": "GROUP", "group_session_id": group.id, "client_id": make_client(booking_api.practice)}
    preview = booking_api.post("/appointments/preview", **about).json()
    assert (preview["problems"], preview["cost"]["minutes"]) == ([], 90)
    answer = group.seat()
    assert answer.status_code == 201, answer.text
    assert at(answer.json()["appointment"]["ends_at"]) == TEN + 90 * MINUTE
