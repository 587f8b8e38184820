"""The schedule over HTTP: columns of days with open, free and taken time, and the figures of now."""

from datetime import date, datetime, time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_appointment, make_room
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, NEW_YORK, BookingApi, local

SUNDAY = MONDAY - DAY


@pytest.fixture
def booking_api(client: TestClient, practice: PracticeFixture) -> BookingApi:
    return BookingApi(client, practice)


def load_page(booking_api: BookingApi, **query: Any) -> dict[str, Any]:
    response = booking_api.get("/dashboards/schedule", **query)
    assert response.status_code == 200, response.text
    return response.json()


def to_clock(spans: list[dict[str, Any]]) -> list[str]:
    """Return the spans as local times."""
    return ["-".join(describe_local(span[name]) for name in ("starts_at", "ends_at")) for span in spans]


def describe_local(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(NEW_YORK):%H:%M}"


def test_a_day_has_a_column_for_each_clinician_with_what_is_free(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician(time(9), time(12))
    visit = booking_api.book_appointment(local(MONDAY, 10), room_id=booking_api.room)
    meeting = {"starts_at": local(MONDAY, 14), "ends_at": local(MONDAY, 15), "reason": "Meeting"}
    assert booking_api.post(f"/clinicians/{booking_api.clinician.staff_id}/blocks", **meeting).status_code == 201
    booking_api.book_appointment(local(MONDAY + DAY, 10))
    page = load_page(booking_api, day=MONDAY)
    columns = {column["id"]: column for column in page["columns"]}
    assert columns.keys() == {str(booking_api.clinician.staff_id), str(other.staff_id)}
    own = columns[str(booking_api.clinician.staff_id)]
    assert to_clock(own["open"]) == ["08:00-20:00"]
    assert to_clock(own["free"]) == ["08:00-10:00", "11:00-14:00", "15:00-20:00"]
    assert [(item["kind"], item["reason"]) for item in own["taken"]] == [("block", "Meeting")]
    assert to_clock(columns[str(other.staff_id)]["free"]) == ["09:00-12:00"]
    assert [item["id"] for item in page["visits"]] == [visit["id"]]
    rooms = load_page(booking_api, day=MONDAY, by_="room")
    (room,) = rooms["columns"]
    assert (room["id"], to_clock(room["free"])) == (str(booking_api.room), ["08:00-10:00", "11:00-20:00"])


def test_a_week_is_of_one_clinician_or_room(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    booking_api.book_appointment(local(MONDAY, 10))
    theirs = booking_api.book_appointment(local(MONDAY, 12), clinician_id=other.staff_id, room_id=booking_api.room)
    admin = booking_api.practice.admin
    closure = booking_api.post("/closures", admin, closed_on=MONDAY + DAY, reason="Painters")
    assert closure.status_code == 201
    page = load_page(booking_api, day=MONDAY, view="week", of=other.staff_id)
    assert [column["on"] for column in page["columns"]] == [str(SUNDAY + number * DAY) for number in range(7)]
    assert (page["first"], page["last"]) == (str(SUNDAY), str(SUNDAY + 6 * DAY))
    assert [visit["id"] for visit in page["visits"]] == [theirs["id"]]
    closed = page["columns"][2]
    assert (closed["closed"], closed["closure_reason"]) == (True, "Painters")
    assert (closed["open"], closed["free"]) == ([], [])
    room = load_page(booking_api, day=MONDAY, view="week", by_="room")
    assert (room["of"], [visit["id"] for visit in room["visits"]]) == (str(booking_api.room), [theirs["id"]])
    unknown = booking_api.get("/dashboards/schedule", of=booking_api.client)
    assert unknown.status_code == 404


def test_a_visit_across_midnight_is_on_both_days(booking_api: BookingApi) -> None:
    night = make_appointment(
        booking_api.practice,
        booking_api.clinician,
        booking_api.client,
        booking_api.service,
        local(MONDAY, 23, 30),
        ends_at=local(MONDAY + DAY, 0, 30),
    )
    for day in (MONDAY, MONDAY + DAY):
        assert [visit["id"] for visit in load_page(booking_api, day=day)["visits"]] == [str(night)]
    assert load_page(booking_api, day=MONDAY + 2 * DAY)["visits"] == []


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 14), 23), (date(2026, 11, 1), 25)])
def test_days_of_a_clock_change_have_their_own_length(booking_api: BookingApi, day: date, hours: int) -> None:
    column = load_page(booking_api, day=day)["columns"][0]
    start, end = (datetime.fromisoformat(column[name]) for name in ("starts_at", "ends_at"))
    assert (end - start, to_clock(column["free"])) == (hours * HOUR, ["08:00-20:00"])


def test_free_time_begins_now_and_ends_with_the_last_day(booking_api: BookingApi) -> None:
    booking_api.now = local(MONDAY, 15, 10)
    assert to_clock(load_page(booking_api, day=MONDAY)["columns"][0]["free"]) == ["15:10-20:00"]
    assert load_page(booking_api, day=SUNDAY)["columns"][0]["free"] == []
    staff = f"/staff/{booking_api.clinician.staff_id}"
    version = booking_api.get(staff, booking_api.practice.admin).json()["version"]
    assert booking_api.patch(staff, version, booking_api.practice.admin, left_on=MONDAY).status_code == 200
    week = load_page(booking_api, day=MONDAY, view="week")
    assert [len(column["free"]) for column in week["columns"]] == [0, 1, 0, 0, 0, 0, 0]


def test_the_figures_are_of_now_on_every_day(booking_api: BookingApi) -> None:
    make_room(booking_api.practice)
    first = booking_api.book_appointment(local(MONDAY, 10), room_id=booking_api.room)
    booking_api.book_appointment(local(MONDAY, 12))
    booking_api.now = local(MONDAY, 9, 50)
    booking_api.take_step(first, "check-in")
    booking_api.now += 25 * MINUTE
    page = load_page(booking_api, day=MONDAY + 3 * DAY)
    shown = {"visits_today": 2, "check_ins": 1, "waiting": 1, "longest_wait_minutes": 25, "rooms_in_use": 1}
    assert {name: page[name] for name in shown} == shown
    assert page["brief"][:2] == ["1 of 2 visits today have a check-in.", "1 client waits, the longest for 25 minutes."]


def test_clinicians_see_their_own_week_alone(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    own = booking_api.book_appointment(local(MONDAY, 10))
    booking_api.book_appointment(local(MONDAY, 12), clinician_id=other.staff_id)
    page = booking_api.get("/dashboards/my-practice", booking_api.clinician, week=MONDAY + DAY).json()
    assert [column["on"] for column in page["week"]] == [str(SUNDAY + number * DAY) for number in range(7)]
    assert {column["id"] for column in page["week"]} == {str(booking_api.clinician.staff_id)}
    assert to_clock(page["week"][1]["free"]) == ["08:00-10:00", "11:00-20:00"]
    assert [visit["id"] for visit in page["week_visits"]] == [own["id"]]
    this_week = booking_api.get("/dashboards/my-practice", booking_api.clinician).json()
    assert (this_week["week"][0]["on"], this_week["week_visits"]) == (str(SUNDAY - 7 * DAY), [])
