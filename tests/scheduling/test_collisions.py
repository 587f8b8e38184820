"""Many at once: who comes second is refused and told what else there is; nothing overlaps, and nobody waits for ever.

`CASELOAD_LONG=1` runs it at full length. The times that it took are printed (`pytest -s`).
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
    Crowd,
    Ground,
    Naive,
    count,
    deadlocks,
    make_clients,
    percentile,
)
from tests.support.drivers.http import V1, with_token
from tests.support.drivers.server import Server, serving
from tests.support.harness import cluster

LONG = os.environ.get("CASELOAD_LONG")
AT_ONCE = 200
OPERATIONS = 10_000 if LONG else 480


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with serving(tmp_path_factory.mktemp("collisions")) as running:
        yield running


@pytest.fixture
def practice(server: Server) -> PracticeFixture:
    return server.practice()


@pytest.fixture
def http(server: Server) -> Generator[httpx2.Client]:
    limits = httpx2.Limits(max_connections=AT_ONCE)
    with httpx2.Client(base_url=server.url, timeout=60, limits=limits) as client:
        yield client


def signed_in(practice: PracticeFixture) -> dict[str, str]:
    return with_token(practice.token(now=datetime.now(UTC)))


def make_ground(practice: PracticeFixture, clinicians: int = 4, rooms: int = 3, clients: int = 12) -> Ground:
    people = [practice.add("clinician") for _ in range(clinicians)]
    for person in people:
        open_hours(practice, person)
    codes = [f"S{minutes}" for minutes in (30, 45, 60)]
    for code in codes:
        make_service(practice, code, minutes=int(code[1:]))
    make_service(practice, "G60", kind="GROUP", capacity=4)
    tomorrow = practice.now.replace(hour=14, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return Ground(
        [person.staff_id for person in people],
        [make_room(practice) for _ in range(rooms)],
        make_clients(practice, clients),
        codes,
        "G60",
        tomorrow,
    )


def report(what: str, took: list[float] | None = None, **more: Any) -> None:
    shares = [f"p{share} {percentile(took, share / 100):.0f} ms" for share in (50, 95, 99)] if took else []
    print(f"\n{what}:", *shares, *(f"{name} {value}" for name, value in more.items()), sep="\n  ")  # noqa: T201


def test_of_two_hundred_who_want_one_time_one_gets_it(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    ground, headers = make_ground(practice, clinicians=2, rooms=2, clients=AT_ONCE), signed_in(practice)
    wish = {"clinician_id": str(ground.clinicians[0]), "room_id": str(ground.rooms[0]), "service_code": "S60"}
    wish["starts_at"] = ground.first.isoformat()

    def book(client: Any) -> httpx2.Response:
        return http.post(f"{V1}/appointments", json=wish | {"client_id": str(client)}, headers=headers)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(book, ground.clients))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}
    for error in [answer.json()["error"] for answer in answers if answer.status_code == 409]:
        assert error["code"] == "SLOT_TAKEN"
        assert 1 <= len(error["details"]["alternatives"]) <= 5
    report("one time, two hundred at once", [answer.elapsed.total_seconds() for answer in answers])
    assert count(server.database, OVERLAPS) == count(server.database, STRAY) == deadlocks(server.database) == 0


def test_however_many_book_move_and_cancel_nothing_overlaps(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    crowd = Crowd(http, signed_in(practice), make_ground(practice))
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(crowd.write, range(WRITERS), [OPERATIONS // WRITERS] * WRITERS))
    tally = crowd.tally
    came = {" ".join(key): number for key, number in sorted(tally.came.items())}
    report("at random", tally.took, collided=f"{tally.collided:.0%}", **came)
    assert not tally.undocumented
    assert tally.collided >= 0.3
    assert deadlocks(server.database) == 0
    assert count(server.database, OVERLAPS) == 0
    assert count(server.database, STRAY) == 0


def test_looking_first_and_taking_then_overlaps_under_the_same_load(server: Server, practice: PracticeFixture) -> None:
    """The control: what the tests above would see if the database did not hold the rule."""
    naive = Naive(server.database, make_ground(practice))
    with cluster.superuser(server.database) as connection:
        connection.execute(naive.TABLE)
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(naive.write, [OPERATIONS // WRITERS] * WRITERS))
    overlaps = count(server.database, naive.OVERLAPS)
    report("without constraint and locks", overlaps=overlaps)
    assert overlaps > 0
