"""People of a practice at work over HTTP, for tests that follow them through a day."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from practice.people.models.clients import Client
from practice.security.accounts import ensure_account
from practice.security.models import Membership
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import open_hours
from tests.support.drivers.api import ApiDriver
from tests.support.drivers.booking import local, to_json
from tests.support.drivers.http import V1, assert_ok, token_headers
from tests.support.drivers.sign_in_flow import accept_invitation, generate_code, login, post


class Walk(ApiDriver):
    """A practice with a scheduler, a clinician with their supervisor, and a clinician of another team.

    Both clinicians work at all hours. `day` is the local date of the walk.
    """

    def __init__(self, http: TestClient, practice: PracticeFixture, day: date) -> None:
        super().__init__(http, practice)
        self.day = day
        self.scheduler = practice.add("scheduler")
        self.supervisor = practice.add("supervisor")
        self.clinician = practice.add("clinician", supervisor=self.supervisor)
        self.stranger = practice.add("clinician", supervisor=practice.add("supervisor"))
        for clinician in (self.clinician, self.stranger):
            open_hours(practice, clinician)

    def at(self, hour: int, minute: int = 0) -> datetime:
        """Set the time on the day of the walk, and return it."""
        self.now = local(self.day, hour, minute)
        return self.now

    def call(self, by: Person, method: str, path: str, status: int = 200, body: Any = None, **headers: str) -> Any:
        """Send a request as a person, check the status, and return the body."""
        response = self.http.request(method, V1 + path, json=to_json(body), headers=self.build_headers(by, **headers))
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def get(self, by: Person, path: str, status: int = 200) -> Any:
        return self.call(by, "GET", path, status)

    def post(self, by: Person, path: str, status: int = 200, **body: Any) -> Any:
        return self.call(by, "POST", path, status, body)

    def create(self, by: Person, path: str, **body: Any) -> Any:
        return self.call(by, "POST", path, 201, body)

    def change(self, by: Person, path: str, status: int = 200, **body: Any) -> Any:
        """Change a record as the person has just read it."""
        version = self.http.get(V1 + path, headers=self.build_headers(by)).headers["ETag"]
        return self.call(by, "PATCH", path, status, body, If_Match=version)

    def refuse(self, by: Person, path: str, status: int = 409, **body: Any) -> str:
        """Send a POST that is refused, and return the code of the error."""
        return self.post(by, path, status, **body)["error"]["code"]

    def accept_portal_invitation(self, client_id: str, email: str) -> Person:
        """Sign up with the link of the invitation in the outbox and an authenticator, and return the client."""
        assert accept_invitation(self.http, email).status_code == 200
        token = login(self.http, email)["token"]
        secret = assert_ok(post(self.http, "/mfa/enroll", token=token))["secret"]
        done = assert_ok(post(self.http, "/mfa/confirm", token=token, code=generate_code(secret, self.now)))
        headers = token_headers(done["tokens"]["access_token"])
        assert assert_ok(self.http.get(f"{V1}/auth/me", headers=headers))["client_id"] == client_id
        [(account_id,)] = self.load_rows("select account_id from clients where id = :id", id=client_id)
        return Person(account_id, UUID(client_id), email, ["client"])

    def open_portal(self, client_id: str, email: str) -> Person:
        """Give a client, or a minor's guardian, a portal account, and return them as a person."""
        with self.practice.installation.store.begin_system_session() as db:
            account_id = ensure_account(db, email, self.now).id
            membership = {"account_id": account_id, "tenant_id": self.practice.id}
            db.add(Membership(**membership, created_at=self.now, accepted_at=self.now))
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            client = db.get_one(Client, (self.practice.id, UUID(client_id)))
            client.account_id, client.portal_activated_at = account_id, self.now
        return Person(account_id, UUID(client_id), email, ["client"])
