"""A client's chart over HTTP, with the people who may and may not see it."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import send_request

REASON_HEADER = {"X_Reason": "A complaint to look into"}


class ChartApi:
    """The API of a portal client's chart, as their clinician, the supervisor, an unrelated clinician or the client."""

    def __init__(self, http: TestClient, practice: PracticeFixture) -> None:
        self.http, self.practice = http, practice
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.stranger = practice.add("clinician", supervisor=practice.add("supervisor"))
        self.client = make_portal_client(practice, self.clinician)

    @property
    def client_id(self) -> UUID:
        return self.client.staff_id

    def add_client(self, clinician: Person | None = None, **fields: Any) -> UUID:
        return make_client(self.practice, clinician or self.clinician, **fields)

    def get(self, path: str, by: Person | None = None, **headers: str) -> Any:
        """Send a GET as `by` (default: the clinician); an admin sends a reason."""
        by = by or self.clinician
        headers = headers or (REASON_HEADER if by.roles == ["admin"] else {})
        return send_request(self.http, self.practice, "GET", path, by, **headers)

    def send(self, method: str, path: str, by: Person | None = None, body: Any = None, **headers: str) -> Any:
        return send_request(self.http, self.practice, method, path, by or self.clinician, body, **headers)

    def post(self, path: str, by: Person | None = None, **body: Any) -> Any:
        return self.send("POST", path, by, body)

    def patch(self, path: str, version: int, by: Person | None = None, **body: Any) -> Any:
        return self.send("PATCH", path, by, body, If_Match=f'"{version}"')

    def put(self, path: str, version: int, by: Person | None = None, **body: Any) -> Any:
        return self.send("PUT", path, by, body, If_Match=f'"{version}"')

    def void(self, path: str, by: Person | None = None) -> Any:
        return self.send("DELETE", path, by, {"reason": "Entered twice"})
