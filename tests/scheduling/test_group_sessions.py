"""Group sessions as a resource: opened empty, joined, listed with free seats, moved and cancelled as one."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from practice.scheduling.appointments.notifications import UNREACHABLE
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
from tests.support.drivers.group_sessions import TEN, Groups

WEEK = 7 * DAY


@pytest.fixture
def groups(booking_api: BookingApi) -> Groups:
    return Groups(booking_api)


def count_seats(group: dict[str, Any]) -> tuple[Any, Any, Any]:
    return group["capacity"], group["taken_seats"], group["free_seats"]


def messages_of(booking_api: BookingApi, kind: str) -> set[str]:
    return {
        str(row.client_id) for row in booking_api.load_rows(f"select client_id from messages where kind = '{kind}'")
    }


# Opening


def test_a_change_names_the_seats_whose_clients_no_message_reaches(booking_api: BookingApi, groups: Groups) -> None:
    group = groups.open()
    groups.join(group)
    unreachable = groups.join(group, make_client(booking_api.practice, email=None, phone=None))
    moved = groups.change(group, "reschedule", starts_at=TEN + DAY).json()
    [new] = [seat for seat in groups.read(moved["items"][0])["seats"] if seat["client_id"] == unreachable["client_id"]]
    cancelled = groups.change(moved["items"][0], "cancel", reason="The clinician is ill").json()
    for answer in (moved, cancelled):
        assert answer["warnings"] == [f"{new['reference']}: {UNREACHABLE[0]}"]


def test_a_group_takes_its_time_before_anybody_has_a_seat(booking_api: BookingApi, groups: Groups) -> None:
    group = groups.open()
    assert (group["status"], group["service_code"], parse_instant(group["ends_at"])) == (
        *("SCHEDULED", "GRIEF"),
        TEN + 90 * MINUTE,
    )
    assert count_seats(group) == (3, 0, 3)
    assert group["clinician_name"].startswith("Robin")
    assert_error(booking_api.book(TEN + HOUR), "SLOT_TAKEN")
    other = booking_api.add_clinician().staff_id
    assert_error(booking_api.book(TEN, clinician_id=other, room_id=groups.room), "SLOT_TAKEN")
    seat = groups.join(group)
    for name in ("clinician_id", "room_id", "starts_at", "ends_at", "service_code"):
        assert seat[name] == group[name]
    booking_api.take_step(seat, "cancel", reason="Ill")
    assert_error(booking_api.book(TEN), "SLOT_TAKEN")  # the group still takes place
    assert count_seats(groups.read(group)) == (3, 0, 3)
    [entry] = booking_api.load_audit_entries("group_session.opened")
    assert str(entry.subject_id) == group["id"]


def test_a_group_is_opened_by_the_rules_of_booking(booking_api: BookingApi, groups: Groups) -> None:
    def try_open(start: datetime = TEN, **fields: Any) -> Any:
        return booking_api.post("/group-sessions", **groups.body(start, **fields))

    assert_error(try_open(service_code="TALK"), "VALIDATION_ERROR", 422)
    assert problem_codes(try_open(local(MONDAY, 22))) == {"OUTSIDE_HOURS"}
    assert problem_codes(try_open(booking_api.now.replace(year=2028, month=4))) == {"OUTSIDE_BOOKING_WINDOW"}
    booking_api.close_on(MONDAY + DAY)
    assert problem_codes(try_open(TEN + DAY)) == {"OUTSIDE_HOURS"}
    booking_api.book_appointment(TEN)
    assert problem_codes(try_open()) == {"SLOT_TAKEN"}
    booking_api.write("update rooms set active = false where id = :id", id=groups.room)
    assert problem_codes(try_open(TEN + 2 * DAY)) == {"ROOM_NOT_USABLE"}
    assert groups.list_groups() == []
    for by in (booking_api.clinician, booking_api.add_portal_client()):
        assert_error(booking_api.post("/group-sessions", by, **groups.body()), "FORBIDDEN", 403)


def test_a_full_group_suggests_others(booking_api: BookingApi, groups: Groups) -> None:
    group, later, full = groups.open(), groups.open(TEN + DAY), groups.open(TEN + 2 * DAY)
    for target in (group, full):
        for _ in range(3):
            groups.join(target)
    assert count_seats(groups.read(group)) == (3, 3, 0)
    error = assert_error(groups.try_join(group), "GROUP_FULL")
    alternative, *times = error["details"]["alternatives"]
    assert {item["group_session_id"] for item in times} == {None}  # when another group could be opened
    assert (alternative["group_session_id"], alternative["starts_at"][:10]) == (later["id"], "2026-03-24")
    assert [item["id"] for item in groups.list_groups(has_free_seats=True)] == [later["id"]]


# Lists


def test_groups_are_filtered_and_each_reads_their_own(booking_api: BookingApi, groups: Groups) -> None:
    other = booking_api.add_clinician()
    first, second = groups.open(), groups.open(TEN + DAY, clinician_id=other.staff_id, room_id=None)
    assert [item["id"] for item in groups.list_groups()] == [first["id"], second["id"]]
    assert [item["id"] for item in groups.list_groups(from_=MONDAY, to=MONDAY)] == [first["id"]]
    assert [item["id"] for item in groups.list_groups(room_id=groups.room, service_code="GRIEF")] == [first["id"]]
    assert groups.list_groups(service_code="TALK") == []
    assert [item["id"] for item in groups.list_groups(other)] == [second["id"]]
    assert [item["id"] for item in groups.list_groups(other, clinician_id="me")] == [second["id"]]
    assert_error(booking_api.get(f"/group-sessions/{first['id']}", other), "NOT_FOUND", 404)
    client = booking_api.client
    groups.join(first, client)
    [seat] = groups.read(first, booking_api.clinician)["seats"]
    assert (seat["client_id"], seat["status"]) == (str(client), "SCHEDULED")
    assert seat["client_name"].startswith("Casey Example")


def test_a_group_of_a_booking_is_listed_while_it_has_a_seat(booking_api: BookingApi, groups: Groups) -> None:
    seat = booking_api.book_appointment(TEN, service_code="GRIEF", room_id=groups.room)
    [group] = groups.list_groups()
    assert (group["id"], count_seats(group)) == (seat["group_session_id"], (3, 1, 2))
    booking_api.take_step(seat, "cancel", reason="Ill")
    assert groups.list_groups() == []
    assert booking_api.book(TEN).status_code == 201


def test_the_calendar_shows_groups_without_seats(booking_api: BookingApi, groups: Groups) -> None:
    group = groups.open()
    [day] = booking_api.get("/appointments/calendar", booking_api.clinician, view="day", on=MONDAY).json()["days"]
    assert [item["id"] for item in day["group_sessions"]] == [group["id"]]
    me = booking_api.add_portal_client()
    [day] = booking_api.get("/appointments/calendar", me, view="day", on=MONDAY).json()["days"]
    assert day["group_sessions"] == []


def test_slots_of_a_group_service_are_seats(booking_api: BookingApi, groups: Groups) -> None:
    group, me = groups.open(), booking_api.add_portal_client()
    for _ in range(2):
        groups.join(group)
    days = {"from_": MONDAY, "to": MONDAY, "service": "GRIEF"}
    own = f"/clinicians/{booking_api.clinician.staff_id}/slots"
    for path in (own, "/slots"):
        [slot] = booking_api.get(path, me, **days).json()["items"]
        assert (slot["group_session_id"], slot["free_seats"]) == (group["id"], 1)
        seats = [item for item in booking_api.get(path, **days).json()["items"] if item["group_session_id"]]
        assert [item["free_seats"] for item in seats] == [1]
    starts = {parse_instant(item["starts_at"]) for item in booking_api.get(own, **days).json()["items"]}
    assert TEN in starts
    assert TEN + 30 * MINUTE not in starts  # the clinician is with the group
    assert TEN + 2 * HOUR in starts  # another group can be opened
    groups.join(group)
    assert booking_api.get(own, me, **days).json()["items"] == []
    taken = booking_api.get(own, **days, include_taken=True).json()["items"]
    [full] = [item for item in taken if item["group_session_id"]]
    assert (full["available"], full["reason"], full["free_seats"]) == (False, "booked", 0)
    other = groups.open(TEN + 4 * HOUR)
    booking_api.book_appointment(TEN + 4 * HOUR, me, clinician_id=booking_api.add_clinician().staff_id)
    assert booking_api.get(own, me, **days).json()["items"] == []  # the client is elsewhere then
    assert other["free_seats"] == 3


# Clients


def test_a_client_joins_a_group_and_opens_none(booking_api: BookingApi, groups: Groups) -> None:
    me, other = booking_api.add_portal_client(), booking_api.add_portal_client()
    group = groups.open()
    groups.join(group, other)
    [listed] = groups.list_groups(me)
    assert (listed["id"], listed["free_seats"]) == (group["id"], 2)
    assert groups.read(group, me)["seats"] == []
    refused = booking_api.book(TEN + DAY, me, service_code="GRIEF")
    assert "call the practice" in assert_error(refused, "NOT_BOOKABLE_ONLINE")["message"]
    seat = groups.join(group, me)
    assert (seat["client_id"], seat["booked_via"], seat["type"]) == (str(me.staff_id), "PORTAL", "GROUP_THERAPY")
    [own] = groups.read(group, me)["seats"]
    assert own["appointment_id"] == seat["id"]
    move = booking_api.post_step(seat, "reschedule", me, starts_at=TEN + DAY)
    assert "call the practice" in assert_error(move, "NOT_BOOKABLE")["message"]
    booking_api.take_step(seat, "cancel", me)
    assert count_seats(groups.read(group)) == (3, 1, 2)


def test_clients_see_only_groups_that_they_can_join(booking_api: BookingApi, groups: Groups) -> None:
    me = booking_api.add_portal_client()
    groups.cancel(groups.open())
    past = groups.open(booking_api.now - DAY)
    joined = groups.open(TEN + DAY)
    groups.join(joined, me)
    booking_api.write("update services set bookable_online = false where code = 'GRIEF'")
    hidden = groups.open(TEN + 2 * DAY)
    assert [group["id"] for group in groups.list_groups(me)] == [joined["id"]]  # their own
    for group in (past, hidden):
        assert_error(booking_api.get(f"/group-sessions/{group['id']}", me), "NOT_FOUND", 404)
    assert_error(groups.try_join(hidden, me), "NOT_BOOKABLE_ONLINE")
    for action, body in (("cancel", {"reason": "Mine"}), ("reschedule", {"starts_at": TEN})):
        assert_error(groups.change(joined, action, me, **body), "FORBIDDEN", 403)


# Cancelling


def test_cancelling_a_group_cancels_all_seats_and_notifies_the_clients(booking_api: BookingApi, groups: Groups) -> None:
    group = groups.open()
    seats = [groups.join(group) for _ in range(2)]
    [cancelled] = groups.cancel(group)
    assert (cancelled["status"], cancelled["cancellation_reason"]) == ("CANCELLED", "The clinician is ill")
    assert count_seats(cancelled) == (3, 0, 0)
    for seat in seats:
        stored = booking_api.read(seat)
        assert (stored["status"], stored["cancellation_reason"]) == ("CANCELLED", "The clinician is ill")
    assert messages_of(booking_api, "CANCELLED") == {seat["client_id"] for seat in seats}
    planned = booking_api.load_rows("select count(*) from messages where kind = 'REMINDER' and status = 'PLANNED'")
    assert planned[0][0] == 0
    assert booking_api.list_occupancies() == set()
    assert booking_api.book(TEN, room_id=groups.room).status_code == 201
    assert "cancelled" in assert_error(groups.try_join(group), "NOT_BOOKABLE")["message"]
    assert_error(groups.change(group, "cancel", reason="Again"), "WRONG_STATUS")
    assert_error(groups.change(group, "reschedule", starts_at=TEN + DAY), "WRONG_STATUS")
    assert len(booking_api.load_audit_entries("group_session.cancelled")) == 1
    assert len(booking_api.load_audit_entries("appointment.cancelled")) == 2


def test_a_group_that_has_begun_is_not_cancelled_as_one(booking_api: BookingApi, groups: Groups) -> None:
    group = groups.open()
    first, second = groups.join(group), groups.join(group)
    booking_api.now = TEN + HOUR
    booking_api.take_step(first, "complete")
    assert_error(groups.change(group, "cancel", reason="Ill"), "WRONG_STATUS")
    assert booking_api.read(second)["status"] == "SCHEDULED"
    assert groups.read(group)["status"] == "SCHEDULED"


# Moving


def test_moving_a_group_moves_all_seats(booking_api: BookingApi, groups: Groups) -> None:
    group, room = groups.open(), make_room(booking_api.practice)
    seats = [groups.join(group), groups.join(group)]
    booking_api.patch(f"/appointments/{seats[0]['id']}", 1, special_requests="Near the door")
    [moved] = groups.move(group, TEN + 30 * MINUTE, room_id=room)  # into its own time
    assert (parse_instant(moved["starts_at"]), moved["room_id"], moved["status"]) == (
        *(TEN + 30 * MINUTE, str(room)),
        "SCHEDULED",
    )
    assert count_seats(moved) == (3, 2, 1)
    old = groups.read(group)
    assert (old["status"], old["rescheduled_to_id"], old["free_seats"]) == ("RESCHEDULED", moved["id"], 0)
    new_seats = {seat["client_id"]: seat for seat in groups.read(moved)["seats"]}
    for seat in seats:
        stored = booking_api.read(seat)
        assert (stored["status"], stored["rescheduled_to_id"]) == (
            "RESCHEDULED",
            new_seats[seat["client_id"]]["appointment_id"],
        )
    first = booking_api.get(f"/appointments/{new_seats[seats[0]['client_id']]['appointment_id']}").json()
    assert (first["special_requests"], first["type"]) == ("Near the door", "GROUP_THERAPY")
    assert messages_of(booking_api, "MOVED") == set(new_seats)
    assert booking_api.book(TEN - HOUR, room_id=groups.room).status_code == 201
    assert_error(booking_api.book(TEN + HOUR), "SLOT_TAKEN")


def test_a_group_moves_with_all_its_seats_or_not_at_all(booking_api: BookingApi, groups: Groups) -> None:
    group = groups.open()
    seats = [groups.join(group) for _ in range(3)]
    elsewhere = {"clinician_id": booking_api.add_clinician().staff_id, "client_id": seats[1]["client_id"]}
    booking_api.book_appointment(TEN + DAY, **elsewhere)
    booking_api.write(
        "update clients set ended_on = :day where id = :id", day=MONDAY + DAY, id=UUID(seats[2]["client_id"])
    )
    refused = groups.change(group, "reschedule", starts_at=TEN + DAY)
    problems = assert_error(refused, "SLOT_TAKEN")["details"]["problems"]
    assert {(problem["code"], problem["message"].split(":")[0]) for problem in problems} == {
        ("SLOT_TAKEN", seats[1]["reference"]),
        ("CLIENT_NOT_ACTIVE", seats[2]["reference"]),
    }
    small = make_room(booking_api.practice, capacity=2)
    assert "GROUP_FULL" in problem_codes(groups.change(group, "reschedule", starts_at=TEN + 2 * DAY, room_id=small))
    assert problem_codes(groups.change(group, "reschedule", starts_at=local(MONDAY, 22))) >= {"OUTSIDE_HOURS"}
    assert groups.read(group)["status"] == "SCHEDULED"
    assert {booking_api.read(seat)["status"] for seat in seats} == {"SCHEDULED"}
    for by in (booking_api.clinician, booking_api.practice.add("biller")):
        assert_error(groups.change(group, "reschedule", by, starts_at=TEN + 2 * DAY), "FORBIDDEN", 403)


# Series


def test_a_series_of_groups_is_opened_moved_and_cancelled(booking_api: BookingApi, groups: Groups) -> None:
    first, second, third = groups.open_series()
    assert [parse_instant(group["starts_at"]) for group in (first, second, third)] == [
        TEN + number * WEEK for number in range(3)
    ]
    client = booking_api.client
    seats = [groups.join(group, client) for group in (first, second, third)]
    moved = groups.move(second, TEN + WEEK + DAY, series_scope="this_and_following")
    assert [parse_instant(group["starts_at"]) for group in moved] == [TEN + WEEK + DAY, TEN + 2 * WEEK + DAY]
    assert {group["series_id"] for group in moved} == {first["series_id"]}
    assert [booking_api.read(seat)["status"] for seat in seats] == ["SCHEDULED", "RESCHEDULED", "RESCHEDULED"]
    assert len(booking_api.load_rows("select * from messages where kind = 'MOVED'")) == 1  # one message for all
    cancelled = groups.cancel(first, series_scope="all")
    assert [group["id"] for group in cancelled] == [first["id"], *(group["id"] for group in moved)]
    assert booking_api.list_occupancies() == set()
    assert groups.list_groups(series_id=first["series_id"], status="SCHEDULED") == []


def test_a_series_of_groups_is_opened_whole_or_skips_conflicts(booking_api: BookingApi, groups: Groups) -> None:
    booking_api.book_appointment(TEN + WEEK)
    body = groups.body(rule="FREQ=WEEKLY;COUNT=3")
    error = assert_error(booking_api.post("/group-sessions/series", **body), "SLOT_TAKEN")
    assert [occurrence["free"] for occurrence in error["details"]["occurrences"]] == [True, False, True]
    assert groups.list_groups() == []
    opened = booking_api.post("/group-sessions/series", **body, skip_conflicts=True).json()
    assert [occurrence["status"] for occurrence in opened["occurrences"]] == ["opened", "skipped", "opened"]
    assert len(groups.list_groups(series_id=opened["series_id"])) == 2
    wrong = booking_api.post("/group-sessions/series", **groups.body(rule="FREQ=DAILY;COUNT=3"))
    assert_error(wrong, "VALIDATION_ERROR", 422)
