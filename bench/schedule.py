"""Benchmark of the schedule of a large practice with a long history: slots, booking, calendars, lists, client search.

    python -m bench.schedule [--brief] [--disk] [--statements]

Every service function is called in process, over one connection, as the runtime role with row-level security, and each
call is a transaction with its audit trail. Times are in milliseconds and as multiples of an empty transaction; rows
read are shown beside rows returned.
"""

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench.five_years import BOOKED_OUT, FREE_WEEKS, NOW, SLOTS, TODAY, FiveYears, create_five_years, to_instant
from bench.installation import make_folder, open_temporary_installation
from bench.openloop import compute_percentile
from bench.reads import Reads, measure_reads
from practice.people.client_search import search_clients
from practice.scheduling.appointments import queries
from practice.scheduling.appointments.booking import book
from practice.scheduling.appointments.booking_request import BookingRequest
from practice.scheduling.appointments.queries import Filters
from practice.scheduling.availability import slots
from practice.scheduling.cancellation import cancel
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions.names import load_names
from practice.store.pages import PageRequest

LARGE_TABLES = {"appointments", "occupancies", "clients", "consents", "coverages", "messages", "appointment_steps"}
Operation = Callable[[Work], Any]


def load_appointment_names(work: Work, appointments: Sequence[Any]) -> None:
    """Load the names that a list of appointments shows."""
    ids = {
        "client": {appointment.client_id for appointment in appointments},
        "staff": {appointment.clinician_id for appointment in appointments},
        "room": {appointment.room_id for appointment in appointments if appointment.room_id},
        "service": {appointment.service_id for appointment in appointments},
        "service_code": {appointment.service_id for appointment in appointments},
    }
    load_names(work, ids)


@dataclass
class ResultRow:
    """The measurement of one operation."""

    name: str
    seconds: list[float]
    reads: Reads | None = None
    detail: str = ""


class ScheduleBenchmark:
    """Measures operations on one practice."""

    def __init__(self, installation: Installation, practice: FiveYears, repeats: int) -> None:
        self.installation, self.practice, self.repeats = installation, practice, repeats
        self.rng = random.Random(1)
        self.rows: list[ResultRow] = []

    def measure(self, name: str, make_operation: Callable[[], Operation], detail: str = "") -> None:
        """Measure an operation. `make_operation` is called before each run, so that each has other arguments."""
        for _ in range(12):  # until statements are prepared and their plans cached
            self.run_operation(make_operation())
        seconds = [self.run_operation(make_operation()) for _ in range(self.repeats)]
        with self.installation.work(self.practice.admin, NOW) as work:
            operation = make_operation()
            reads = measure_reads(self.installation.store.engine, work.db, lambda: operation(work))
        self.rows.append(ResultRow(name, seconds, reads, detail))

    def run_operation(self, operation: Operation) -> float:
        start_time = time.perf_counter()
        with self.installation.work(self.practice.admin, NOW) as work:
            operation(work)
        return time.perf_counter() - start_time

    def measure_slot_queries(self) -> None:
        pick, code = self.rng.choice, self.practice.service_code
        clinicians = self.practice.clinicians

        def make_slot_query() -> Operation:
            clinician, first = pick(clinicians), TODAY + timedelta(days=self.rng.randrange(10))
            return lambda work: slots.list_slots(work, clinician, code, first, first + timedelta(days=29))

        def make_first_free_query(start: Any) -> Callable[[], Operation]:
            return lambda: lambda work: slots.find_first_free_slots(work, code, start, start + timedelta(days=13), 20)

        self.measure("slots of one clinician, 30 days", make_slot_query)
        self.measure("first 20 free with anybody, 14 days", make_first_free_query(TODAY))
        self.measure("the same, everybody booked out", make_first_free_query(BOOKED_OUT))

    def measure_client_search(self) -> None:
        names = ["Alb", "Bra", "Corf", "Dung", "Hol", "Ingl", "Jarm", "Kel"]

        def make_search(*words: str) -> Callable[[], Operation]:
            def make_query() -> Operation:
                query = " ".join([self.rng.choice(names), *words])
                return lambda work: search_clients(work, Scope.ALL, query, 20)

            return make_query

        self.measure("client by the beginning of a name", make_search(), f"{len(self.practice.clients):,} clients")
        self.measure("client by two beginnings", make_search("a"))

    def measure_lists(self) -> None:
        clinicians, pick = self.practice.clinicians, self.rng.choice

        def make_calendar_query(pick_clinician: Callable[[], Any]) -> Callable[[], Operation]:
            def make_query() -> Operation:
                clinician_id, date = pick_clinician(), TODAY - timedelta(days=7 * self.rng.randrange(200))

                def load_week(work: Work) -> None:
                    days = queries.load_calendar(work, Scope.ALL, "week", date, clinician_id=clinician_id)
                    load_appointment_names(work, [appointment for day in days for appointment in day.appointments])

                return load_week

            return make_query

        def make_list_query(sort: str, **filters: Callable[[], Any]) -> Callable[[], Operation]:
            def make_query() -> Operation:
                values = Filters(**{name: pick_value() for name, pick_value in filters.items()})

                def load_page(work: Work) -> None:
                    appointments = queries.list_appointments(work, Scope.ALL, PageRequest(20, sort=sort), values)
                    load_appointment_names(work, appointments.items)

                return load_page

            return make_query

        def pick_day() -> Any:
            return to_instant(TODAY - timedelta(days=self.rng.randrange(1500)), 0)

        self.measure("calendar week of one clinician", make_calendar_query(lambda: pick(clinicians)))
        self.measure("calendar week of all clinicians", make_calendar_query(lambda: None))
        self.measure("list, newest", make_list_query("-starts_at"))
        self.measure("list from a day on", make_list_query("starts_at", since=pick_day))
        self.measure("list of a client", make_list_query("-starts_at", client_id=lambda: pick(self.practice.clients)))
        self.measure(
            "list of a clinician before a day",
            make_list_query("-starts_at", clinician_id=lambda: pick(clinicians), until=pick_day),
        )
        self.measure("list of a room", make_list_query("-starts_at", room_id=lambda: pick(self.practice.rooms)))
        self.measure("list of no-shows", make_list_query("-starts_at", status=lambda: "NO_SHOW"))
        self.measure(
            "list of those in progress", make_list_query("-starts_at", status=lambda: "IN_PROGRESS"), "there are none"
        )
        self.measure(
            "list of a clinician's no-shows",
            make_list_query("-starts_at", clinician_id=lambda: pick(clinicians), status=lambda: "NO_SHOW"),
        )

    def measure_booking(self) -> None:
        appointment_ids: list[Any] = []

        def book_one() -> Operation:
            request = self.make_request()
            return lambda work: appointment_ids.append(book(work, request).appointment.id)

        def cancel_one() -> Operation:
            appointment_id = appointment_ids.pop()
            return lambda work: cancel(work, Scope.ALL, appointment_id, "Ill")

        self.free_times = self.list_free_times()
        self.measure("booking", book_one)
        self.measure("cancelling", cancel_one)
        for writers in (1, 8):
            requests = [self.make_request() for _ in range(self.repeats)]
            start_time = time.perf_counter()
            with ThreadPoolExecutor(writers) as pool:
                seconds = list(pool.map(lambda request: self.run_operation(lambda work: book(work, request)), requests))
            rate = len(requests) / (time.perf_counter() - start_time)
            self.rows.append(ResultRow(f"booking, {writers} in parallel", seconds, None, f"{rate:.0f} bookings/s"))

    def list_free_times(self) -> list[Any]:
        days = [FREE_WEEKS + timedelta(days=number) for number in range((BOOKED_OUT - FREE_WEEKS).days)]
        free_times = [
            (number, to_instant(day, 9) + slot * timedelta(minutes=45))
            for day in days
            if day.isoweekday() < 6
            for slot in range(SLOTS)
            for number in range(len(self.practice.clinicians))
        ]
        self.rng.shuffle(free_times)
        return free_times

    def make_request(self) -> BookingRequest:
        """Return a booking request for a free time, skipping closures and days off."""
        number, start = self.free_times.pop()
        with self.installation.work(self.practice.admin, NOW) as work:
            open_slots = slots.list_slots(work, self.practice.clinicians[number], "S45", start.date(), start.date())
        if all(item.slot.start != start for item in open_slots):
            return self.make_request()
        return BookingRequest(
            client_id=self.rng.choice(self.practice.clients),
            clinician_id=self.practice.clinicians[number],
            service_code=self.practice.service_code,
            starts_at=start,
            room_id=self.practice.rooms[number],
        )

    def measure_control(self) -> None:
        self.rows.append(
            ResultRow("an empty transaction", [self.run_operation(do_nothing) for _ in range(self.repeats)])
        )


