"""A practice with a person of every role, and a valid request for every operation of the API.

A new operation needs a `SampleRequest` in the module of its noun in `tests/support/drivers/sample_requests/`; the tests
that walk over all operations fail without one.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text

from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.security.permissions import STAFF_ROLES
from practice.store.ids import SYSTEM_TENANT, new_id
from tests.support.builders.people import PASSWORD, Person, PracticeFixture, make_platform_admin, make_practice, sign_in
from tests.support.builders.schedule import (
    make_appointment,
    make_client,
    make_portal_client,
    make_room,
    make_service,
    open_hours,
)
from tests.support.drivers.notes import FakeWritingAssistant

ROLES = (*STAFF_ROLES, "client", "platform_admin")
SOME_SECRET = "A" * 43


@dataclass
class World:
    """A practice to send requests to. `spare` and `spare_practice` are there to be changed: nobody acts as or in them.

    The client in `people` is the clinician's own, and the clinician is on the supervisor's team: a role that can see
    any client can see this one.
    """

    practice: PracticeFixture
    people: dict[str, Person]
    spare: Person
    spare_practice: PracticeFixture
    service_id: UUID
    room_id: UUID
    _tokens: dict[str, str] = field(default_factory=dict)
    _hours: Any = field(default_factory=count)
    _online: Any = field(default_factory=count)
    _past: Any = field(default_factory=count)
    _today: Any = field(default_factory=count)

    @property
    def client_id(self) -> UUID:
        return self.people["client"].staff_id

    @property
    def clinician_id(self) -> UUID:
        return self.people["clinician"].staff_id

    def take_free_hour(self, *, online: bool = False) -> datetime:
        """Return an unused start within the clinician's open hours; for a client online one in their booking window."""
        number = next(self._online if online else self._hours)
        days = 2 + number // 10 if online else 40 + number // 10
        return self.practice.now.replace(hour=13, minute=0) + timedelta(days=days, hours=number % 10)

    def take_past_hour(self) -> datetime:
        """Return an unused start in the past."""
        number = next(self._past)
        return self.practice.now.replace(hour=13, minute=0) - timedelta(days=2 + number // 10, hours=-(number % 10))

    def take_moment_today(self) -> datetime:
        """Return an unused start later on the local date of now, two minutes after the last one."""
        return self.practice.now + timedelta(minutes=2 * next(self._today))

    def new_client(self) -> UUID:
        return make_client(self.practice, self.people["clinician"])

    def new_appointment(self, **values: Any) -> UUID:
        """Make an appointment of the clinician with the client; by default in the future and SCHEDULED."""
        start = values.pop("starts_at", None) or self.take_free_hour()
        return make_appointment(
            self.practice, self.people["clinician"], self.client_id, self.service_id, start, **values
        )

    def token(self, role: str, *, fresh: bool = False) -> str:
        """Return the access token of a role, or a fresh one for a request that would end its session."""
        if fresh:
            return self.start_session(role).access
        if role not in self._tokens:
            self._tokens[role] = self.start_session(role).access
        return self._tokens[role]

    def start_session(self, role: str):
        tenant_id = SYSTEM_TENANT if role == "platform_admin" else self.practice.id
        return sign_in(self.practice.installation, self.people[role].account_id, tenant_id)

    def headers(self, role: str | None, *, fresh: bool = False) -> dict[str, str]:
        return {} if role is None else {"Authorization": f"Bearer {self.token(role, fresh=fresh)}"}


def make_world(installation: Installation) -> World:
    practice = make_practice(installation)
    supervisor = practice.add("supervisor")
    people = {
        role: practice.add(role, supervisor=supervisor if role == "clinician" else None)
        for role in STAFF_ROLES
        if role not in ("admin", "supervisor")
    }
    people |= {"admin": practice.admin, "supervisor": supervisor, "platform_admin": make_platform_admin(installation)}
    people["client"] = make_portal_client(practice, people["clinician"])
    open_hours(practice, people["clinician"])
    installation.writing_assistant = FakeWritingAssistant()  # its routes need one
    with practice.work() as work:
        change_setting(
            work, "portal_open_visits", 1000, practice.now.date()
        )  # the client has an appointment per request
    spare = practice.add("clinician", supervisor=supervisor)
    practice.people["clinician"] = people["clinician"]
    return World(practice, people, spare, make_practice(installation), make_service(practice), make_room(practice))


@dataclass(frozen=True)
class SampleRequest:
    """A valid request to an operation, and the roles that may send it.

    Ids and body are made for each request, so that a request that changes a record finds it unchanged. `versioned`
    names the table and id of the record whose ETag is sent.
    """

    allowed: set[str]
    ids: Callable[[World, str | None], dict[str, Any]] = lambda _world, _role: {}
    body: Callable[[World, str | None], dict[str, Any] | None] = lambda _world, _role: None
    versioned: tuple[str, str] | None = None  # table, name of the id
    query: Callable[[World], dict[str, str]] = lambda _world: {}
    headers: dict[str, str] = field(default_factory=dict)
    sent_as: str = "json"  # or `files` with a body like {"file": (name, content, media type)}


@cache
def load_sample_requests() -> dict[str, SampleRequest]:
    """Return the sample requests of all modules by operation id."""
    requests: dict[str, SampleRequest] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).with_name("sample_requests"))]):
        requests |= importlib.import_module(f"tests.support.drivers.sample_requests.{module.name}").SAMPLE_REQUESTS
    return requests


