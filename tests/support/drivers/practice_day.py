"""A day in a practice, over HTTP: a front desk, a supervised clinician, their supervisor, a colleague and the admin."""

from datetime import date
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from practice.payroll.rates import set_pay_rate
from practice.people.models.practices import Training
from practice.store.ids import new_id
from tests.support.builders.notes import SOAP
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.booking import BookingApi, assert_error, to_json
from tests.support.drivers.http import V1, assert_ok
from tests.support.drivers.notes import set_license

SESSIONS = "/compliance/session-completion"


class PracticeDay(BookingApi):
    """The people of a practice and the requests of their day. The clinician has an APC license and a rate of 80."""

    def __init__(self, http: TestClient, practice: PracticeFixture) -> None:
        super().__init__(http, practice)
        self.admin = practice.admin
        self.supervisor = practice.add("supervisor")
        self.colleague = self.add_clinician()
        self.call("PATCH", f"/staff/{self.clinician.staff_id}", self.admin, supervisor_id=self.supervisor.staff_id)
        set_license(practice, self.clinician, "APC")
        with practice.work() as work:
            set_pay_rate(work, self.clinician.staff_id, 8000, None)
        people = (self.admin, self.scheduler, self.supervisor, self.clinician, self.colleague)
        values = {"kind": "HIPAA", "completed_on": practice.now.date(), "recorded_at": practice.now}
        put(practice, *(Training(id=new_id(), staff_id=person.staff_id, **values) for person in people))

    def call(self, method: str, path: str, by: Person, *, version: int | None = None, **body: Any) -> Any:
        """Send a request that has to succeed and return its response. A change sends the record's present version."""
        response = self.send(method, path, by, version=version, **body)
        assert response.status_code < 300, (method, path, response.text)
        return response.json() if response.content else None

    def refuse(self, code: str, status: int, method: str, path: str, by: Person, **body: Any) -> dict[str, Any]:
        """Send a request that has to be refused and return the error."""
        return assert_error(self.send(method, path, by, **body), code, status)

    def send(self, method: str, path: str, by: Person, *, version: int | None = None, **body: Any) -> Any:
        headers = self.build_headers(by)
        if method in ("PATCH", "PUT") or path.rpartition("/")[2] in ("submit", "sign", "co-sign", "amend"):
            record = path if method in ("PATCH", "PUT") else path.rpartition("/")[0]
            headers["If-Match"] = (
                f'"{version}"' if version else self.http.get(V1 + record, headers=headers).headers.get("ETag", '"0"')
            )
        json = to_json({name.rstrip("_"): value for name, value in body.items()})
        return self.http.request(method, V1 + path, json=json if method != "GET" else None, headers=headers)

    def read_path(self, path: str, by: Person, **query: Any) -> Any:
        return assert_ok(self.get(path, by, **query))

    # What people do

    def add_clients(self, *names: str, clinician: Person | None = None) -> list[UUID]:
        clinician = clinician or self.clinician
        return [make_client(self.practice, clinician, first_name=name, last_name="Sample") for name in names]

    def write_note(self, visit: dict[str, Any], plan: str) -> dict[str, Any]:
        """Write a draft of a SOAP note about a visit."""
        return self.call(
            "POST",
            "/notes",
            self.clinician,
            client_id=visit["client_id"],
            type="SOAP_NOTE",
            appointment_id=visit["id"],
            sections=SOAP | {"plan": plan},
        )

    def list_visits(self, by: Person, on: date) -> list[tuple[str, str]]:
        """Return the clients and statuses of a clinician's own visits of a day."""
        (day,) = self.read_path("/appointments/calendar", by, view="day", on=on, clinician_id="me")["days"]
        return [(visit["client_name"], visit["status"]) for visit in day["appointments"]]

    def list_waiting(self, by: Person) -> list[str]:
        """Return the ids of the notes that wait for the supervisor's co-signature."""
        return [item["id"] for item in self.read_path("/notes", by, in_review=True, sort="created_at")["items"]]

    def read_pay(self, week: date) -> tuple[str, str]:
        """Return what the week pays the clinician, and what waits for a signature."""
        path = f"{SESSIONS}/payment/calculation/{self.clinician.staff_id}"
        pay = self.read_path(path, self.clinician, week=week)
        return pay["totalAmount"], pay["standbyAmount"]

    def load_notifications(self, person: Person) -> list[str]:
        query = (
            "select kind from messages where tenant_id = :tenant_id and staff_id = :id order by due_at, created_at, id"
        )
        return [row.kind for row in self.load_rows(query, id=person.staff_id)]
