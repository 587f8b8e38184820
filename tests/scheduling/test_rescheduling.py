"""Rescheduling: the replacement is created and the original closed together, or nothing changes."""

from datetime import date
from typing import Any

import pytest

from tests.support.builders.schedule import make_client, make_room
from tests.support.drivers.booking import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    BookingApi,
    assert_error,
    local,
    parse_instant,
    problem_codes,
)

TEN = local(MONDAY, 10)
WEEK = 7 * DAY


def move(booking_api: BookingApi, appointment: Any, start: Any, **fields: Any) -> list[dict[str, Any]]:
    return booking_api.take_step(appointment, "reschedule", starts_at=start, **fields)["items"]


def test_a_move_makes_the_new_appointment_and_closes_the_old_one(booking_api: BookingApi) -> None:
    old = booking_api.book_appointment(
        TEN,
        room_id=booking_api.room,
        telehealth=True,
        type="FOLLOW_UP",
        special_requests="Quiet",
        instructions="Ring twice",
    )
    assert old["telehealth"]
    booking_api.take_step(old, "confirm")
    [new] = move(booking_api, old, TEN + DAY)
    copied = (
        "client_id",
        "clinician_id",
        "service_code",
        "room_id",
        "telehealth",
        "type",
        "special_requests",
        "instructions",
    )
    assert {name: new[name] for name in copied} == {name: old[name] for name in copied}
    assert (parse_instant(new["starts_at"]), parse_instant(new["ends_at"]), new["status"]) == (
        TEN + DAY,
        TEN + DAY + HOUR,
        "SCHEDULED",
    )
    assert new["reference"] != old["reference"]
    closed = booking_api.read(old)
    assert (closed["status"], closed["rescheduled_to_id"]) == ("RESCHEDULED", new["id"])
    assert parse_instant(closed["starts_at"]) == TEN
    assert parse_instant(closed["status_at"]) == booking_api.now
    assert {start for _, _, start in booking_api.list_occupancies()} == {TEN + DAY}
    assert booking_api.book(TEN, room_id=booking_api.room).status_code == 201


def test_an_appointment_moves_to_another_room_or_clinician_or_no_room(booking_api: BookingApi) -> None:
    other, room = booking_api.add_clinician(), make_room(booking_api.practice)
    old = booking_api.book_appointment(TEN, room_id=booking_api.room)
    [in_room] = move(booking_api, old, TEN, room_id=room)
    assert in_room["room_id"] == str(room)
    [with_other] = move(booking_api, in_room, TEN + HOUR, clinician_id=other.staff_id)
    assert (with_other["clinician_id"], with_other["room_id"]) == (str(other.staff_id), str(room))
    [without_room] = move(booking_api, with_other, TEN + HOUR, room_id=None)
    assert without_room["room_id"] is None
    assert_error(
        booking_api.post_step(without_room, "reschedule", starts_at=TEN, clinician_id=None), "VALIDATION_ERROR", 422
    )


@pytest.mark.parametrize("by", [30 * MINUTE, -30 * MINUTE, 0 * MINUTE])
def test_an_appointment_moves_to_a_time_that_overlaps_its_own(booking_api: BookingApi, by: Any) -> None:
    old = booking_api.book_appointment(TEN, room_id=booking_api.room)
    [new] = move(booking_api, old, TEN + by)
    assert parse_instant(new["starts_at"]) == TEN + by


def test_a_refused_move_changes_nothing(booking_api: BookingApi) -> None:
    booking_api.book_appointment(TEN + HOUR, client_id=make_client(booking_api.practice), room_id=booking_api.room)
    old = booking_api.book_appointment(TEN, room_id=booking_api.room)
    before = (
        booking_api.list_occupancies(),
        booking_api.count("messages"),
        booking_api.count("appointment_steps"),
        booking_api.count("appointments"),
    )
    response = booking_api.post_step(old, "reschedule", starts_at=TEN + 30 * MINUTE)
    error = assert_error(response, "SLOT_TAKEN")
    assert len(error["details"]["problems"]) == 2
    assert len(error["details"]["alternatives"]) == 5
    booking_api.close_on(MONDAY + DAY)
    assert problem_codes(booking_api.post_step(old, "reschedule", starts_at=TEN + DAY)) == {"OUTSIDE_HOURS"}
    nothing = "01890000-0000-7000-8000-000000000000"
    assert_error(booking_api.post_step(old, "reschedule", starts_at=TEN, room_id=nothing), "VALIDATION_ERROR", 422)
    assert booking_api.read(old) == old
    assert before == (
        booking_api.list_occupancies(),
        booking_api.count("messages"),
        booking_api.count("appointment_steps"),
        booking_api.count("appointments"),
    )


