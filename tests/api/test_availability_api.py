"""Clinicians' hours over HTTP: weekly windows, days that differ, meetings, closures, and what they do to bookings."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from practice.errors import Invalid
from practice.scheduling.availability.hours import add_window
from practice.scheduling.availability.queries import hours_of
from practice.scheduling.availability.rules.free_time import Window
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, open_hours, put
from tests.support.drivers.http import V1, bearer, code_of
from tests.support.drivers.waiting import collide

ZONE = ZoneInfo("America/New_York")
MONDAY, TUESDAY = date(2026, 3, 23), date(2026, 3, 24)
MORNING = {"weekday": 1, "start_time": "09:00", "end_time": "12:00"}
WHY = "?reason=Entered+twice"


def local(hour: int, minute: int = 0, on: date = MONDAY) -> datetime:
    return datetime.combine(on, time(hour, minute), ZONE)


class Hours:
    """A clinician's hours, as one of the practice writes them."""

    def __init__(
        self, client: TestClient, practice: PracticeFixture, clinician: Person, who: Person | None = None
    ) -> None:
        self.client, self.practice, self.clinician, self.who = client, practice, clinician, who
        self.place = f"{V1}/clinicians/{clinician.staff_id}"

    def by(self, who: Person) -> "Hours":
        return Hours(self.client, self.practice, self.clinician, who)

    def call(self, method: str, path: str, body: Any = None, version: int | None = None) -> Any:
        match = {} if version is None else {"if_match": f'"{version}"'}
        headers = bearer(self.practice, self.who, **match)
        return self.client.request(method, f"{self.place}/{path}", json=body, headers=headers)

    def open(self, **more: Any) -> Any:
        return self.call("POST", "availability", MORNING | more)

    def close(self, on: date = MONDAY, **more: Any) -> Any:
        return self.call("POST", "exceptions", {"on_date": on.isoformat(), "available": False} | more)

    def book(self, start: datetime, service: UUID | None = None, **more: Any) -> UUID:
        service = service or make_service(self.practice)
        return make_appointment(self.practice, self.clinician, make_client(self.practice), service, start, **more)


@pytest.fixture
def hours(client: TestClient, practice: PracticeFixture) -> Hours:
    return Hours(client, practice, practice.add("clinician", supervisor=practice.add("supervisor")))


def test_hours_are_opened_read_changed_and_voided(hours: Hours, practice: PracticeFixture) -> None:
    service = make_service(practice, "INTAKE")
    made = hours.open(services=["INTAKE"], effective_on="2026-03-01")
    assert made.status_code == 201, made.text
    window = made.json()
    more = {"effective_on": "2026-03-01", "ends_on": None, "services": ["INTAKE"], "version": 1, "affected": 0}
    assert window == MORNING | more | {"id": window["id"]}
    shown = {name: value for name, value in window.items() if name != "affected"}
    assert hours.call("GET", "availability").json()["items"] == [shown]
    place = f"availability/{window['id']}"
    changed = hours.call("PATCH", place, {"end_time": "13:30", "services": []}, version=1)
    assert changed.json() == window | {"end_time": "13:30", "services": [], "version": 2}
    assert changed.headers["etag"] == '"2"'
    assert hours.call("PATCH", place, {"end_time": "14:00"}, version=1).status_code == 412
    kept = hours.call("PATCH", place, {"services": ["INTAKE"], "ends_on": "2026-12-31"}, version=2)
    assert (kept.json()["services"], kept.json()["end_time"]) == (["INTAKE"], "13:30")
    with practice.work() as work:
        found = hours_of(work, [hours.clinician.staff_id], MONDAY, MONDAY)[hours.clinician.staff_id]
    since, until = date(2026, 3, 1), date(2026, 12, 31)
    assert found.windows == [Window(1, time(9), time(13, 30), since, until, frozenset({service}))]
    assert hours.call("DELETE", place).status_code == 422
    assert hours.call("DELETE", place + WHY).json() == {"affected": 0}
    assert hours.call("DELETE", place + WHY).status_code == 404
    assert hours.call("GET", "availability").json()["items"] == []


