"""Rooms over HTTP: which there are, what they are blocked for, which are free, how much they are used."""

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
from tests.support.drivers.http import V1, bearer, code_of

ZONE = ZoneInfo("America/New_York")
MONDAY = date(2026, 3, 23)


def local(hour: int, minute: int = 0, on: date = MONDAY) -> datetime:
    return datetime.combine(on, time(hour, minute), ZONE)


def ask(client: TestClient, practice: PracticeFixture, path: str, **query: Any) -> Any:
    answer = client.get(f"{V1}/{path}?{urlencode(query, doseq=True)}", headers=bearer(practice))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def block(client: TestClient, practice: PracticeFixture, room_id: Any, start: datetime, end: datetime) -> Any:
    body = {"starts_at": start.isoformat(), "ends_at": end.isoformat(), "reason": "Painting"}
    return client.post(f"{V1}/rooms/{room_id}/blocks", json=body, headers=bearer(practice))


def test_a_room_is_added_read_changed_and_closed_for_booking(client: TestClient, practice: PracticeFixture) -> None:
    body = {"name": "Blue", "capacity": 3, "equipment": ["whiteboard", "sink", "sink"]}
    made = client.post(f"{V1}/rooms", json=body, headers=bearer(practice))
    assert made.status_code == 201, made.text
    room = made.json()
    assert room == body | {"id": room["id"], "equipment": ["sink", "whiteboard"], "active": True, "version": 1}
    place = f"{V1}/rooms/{room['id']}"
    read = client.get(place, headers=bearer(practice))
    assert read.json() == room
    changed = client.patch(place, json={"capacity": 4}, headers=bearer(practice, if_match=read.headers["etag"]))
    assert changed.json() == room | {"capacity": 4, "version": 2}
    late = client.patch(place, json={"capacity": 5}, headers=bearer(practice, if_match=read.headers["etag"]))
    assert late.status_code == 412
    assert client.post(f"{place}/deactivate", headers=bearer(practice)).json()["active"] is False
    assert ask(client, practice, "rooms", active="true") == []
    assert client.post(f"{place}/activate", headers=bearer(practice)).json()["active"] is True
    assert [found["id"] for found in ask(client, practice, "rooms", active="true")] == [room["id"]]


def test_a_block_takes_the_room_until_it_is_voided(client: TestClient, practice: PracticeFixture) -> None:
    room = make_room(practice)
    made = block(client, practice, room, local(10), local(12))
    assert made.status_code == 201, made.text
    again = block(client, practice, room, local(11), local(13))
    assert (again.status_code, code_of(again)) == (409, "SLOT_TAKEN")
    assert block(client, practice, room, local(12), local(13)).status_code == 201
    place = f"{V1}/rooms/{room}/blocks"
    listed = client.get(f"{place}?{urlencode({'to': local(12).isoformat()})}", headers=bearer(practice)).json()
    assert listed["items"] == [made.json()]
    gone = client.delete(f"{place}/{made.json()['id']}?reason=Not+needed", headers=bearer(practice))
    assert gone.status_code == 204
    assert client.delete(f"{place}/{made.json()['id']}?reason=Again", headers=bearer(practice)).status_code == 404
    assert len(client.get(place, headers=bearer(practice)).json()["items"]) == 1
    assert block(client, practice, room, local(9), local(12)).status_code == 201


def test_a_room_is_not_blocked_while_it_is_booked(client: TestClient, practice: PracticeFixture) -> None:
    room, clinician = make_room(practice), practice.add("clinician")
    make_appointment(practice, clinician, make_client(practice), make_service(practice), local(10), room_id=room)
    taken = block(client, practice, room, local(10, 59), local(12))
    assert (taken.status_code, code_of(taken)) == (409, "SLOT_TAKEN")
    assert "room" in taken.json()["error"]["message"]
    assert block(client, practice, room, local(11), local(12)).status_code == 201


def test_a_block_ends_after_it_begins_and_is_voided_in_its_own_room_only(
    client: TestClient, practice: PracticeFixture
) -> None:
    room, other = make_room(practice), make_room(practice)
    assert block(client, practice, room, local(10), local(10)).status_code == 422
    assert block(client, practice, new_id(), local(10), local(11)).status_code == 404
    made = block(client, practice, room, local(10), local(11)).json()["id"]
    wrong = client.delete(f"{V1}/rooms/{other}/blocks/{made}?reason=Mistake", headers=bearer(practice))
    assert wrong.status_code == 404


def test_free_rooms_are_those_that_will_do_and_that_nothing_takes(
    client: TestClient, practice: PracticeFixture
) -> None:
    clinician, client_id, service = practice.add("clinician"), make_client(practice), make_service(practice)
    free = make_room(practice, 4, equipment=["sink", "whiteboard"])
    small = make_room(practice, 2, equipment=["sink"])
    plain = make_room(practice, 8)
    closed, booked, blocked, came, called_off = (make_room(practice, 9, equipment=["sink"]) for _ in range(5))
    client.post(f"{V1}/rooms/{closed}/deactivate", headers=bearer(practice))
    past = {"status": "COMPLETED", "status_at": local(12), "guarded": False}
    make_appointment(practice, clinician, client_id, service, local(10), room_id=booked)
    make_appointment(practice, clinician, client_id, service, local(10, 30), room_id=came, **past)
    void = past | {"status": "CANCELLED"}
    make_appointment(practice, clinician, client_id, service, local(10), room_id=called_off, **void)
    block(client, practice, blocked, local(8), local(20))

    def ids(start: datetime, end: datetime, **query: Any) -> list[str]:
        span = {"from": start.isoformat(), "to": end.isoformat()}
        return [room["id"] for room in ask(client, practice, "rooms/availability", **span, **query)]

    hour = (local(10), local(11))
    assert ids(*hour) == [str(room) for room in (small, free, plain, called_off)]
    assert ids(*hour, capacity=3, equipment="sink") == [str(free), str(called_off)]
    assert ids(*hour, equipment=["sink", "whiteboard"]) == [str(free)]
    assert str(booked) in ids(local(11), local(12))
    assert str(came) in ids(local(11, 30), local(12))
    assert set(ids(local(7), local(8))) == {
        str(room) for room in (small, free, plain, booked, blocked, came, called_off)
    }