def test_booking_rules_apply_to_moves(booking_api: BookingApi) -> None:
    old = booking_api.book_appointment(TEN, telehealth=True)
    booking_api.write(
        "update consents set revoked_at = signed_at + interval '1 day' where client_id = :id", id=booking_api.client
    )
    booking_api.write("update clients set ended_on = '2026-03-24' where id = :id", id=booking_api.client)
    booking_api.write("update staff set left_on = '2026-03-24' where id = :id", id=booking_api.clinician.staff_id)
    assert problem_codes(booking_api.post_step(old, "reschedule", starts_at=TEN + WEEK)) == {
        *("CLIENT_NOT_ACTIVE", "CONSENT_REVOKED", "CLINICIAN_NOT_ACTIVE")
    }


def test_a_moved_appointment_is_not_moved_again(booking_api: BookingApi) -> None:
    old = booking_api.book_appointment(TEN)
    [new] = move(booking_api, old, TEN + DAY)
    assert_error(booking_api.post_step(old, "reschedule", starts_at=TEN + 2 * DAY), "WRONG_STATUS")
    assert_error(booking_api.post_step(old, "cancel", reason="Ill"), "WRONG_STATUS")
    [newer] = move(booking_api, new, TEN)
    assert parse_instant(newer["starts_at"]) == TEN


# Series


@pytest.fixture
def series(booking_api: BookingApi) -> list[dict[str, Any]]:
    body = booking_api.booking_body(TEN, rule="FREQ=WEEKLY;COUNT=5", room_id=booking_api.room)
    response = booking_api.post("/appointments/series", **body)
    assert response.status_code == 201, response.text
    return [
        booking_api.get(f"/appointments/{occurrence['appointment_id']}").json()
        for occurrence in response.json()["occurrences"]
    ]


def starts(booking_api: BookingApi, status: str = "SCHEDULED") -> list[Any]:
    appointments = booking_api.get("/appointments", status=status, limit=100).json()["items"]
    return [parse_instant(appointment["starts_at"]) for appointment in appointments]


@pytest.mark.parametrize(
    ("series_scope", "moved"), [("this", [2]), ("this_and_following", [2, 3, 4]), ("all", [0, 1, 2, 3, 4])]
)
def test_the_series_scope_decides_what_moves(
    booking_api: BookingApi, series: list[dict[str, Any]], series_scope: str, moved: list[int]
) -> None:
    replacements = move(booking_api, series[2], TEN + 2 * WEEK + 3 * HOUR, series_scope=series_scope)
    assert [parse_instant(new["starts_at"]) for new in replacements] == [
        TEN + number * WEEK + 3 * HOUR for number in moved
    ]
    assert {new["series_id"] for new in replacements} == {series[0]["series_id"]}
    assert starts(booking_api) == sorted(TEN + n * WEEK + (3 * HOUR if n in moved else 0 * HOUR) for n in range(5))
    for number, old in enumerate(series):
        assert (booking_api.read(old)["rescheduled_to_id"] is not None) is (number in moved)


def test_a_series_moves_by_days_and_local_time(booking_api: BookingApi) -> None:
    october = date(2026, 10, 21)  # a Wednesday; the clock changes on 1 November
    response = booking_api.post(
        "/appointments/series", **booking_api.booking_body(local(october, 17), rule="FREQ=WEEKLY;COUNT=4")
    )
    first = response.json()["occurrences"][0]["appointment_id"]
    replacements = move(booking_api, first, local(october + DAY, 9, 30), series_scope="all")
    assert [parse_instant(new["starts_at"]) for new in replacements] == [
        local(october + DAY + n * WEEK, 9, 30) for n in range(4)
    ]
    over_the_change = move(booking_api, replacements[0], local(october + DAY + 2 * WEEK, 9, 30), series_scope="all")
    assert [parse_instant(new["starts_at"]) for new in over_the_change] == [
        local(october + DAY + n * WEEK, 9, 30) for n in range(2, 6)
    ]


def test_a_series_moves_onto_its_own_times(booking_api: BookingApi, series: list[dict[str, Any]]) -> None:
    replacements = move(booking_api, series[0], TEN + WEEK, series_scope="all")
    assert [parse_instant(new["starts_at"]) for new in replacements] == [TEN + n * WEEK for n in range(1, 6)]
    assert len(move(booking_api, replacements[0], TEN + WEEK + 30 * MINUTE, series_scope="this_and_following")) == 5


def test_a_series_moves_as_a_whole_or_not_at_all(booking_api: BookingApi, series: list[dict[str, Any]]) -> None:
    booking_api.book_appointment(TEN + 3 * WEEK + HOUR, client_id=make_client(booking_api.practice))
    before = starts(booking_api)
    assert_error(booking_api.post_step(series[0], "reschedule", starts_at=TEN + HOUR, series_scope="all"), "SLOT_TAKEN")
    assert starts(booking_api) == before
    assert len(move(booking_api, series[4], TEN + 4 * WEEK + HOUR, series_scope="this_and_following")) == 1
    assert_error(
        booking_api.post_step(
            series[2], "reschedule", starts_at=TEN + 2 * WEEK + HOUR, series_scope="this_and_following"
        ),
        "SLOT_TAKEN",
    )


