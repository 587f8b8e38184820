"""A schedule that many people write to at once: what they do at random, what comes of it, and what overlaps."""

import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2

from practice.people.models.clients import Client, ClientStatus
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import V1
from tests.support.harness import cluster

WRITERS = 16
QUARTER = timedelta(minutes=15)
COLLISIONS = {"SLOT_TAKEN", "GROUP_FULL"}
# All that may come of it when somebody else was faster. Whatever else comes is a defect.
REFUSALS = COLLISIONS | {"WRONG_STATUS", "OFFER_CLOSED", "NOT_BOOKABLE"}  # the last: seats cannot be moved

# Every active appointment takes its clinician, its room and its client; the seats of a group share the first two.
HELD = """
    select coalesce(group_session_id, id) as holder_id, kind, resource_id, starts_at, ends_at
    from appointments, unnest(array['clinician', 'room'], array[clinician_id, room_id]) as taken (kind, resource_id)
    where guarded and status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW') and resource_id is not null
    union
    select id, 'client', client_id, starts_at, ends_at from appointments
    where guarded and status not in ('CANCELLED', 'RESCHEDULED', 'NO_SHOW')
    union
    select id, kind, resource_id, starts_at, ends_at
    from (
        select id, clinician_id, room_id, starts_at, ends_at from blocks where voided_at is null
        union all
        select id, clinician_id, room_id, starts_at, ends_at from waitlist_offers where status = 'OPEN'
    ) as kept, unnest(array['clinician', 'room'], array[clinician_id, room_id]) as taken (kind, resource_id)
    where resource_id is not null
"""
OVERLAPS = f"""
    with held as ({HELD})
    select count(*) from held as a join held as b using (kind, resource_id)
    where a.holder_id < b.holder_id and a.starts_at < b.ends_at and b.starts_at < a.ends_at
"""
# What the triggers keep as taken is what is taken: nothing is kept for nobody, and nothing forgotten.
STRAY = f"""
    with held as ({HELD}), kept as (select holder_id, kind, resource_id, starts_at, ends_at from occupancies)
    select count(*) from ((table held except table kept) union all (table kept except table held)) as stray
"""


def count(database: str, query: str) -> int:
    with cluster.superuser(database) as connection:
        return connection.execute(query).fetchone()[0]


def deadlocks(database: str) -> int:
    """Of those who are connected to the database now, as the server's log tells."""
    with cluster.superuser(database) as connection:
        pids = {
            row[0] for row in connection.execute("select pid from pg_stat_activity where datname = %s", (database,))
        }
    log = cluster.server().data_dir / "log" / "server.log"
    found = re.findall(r"\[(\d+)\] ERROR: +deadlock detected", log.read_text(errors="replace"))
    return sum(int(pid) in pids for pid in found)


