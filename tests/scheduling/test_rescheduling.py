"""Moving an appointment: the new one and the old one's end in one step, or nothing."""

from datetime import date
from typing import Any

import pytest

from tests.support.builders.schedule import make_client, make_room
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, FrontDesk, at, problems_of, refused, wall

TEN = wall(MONDAY, 10)
WEEK = 7 * DAY


def move(desk: FrontDesk, appointment: Any, start: Any, **more: Any) -> list[dict[str, Any]]:
    return desk.done(appointment, "reschedule", starts_at=start, **more)["items"]


def test_a_move_makes_the_new_appointment_and_closes_the_old_one(desk: FrontDesk) -> None:
    old = desk.booked(
        TEN, room_id=desk.room, telehealth=True, type="FOLLOW_UP", special_requests="Quiet", instructions="Ring twice"
    )
    assert old["telehealth"]
    desk.done(old, "confirm")
    [new] = move(desk, old, TEN + DAY)
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
    closed = desk.read(old)
    assert (closed["status"], closed["rescheduled_to_id"]) == ("RESCHEDULED", new["id"])
    assert at(closed["starts_at"]) == TEN
    assert at(closed["status_at"]) == desk.now
    assert {start for _, _, start in desk.occupied()} == {TEN + DAY}
    assert desk.book(TEN, room_id=desk.room).status_code == 201


def test_to_another_room_or_clinician_or_none(desk: FrontDesk) -> None:
    other, room = desk.add_clinician(), make_room(desk.practice)
    old = desk.booked(TEN, room_id=desk.room)
    [there] = move(desk, old, TEN, room_id=room)
    assert there["room_id"] == str(room)
    [theirs] = move(desk, there, TEN + HOUR, clinician_id=other.staff_id)
    assert (theirs["clinician_id"], theirs["room_id"]) == (str(other.staff_id), str(room))
    [nowhere] = move(desk, theirs, TEN + HOUR, room_id=None)
    assert nowhere["room_id"] is None
    refused(desk.step(nowhere, "reschedule", starts_at=TEN, clinician_id=None), "VALIDATION_ERROR", 422)


@pytest.mark.parametrize("by", [30 * MINUTE, -30 * MINUTE, 0 * MINUTE])
def test_to_a_time_that_overlaps_its_own(desk: FrontDesk, by: Any) -> None:
    old = desk.booked(TEN, room_id=desk.room)
    [new] = move(desk, old, TEN + by)
    assert at(new["starts_at"]) == TEN + by


def test_a_move_that_cannot_be_leaves_everything_as_it_was(desk: FrontDesk) -> None:
    desk.booked(TEN + HOUR, client_id=make_client(desk.practice), room_id=desk.room)
    old = desk.booked(TEN, room_id=desk.room)
    before = (desk.occupied(), desk.count("messages"), desk.count("appointment_steps"), desk.count("appointments"))
    answer = desk.step(old, "reschedule", starts_at=TEN + 30 * MINUTE)
    error = refused(answer, "SLOT_TAKEN")
    assert len(error["details"]["problems"]) == 2
    assert len(error["details"]["alternatives"]) == 5
    desk.close_on(MONDAY + DAY)
    assert problems_of(desk.step(old, "reschedule", starts_at=TEN + DAY)) == {"OUTSIDE_HOURS"}
    nothing = "01890000-0000-7000-8000-000000000000"
    refused(desk.step(old, "reschedule", starts_at=TEN, room_id=nothing), "VALIDATION_ERROR", 422)
    assert desk.read(old) == old
    assert before == (
        desk.occupied(),
        desk.count("messages"),
        desk.count("appointment_steps"),
        desk.count("appointments"),
    )


def test_what_speaks_against_booking_speaks_against_moving(desk: FrontDesk) -> None:
    old = desk.booked(TEN, telehealth=True)
    desk.write("update consents set revoked_at = signed_at + interval '1 day' where client_id = :id", id=desk.client)
    desk.write("update clients set ended_on = '2026-03-24' where id = :id", id=desk.client)
    desk.write("update staff set left_on = '2026-03-24' where id = :id", id=desk.clinician.staff_id)
    assert problems_of(desk.step(old, "reschedule", starts_at=TEN + WEEK)) == {
        *("CLIENT_NOT_ACTIVE", "CONSENT_REVOKED", "CLINICIAN_NOT_ACTIVE")
    }


