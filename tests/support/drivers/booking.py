"""A bookable practice, and its API as front-desk staff, clinicians and clients use it."""

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.local_time import to_instant
from practice.scheduling.models.availability import AvailabilityException, Block, Closure
from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client, make_room, make_service, open_hours, put
from tests.support.drivers.api import ApiDriver
from tests.support.drivers.http import V1, error_code

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 3, 23)  # five days after the tests' now
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """Return the instant of a local time of the practice."""
    return to_instant(day, time(hour, minute), NEW_YORK)


class BookingApi(ApiDriver):
    """A practice open from eight to eight every day, with a clinician, room, client and one-hour service (TALK)."""

    def __init__(self, http: TestClient, practice: PracticeFixture) -> None:
        super().__init__(http, practice)
        self.scheduler = practice.add("scheduler")
        self.clinician = self.add_clinician()
        self.service = make_service(practice, "TALK")
        self.room = make_room(practice)
        self.client = make_client(practice, self.clinician)

    def add_clinician(self, start: time = time(8), end: time = time(20), **fields: Any) -> Person:
        clinician = self.practice.add("clinician", **fields)
        open_hours(self.practice, clinician, start, end)
        return clinician

    def add_portal_client(self, clinician: Person | None = None) -> Person:
        """Add a client with a sign-in; their `staff_id` is the client's id."""
        return make_portal_client(self.practice, clinician or self.clinician)

    # The API

    def build_headers(self, by: Person | None = None, **fields: str) -> dict[str, str]:
        return super().build_headers(by or self.scheduler, **fields)

    def get(self, path: str, by: Person | None = None, **query: Any) -> Any:
        parameters = {name.rstrip("_"): to_json(value) for name, value in query.items()}
        return self.http.get(V1 + path, params=parameters, headers=self.build_headers(by))

    def post(self, path: str, by: Person | None = None, **body: Any) -> Any:
        return self.http.post(V1 + path, json=to_json(body), headers=self.build_headers(by))

    def patch(self, path: str, version: int, by: Person | None = None, **body: Any) -> Any:
        return self.http.patch(V1 + path, json=to_json(body), headers=self.build_headers(by, if_match=f'"{version}"'))

    def booking_body(self, start: datetime, **fields: Any) -> dict[str, Any]:
        """Return the body of a booking of the default client and clinician, without fields that are None."""
        defaults = {"client_id": self.client, "clinician_id": self.clinician.staff_id, "service_code": "TALK"}
        return {name: value for name, value in (defaults | {"starts_at": start} | fields).items() if value is not None}

    def book(self, start: datetime, by: Person | None = None, **fields: Any) -> Any:
        if by is not None and by.roles == ["client"]:
            fields = {"client_id": None} | fields
        return self.post("/appointments", by, **self.booking_body(start, **fields))

    def book_appointment(self, start: datetime, by: Person | None = None, **fields: Any) -> dict[str, Any]:
        response = self.book(start, by, **fields)
        assert response.status_code == 201, response.text
        return response.json()["appointment"]

    def post_step(
        self, appointment: dict[str, Any] | str | UUID, action: str, by: Person | None = None, **body: Any
    ) -> Any:
        id = appointment["id"] if isinstance(appointment, dict) else appointment
        return self.post(f"/appointments/{id}/{action}", by, **body)

    def take_step(self, appointment: dict[str, Any] | str, action: str, by: Person | None = None, **body: Any) -> Any:
        response = self.post_step(appointment, action, by, **body)
        assert response.status_code < 300, response.text
        return response.json()

    def read(self, appointment: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
        return self.get(f"/appointments/{appointment['id']}", by).json()

    # Obstacles

    def close_on(self, day: date) -> None:
        put(self.practice, Closure(id=new_id(), closed_on=day))

    def add_exception(
        self, day: date, start: time | None = None, end: time | None = None, *, open: bool = False
    ) -> None:
        change = AvailabilityException(id=new_id(), clinician_id=self.clinician.staff_id, on_date=day, available=open)
        change.start_time, change.end_time = start, end
        put(self.practice, change)

    def block(self, start: datetime, end: datetime, **resource: UUID) -> None:
        put(self.practice, Block(id=new_id(), starts_at=start, ends_at=end, **resource))

    # The database

    def write(self, statement: str, **values: Any) -> None:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            db.execute(text(statement), {"tenant_id": self.practice.id} | values)

    def count(self, table: str) -> int:
        return self.load_rows(f"select count(*) from {table} where tenant_id = :tenant_id")[0][0]

    def list_occupancies(self) -> set[tuple[str, UUID, datetime]]:
        rows = self.load_rows("select kind, resource_id, starts_at from occupancies where tenant_id = :tenant_id")
        return {tuple(row) for row in rows}


def to_json(value: Any) -> Any:
    """Convert dates, times and UUIDs to their JSON form."""
    if isinstance(value, dict):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [to_json(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def parse_instant(value: str) -> datetime:
    """Parse an instant of a response."""
    return datetime.fromisoformat(value)


def problem_codes(response: Any) -> set[str]:
    """Return the codes of all problems of a refused booking."""
    return {problem["code"] for problem in response.json()["error"]["details"]["problems"]}


def assert_error(response: Any, code: str, status: int = 409) -> dict[str, Any]:
    """Check status and code of an error response and return the error."""
    assert (response.status_code, error_code(response)) == (status, code), response.text
    error = response.json()["error"]
    assert error["message"].endswith(".")
    return error
