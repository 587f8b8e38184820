"""Slips of the front desk that are refused or lead to a warning: wrong years, double names, double records."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.builders.schedule import make_service
from tests.support.drivers.booking import DAY, HOUR, MINUTE, MONDAY, BookingApi, assert_error, local, problem_codes

TEN = local(MONDAY, 10)
TODAY = date(2026, 3, 18)


def list_problems(response: Any) -> list[str]:
    problems = assert_error(response, "VALIDATION_ERROR", 422)["details"]
    return [f"{problem['field']}: {problem['message']}" for problem in problems]


def test_a_clinician_is_not_booked_before_they_start(booking_api: BookingApi) -> None:
    booking_api.write("update staff set hired_on = :day where id = :id", day=MONDAY, id=booking_api.clinician.staff_id)
    error = assert_error(booking_api.book(TEN - DAY), "CLINICIAN_NOT_ACTIVE")
    assert "2026-03-23" in error["message"]
    slots = booking_api.get(
        f"/clinicians/{booking_api.clinician.staff_id}/slots", from_=MONDAY - DAY, to=MONDAY, service="TALK"
    ).json()["items"]
    assert slots[0]["starts_at"] == "2026-03-23T12:00:00Z"
    assert booking_api.book(TEN).status_code == 201


def test_nothing_is_booked_more_than_two_years_ahead(booking_api: BookingApi) -> None:
    last = booking_api.now.replace(year=2028)
    too_late = booking_api.book(last + MINUTE)
    assert problem_codes(too_late) == {"OUTSIDE_BOOKING_WINDOW"}
    assert "year" in too_late.json()["error"]["message"]
    series = booking_api.booking_body(last + HOUR, rule="FREQ=WEEKLY;COUNT=2", skip_conflicts=True)
    assert problem_codes(booking_api.post("/appointments/series", **series)) == {"OUTSIDE_BOOKING_WINDOW"}
    booked = booking_api.book_appointment(TEN)
    move = booking_api.post_step(booked, "reschedule", starts_at=last + DAY)
    assert problem_codes(move) == {"OUTSIDE_BOOKING_WINDOW"}
    proposal = {"appointment_id": booked["id"], "starts_at": last + DAY, "reason": "A course"}
    assert "years" in list_problems(booking_api.post("/reschedule-requests", booking_api.clinician, **proposal))[0]
    far = {"from_": date(2028, 3, 18), "to": date(2028, 3, 19), "service": "TALK"}
    slots = booking_api.get(f"/clinicians/{booking_api.clinician.staff_id}/slots", **far).json()["items"]
    assert slots[-1]["starts_at"] == "2028-03-18T15:30:00Z"
    assert booking_api.book(last).status_code == 201


def test_two_active_rooms_do_not_share_a_name(booking_api: BookingApi) -> None:
    room = booking_api.post("/rooms", name="Garden", capacity=2).json()
    for name in ("Garden", "  gARDEN "):
        assert_error(booking_api.post("/rooms", name=name, capacity=4), "ROOM_NAME_TAKEN")
    other = booking_api.post("/rooms", name="Terrace", capacity=2).json()
    assert_error(booking_api.patch(f"/rooms/{other['id']}", 1, name="GARDEN"), "ROOM_NAME_TAKEN")
    assert booking_api.patch(f"/rooms/{room['id']}", 1, name="garden").status_code == 200  # its own name
    assert booking_api.post(f"/rooms/{room['id']}/deactivate").status_code == 200
    assert booking_api.patch(f"/rooms/{other['id']}", 1, name="Garden").status_code == 200
    assert_error(booking_api.post(f"/rooms/{room['id']}/activate"), "ROOM_NAME_TAKEN")
    assert booking_api.get(f"/rooms/{room['id']}").json()["active"] is False


def test_a_wait_does_not_end_in_the_past(booking_api: BookingApi) -> None:
    entry = {"client_id": booking_api.client}
    assert "until_on" in list_problems(booking_api.post("/waitlist", **entry, until_on=TODAY - DAY))[0]
    added = booking_api.post("/waitlist", **entry, until_on=TODAY)
    assert added.status_code == 201, added.text
    path = f"/waitlist/{added.json()['id']}"
    assert "until_on" in list_problems(booking_api.patch(path, 1, until_on=TODAY - DAY))[0]
    booking_api.now += 2 * DAY
    assert booking_api.patch(path, 1, priority=1).status_code == 200  # a date that is not sent is not checked again


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;UNTIL=20260316", "FREQ=WEEKLY;COUNT=2"])
def test_a_series_does_not_lie_in_the_past(booking_api: BookingApi, rule: str) -> None:
    start = local(date(2026, 3, 2), 10)
    body = booking_api.booking_body(start, rule=rule)
    assert "past" in list_problems(booking_api.post("/appointments/series", **body))[0]
    body["rule"] = "FREQ=WEEKLY;COUNT=4"  # until March 23
    assert booking_api.post("/appointments/series", **body).status_code == 201


def test_weekly_hours_do_not_end_in_the_past(booking_api: BookingApi) -> None:
    path = f"/clinicians/{booking_api.clinician.staff_id}/availability"
    window = {"weekday": 1, "start_time": "06:00", "end_time": "07:00"}
    assert "ends_on" in list_problems(booking_api.post(path, **window, ends_on=TODAY - DAY))[0]
    added = booking_api.post(path, **window, ends_on=TODAY).json()
    own = f"{path}/{added['id']}"
    assert "ends_on" in list_problems(booking_api.patch(own, 1, ends_on=TODAY - 2 * DAY))[0]
    assert booking_api.patch(own, 1, ends_on=TODAY - DAY).status_code == 200  # others take over today
    assert booking_api.patch(own, 2, start_time="06:30").status_code == 200


def test_a_coverage_that_has_ended_warns_and_one_before_admission_is_refused(booking_api: BookingApi) -> None:
    path = f"/clients/{booking_api.client}/coverages"
    terms = {"rank": 1, "payer_id": "60054", "payer_name": "Sample Health", "member_id": "M1"}
    admitted_on = date(2025, 6, 2)
    early = {"effective_on": date(2024, 1, 1), "ends_on": admitted_on - DAY}
    assert "admission" in list_problems(booking_api.post(path, **terms, **early))[0]
    ended = booking_api.post(path, **terms, effective_on=date(2025, 1, 1), ends_on=TODAY - DAY)
    assert (ended.status_code, len(ended.json()["warnings"])) == (201, 1)
    own = f"/coverages/{ended.json()['id']}"
    assert "admission" in list_problems(booking_api.patch(own, 1, ends_on=admitted_on - DAY))[0]
    current = booking_api.post(path, **terms, effective_on=TODAY)
    assert (current.status_code, current.json()["warnings"]) == (201, [])


def test_a_namesake_leads_to_a_warning(booking_api: BookingApi) -> None:
    client = {"first_name": "Casey", "last_name": "Doe", "birth_date": date(1990, 5, 17)}

    def add(**fields: Any) -> list[str]:
        response = booking_api.post("/clients", **client | fields)
        assert response.status_code == 201, response.text
        return response.json()["warnings"]

    assert add() == []
    [warning] = add(first_name="CASEY", last_name="doe ")
    assert "same name" in warning
    assert "Casey" not in warning
    assert add(birth_date=date(1990, 5, 18)) == add(last_name="Roe") == []
    made = booking_api.load_rows("select count(*) from clients where tenant_id = :tenant_id and last_name ilike 'doe'")
    assert made[0][0] == 3


def test_a_time_held_for_the_waitlist_is_called_so(booking_api: BookingApi) -> None:
    make_service(booking_api.practice, "OTHER")
    booked = booking_api.book_appointment(TEN, room_id=booking_api.room)
    entry = booking_api.post("/waitlist", client_id=booking_api.add_portal_client().staff_id).json()
    booking_api.take_step(booked, "cancel", reason="Ill")
    refused = assert_error(booking_api.book(TEN), "SLOT_TAKEN")
    assert "waitlist" in refused["message"]
    elsewhere = {"clinician_id": booking_api.add_clinician().staff_id, "room_id": booking_api.room}
    assert "The room is held" in assert_error(booking_api.book(TEN, **elsewhere), "SLOT_TAKEN")["message"]
    slots = booking_api.get(
        f"/clinicians/{booking_api.clinician.staff_id}/slots",
        **{"from_": MONDAY, "to": MONDAY, "service": "TALK", "include_taken": True},
    ).json()["items"]
    assert {slot["reason"] for slot in slots if slot["starts_at"].startswith("2026-03-23T14:")} == {"held"}
    [day] = booking_api.get("/appointments/calendar", from_=MONDAY, to=MONDAY).json()["days"]
    [hold] = day["holds"]
    assert (hold["waitlist_entry_id"], hold["service_code"]) == (entry["id"], "TALK")
    assert (hold["clinician_id"], hold["starts_at"]) == (str(booking_api.clinician.staff_id), "2026-03-23T14:00:00Z")
    assert day["appointments"] == []
    [own] = booking_api.get("/appointments/calendar", booking_api.clinician, from_=MONDAY, to=MONDAY).json()["days"]
    assert own["holds"] == day["holds"]
    other = booking_api.get("/appointments/calendar", booking_api.add_portal_client(), from_=MONDAY, to=MONDAY)
    assert other.json()["days"][0]["holds"] == []
    booking_api.now += timedelta(hours=24)
    [day] = booking_api.get("/appointments/calendar", from_=MONDAY, to=MONDAY).json()["days"]
    assert day["holds"] == []


def test_a_series_is_read_and_filtered_for(booking_api: BookingApi) -> None:
    body = booking_api.booking_body(TEN, rule="FREQ=WEEKLY;COUNT=3")
    series = booking_api.post("/appointments/series", **body).json()
    booking_api.book_appointment(TEN + HOUR)
    first = series["occurrences"][0]["appointment_id"]
    booking_api.take_step(first, "reschedule", starts_at=TEN + DAY)
    read = booking_api.get(f"/appointments/series/{series['series_id']}").json()
    assert (read["rule"], read["client_id"], read["service_code"]) == (body["rule"], str(booking_api.client), "TALK")
    assert (read["clinician_name"].split()[0], read["first_starts_at"]) == ("Robin", "2026-03-23T14:00:00Z")
    statuses = [visit["status"] for visit in read["appointments"]]
    assert statuses == ["RESCHEDULED", "SCHEDULED", "SCHEDULED", "SCHEDULED"]
    listed = booking_api.get("/appointments", series_id=series["series_id"]).json()["items"]
    assert listed == read["appointments"]
    assert booking_api.get(f"/appointments/series/{series['series_id']}", booking_api.clinician).status_code == 200
    for by in (booking_api.add_clinician(), booking_api.add_portal_client()):
        assert_error(booking_api.get(f"/appointments/series/{series['series_id']}", by), "NOT_FOUND", 404)
    [entry] = booking_api.load_audit_entries("series.read")[:1]
    assert str(entry.subject_id) == series["series_id"]