def test_a_moved_appointment_is_not_moved_again(desk: FrontDesk) -> None:
    old = desk.booked(TEN)
    [new] = move(desk, old, TEN + DAY)
    refused(desk.step(old, "reschedule", starts_at=TEN + 2 * DAY), "WRONG_STATUS")
    refused(desk.step(old, "cancel", reason="Ill"), "WRONG_STATUS")
    [newer] = move(desk, new, TEN)
    assert at(newer["starts_at"]) == TEN


# Series


@pytest.fixture
def series(desk: FrontDesk) -> list[dict[str, Any]]:
    wanted = desk.wanted(TEN, rule="FREQ=WEEKLY;COUNT=5", room_id=desk.room)
    answer = desk.post("/appointments/series", **wanted)
    assert answer.status_code == 201, answer.text
    return [desk.get(f"/appointments/{one['appointment_id']}").json() for one in answer.json()["occurrences"]]


def starts(desk: FrontDesk, status: str = "SCHEDULED") -> list[Any]:
    found = desk.get("/appointments", status=status, limit=100).json()["items"]
    return [at(one["starts_at"]) for one in found]


@pytest.mark.parametrize(("which", "moved"), [("one", [2]), ("following", [2, 3, 4]), ("all", [0, 1, 2, 3, 4])])
def test_one_of_a_series_or_it_and_what_follows_or_all(
    desk: FrontDesk, series: list[dict[str, Any]], which: str, moved: list[int]
) -> None:
    news = move(desk, series[2], TEN + 2 * WEEK + 3 * HOUR, which=which)
    assert [at(new["starts_at"]) for new in news] == [TEN + number * WEEK + 3 * HOUR for number in moved]
    assert {new["series_id"] for new in news} == {series[0]["series_id"]}
    assert starts(desk) == sorted(TEN + n * WEEK + (3 * HOUR if n in moved else 0 * HOUR) for n in range(5))
    for number, old in enumerate(series):
        assert (desk.read(old)["rescheduled_to_id"] is not None) is (number in moved)


def test_a_series_moves_by_days_and_by_the_clock_on_the_wall(desk: FrontDesk) -> None:
    october = date(2026, 10, 21)  # a Wednesday; the clock changes on 1 November
    answer = desk.post("/appointments/series", **desk.wanted(wall(october, 17), rule="FREQ=WEEKLY;COUNT=4"))
    first = answer.json()["occurrences"][0]["appointment_id"]
    news = move(desk, first, wall(october + DAY, 9, 30), which="all")
    assert [at(new["starts_at"]) for new in news] == [wall(october + DAY + n * WEEK, 9, 30) for n in range(4)]
    over_the_change = move(desk, news[0], wall(october + DAY + 2 * WEEK, 9, 30), which="all")
    assert [at(new["starts_at"]) for new in over_the_change] == [
        wall(october + DAY + n * WEEK, 9, 30) for n in range(2, 6)
    ]


def test_a_series_moves_onto_its_own_times(desk: FrontDesk, series: list[dict[str, Any]]) -> None:
    news = move(desk, series[0], TEN + WEEK, which="all")
    assert [at(new["starts_at"]) for new in news] == [TEN + n * WEEK for n in range(1, 6)]
    assert len(move(desk, news[0], TEN + WEEK + 30 * MINUTE, which="following")) == 5


def test_a_series_moves_as_a_whole_or_not_at_all(desk: FrontDesk, series: list[dict[str, Any]]) -> None:
    desk.booked(TEN + 3 * WEEK + HOUR, client_id=make_client(desk.practice))
    before = starts(desk)
    refused(desk.step(series[0], "reschedule", starts_at=TEN + HOUR, which="all"), "SLOT_TAKEN")
    assert starts(desk) == before
    assert len(move(desk, series[4], TEN + 4 * WEEK + HOUR, which="following")) == 1
    refused(desk.step(series[2], "reschedule", starts_at=TEN + 2 * WEEK + HOUR, which="following"), "SLOT_TAKEN")