def percentile(took: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(took)[min(len(took) - 1, int(len(took) * share))] * 1000


class Naive:
    """Somebody who looks whether the time is free and then takes it, as one would without having thought of others."""

    TABLE = """
        create table if not exists naive (
            clinician_id uuid not null, room_id uuid, client_id uuid not null,
            starts_at timestamptz not null, ends_at timestamptz not null
        )
    """
    CHECK = """
        select exists (
            select from naive
            where (clinician_id = %(clinician_id)s or room_id = %(room_id)s or client_id = %(client_id)s)
                and starts_at < %(starts_at)s::timestamptz + interval '1 hour' and ends_at > %(starts_at)s
        )
    """
    TAKE = """
        insert into naive values (
            %(clinician_id)s, %(room_id)s, %(client_id)s, %(starts_at)s, %(starts_at)s::timestamptz + interval '1 hour'
        )
    """
    OVERLAPS = """
        select count(*) from naive as a join naive as b on a.ctid < b.ctid
            and (a.clinician_id = b.clinician_id or a.room_id = b.room_id or a.client_id = b.client_id)
        where a.starts_at < b.ends_at and b.starts_at < a.ends_at
    """

    def __init__(self, database: str, ground: "Ground") -> None:
        self.database, self.ground = database, ground
        self.all_at_once = threading.Barrier(WRITERS, timeout=60)

    def write(self, times: int) -> None:
        """All writers have the same wishes at the same moments."""
        chance = random.Random(1)  # noqa: S311
        with cluster.superuser(self.database) as connection:
            for _ in range(times):
                self.all_at_once.wait()
                wish = self.ground.time_and_place(chance) | {"client_id": chance.choice(self.ground.clients)}
                if not connection.execute(self.CHECK, wish).fetchone()[0]:
                    connection.execute(self.TAKE, wish)


def make_clients(practice: PracticeFixture, number: int) -> list[UUID]:
    """Active adults who pay themselves, all in one go."""
    clients = [
        Client(
            tenant_id=practice.id,
            id=new_id(),
            first_name="Casey",
            last_name=f"Example {place}",
            birth_date=date(1990, 5, 17),
            self_pay=True,
            emancipated=False,
            admitted_on=date(2025, 6, 2),
            created_at=practice.now,
            email="casey@example.com",
        )
        for place in range(number)
    ]
    with practice.installation.store.session_in(practice.id) as db:
        db.add_all(clients)
        db.flush()
        db.add_all(
            ClientStatus(
                tenant_id=practice.id,
                client_id=client.id,
                status="ACTIVE",
                effective_on=date(2025, 6, 2),
                set_at=practice.now,
            )
            for client in clients
        )
    return [client.id for client in clients]


@dataclass
class Ground:
    """What is fought over."""

    clinicians: list[UUID]
    rooms: list[UUID]
    clients: list[UUID]
    services: list[str]
    group: str
    first: datetime

    def time_and_place(self, chance: random.Random) -> dict[str, Any]:
        start = self.first + timedelta(days=chance.choice([0, 1, 7])) + chance.randrange(32) * QUARTER
        room = chance.choice([*self.rooms, None])
        place = {"clinician_id": str(chance.choice(self.clinicians)), "room_id": room and str(room)}
        return place | {"starts_at": start.isoformat()}


@dataclass
class Tally:
    came: Counter[tuple[str, str]] = field(default_factory=Counter)  # what was asked, and what came of it
    took: list[float] = field(default_factory=list)  # seconds

    @property
    def undocumented(self) -> dict[tuple[str, str], int]:
        return {(asked, code): n for (asked, code), n in self.came.items() if code not in {"done"} | REFUSALS}

    @property
    def collided(self) -> float:
        """Which share of what was to take a time met somebody else's."""
        asked = {key: n for key, n in self.came.items() if key[0] in ("book", "seat", "series", "move")}
        return sum(n for (_, code), n in asked.items() if code in COLLISIONS) / sum(asked.values())


class Crowd:
    """Writers who book, move and cancel on one ground, each by a seed of their own."""

    def __init__(self, http: httpx2.Client, headers: dict[str, str], ground: Ground) -> None:
        self.http, self.headers, self.ground = http, headers, ground
        self.booked: list[str] = []
        self.groups: list[str] = []
        self.tally = Tally()
        self.lock = threading.Lock()

    def write(self, seed: int, times: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        verbs = [self.book, self.seat, self.series, self.move, self.cancel, self.cancel_many, self.wait, self.answer]
        for _ in range(times):
            chance.choices(verbs, [40, 8, 3, 16, 20, 3, 5, 5])[0](chance)

    def ask(self, verb: str, path: str, **body: Any) -> Any:
        began = time.perf_counter()
        answer = self.http.post(f"{V1}/{path}", json=body, headers=self.headers)
        took = time.perf_counter() - began
        said = answer.json()
        code = "done" if answer.is_success else f"{said['error']['code']}"
        with self.lock:
            self.tally.came[verb, code] += 1
            self.tally.took.append(took)
        return said if answer.is_success else None

    def some(self, chance: random.Random) -> str | None:
        with self.lock:
            return chance.choice(self.booked[-60:]) if self.booked else None  # of those before, most are over

    def wish(self, chance: random.Random) -> dict[str, Any]:
        who = {
            "client_id": str(chance.choice(self.ground.clients)),
            "service_code": chance.choice(self.ground.services),
        }
        return self.ground.time_and_place(chance) | who

    def book(self, chance: random.Random) -> None:
        if said := self.ask("book", "appointments", **self.wish(chance)):
            self.booked.append(said["appointment"]["id"])

    def seat(self, chance: random.Random) -> None:
        wish = self.wish(chance) | {"service_code": self.ground.group}
        if self.groups and chance.random() < 0.7:
            group = {"group_session_id": chance.choice(self.groups[-3:])}
            wish = group | {name: wish[name] for name in ("client_id", "service_code")}
        if said := self.ask("seat", "appointments", **wish):
            self.booked.append(said["appointment"]["id"])
            self.groups.append(said["appointment"]["group_session_id"])

    def series(self, chance: random.Random) -> None:
        more = {"rule": "FREQ=WEEKLY;COUNT=2", "skip_conflicts": True}
        if said := self.ask("series", "appointments/series", **self.wish(chance), **more):
            self.booked += [one["appointment_id"] for one in said["occurrences"] if one["appointment_id"]]

    def move(self, chance: random.Random) -> None:
        if one := self.some(chance):
            to = self.ground.time_and_place(chance) | {"which": chance.choice(["one", "following"])}
            if said := self.ask("move", f"appointments/{one}/reschedule", **to):
                self.booked += [new["id"] for new in said["items"]]

    def cancel(self, chance: random.Random) -> None:
        if one := self.some(chance):
            which = chance.choice(["one", "one", "following", "all"])
            self.ask("cancel", f"appointments/{one}/cancel", reason="Ill", which=which)

    def cancel_many(self, chance: random.Random) -> None:
        with self.lock:
            ids = chance.sample(self.booked[-60:], min(5, len(self.booked)))
        if ids:
            self.ask("cancel many", "appointments/bulk", action="cancel", appointment_ids=ids, reason="Ill")

    def wait(self, chance: random.Random) -> None:
        self.ask(
            "wait", "waitlist", client_id=str(chance.choice(self.ground.clients)), priority=chance.choice([1, 2, 3])
        )

    def answer(self, chance: random.Random) -> None:
        """Of somebody on the waitlist to an offer, or that they no longer wait."""
        offered = self.http.get(f"{V1}/waitlist", params={"status": "OFFERED", "limit": 20}, headers=self.headers)
        entries = [entry["id"] for entry in offered.json()["items"]]
        if not entries:
            return
        entry = chance.choice(entries)
        offers = self.http.get(f"{V1}/waitlist/{entry}/offers", headers=self.headers).json()["items"]
        open_ones = [offer["id"] for offer in offers if offer["status"] == "OPEN"]
        verb = chance.choice(["take", "decline", "withdraw"])
        if verb == "withdraw":
            self.ask(verb, f"waitlist/{entry}/withdraw")
        elif open_ones:
            self.ask(verb, f"waitlist/offers/{open_ones[0]}/{verb}")