@pytest.mark.parametrize(("days", "status"), [(92, 200), (92.1, 422), (0, 422), (-1, 422)])
def test_a_span_is_forward_and_of_92_days_at_most(
    client: TestClient, practice: PracticeFixture, days: float, status: int
) -> None:
    end = local(10) + timedelta(days=days)
    span = urlencode({"from": local(10).isoformat(), "to": end.isoformat()})
    assert client.get(f"{V1}/rooms/availability?{span}", headers=bearer(practice)).status_code == status


@pytest.mark.parametrize(("last", "status"), [("2026-04-02", 200), ("2026-04-03", 422), ("2025-12-31", 422)])
def test_a_span_of_dates_counts_both_ends(
    client: TestClient, practice: PracticeFixture, last: str, status: int
) -> None:
    asked = f"{V1}/rooms/utilisation?from=2026-01-01&to={last}"
    assert client.get(asked, headers=bearer(practice)).status_code == status


def use(client: TestClient, practice: PracticeFixture, first: date, last: date) -> dict[str, Any]:
    span = {"from": first.isoformat(), "to": last.isoformat()}
    return {room.pop("room_id"): room for room in ask(client, practice, "rooms/utilisation", **span)}


def test_how_much_rooms_are_used(client: TestClient, practice: PracticeFixture) -> None:
    clinician, early, gone = (practice.add("clinician") for _ in range(3))
    with practice.work() as work:
        deactivate_staff(work, gone.staff_id, date(2026, 3, 1))
    service, room, idle = make_service(practice), make_room(practice), make_room(practice)

    def window(who: Any, weekday: int, start: int, end: int, **more: Any) -> AvailabilityWindow:
        times = {"start_time": time(start), "end_time": time(end)}
        return AvailabilityWindow(id=new_id(), clinician_id=who.staff_id, weekday=weekday, **times, **more)

    put(
        practice,
        *(window(clinician, weekday, 9, 17) for weekday in range(1, 6)),
        window(early, 1, 8, 12),
        window(early, 2, 7, 12, ends_on=date(2026, 3, 23)),
        window(early, 3, 7, 12, effective_on=date(2026, 3, 26)),
        window(early, 4, 7, 12, voided_at=practice.now),
        window(gone, 2, 6, 20),
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

    def book(start: datetime, minutes: int, **more: Any) -> None:
        end = start + timedelta(minutes=minutes)
        make_appointment(practice, clinician, make_client(practice), service, start, ends_at=end, room_id=room, **more)

    book(local(10), 90, group_session_id=group.id)
    book(local(10), 90, group_session_id=group.id)
    book(local(12), 60)
    book(local(14), 60, status="CANCELLED", status_at=practice.now)
    book(local(15), 45, status="COMPLETED", status_at=practice.now, guarded=False)
    book(local(23, 30, on=date(2026, 3, 29)), 60)
    found = use(client, practice, MONDAY, date(2026, 3, 29))
    opened = 9 * 60 + 3 * 8 * 60  # Monday from eight, Friday closed
    booked = 90 + 60 + 45 + 30
    assert found[str(room)]["booked_minutes"] == booked
    assert found[str(room)]["blocked_minutes"] == 60
    assert found[str(room)]["open_minutes"] == opened
    assert found[str(room)]["utilisation"] == round(booked / opened, 4)
    assert found[str(idle)]["utilisation"] == 0
    sunday = use(client, practice, date(2026, 3, 22), date(2026, 3, 22))
    assert sunday[str(idle)]["utilisation"] is None
    assert (sunday[str(room)]["blocked_minutes"], sunday[str(room)]["open_minutes"]) == (120, 0)


def test_on_the_day_on_which_the_clock_goes_forward_an_hour_is_not_open(
    client: TestClient, practice: PracticeFixture
) -> None:
    open_hours(practice, practice.add("clinician"), time(0, 0), time(12, 0))
    room = make_room(practice)
    days = [date(2026, 3, 7), date(2026, 3, 8)]
    assert [use(client, practice, day, day)[str(room)]["open_minutes"] for day in days] == [720, 660]


def test_a_room_that_is_closed_counts_while_it_was_used(client: TestClient, practice: PracticeFixture) -> None:
    room = make_room(practice)
    block(client, practice, room, local(9), local(10))
    client.post(f"{V1}/rooms/{room}/deactivate", headers=bearer(practice))
    assert set(use(client, practice, MONDAY, MONDAY)) == {str(room)}
    assert use(client, practice, date(2026, 3, 24), date(2026, 3, 25)) == {}
