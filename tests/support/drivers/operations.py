"""A practice with somebody of every role, and for every operation a request that is in order.

A new operation has to be given its request, or the tests that walk over all of them say that it is missing: those of a
noun stand in a module of `tests/support/drivers/sample_requests/`, as `SAMPLE_REQUESTS`.
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

from practice.security.installation import Installation
from practice.security.permissions import STAFF_ROLES
from practice.store.ids import NOBODY, new_id
from tests.support.builders.people import PASSWORD, Person, PracticeFixture, make_platform_admin, make_practice, sign_in
from tests.support.builders.schedule import (
    make_appointment,
    make_client,
    make_portal_client,
    make_room,
    make_service,
    open_hours,
)
from tests.support.drivers.notes import FakeHelp

ROLES = (*STAFF_ROLES, "client", "platform_admin")
SOME_SECRET = "A" * 43


@dataclass
class World:
    """`spare` and `spare_practice` are there to be changed: nobody here acts as them or in them.

    The client of `people` is the clinician's own, and the clinician is of the supervisor's team: whoever reaches any
    client reaches that one.
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

    @property
    def client_id(self) -> UUID:
        return self.people["client"].staff_id

    @property
    def clinician_id(self) -> UUID:
        return self.people["clinician"].staff_id

    def free_hour(self, *, online: bool = False) -> datetime:
        """A start that nobody has taken yet, by day, in the clinician's open hours. For a client who books online one
        within their booking window."""
        number = next(self._online if online else self._hours)
        days = 2 + number // 10 if online else 40 + number // 10
        return self.practice.now.replace(hour=13, minute=0) + timedelta(days=days, hours=number % 10)

    def past_hour(self) -> datetime:
        number = next(self._past)
        return self.practice.now.replace(hour=13, minute=0) - timedelta(days=2 + number // 10, hours=-(number % 10))

    def new_client(self) -> UUID:
        return make_client(self.practice, self.people["clinician"])

    def new_appointment(self, **more: Any) -> UUID:
        """The clinician's with the client of `people`, in future, SCHEDULED where nothing else is said."""
        at = more.pop("starts_at", None) or self.free_hour()
        return make_appointment(self.practice, self.people["clinician"], self.client_id, self.service_id, at, **more)

    def token(self, role: str, *, fresh: bool = False) -> str:
        """One for all requests of the role, or a fresh one for a request that would end it."""
        if fresh:
            return self.start_session(role).access
        if role not in self._tokens:
            self._tokens[role] = self.start_session(role).access
        return self._tokens[role]

    def start_session(self, role: str):
        place = NOBODY if role == "platform_admin" else self.practice.id
        return sign_in(self.practice.installation, self.people[role].account_id, place)

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
    installation.writing_help = FakeHelp()  # without it nobody is helped, whoever may be
    spare = practice.add("clinician", supervisor=supervisor)
    practice.people["clinician"] = people["clinician"]
    return World(practice, people, spare, make_practice(installation), make_service(practice), make_room(practice))


@dataclass(frozen=True)
class SampleRequest:
    """How an operation is asked for, and which roles may. Ids and body are made anew for each request, so that one that
    changes something finds it unchanged; `versioned` says of which table the record is that an ETag is sent for."""

    allowed: set[str]
    ids: Callable[[World, str | None], dict[str, Any]] = lambda _world, _role: {}
    body: Callable[[World, str | None], dict[str, Any] | None] = lambda _world, _role: None
    versioned: tuple[str, str] | None = None  # table, name of the id
    query: Callable[[World], dict[str, str]] = lambda _world: {}
    headers: dict[str, str] = field(default_factory=dict)
    sent_as: str = "json"  # or `files`, with a body like {"file": (name, content, media type)}


@cache
def sample_requests() -> dict[str, SampleRequest]:
    found: dict[str, SampleRequest] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).with_name("sample_requests"))]):
        found |= importlib.import_module(f"tests.support.drivers.sample_requests.{module.name}").SAMPLE_REQUESTS
    return found


