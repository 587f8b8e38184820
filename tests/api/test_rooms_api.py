"""Rooms over HTTP: records, blocks, availability, utilization."""

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from practice.people.staff import deactivate_staff
from practice.scheduling.models.appointments import GroupSession
from practice.scheduling.models.availability import AvailabilityWindow, Block, Closure
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_room, make_service, open_hours, put
from tests.support.drivers.http import V1, auth_headers, error_code, void

ZONE = ZoneInfo("America/New_York")
MONDAY = date(2026, 3, 23)


def local(hour: int, minute: int = 0, on: date = MONDAY) -> datetime:
    return datetime.combine(on, time(hour, minute), ZONE)


def get_items(client: TestClient, practice: PracticeFixture, path: str, **query: Any) -> Any:
    answer = client.get(f"{V1}/{path}?{urlencode(query, doseq=True)}", headers=auth_headers(practice))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def block(client: TestClient, practice: PracticeFixture, room_id: Any, start: datetime, end: datetime) -> Any:
    body = {"starts_at": start.isoformat(), "ends_at": end.isoformat(), "reason": "Painting"}
    return client.post(f"{V1}/rooms/{room_id}/blocks", json=body, headers=auth_headers(practice))


def test_a_room_is_added_read_changed_and_closed_for_booking(client: TestClient, practice: PracticeFixture) -> None:
    body = {"name": "Blue", "capacity": 3, "equipment": ["whiteboard", "sink", "sink"]}
    created = client.post(f"{V1}/rooms", json=body, headers=auth_headers(practice))
    assert created.status_code == 201, created.text
    room = created.json()
    assert room == body | {"id": room["id"], "equipment": ["sink", "whiteboard"], "active": True, "version": 1}
    url = f"{V1}/rooms/{room['id']}"
    read = client.get(url, headers=auth_headers(practice))
    assert read.json() == room
    changed = client.patch(url, json={"capacity": 4}, headers=auth_headers(practice, if_match=read.headers["etag"]))
    nothing_affected = {"affected": [], "affected_count": 0, "affected_groups": []}
    assert changed.json() == room | {"capacity": 4, "version": 2} | nothing_affected
    stale = client.patch(url, json={"capacity": 5}, headers=auth_headers(practice, if_match=read.headers["etag"]))
    assert stale.status_code == 412
    assert client.post(f"{url}/deactivate", headers=auth_headers(practice)).json()["active"] is False
    assert get_items(client, practice, "rooms", active="true") == []
    assert client.post(f"{url}/activate", headers=auth_headers(practice)).json()["active"] is True
    assert [item["id"] for item in get_items(client, practice, "rooms", active="true")] == [room["id"]]


def test_a_block_takes_the_room_until_it_is_voided(client: TestClient, practice: PracticeFixture) -> None:
    room = make_room(practice)
    created = block(client, practice, room, local(10), local(12))
    assert created.status_code == 201, created.text
    again = block(client, practice, room, local(11), local(13))
    assert (again.status_code, error_code(again)) == (409, "SLOT_TAKEN")
    assert block(client, practice, room, local(12), local(13)).status_code == 201
    url = f"{V1}/rooms/{room}/blocks"
    listed = client.get(
        f"{url}?{urlencode({'starts_before': local(12).isoformat()})}", headers=auth_headers(practice)
    ).json()
    assert listed["items"] == [created.json()]
    assert void(client, f"{url}/{created.json()['id']}", auth_headers(practice)).status_code == 204
    assert void(client, f"{url}/{created.json()['id']}", auth_headers(practice)).status_code == 404
    assert len(client.get(url, headers=auth_headers(practice)).json()["items"]) == 1
    assert block(client, practice, room, local(9), local(12)).status_code == 201


