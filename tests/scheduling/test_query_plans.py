"""Rows read by schedule queries: no sequential scan of a large table, and few rows more than needed.

The database counts them while the service functions run, in a practice with history among many small ones. The same in
a large practice, with durations, is `python -m bench.schedule`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bench.five_years import BOOKED_OUT, FREE_WEEKS, NOW, TODAY, FiveYears, create_five_years, to_instant
from bench.reads import Reads, measure_reads
from bench.schedule import load_appointment_names
from practice.people.client_search import search_clients
from practice.scheduling.appointments import queries
from practice.scheduling.appointments.booking import book
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.queries import Filters
from practice.scheduling.availability import slots
from practice.scheduling.cancellation import cancel
from practice.scheduling.rescheduling import move
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest
from tests.support.harness import cluster

TABLES = {
    "appointments",
    "occupancies",
    "clients",
    "consents",
    "coverages",
    "appointment_steps",
}  # the tables that grow
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
    """Return a practice with history among many small ones, so that average statistics do not describe it."""
    with cluster.connect_as_superuser(installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")  # no triggers: they write for one practice
        connection.execute(SMALL_PRACTICES)
    practice = create_five_years(installation, clinicians=10, years=1, clients=2_000)
    assert practice.appointments > 20_000
    return practice


def read_page(**values: Any) -> Callable[[Work, FiveYears], Any]:
    def run(work: Work, practice: FiveYears) -> None:
        filters = Filters(**{name: value(practice) for name, value in values.items()})
        appointments = queries.list_appointments(work, Scope.ALL, PageRequest(20, sort="-starts_at"), filters)
        load_appointment_names(work, appointments.items)

    return run


def read_week(of_one: bool) -> Callable[[Work, FiveYears], Any]:
    def run(work: Work, practice: FiveYears) -> None:
        clinician_id = practice.clinicians[3] if of_one else None
        monday = TODAY - timedelta(days=100)
        days = queries.load_calendar(work, Scope.ALL, monday, monday + timedelta(days=6), clinician_id=clinician_id)
        load_appointment_names(work, [appointment for day in days for appointment in day.appointments])

    return run


def read_slots(work: Work, practice: FiveYears) -> Any:
    return slots.list_slots(work, practice.clinicians[3], practice.service_code, TODAY, TODAY + MONTH)


def read_first_free(first: Any) -> Callable[[Work, FiveYears], Any]:
    return lambda work, practice: slots.find_first_free_slots(work, practice.service_code, first, first + FORTNIGHT, 20)


def search_by_name(work: Work, _practice: FiveYears) -> Any:
    return search_clients(work, Scope.ALL, "alberton1", 20)


# How many rows may be read per returned row, and how many in addition.
QUERIES: dict[str, tuple[Callable[[Work, FiveYears], Any], int, int]] = {
    "slots of one clinician": (read_slots, 3, 50),
    "first free with anybody": (read_first_free(TODAY), 3, 50),
    "first free where everybody is booked out": (read_first_free(BOOKED_OUT), 3, 50),
    "clients by the beginning of a name": (search_by_name, 3, 50),
    "week of one clinician": (read_week(of_one=True), 3, 50),
    "week of everybody": (read_week(of_one=False), 3, 50),
    "list": (read_page(), 2, 20),
    "list of a client": (read_page(client_id=lambda practice: practice.clients[7]), 2, 20),
    "list of a clinician": (read_page(clinician_id=lambda practice: practice.clinicians[3]), 2, 20),
    "list of a day": (read_page(since=lambda _: to_instant(TODAY, 0), until=lambda _: to_instant(TODAY, 19)), 2, 20),
    "list of no-shows": (read_page(statuses=lambda _: ["NO_SHOW"]), 2, 20),
    "list of those in progress, who are none": (read_page(statuses=lambda _: ["IN_PROGRESS"]), 2, 20),
    "visit of a reference, which nobody has": (read_page(reference=lambda _: "bk-2026-none"), 2, 20),
    # of ten rooms
    "list of a room": (read_page(room_id=lambda practice: practice.rooms[3]), 20, 100),
}


def measure_query(installation: Installation, practice: FiveYears, query: Callable[[Work, FiveYears], Any]) -> Reads:
    with installation.work(practice.admin, NOW) as work:
        return measure_reads(installation.store.engine, work.db, lambda: query(work, practice))


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_reads_little_more_than_it_returns(
    installation: Installation, five_years: FiveYears, name: str
) -> None:
    query, times, fixed = QUERIES[name]
    for _ in range(12):
        measured = measure_query(installation, five_years, query)
    assert not measured.scanned_tables & TABLES
    assert measured.count_rows(TABLES) <= times * measured.returned_rows + fixed


def test_booking_moving_and_cancelling_read_a_few_rows(installation: Installation, five_years: FiveYears) -> None:
    def make_request(number: int) -> BookingRequest:
        index = number % len(five_years.clinicians)
        return BookingRequest(
            client_id=five_years.clients[number],
            clinician_id=five_years.clinicians[index],
            service_code=five_years.service_code,
            starts_at=to_instant(FREE_WEEKS, 10) + number // len(five_years.clinicians) * timedelta(hours=1),
            room_id=five_years.rooms[index],
        )

    booked: list[Any] = []

    def make_move(appointment: Any) -> Callable[[Work, FiveYears], Any]:
        return lambda work, _: move(work, Scope.ALL, appointment.id, appointment.starts_at + timedelta(days=1))

    def make_cancellation(appointment: Any) -> Callable[[Work, FiveYears], Any]:
        return lambda work, _: cancel(work, Scope.ALL, appointment.id, "Ill")

    for number in range(24):
        request = make_request(number)
        booking = measure_query(
            installation, five_years, lambda work, _, request=request: booked.append(book(work, request).appointment)
        )
    for appointment in booked[:12]:
        moving = measure_query(installation, five_years, make_move(appointment))
    for appointment in booked[12:]:
        cancelling = measure_query(installation, five_years, make_cancellation(appointment))
    for measured, statements in ((booking, 13), (moving, 25), (cancelling, 9)):
        assert not measured.scanned_tables & TABLES
        assert measured.count_rows(TABLES) <= 200
        assert len(measured.statements) <= statements
