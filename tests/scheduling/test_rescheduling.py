"""Moving an appointment: the new one and the old one's end in one step, or nothing."""

from datetime import date
from typing import Any

import pytest

from tests.support.builders.schedule import make_client, make_room
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, at, problems_of, refused, wall

TEN = wall(MONDAY, 10)
WEEK = 7 * DAY


def move(booking_api: BookingApi, appointment: Any, start: Any, **more: Any) -> list[dict[str, Any]]:
    return booking_api.done(appointment, "reschedule", starts_at=start, **more)["items"]


def test_a_move_makes_the_new_appointment_and_closes_the_old_one(booking_api: BookingApi) -> None:
    old = booking_api.booked(
        TEN,
        room_id=booking_api.room,
        telehealth=True,
        type="FOLLOW_UP",
        special_requests="Quiet",
        instructions="Ring twice",
    )
    assert old["telehealth"]
    booking_api.done(old, "confirm")
    [new] = move(booking_api, old, TEN + DAY)
    kept = (
        "client_id",
        "clinician_id",
        "service_code",
        "room_id",
        "telehealth",
        "type",
        "special_requests",
        "instructions",
    )
    assert {name: new[name] for name in kept} == {name: old[name] for name in kept}
    assert (at(new["starts_at"]), at(new["ends_at"]), new["status"]) == (TEN + DAY, TEN + DAY + HOUR, "SCHEDULED")
    assert new["reference"] != old["reference"]
    closed = booking_api.read(old)
    assert (closed["status"], closed["rescheduled_to_id"]) == ("RESCHEDULED", new["id"])
    assert at(closed["starts_at"]) == TEN
    assert at(closed["status_at"]) == booking_api.now
    assert {start for _, _, start in booking_api.occupied()} == {TEN + DAY}
    assert booking_api.book(TEN, room_id=booking_api.room).status_code == 201


def test_to_another_room_or_clinician_or_none(booking_api: BookingApi) -> None:
    other, room = booking_api.add_clinician(), make_room(booking_api.practice)
    old = booking_api.booked(TEN, room_id=booking_api.room)
    [there] = move(booking_api, old, TEN, room_id=room)
    assert there["room_id"] == str(room)
    [theirs] = move(booking_api, there, TEN + HOUR, clinician_id=other.staff_id)
    assert (theirs["clinician_id"], theirs["room_id"]) == (str(other.staff_id), str(room))
    [nowhere] = move(booking_api, theirs, TEN + HOUR, room_id=None)
    assert nowhere["room_id"] is None
    refused(booking_api.step(nowhere, "reschedule", starts_at=TEN, clinician_id=None), "VALIDATION_ERROR", 422)


@pytest.mark.parametrize("by", [30 * MINUTE, -30 * MINUTE, 0 * MINUTE])
def test_to_a_time_that_overlaps_its_own(booking_api: BookingApi, by: Any) -> None:
    old = booking_api.booked(TEN, room_id=booking_api.room)
    [new] = move(booking_api, old, TEN + by)
    assert at(new["starts_at"]) == TEN + by


def test_a_move_that_cannot_be_leaves_everything_as_it_was(booking_api: BookingApi) -> None:
    booking_api.booked(TEN + HOUR, client_id=make_client(booking_api.practice), room_id=booking_api.room)
    old = booking_api.booked(TEN, room_id=booking_api.room)
    before = (
        booking_api.occupied(),
        booking_api.count("messages"),
        booking_api.count("appointment_steps"),
        booking_api.count("appointments"),
    )
    answer = booking_api.step(old, "reschedule", starts_at=TEN + 30 * MINUTE)
    error = refused(answer, "SLOT_TAKEN")
    assert len(error["details"]["problems"]) == 2
    assert len(error["details"]["alternatives"]) == 5
    booking_api.close_on(MONDAY + DAY)
    assert problems_of(booking_api.step(old, "reschedule", starts_at=TEN + DAY)) == {"OUTSIDE_HOURS"}
    nothing = "01890000-0000-7000-8000-000000000000"
    refused(booking_api.step(old, "reschedule", starts_at=TEN, room_id=nothing), "VALIDATION_ERROR", 422)
    assert booking_api.read(old) == old
    assert before == (
        booking_api.occupied(),
        booking_api.count("messages"),
        booking_api.count("appointment_steps"),
        booking_api.count("appointments"),
    )