def do_nothing(work: Work) -> None:
    work.db.execute(text("select 1"))


def print_rows(console: Console, rows: list[ResultRow]) -> None:
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    table = Table(title=f"The schedule (load of the machine {load} on {os.cpu_count()} processors)")
    for column in (
        "operation",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "x empty",
        "statements",
        "rows read",
        "rows returned",
        "detail",
    ):
        table.add_column(column, justify="left" if column in ("operation", "detail") else "right")
    baseline = statistics.median(rows[0].seconds)
    for row in rows:
        times = [f"{compute_percentile(row.seconds, share):.1f}" for share in (50, 95, 99)]
        counts = ["", "", ""]
        detail = row.detail
        if row.reads:
            counts = [
                str(len(row.reads.statements)),
                str(row.reads.count_rows(LARGE_TABLES)),
                str(row.reads.returned_rows),
            ]
            scanned = ", ".join(sorted(row.reads.scanned_tables & LARGE_TABLES))
            detail = f"[red]full scan of {scanned}[/] {detail}" if scanned else detail
        table.add_row(row.name, *times, f"{statistics.median(row.seconds) / baseline:.1f}", *counts, detail)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disk", action="store_true", help="put the database on disk, not in memory")
    parser.add_argument(
        "--brief", action="store_true", help="a practice of a fiftieth the size and fewer calls, for a quick check"
    )
    parser.add_argument("--statements", action="store_true", help="print the statements of each operation")
    arguments = parser.parse_args()
    notes = Console(file=sys.stderr)
    with make_folder(disk=arguments.disk) as folder, open_temporary_installation(folder) as installation:
        start_time = time.perf_counter()
        practice = create_five_years(installation, 20, 1, 2_000) if arguments.brief else create_five_years(installation)
        seconds = time.perf_counter() - start_time
        notes.print(
            f"{practice.appointments:,} appointments, {len(practice.clients):,} clients, created in {seconds:.0f} s"
        )
        benchmark = ScheduleBenchmark(installation, practice, repeats=60 if arguments.brief else 500)
        for measure in (
            benchmark.measure_control,
            benchmark.measure_slot_queries,
            benchmark.measure_client_search,
            benchmark.measure_lists,
            benchmark.measure_booking,
        ):
            measure()
    for row in benchmark.rows if arguments.statements else ():
        print(f"\n{row.name}", *(row.reads.statements if row.reads else ()), sep="\n  ")
    print_rows(Console(width=None if sys.stdout.isatty() else 150), benchmark.rows)


if __name__ == "__main__":
    main()
