"""Signing many notes at once: how long it takes, and how many statements are sent to the database.

    python -m bench.notes [--disk]

Each call is one transaction over one connection, with its audit trail, as the runtime role with row-level security.
Half of the notes belong to sessions, which are locked with them. Beside it stand some signed one by one, and a
transaction that does nothing.
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

from bench.installation import add, folder, temporary_installation
from bench.reads import listening
from practice.clinical.documents.rules.templates import USUAL
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

TIMES = 5
CLIENTS = 40
WORDS = "What was said and seen in some fifty minutes, in the words of somebody who writes it up in the evening. " * 5


class NotesScenario:
    """A practice with one clinician, their clients, and as many drafts as are asked for."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self.now = installation, datetime.now(UTC)
        first = {"email": "admin@bench.example", "first_name": "Ada", "last_name": "Admin"}
        with installation.work(Actor(), self.now) as work:
            practice, _ = create_practice(work, name="Bench", time_zone="America/New_York", admin=first)
        self.tenant = practice.id
        with installation.work(Actor(self.tenant), self.now) as work:
            staff = add(work, "robin", "clinician", self.now).staff
        self.clinician = Actor(self.tenant, staff.account_id, staff.id, frozenset({"clinician"}))
        self.clients, self.service = [new_id() for _ in range(CLIENTS)], new_id()
        self.minutes = 0
        about = {"first_name": "Casey", "birth_date": self.now.date(), "admitted_on": self.now.date()}
        about |= {"self_pay": True, "emancipated": False, "created_at": self.now, "primary_clinician_id": staff.id}
        self.put(*(Client(id=one, last_name=f"Example {one}", **about) for one in self.clients))
        self.put(Service(id=self.service, code="TALK", name="Talk", kind="INDIVIDUAL", cpt_code="90837", minutes=60,
                         created_at=self.now))  # fmt: skip

    def put(self, *records: Any) -> None:
        with self.installation.store.session_in(self.tenant) as db:
            for record in records:
                record.tenant_id = self.tenant
            db.add_all(records)

    def drafts(self, count: int) -> list[UUID]:
        made = []
        with self.installation.work(self.clinician, self.now) as work:
            for number in range(count):
                client_id = self.clients[number % CLIENTS]
                session = self.session(client_id) if number % 2 else None
                sections = {place.key: WORDS for place in USUAL["SOAP_NOTE"]}
                note = create_note(
                    work, Scope.OWN, client_id=client_id, type="SOAP_NOTE", appointment_id=session, sections=sections
                )
                made.append(note.id)
        return made

    def session(self, client_id: UUID) -> UUID:
        self.minutes += 1
        start = self.now - timedelta(minutes=self.minutes)
        session = Appointment(
            **{"id": new_id(), "reference": f"BK-{new_id()}", "type": "THERAPY_SESSION", "status": "COMPLETED"},
            **{"status_at": self.now, "booked_via": "FRONT_DESK", "telehealth": False, "created_at": self.now},
            **{"client_id": client_id, "clinician_id": self.clinician.staff_id, "service_id": self.service},
            **{"starts_at": start, "ends_at": start + timedelta(minutes=1), "guarded": False},
        )
        self.put(session)
        return session.id

    def measure(self, ids: Sequence[UUID], *, one_by_one: bool = False) -> tuple[float, int]:
        """Seconds, and statements."""
        began = time.perf_counter()
        with (
            listening(self.installation.store.engine) as heard,
            self.installation.work(self.clinician, self.now) as work,
        ):
            if one_by_one:
                for note_id in ids:
                    sign_note(work, note_id)
            elif ids:
                assert all(one.refusal is None for one in sign_many(work, ids))
            else:
                work.db.execute(text("select 1"))
        return time.perf_counter() - began, len(heard.statements)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disk", action="store_true", help="the database on a disk, not in memory")
    asked = parser.parse_args()
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    table = Table(title=f"Signing notes (load of the machine {load} on {os.cpu_count()} processors)")
    for column in ("what", "p50 ms", "worst ms", "statements", "a note, ms"):
        table.add_column(column, justify="left" if column == "what" else "right")
    with folder(disk=asked.disk) as where, temporary_installation(where) as installation:
        scenario = NotesScenario(installation)
        for what, count, one_by_one in (
            ("a transaction that does nothing", 0, False),
            ("2 at once", 2, False),
            ("200 at once", 200, False),
            ("20 one by one", 20, True),
        ):
            scenario.measure(scenario.drafts(count), one_by_one=one_by_one)
            runs = [scenario.measure(scenario.drafts(count), one_by_one=one_by_one) for _ in range(TIMES)]
            took, statements = [seconds * 1000 for seconds, _ in runs], {number for _, number in runs}
            each = f"{statistics.median(took) / count:.2f}" if count else ""
            sent = " to ".join(str(number) for number in sorted({min(statements), max(statements)}))
            table.add_row(what, f"{statistics.median(took):.1f}", f"{max(took):.1f}", sent, each)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
