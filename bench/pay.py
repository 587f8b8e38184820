"""Benchmark of pay in a large practice, after one year and after five: previews, closings and corrections.

    python -m bench.pay [--brief] [--disk]

Every service function is called in process as the runtime role, each call in its own transaction. The cost of a week
must not grow with the number of closed weeks. Before the first closing, all sessions so far may still have to be paid.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from bench.five_years import NOW, FiveYears, create_five_years
from bench.installation import make_folder, open_temporary_installation
from bench.reads import measure_reads
from practice.local_time import week_of
from practice.payroll.completions import load_session_values, reverse_paid_session
from practice.payroll.periods import close_period, preview_week
from practice.payroll.rates import set_multiplier, set_pay_rate
from practice.people.practice_time import zone_of
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work

WEEK = timedelta(days=7)
LARGE_TABLES = {"appointments", "notes", "pay_lines", "session_completions"}

# One session in sixty has no note, and one in fifteen has one eight days late.
INSERT_NOTES = text("""
    insert into notes (
        tenant_id, id, client_id, clinician_id, appointment_id, type, created_at, status, signed_at, signed_by_id
    )
    select
        tenant_id, uuidv7(), client_id, clinician_id, id, 'PROGRESS_NOTE', at, 'SIGNED', at, clinician_id
    from (
        select a.*, a.ends_at + case when number % 15 = 0 then interval '8 days' else interval '3 hours' end as at
        from (select a.*, row_number() over (order by starts_at, id) as number from appointments as a
            where tenant_id = :tenant_id and status = 'COMPLETED') as a
        where number % 60 <> 7
    ) as a
    where at < :now
""")
LAST_CLOSABLE_WEEK = week_of(NOW.date()) - 2 * WEEK  # over, and past its cut-off


class PayBenchmark:
    """Measures pay operations on one practice."""

    def __init__(self, installation: Installation, practice: FiveYears, years: int) -> None:
        self.installation, self.practice, self.years = installation, practice, years
        self.rows: list[tuple[str, ...]] = []
        self.weeks = [LAST_CLOSABLE_WEEK - number * WEEK for number in reversed(range(52 * years - 3))]
        self.now = NOW
        with installation.store.begin_session(practice.id) as db:
            db.execute(INSERT_NOTES, {"tenant_id": practice.id, "now": NOW})
        for number, clinician_id in enumerate(practice.clinicians):
            with installation.work(practice.admin, NOW - timedelta(days=3000)) as work:
                set_pay_rate(work, clinician_id, 6000 + number * 10, None)
        self.analyze()

    def analyze(self) -> None:
        with self.installation.store.open_owner_connection() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))

    def measure(self, name: str, operation: Callable[[Work], Any], times: int = 5) -> Any:
        seconds = []
        for _ in range(times):
            start = time.perf_counter()
            with self.installation.work(self.practice.admin, self.now) as work:
                result = operation(work)
            seconds.append(time.perf_counter() - start)
        with self.installation.work(self.practice.admin, self.now) as work:
            reads = measure_reads(self.installation.store.engine, work.db, lambda: operation(work))
        rows_read = ", ".join(
            f"{table} {rows:,}" for table, rows in sorted(reads.rows_read.items()) if table in LARGE_TABLES and rows
        )
        self.rows.append(
            (f"{self.years}", name, f"{statistics.median(seconds) * 1000:,.0f}", f"{len(reads.statements)}", rows_read)
        )
        return result

    def run(self) -> None:
        week = self.weeks[-1]
        self.measure("preview, nothing closed", lambda work: preview_week(work, Scope.ALL, week, self.now), 3)
        self.close_weeks(self.weeks[:1])
        self.analyze()
        seconds = self.close_weeks(self.weeks[1:-1])
        name = f"{len(seconds)} closings, the middle ten and the last ten"
        middle = len(seconds) // 2
        times = [statistics.median(durations) * 1000 for durations in (seconds[middle : middle + 10], seconds[-10:])]
        self.rows.append((f"{self.years}", name, " / ".join(f"{milliseconds:,.0f}" for milliseconds in times), "", ""))
        self.analyze()
        next_week = self.measure("preview of the next week", lambda work: preview_week(work, Scope.ALL, week, self.now))
        self.measure("a closed week", lambda work: preview_week(work, Scope.ALL, self.weeks[-3], self.now))
        ids = [line.appointment_id for line in next_week.lines[:100]]
        self.measure("values of 100 sessions", lambda work: load_session_values(work, ids, self.now))
        lines = self.measure("a closed week", lambda work: preview_week(work, Scope.ALL, self.weeks[0], self.now)).lines
        with self.installation.work(self.practice.admin, self.now) as work:
            reverse_paid_session(work, lines[0].appointment_id, "Did not take place")
            set_pay_rate(work, self.practice.clinicians[0], 9900, week - 4 * WEEK)
        self.measure(
            "preview with a new rate from four weeks ago", lambda work: preview_week(work, Scope.ALL, week, self.now)
        )
        with self.installation.work(self.practice.admin, self.now) as work:
            set_pay_rate(work, self.practice.clinicians[1], 9900, None)
        self.measure(
            "preview with a new rate from the beginning", lambda work: preview_week(work, Scope.ALL, week, self.now)
        )
        with self.installation.work(self.practice.admin, self.now) as work:
            set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal("1.1"), effective_on=week - 4 * WEEK)
        self.measure(
            "preview with a new multiplier from four weeks ago",
            lambda work: preview_week(work, Scope.ALL, week, self.now),
        )

    def close_weeks(self, weeks: list[date]) -> list[float]:
        seconds = []
        for week in weeks:
            start = time.perf_counter()
            with self.installation.work(self.practice.admin, self.get_closing_time(week)) as work:
                close_period(work, week)
            seconds.append(time.perf_counter() - start)
        return seconds

    def get_closing_time(self, week: date) -> datetime:
        """Return the time at which a week can be closed: 9 am on the Monday after it."""
        with self.installation.work(self.practice.admin, self.now) as work:
            zone = zone_of(work)
        return datetime.combine(week + 8 * timedelta(days=1), datetime.min.time(), zone) + timedelta(hours=9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true", help="a tenth of the clinicians")
    parser.add_argument("--disk", action="store_true", help="put the database on disk, not in memory")
    arguments = parser.parse_args()
    clinicians, clients = (10, 2_000) if arguments.brief else (100, 20_000)
    table = Table("Years", "Operation", "ms", "Statements", "Rows read", title=f"{clinicians} clinicians")
    with make_folder(disk=arguments.disk) as folder, open_temporary_installation(folder) as installation:
        for years in (1, 5):
            benchmark = PayBenchmark(installation, create_five_years(installation, clinicians, years, clients), years)
            benchmark.run()
            for row in benchmark.rows:
                table.add_row(*row)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