def make_path_ids(world: World, operation: str, role: str | None) -> dict[str, str]:
    """Return ids that exist, and that the role can see if it can see any."""
    if operation in load_sample_requests():
        return {name: str(value) for name, value in load_sample_requests()[operation].ids(world, role).items()}
    own = operation in ("list_trainings", "record_training") and role in world.people and role != "admin"
    return {
        "staff_id": str(world.people[role].staff_id if own and role else world.spare.staff_id),
        "practice_id": str(world.spare_practice.id),
        "session_id": str(world.start_session(role).session_id) if operation == "end_session" and role else NOWHERE,
        "key": "hipaa_grace_days",
    }


def send_reason(_world: World, _role: str | None) -> dict[str, str]:
    """Return the body of a request that voids a record."""
    return {"reason": "Entered twice"}


NOWHERE = "01890000-0000-7000-8000-000000000000"


def make_body(world: World, operation: str, role: str | None) -> dict[str, Any] | None:
    """Return a valid body, or None for an operation without one."""
    if operation in load_sample_requests():
        return load_sample_requests()[operation].body(world, role)
    name = {"first_name": "Kim", "last_name": "Doe"}
    token = {"token": SOME_SECRET}
    staff = name | {"email": f"kim-{new_id()}@example.com", "roles": ["biller"], "hired_on": "2026-03-01"}
    admin = name | {"email": f"kim-{new_id()}@example.com"}
    return {
        "log_in": {"email": "kim@example.com", "password": PASSWORD},
        "enroll_authenticator": token,
        "confirm_authenticator": token | {"code": "123456"},
        "verify_code": token | {"code": "123456"},
        "choose_practice": token | {"practice_id": NOWHERE},
        "refresh_tokens": {"refresh_token": SOME_SECRET},
        "accept_invitation": token | {"password": PASSWORD},
        "confirm_email_change": token,
        "request_password_reset": {"email": f"kim-{new_id()}@example.com"},
        "reset_password": token | {"password": PASSWORD},
        "renew_recovery_codes": {"code": "123456"},
        "change_password": {"current": "Wrong-Password 11 here", "new": PASSWORD},
        "create_practice": {"name": f"Practice {new_id()}", "time_zone": "America/New_York", "admin": admin},
        "change_practice": {"npi": "1234567893", "tax_id": "12-345"},
        "add_staff": staff,
        "change_staff": {"npi": "1234567893"},
        "deactivate_staff": {"left_on": "2026-03-18"},
        "record_training": {"kind": "OTHER", "completed_on": "2026-03-01"},
        "change_setting": {"value": 30, "effective_on": "2026-04-01"},
    }.get(operation)


def find_sample_request(operation: str) -> SampleRequest:
    return load_sample_requests().get(operation, SampleRequest(set()))


def make_query(world: World, operation: str) -> dict[str, str] | None:
    """Return the required query parameters of an operation."""
    return find_sample_request(operation).query(world) or None


def load_version(world: World, operation: str, ids: dict[str, str]) -> int:
    """Return the version of the record that the ids name."""
    table, key = {"change_practice": ("practices", "practice_id")}.get(operation, ("staff", "staff_id"))
    if operation in load_sample_requests():
        table, key = load_sample_requests()[operation].versioned or (table, key)
    with world.practice.installation.store.begin_session(world.practice.id) as db:
        return db.scalar(text(f"select version from {table} where id = :id"), {"id": UUID(ids[key])}) or 0


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    permission: str
    versioned: bool
    takes_reason: bool

    def request(self, world: World, role: str | None, **ids: str) -> dict[str, Any]:
        """Return the arguments of a valid request, with some ids replaced."""
        path_ids = make_path_ids(world, self.id, role)
        match = {"If-Match": f'"{load_version(world, self.id, path_ids)}"'} if self.versioned else {}
        sample = find_sample_request(self.id)
        return {
            "method": self.method,
            "url": self.path.format(**path_ids | ids),
            "params": make_query(world, self.id),
            "headers": world.headers(role) | match | sample.headers,
            sample.sent_as: make_body(world, self.id, role),
        }


def list_operations(spec: dict[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI document."""

    def takes(operation: dict[str, Any], name: str) -> bool:
        return any(parameter["name"] == name for parameter in operation.get("parameters", ()))

    return [
        Operation(
            operation["operationId"],
            method.upper(),
            path,
            operation["x-permission"],
            takes(operation, "If-Match"),
            takes(operation, "X-Reason"),
        )
        for path, methods in sorted(spec["paths"].items())
        for method, operation in methods.items()
    ]