def test_past_appointments_of_a_series_stay(booking_api: BookingApi, series: list[dict[str, Any]]) -> None:
    booking_api.now = TEN + WEEK
    booking_api.take_step(series[0], "complete")
    booking_api.take_step(series[3], "cancel", reason="Holidays")
    replacements = move(booking_api, series[2], TEN + 2 * WEEK + HOUR, series_scope="all")
    assert [parse_instant(new["starts_at"]) for new in replacements] == [TEN + n * WEEK + HOUR for n in (1, 2, 4)]
    assert booking_api.read(series[0])["status"] == "COMPLETED"
    assert_error(
        booking_api.post_step(series[0], "reschedule", starts_at=TEN + HOUR, series_scope="all"), "WRONG_STATUS"
    )


def test_each_appointment_of_a_series_keeps_its_own_values(
    booking_api: BookingApi, series: list[dict[str, Any]]
) -> None:
    room = make_room(booking_api.practice)
    booking_api.patch(f"/appointments/{series[1]['id']}", 1, room_id=room, special_requests="Only this time")
    booking_api.patch(f"/appointments/{series[2]['id']}", 1, telehealth=True, room_id=None)
    [with_other] = move(booking_api, series[3], TEN + 3 * WEEK, clinician_id=booking_api.add_clinician().staff_id)
    replacements = move(booking_api, series[0], TEN + HOUR, series_scope="all")
    assert [parse_instant(new["starts_at"]) for new in replacements] == [TEN + n * WEEK + HOUR for n in range(5)]
    assert [new["room_id"] for new in replacements] == [
        str(booking_api.room),
        str(room),
        None,
        *[str(booking_api.room)] * 2,
    ]
    assert [new["telehealth"] for new in replacements] == [False, False, True, False, False]
    assert [new["special_requests"] for new in replacements] == [None, "Only this time", None, None, None]
    assert replacements[3]["clinician_id"] == with_other["clinician_id"] != replacements[0]["clinician_id"]
    in_one_room = move(booking_api, replacements[0], TEN, series_scope="all", room_id=booking_api.room)
    assert {new["room_id"] for new in in_one_room} == {str(booking_api.room)}


@pytest.mark.parametrize(
    ("series_scope", "left"), [("this", [0, 1, 3, 4]), ("this_and_following", [0, 1]), ("all", [])]
)
def test_the_series_scope_decides_what_is_cancelled(
    booking_api: BookingApi, series: list[dict[str, Any]], series_scope: str, left: list[int]
) -> None:
    cancelled = booking_api.take_step(series[2], "cancel", reason="Moved away", series_scope=series_scope)["items"]
    assert len(cancelled) == 5 - len(left)
    assert {appointment["cancellation_reason"] for appointment in cancelled} == {"Moved away"}
    assert starts(booking_api) == [TEN + number * WEEK for number in left]
    assert len(booking_api.list_occupancies()) == 3 * len(left)


def test_a_clinician_cancels_only_their_own_appointments_of_a_series(
    booking_api: BookingApi, series: list[dict[str, Any]]
) -> None:
    [other] = move(booking_api, series[1], TEN + WEEK, clinician_id=booking_api.add_clinician().staff_id)
    own = booking_api.take_step(series[0], "cancel", booking_api.clinician, reason="I am leaving", series_scope="all")[
        "items"
    ]
    assert len(own) == 4
    assert starts(booking_api) == [TEN + WEEK]
    assert_error(
        booking_api.post_step(other, "cancel", booking_api.clinician, reason="I am leaving", series_scope="all"),
        "NOT_FOUND",
        404,
    )


@pytest.mark.parametrize("action", ["cancel", "reschedule"])
def test_past_appointments_without_a_final_status_are_not_upcoming(
    booking_api: BookingApi, series: list[dict[str, Any]], action: str
) -> None:
    booking_api.now = TEN + WEEK + HOUR
    body = {"reason": "Moved away"} if action == "cancel" else {"starts_at": TEN + 3 * WEEK + HOUR}
    assert len(booking_api.take_step(series[3], action, series_scope="all", **body)["items"]) == 3
    assert [booking_api.read(appointment)["status"] for appointment in series[:2]] == ["SCHEDULED"] * 2


def test_all_upcoming_appointments_are_cancelled_from_a_past_one(
    booking_api: BookingApi, series: list[dict[str, Any]]
) -> None:
    booking_api.now = TEN + WEEK
    booking_api.take_step(series[0], "complete")
    assert len(booking_api.take_step(series[0], "cancel", reason="Moved away", series_scope="all")["items"]) == 4
    assert booking_api.read(series[0])["status"] == "COMPLETED"
    assert_error(booking_api.post_step(series[0], "cancel", reason="Moved away", series_scope="all"), "WRONG_STATUS")
    assert_error(booking_api.post_step(series[0], "cancel", reason="Moved away"), "WRONG_STATUS")
