"""A practice with somebody of every role, and for every operation a request that is in order.

A new operation has to be given its request here, or the tests that walk over all of them say that it is missing.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from practice.security.installation import Installation
from practice.security.permissions import STAFF_ROLES
from practice.store.ids import NOBODY, new_id
from tests.support.people import PASSWORD, House, Person, make_platform_admin, make_practice, sign_in

ROLES = (*STAFF_ROLES, "platform_admin")
SOME_SECRET = "A" * 43


@dataclass
class World:
    """`spare` and `spare_practice` are there to be changed: nobody here acts as them or in them."""

    practice: House
    people: dict[str, Person]
    spare: Person
    spare_practice: House
    _tokens: dict[str, str] = field(default_factory=dict)

    def token(self, role: str, *, fresh: bool = False) -> str:
        """One for all requests of the role, or a fresh one for a request that would end it."""
        if fresh:
            return self.start_session(role).access
        if role not in self._tokens:
            self._tokens[role] = self.start_session(role).access
        return self._tokens[role]

    def start_session(self, role: str):
        place = NOBODY if role == "platform_admin" else self.practice.id
        return sign_in(self.practice.house, self.people[role].account_id, place)

    def headers(self, role: str | None, *, fresh: bool = False) -> dict[str, str]:
        return {} if role is None else {"Authorization": f"Bearer {self.token(role, fresh=fresh)}"}


def make_world(house: Installation) -> World:
    practice = make_practice(house)
    people = {role: practice.add(role) for role in STAFF_ROLES if role != "admin"}
    people |= {"admin": practice.admin, "platform_admin": make_platform_admin(house)}
    return World(practice, people, practice.add("clinician", supervisor=people["supervisor"]), make_practice(house))


def path_ids(world: World, operation: str, role: str | None) -> dict[str, str]:
    """Ids that exist and that the role may reach where it may reach any."""
    own = operation in ("list_trainings", "record_training") and role in world.people and role != "admin"
    return {
        "staff_id": str(world.people[role].staff_id if own and role else world.spare.staff_id),
        "practice_id": str(world.spare_practice.id),
        "session_id": str(world.start_session(role).session_id) if operation == "end_session" and role else NOWHERE,
        "key": "hipaa_grace_days",
    }


NOWHERE = "01890000-0000-7000-8000-000000000000"


def body_for(operation: str) -> dict[str, Any] | None:
    """A body that is in order; None for an operation that takes none."""
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


def version_of(world: World, operation: str) -> int:
    """Of the record that `path_ids` leads to."""
    table, key = "staff", world.spare.staff_id
    if operation == "change_practice":
        table, key = "practices", world.spare_practice.id
    with world.practice.house.store.session_in(world.practice.id) as db:
        return db.scalar(text(f"select version from {table} where id = :id"), {"id": key}) or 0


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    permission: str
    versioned: bool

    def request(self, world: World, role: str | None, **ids: str) -> dict[str, Any]:
        """Arguments of a request that is in order, with some ids changed."""
        headers = world.headers(role) | ({"If-Match": f'"{version_of(world, self.id)}"'} if self.versioned else {})
        url = self.path.format(**path_ids(world, self.id, role) | ids)
        return {"method": self.method, "url": url, "json": body_for(self.id), "headers": headers}


def operations_of(spec: dict[str, Any]) -> list[Operation]:
    return [
        Operation(
            operation["operationId"],
            method.upper(),
            path,
            operation["x-permission"],
            any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ())),
        )
        for path, methods in sorted(spec["paths"].items())
        for method, operation in methods.items()
    ]
