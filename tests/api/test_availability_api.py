"""Availability over HTTP: weekly windows, exceptions, blocks, closures, and their effect on bookings."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.errors import Invalid
from practice.scheduling.availability.hours import add_window
from practice.scheduling.availability.queries import load_hours
from practice.scheduling.availability.rules.free_time import Window
from practice.scheduling.models.waitlist import WaitlistEntry, WaitlistOffer
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, open_hours, put
from tests.support.drivers.http import V1, assert_invalid, auth_headers, error_code, void
from tests.support.drivers.waiting import collide

ZONE = ZoneInfo("America/New_York")
MONDAY, TUESDAY = date(2026, 3, 23), date(2026, 3, 24)
MORNING = {"weekday": 1, "start_time": "09:00", "end_time": "12:00"}
REASON = {"reason": "Entered twice"}
NOTHING_AFFECTED: dict[str, Any] = {"affected_count": 0, "affected": [], "affected_groups": []}


def local(hour: int, minute: int = 0, on: date = MONDAY) -> datetime:
    return datetime.combine(on, time(hour, minute), ZONE)


class AvailabilityApi:
    """A clinician's availability, as managed by a person of the practice."""

    def __init__(
        self, client: TestClient, practice: PracticeFixture, clinician: Person, person: Person | None = None
    ) -> None:
        self.client, self.practice, self.clinician, self.person = client, practice, clinician, person
        self.base_url = f"{V1}/clinicians/{clinician.staff_id}"

    def by(self, person: Person) -> "AvailabilityApi":
        return AvailabilityApi(self.client, self.practice, self.clinician, person)

    def call(self, method: str, path: str, body: Any = None, version: int | None = None) -> Any:
        match = {} if version is None else {"if_match": f'"{version}"'}
        headers = auth_headers(self.practice, self.person, **match)
        return self.client.request(method, f"{self.base_url}/{path}", json=body, headers=headers)

    def open(self, **fields: Any) -> Any:
        return self.call("POST", "availability", MORNING | fields)

    def close(self, on: date = MONDAY, **fields: Any) -> Any:
        return self.call("POST", "exceptions", {"on_date": on.isoformat(), "available": False} | fields)

    def book(self, start: datetime, service: UUID | None = None, **fields: Any) -> UUID:
        service = service or make_service(self.practice)
        return make_appointment(self.practice, self.clinician, make_client(self.practice), service, start, **fields)


@pytest.fixture
def hours(client: TestClient, practice: PracticeFixture) -> AvailabilityApi:
    return AvailabilityApi(client, practice, practice.add("clinician", supervisor=practice.add("supervisor")))


def test_hours_are_opened_read_changed_and_voided(hours: AvailabilityApi, practice: PracticeFixture) -> None:
    service = make_service(practice, "INTAKE")
    created = hours.open(services=["INTAKE"], effective_on="2026-03-01")
    assert created.status_code == 201, created.text
    window = created.json()
    fields = {"effective_on": "2026-03-01", "ends_on": None, "services": ["INTAKE"], "version": 1} | NOTHING_AFFECTED
    assert window == MORNING | fields | {"id": window["id"]}
    listed_window = {name: value for name, value in window.items() if name not in NOTHING_AFFECTED}
    assert hours.call("GET", "availability").json()["items"] == [listed_window]
    path = f"availability/{window['id']}"
    changed = hours.call("PATCH", path, {"end_time": "13:30", "services": []}, version=1)
    assert changed.json() == window | {"end_time": "13:30", "services": [], "version": 2}
    assert changed.headers["etag"] == '"2"'
    assert hours.call("PATCH", path, {"end_time": "14:00"}, version=1).status_code == 412
    updated = hours.call("PATCH", path, {"services": ["INTAKE"], "ends_on": "2026-12-31"}, version=2)
    assert (updated.json()["services"], updated.json()["end_time"]) == (["INTAKE"], "13:30")
    with practice.work() as work:
        loaded = load_hours(work, [hours.clinician.staff_id], MONDAY, MONDAY)[hours.clinician.staff_id]
    since, until = date(2026, 3, 1), date(2026, 12, 31)
    assert loaded.windows == [Window(1, time(9), time(13, 30), since, until, frozenset({service}))]
    assert hours.call("DELETE", path).status_code == 422
    assert hours.call("DELETE", path, REASON).json() == NOTHING_AFFECTED
    assert hours.call("DELETE", path, REASON).status_code == 404
    assert hours.call("GET", "availability").json()["items"] == []