def test_a_room_is_not_blocked_while_it_is_booked(client: TestClient, practice: PracticeFixture) -> None:
    room, clinician = make_room(practice), practice.add("clinician")
    make_appointment(practice, clinician, make_client(practice), make_service(practice), local(10), room_id=room)
    conflict = block(client, practice, room, local(10, 59), local(12))
    assert (conflict.status_code, error_code(conflict)) == (409, "SLOT_TAKEN")
    assert "room" in conflict.json()["error"]["message"]
    assert block(client, practice, room, local(11), local(12)).status_code == 201


def test_a_block_ends_after_it_begins_and_is_voided_in_its_own_room_only(
    client: TestClient, practice: PracticeFixture
) -> None:
    room, other = make_room(practice), make_room(practice)
    assert block(client, practice, room, local(10), local(10)).status_code == 422
    assert block(client, practice, new_id(), local(10), local(11)).status_code == 404
    created = block(client, practice, room, local(10), local(11)).json()["id"]
    wrong = void(client, f"{V1}/rooms/{other}/blocks/{created}", auth_headers(practice))
    assert wrong.status_code == 404


def test_free_rooms_meet_the_requirements_and_are_not_taken(client: TestClient, practice: PracticeFixture) -> None:
    clinician, client_id, service = practice.add("clinician"), make_client(practice), make_service(practice)
    free = make_room(practice, 4, equipment=["sink", "whiteboard"])
    small = make_room(practice, 2, equipment=["sink"])
    plain = make_room(practice, 8)
    closed, booked, blocked, completed, cancelled = (make_room(practice, 9, equipment=["sink"]) for _ in range(5))
    client.post(f"{V1}/rooms/{closed}/deactivate", headers=auth_headers(practice))
    past = {"status": "COMPLETED", "status_at": local(12), "guarded": False}
    make_appointment(practice, clinician, client_id, service, local(10), room_id=booked)
    make_appointment(practice, clinician, client_id, service, local(10, 30), room_id=completed, **past)
    void = past | {"status": "CANCELLED"}
    make_appointment(practice, clinician, client_id, service, local(10), room_id=cancelled, **void)
    block(client, practice, blocked, local(8), local(20))

    def ids(start: datetime, end: datetime, **query: Any) -> list[str]:
        span = {"starts_at": start.isoformat(), "ends_at": end.isoformat()}
        return [room["id"] for room in get_items(client, practice, "rooms/availability", **span, **query)]

    hour = (local(10), local(11))
    assert ids(*hour) == [str(room) for room in (small, free, plain, cancelled)]
    assert ids(*hour, capacity=3, equipment="sink") == [str(free), str(cancelled)]
    assert ids(*hour, equipment=["sink", "whiteboard"]) == [str(free)]
    assert str(booked) in ids(local(11), local(12))
    assert str(completed) in ids(local(11, 30), local(12))
    assert set(ids(local(7), local(8))) == {
        str(room) for room in (small, free, plain, booked, blocked, completed, cancelled)
    }


@pytest.mark.parametrize(("days", "status"), [(92, 200), (92.1, 422), (0, 422), (-1, 422)])
def test_a_period_is_positive_and_at_most_92_days(
    client: TestClient, practice: PracticeFixture, days: float, status: int
) -> None:
    end = local(10) + timedelta(days=days)
    span = urlencode({"starts_at": local(10).isoformat(), "ends_at": end.isoformat()})
    assert client.get(f"{V1}/rooms/availability?{span}", headers=auth_headers(practice)).status_code == status


@pytest.mark.parametrize(("last", "status"), [("2026-04-02", 200), ("2026-04-03", 422), ("2025-12-31", 422)])
def test_a_period_of_dates_includes_both_ends(
    client: TestClient, practice: PracticeFixture, last: str, status: int
) -> None:
    url = f"{V1}/rooms/utilization?from=2026-01-01&to={last}"
    assert client.get(url, headers=auth_headers(practice)).status_code == status


def load_utilization(client: TestClient, practice: PracticeFixture, first: date, last: date) -> dict[str, Any]:
    span = {"from": first.isoformat(), "to": last.isoformat()}
    return {room.pop("room_id"): room for room in get_items(client, practice, "rooms/utilization", **span)}