def test_what_speaks_against_booking_speaks_against_moving(booking_api: BookingApi) -> None:
    old = booking_api.booked(TEN, telehealth=True)
    booking_api.write(
        "update consents set revoked_at = signed_at + interval '1 day' where client_id = :id", id=booking_api.client
    )
    booking_api.write("update clients set ended_on = '2026-03-24' where id = :id", id=booking_api.client)
    booking_api.write("update staff set left_on = '2026-03-24' where id = :id", id=booking_api.clinician.staff_id)
    assert problems_of(booking_api.step(old, "reschedule", starts_at=TEN + WEEK)) == {
        *("CLIENT_NOT_ACTIVE", "CONSENT_REVOKED", "CLINICIAN_NOT_ACTIVE")
    }


def test_a_moved_appointment_is_not_moved_again(booking_api: BookingApi) -> None:
    old = booking_api.booked(TEN)
    [new] = move(booking_api, old, TEN + DAY)
    refused(booking_api.step(old, "reschedule", starts_at=TEN + 2 * DAY), "WRONG_STATUS")
    refused(booking_api.step(old, "cancel", reason="Ill"), "WRONG_STATUS")
    [newer] = move(booking_api, new, TEN)
    assert at(newer["starts_at"]) == TEN


# Series


@pytest.fixture
def series(booking_api: BookingApi) -> list[dict[str, Any]]:
    wanted = booking_api.wanted(TEN, rule="FREQ=WEEKLY;COUNT=5", room_id=booking_api.room)
    answer = booking_api.post("/appointments/series", **wanted)
    assert answer.status_code == 201, answer.text
    return [booking_api.get(f"/appointments/{one['appointment_id']}").json() for one in answer.json()["occurrences"]]


def starts(booking_api: BookingApi, status: str = "SCHEDULED") -> list[Any]:
    found = booking_api.get("/appointments", status=status, limit=100).json()["items"]
    return [at(one["starts_at"]) for one in found]


@pytest.mark.parametrize(("which", "moved"), [("one", [2]), ("following", [2, 3, 4]), ("all", [0, 1, 2, 3, 4])])
def test_one_of_a_series_or_it_and_what_follows_or_all(
    booking_api: BookingApi, series: list[dict[str, Any]], which: str, moved: list[int]
) -> None:
    news = move(booking_api, series[2], TEN + 2 * WEEK + 3 * HOUR, which=which)
    assert [at(new["starts_at"]) for new in news] == [TEN + number * WEEK + 3 * HOUR for number in moved]
    assert {new["series_id"] for new in news} == {series[0]["series_id"]}
    assert starts(booking_api) == sorted(TEN + n * WEEK + (3 * HOUR if n in moved else 0 * HOUR) for n in range(5))
    for number, old in enumerate(series):
        assert (booking_api.read(old)["rescheduled_to_id"] is not None) is (number in moved)


def test_a_series_moves_by_days_and_by_the_clock_on_the_wall(booking_api: BookingApi) -> None:
    october = date(2026, 10, 21)  # a Wednesday; the clock changes on 1 November
    answer = booking_api.post(
        "/appointments/series", **booking_api.wanted(wall(october, 17), rule="FREQ=WEEKLY;COUNT=4")
    )
    first = answer.json()["occurrences"][0]["appointment_id"]
    news = move(booking_api, first, wall(october + DAY, 9, 30), which="all")
    assert [at(new["starts_at"]) for new in news] == [wall(october + DAY + n * WEEK, 9, 30) for n in range(4)]
    over_the_change = move(booking_api, news[0], wall(october + DAY + 2 * WEEK, 9, 30), which="all")
    assert [at(new["starts_at"]) for new in over_the_change] == [
        wall(october + DAY + n * WEEK, 9, 30) for n in range(2, 6)
    ]


def test_a_series_moves_onto_its_own_times(booking_api: BookingApi, series: list[dict[str, Any]]) -> None:
    news = move(booking_api, series[0], TEN + WEEK, which="all")
    assert [at(new["starts_at"]) for new in news] == [TEN + n * WEEK for n in range(1, 6)]
    assert len(move(booking_api, news[0], TEN + WEEK + 30 * MINUTE, which="following")) == 5


def test_a_series_moves_as_a_whole_or_not_at_all(booking_api: BookingApi, series: list[dict[str, Any]]) -> None:
    booking_api.booked(TEN + 3 * WEEK + HOUR, client_id=make_client(booking_api.practice))
    before = starts(booking_api)
    refused(booking_api.step(series[0], "reschedule", starts_at=TEN + HOUR, which="all"), "SLOT_TAKEN")
    assert starts(booking_api) == before
    assert len(move(booking_api, series[4], TEN + 4 * WEEK + HOUR, which="following")) == 1
    refused(booking_api.step(series[2], "reschedule", starts_at=TEN + 2 * WEEK + HOUR, which="following"), "SLOT_TAKEN")


