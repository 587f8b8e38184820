"""Pay of a large practice, after one year and after five: its first preview, closings, previews and corrections after.

    python -m bench.pay [--brief] [--disk]

Every verb is called in process as the runtime role, each call a transaction of its own. What a week costs must not
grow with the weeks that are closed. Before any is, everything that was ever held may still have to be paid.
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

from bench.five_years import NOW, FiveYears, furnish
from bench.installation import folder, temporary_installation
from bench.reads import reads_of
from practice.local_time import week_of
from practice.payroll.completions import take_back, worth_of
from practice.payroll.periods import close_period, preview
from practice.payroll.rates import set_multiplier, set_pay_rate
from practice.people.practice_time import zone_of
from practice.security.installation import Installation
from practice.security.work import Work

WEEK = timedelta(days=7)
BIG = {"appointments", "notes", "pay_lines", "session_completions"}

# One session in sixty is never written up, and one in fifteen eight days late.
NOTES = text("""
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
LAST = week_of(NOW.date()) - 2 * WEEK  # over and cut off


class Bench:
    def __init__(self, installation: Installation, practice: FiveYears, years: int) -> None:
        self.installation, self.practice, self.years = installation, practice, years
        self.rows: list[tuple[str, ...]] = []
        self.weeks = [LAST - number * WEEK for number in reversed(range(52 * years - 3))]
        self.now = NOW
        with installation.store.session_in(practice.id) as db:
            db.execute(NOTES, {"tenant_id": practice.id, "now": NOW})
        for number, person in enumerate(practice.clinicians):
            with installation.work(practice.admin, NOW - timedelta(days=3000)) as work:
                set_pay_rate(work, person, 6000 + number * 10, None)
        self.analyze()

    def analyze(self) -> None:
        with self.installation.store.owner_connection() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("vacuum analyze"))

    def measure(self, what: str, verb: Callable[[Work], Any], times: int = 5) -> Any:
        took = []
        for _ in range(times):
            start = time.perf_counter()
            with self.installation.work(self.practice.admin, self.now) as work:
                answer = verb(work)
            took.append(time.perf_counter() - start)
        with self.installation.work(self.practice.admin, self.now) as work:
            reads = reads_of(self.installation.store.engine, work.db, lambda: verb(work))
        read = ", ".join(f"{table} {rows:,}" for table, rows in sorted(reads.read.items()) if table in BIG and rows)
        self.rows.append(
            (f"{self.years}", what, f"{statistics.median(took) * 1000:,.0f}", f"{len(reads.statements)}", read)
        )
        return answer

    def run(self) -> None:
        week = self.weeks[-1]
        self.measure("preview, nothing closed", lambda work: preview(work, week, self.now), 3)
        self.close(self.weeks[:1])
        self.analyze()
        took = self.close(self.weeks[1:-1])
        words = f"{len(took)} closings, the middle ten and the last ten"
        middle = len(took) // 2
        times = [statistics.median(part) * 1000 for part in (took[middle : middle + 10], took[-10:])]
        self.rows.append((f"{self.years}", words, " / ".join(f"{one:,.0f}" for one in times), "", ""))
        self.analyze()
        found = self.measure("preview of the next", lambda work: preview(work, week, self.now))
        self.measure("a closed week", lambda work: preview(work, self.weeks[-3], self.now))
        ids = [line.appointment_id for line in found.lines[:100]]
        self.measure("worth of 100 sessions", lambda work: worth_of(work, ids, self.now))
        paid = self.measure("a closed week", lambda work: preview(work, self.weeks[0], self.now)).lines
        with self.installation.work(self.practice.admin, self.now) as work:
            take_back(work, paid[0].appointment_id, "Did not take place")
            set_pay_rate(work, self.practice.clinicians[0], 9900, week - 4 * WEEK)
        self.measure("preview with a rate of four weeks ago", lambda work: preview(work, week, self.now))
        with self.installation.work(self.practice.admin, self.now) as work:
            set_pay_rate(work, self.practice.clinicians[1], 9900, None)
        self.measure("preview with a rate since ever", lambda work: preview(work, week, self.now))
        with self.installation.work(self.practice.admin, self.now) as work:
            set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal("1.1"), effective_on=week - 4 * WEEK)
        self.measure("preview with a multiplier of four weeks ago", lambda work: preview(work, week, self.now))

    def close(self, weeks: list[date]) -> list[float]:
        took = []
        for week in weeks:
            start = time.perf_counter()
            with self.installation.work(self.practice.admin, self.closing_of(week)) as work:
                close_period(work, week)
            took.append(time.perf_counter() - start)
        return took

    def closing_of(self, week: date) -> datetime:
        with self.installation.work(self.practice.admin, self.now) as work:
            zone = zone_of(work)
        return datetime.combine(week + 8 * timedelta(days=1), datetime.min.time(), zone) + timedelta(hours=9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true", help="A tenth of the clinicians.")
    parser.add_argument("--disk", action="store_true", help="On the disk, not in memory.")
    asked = parser.parse_args()
    clinicians, clients = (10, 2_000) if asked.brief else (100, 20_000)
    table = Table("Years", "What", "ms", "Statements", "Rows read", title=f"{clinicians} clinicians")
    with folder(disk=asked.disk) as where, temporary_installation(where) as installation:
        for years in (1, 5):
            bench = Bench(installation, furnish(installation, clinicians, years, clients), years)
            bench.run()
            for row in bench.rows:
                table.add_row(*row)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