def test_hours_that_overlap_are_refused_and_it_is_said_which(hours: Hours, practice: PracticeFixture) -> None:
    make_service(practice, "A"), make_service(practice, "B")
    assert hours.open(services=["A"], ends_on="2026-06-30").status_code == 201
    assert hours.open(services=["B"]).status_code == 201
    assert hours.open(weekday=2).status_code == 201
    assert hours.open(start_time="12:00", end_time="13:00").status_code == 201
    refused = hours.open(start_time="11:00", end_time="12:30", effective_on="2026-07-01")
    assert refused.status_code == 422
    problems = refused.json()["error"]["details"]["problems"]
    assert [problem[:52] for problem in problems] == [
        "These hours overlap those of Monday 09:00-12:00: cha",
        "These hours overlap those of Monday 12:00-13:00: cha",
    ]
    assert hours.open(services=["A"], effective_on="2026-07-01").status_code == 201
    first = hours.call("GET", "availability").json()["items"][0]["id"]
    for version, end, status in [(1, "11:00", 200), (2, "12:00", 200), (3, "12:01", 422)]:
        changed = hours.call("PATCH", f"availability/{first}", {"end_time": end}, version=version)
        assert changed.status_code == status, end


def test_hours_that_are_wrong_in_several_ways_say_all_of_them(hours: Hours) -> None:
    wrong = hours.open(start_time="13:00", effective_on="2026-05-02", ends_on="2026-05-01", services=["X", "Y"])
    assert wrong.status_code == 422
    assert len(wrong.json()["error"]["details"]["problems"]) == 4


def test_of_two_who_open_the_same_hours_at_the_same_moment_the_second_hears_of_the_first(
    hours: Hours, practice: PracticeFixture
) -> None:
    def open_hours(work: Work) -> None:
        about = {"weekday": 1, "start_time": time(9), "end_time": time(12), "effective_on": None, "ends_on": None}
        add_window(work, Scope.ALL, hours.clinician.staff_id, services=[], **about)

    with pytest.raises(Invalid, match="Monday 09:00-12:00"):
        collide(practice, open_hours, open_hours).result()


def test_clinicians_keep_their_own_hours_and_supervisors_see_those_of_their_team(
    hours: Hours, practice: PracticeFixture
) -> None:
    colleague, scheduler = practice.add("clinician"), practice.add("scheduler")
    stranger = practice.add("supervisor")
    supervisor = next(person for person in practice.people.values() if "supervisor" in person.roles)
    assert hours.by(hours.clinician).open().status_code == 201
    assert hours.by(scheduler).open(weekday=2).status_code == 201
    assert hours.by(colleague).open(weekday=3).status_code == 404
    assert hours.by(colleague).close().status_code == 404
    assert hours.by(colleague).call("GET", "availability").status_code == 404
    assert hours.by(stranger).call("GET", "availability").status_code == 404
    assert hours.by(supervisor).open(weekday=4).status_code == 403


def test_what_is_booked_outside_the_hours_after_a_change_is_counted(hours: Hours, practice: PracticeFixture) -> None:
    couples = make_service(practice, "COUPLES")
    hours.book(local(9))
    hours.book(local(11), ends_at=local(12, 30))
    hours.book(local(10, on=TUESDAY), couples)
    hours.book(local(14), status="CANCELLED", status_at=practice.now)
    hours.book(local(14, on=date(2026, 3, 16)))  # the past
    made = hours.open()
    assert made.json()["affected"] == 2
    longer = hours.call("PATCH", f"availability/{made.json()['id']}", {"end_time": "13:00"}, version=1)
    assert longer.json()["affected"] == 1
    other = hours.open(weekday=2, services=["COUPLES"])
    assert other.json()["affected"] == 0
    make_service(practice, "OTHER")
    limited = hours.call("PATCH", f"availability/{other.json()['id']}", {"services": ["OTHER"]}, version=1)
    assert limited.json()["affected"] == 1
    assert hours.close(start_time="10:00", end_time="11:30").json()["affected"] == 2
    assert hours.call("DELETE", f"availability/{made.json()['id']}{WHY}").json() == {"affected": 3}


