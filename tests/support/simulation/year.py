"""A stretch of simulated time: a practice is imported, then every service is used at random."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from ingest.bundle.load import import_bundle
from practice.security.installation import Installation
from tests.support.builders.bundles import load_sample_rows, make_unique, write_folder
from tests.support.builders.people import accept_membership
from tests.support.simulation import (  # noqa: F401 - each module registers its services
    booking,
    clients,
    coverages,
    hours,
    money,
    notes,
    reviews,
    settings,
    staff,
    visits,
)
from tests.support.simulation.practice import DAY, HOUR, MINUTE, SERVICES, SimulatedPractice

START = datetime(2025, 11, 17, 15, 0, tzinfo=UTC)  # after everything in the sample practice


def begin_practice(
    installation: Installation, folder: Path, seed: int, staff_count: int = 6, client_count: int = 25
) -> SimulatedPractice:
    """Import the sample practice and give it more staff and clients."""
    rows = make_unique(load_sample_rows())
    for person in rows["staff"]:
        person["hired_on"] = "2025-10-01"  # every day since somebody was hired has values: fewer of them
        person["left_on"] = person["left_on"] and "2025-10-03"
    bundle = write_folder(folder, rows)
    practice = import_bundle(installation, bundle, START, lambda _: None).practice
    sim = SimulatedPractice(installation, practice.id, START, Random(seed))  # noqa: S311 - repeatable
    for row in sim.rows("select account_id from staff where left_on is null"):
        accept_membership(installation, row.account_id, practice.id, START)
    minutes = iter(range(1, 1000))
    for row in sim.rows("select id from staff where 'clinician' = any(roles) and left_on is null order by id"):
        sim.later(START + next(minutes) * MINUTE, "add a window", row.id)
    first_uses = [("invite staff", ["clinician", "supervisor"]), *[("invite staff", ["clinician"])] * (staff_count - 1)]
    first_uses += [("add a client",)] * client_count
    for name, *details in first_uses:
        sim.later(START + next(minutes) * MINUTE, name, *details)
    return sim


def plan_day(sim: SimulatedPractice, day: datetime, pace: float) -> None:
    """Plan what begins by itself on a day: mostly in the daytime of New York, some at any time."""
    for name, use in SERVICES.items():
        expected = use.a_day * pace
        for _ in range(int(expected) + sim.happens(expected % 1)):
            first, last = (8 * HOUR, 19 * HOUR) if sim.happens(0.85) else (0 * HOUR, 24 * HOUR)
            sim.later(day + sim.choose_span(first, last), name)


def run(sim: SimulatedPractice, days: int, instants: list[datetime], pace: float = 1) -> Iterator[datetime]:
    """Run the simulation, and yield each instant when it is reached."""
    midnight = START.astimezone(ZoneInfo("America/New_York")).replace(hour=0)
    remaining = sorted(instants)
    for number in range(days):
        day = (midnight + number * DAY).astimezone(UTC)
        plan_day(sim, day, pace)
        while remaining and remaining[0] <= day + DAY:
            instant = remaining.pop(0)
            sim.run_until(instant)
            yield instant
        sim.run_until(day + DAY)


def choose_instants(sim: SimulatedPractice, days: int, number: int) -> list[datetime]:
    """Return random instants within the simulated time, after its first day."""
    last = days * DAY - 10 * HOUR
    return sorted(START + sim.choose_span(DAY, last) for _ in range(number))
