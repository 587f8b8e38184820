"""The first API of completed sessions, as the people of a practice call it."""

from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from practice.payroll.rates import set_pay_rate
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_portal_client
from tests.support.builders.sessions import Sessions, write_note
from tests.support.drivers.api import ApiDriver
from tests.support.drivers.booking import shown
from tests.support.drivers.http import V1
from tests.support.drivers.notes import license_as

BASE = "/compliance/session-completion"
TUESDAY = datetime(2026, 3, 17, 14, tzinfo=UTC)  # the day before the tests' now; ten in the practice
THIS_WEEK, DEADLINE = date(2026, 3, 15), datetime(2026, 3, 23, 4, tzinfo=UTC)
LAST_WEEK = date(2026, 3, 8)  # whose deadline passed two days before
LOCKED_TUESDAY = TUESDAY - timedelta(days=14)


class SessionsApi(ApiDriver):
    """The clinician is of the supervisor's team and has a rate of 80 dollars; the other clinician is of nobody's."""

    def __init__(self, http: TestClient, practice: PracticeFixture) -> None:
        super().__init__(http, practice)
        self.admin = practice.admin
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.sessions = Sessions(practice, self.clinician)
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
        """With a sign-in to the portal."""
        return make_portal_client(self.practice, self.clinician)

    def set_rate(self, person: Person, cents: int) -> None:
        with self.practice.work() as work:
            set_pay_rate(work, person.staff_id, cents, None)

    def held(self, starts_at: datetime = TUESDAY, **more: Any) -> UUID:
        return self.sessions.held(starts_at, **more)

    def write(self, session: UUID, *, hand_in: bool = False, by: Person | None = None) -> UUID:
        return write_note(self.practice, by or self.clinician, session, hand_in=hand_in, now=self.now)

    def is_reviewed(self, person: Person) -> None:
        """Somebody whose licence needs supervision."""
        license_as(self.practice, person, "APC")

    # The API

    def ask(self, method: str, path: str, by: Person | None = None, **more: Any) -> Any:
        headers = self.signed_in(by or self.admin) | more.pop("headers", {})
        return self.http.request(method, f"{V1}{path}", headers=headers, **more)

    def get(self, path: str = "", by: Person | None = None, **query: Any) -> Any:
        asked = {name.rstrip("_"): shown(value) for name, value in query.items()}
        return self.ask("GET", BASE + path, by, params=asked)

    def post(self, path: str = "", by: Person | None = None, **body: Any) -> Any:
        named = {name.rstrip("_"): value for name, value in body.items()}
        return self.ask("POST", BASE + path, by, json=shown(named))

    def put(self, session: UUID, version: int | None, by: Person | None = None, **body: Any) -> Any:
        match = {} if version is None else {"If-Match": f'"{version}"'}
        return self.ask("PUT", f"{BASE}/{session}", by, json=shown(body), headers=match)

    def delete(self, session: UUID, by: Person | None = None, reason: str = "Entered twice") -> Any:
        return self.ask("DELETE", f"{BASE}/{session}", by, params={"reason": reason})

    def seen(self, session: UUID, by: Person | None = None) -> dict[str, Any]:
        answer = self.get(f"/{session}", by)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def listed(self, by: Person | None = None, **query: Any) -> list[UUID]:
        answer = self.get("", by, **query)
        assert answer.status_code == 200, answer.text
        return [UUID(item["id"]) for item in answer.json()["items"]]

    # What is in the database

    def completions(self) -> dict[UUID, Any]:
        return {row.id: row for row in self.rows("select * from session_completions where tenant_id = :tenant_id")}

    def locks(self, session: UUID) -> list[Any]:
        query = "select * from session_locks where tenant_id = :tenant_id and appointment_id = :id order by at, id"
        return self.rows(query, id=session)

    def note(self, note: UUID) -> Any:
        return self.rows("select * from notes where tenant_id = :tenant_id and id = :id", id=note)[0]
