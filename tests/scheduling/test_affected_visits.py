"""Who leaves or closes: the answer lists the visits that stay booked without clinician, client or room."""

from datetime import date
from typing import Any

import pytest

from tests.support.builders.people import NOW
from tests.support.builders.schedule import make_client
from tests.support.drivers.booking import DAY, HOUR, MONDAY, BookingApi, assert_error, local
from tests.support.drivers.group_sessions import Groups

TEN = local(MONDAY, 10)


def list_references(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["affected_count"] == len(body["affected"])
    return [visit["reference"] for visit in body["affected"]]


def test_deactivating_a_clinician_lists_their_open_visits(booking_api: BookingApi) -> None:
    other = booking_api.add_clinician()
    booked = [booking_api.book_appointment(TEN + number * DAY) for number in (1, 0)]
    cancelled = booking_api.book_appointment(TEN + HOUR)
    booking_api.take_step(cancelled, "cancel", reason="Ill")
    booking_api.book_appointment(TEN + 2 * HOUR, clinician_id=other.staff_id)
    path = f"/staff/{booking_api.clinician.staff_id}/deactivate"
    response = booking_api.post(path, booking_api.practice.admin, left_on=NOW.date())
    assert list_references(response) == [booked[1]["reference"], booked[0]["reference"]]
    visit = response.json()["affected"][0]
    names = ("id", "starts_at", "client_id", "client_name", "clinician_id", "clinician_name")
    assert visit == {name: booked[1][name] for name in names} | {"reference": booked[1]["reference"]}
    assert booking_api.read(booked[0])["status"] == "SCHEDULED"
    entry = booking_api.load_audit_entries("appointments.listed")[-1]
    details = {"count": 2, "client_ids": [str(booking_api.client)]}
    assert (entry.account_id, entry.details) == (booking_api.practice.admin.account_id, details)


def test_a_last_day_and_a_lost_role_list_the_visits_after_it(booking_api: BookingApi) -> None:
    before, after = (booking_api.book_appointment(TEN + number * DAY) for number in (0, 1))
    path, admin = f"/staff/{booking_api.clinician.staff_id}", booking_api.practice.admin
    version = booking_api.get(path, admin).json()["version"]
    leaving = booking_api.patch(path, version, admin, left_on=MONDAY)
    assert list_references(leaving) == [after["reference"]]
    assert list_references(booking_api.patch(path, version + 1, admin, license_number="LPC-1")) == []
    roles = booking_api.patch(path, version + 2, admin, roles=["biller"])
    assert list_references(roles) == [before["reference"], after["reference"]]


def test_discharging_a_client_lists_their_visits_from_that_day_on(booking_api: BookingApi) -> None:
    before, after = (booking_api.book_appointment(TEN + number * DAY) for number in (0, 1))
    booking_api.book_appointment(TEN + DAY + HOUR, client_id=make_client(booking_api.practice))
    path = f"/clients/{booking_api.client}/status"
    until = (MONDAY + DAY).isoformat()
    assert list_references(booking_api.post(path, status="DISCHARGED", effective_on=until)) == [after["reference"]]
    now = booking_api.post(path, status="INACTIVE", effective_on=MONDAY + DAY)
    assert list_references(now) == [after["reference"]]
    assert list_references(booking_api.post(path, status="ACTIVE", effective_on=MONDAY + DAY)) == []
    assert booking_api.read(before)["status"] == "SCHEDULED"


def test_a_changed_time_zone_lists_the_visits_that_it_leaves_outside_hours(booking_api: BookingApi) -> None:
    admin, eight = booking_api.practice.admin, local(MONDAY, 8)
    early = [booking_api.book_appointment(eight + number * DAY) for number in (0, 1)]
    later = booking_api.book_appointment(TEN + DAY)  # at eight in Denver, when the hours begin, and at seven in Phoenix
    booking_api.now = eight + HOUR

    def change(**fields: Any) -> Any:
        version = booking_api.get("/practice", admin).json()["version"]
        return booking_api.patch("/practice", version, admin, **fields)

    assert list_references(change(name="Pine Street")) == []
    assert list_references(change(time_zone="America/New_York")) == []
    moved = change(time_zone="America/Denver")
    assert list_references(moved) == [early[1]["reference"]]  # the first has ended
    assert moved.json()["affected"][0]["client_name"] == early[1]["client_name"]
    assert moved.json()["time_zone_changes"][0]["new_zone"] == "America/Denver"
    assert list_references(change(time_zone="America/Phoenix")) == [later["reference"]]


@pytest.mark.parametrize(("kind", "count"), [("INFORMED_TREATMENT", 2), ("TELEHEALTH", 1), ("CONFIDENTIALITY", 0)])
def test_a_revoked_consent_lists_the_visits_that_need_one(booking_api: BookingApi, kind: str, count: int) -> None:
    in_person = booking_api.book_appointment(TEN)
    client = in_person["client_id"]
    consents = f"/clients/{client}/consents"
    signed = {name: booking_api.post(consents, kind=name).json() for name in ("INFORMED_TREATMENT", "TELEHEALTH")}
    online = booking_api.book_appointment(TEN + DAY, client_id=client, telehealth=True, room_id=None)
    signed[kind] = signed.get(kind) or booking_api.post(consents, kind=kind).json()
    response = booking_api.post(f"/consents/{signed[kind]['id']}/revoke")
    assert list_references(response) == [in_person["reference"], online["reference"]][2 - count :]
    assert response.json()["revoked_at"] is not None


def test_deactivating_a_room_lists_the_visits_in_it(booking_api: BookingApi) -> None:
    booked = booking_api.book_appointment(TEN, room_id=booking_api.room)
    booking_api.book_appointment(TEN + HOUR)
    response = booking_api.post(f"/rooms/{booking_api.room}/deactivate")
    assert list_references(response) == [booked["reference"]]
    assert response.json()["active"] is False


def test_a_smaller_room_lists_the_groups_with_more_seats(booking_api: BookingApi) -> None:
    groups = Groups(booking_api)
    empty, booked, cancelled = (groups.open(TEN + hours * HOUR) for hours in (0, 2, 4))
    visit = groups.join(booked)
    assert groups.change(cancelled, "cancel", reason="Ill").status_code == 200
    booking_api.book_appointment(TEN + DAY, room_id=groups.room)

    def change(**changes: Any) -> dict[str, Any]:
        version = booking_api.get(f"/rooms/{groups.room}").json()["version"]
        response = booking_api.patch(f"/rooms/{groups.room}", version, **changes)
        assert response.status_code == 200, response.text
        return response.json()

    seats = empty["capacity"]
    for changes in ({"capacity": seats}, {"name": "Small room"}):
        answer = change(**changes)
        assert (answer["affected_count"], answer["affected"], answer["affected_groups"]) == (0, [], [])
    smaller = change(capacity=seats - 1)
    assert [group["id"] for group in smaller["affected_groups"]] == [empty["id"]]
    assert [seat["reference"] for seat in smaller["affected"]] == [visit["reference"]]
    assert (groups.read(empty)["free_seats"], groups.read(booked)["free_seats"]) == (seats - 1, seats - 2)
    change(capacity=1)
    assert groups.read(booked)["free_seats"] == 0
    assert_error(groups.try_join(booked), "GROUP_FULL")
    change(capacity=seats)  # a larger room gives no seats back by itself
    assert groups.read(booked)["free_seats"] == 0


def test_visits_of_somebody_who_left_are_outside_hours(booking_api: BookingApi) -> None:
    booked = [booking_api.book_appointment(TEN + number * DAY) for number in (0, 1)]

    def list_outside(**query: Any) -> list[str]:
        found = booking_api.get("/appointments", outside_hours=True, **query)
        assert found.status_code == 200, found.text
        return [visit["reference"] for visit in found.json()["items"]]

    assert list_outside() == []
    booking_api.write("update staff set left_on = :day where id = :id", day=MONDAY, id=booking_api.clinician.staff_id)
    assert list_outside() == [booked[1]["reference"]]
    booking_api.write("update staff set deactivated_at = now() where id = :id", id=booking_api.clinician.staff_id)
    assert list_outside() == [visit["reference"] for visit in booked]
    assert list_outside(to=date(2026, 3, 23)) == [booked[0]["reference"]]
    assert list_outside(limit=1) == [booked[0]["reference"]]
    assert list_outside(status="CONFIRMED") == []


@pytest.mark.parametrize("change", ["leave", "room", "closure"])
def test_groups_without_seats_are_listed_too(booking_api: BookingApi, change: str) -> None:
    groups = Groups(booking_api)
    empty, booked, cancelled = (groups.open(TEN + hours * HOUR) for hours in (0, 2, 4))
    groups.join(booked)
    assert groups.change(cancelled, "cancel", reason="Ill").status_code == 200
    groups.open(TEN + DAY, clinician_id=booking_api.add_clinician().staff_id, room_id=None)
    admin = booking_api.practice.admin
    path, body = {
        "leave": (f"/staff/{booking_api.clinician.staff_id}/deactivate", {"left_on": NOW.date()}),
        "room": (f"/rooms/{groups.room}/deactivate", {}),
        "closure": ("/closures", {"closed_on": MONDAY, "reason": "Flood"}),
    }[change]
    response = booking_api.post(path, admin, **body)
    assert response.status_code in (200, 201), response.text
    listed = response.json()
    assert [group["id"] for group in listed["affected_groups"]] == [empty["id"]]
    names = ("id", "starts_at", "clinician_id", "clinician_name", "room_id", "room_name")
    assert listed["affected_groups"][0] == {name: empty[name] for name in names}
    assert listed["affected_count"] == 1
    assert groups.read(empty)["status"] == "SCHEDULED"


@pytest.mark.parametrize("change", ["exception", "window", "zone"])
def test_changed_hours_list_the_groups_without_seats_outside_them(booking_api: BookingApi, change: str) -> None:
    api, groups = booking_api, Groups(booking_api)
    _, empty, booked = (groups.open(local(MONDAY, hour)) for hour in (13, 8, 10))
    groups.join(booked)
    other = groups.open(local(MONDAY, 8), clinician_id=api.add_clinician().staff_id, room_id=None)
    hours = f"/clinicians/{api.clinician.staff_id}"
    if change == "exception":
        morning = {"available": False, "start_time": "08:00", "end_time": "12:00"}
        response = api.post(f"{hours}/exceptions", on_date=MONDAY, reason="Training", **morning)
        assert response.json()["affected_count"] == 1
    elif change == "window":
        [window] = [
            item for item in api.get(f"{hours}/availability").json()["items"] if item["weekday"] == 1
        ]  # 0 is Sunday
        response = api.patch(f"{hours}/availability/{window['id']}", window["version"], start_time="09:00")
    else:
        version = api.get("/practice", api.practice.admin).json()["version"]
        response = api.patch("/practice", version, api.practice.admin, time_zone="America/Denver")
    assert response.status_code in (200, 201), response.text
    concerned = [empty, other] if change == "zone" else [empty]
    assert [group["id"] for group in response.json()["affected_groups"]] == [group["id"] for group in concerned]


def test_a_leave_lists_the_waitlist_entries_for_the_clinician_alone(booking_api: BookingApi) -> None:
    api, other = booking_api, booking_api.add_clinician()
    own, others = api.clinician.staff_id, other.staff_id

    def wait_for(*clinicians: Any) -> Any:
        return api.post("/waitlist", client_id=make_client(api.practice), clinician_ids=list(clinicians))

    alone, both, either = (wait_for(*clinicians).json() for clinicians in ([own], [own, others], []))
    withdrawn = wait_for(own).json()
    assert api.post(f"/waitlist/{withdrawn['id']}/withdraw").status_code == 200
    left_on = {"left_on": NOW.date() - DAY}
    left = api.post(f"/staff/{own}/deactivate", api.practice.admin, **left_on).json()
    assert [entry["id"] for entry in left["waitlist_entries"]] == [alone["id"]]
    error = assert_error(wait_for(own), "VALIDATION_ERROR", 422)
    assert "Choose another clinician" in str(error["details"])
    assert wait_for(own, others).status_code == 201
    changed = api.patch(f"/waitlist/{either['id']}", either["version"], clinician_ids=[own])
    assert_error(changed, "VALIDATION_ERROR", 422)
    left = api.post(f"/staff/{others}/deactivate", api.practice.admin, **left_on).json()
    assert both["id"] in [entry["id"] for entry in left["waitlist_entries"]]
    assert alone["id"] not in [entry["id"] for entry in left["waitlist_entries"]]