def test_what_is_over_stays_where_it_was(booking_api: BookingApi, series: list[dict[str, Any]]) -> None:
    booking_api.now = TEN + WEEK
    booking_api.done(series[0], "complete")
    booking_api.done(series[3], "cancel", reason="Holidays")
    news = move(booking_api, series[2], TEN + 2 * WEEK + HOUR, which="all")
    assert [at(new["starts_at"]) for new in news] == [TEN + n * WEEK + HOUR for n in (1, 2, 4)]
    assert booking_api.read(series[0])["status"] == "COMPLETED"
    refused(booking_api.step(series[0], "reschedule", starts_at=TEN + HOUR, which="all"), "WRONG_STATUS")


def test_each_of_a_series_keeps_what_is_its_own(booking_api: BookingApi, series: list[dict[str, Any]]) -> None:
    room = make_room(booking_api.practice)
    booking_api.patch(f"/appointments/{series[1]['id']}", 1, room_id=room, special_requests="Only this time")
    booking_api.patch(f"/appointments/{series[2]['id']}", 1, telehealth=True, room_id=None)
    [elsewhere] = move(booking_api, series[3], TEN + 3 * WEEK, clinician_id=booking_api.add_clinician().staff_id)
    news = move(booking_api, series[0], TEN + HOUR, which="all")
    assert [at(new["starts_at"]) for new in news] == [TEN + n * WEEK + HOUR for n in range(5)]
    assert [new["room_id"] for new in news] == [str(booking_api.room), str(room), None, *[str(booking_api.room)] * 2]
    assert [new["telehealth"] for new in news] == [False, False, True, False, False]
    assert [new["special_requests"] for new in news] == [None, "Only this time", None, None, None]
    assert news[3]["clinician_id"] == elsewhere["clinician_id"] != news[0]["clinician_id"]
    everywhere = move(booking_api, news[0], TEN, which="all", room_id=booking_api.room)
    assert {new["room_id"] for new in everywhere} == {str(booking_api.room)}


@pytest.mark.parametrize(("which", "left"), [("one", [0, 1, 3, 4]), ("following", [0, 1]), ("all", [])])
def test_of_a_series_one_is_cancelled_or_what_follows_or_all(
    booking_api: BookingApi, series: list[dict[str, Any]], which: str, left: list[int]
) -> None:
    cancelled = booking_api.done(series[2], "cancel", reason="Moved away", which=which)["items"]
    assert len(cancelled) == 5 - len(left)
    assert {one["cancellation_reason"] for one in cancelled} == {"Moved away"}
    assert starts(booking_api) == [TEN + number * WEEK for number in left]
    assert len(booking_api.occupied()) == 3 * len(left)


def test_a_clinician_cancels_of_a_series_what_is_theirs(booking_api: BookingApi, series: list[dict[str, Any]]) -> None:
    [theirs] = move(booking_api, series[1], TEN + WEEK, clinician_id=booking_api.add_clinician().staff_id)
    mine = booking_api.done(series[0], "cancel", booking_api.clinician, reason="I am leaving", which="all")["items"]
    assert len(mine) == 4
    assert starts(booking_api) == [TEN + WEEK]
    refused(
        booking_api.step(theirs, "cancel", booking_api.clinician, reason="I am leaving", which="all"), "NOT_FOUND", 404
    )


@pytest.mark.parametrize("verb", ["cancel", "reschedule"])
def test_what_has_begun_and_was_never_closed_is_not_to_come(
    booking_api: BookingApi, series: list[dict[str, Any]], verb: str
) -> None:
    booking_api.now = TEN + WEEK + HOUR
    body = {"reason": "Moved away"} if verb == "cancel" else {"starts_at": TEN + 3 * WEEK + HOUR}
    assert len(booking_api.done(series[3], verb, which="all", **body)["items"]) == 3
    assert [booking_api.read(one)["status"] for one in series[:2]] == ["SCHEDULED"] * 2


def test_all_that_is_to_come_is_cancelled_from_one_that_is_over(
    booking_api: BookingApi, series: list[dict[str, Any]]
) -> None:
    booking_api.now = TEN + WEEK
    booking_api.done(series[0], "complete")
    assert len(booking_api.done(series[0], "cancel", reason="Moved away", which="all")["items"]) == 4
    assert booking_api.read(series[0])["status"] == "COMPLETED"
    refused(booking_api.step(series[0], "cancel", reason="Moved away", which="all"), "WRONG_STATUS")
    refused(booking_api.step(series[0], "cancel", reason="Moved away"), "WRONG_STATUS")
