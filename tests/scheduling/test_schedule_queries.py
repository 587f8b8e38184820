"""Reading the schedule: lists, calendars with local days, and how far each role sees."""

from datetime import date, datetime
from itertools import chain
from typing import Any

import pytest

from practice.scheduling.appointments import queries
from tests.support.builders.people import make_practice
from tests.support.builders.schedule import make_appointment, make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, FrontDesk, at, refused, wall

TEN = wall(MONDAY, 10)
LIST = "/appointments"
CALENDAR = "/appointments/calendar"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


def days(answer: Any) -> dict[str, list[datetime]]:
    assert answer.status_code == 200, answer.text
    return {day["on"]: [at(one["starts_at"]) for one in day["appointments"]] for day in answer.json()["days"]}


def test_lists_go_by_time_and_can_be_narrowed(desk: FrontDesk) -> None:
    other = desk.add_clinician()
    somebody = make_client(desk.practice)
    later, first = desk.booked(TEN + DAY, room_id=desk.room), desk.booked(TEN)
    theirs = desk.booked(TEN, clinician_id=other.staff_id, client_id=somebody)
    gone = desk.booked(TEN + 2 * DAY)
    desk.done(gone, "cancel", reason="Ill")
    everything = desk.get(LIST, count=True).json()
    assert [at(one["starts_at"]) for one in everything["items"]] == [TEN, TEN, TEN + DAY, TEN + 2 * DAY]
    assert everything["total"] == 4
    assert ids(desk.get(LIST, sort="-starts_at"))[0] == gone["id"]
    assert ids(desk.get(LIST, client=somebody)) == [theirs["id"]]
    assert ids(desk.get(LIST, clinician=other.staff_id)) == [theirs["id"]]
    assert ids(desk.get(LIST, room=desk.room)) == [later["id"]]
    assert ids(desk.get(LIST, status="CANCELLED")) == [gone["id"]]
    within = {"from": TEN, "to": TEN + DAY}  # from is included and to is not
    assert set(ids(desk.get(LIST, **within))) == {first["id"], theirs["id"]}
    assert ids(desk.get(LIST, **{"from": TEN + DAY, "to": TEN + DAY + HOUR})) == [later["id"]]
    assert desk.get(LIST, fields="id,status").json()["items"][0].keys() == {"id", "status"}
    page = desk.get(LIST, limit=3).json()
    assert ids(desk.get(LIST, limit=3, cursor=page["next_cursor"])) == [gone["id"]]


def test_ones_own(desk: FrontDesk) -> None:
    me = desk.portal()
    mine, other = desk.booked(TEN, me), desk.booked(TEN + HOUR, clinician_id=desk.add_clinician().staff_id)
    assert ids(desk.get(LIST, me, client="me")) == [mine["id"]]
    assert ids(desk.get(LIST, desk.clinician, clinician="me")) == [mine["id"]]
    assert ids(desk.get(LIST, desk.scheduler, clinician="me")) == []
    refused(desk.get(LIST, desk.scheduler, client="me"), "FORBIDDEN", 403)
    refused(desk.get(LIST, me, clinician="me"), "FORBIDDEN", 403)
    assert ids(desk.get(LIST, me, client=desk.client)) == []
    assert ids(desk.get(f"/clients/{me.staff_id}/appointments", me)) == [mine["id"]]
    refused(desk.get(f"/clients/{other['client_id']}/appointments", me), "NOT_FOUND", 404)


