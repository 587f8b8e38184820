"""The schedule of a large practice with a long past: looking for times, booking, calendars, lists, finding a client.

    python -m bench.schedule [--brief] [--disk] [--statements]

Every verb is called in process, over one connection, as the runtime role with row-level security, each call a
transaction with its audit trail. Times are told in milliseconds, and as how often the time of a transaction that does
nothing; rows that were read stand against rows that came out of it.
"""

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench.five_years import BOOKED_OUT, FREE_WEEKS, NOW, SLOTS, TODAY, FiveYears, at, furnish
from bench.installation import folder, temporary_installation
from bench.openloop import percentile
from bench.reads import Reads, reads_of
from practice.people.client_search import search_clients
from practice.scheduling.appointments import queries
from practice.scheduling.appointments.booking import book
from practice.scheduling.appointments.booking_request import Wanted
from practice.scheduling.appointments.queries import Filters
from practice.scheduling.availability import slots
from practice.scheduling.cancellation import cancel
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest

BIG = {"appointments", "occupancies", "clients", "consents", "coverages", "messages", "appointment_steps"}
Verb = Callable[[Work], Any]


@dataclass
class Row:
    what: str
    took: list[float]  # seconds
    reads: Reads | None = None
    detail: str = ""


class Bench:
    def __init__(self, installation: Installation, practice: FiveYears, times: int) -> None:
        self.installation, self.practice, self.times = installation, practice, times
        self.chance = random.Random(1)
        self.rows: list[Row] = []

    def measure(self, what: str, verb: Callable[[], Verb], detail: str = "") -> None:
        """The verb is made anew for each call, so that each asks for something else."""
        for _ in range(12):  # statements prepared, and planned for good
            self.call(verb())
        took = [self.call(verb()) for _ in range(self.times)]
        with self.installation.work(self.practice.admin, NOW) as work:
            one = verb()
            reads = reads_of(self.installation.store.engine, work.db, lambda: one(work))
        self.rows.append(Row(what, took, reads, detail))

    def call(self, verb: Verb) -> float:
        began = time.perf_counter()
        with self.installation.work(self.practice.admin, NOW) as work:
            verb(work)
        return time.perf_counter() - began

    # What is measured

    def looking(self) -> None:
        pick, code = self.chance.choice, self.practice.service_code
        people = self.practice.clinicians

        def of_one() -> Verb:
            clinician, first = pick(people), TODAY + timedelta(days=self.chance.randrange(10))
            return lambda work: slots.slots(work, clinician, code, first, first + timedelta(days=29))

        def first_with(start: Any) -> Callable[[], Verb]:
            return lambda: lambda work: slots.first_free(work, code, start, start + timedelta(days=13), 20)

        self.measure("slots of one clinician, 30 days", of_one)
        self.measure("first 20 free with anybody, 14 days", first_with(TODAY))
        self.measure("the same, everybody booked out", first_with(BOOKED_OUT))

    def searching(self) -> None:
        names = ["Alb", "Bra", "Corf", "Dung", "Hol", "Ingl", "Jarm", "Kel"]

        def by(*words: str) -> Callable[[], Verb]:
            def look() -> Verb:
                wanted = " ".join([self.chance.choice(names), *words])
                return lambda work: search_clients(work, Scope.ALL, wanted, 20)

            return look

        self.measure("client by the beginning of a name", by(), f"{len(self.practice.clients):,} clients")
        self.measure("client by two beginnings", by("a"))

    def reading(self) -> None:
        people, pick = self.practice.clinicians, self.chance.choice

        def week(of: Callable[[], Any]) -> Callable[[], Verb]:
            def read() -> Verb:
                whom, on = of(), TODAY - timedelta(days=7 * self.chance.randrange(200))

                def look(work: Work) -> None:
                    days = queries.calendar(work, Scope.ALL, "week", on, clinician_id=whom)
                    queries.names_for(work, [one for day in days for one in day.appointments])

                return look

            return read

        def page(sort: str, **filters: Callable[[], Any]) -> Callable[[], Verb]:
            def read() -> Verb:
                asked = Filters(**{name: value() for name, value in filters.items()})

                def look(work: Work) -> None:
                    found = queries.list_appointments(work, PageRequest(20, sort=sort), Scope.ALL, asked)
                    queries.names_for(work, found.items)

                return look

            return read

        def some_day() -> Any:
            return at(TODAY - timedelta(days=self.chance.randrange(1500)), 0)

        self.measure("calendar week of one clinician", week(lambda: pick(people)))
        self.measure("calendar week of everybody", week(lambda: None))
        self.measure("list, newest", page("-starts_at"))
        self.measure("list from a day on", page("starts_at", since=some_day))
        self.measure("list of a client", page("-starts_at", client_id=lambda: pick(self.practice.clients)))
        self.measure(
            "list of a clinician before a day", page("-starts_at", clinician_id=lambda: pick(people), until=some_day)
        )
        self.measure("list of a room", page("-starts_at", room_id=lambda: pick(self.practice.rooms)))
        self.measure("list of no-shows", page("-starts_at", status=lambda: "NO_SHOW"))
        self.measure("list of those in progress", page("-starts_at", status=lambda: "IN_PROGRESS"), "there are none")
        self.measure(
            "list of a clinician's no-shows",
            page("-starts_at", clinician_id=lambda: pick(people), status=lambda: "NO_SHOW"),
        )

    def writing(self) -> None:
        booked: list[Any] = []

        def one() -> Verb:
            wish = self.wish()
            return lambda work: booked.append(book(work, wish).appointment.id)

        def another() -> Verb:
            appointment = booked.pop()
            return lambda work: cancel(work, appointment, Scope.ALL, "Ill")

        self.free = self.free_times()
        self.measure("booking", one)
        self.measure("cancelling", another)
        for writers in (1, 8):
            wishes = [self.wish() for _ in range(self.times)]
            began = time.perf_counter()
            with ThreadPoolExecutor(writers) as pool:
                took = list(pool.map(lambda wish: self.call(lambda work: book(work, wish)), wishes))
            rate = len(wishes) / (time.perf_counter() - began)
            self.rows.append(Row(f"booking, {writers} at once", took, None, f"{rate:.0f} bookings/s"))

    def free_times(self) -> list[Any]:
        days = [FREE_WEEKS + timedelta(days=number) for number in range((BOOKED_OUT - FREE_WEEKS).days)]
        found = [
            (number, at(day, 9) + slot * timedelta(minutes=45))
            for day in days
            if day.isoweekday() < 6
            for slot in range(SLOTS)
            for number in range(len(self.practice.clinicians))
        ]
        self.chance.shuffle(found)
        return found

    def wish(self) -> Wanted:
        """A time that is free, but for closures and days off, which are passed over."""
        number, start = self.free.pop()
        with self.installation.work(self.practice.admin, NOW) as work:
            open_then = slots.slots(work, self.practice.clinicians[number], "S45", start.date(), start.date())
        if all(slot.start != start for slot in open_then):
            return self.wish()
        return Wanted(
            client_id=self.chance.choice(self.practice.clients),
            clinician_id=self.practice.clinicians[number],
            service_code=self.practice.service_code,
            starts_at=start,
            room_id=self.practice.rooms[number],
        )

    def control(self) -> None:
        self.rows.append(Row("a transaction that does nothing", [self.call(nothing) for _ in range(self.times)]))


