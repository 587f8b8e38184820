"""What the schedule reads to find what it shows: no table from end to end, and few rows more than it needs.

Counted by the database while the verbs run, in a practice with a past among many small ones; the same in a large one,
with times, is `python -m bench.schedule`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bench.five_years import BOOKED_OUT, FREE_WEEKS, NOW, TODAY, FiveYears, at, furnish
from bench.reads import Reads, reads_of
from practice.people.client_search import search_clients
from practice.scheduling.appointments import queries
from practice.scheduling.appointments.booking import book
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.appointments.queries import Filters
from practice.scheduling.availability import slots
from practice.scheduling.cancellation import cancel
from practice.scheduling.rescheduling import move
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest
from tests.support.harness import cluster

TABLES = {"appointments", "occupancies", "clients", "consents", "coverages", "appointment_steps"}  # those that grow
MONTH, FORTNIGHT = timedelta(days=29), timedelta(days=13)


SMALL_PRACTICES = """
    with small as (
        insert into practices (id, name, slug, time_zone, created_at)
        select uuidv7(), 'Small ' || n, 'small-' || uuidv7(), 'UTC', now() from generate_series(1, 300) as n
        returning id
    )

    insert into clients (
        tenant_id, id, first_name, last_name, birth_date, self_pay, emancipated, admitted_on, created_at
    )
    select id, uuidv7(), 'Kim', 'Doe', '1990-01-01', true, false, '2026-01-01', now()
    from small, generate_series(1, 5)
"""


@pytest.fixture(scope="module")
def five_years(installation: Installation) -> FiveYears:
    """Among many small practices: what is known of the average one says nothing about a large one."""
    with cluster.superuser(installation.store.database) as connection:
        connection.execute(SMALL_PRACTICES)
    made = furnish(installation, clinicians=10, years=1, clients=2_000)
    assert made.appointments > 20_000
    return made


def page(**more: Any) -> Callable[[Work, FiveYears], Any]:
    def look(work: Work, practice: FiveYears) -> None:
        filters = Filters(**{name: value(practice) for name, value in more.items()})
        found = queries.list_appointments(work, PageRequest(20, sort="-starts_at"), Scope.ALL, filters)
        queries.names_for(work, found.items)

    return look


def week(of_one: bool) -> Callable[[Work, FiveYears], Any]:
    def look(work: Work, practice: FiveYears) -> None:
        whom = practice.clinicians[3] if of_one else None
        days = queries.calendar(work, Scope.ALL, "week", TODAY - timedelta(days=100), clinician_id=whom)
        queries.names_for(work, [one for day in days for one in day.appointments])

    return look


def of_one(work: Work, practice: FiveYears) -> Any:
    return slots.slots(work, practice.clinicians[3], practice.service_code, TODAY, TODAY + MONTH)


def of_anybody(first: Any) -> Callable[[Work, FiveYears], Any]:
    return lambda work, practice: slots.first_free(work, practice.service_code, first, first + FORTNIGHT, 20)


def by_name(work: Work, _practice: FiveYears) -> Any:
    return search_clients(work, Scope.ALL, "alberton1", 20)


# How many rows may be read for each that comes out, and how many in any case.
LOOKS: dict[str, tuple[Callable[[Work, FiveYears], Any], int, int]] = {
    "slots of one clinician": (of_one, 3, 50),
    "first free with anybody": (of_anybody(TODAY), 3, 50),
    "first free where everybody is booked out": (of_anybody(BOOKED_OUT), 3, 50),
    "clients by the beginning of a name": (by_name, 3, 50),
    "week of one clinician": (week(of_one=True), 3, 50),
    "week of everybody": (week(of_one=False), 3, 50),
    "list": (page(), 2, 20),
    "list of a client": (page(client_id=lambda practice: practice.clients[7]), 2, 20),
    "list of a clinician": (page(clinician_id=lambda practice: practice.clinicians[3]), 2, 20),
    "list of a day": (page(since=lambda _: at(TODAY, 0), until=lambda _: at(TODAY, 19)), 2, 20),
    "list of no-shows": (page(status=lambda _: "NO_SHOW"), 2, 20),
    "list of those in progress, who are none": (page(status=lambda _: "IN_PROGRESS"), 2, 20),
    # of ten rooms
    "list of a room": (page(room_id=lambda practice: practice.rooms[3]), 20, 100),
}


def reads(installation: Installation, practice: FiveYears, verb: Callable[[Work, FiveYears], Any]) -> Reads:
    with installation.work(practice.admin, NOW) as work:
        return reads_of(installation.store.engine, work.db, lambda: verb(work, practice))


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_reads_little_more_than_it_shows(installation: Installation, five_years: FiveYears, look: str) -> None:
    verb, times, more = LOOKS[look]
    for _ in range(12):
        found = reads(installation, five_years, verb)
    assert not found.scanned & TABLES
    assert found.of(TABLES) <= times * found.returned + more


def test_booking_moving_and_cancelling_read_a_few_rows(installation: Installation, five_years: FiveYears) -> None:
    def wish(number: int) -> Wanted:
        place = number % len(five_years.clinicians)
        return Wanted(
            client_id=five_years.clients[number],
            clinician_id=five_years.clinicians[place],
            service_code=five_years.service_code,
            starts_at=at(FREE_WEEKS, 10) + number // len(five_years.clinicians) * timedelta(hours=1),
            room_id=five_years.rooms[place],
        )

    booked: list[Any] = []

    def moved(one: Any) -> Callable[[Work, FiveYears], Any]:
        return lambda work, _: move(work, one.id, Scope.ALL, one.starts_at + timedelta(days=1))

    def cancelled(one: Any) -> Callable[[Work, FiveYears], Any]:
        return lambda work, _: cancel(work, one.id, Scope.ALL, "Ill")

    for number in range(24):
        wanted = wish(number)
        booking = reads(
            installation, five_years, lambda work, _, wanted=wanted: booked.append(book(work, wanted).appointment)
        )
    for appointment in booked[:12]:
        moving = reads(installation, five_years, moved(appointment))
    for appointment in booked[12:]:
        cancelling = reads(installation, five_years, cancelled(appointment))
    for found, statements in ((booking, 13), (moving, 24), (cancelling, 8)):
        assert not found.scanned & TABLES
        assert found.of(TABLES) <= 200
        assert len(found.statements) <= statements