def test_a_day_that_differs_is_added_listed_changed_and_voided(hours: Hours) -> None:
    made = hours.close(reason="Conference")
    assert made.status_code == 201, made.text
    day = made.json()
    times = {"start_time": None, "end_time": None}
    about = {"on_date": "2026-03-23", "available": False, "reason": "Conference", "version": 1, "affected": 0}
    assert day == about | times | {"id": day["id"]}
    hours.close(TUESDAY, available=True, start_time="18:00", end_time="20:00")
    listed = hours.call("GET", "exceptions?to=2026-03-23").json()["items"]
    assert [found["id"] for found in listed] == [day["id"]]
    assert len(hours.call("GET", "exceptions?from=2026-03-23&to=2026-03-24").json()["items"]) == 2
    place = f"exceptions/{day['id']}"
    stretch = {"start_time": "12:00", "end_time": "14:00"}
    changed = hours.call("PATCH", place, stretch, version=1)
    assert changed.json() == day | stretch | {"version": 2}
    assert hours.call("PATCH", place, stretch, version=1).status_code == 412
    assert hours.call("PATCH", place, {"start_time": None}, version=2).status_code == 422
    assert hours.call("PATCH", place, {"start_time": None, "end_time": None}, version=2).status_code == 200
    assert hours.call("PATCH", place, {"available": True}, version=3).status_code == 422
    assert hours.call("DELETE", place + WHY).json() == {"affected": 0}
    assert len(hours.call("GET", "exceptions").json()["items"]) == 1


def test_a_meeting_takes_time_that_nobody_booked(hours: Hours, practice: PracticeFixture) -> None:
    hours.book(local(10))

    def meet(start: datetime, end: datetime) -> Any:
        body = {"starts_at": start.isoformat(), "ends_at": end.isoformat(), "reason": "Team"}
        return hours.call("POST", "blocks", body)

    taken = meet(local(10, 30), local(12))
    assert (taken.status_code, code_of(taken)) == (409, "SLOT_TAKEN")
    assert "clinician" in taken.json()["error"]["message"]
    made = meet(local(11), local(12))
    assert made.status_code == 201, made.text
    assert made.json()["clinician_id"] == str(hours.clinician.staff_id)
    assert hours.call("GET", "blocks").json()["items"] == [made.json()]
    place = f"blocks/{made.json()['id']}"
    assert hours.by(practice.add("clinician")).call("DELETE", place + WHY).status_code == 404
    assert hours.call("DELETE", place + WHY).status_code == 204
    assert meet(local(11), local(12)).status_code == 201


def test_an_offer_that_nobody_took_in_time_keeps_no_meeting_out(hours: Hours, practice: PracticeFixture) -> None:
    entry = WaitlistEntry(id=new_id(), client_id=make_client(practice), status="OFFERED", created_at=practice.now)
    offer = WaitlistOffer(
        id=new_id(),
        entry_id=entry.id,
        clinician_id=hours.clinician.staff_id,
        service_id=make_service(practice),
        telehealth=False,
        starts_at=local(10),
        ends_at=local(11),
        offered_at=practice.now - timedelta(days=1),
        holds_until=practice.now + timedelta(seconds=1),
    )
    put(practice, entry, offer)
    body = {"starts_at": local(10).isoformat(), "ends_at": local(11).isoformat()}
    assert hours.call("POST", "blocks", body).status_code == 409
    hours.client.app.state.clock = lambda: practice.now + timedelta(seconds=1)
    assert hours.call("POST", "blocks", body).status_code == 201


# Closures


def test_closing_the_practice_for_a_day_counts_what_is_booked_then(
    client: TestClient, hours: Hours, practice: PracticeFixture
) -> None:
    open_hours(practice, hours.clinician)
    hours.book(local(0))
    hours.book(local(23, 30))
    hours.book(local(12), status="CANCELLED", status_at=practice.now)
    hours.book(local(1, on=TUESDAY))
    body = {"closed_on": "2026-03-23", "reason": "Storm"}
    made = client.post(f"{V1}/closures", json=body, headers=bearer(practice))
    assert made.status_code == 201, made.text
    assert made.json() == body | {"affected": 2}
    again = client.post(f"{V1}/closures", json=body, headers=bearer(practice))
    assert (again.status_code, code_of(again)) == (409, "CLOSED_ALREADY")
    for query, found in [("", [body]), ("?from=2026-03-24", []), ("?to=2026-03-23", [body])]:
        assert client.get(f"{V1}/closures{query}", headers=bearer(practice)).json()["items"] == found
    assert hours.close(TUESDAY).json()["affected"] == 3
    place = f"{V1}/closures/2026-03-23?reason=It+passed"
    assert client.delete(place, headers=bearer(practice)).status_code == 204
    assert client.delete(place, headers=bearer(practice)).status_code == 404
    assert client.get(f"{V1}/closures", headers=bearer(practice)).json()["items"] == []
    assert client.post(f"{V1}/closures", json=body, headers=bearer(practice)).status_code == 201
