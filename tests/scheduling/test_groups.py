"""Group sessions: one booking of clinician and room, with a seat for each client."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from practice.scheduling.models.appointments import GroupSession
from practice.store.ids import new_id
from tests.support.builders.schedule import make_appointment, make_client, make_room, make_service, put
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, assert_error, local, parse_instant

TEN = local(MONDAY, 10)


class GroupScenario:
    def __init__(self, booking_api: BookingApi, seats: int | None = 3, room_seats: int = 8) -> None:
        self.booking_api = booking_api
        make_service(booking_api.practice, "GROUP", kind="GROUP", capacity=seats, minutes=90)
        self.room = make_room(booking_api.practice, capacity=room_seats)
        self.first = booking_api.book_appointment(
            TEN, client_id=make_client(booking_api.practice), service_code="GROUP", room_id=self.room
        )
        self.id = self.first["group_session_id"]

    def book_seat(self, client_id: UUID | None = None, by: Any = None, **fields: Any) -> Any:
        client = None if by else client_id or make_client(self.booking_api.practice)
        body = {"client_id": client, "service_code": "GROUP", "group_session_id": self.id} | fields
        return self.booking_api.post(
            "/appointments", by, **{name: value for name, value in body.items() if value is not None}
        )


def test_a_group_service_opens_a_group_and_others_take_seats_in_it(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api)
    assert (group.first["type"], parse_instant(group.first["ends_at"])) == ("GROUP_THERAPY", TEN + 90 * MINUTE)
    response = group.book_seat()
    assert response.status_code == 201
    seat = response.json()["appointment"]
    for name in ("group_session_id", "clinician_id", "room_id", "starts_at", "ends_at"):
        assert seat[name] == group.first[name]
    assert seat["reference"] != group.first["reference"]
    assert [kind for kind, _, _ in sorted(booking_api.list_occupancies())] == ["client", "client", "clinician", "room"]


@pytest.mark.parametrize(("seats", "room_seats", "least"), [(2, 8, 2), (5, 3, 3), (None, 2, 2)])
def test_a_group_has_as_many_seats_as_the_service_and_the_room_allow(
    booking_api: BookingApi, seats: int | None, room_seats: int, least: int
) -> None:
    group = GroupScenario(booking_api, seats, room_seats)
    for _ in range(least - 1):
        assert group.book_seat().status_code == 201
    response = group.book_seat()
    assert_error(response, "GROUP_FULL")
    body = {"service_code": "GROUP", "group_session_id": group.id, "client_id": make_client(booking_api.practice)}
    [problem] = booking_api.post("/appointments/preview", **body).json()["problems"]
    assert problem["code"] == "GROUP_FULL"
    booking_api.take_step(group.first, "cancel", reason="Ill")
    assert group.book_seat().status_code == 201  # the seat that was given up


def test_a_full_group_is_reported_with_the_other_problems(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api, 1)
    client = make_client(booking_api.practice, ended_on=MONDAY)
    error = assert_error(group.book_seat(client), "GROUP_FULL")
    assert {problem["code"] for problem in error["details"]["problems"]} == {"GROUP_FULL", "CLIENT_NOT_ACTIVE"}


def test_a_client_has_one_seat_and_one_place_at_a_time(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api)
    assert_error(group.book_seat(UUID(group.first["client_id"])), "SLOT_TAKEN")
    booking_api.book_appointment(TEN + 30 * MINUTE, clinician_id=booking_api.add_clinician().staff_id)
    assert_error(group.book_seat(booking_api.client), "SLOT_TAKEN")


def test_a_group_takes_its_clinician_and_its_room(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api)
    assert_error(booking_api.book(TEN + HOUR), "SLOT_TAKEN")
    other = booking_api.add_clinician().staff_id
    assert_error(booking_api.book(TEN + HOUR, clinician_id=other, room_id=group.room), "SLOT_TAKEN")


def test_cancelling_the_last_seat_frees_clinician_and_room(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api)
    second = group.book_seat().json()["appointment"]
    booking_api.take_step(group.first, "cancel", reason="Ill")
    assert_error(booking_api.book(TEN, room_id=group.room), "SLOT_TAKEN")
    booking_api.take_step(second, "cancel", reason="Ill")
    assert booking_api.list_occupancies() == set()
    assert booking_api.book(TEN, room_id=group.room).status_code == 201
    assert_error(group.book_seat(), "SLOT_TAKEN")  # the group cannot come back now


def test_an_empty_group_can_fill_again(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api)
    booking_api.take_step(group.first, "cancel", reason="Ill")
    assert group.book_seat().status_code == 201
    assert_error(booking_api.book(TEN), "SLOT_TAKEN")


def test_a_seat_has_the_values_of_its_group(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api)
    assert (
        group.book_seat(starts_at=TEN, clinician_id=booking_api.clinician.staff_id, room_id=group.room).status_code
        == 201
    )
    for fields in ({"starts_at": TEN + HOUR}, {"clinician_id": new_id()}, {"room_id": booking_api.room}):
        assert "group" in assert_error(group.book_seat(**fields), "VALIDATION_ERROR", 422)["message"]
    assert "another service" in assert_error(group.book_seat(service_code="TALK"), "NOT_BOOKABLE")["message"]
    assert "in a room" in assert_error(group.book_seat(telehealth=True), "NOT_BOOKABLE")["message"]
    missing = assert_error(group.book_seat(group_session_id=new_id()), "VALIDATION_ERROR", 422)
    assert "`group_session_id`" in missing["message"]


def test_seats_keep_their_time_and_room(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api)
    assert_error(booking_api.post_step(group.first, "reschedule", starts_at=TEN + DAY), "NOT_BOOKABLE")
    assert_error(
        booking_api.patch(f"/appointments/{group.first['id']}", 1, room_id=booking_api.room), "VALIDATION_ERROR", 422
    )
    changed = booking_api.patch(f"/appointments/{group.first['id']}", 1, special_requests="Near the door")
    assert changed.json()["special_requests"] == "Near the door"
    series = booking_api.booking_body(TEN + DAY, service_code="GROUP", rule="FREQ=WEEKLY;COUNT=2")
    assert (
        "as a series"
        in assert_error(booking_api.post("/appointments/series", **series), "VALIDATION_ERROR", 422)["message"]
    )


def test_each_seat_has_its_own_lifecycle(booking_api: BookingApi) -> None:
    group = GroupScenario(booking_api)
    second, third = group.book_seat().json()["appointment"], group.book_seat().json()["appointment"]
    booking_api.now = TEN + 2 * HOUR
    booking_api.take_step(group.first, "complete")
    booking_api.take_step(second, "no-show")
    booking_api.take_step(third, "cancel", reason="Left early")
    assert {kind for kind, _, _ in booking_api.list_occupancies()} == {"clinician", "room", "client"}
    assert_error(booking_api.book(TEN), "SLOT_TAKEN")


def test_a_client_takes_a_seat_for_themselves(booking_api: BookingApi) -> None:
    group, me = GroupScenario(booking_api), booking_api.add_portal_client()
    seat = group.book_seat(by=me).json()["appointment"]
    assert (seat["client_id"], seat["booked_via"]) == (str(me.staff_id), "PORTAL")


# Imported groups


class PastGroupScenario:
    def __init__(self, booking_api: BookingApi) -> None:
        self.service = make_service(booking_api.practice, "GROUP", kind="GROUP")
        self.start = local(booking_api.now.date() - 7 * DAY, 10)
        self.clients = [make_client(booking_api.practice) for _ in range(2)]
        fields = {
            "clinician_id": booking_api.clinician.staff_id,
            "service_id": self.service,
            "room_id": booking_api.room,
        }
        group = GroupSession(id=new_id(), starts_at=self.start, ends_at=self.start + HOUR, **fields)
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


def test_a_seat_is_added_to_an_imported_group(booking_api: BookingApi) -> None:
    past = PastGroupScenario(booking_api)
    seat = {"service_code": "GROUP", "group_session_id": past.id}
    response = booking_api.post("/appointments", client_id=booking_api.client, **seat)
    assert response.status_code == 201, response.text
    assert parse_instant(response.json()["appointment"]["starts_at"]) == past.start
    assert_error(booking_api.post("/appointments", client_id=past.clients[0], **seat), "SLOT_TAKEN")
    assert_error(
        booking_api.book(past.start + timedelta(minutes=30), client_id=make_client(booking_api.practice)), "SLOT_TAKEN"
    )
    booking_api.take_step(response.json()["appointment"], "cancel", reason="By mistake")
    assert booking_api.list_occupancies() == set()  # imported seats have no occupancies
    assert_error(booking_api.book(past.start, client_id=make_client(booking_api.practice)), "SLOT_TAKEN")


@pytest.mark.parametrize("minutes", [60, 120])
def test_a_seat_is_as_long_as_its_group_even_if_the_service_changed(booking_api: BookingApi, minutes: int) -> None:
    group = GroupScenario(booking_api)
    booking_api.write("update services set minutes = :minutes where code = 'GROUP'", minutes=minutes)
    body = {"service_code": "GROUP", "group_session_id": group.id, "client_id": make_client(booking_api.practice)}
    preview = booking_api.post("/appointments/preview", **body).json()
    assert (preview["problems"], preview["cost"]["minutes"]) == ([], 90)
    response = group.book_seat()
    assert response.status_code == 201, response.text
    assert parse_instant(response.json()["appointment"]["ends_at"]) == TEN + 90 * MINUTE


@pytest.mark.parametrize("change", ["closure", "exception"])
def test_no_seat_is_booked_where_the_hours_have_ended(booking_api: BookingApi, change: str) -> None:
    group = GroupScenario(booking_api)
    path, body = {
        "closure": ("/closures", {"closed_on": MONDAY, "reason": "Flood"}),
        "exception": (
            f"/clinicians/{booking_api.clinician.staff_id}/exceptions",
            {"on_date": MONDAY, "available": False},
        ),
    }[change]
    assert booking_api.post(path, booking_api.practice.admin, **body).status_code == 201
    assert_error(group.book_seat(), "OUTSIDE_HOURS")
    assert_error(group.book_seat(by=booking_api.add_portal_client()), "OUTSIDE_HOURS")
