"""A client's chart and those who may look into it, for tests of what is kept there."""

from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import ask

BECAUSE = {"X_Reason": "A complaint to look into"}


class Chart:
    """One client with a sign-in and their primary clinician, that one's supervisor; and others who are strangers."""

    def __init__(self, http: TestClient, practice: PracticeFixture) -> None:
        self.http, self.practice = http, practice
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.stranger = practice.add("clinician", supervisor=practice.add("supervisor"))
        self.me = make_portal_client(practice, self.clinician)

    @property
    def client_id(self) -> UUID:
        return self.me.staff_id

    def new_client(self, clinician: Person | None = None, **more: Any) -> UUID:
        return make_client(self.practice, clinician or self.clinician, **more)

    def get(self, path: str, who: Person | None = None, **headers: str) -> Any:
        """As the clinician where nobody else is named; the admin says why."""
        who = who or self.clinician
        return ask(self.http, self.practice, "GET", path, who, **headers or (BECAUSE if who.roles == ["admin"] else {}))

    def send(self, method: str, path: str, who: Person | None = None, body: Any = None, **headers: str) -> Any:
        return ask(self.http, self.practice, method, path, who or self.clinician, body, **headers)

    def post(self, path: str, who: Person | None = None, **body: Any) -> Any:
        return self.send("POST", path, who, body)

    def patch(self, path: str, version: int, who: Person | None = None, **body: Any) -> Any:
        return self.send("PATCH", path, who, body, If_Match=f'"{version}"')

    def void(self, path: str, who: Person | None = None) -> Any:
        return self.send("DELETE", f"{path}?reason=Entered+twice", who)