def nothing(work: Work) -> None:
    work.db.execute(text("select 1"))


def show(console: Console, rows: list[Row]) -> None:
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    table = Table(title=f"The schedule (load of the machine {load} on {os.cpu_count()} processors)")
    for column in ("what", "p50 ms", "p95 ms", "p99 ms", "x nothing", "statements", "rows read", "rows out", "detail"):
        table.add_column(column, justify="left" if column in ("what", "detail") else "right")
    nothing = statistics.median(rows[0].took)
    for row in rows:
        times = [f"{percentile(row.took, share):.1f}" for share in (50, 95, 99)]
        counts = ["", "", ""]
        detail = row.detail
        if row.reads:
            counts = [str(len(row.reads.statements)), str(row.reads.of(BIG)), str(row.reads.returned)]
            scanned = ", ".join(sorted(row.reads.scanned & BIG))
            detail = f"[red]whole of {scanned}[/] {detail}" if scanned else detail
        table.add_row(row.what, *times, f"{statistics.median(row.took) / nothing:.1f}", *counts, detail)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disk", action="store_true", help="the database on a disk, not in memory")
    parser.add_argument("--brief", action="store_true", help="a practice of a fiftieth, fewer calls: to try a change")
    parser.add_argument("--statements", action="store_true", help="print what each verb asks the database")
    asked = parser.parse_args()
    notes = Console(file=sys.stderr)
    with folder(disk=asked.disk) as where, temporary_installation(where) as installation:
        began = time.perf_counter()
        practice = furnish(installation, 20, 1, 2_000) if asked.brief else furnish(installation)
        took = time.perf_counter() - began
        notes.print(f"{practice.appointments:,} appointments, {len(practice.clients):,} clients, made in {took:.0f} s")
        bench = Bench(installation, practice, times=60 if asked.brief else 500)
        for part in (bench.control, bench.looking, bench.searching, bench.reading, bench.writing):
            part()
    for row in bench.rows if asked.statements else ():
        print(f"\n{row.what}", *(row.reads.statements if row.reads else ()), sep="\n  ")
    show(Console(width=None if sys.stdout.isatty() else 150), bench.rows)


if __name__ == "__main__":
    main()