def path_ids(world: World, operation: str, role: str | None) -> dict[str, str]:
    """Ids that exist and that the role may reach where it may reach any."""
    if operation in sample_requests():
        return {name: str(value) for name, value in sample_requests()[operation].ids(world, role).items()}
    own = operation in ("list_trainings", "record_training") and role in world.people and role != "admin"
    return {
        "staff_id": str(world.people[role].staff_id if own and role else world.spare.staff_id),
        "practice_id": str(world.spare_practice.id),
        "session_id": str(world.start_session(role).session_id) if operation == "end_session" and role else NOWHERE,
        "key": "hipaa_grace_days",
    }


NOWHERE = "01890000-0000-7000-8000-000000000000"


def body_for(world: World, operation: str, role: str | None) -> dict[str, Any] | None:
    """A body that is in order; None for an operation that takes none."""
    if operation in sample_requests():
        return sample_requests()[operation].body(world, role)
    name = {"first_name": "Kim", "last_name": "Doe"}
    token = {"token": SOME_SECRET}
    staff = name | {"email": f"kim-{new_id()}@example.com", "roles": ["biller"], "hired_on": "2026-03-01"}
    admin = name | {"email": f"kim-{new_id()}@example.com"}
    return {
        "login": {"email": "kim@example.com", "password": PASSWORD},
        "enrol_authenticator": token,
        "confirm_authenticator": token | {"code": "123456"},
        "verify_code": token | {"code": "123456"},
        "choose_practice": token | {"practice_id": NOWHERE},
        "refresh_tokens": {"refresh_token": SOME_SECRET},
        "accept_invitation": token | {"password": PASSWORD},
        "ask_password_reset": {"email": f"kim-{new_id()}@example.com"},
        "reset_password": token | {"password": PASSWORD},
        "change_password": {"current": "Wrong-Password 11 here", "new": PASSWORD},
        "create_practice": {"name": f"Practice {new_id()}", "time_zone": "America/New_York", "admin": admin},
        "change_practice": {"npi": "1234567893", "tax_id": "12-345"},
        "add_staff": staff,
        "change_staff": {"npi": "1234567893"},
        "deactivate_staff": {"left_on": "2026-03-18"},
        "record_training": {"kind": "OTHER", "completed_on": "2026-03-01"},
        "change_setting": {"value": 30, "effective_on": "2026-04-01"},
    }.get(operation)


def order_of(operation: str) -> SampleRequest:
    return sample_requests().get(operation, SampleRequest(set()))


def query_for(world: World, operation: str) -> dict[str, str] | None:
    """What has to be asked for in the address."""
    return order_of(operation).query(world) or None


def version_of(world: World, operation: str, ids: dict[str, str]) -> int:
    """Of the record that the ids lead to."""
    table, key = {"change_practice": ("practices", "practice_id")}.get(operation, ("staff", "staff_id"))
    if operation in sample_requests():
        table, key = sample_requests()[operation].versioned or (table, key)
    with world.practice.installation.store.session_in(world.practice.id) as db:
        return db.scalar(text(f"select version from {table} where id = :id"), {"id": UUID(ids[key])}) or 0


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    permission: str
    versioned: bool
    for_a_reason: bool

    def request(self, world: World, role: str | None, **ids: str) -> dict[str, Any]:
        """Arguments of a request that is in order, with some ids changed."""
        found = path_ids(world, self.id, role)
        match = {"If-Match": f'"{version_of(world, self.id, found)}"'} if self.versioned else {}
        order = order_of(self.id)
        return {
            **{"method": self.method, "url": self.path.format(**found | ids), "params": query_for(world, self.id)},
            "headers": world.headers(role) | match | order.headers,
            order.sent_as: body_for(world, self.id, role),
        }


def operations_of(spec: dict[str, Any]) -> list[Operation]:
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
