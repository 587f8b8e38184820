"""A practice that can be booked, and its API as the people at the front desk, in the rooms and at home use it."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.local_time import instant
from practice.scheduling.models.availability import AvailabilityException, Block, Closure
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client, make_room, make_service, open_hours, put
from tests.support.drivers.api import ApiDriver
from tests.support.drivers.http import V1, code_of

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 3, 23)  # five days after the tests' now
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def wall(day: date, hour: int, minute: int = 0) -> datetime:
    """What the practice's clock on the wall shows, as an instant."""
    return instant(day, time(hour, minute), NEW_YORK)


class BookingApi(ApiDriver):
    """Open from eight to eight every day; one clinician, one room, one client, and one service of an hour (TALK)."""

    def __init__(self, http: TestClient, practice: PracticeFixture) -> None:
        super().__init__(http, practice)
        self.scheduler = practice.add("scheduler")
        self.clinician = self.add_clinician()
        self.service = make_service(practice, "TALK")
        self.room = make_room(practice)
        self.client = make_client(practice, self.clinician)

    def add_clinician(self, start: time = time(8), end: time = time(20), **more: Any) -> Person:
        clinician = self.practice.add("clinician", **more)
        open_hours(self.practice, clinician, start, end)
        return clinician

    def portal(self, clinician: Person | None = None) -> Person:
        """A client with a sign-in; their `staff_id` is the client's id."""
        return make_portal_client(self.practice, clinician or self.clinician)

    # The API

    def headers(self, by: Person | None = None, **more: str) -> dict[str, str]:
        return self.signed_in(by or self.scheduler, **more)

    def get(self, path: str, by: Person | None = None, **query: Any) -> Any:
        asked = {name.rstrip("_"): shown(value) for name, value in query.items()}
        return self.http.get(V1 + path, params=asked, headers=self.headers(by))

    def post(self, path: str, by: Person | None = None, **body: Any) -> Any:
        return self.http.post(V1 + path, json=shown(body), headers=self.headers(by))

    def patch(self, path: str, version: int, by: Person | None = None, **body: Any) -> Any:
        return self.http.patch(V1 + path, json=shown(body), headers=self.headers(by, if_match=f'"{version}"'))

    def wanted(self, start: datetime, **more: Any) -> dict[str, Any]:
        """A booking of the booking_api's client and clinician; what is given as None is left out."""
        usual = {"client_id": self.client, "clinician_id": self.clinician.staff_id, "service_code": "TALK"}
        return {name: value for name, value in (usual | {"starts_at": start} | more).items() if value is not None}

    def book(self, start: datetime, by: Person | None = None, **more: Any) -> Any:
        if by is not None and by.roles == ["client"]:
            more = {"client_id": None} | more
        return self.post("/appointments", by, **self.wanted(start, **more))

    def booked(self, start: datetime, by: Person | None = None, **more: Any) -> dict[str, Any]:
        answer = self.book(start, by, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()["appointment"]

    def step(self, appointment: dict[str, Any] | str | UUID, verb: str, by: Person | None = None, **body: Any) -> Any:
        id = appointment["id"] if isinstance(appointment, dict) else appointment
        return self.post(f"/appointments/{id}/{verb}", by, **body)

    def done(self, appointment: dict[str, Any] | str, verb: str, by: Person | None = None, **body: Any) -> Any:
        answer = self.step(appointment, verb, by, **body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def read(self, appointment: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        return self.get(f"/appointments/{appointment['id']}", by).json()

    # What stands in the way

    def close_on(self, day: date) -> None:
        put(self.practice, Closure(id=new_id(), closed_on=day))

    def away(self, day: date, start: time | None = None, end: time | None = None, *, open: bool = False) -> None:
        change = AvailabilityException(id=new_id(), clinician_id=self.clinician.staff_id, on_date=day, available=open)
        change.start_time, change.end_time = start, end
        put(self.practice, change)

    def block(self, start: datetime, end: datetime, **whom: UUID) -> None:
        put(self.practice, Block(id=new_id(), starts_at=start, ends_at=end, **whom))

    # What is in the database

    def write(self, statement: str, **values: Any) -> None:
        with self.practice.installation.store.session_in(self.practice.id) as db:
            db.execute(text(statement), {"tenant_id": self.practice.id} | values)

    def count(self, table: str) -> int:
        return self.rows(f"select count(*) from {table} where tenant_id = :tenant_id")[0][0]

    def occupied(self) -> set[tuple[str, UUID, datetime]]:
        rows = self.rows("select kind, resource_id, starts_at from occupancies where tenant_id = :tenant_id")
        return {tuple(row) for row in rows}


def shown(value: Any) -> Any:
    """As it is written in JSON or an address."""
    if isinstance(value, dict):
        return {name: shown(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [shown(one) for one in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def at(moment: str) -> datetime:
    """As the API shows it."""
    return datetime.fromisoformat(moment)


def problems_of(answer: Any) -> set[str]:
    """The codes of everything that speaks against a booking."""
    return {problem["code"] for problem in answer.json()["error"]["details"]["problems"]}


def refused(answer: Any, code: str, status: int = 409) -> dict[str, Any]:
    """The error, which has to have this code and be a sentence."""
    assert (answer.status_code, code_of(answer)) == (status, code), answer.text
    error = answer.json()["error"]
    assert error["message"].endswith(".")
    return error
