"""Group sessions: one booking of clinician and room, with a seat for each client."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.scheduling.models.appointments import GroupSession
from practice.store.ids import new_id
from tests.support.builders.schedule import make_appointment, make_client, make_room, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, FrontDesk, at, refused, wall

TEN = wall(MONDAY, 10)


class Group:
    def __init__(self, desk: FrontDesk, seats: int | None = 3, room_seats: int = 8) -> None:
        self.desk = desk
        make_service(desk.practice, "GROUP", kind="GROUP", capacity=seats, minutes=90)
        self.room = make_room(desk.practice, capacity=room_seats)
        self.first = desk.booked(TEN, client_id=make_client(desk.practice), service_code="GROUP", room_id=self.room)
        self.id = self.first["group_session_id"]

    def seat(self, client_id: UUID | None = None, by: Any = None, **more: Any) -> Any:
        whom = None if by else client_id or make_client(self.desk.practice)
        about = {"client_id": whom, "service_code": "GROUP", "group_session_id": self.id} | more
        return self.desk.post("/appointments", by, **{n: v for n, v in about.items() if v is not None})


def test_a_group_service_opens_a_group_and_others_take_seats_in_it(desk: FrontDesk) -> None:
    group = Group(desk)
    assert (group.first["type"], at(group.first["ends_at"])) == ("GROUP_THERAPY", TEN + 90 * MINUTE)
    answer = group.seat()
    assert answer.status_code == 201
    seat = answer.json()["appointment"]
    for name in ("group_session_id", "clinician_id", "room_id", "starts_at", "ends_at"):
        assert seat[name] == group.first[name]
    assert seat["reference"] != group.first["reference"]
    assert [kind for kind, _, _ in sorted(desk.occupied())] == ["client", "client", "clinician", "room"]


@pytest.mark.parametrize(("seats", "room_seats", "least"), [(2, 8, 2), (5, 3, 3), (None, 2, 2)])
def test_a_group_has_as_many_seats_as_the_service_and_the_room_allow(
    desk: FrontDesk, seats: int | None, room_seats: int, least: int
) -> None:
    group = Group(desk, seats, room_seats)
    for _ in range(least - 1):
        assert group.seat().status_code == 201
    answer = group.seat()
    refused(answer, "GROUP_FULL")
    about = {"service_code": "GROUP", "group_session_id": group.id, "client_id": make_client(desk.practice)}
    [problem] = desk.post("/appointments/preview", **about).json()["problems"]
    assert problem["code"] == "GROUP_FULL"
    desk.done(group.first, "cancel", reason="Ill")
    assert group.seat().status_code == 201  # the seat that was given up


def test_a_full_group_is_said_together_with_everything_else(desk: FrontDesk) -> None:
    group = Group(desk, 1)
    client = make_client(desk.practice, ended_on=MONDAY)
    error = refused(group.seat(client), "GROUP_FULL")
    assert {problem["code"] for problem in error["details"]["problems"]} == {"GROUP_FULL", "CLIENT_NOT_ACTIVE"}


def test_nobody_sits_on_two_chairs_or_in_two_places(desk: FrontDesk) -> None:
    group = Group(desk)
    refused(group.seat(UUID(group.first["client_id"])), "SLOT_TAKEN")
    desk.booked(TEN + 30 * MINUTE, clinician_id=desk.add_clinician().staff_id)
    refused(group.seat(desk.client), "SLOT_TAKEN")


def test_a_group_takes_its_clinician_and_its_room(desk: FrontDesk) -> None:
    group = Group(desk)
    refused(desk.book(TEN + HOUR), "SLOT_TAKEN")
    other = desk.add_clinician().staff_id
    refused(desk.book(TEN + HOUR, clinician_id=other, room_id=group.room), "SLOT_TAKEN")


def test_the_last_seat_that_is_given_up_frees_clinician_and_room(desk: FrontDesk) -> None:
    group = Group(desk)
    second = group.seat().json()["appointment"]
    desk.done(group.first, "cancel", reason="Ill")
    refused(desk.book(TEN, room_id=group.room), "SLOT_TAKEN")
    desk.done(second, "cancel", reason="Ill")
    assert desk.occupied() == set()
    assert desk.book(TEN, room_id=group.room).status_code == 201
    refused(group.seat(), "SLOT_TAKEN")  # the group cannot come back now


def test_a_group_that_everybody_left_can_fill_again(desk: FrontDesk) -> None:
    group = Group(desk)
    desk.done(group.first, "cancel", reason="Ill")
    assert group.seat().status_code == 201
    refused(desk.book(TEN), "SLOT_TAKEN")


def test_a_seat_has_what_its_group_has(desk: FrontDesk) -> None:
    group = Group(desk)
    assert group.seat(starts_at=TEN, clinician_id=desk.clinician.staff_id, room_id=group.room).status_code == 201
    for more in ({"starts_at": TEN + HOUR}, {"clinician_id": new_id()}, {"room_id": desk.room}):
        assert "group" in refused(group.seat(**more), "VALIDATION_ERROR", 422)["message"]
    assert "another service" in refused(group.seat(service_code="TALK"), "NOT_BOOKABLE")["message"]
    assert "in a room" in refused(group.seat(telehealth=True), "NOT_BOOKABLE")["message"]
    missing = refused(group.seat(group_session_id=new_id()), "VALIDATION_ERROR", 422)
    assert "`group_session_id`" in missing["message"]


def test_seats_are_neither_moved_nor_put_elsewhere(desk: FrontDesk) -> None:
    group = Group(desk)
    refused(desk.step(group.first, "reschedule", starts_at=TEN + DAY), "NOT_BOOKABLE")
    refused(desk.patch(f"/appointments/{group.first['id']}", 1, room_id=desk.room), "VALIDATION_ERROR", 422)
    changed = desk.patch(f"/appointments/{group.first['id']}", 1, special_requests="Near the door")
    assert changed.json()["special_requests"] == "Near the door"
    series = desk.wanted(TEN + DAY, service_code="GROUP", rule="FREQ=WEEKLY;COUNT=2")
    assert "one by one" in refused(desk.post("/appointments/series", **series), "VALIDATION_ERROR", 422)["message"]


def test_each_seat_lives_by_itself(desk: FrontDesk) -> None:
    group = Group(desk)
    second, third = group.seat().json()["appointment"], group.seat().json()["appointment"]
    desk.now = TEN + 2 * HOUR
    desk.done(group.first, "complete")
    desk.done(second, "no-show")
    desk.done(third, "cancel", reason="Left early")
    assert {kind for kind, _, _ in desk.occupied()} == {"clinician", "room", "client"}
    refused(desk.book(TEN), "SLOT_TAKEN")


def test_a_client_takes_a_seat_for_themselves(desk: FrontDesk) -> None:
    group, me = Group(desk), desk.portal()
    seat = group.seat(by=me).json()["appointment"]
    assert (seat["client_id"], seat["booked_via"]) == (str(me.staff_id), "PORTAL")


# Groups of the past, as an import brings them


class PastGroup:
    def __init__(self, desk: FrontDesk) -> None:
        self.service = make_service(desk.practice, "GROUP", kind="GROUP")
        self.start = wall(desk.now.date() - 7 * DAY, 10)
        self.clients = [make_client(desk.practice) for _ in range(2)]
        about = {"clinician_id": desk.clinician.staff_id, "service_id": self.service, "room_id": desk.room}
        group = GroupSession(id=new_id(), starts_at=self.start, ends_at=self.start + HOUR, **about)
        put(desk.practice, group)
        self.id = group.id
        past = {"guarded": False, "status": "COMPLETED", "status_at": desk.now, "room_id": desk.room}
        self.seats = [
            make_appointment(
                desk.practice, desk.clinician, client, self.service, self.start, group_session_id=self.id, **past
            )
            for client in self.clients
        ]


def test_a_seat_is_added_to_a_group_that_came_with_an_import(desk: FrontDesk) -> None:
    past = PastGroup(desk)
    seat = {"service_code": "GROUP", "group_session_id": past.id}
    answer = desk.post("/appointments", client_id=desk.client, **seat)
    assert answer.status_code == 201, answer.text
    assert at(answer.json()["appointment"]["starts_at"]) == past.start
    refused(desk.post("/appointments", client_id=past.clients[0], **seat), "SLOT_TAKEN")
    refused(desk.book(past.start + timedelta(minutes=30), client_id=make_client(desk.practice)), "SLOT_TAKEN")
    desk.done(answer.json()["appointment"], "cancel", reason="By mistake")
    assert desk.occupied() == set()  # of the others nothing is kept
    refused(desk.book(past.start, client_id=make_client(desk.practice)), "SLOT_TAKEN")


@pytest.mark.parametrize("minutes", [60, 120])
def test_a_seat_is_as_long_as_its_group_whatever_the_service_is_now(desk: FrontDesk, minutes: int) -> None:
    group = Group(desk)
    desk.write("update services set minutes = :minutes where code = 'GROUP'", minutes=minutes)
    about = {"service_code": "GROUP", "group_session_id": group.id, "client_id": make_client(desk.practice)}
    preview = desk.post("/appointments/preview", **about).json()
    assert (preview["problems"], preview["cost"]["minutes"]) == ([], 90)
    answer = group.seat()
    assert answer.status_code == 201, answer.text
    assert at(answer.json()["appointment"]["ends_at"]) == TEN + 90 * MINUTE