def test_overlapping_hours_are_refused_with_the_conflicting_ones(
    hours: AvailabilityApi, practice: PracticeFixture
) -> None:
    make_service(practice, "A"), make_service(practice, "B")
    assert hours.open(services=["A"], ends_on="2026-06-30").status_code == 201
    assert hours.open(services=["B"]).status_code == 201
    assert hours.open(weekday=2).status_code == 201
    assert hours.open(start_time="12:00", end_time="13:00").status_code == 201
    response = hours.open(start_time="11:00", end_time="12:30", effective_on="2026-07-01")
    assert [problem[:64] for problem in assert_invalid(response)] == [
        "start_time: These hours overlap those of Monday 09:00-12:00. Cha",
        "start_time: These hours overlap those of Monday 12:00-13:00. Cha",
    ]
    assert hours.open(services=["A"], effective_on="2026-07-01").status_code == 201
    first = hours.call("GET", "availability").json()["items"][0]["id"]
    for version, end, status in [(1, "11:00", 200), (2, "12:00", 200), (3, "12:01", 422)]:
        changed = hours.call("PATCH", f"availability/{first}", {"end_time": end}, version=version)
        assert changed.status_code == status, end


def test_all_problems_of_hours_are_reported_together(hours: AvailabilityApi) -> None:
    response = hours.open(start_time="13:00", effective_on="2026-05-02", ends_on="2026-05-01", services=["X", "Y"])
    assert [problem.partition(":")[0] for problem in assert_invalid(response)] == [
        *("services.item 1", "services.item 2", "end_time", "ends_on")
    ]


def test_concurrent_overlapping_hours_are_refused(hours: AvailabilityApi, practice: PracticeFixture) -> None:
    def open_hours(work: Work) -> None:
        window = {"weekday": 1, "start_time": time(9), "end_time": time(12), "effective_on": None, "ends_on": None}
        add_window(work, Scope.ALL, hours.clinician.staff_id, services=[], **window)

    with pytest.raises(Invalid, match="Monday 09:00-12:00"):
        collide(practice, open_hours, open_hours).result()


