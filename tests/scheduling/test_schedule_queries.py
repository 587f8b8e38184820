"""Reading the schedule: lists, calendars with local days, and how far each role sees."""

from datetime import date, datetime
from itertools import chain
from typing import Any

import pytest

from practice.scheduling.appointments import queries
from tests.support.builders.people import make_practice
from tests.support.builders.schedule import make_appointment, make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, at, refused, wall

TEN = wall(MONDAY, 10)
LIST = "/appointments"
CALENDAR = "/appointments/calendar"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def days(answer: Any) -> dict[str, list[datetime]]:
    assert answer.status_code == 200, answer.text
    return {day["on"]: [at(one["starts_at"]) for one in day["appointments"]] for day in answer.json()["days"]}


def test_lists_go_by_time_and_can_be_narrowed(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    somebody = make_client(booking_api.practice)
    later, first = booking_api.booked(TEN + DAY, room_id=booking_api.room), booking_api.booked(TEN)
    theirs = booking_api.booked(TEN, clinician_id=other.staff_id, client_id=somebody)
    gone = booking_api.booked(TEN + 2 * DAY)
    booking_api.done(gone, "cancel", reason="Ill")
    everything = booking_api.get(LIST, count=True).json()
    assert [at(one["starts_at"]) for one in everything["items"]] == [TEN, TEN, TEN + DAY, TEN + 2 * DAY]
    assert everything["total"] == 4
    assert ids(booking_api.get(LIST, sort="-starts_at"))[0] == gone["id"]
    assert ids(booking_api.get(LIST, client=somebody)) == [theirs["id"]]
    assert ids(booking_api.get(LIST, clinician=other.staff_id)) == [theirs["id"]]
    assert ids(booking_api.get(LIST, room=booking_api.room)) == [later["id"]]
    assert ids(booking_api.get(LIST, status="CANCELLED")) == [gone["id"]]
    within = {"from": TEN, "to": TEN + DAY}  # from is included and to is not
    assert set(ids(booking_api.get(LIST, **within))) == {first["id"], theirs["id"]}
    assert ids(booking_api.get(LIST, **{"from": TEN + DAY, "to": TEN + DAY + HOUR})) == [later["id"]]
    assert booking_api.get(LIST, fields="id,status").json()["items"][0].keys() == {"id", "status"}
    page = booking_api.get(LIST, limit=3).json()
    assert ids(booking_api.get(LIST, limit=3, cursor=page["next_cursor"])) == [gone["id"]]


def test_ones_own(booking_api: BookingApi) -> None:
    me = booking_api.portal()
    mine, other = (
        booking_api.booked(TEN, me),
        booking_api.booked(TEN + HOUR, clinician_id=booking_api.add_clinician().staff_id),
    )
    assert ids(booking_api.get(LIST, me, client="me")) == [mine["id"]]
    assert ids(booking_api.get(LIST, booking_api.clinician, clinician="me")) == [mine["id"]]
    assert ids(booking_api.get(LIST, booking_api.scheduler, clinician="me")) == []
    refused(booking_api.get(LIST, booking_api.scheduler, client="me"), "FORBIDDEN", 403)
    refused(booking_api.get(LIST, me, clinician="me"), "FORBIDDEN", 403)
    assert ids(booking_api.get(LIST, me, client=booking_api.client)) == []
    assert ids(booking_api.get(f"/clients/{me.staff_id}/appointments", me)) == [mine["id"]]
    refused(booking_api.get(f"/clients/{other['client_id']}/appointments", me), "NOT_FOUND", 404)


def test_everybody_sees_as_far_as_their_role_reaches(booking_api: BookingApi) -> None:
    supervisor = booking_api.practice.add("supervisor")
    colleague = booking_api.add_clinician(supervisor=supervisor)
    me = booking_api.portal()
    mine, theirs = (
        booking_api.booked(TEN, me, special_requests="Quiet"),
        booking_api.booked(TEN, clinician_id=colleague.staff_id),
    )
    sees = {
        "scheduler": (booking_api.scheduler, {mine["id"], theirs["id"]}),
        "admin": (booking_api.practice.admin, {mine["id"], theirs["id"]}),
        "biller": (booking_api.practice.add("biller"), {mine["id"], theirs["id"]}),
        "clinician": (booking_api.clinician, {mine["id"]}),
        "supervisor": (supervisor, {theirs["id"]}),
        "client": (me, {mine["id"]}),
    }
    for role, (person, expected) in sees.items():
        assert set(ids(booking_api.get(LIST, person))) == expected, role
        shown = booking_api.get(CALENDAR, person, on=MONDAY).json()["days"]
        assert {one["id"] for day in shown for one in day["appointments"]} == expected, role
        for one in (mine, theirs):
            for path in (f"{LIST}/{one['id']}", f"{LIST}/{one['id']}/steps"):
                answer = booking_api.get(path, person)
                assert answer.status_code == (200 if one["id"] in expected else 404), role
    assert booking_api.read(mine, me)["special_requests"] == "Quiet"
    refused(booking_api.get(LIST, booking_api.practice.add("analyst")), "FORBIDDEN", 403)


def test_what_is_another_practices_is_as_if_it_were_not_there(booking_api: BookingApi) -> None:
    booked = booking_api.booked(TEN, room_id=booking_api.room)
    stranger = BookingApi(booking_api.http, make_practice(booking_api.practice.installation))
    missing = "01890000-0000-7000-8000-000000000000"
    for path in ("{}", "{}/steps"):
        theirs, nothing = (stranger.get(f"{LIST}/{path.format(id)}") for id in (booked["id"], missing))
        assert theirs.status_code == nothing.status_code == 404
        assert theirs.json()["error"]["message"] == nothing.json()["error"]["message"]
    for verb, body in (("confirm", {}), ("cancel", {"reason": "Ill"}), ("reschedule", {"starts_at": TEN + DAY})):
        refused(stranger.step(booked, verb, **body), "NOT_FOUND", 404)
    refused(stranger.patch(f"{LIST}/{booked['id']}", 1, instructions="Mine"), "NOT_FOUND", 404)
    assert ids(stranger.get(LIST, client=booking_api.client)) == []
    assert days(stranger.get(CALENDAR, on=MONDAY, room=booking_api.room))[str(MONDAY)] == []
    assert booking_api.read(booked) == booked


def test_what_an_appointment_is_shown_with(booking_api: BookingApi) -> None:
    shown = booking_api.booked(TEN, room_id=booking_api.room)
    assert shown["client_name"].startswith("Casey Example")
    assert shown["clinician_name"].startswith("Robin Tester")
    assert shown["room_name"].startswith("Room ")
    [listed] = booking_api.get(LIST).json()["items"]
    assert listed == shown


# Calendars


def test_a_day_a_week_from_sunday_and_a_month(booking_api: BookingApi) -> None:
    sunday, saturday = MONDAY - DAY, MONDAY + 5 * DAY
    starts = [wall(day, 10) for day in (sunday - DAY, sunday, MONDAY, saturday, saturday + DAY, date(2026, 4, 1))]
    for start in starts:
        booking_api.booked(start)
    assert days(booking_api.get(CALENDAR, view="day", on=MONDAY)) == {str(MONDAY): [TEN]}
    for on in (sunday, MONDAY, saturday):
        week = days(booking_api.get(CALENDAR, on=on))
        assert list(week) == [str(sunday + number * DAY) for number in range(7)]
        assert sorted(chain(*week.values())) == starts[1:4]
    month = days(booking_api.get(CALENDAR, view="month", on=MONDAY))
    assert (len(month), min(month), max(month)) == (31, "2026-03-01", "2026-03-31")
    assert sorted(chain(*month.values())) == starts[:5]
    assert list(days(booking_api.get(CALENDAR, view="day"))) == [str(booking_api.now.date())]


@pytest.mark.parametrize(
    ("on", "count"), [("2026-02-15", 28), ("2028-02-29", 29), ("2026-12-31", 31), ("2026-04-30", 30)]
)
def test_months_have_their_days(booking_api: BookingApi, on: str, count: int) -> None:
    assert len(days(booking_api.get(CALENDAR, view="month", on=on))) == count


@pytest.mark.parametrize("on", ["9999-12-31", "0001-01-01", "2026-02-30"])
def test_a_day_that_nobody_means_is_refused(booking_api: BookingApi, on: str) -> None:
    refused(booking_api.get(CALENDAR, view="month", on=on), "VALIDATION_ERROR", 422)


def test_the_days_are_local_also_over_the_changes_of_the_clock(booking_api: BookingApi) -> None:
    booking_api.write("update availability_windows set start_time = '00:00', end_time = '23:59:59'")
    for sunday in (date(2026, 11, 1), date(2027, 3, 14)):
        wanted = {
            sunday - DAY: [wall(sunday - DAY, 22, 59)],
            sunday: [wall(sunday, 0), wall(sunday, 4), wall(sunday, 22, 59)],
            sunday + DAY: [wall(sunday + DAY, 0)],
        }
        for start in chain(*wanted.values()):
            booking_api.booked(start)
        for day, starts in wanted.items():
            assert days(booking_api.get(CALENDAR, view="day", on=day))[str(day)] == starts
        week = days(booking_api.get(CALENDAR, on=sunday))
        assert [week[str(day)] for day in (sunday, sunday + DAY)] == [wanted[sunday], wanted[sunday + DAY]]


def test_what_was_cancelled_or_moved_is_not_on_the_calendar_and_a_no_show_is(booking_api: BookingApi) -> None:
    cancelled, moved, missed = (
        booking_api.booked(TEN),
        booking_api.booked(TEN + HOUR),
        booking_api.booked(TEN + 2 * HOUR),
    )
    booking_api.done(cancelled, "cancel", reason="Ill")
    booking_api.done(moved, "reschedule", starts_at=TEN + 4 * HOUR)
    booking_api.now = TEN + 3 * HOUR
    booking_api.done(missed, "no-show")
    assert days(booking_api.get(CALENDAR, view="day", on=MONDAY))[str(MONDAY)] == [TEN + 2 * HOUR, TEN + 4 * HOUR]


def test_blocks_are_on_the_calendar_of_those_whom_they_concern(booking_api: BookingApi) -> None:
    colleague, me = booking_api.add_clinician(), booking_api.portal()
    booking_api.block(TEN, TEN + 25 * HOUR, clinician_id=booking_api.clinician.staff_id)
    booking_api.block(TEN, TEN + HOUR, clinician_id=colleague.staff_id)
    booking_api.block(TEN, TEN + HOUR, room_id=booking_api.room)

    def blocked(by: Any, **query: Any) -> list[int]:
        return [len(day["blocks"]) for day in booking_api.get(CALENDAR, by, on=MONDAY, **query).json()["days"]]

    assert blocked(booking_api.scheduler) == [0, 3, 1, 0, 0, 0, 0]
    assert blocked(booking_api.scheduler, room=booking_api.room) == [0, 1, 0, 0, 0, 0, 0]
    assert blocked(booking_api.scheduler, clinician=colleague.staff_id) == [0, 1, 0, 0, 0, 0, 0]
    assert blocked(booking_api.clinician) == [0, 2, 1, 0, 0, 0, 0]
    assert blocked(booking_api.clinician, clinician=colleague.staff_id) == [0] * 7
    assert blocked(me) == [0] * 7


def test_a_calendar_is_whole_or_says_that_it_cannot_be(
    booking_api: BookingApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST_IN_A_CALENDAR", 2)
    for hour in range(3):
        make_appointment(
            booking_api.practice,
            booking_api.clinician,
            make_client(booking_api.practice),
            booking_api.service,
            TEN + hour * HOUR,
        )
    assert "shorter" in refused(booking_api.get(CALENDAR, on=MONDAY), "VALIDATION_ERROR", 422)["message"]
    monkeypatch.setattr(queries, "MOST_IN_A_CALENDAR", 3)
    assert len(days(booking_api.get(CALENDAR, on=MONDAY))[str(MONDAY)]) == 3