def test_everybody_sees_as_far_as_their_role_reaches(desk: FrontDesk) -> None:
    supervisor = desk.practice.add("supervisor")
    colleague = desk.add_clinician(supervisor=supervisor)
    me = desk.portal()
    mine, theirs = desk.booked(TEN, me, special_requests="Quiet"), desk.booked(TEN, clinician_id=colleague.staff_id)
    sees = {
        "scheduler": (desk.scheduler, {mine["id"], theirs["id"]}),
        "admin": (desk.practice.admin, {mine["id"], theirs["id"]}),
        "biller": (desk.practice.add("biller"), {mine["id"], theirs["id"]}),
        "clinician": (desk.clinician, {mine["id"]}),
        "supervisor": (supervisor, {theirs["id"]}),
        "client": (me, {mine["id"]}),
    }
    for role, (person, expected) in sees.items():
        assert set(ids(desk.get(LIST, person))) == expected, role
        shown = desk.get(CALENDAR, person, on=MONDAY).json()["days"]
        assert {one["id"] for day in shown for one in day["appointments"]} == expected, role
        for one in (mine, theirs):
            for path in (f"{LIST}/{one['id']}", f"{LIST}/{one['id']}/steps"):
                answer = desk.get(path, person)
                assert answer.status_code == (200 if one["id"] in expected else 404), role
    assert desk.read(mine, me)["special_requests"] == "Quiet"
    refused(desk.get(LIST, desk.practice.add("analyst")), "FORBIDDEN", 403)


def test_what_is_another_practices_is_as_if_it_were_not_there(desk: FrontDesk) -> None:
    booked = desk.booked(TEN, room_id=desk.room)
    stranger = FrontDesk(desk.http, make_practice(desk.practice.house))
    missing = "01890000-0000-7000-8000-000000000000"
    for path in ("{}", "{}/steps"):
        theirs, nothing = (stranger.get(f"{LIST}/{path.format(id)}") for id in (booked["id"], missing))
        assert theirs.status_code == nothing.status_code == 404
        assert theirs.json()["error"]["message"] == nothing.json()["error"]["message"]
    for verb, body in (("confirm", {}), ("cancel", {"reason": "Ill"}), ("reschedule", {"starts_at": TEN + DAY})):
        refused(stranger.step(booked, verb, **body), "NOT_FOUND", 404)
    refused(stranger.patch(f"{LIST}/{booked['id']}", 1, instructions="Mine"), "NOT_FOUND", 404)
    assert ids(stranger.get(LIST, client=desk.client)) == []
    assert days(stranger.get(CALENDAR, on=MONDAY, room=desk.room))[str(MONDAY)] == []
    assert desk.read(booked) == booked


def test_what_an_appointment_is_shown_with(desk: FrontDesk) -> None:
    shown = desk.booked(TEN, room_id=desk.room)
    assert shown["client_name"].startswith("Casey Example")
    assert shown["clinician_name"].startswith("Robin Tester")
    assert shown["room_name"].startswith("Room ")
    [listed] = desk.get(LIST).json()["items"]
    assert listed == shown


# Calendars


def test_a_day_a_week_from_sunday_and_a_month(desk: FrontDesk) -> None:
    sunday, saturday = MONDAY - DAY, MONDAY + 5 * DAY
    starts = [wall(day, 10) for day in (sunday - DAY, sunday, MONDAY, saturday, saturday + DAY, date(2026, 4, 1))]
    for start in starts:
        desk.booked(start)
    assert days(desk.get(CALENDAR, view="day", on=MONDAY)) == {str(MONDAY): [TEN]}
    for on in (sunday, MONDAY, saturday):
        week = days(desk.get(CALENDAR, on=on))
        assert list(week) == [str(sunday + number * DAY) for number in range(7)]
        assert sorted(chain(*week.values())) == starts[1:4]
    month = days(desk.get(CALENDAR, view="month", on=MONDAY))
    assert (len(month), min(month), max(month)) == (31, "2026-03-01", "2026-03-31")
    assert sorted(chain(*month.values())) == starts[:5]
    assert list(days(desk.get(CALENDAR, view="day"))) == [str(desk.now.date())]


