"""A practice whose services are used at random on a simulated clock."""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text

from practice.errors import Refusal
from practice.security.installation import Installation
from practice.security.work import Actor, Work

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class NothingToDo(Exception):
    """No record is in a state in which the service could be used."""


@dataclass
class Tally:
    """How often a service was used, how often it succeeded, and why it was refused."""

    tried: int = 0
    succeeded: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Service:
    """A use of a service function: its name, how often a day it begins by itself, and what it does.

    One that is not counted only plans others.
    """

    name: str
    a_day: float
    use: Callable[..., None]
    counted: bool = True


SERVICES: dict[str, Service] = {}


def service(
    name: str, a_day: float = 0, *, counted: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a use of a service function. With 0 times a day, only other uses lead to it."""

    def register(use: Callable[..., None]) -> Callable[..., None]:
        assert name not in SERVICES, name
        SERVICES[name] = Service(name, a_day, use, counted)
        return use

    return register


class SimulatedPractice:
    """The practice, its clock, what is planned for later, and how often each service succeeded."""

    def __init__(self, installation: Installation, tenant_id: UUID, start: datetime, random: Random) -> None:
        self.installation, self.tenant_id, self.random = installation, tenant_id, random
        self.start = self.now = start
        self.tallies = {name: Tally() for name in SERVICES}
        self.planned: list[tuple[datetime, int, str, tuple[Any, ...]]] = []
        self.counter = 0
        self.admin = self.read_actor("select * from staff where external_id = 'ADM'")
        self.platform = Actor(account_id=self.admin.account_id)

    # The clock

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.rows("select time_zone from practices where id = :tenant_id")[0].time_zone)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def later(self, at: datetime, name: str, *details: Any) -> None:
        """Plan a use of a service."""
        self.counter += 1
        heapq.heappush(self.planned, (max(at, self.now + SECOND), self.counter, name, details))

    def run_until(self, instant: datetime) -> None:
        """Use everything that is planned until the instant, inclusive."""
        while self.planned and self.planned[0][0] <= instant:
            at, _, name, details = heapq.heappop(self.planned)
            self.now = max(at, self.now + timedelta.resolution)
            self.perform(name, *details)

    def perform(self, name: str, *details: Any) -> bool:
        """Use a service now, and return whether it succeeded."""
        tally = self.tallies[name]
        try:
            SERVICES[name].use(self, *details)
        except NothingToDo:
            return False
        except Refusal as refusal:
            tally.tried += 1
            codes = {problem.code for problem in getattr(refusal, "problems", ()) if hasattr(problem, "code")}
            tally.refusals[", ".join(sorted(codes)) or f"{refusal.code} {refusal.message[:60]}"] += 1
            return False
        tally.tried += 1
        tally.succeeded += 1
        return True

    # Actors and records

    def work(self, actor: Actor | None = None) -> AbstractContextManager[Work]:
        return self.installation.work(actor or self.admin, self.now)

    def rows(self, query: str, **values: Any) -> Sequence[Row[Any]]:
        """Return the rows of a query within the practice."""
        with self.installation.store.begin_session(self.tenant_id) as db:
            known = {"tenant_id": self.tenant_id, "now": self.now} | values
            return db.execute(text(query), {name: known[name] for name in known if f":{name}" in query}).all()

    def pick(self, query: str, **values: Any) -> Row[Any]:
        """Return any row of a query, or raise NothingToDo."""
        found = self.rows(query, **values)
        if not found:
            raise NothingToDo
        return self.random.choice(found)

    def read_actor(self, query: str, **values: Any) -> Actor:
        """Return any of the staff that a query finds, as an actor."""
        return to_actor(self.pick(query, **values))

    def staff_actor(self, staff_id: UUID) -> Actor:
        return self.read_actor("select * from staff where id = :id", id=staff_id)

    def client_actor(self, client_id: UUID) -> Actor:
        """Return a client who uses the portal as an actor."""
        client = self.pick("select * from clients where id = :id and account_id is not null", id=client_id)
        return Actor(self.tenant_id, client.account_id, roles=frozenset({"client"}), client_id=client_id)

    def pick_clinician(self) -> Row[Any]:
        return self.pick(f"select * from staff as s where 'clinician' = any(roles) and {AT_WORK} order by id")

    def pick_bookable_clinician(self) -> Row[Any]:
        """Return any clinician at work who has hours."""
        return self.pick(f"""
            select * from staff as s where 'clinician' = any(roles) and {AT_WORK} and exists (
                select from availability_windows as w
                where w.tenant_id = s.tenant_id and w.clinician_id = s.id and w.voided_at is null
            ) order by id
        """)

    def pick_client(self, condition: str = "true", **values: Any) -> Row[Any]:
        """Return any client who is active today and meets the condition."""
        query = f"""
            select * from clients
            where (ended_on is null or ended_on > :today) and first_name <> 'Redacted' and ({condition}) order by id
        """
        return self.pick(query, today=self.today, **values)

    # Chance

    def happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def choose(self, *options: Any) -> Any:
        return self.random.choice(options)

    def choose_span(self, shortest: timedelta, longest: timedelta) -> timedelta:
        """Return a length of time between both, to the microsecond."""
        return shortest + (longest - shortest) * self.random.random()

    def choose_day(self, first: int, last: int) -> date:
        """Return a day between so many days after today, which may be negative."""
        return self.today + DAY * self.random.randint(first, last)


AT_WORK = "s.deactivated_at is null and s.hired_on <= cast(:now as date) and (s.left_on is null or s.left_on > :now)"


def to_actor(staff: Row[Any]) -> Actor:
    return Actor(staff.tenant_id, staff.account_id, staff.id, frozenset(staff.roles))
