"""A driver for the walk through a payday: people with their sign-ins, and what they do over HTTP at a time."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pypdf import PdfReader

from tests.support.builders.notes import fill_sections
from tests.support.builders.people import Person, accept_membership
from tests.support.builders.schedule import make_client
from tests.support.drivers.api import ApiDriver
from tests.support.drivers.booking import to_json
from tests.support.drivers.http import V1, assert_ok, error_code

HOUR = timedelta(hours=1)


class PaydayApi(ApiDriver):
    """The HTTP API of one practice as its admin, clinicians and biller use it, at a time that the test sets."""

    def call(self, by: Person, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        """Send a request, check its status, and return the JSON of the answer."""
        answer = self.send(by, method, path, body, **headers)
        return assert_ok(answer, status)

    def refuse(self, by: Person, method: str, path: str, body: Any = None, **headers: str) -> str:
        """Send a request that is refused, and return its error code."""
        answer = self.send(by, method, path, body, **headers)
        assert answer.status_code >= 400, answer.text
        return error_code(answer)

    def send(self, by: Person, method: str, path: str, body: Any = None, **headers: str) -> Any:
        options = {} if body is None else {"json": to_json(body)}
        return self.http.request(method, V1 + path, headers=self.build_headers(by, **headers), **options)

    def invite(self, admin: Person, first_name: str, last_name: str, *roles: str) -> Person:
        """Add a member of the staff, who accepts the invitation."""
        body = {"first_name": first_name, "last_name": last_name, "roles": list(roles), "hired_on": "2026-01-05"}
        email = f"{first_name.lower()}-{self.practice.id}@example.com"
        staff = self.call(admin, "POST", "/staff", body | {"email": email}, 201)["staff"]
        query = "select account_id from staff where tenant_id = :tenant_id and id = :id"
        account_id = self.load_rows(query, id=UUID(staff["id"]))[0].account_id
        accept_membership(self.practice.installation, account_id, self.practice.id, self.now)
        return Person(account_id, UUID(staff["id"]), email, list(roles))

    def book(self, admin: Person, clinician: Person, starts_at: datetime, service_code: str) -> str:
        """Book a visit of another client, and return its id."""
        body = {"client_id": make_client(self.practice, clinician), "clinician_id": clinician.staff_id}
        visit = body | {"service_code": service_code, "starts_at": starts_at}
        return self.call(admin, "POST", "/appointments", visit, 201)["appointment"]["id"]

    def hold(self, clinician: Person, visit: str, starts_at: datetime) -> None:
        """Let a visit take place: the client arrives, the session is held and completed after an hour."""
        for action, at in (("check-in", starts_at), ("start", starts_at), ("complete", starts_at + HOUR)):
            self.now = at
            self.call(clinician, "POST", f"/appointments/{visit}/{action}", {})

    def write_note(self, clinician: Person, visit: str) -> dict[str, Any]:
        """Write the note of a session, without signing it."""
        client_id = self.call(clinician, "GET", f"/appointments/{visit}")["client_id"]
        body = {"client_id": client_id, "appointment_id": visit, "type": "PROGRESS_NOTE"}
        sections = fill_sections("PROGRESS_NOTE", "As planned.")
        return self.call(clinician, "POST", "/notes", body | {"sections": sections, "diagnoses": ["F41.1"]}, 201)

    def sign_note(self, clinician: Person, note: dict[str, Any]) -> None:
        self.call(clinician, "POST", f"/notes/{note['id']}/sign", If_Match=f'"{note["version"]}"')

    # Pay

    def read_statement(self, by: Person, week: Any, person: Person) -> dict[str, Any]:
        return self.call(by, "GET", f"/pay/periods/{week}/statements/{person.staff_id}")

    def read_csv(self, by: Person, path: str) -> list[dict[str, str]]:
        """Return the rows of a CSV file."""
        answer = self.send(by, "GET", path)
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.text)))

    def read_pdf(self, by: Person, path: str) -> str:
        """Return the text of a PDF file."""
        answer = self.send(by, "GET", path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
        return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(answer.content)).pages)

    def load_lines(self, week: Any) -> set[tuple[str, str, int, str | None]]:
        """Return kind, appointment, cents and reason of the lines that are stored for a week."""
        query = """
            select l.kind, l.appointment_id, l.amount_cents, l.reason from pay_lines as l
            join pay_periods as p on p.tenant_id = l.tenant_id and p.id = l.period_id
            where l.tenant_id = :tenant_id and p.week = :week and p.closed_at is not null
        """
        return {(row[0], str(row[1]), row[2], row[3]) for row in self.load_rows(query, week=week)}


def list_lines(lines: list[dict[str, Any]]) -> set[tuple[str, str, str, str | None]]:
    """Return kind, appointment, amount and reason of lines as shown."""
    return {(line["kind"], line["appointment_id"], line["amount"], line["reason"]) for line in lines}