def test_what_is_over_stays_where_it_was(desk: FrontDesk, series: list[dict[str, Any]]) -> None:
    desk.now = TEN + WEEK
    desk.done(series[0], "complete")
    desk.done(series[3], "cancel", reason="Holidays")
    news = move(desk, series[2], TEN + 2 * WEEK + HOUR, which="all")
    assert [at(new["starts_at"]) for new in news] == [TEN + n * WEEK + HOUR for n in (1, 2, 4)]
    assert desk.read(series[0])["status"] == "COMPLETED"
    refused(desk.step(series[0], "reschedule", starts_at=TEN + HOUR, which="all"), "WRONG_STATUS")


def test_each_of_a_series_keeps_what_is_its_own(desk: FrontDesk, series: list[dict[str, Any]]) -> None:
    room = make_room(desk.practice)
    desk.patch(f"/appointments/{series[1]['id']}", 1, room_id=room, special_requests="Only this time")
    desk.patch(f"/appointments/{series[2]['id']}", 1, telehealth=True, room_id=None)
    [elsewhere] = move(desk, series[3], TEN + 3 * WEEK, clinician_id=desk.add_clinician().staff_id)
    news = move(desk, series[0], TEN + HOUR, which="all")
    assert [at(new["starts_at"]) for new in news] == [TEN + n * WEEK + HOUR for n in range(5)]
    assert [new["room_id"] for new in news] == [str(desk.room), str(room), None, *[str(desk.room)] * 2]
    assert [new["telehealth"] for new in news] == [False, False, True, False, False]
    assert [new["special_requests"] for new in news] == [None, "Only this time", None, None, None]
    assert news[3]["clinician_id"] == elsewhere["clinician_id"] != news[0]["clinician_id"]
    everywhere = move(desk, news[0], TEN, which="all", room_id=desk.room)
    assert {new["room_id"] for new in everywhere} == {str(desk.room)}


@pytest.mark.parametrize(("which", "left"), [("one", [0, 1, 3, 4]), ("following", [0, 1]), ("all", [])])
def test_of_a_series_one_is_cancelled_or_what_follows_or_all(
    desk: FrontDesk, series: list[dict[str, Any]], which: str, left: list[int]
) -> None:
    cancelled = desk.done(series[2], "cancel", reason="Moved away", which=which)["items"]
    assert len(cancelled) == 5 - len(left)
    assert {one["cancellation_reason"] for one in cancelled} == {"Moved away"}
    assert starts(desk) == [TEN + number * WEEK for number in left]
    assert len(desk.occupied()) == 3 * len(left)


def test_a_clinician_cancels_of_a_series_what_is_theirs(desk: FrontDesk, series: list[dict[str, Any]]) -> None:
    [theirs] = move(desk, series[1], TEN + WEEK, clinician_id=desk.add_clinician().staff_id)
    mine = desk.done(series[0], "cancel", desk.clinician, reason="I am leaving", which="all")["items"]
    assert len(mine) == 4
    assert starts(desk) == [TEN + WEEK]
    refused(desk.step(theirs, "cancel", desk.clinician, reason="I am leaving", which="all"), "NOT_FOUND", 404)


@pytest.mark.parametrize("verb", ["cancel", "reschedule"])
def test_what_has_begun_and_was_never_closed_is_not_to_come(
    desk: FrontDesk, series: list[dict[str, Any]], verb: str
) -> None:
    desk.now = TEN + WEEK + HOUR
    body = {"reason": "Moved away"} if verb == "cancel" else {"starts_at": TEN + 3 * WEEK + HOUR}
    assert len(desk.done(series[3], verb, which="all", **body)["items"]) == 3
    assert [desk.read(one)["status"] for one in series[:2]] == ["SCHEDULED"] * 2


def test_all_that_is_to_come_is_cancelled_from_one_that_is_over(desk: FrontDesk, series: list[dict[str, Any]]) -> None:
    desk.now = TEN + WEEK
    desk.done(series[0], "complete")
    assert len(desk.done(series[0], "cancel", reason="Moved away", which="all")["items"]) == 4
    assert desk.read(series[0])["status"] == "COMPLETED"
    refused(desk.step(series[0], "cancel", reason="Moved away", which="all"), "WRONG_STATUS")
    refused(desk.step(series[0], "cancel", reason="Moved away"), "WRONG_STATUS")
