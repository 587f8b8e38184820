"""Builders of practices and their people, signed in directly instead of through the sign-in flow."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from uuid import UUID

from sqlalchemy import update

from practice.people.practices import create_practice
from practice.people.staff import add_staff
from practice.security import accounts, totp
from practice.security.installation import Installation
from practice.security.models import Account, Membership
from practice.security.passwords import hash_password
from practice.security.sign_in import Tokens, start_session
from practice.security.work import Actor
from practice.store.ids import SYSTEM_TENANT, new_id

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
PASSWORD = "Teal-Walrus 41 hums softly"


@dataclass
class Person:
    """A signed-up person; for a client, `staff_id` is the client's id."""

    account_id: UUID
    staff_id: UUID
    email: str
    roles: list[str]


@dataclass
class PracticeFixture:
    """A practice for one test, with the people added to it by role."""

    installation: Installation
    id: UUID
    admin: Person
    people: dict[str, Person] = field(default_factory=dict)
    now: datetime = NOW  # a practice served by a running server has to use real time

    def actor(self, person: Person | None = None) -> Actor:
        person = person or self.admin
        return Actor(self.id, person.account_id, person.staff_id, frozenset(person.roles))

    def work(self, person: Person | None = None, now: datetime | None = None):
        return self.installation.work(self.actor(person), now or self.now)

    def add(self, *roles: str, supervisor: Person | None = None, email: str | None = None) -> Person:
        with self.work() as work:
            invited = add_staff(
                work,
                email=email or f"{roles[0]}-{new_id()}@example.com",
                first_name="Robin",
                last_name=f"Tester {new_id()}",
                roles=list(roles),
                hired_on=date(2025, 1, 6),
                supervisor_id=supervisor.staff_id if supervisor else None,
                by_email=False,
            )
            staff = invited.staff
            person = Person(staff.account_id, staff.id, staff.email, staff.roles)
        accept_membership(self.installation, person.account_id, self.id, self.now)
        self.people[roles[0]] = person
        return person

    def token(self, person: Person | None = None, now: datetime | None = None) -> str:
        return self.tokens(person, now).access

    def tokens(self, person: Person | None = None, now: datetime | None = None) -> Tokens:
        return sign_in(self.installation, (person or self.admin).account_id, self.id, now or self.now)


def accept_membership(installation: Installation, account_id: UUID, tenant_id: UUID, now: datetime = NOW) -> None:
    with installation.store.begin_system_session() as db:
        db.execute(
            update(Membership)
            .where(Membership.account_id == account_id, Membership.tenant_id == tenant_id)
            .values(accepted_at=now)
        )


@cache
def hash_test_password() -> str:
    """Return the hash of PASSWORD, computed once because hashing is slow by design."""
    return hash_password(PASSWORD)


def give_credentials(installation: Installation, account_id: UUID, secret: str | None = None) -> str:
    """Give the account PASSWORD and a confirmed authenticator, and return the authenticator's secret."""
    secret = secret or totp.generate_secret()
    with installation.work(Actor(), NOW) as work:
        sealed = work.seal("accounts", "totp_secret", account_id, secret)
        values = {
            "password_hash": hash_test_password(),
            "password_set_at": NOW,
            "totp_secret": sealed,
            "totp_confirmed_at": NOW,
        }
        work.db.execute(update(Account).where(Account.id == account_id).values(values))
    return secret


def make_practice(
    installation: Installation,
    name: str | None = None,
    time_zone: str = "America/New_York",
    now: datetime = NOW,
    **fields: str,
) -> PracticeFixture:
    with installation.work(Actor(), now) as work:
        admin = {"email": f"admin-{new_id()}@example.com", "first_name": "Ada", "last_name": "Admin"}
        practice, invited = create_practice(
            work, name=name or f"Practice {new_id()}", time_zone=time_zone, admin=admin, by_email=False, **fields
        )
        staff = invited.staff
        fixture = PracticeFixture(
            installation, practice.id, Person(staff.account_id, staff.id, staff.email, ["admin"]), now=now
        )
    accept_membership(installation, fixture.admin.account_id, fixture.id, now)
    return fixture


def make_platform_admin(installation: Installation) -> Person:
    with installation.work(Actor(), NOW) as work:
        account = accounts.ensure_account(work.db, f"platform-{new_id()}@example.com", NOW)
        work.db.execute(update(Account).where(Account.id == account.id).values(platform_admin=True))
    return Person(account.id, SYSTEM_TENANT, account.email, ["platform_admin"])


def sign_in(installation: Installation, account_id: UUID, tenant_id: UUID, now: datetime = NOW) -> Tokens:
    tokens = start_session(installation, account_id, tenant_id, now, None).tokens
    assert tokens is not None
    return tokens
