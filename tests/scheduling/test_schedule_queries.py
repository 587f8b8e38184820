"""Schedule queries: lists, calendars by local date, and visibility by role."""

from datetime import date, datetime
from itertools import chain
from typing import Any

import pytest

from practice.scheduling.appointments import queries
from tests.support.builders.people import make_practice
from tests.support.builders.schedule import make_appointment, make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, assert_error, local, parse_instant

TEN = local(MONDAY, 10)
LIST = "/appointments"
CALENDAR = "/appointments/calendar"


def parse_ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [appointment["id"] for appointment in response.json()["items"]]


def parse_days(response: Any) -> dict[str, list[datetime]]:
    assert response.status_code == 200, response.text
    return {
        day["on"]: [parse_instant(appointment["starts_at"]) for appointment in day["appointments"]]
        for day in response.json()["days"]
    }


def test_lists_are_sorted_by_time_and_filtered(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    somebody = make_client(booking_api.practice)
    later, first = booking_api.book_appointment(TEN + DAY, room_id=booking_api.room), booking_api.book_appointment(TEN)
    other_appointment = booking_api.book_appointment(TEN, clinician_id=other.staff_id, client_id=somebody)
    cancelled = booking_api.book_appointment(TEN + 2 * DAY)
    booking_api.take_step(cancelled, "cancel", reason="Ill")
    page_with_total = booking_api.get(LIST, count=True).json()
    assert [parse_instant(appointment["starts_at"]) for appointment in page_with_total["items"]] == [
        TEN,
        TEN,
        TEN + DAY,
        TEN + 2 * DAY,
    ]
    assert page_with_total["total"] == 4
    assert parse_ids(booking_api.get(LIST, sort="-starts_at"))[0] == cancelled["id"]
    assert parse_ids(booking_api.get(LIST, client_id=somebody)) == [other_appointment["id"]]
    assert parse_ids(booking_api.get(LIST, clinician_id=other.staff_id)) == [other_appointment["id"]]
    assert parse_ids(booking_api.get(LIST, room_id=booking_api.room)) == [later["id"]]
    assert parse_ids(booking_api.get(LIST, status="CANCELLED")) == [cancelled["id"]]
    within = {"starts_after": TEN, "starts_before": TEN + DAY}  # the first is included, the second is not
    assert set(parse_ids(booking_api.get(LIST, **within))) == {first["id"], other_appointment["id"]}
    assert parse_ids(booking_api.get(LIST, starts_after=TEN + DAY, starts_before=TEN + DAY + HOUR)) == [later["id"]]
    assert booking_api.get(LIST, fields="id,status").json()["items"][0].keys() == {"id", "status"}
    page = booking_api.get(LIST, limit=3).json()
    assert parse_ids(booking_api.get(LIST, limit=3, cursor=page["next_cursor"])) == [cancelled["id"]]


def test_me_means_own_appointments(booking_api: BookingApi) -> None:
    me = booking_api.add_portal_client()
    own, other = (
        booking_api.book_appointment(TEN, me),
        booking_api.book_appointment(TEN + HOUR, clinician_id=booking_api.add_clinician().staff_id),
    )
    assert parse_ids(booking_api.get(LIST, me, client_id="me")) == [own["id"]]
    assert parse_ids(booking_api.get(LIST, booking_api.clinician, clinician_id="me")) == [own["id"]]
    assert parse_ids(booking_api.get(LIST, booking_api.scheduler, clinician_id="me")) == []
    assert_error(booking_api.get(LIST, booking_api.scheduler, client_id="me"), "FORBIDDEN", 403)
    assert_error(booking_api.get(LIST, me, clinician_id="me"), "FORBIDDEN", 403)
    assert parse_ids(booking_api.get(LIST, me, client_id=booking_api.client)) == []
    assert parse_ids(booking_api.get(f"/clients/{me.staff_id}/appointments", me)) == [own["id"]]
    assert_error(booking_api.get(f"/clients/{other['client_id']}/appointments", me), "NOT_FOUND", 404)


def test_each_role_sees_its_scope(booking_api: BookingApi) -> None:
    supervisor = booking_api.practice.add("supervisor")
    colleague = booking_api.add_clinician(supervisor=supervisor)
    me = booking_api.add_portal_client()
    own, other = (
        booking_api.book_appointment(TEN, me, special_requests="Quiet"),
        booking_api.book_appointment(TEN, clinician_id=colleague.staff_id),
    )
    visible = {
        "scheduler": (booking_api.scheduler, {own["id"], other["id"]}),
        "admin": (booking_api.practice.admin, {own["id"], other["id"]}),
        "biller": (booking_api.practice.add("biller"), {own["id"], other["id"]}),
        "clinician": (booking_api.clinician, {own["id"]}),
        "supervisor": (supervisor, {other["id"]}),
        "client": (me, {own["id"]}),
    }
    for role, (person, expected) in visible.items():
        assert set(parse_ids(booking_api.get(LIST, person))) == expected, role
        days = booking_api.get(CALENDAR, person, on=MONDAY).json()["days"]
        assert {appointment["id"] for day in days for appointment in day["appointments"]} == expected, role
        for appointment in (own, other):
            for path in (f"{LIST}/{appointment['id']}", f"{LIST}/{appointment['id']}/status-history"):
                response = booking_api.get(path, person)
                assert response.status_code == (200 if appointment["id"] in expected else 404), role
    assert booking_api.read(own, me)["special_requests"] == "Quiet"
    assert_error(booking_api.get(LIST, booking_api.practice.add("analyst")), "FORBIDDEN", 403)


def test_appointments_of_another_practice_do_not_exist(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN, room_id=booking_api.room)
    stranger = BookingApi(booking_api.http, make_practice(booking_api.practice.installation))
    missing = "01890000-0000-7000-8000-000000000000"
    for path in ("{}", "{}/status-history"):
        existing, unknown = (stranger.get(f"{LIST}/{path.format(id)}") for id in (booked["id"], missing))
        assert existing.status_code == unknown.status_code == 404
        assert existing.json()["error"]["message"] == unknown.json()["error"]["message"]
    for action, body in (("confirm", {}), ("cancel", {"reason": "Ill"}), ("reschedule", {"starts_at": TEN + DAY})):
        assert_error(stranger.post_step(booked, action, **body), "NOT_FOUND", 404)
    assert_error(stranger.patch(f"{LIST}/{booked['id']}", 1, instructions="Mine"), "NOT_FOUND", 404)
    assert parse_ids(stranger.get(LIST, client_id=booking_api.client)) == []
    assert parse_days(stranger.get(CALENDAR, on=MONDAY, room_id=booking_api.room))[str(MONDAY)] == []
    assert booking_api.read(booked) == booked


def test_an_appointment_has_names(booking_api: BookingApi) -> None:
    appointment = booking_api.book_appointment(TEN, room_id=booking_api.room)
    assert appointment["client_name"].startswith("Casey Example")
    assert appointment["clinician_name"].startswith("Robin Tester")
    assert appointment["room_name"].startswith("Room ")
    [listed] = booking_api.get(LIST).json()["items"]
    assert listed == appointment


# Calendars


def test_a_day_a_week_from_sunday_and_a_month(booking_api: BookingApi) -> None:
    sunday, saturday = MONDAY - DAY, MONDAY + 5 * DAY
    starts = [local(day, 10) for day in (sunday - DAY, sunday, MONDAY, saturday, saturday + DAY, date(2026, 4, 1))]
    for start in starts:
        booking_api.book_appointment(start)
    assert parse_days(booking_api.get(CALENDAR, view="day", on=MONDAY)) == {str(MONDAY): [TEN]}
    for on in (sunday, MONDAY, saturday):
        week = parse_days(booking_api.get(CALENDAR, on=on))
        assert list(week) == [str(sunday + number * DAY) for number in range(7)]
        assert sorted(chain(*week.values())) == starts[1:4]
    month = parse_days(booking_api.get(CALENDAR, view="month", on=MONDAY))
    assert (len(month), min(month), max(month)) == (31, "2026-03-01", "2026-03-31")
    assert sorted(chain(*month.values())) == starts[:5]
    assert list(parse_days(booking_api.get(CALENDAR, view="day"))) == [str(booking_api.now.date())]


@pytest.mark.parametrize(
    ("on", "count"), [("2026-02-15", 28), ("2028-02-29", 29), ("2026-12-31", 31), ("2026-04-30", 30)]
)
def test_months_have_their_days(booking_api: BookingApi, on: str, count: int) -> None:
    assert len(parse_days(booking_api.get(CALENDAR, view="month", on=on))) == count


@pytest.mark.parametrize("on", ["9999-12-31", "0001-01-01", "2026-02-30"])
def test_an_impossible_date_is_refused(booking_api: BookingApi, on: str) -> None:
    assert_error(booking_api.get(CALENDAR, view="month", on=on), "VALIDATION_ERROR", 422)


def test_days_are_local_across_clock_changes(booking_api: BookingApi) -> None:
    booking_api.write("update availability_windows set start_time = '00:00', end_time = '23:59:59'")
    for sunday in (date(2026, 11, 1), date(2027, 3, 14)):
        expected = {
            sunday - DAY: [local(sunday - DAY, 22, 59)],
            sunday: [local(sunday, 0), local(sunday, 4), local(sunday, 22, 59)],
            sunday + DAY: [local(sunday + DAY, 0)],
        }
        for start in chain(*expected.values()):
            booking_api.book_appointment(start)
        for day, starts in expected.items():
            assert parse_days(booking_api.get(CALENDAR, view="day", on=day))[str(day)] == starts
        week = parse_days(booking_api.get(CALENDAR, on=sunday))
        assert [week[str(day)] for day in (sunday, sunday + DAY)] == [expected[sunday], expected[sunday + DAY]]


def test_the_calendar_has_no_shows_but_no_cancelled_or_moved_appointments(booking_api: BookingApi) -> None:
    cancelled, moved, missed = (
        booking_api.book_appointment(TEN),
        booking_api.book_appointment(TEN + HOUR),
        booking_api.book_appointment(TEN + 2 * HOUR),
    )
    booking_api.take_step(cancelled, "cancel", reason="Ill")
    booking_api.take_step(moved, "reschedule", starts_at=TEN + 4 * HOUR)
    booking_api.now = TEN + 3 * HOUR
    booking_api.take_step(missed, "no-show")
    assert parse_days(booking_api.get(CALENDAR, view="day", on=MONDAY))[str(MONDAY)] == [TEN + 2 * HOUR, TEN + 4 * HOUR]


def test_blocks_are_on_the_calendars_of_their_scope(booking_api: BookingApi) -> None:
    colleague, me = booking_api.add_clinician(), booking_api.add_portal_client()
    booking_api.block(TEN, TEN + 25 * HOUR, clinician_id=booking_api.clinician.staff_id)
    booking_api.block(TEN, TEN + HOUR, clinician_id=colleague.staff_id)
    booking_api.block(TEN, TEN + HOUR, room_id=booking_api.room)

    def blocked(by: Any, **query: Any) -> list[int]:
        return [len(day["blocks"]) for day in booking_api.get(CALENDAR, by, on=MONDAY, **query).json()["days"]]

    assert blocked(booking_api.scheduler) == [0, 3, 1, 0, 0, 0, 0]
    assert blocked(booking_api.scheduler, room_id=booking_api.room) == [0, 1, 0, 0, 0, 0, 0]
    assert blocked(booking_api.scheduler, clinician_id=colleague.staff_id) == [0, 1, 0, 0, 0, 0, 0]
    assert blocked(booking_api.clinician) == [0, 2, 1, 0, 0, 0, 0]
    assert blocked(booking_api.clinician, clinician_id=colleague.staff_id) == [0] * 7
    assert blocked(me) == [0] * 7


def test_a_calendar_that_is_too_large_is_refused(booking_api: BookingApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_CALENDAR_APPOINTMENTS", 2)
    for hour in range(3):
        make_appointment(
            booking_api.practice,
            booking_api.clinician,
            make_client(booking_api.practice),
            booking_api.service,
            TEN + hour * HOUR,
        )
    assert "shorter" in assert_error(booking_api.get(CALENDAR, on=MONDAY), "VALIDATION_ERROR", 422)["message"]
    monkeypatch.setattr(queries, "MAX_CALENDAR_APPOINTMENTS", 3)
    assert len(parse_days(booking_api.get(CALENDAR, on=MONDAY))[str(MONDAY)]) == 3
