"""A driver for the session completion API."""

from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from practice.payroll.rates import set_pay_rate
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_portal_client
from tests.support.builders.sessions import SessionBuilder, write_note
from tests.support.drivers.api import ApiDriver
from tests.support.drivers.booking import to_json
from tests.support.drivers.http import V1
from tests.support.drivers.notes import set_license

BASE = "/compliance/session-completion"
TUESDAY = datetime(2026, 3, 17, 14, tzinfo=UTC)  # the day before the tests' now, at 10:00 local time
THIS_WEEK, DEADLINE = date(2026, 3, 15), datetime(2026, 3, 23, 4, tzinfo=UTC)
LAST_WEEK = date(2026, 3, 8)  # whose deadline passed two days before
LOCKED_TUESDAY = TUESDAY - timedelta(days=14)

LONG_AGO = date(2000, 1, 1)


class SessionsApi(ApiDriver):
    """A clinician with a rate of 80 dollars in the supervisor's team, and another clinician without a supervisor."""

    def __init__(self, http: TestClient, practice: PracticeFixture) -> None:
        super().__init__(http, practice)
        self.admin = practice.admin
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.sessions = SessionBuilder(practice, self.clinician)
        self.set_rate(self.clinician, 8000)

    @cached_property
    def scheduler(self) -> Person:
        return self.practice.add("scheduler")

    @cached_property
    def biller(self) -> Person:
        return self.practice.add("biller")

    @cached_property
    def analyst(self) -> Person:
        return self.practice.add("analyst")

    @cached_property
    def other(self) -> Person:
        return self.practice.add("clinician")

    @cached_property
    def client(self) -> Person:
        """Return a client with access to the portal."""
        return make_portal_client(self.practice, self.clinician)

    def set_rate(self, person: Person, cents: int) -> None:
        with self.practice.work() as work:
            set_pay_rate(work, person.staff_id, cents, LONG_AGO)

    def add_session(self, starts_at: datetime = TUESDAY, **values: Any) -> UUID:
        return self.sessions.add_session(starts_at, **values)

    def write_note(self, session: UUID, *, submit: bool = False, by: Person | None = None) -> UUID:
        return write_note(self.practice, by or self.clinician, session, submit=submit, now=self.now)

    def require_review(self, person: Person) -> None:
        """Give a person a license that requires supervision."""
        set_license(self.practice, person, "APC")

    # The API

    def request(self, method: str, path: str, by: Person | None = None, **options: Any) -> Any:
        headers = self.build_headers(by or self.admin) | options.pop("headers", {})
        return self.http.request(method, f"{V1}{path}", headers=headers, **options)

    def get(self, path: str = "", by: Person | None = None, **query: Any) -> Any:
        parameters = {name.rstrip("_"): to_json(value) for name, value in query.items()}
        return self.request("GET", BASE + path, by, params=parameters)

    def post(self, path: str = "", by: Person | None = None, **body: Any) -> Any:
        return self.request("POST", BASE + path, by, json=to_json({name.rstrip("_"): body[name] for name in body}))

    def put(self, session: UUID, version: int | None, by: Person | None = None, **body: Any) -> Any:
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return self.request("PUT", f"{BASE}/{session}", by, json=to_json(body), headers=headers)

    def delete(self, session: UUID, by: Person | None = None, reason: str = "Entered twice") -> Any:
        return self.request("DELETE", f"{BASE}/{session}", by, json={"reason": reason})

    def read(self, session: UUID, by: Person | None = None) -> dict[str, Any]:
        response = self.get(f"/{session}", by)
        assert response.status_code == 200, response.text
        return response.json()

    def list_ids(self, by: Person | None = None, **query: Any) -> list[UUID]:
        response = self.get("", by, **query)
        assert response.status_code == 200, response.text
        return [UUID(item["id"]) for item in response.json()["items"]]

    # Database rows

    def load_completions(self) -> dict[UUID, Any]:
        return {row.id: row for row in self.load_rows("select * from session_completions where tenant_id = :tenant_id")}

    def load_locks(self, session: UUID) -> list[Any]:
        query = "select * from session_locks where tenant_id = :tenant_id and appointment_id = :id order by at, id"
        return self.load_rows(query, id=session)

    def load_note(self, note: UUID) -> Any:
        return self.load_rows("select * from notes where tenant_id = :tenant_id and id = :id", id=note)[0]
