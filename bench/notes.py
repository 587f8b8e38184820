"""Benchmark of signing many notes together: the time, and the number of statements sent to the database.

    python -m bench.notes [--disk]

Each call is one transaction over one connection, with its audit trail, as the runtime role with row-level security.
Half of the notes belong to sessions, which are locked with them. For comparison, some are signed one by one, and a
transaction is empty.
"""

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench.installation import invite_staff, make_folder, open_temporary_installation
from bench.reads import record_statements
from practice.clinical.documents.rules.templates import DEFAULT_TEMPLATES
from practice.clinical.notes.drafts import create_note
from practice.clinical.notes.signing import sign_many, sign_note
from practice.people.models.clients import Client
from practice.people.practices import create_practice
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.store.ids import new_id

ROUNDS = 5
CLIENTS = 40
NOTE_TEXT = (
    "What was said and seen in some fifty minutes, in the words of somebody who writes it up in the evening. " * 5
)


class NotesScenario:
    """A practice with one clinician and their clients, in which drafts are created as needed."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.now = installation, datetime.now(UTC)
        admin = {"email": "admin@bench.example", "first_name": "Ada", "last_name": "Admin"}
        with installation.work(Actor(), self.now) as work:
            practice, _ = create_practice(work, name="Bench", time_zone="America/New_York", admin=admin)
        self.tenant_id = practice.id
        with installation.work(Actor(self.tenant_id), self.now) as work:
            staff = invite_staff(work, "robin", "clinician", self.now).staff
        self.clinician = Actor(self.tenant_id, staff.account_id, staff.id, frozenset({"clinician"}))
        self.clients, self.service = [new_id() for _ in range(CLIENTS)], new_id()
        self.minutes = 0
        today = self.now.date()
        for client_id in self.clients:
            self.add_records(Client(
                id=client_id, first_name="Casey", last_name=f"Example {client_id}", birth_date=today, admitted_on=today,
                self_pay=True, emancipated=False, created_at=self.now, primary_clinician_id=staff.id,
            ))  # fmt: skip
        self.add_records(Service(
            id=self.service, code="TALK", name="Talk", kind="INDIVIDUAL", cpt_code="90837", minutes=60,
            created_at=self.now,
        ))  # fmt: skip

    def add_records(self, *records: Any) -> None:
        with self.installation.store.begin_session(self.tenant_id) as db:
            for record in records:
                record.tenant_id = self.tenant_id
            db.add_all(records)

    def create_drafts(self, count: int) -> list[UUID]:
        note_ids = []
        with self.installation.work(self.clinician, self.now) as work:
            for number in range(count):
                client_id = self.clients[number % CLIENTS]
                appointment_id = self.create_session(client_id) if number % 2 else None
                sections = {section.key: NOTE_TEXT for section in DEFAULT_TEMPLATES["SOAP_NOTE"]}
                note = create_note(
                    work,
                    Scope.OWN,
                    client_id=client_id,
                    type="SOAP_NOTE",
                    appointment_id=appointment_id,
                    sections=sections,
                )
                note_ids.append(note.id)
        return note_ids

    def create_session(self, client_id: UUID) -> UUID:
        self.minutes += 1
        start = self.now - timedelta(minutes=self.minutes)
        appointment = Appointment(
            id=new_id(), reference=f"BK-{new_id()}", type="THERAPY_SESSION", status="COMPLETED", status_at=self.now,
            booked_via="FRONT_DESK", telehealth=False, created_at=self.now, client_id=client_id,
            clinician_id=self.clinician.staff_id, service_id=self.service, starts_at=start,
            ends_at=start + timedelta(minutes=1), guarded=False,
        )  # fmt: skip
        self.add_records(appointment)
        return appointment.id

    def measure(self, ids: Sequence[UUID], *, one_by_one: bool = False) -> tuple[float, int]:
        """Sign the notes, and return the seconds and the number of statements."""
        start = time.perf_counter()
        with (
            record_statements(self.installation.store.engine) as reads,
            self.installation.work(self.clinician, self.now) as work,
        ):
            if one_by_one:
                for note_id in ids:
                    sign_note(work, note_id)
            elif ids:
                assert all(result.refusal is None for result in sign_many(work, ids))
            else:
                work.db.execute(text("select 1"))
        return time.perf_counter() - start, len(reads.statements)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disk", action="store_true", help="put the database on disk, not in memory")
    arguments = parser.parse_args()
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    table = Table(title=f"Signing notes (load of the machine {load} on {os.cpu_count()} processors)")
    for column in ("operation", "p50 ms", "worst ms", "statements", "ms per note"):
        table.add_column(column, justify="left" if column == "operation" else "right")
    with make_folder(disk=arguments.disk) as folder, open_temporary_installation(folder) as installation:
        scenario = NotesScenario(installation)
        for name, count, one_by_one in (
            ("an empty transaction", 0, False),
            ("2 together", 2, False),
            ("200 together", 200, False),
            ("20 one by one", 20, True),
        ):
            scenario.measure(scenario.create_drafts(count), one_by_one=one_by_one)
            runs = [scenario.measure(scenario.create_drafts(count), one_by_one=one_by_one) for _ in range(ROUNDS)]
            milliseconds, statements = [seconds * 1000 for seconds, _ in runs], {number for _, number in runs}
            per_note = f"{statistics.median(milliseconds) / count:.2f}" if count else ""
            statement_range = " to ".join(str(number) for number in sorted({min(statements), max(statements)}))
            table.add_row(
                name, f"{statistics.median(milliseconds):.1f}", f"{max(milliseconds):.1f}", statement_range, per_note
            )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
