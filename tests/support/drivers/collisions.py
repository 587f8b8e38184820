"""Concurrent writers on one schedule: random operations, their outcomes, and overlaps."""

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
from tests.support.builders.schedule import build_consents
from tests.support.drivers.http import V1
from tests.support.harness import cluster

WRITERS = 16
QUARTER = timedelta(minutes=15)
COLLISIONS = {"SLOT_TAKEN", "GROUP_FULL"}
# Expected outcomes when another writer was faster. Any other outcome is a defect.
REFUSALS = COLLISIONS | {"WRONG_STATUS", "OFFER_CLOSED", "NOT_BOOKABLE"}  # the last one: seats cannot be moved

# Every active appointment occupies its clinician, room and client; the seats of a group share the first two.
EXPECTED_OCCUPANCIES = """
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
    with held as ({EXPECTED_OCCUPANCIES})
    select count(*) from held as a join held as b using (kind, resource_id)
    where a.holder_id < b.holder_id and a.starts_at < b.ends_at and b.starts_at < a.ends_at
"""
# The occupancies written by the triggers are exactly the expected ones.
STRAY = f"""
    with held as ({EXPECTED_OCCUPANCIES}),
    kept as (select holder_id, kind, resource_id, starts_at, ends_at from occupancies)
    select count(*) from ((table held except table kept) union all (table kept except table held)) as stray
"""


def count_rows(database: str, query: str) -> int:
    with cluster.connect_as_superuser(database) as connection:
        return connection.execute(query).fetchone()[0]


def count_deadlocks(database: str) -> int:
    """Return the number of deadlocks of current connections, from the server's log."""
    with cluster.connect_as_superuser(database) as connection:
        pids = {
            row[0] for row in connection.execute("select pid from pg_stat_activity where datname = %s", (database,))
        }
    log = cluster.get_server().data_dir / "log" / "server.log"
    matches = re.findall(r"\[(\d+)\] ERROR: +deadlock detected", log.read_text(errors="replace"))
    return sum(int(pid) in pids for pid in matches)


def compute_percentile(durations: list[float], share: float) -> float:
    """Return the percentile in milliseconds."""
    return sorted(durations)[min(len(durations) - 1, int(len(durations) * share))] * 1000


class NaiveWriter:
    """A writer that checks whether a time is free and then takes it, without locks or constraints."""

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

    def __init__(self, database: str, schedule: "ContestedSchedule") -> None:
        self.database, self.schedule = database, schedule
        self.barrier = threading.Barrier(WRITERS, timeout=60)

    def write(self, count: int) -> None:
        """Try to take the same random times as all other writers, in the same order and at the same moments."""
        rng = random.Random(1)  # noqa: S311
        with cluster.connect_as_superuser(self.database) as connection:
            for _ in range(count):
                self.barrier.wait()
                booking = self.schedule.draw_time_and_place(rng) | {"client_id": rng.choice(self.schedule.clients)}
                if not connection.execute(self.CHECK, booking).fetchone()[0]:
                    connection.execute(self.TAKE, booking)


def make_clients(practice: PracticeFixture, count: int) -> list[UUID]:
    """Create active, self-paying adult clients with every consent in one transaction."""
    clients = [
        Client(
            tenant_id=practice.id,
            id=new_id(),
            first_name="Casey",
            last_name=f"Example {number}",
            birth_date=date(1990, 5, 17),
            self_pay=True,
            emancipated=False,
            admitted_on=date(2025, 6, 2),
            created_at=practice.now,
            email="casey@example.com",
        )
        for number in range(count)
    ]
    with practice.installation.store.begin_session(practice.id) as db:
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
        db.add_all(consent for client in clients for consent in build_consents(practice, client.id))
    return [client.id for client in clients]


@dataclass
class ContestedSchedule:
    """The resources that the writers compete for."""

    clinicians: list[UUID]
    rooms: list[UUID]
    clients: list[UUID]
    services: list[str]
    group: str
    first: datetime

    def draw_time_and_place(self, rng: random.Random) -> dict[str, Any]:
        start = self.first + timedelta(days=rng.choice([0, 1, 7])) + rng.randrange(32) * QUARTER
        room = rng.choice([*self.rooms, None])
        resources = {"clinician_id": str(rng.choice(self.clinicians)), "room_id": room and str(room)}
        return resources | {"starts_at": start.isoformat()}


