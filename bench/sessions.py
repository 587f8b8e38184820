"""Benchmark of the lists of completed sessions, over a long history in which nearly all sessions are signed.

python -m bench.sessions [--disk] [--brief]
"""

import argparse
import statistics
import time
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench.five_years import NOW, FiveYears, create_five_years
from bench.installation import make_folder, open_temporary_installation
from bench.reads import measure_reads
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions import queries
from practice.sessions.queries import SessionFilters
from practice.store.pages import PageRequest

TARGET_MS = 50
REPEATS = 30

# 99 of 100 past sessions are signed.
NOTES = text("""
    insert into notes (
        tenant_id, id, client_id, clinician_id, appointment_id, type, created_at, status, signed_at, signed_by_id
    )
    select tenant_id, uuidv7(), client_id, clinician_id, id, 'PROGRESS_NOTE', ends_at, 'SIGNED', ends_at, clinician_id
    from appointments
    where tenant_id = :tenant_id and status = 'COMPLETED' and abs(hashtext(external_id)) % 100 > 0
""")
LISTS: dict[str, dict[str, Any]] = {
    "newest": {},
    "locked": {"locked": True},
    "not locked": {"locked": False},
    "unsigned": {"signed": False},
    "signed": {"signed": True},
}


def sign_sessions(installation: Installation, practice: FiveYears) -> None:
    """Write the notes of nearly all past sessions."""
    with installation.store.begin_session(practice.id) as db:
        db.execute(text("set local statement_timeout = 0"))
        db.execute(NOTES, {"tenant_id": practice.id})
    with installation.store.open_owner_connection() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))


def list_sessions(work: Work, filters: dict[str, Any], *, count: bool) -> int:
    page = queries.list_sessions(work, Scope.ALL, PageRequest(20, count=count), SessionFilters(**filters))
    return page.total or len(page.items)


def measure(installation: Installation, practice: FiveYears, filters: dict[str, Any], *, count: bool) -> list[str]:
    """Return the cells of one list: what it found, the time, and the rows read for it."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        with installation.work(practice.admin, NOW) as work:
            found = list_sessions(work, filters, count=count)
        seconds.append(time.perf_counter() - start)
    with installation.work(practice.admin, NOW) as work:
        reads = measure_reads(installation.store.engine, work.db, lambda: list_sessions(work, filters, count=count))
    milliseconds = statistics.median(seconds) * 1000
    verdict = "[green]met[/]" if milliseconds <= TARGET_MS else "[red]missed[/]"
    return [f"{found:,}", f"{milliseconds:.1f}", verdict, f"{reads.count_rows({'appointments', 'notes'}):,}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true", help="a fifth of the history")
    parser.add_argument("--disk", action="store_true", help="put the database on disk, not in memory")
    arguments = parser.parse_args()
    with make_folder(disk=arguments.disk) as folder, open_temporary_installation(folder) as installation:
        practice = create_five_years(installation, 10, 1 if arguments.brief else 5, 2_000)
        sign_sessions(installation, practice)
        table = Table("List", "Counted", "Found", "p50 ms", f"<= {TARGET_MS}", "Rows read")
        for name, filters in LISTS.items():
            for count in (False, True):
                cells = measure(installation, practice, filters, count=count)
                table.add_row(name, "yes" if count else "", *cells)
        table.title = f"Completed sessions of {practice.appointments:,} appointments"
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