def test_clinicians_manage_their_own_hours_and_supervisors_see_their_team(
    hours: AvailabilityApi, practice: PracticeFixture
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


def list_affected(response: Any) -> list[str]:
    """Return the ids of the affected visits."""
    body = response.json()
    assert body["affected_count"] == len(body["affected"])
    return [visit["id"] for visit in body["affected"]]


def list_outside_hours(hours: AvailabilityApi, person: Person | None = None, query: str = "") -> list[str]:
    path = f"{V1}/appointments?outside_hours=true&fields=id{query}"
    response = hours.client.get(path, headers=auth_headers(hours.practice, person))
    assert response.status_code == 200, response.text
    return [visit["id"] for visit in response.json()["items"]]


def test_a_change_lists_only_the_visits_that_it_puts_outside_the_hours(
    hours: AvailabilityApi, practice: PracticeFixture
) -> None:
    couples = make_service(practice, "COUPLES")
    hours.open(weekday=2)  # Tuesday morning
    created = hours.open(end_time="13:00")
    early, late = hours.book(local(9)), hours.book(local(11), ends_at=local(12, 30))
    couple = hours.book(local(10, on=TUESDAY), couples)
    unrelated = hours.book(local(18))  # outside the hours from the start
    hours.book(local(10), status="CANCELLED", status_at=practice.now)
    hours.book(local(10, on=date(2026, 3, 16)))  # the past
    path = f"availability/{created.json()['id']}"
    shorter = hours.call("PATCH", path, {"end_time": "12:00"}, version=1)
    assert list_affected(shorter) == [str(late)]
    [visit] = shorter.json()["affected"]
    assert (visit["starts_at"], visit["clinician_id"]) == ("2026-03-23T15:00:00Z", str(hours.clinician.staff_id))
    assert visit["reference"].startswith("BK-")
    assert visit["client_name"].startswith("Casey Example")
    assert visit["clinician_name"].startswith("Robin Tester")
    assert list_affected(hours.close(start_time="09:00", end_time="09:30")) == [str(early)]
    assert list_affected(hours.open(weekday=5)) == []
    [tuesday] = [item for item in hours.call("GET", "availability").json()["items"] if item["weekday"] == 2]
    make_service(practice, "OTHER")
    limited = hours.call("PATCH", f"availability/{tuesday['id']}", {"services": ["OTHER"]}, version=1)
    assert list_affected(limited) == [str(couple)]
    assert list_affected(hours.call("DELETE", path, REASON)) == []  # both were outside before
    outside = [str(visit) for visit in (early, late, unrelated, couple)]
    assert list_outside_hours(hours) == outside
    assert list_outside_hours(hours, query="&to=2026-03-23") == outside[:3]
    assert list_outside_hours(hours, hours.clinician) == outside
    assert list_outside_hours(hours, practice.add("clinician")) == []
    assert hours.by(hours.clinician).call("DELETE", f"availability/{tuesday['id']}", REASON).status_code == 200


def test_opening_the_hours_again_ends_the_list(hours: AvailabilityApi, practice: PracticeFixture) -> None:
    hours.open()
    visit = hours.book(local(10))
    exception = hours.close()
    assert list_affected(exception) == list_outside_hours(hours) == [str(visit)]
    assert list_affected(hours.call("DELETE", f"exceptions/{exception.json()['id']}", REASON)) == []
    assert list_outside_hours(hours) == []
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update staff set left_on = '2026-03-22' where id = :id"), {"id": hours.clinician.staff_id})
    assert list_outside_hours(hours) == [str(visit)]


def test_an_exception_is_added_listed_changed_and_voided(hours: AvailabilityApi) -> None:
    created = hours.close(reason="Conference")
    assert created.status_code == 201, created.text
    day = created.json()
    times = {"start_time": None, "end_time": None}
    window = {"on_date": "2026-03-23", "available": False, "reason": "Conference", "version": 1} | NOTHING_AFFECTED
    assert day == window | times | {"id": day["id"]}
    hours.close(TUESDAY, available=True, start_time="18:00", end_time="20:00")
    listed = hours.call("GET", "exceptions?to=2026-03-23").json()["items"]
    assert [exception["id"] for exception in listed] == [day["id"]]
    assert len(hours.call("GET", "exceptions?from=2026-03-23&to=2026-03-24").json()["items"]) == 2
    path = f"exceptions/{day['id']}"
    times_changed = {"start_time": "12:00", "end_time": "14:00"}
    changed = hours.call("PATCH", path, times_changed, version=1)
    assert changed.json() == day | times_changed | {"version": 2}
    assert hours.call("PATCH", path, times_changed, version=1).status_code == 412
    assert hours.call("PATCH", path, {"start_time": None}, version=2).status_code == 422
    assert hours.call("PATCH", path, {"start_time": None, "end_time": None}, version=2).status_code == 200
    assert hours.call("PATCH", path, {"available": True}, version=3).status_code == 422
    assert hours.call("DELETE", path, REASON).json() == NOTHING_AFFECTED
    assert len(hours.call("GET", "exceptions").json()["items"]) == 1


def test_a_block_takes_time_that_is_not_booked(hours: AvailabilityApi, practice: PracticeFixture) -> None:
    booked = hours.book(local(10))

    def add_block(start: datetime, end: datetime) -> Any:
        body = {"starts_at": start.isoformat(), "ends_at": end.isoformat(), "reason": "Team"}
        return hours.call("POST", "blocks", body)

    conflict = add_block(local(10, 30), local(12))
    assert (conflict.status_code, error_code(conflict)) == (409, "SLOT_TAKEN")
    assert "clinician" in conflict.json()["error"]["message"]
    assert [visit["id"] for visit in conflict.json()["error"]["details"]["appointments"]] == [str(booked)]
    created = add_block(local(11), local(12))
    assert created.status_code == 201, created.text
    assert created.json()["clinician_id"] == str(hours.clinician.staff_id)
    assert hours.call("GET", "blocks").json()["items"] == [created.json()]
    path = f"blocks/{created.json()['id']}"
    assert hours.by(practice.add("clinician")).call("DELETE", path, REASON).status_code == 404
    assert hours.call("DELETE", path, REASON).status_code == 204
    assert add_block(local(11), local(12)).status_code == 201


def test_an_expired_waitlist_offer_does_not_prevent_a_block(hours: AvailabilityApi, practice: PracticeFixture) -> None:
    waitlist_entry = WaitlistEntry(
        id=new_id(), client_id=make_client(practice), status="OFFERED", created_at=practice.now
    )
    offer = WaitlistOffer(
        id=new_id(),
        entry_id=waitlist_entry.id,
        clinician_id=hours.clinician.staff_id,
        service_id=make_service(practice),
        telehealth=False,
        starts_at=local(10),
        ends_at=local(11),
        offered_at=practice.now - timedelta(days=1),
        holds_until=practice.now + timedelta(seconds=1),
    )
    put(practice, waitlist_entry, offer)
    body = {"starts_at": local(10).isoformat(), "ends_at": local(11).isoformat()}
    conflict = hours.call("POST", "blocks", body)
    assert (conflict.status_code, "waitlist" in conflict.json()["error"]["message"]) == (409, True)
    hours.client.app.state.clock = lambda: practice.now + timedelta(seconds=1)
    assert hours.call("POST", "blocks", body).status_code == 201


# Closures


def test_a_closure_lists_the_visits_of_its_day(
    client: TestClient, hours: AvailabilityApi, practice: PracticeFixture
) -> None:
    open_hours(practice, hours.clinician)
    visits = [hours.book(local(0)), hours.book(local(23, 30))]
    hours.book(local(12), status="CANCELLED", status_at=practice.now)
    next_day = hours.book(local(1, on=TUESDAY))
    body = {"closed_on": "2026-03-23", "reason": "Storm"}
    created = client.post(f"{V1}/closures", json=body, headers=auth_headers(practice))
    assert created.status_code == 201, created.text
    assert list_affected(created) == [str(visit) for visit in visits]
    assert created.json() == body | {name: created.json()[name] for name in NOTHING_AFFECTED}
    again = client.post(f"{V1}/closures", json=body, headers=auth_headers(practice))
    assert (again.status_code, error_code(again)) == (409, "CLOSED_ALREADY")
    for query, expected in [("", [body]), ("?from=2026-03-24", []), ("?to=2026-03-23", [body])]:
        assert client.get(f"{V1}/closures{query}", headers=auth_headers(practice)).json()["items"] == expected
    assert list_affected(hours.close(TUESDAY)) == [str(next_day)]
    path = f"{V1}/closures/2026-03-23"
    assert void(client, path, auth_headers(practice)).status_code == 204
    assert void(client, path, auth_headers(practice)).status_code == 404
    assert client.get(f"{V1}/closures", headers=auth_headers(practice)).json()["items"] == []
    assert client.post(f"{V1}/closures", json=body, headers=auth_headers(practice)).status_code == 201