@dataclass
class Tally:
    """The outcomes and durations of all operations."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)  # operation and code
    durations: list[float] = field(default_factory=list)  # seconds

    @property
    def undocumented_outcomes(self) -> dict[tuple[str, str], int]:
        return {
            (operation, code): count
            for (operation, code), count in self.outcomes.items()
            if code not in {"done"} | REFUSALS
        }

    @property
    def collision_rate(self) -> float:
        """Return the share of bookings that met another one."""
        bookings = {key: count for key, count in self.outcomes.items() if key[0] in ("book", "seat", "series", "move")}
        return sum(count for (_, code), count in bookings.items() if code in COLLISIONS) / sum(bookings.values())


class ConcurrentWriters:
    """Writers that book, move and cancel on one schedule, each with its own seed."""

    def __init__(self, http: httpx2.Client, headers: dict[str, str], schedule: ContestedSchedule) -> None:
        self.http, self.headers, self.schedule = http, headers, schedule
        self.booked: list[str] = []
        self.groups: list[str] = []
        self.tally = Tally()
        self.lock = threading.Lock()

    def write(self, seed: int, count: int) -> None:
        rng = random.Random(seed)  # noqa: S311
        operations = [
            *(self.book, self.book_seat, self.book_series, self.move),
            *(self.cancel, self.cancel_many, self.join_waitlist, self.answer_offer),
        ]
        for _ in range(count):
            rng.choices(operations, [40, 8, 3, 16, 20, 3, 5, 5])[0](rng)

    def send(self, operation: str, path: str, **body: Any) -> Any:
        started = time.perf_counter()
        response = self.http.post(f"{V1}/{path}", json=body, headers=self.headers)
        duration = time.perf_counter() - started
        content = response.json()
        code = "done" if response.is_success else f"{content['error']['code']}"
        with self.lock:
            self.tally.outcomes[operation, code] += 1
            self.tally.durations.append(duration)
        return content if response.is_success else None

    def pick_appointment(self, rng: random.Random) -> str | None:
        with self.lock:
            return rng.choice(self.booked[-60:]) if self.booked else None  # most earlier ones are closed

    def draw_booking(self, rng: random.Random) -> dict[str, Any]:
        fields = {
            "client_id": str(rng.choice(self.schedule.clients)),
            "service_code": rng.choice(self.schedule.services),
        }
        return self.schedule.draw_time_and_place(rng) | fields

    def book(self, rng: random.Random) -> None:
        if content := self.send("book", "appointments", **self.draw_booking(rng)):
            self.booked.append(content["appointment"]["id"])

    def book_seat(self, rng: random.Random) -> None:
        body = self.draw_booking(rng) | {"service_code": self.schedule.group}
        if self.groups and rng.random() < 0.7:
            group = {"group_session_id": rng.choice(self.groups[-3:])}
            body = group | {name: body[name] for name in ("client_id", "service_code")}
        if content := self.send("seat", "appointments", **body):
            self.booked.append(content["appointment"]["id"])
            self.groups.append(content["appointment"]["group_session_id"])

    def book_series(self, rng: random.Random) -> None:
        fields = {"rule": "FREQ=WEEKLY;COUNT=2", "skip_conflicts": True}
        if content := self.send("series", "appointments/series", **self.draw_booking(rng), **fields):
            self.booked += [
                occurrence["appointment_id"] for occurrence in content["occurrences"] if occurrence["appointment_id"]
            ]

    def move(self, rng: random.Random) -> None:
        if appointment_id := self.pick_appointment(rng):
            body = self.schedule.draw_time_and_place(rng) | {"series_scope": rng.choice(["this", "this_and_following"])}
            if content := self.send("move", f"appointments/{appointment_id}/reschedule", **body):
                self.booked += [replacement["id"] for replacement in content["items"]]

    def cancel(self, rng: random.Random) -> None:
        if appointment_id := self.pick_appointment(rng):
            series_scope = rng.choice(["this", "this", "this_and_following", "all"])
            self.send("cancel", f"appointments/{appointment_id}/cancel", reason="Ill", series_scope=series_scope)

    def cancel_many(self, rng: random.Random) -> None:
        with self.lock:
            ids = rng.sample(self.booked[-60:], min(5, len(self.booked)))
        if ids:
            self.send("cancel many", "appointments/bulk", action="cancel", appointment_ids=ids, reason="Ill")

    def join_waitlist(self, rng: random.Random) -> None:
        self.send("wait", "waitlist", client_id=str(rng.choice(self.schedule.clients)), priority=rng.choice([1, 2, 3]))

    def answer_offer(self, rng: random.Random) -> None:
        """Answer a random open offer, or withdraw its entry."""
        offered = self.http.get(f"{V1}/waitlist", params={"status": "OFFERED", "limit": 20}, headers=self.headers)
        entries = [entry["id"] for entry in offered.json()["items"]]
        if not entries:
            return
        entry = rng.choice(entries)
        offers = self.http.get(f"{V1}/waitlist/{entry}/offers", headers=self.headers).json()["items"]
        open_offers = [offer["id"] for offer in offers if offer["status"] == "OPEN"]
        action = rng.choice(["take", "decline", "withdraw"])
        if action == "withdraw":
            self.send(action, f"waitlist/{entry}/withdraw")
        elif open_offers:
            self.send(action, f"waitlist/offers/{open_offers[0]}/{action}")