def test_utilization_is_booked_time_of_open_time(client: TestClient, practice: PracticeFixture) -> None:
    clinician, early, former = (practice.add("clinician") for _ in range(3))
    with practice.work() as work:
        deactivate_staff(work, former.staff_id, date(2026, 3, 1))
    service, room, idle = make_service(practice), make_room(practice), make_room(practice)

    def window(person: Any, weekday: int, start: int, end: int, **fields: Any) -> AvailabilityWindow:
        times = {"start_time": time(start), "end_time": time(end)}
        return AvailabilityWindow(id=new_id(), clinician_id=person.staff_id, weekday=weekday, **times, **fields)

    put(
        practice,
        *(window(clinician, weekday, 9, 17) for weekday in range(1, 6)),
        window(early, 1, 8, 12),
        window(early, 2, 7, 12, ends_on=date(2026, 3, 23)),
        window(early, 3, 7, 12, effective_on=date(2026, 3, 26)),
        window(early, 4, 7, 12, voided_at=practice.now),
        window(former, 2, 6, 20),
        Closure(id=new_id(), closed_on=date(2026, 3, 27)),
        Closure(id=new_id(), closed_on=date(2026, 3, 26), voided_at=practice.now),
    )
    group = GroupSession(
        id=new_id(),
        clinician_id=clinician.staff_id,
        service_id=service,
        room_id=room,
        starts_at=local(10),
        ends_at=local(11, 30),
        capacity=4,
    )
    put(practice, group, Block(id=new_id(), room_id=room, starts_at=local(22, on=date(2026, 3, 22)), ends_at=local(1)))

    def book(start: datetime, minutes: int, **fields: Any) -> None:
        end = start + timedelta(minutes=minutes)
        make_appointment(
            practice, clinician, make_client(practice), service, start, ends_at=end, room_id=room, **fields
        )

    book(local(10), 90, group_session_id=group.id)
    book(local(10), 90, group_session_id=group.id)
    book(local(12), 60)
    book(local(14), 60, status="CANCELLED", status_at=practice.now)
    book(local(15), 45, status="COMPLETED", status_at=practice.now, guarded=False)
    book(local(23, 30, on=date(2026, 3, 29)), 60)
    usage = load_utilization(client, practice, MONDAY, date(2026, 3, 29))
    open_minutes = 9 * 60 + 3 * 8 * 60  # Monday from eight, Friday closed
    booked = 90 + 60 + 45 + 30
    assert usage[str(room)]["booked_minutes"] == booked
    assert usage[str(room)]["blocked_minutes"] == 60
    assert usage[str(room)]["open_minutes"] == open_minutes
    assert usage[str(room)]["utilization"] == round(booked / open_minutes, 4)
    assert usage[str(idle)]["utilization"] == 0
    sunday = load_utilization(client, practice, date(2026, 3, 22), date(2026, 3, 22))
    assert sunday[str(idle)]["utilization"] is None
    assert (sunday[str(room)]["blocked_minutes"], sunday[str(room)]["open_minutes"]) == (120, 0)


def test_an_hour_is_missing_on_the_day_clocks_go_forward(client: TestClient, practice: PracticeFixture) -> None:
    open_hours(practice, practice.add("clinician"), time(0, 0), time(12, 0))
    room = make_room(practice)
    days = [date(2026, 3, 7), date(2026, 3, 8)]
    assert [load_utilization(client, practice, day, day)[str(room)]["open_minutes"] for day in days] == [720, 660]


def test_a_deactivated_room_is_listed_for_days_it_was_used(client: TestClient, practice: PracticeFixture) -> None:
    room = make_room(practice)
    block(client, practice, room, local(9), local(10))
    client.post(f"{V1}/rooms/{room}/deactivate", headers=auth_headers(practice))
    assert set(load_utilization(client, practice, MONDAY, MONDAY)) == {str(room)}
    assert load_utilization(client, practice, date(2026, 3, 24), date(2026, 3, 25)) == {}
