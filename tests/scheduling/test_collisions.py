"""Concurrent bookings: one wins, the others are refused with alternatives; nothing overlaps or deadlocks.

`CASELOAD_LONG=1` runs it at full length. The durations are printed (`pytest -s`).
"""

import os
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_room, make_service, open_hours
from tests.support.drivers.collisions import (
    OVERLAPS,
    STRAY,
    WRITERS,
    ConcurrentWriters,
    ContestedSchedule,
    NaiveWriter,
    compute_percentile,
    count_deadlocks,
    count_rows,
    make_clients,
)
from tests.support.drivers.http import V1, token_headers
from tests.support.drivers.server import Server, run_server
from tests.support.harness import cluster

LONG = os.environ.get("CASELOAD_LONG")
CLIENTS = 200
OPERATIONS = 10_000 if LONG else 480


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with run_server(tmp_path_factory.mktemp("collisions")) as running:
        yield running


@pytest.fixture
def practice(server: Server) -> PracticeFixture:
    return server.create_practice()


@pytest.fixture
def http(server: Server) -> Generator[httpx2.Client]:
    limits = httpx2.Limits(max_connections=CLIENTS)
    with httpx2.Client(base_url=server.url, timeout=60, limits=limits) as client:
        yield client


def build_headers(practice: PracticeFixture) -> dict[str, str]:
    return token_headers(practice.token(now=datetime.now(UTC)))


def make_schedule(
    practice: PracticeFixture, clinicians: int = 4, rooms: int = 3, clients: int = 12
) -> ContestedSchedule:
    people = [practice.add("clinician") for _ in range(clinicians)]
    for person in people:
        open_hours(practice, person)
    codes = [f"S{minutes}" for minutes in (30, 45, 60)]
    for code in codes:
        make_service(practice, code, minutes=int(code[1:]))
    make_service(practice, "G60", kind="GROUP", capacity=4)
    tomorrow = practice.now.replace(hour=14, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return ContestedSchedule(
        [person.staff_id for person in people],
        [make_room(practice) for _ in range(rooms)],
        make_clients(practice, clients),
        codes,
        "G60",
        tomorrow,
    )


def report(title: str, durations: list[float] | None = None, **values: Any) -> None:
    shares = (
        [f"p{share} {compute_percentile(durations, share / 100):.0f} ms" for share in (50, 95, 99)] if durations else []
    )
    print(f"\n{title}:", *shares, *(f"{name} {value}" for name, value in values.items()), sep="\n  ")  # noqa: T201


def test_of_two_hundred_requests_for_one_time_one_is_booked(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    schedule, headers = make_schedule(practice, clinicians=2, rooms=2, clients=CLIENTS), build_headers(practice)
    body = {"clinician_id": str(schedule.clinicians[0]), "room_id": str(schedule.rooms[0]), "service_code": "S60"}
    body["starts_at"] = schedule.first.isoformat()

    def book(client: Any) -> httpx2.Response:
        return http.post(f"{V1}/appointments", json=body | {"client_id": str(client)}, headers=headers)

    with ThreadPoolExecutor(CLIENTS) as pool:
        responses = list(pool.map(book, schedule.clients))
    assert Counter(response.status_code for response in responses) == {201: 1, 409: CLIENTS - 1}
    for error in [response.json()["error"] for response in responses if response.status_code == 409]:
        assert error["code"] == "SLOT_TAKEN"
        assert 1 <= len(error["details"]["alternatives"]) <= 5
    report("one time, two hundred requests", [response.elapsed.total_seconds() for response in responses])
    assert (
        count_rows(server.database, OVERLAPS)
        == count_rows(server.database, STRAY)
        == count_deadlocks(server.database)
        == 0
    )


def test_nothing_overlaps_under_concurrent_booking_moving_and_cancelling(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    writers = ConcurrentWriters(http, build_headers(practice), make_schedule(practice))
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(writers.write, range(WRITERS), [OPERATIONS // WRITERS] * WRITERS))
    tally = writers.tally
    outcomes = {" ".join(key): number for key, number in sorted(tally.outcomes.items())}
    report("at random", tally.durations, collided=f"{tally.collision_rate:.0%}", **outcomes)
    assert not tally.undocumented_outcomes
    assert tally.collision_rate >= 0.3
    assert count_deadlocks(server.database) == 0
    assert count_rows(server.database, OVERLAPS) == 0
    assert count_rows(server.database, STRAY) == 0


def test_checking_first_and_writing_later_overlaps_under_the_same_load(
    server: Server, practice: PracticeFixture
) -> None:
    """Check the control: without the database rule, the tests above would find overlaps."""
    naive = NaiveWriter(server.database, make_schedule(practice))
    with cluster.connect_as_superuser(server.database) as connection:
        connection.execute(naive.TABLE)
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(naive.write, [OPERATIONS // WRITERS] * WRITERS))
    overlaps = count_rows(server.database, naive.OVERLAPS)
    report("without constraint and locks", overlaps=overlaps)
    assert overlaps > 0