@pytest.mark.parametrize(
    ("on", "count"), [("2026-02-15", 28), ("2028-02-29", 29), ("2026-12-31", 31), ("2026-04-30", 30)]
)
def test_months_have_their_days(desk: FrontDesk, on: str, count: int) -> None:
    assert len(days(desk.get(CALENDAR, view="month", on=on))) == count


@pytest.mark.parametrize("on", ["9999-12-31", "0001-01-01", "2026-02-30"])
def test_a_day_that_nobody_means_is_refused(desk: FrontDesk, on: str) -> None:
    refused(desk.get(CALENDAR, view="month", on=on), "VALIDATION_ERROR", 422)


def test_the_days_are_local_also_over_the_changes_of_the_clock(desk: FrontDesk) -> None:
    desk.write("update availability_windows set start_time = '00:00', end_time = '23:59:59'")
    for sunday in (date(2026, 11, 1), date(2027, 3, 14)):
        wanted = {
            sunday - DAY: [wall(sunday - DAY, 22, 59)],
            sunday: [wall(sunday, 0), wall(sunday, 4), wall(sunday, 22, 59)],
            sunday + DAY: [wall(sunday + DAY, 0)],
        }
        for start in chain(*wanted.values()):
            desk.booked(start)
        for day, starts in wanted.items():
            assert days(desk.get(CALENDAR, view="day", on=day))[str(day)] == starts
        week = days(desk.get(CALENDAR, on=sunday))
        assert [week[str(day)] for day in (sunday, sunday + DAY)] == [wanted[sunday], wanted[sunday + DAY]]


def test_what_was_cancelled_or_moved_is_not_on_the_calendar_and_a_no_show_is(desk: FrontDesk) -> None:
    cancelled, moved, missed = desk.booked(TEN), desk.booked(TEN + HOUR), desk.booked(TEN + 2 * HOUR)
    desk.done(cancelled, "cancel", reason="Ill")
    desk.done(moved, "reschedule", starts_at=TEN + 4 * HOUR)
    desk.now = TEN + 3 * HOUR
    desk.done(missed, "no-show")
    assert days(desk.get(CALENDAR, view="day", on=MONDAY))[str(MONDAY)] == [TEN + 2 * HOUR, TEN + 4 * HOUR]


def test_blocks_are_on_the_calendar_of_those_whom_they_concern(desk: FrontDesk) -> None:
    colleague, me = desk.add_clinician(), desk.portal()
    desk.block(TEN, TEN + 25 * HOUR, clinician_id=desk.clinician.staff_id)
    desk.block(TEN, TEN + HOUR, clinician_id=colleague.staff_id)
    desk.block(TEN, TEN + HOUR, room_id=desk.room)

    def blocked(by: Any, **query: Any) -> list[int]:
        return [len(day["blocks"]) for day in desk.get(CALENDAR, by, on=MONDAY, **query).json()["days"]]

    assert blocked(desk.scheduler) == [0, 3, 1, 0, 0, 0, 0]
    assert blocked(desk.scheduler, room=desk.room) == [0, 1, 0, 0, 0, 0, 0]
    assert blocked(desk.scheduler, clinician=colleague.staff_id) == [0, 1, 0, 0, 0, 0, 0]
    assert blocked(desk.clinician) == [0, 2, 1, 0, 0, 0, 0]
    assert blocked(desk.clinician, clinician=colleague.staff_id) == [0] * 7
    assert blocked(me) == [0] * 7


def test_a_calendar_is_whole_or_says_that_it_cannot_be(desk: FrontDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_IN_A_CALENDAR", 2)
    for hour in range(3):
        make_appointment(desk.practice, desk.clinician, make_client(desk.practice), desk.service, TEN + hour * HOUR)
    assert "shorter" in refused(desk.get(CALENDAR, on=MONDAY), "VALIDATION_ERROR", 422)["message"]
    monkeypatch.setattr(queries, "MOST_IN_A_CALENDAR", 3)
    assert len(days(desk.get(CALENDAR, on=MONDAY))[str(MONDAY)]) == 3
