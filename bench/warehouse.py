"""Benchmark of the warehouse: full refreshes by both engines against one hand-written statement, and their memory.

    python -m bench.warehouse [--disk] [--repeats N] [APPOINTMENTS ...]

The statement computes ten of the metrics by month in PostgreSQL. Each refresh runs in a process of its own, whose start
is not counted. Full refreshes begin with nothing published. Times are medians; refreshes after changes are measured
once.
"""

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.five_years import NOW
from bench.installation import make_folder, open_temporary_installation
from bench.warehouse_practice import create_recorded_practice
from practice.security.installation import open_installation
from practice.settings import Settings
from practice.store.store import Store
from warehouse.refresh import refresh_practice
from warehouse.statements import load_statements

SIZES = (1_000_000,)
REPEATS = 3
MAX_RATIOS = {"duckdb": 4, "postgres": 14}  # of the yardstick
MAX_MEMORY_MB = 1_500
MAX_GROWTH = 10  # of the time, for ten times the appointments
CHANGES = {  # a share or number of sessions, the hours passed, and the target as a share of a full refresh
    "1 % of the rows": (0.01, 0, 0.12),
    "100 rows": (33, 0, 0.08),
    "an hour": (0, 1, 0.05),
}
ENTER = "select set_config('app.tenant_id', cast(%(tenant_id)s as text), true)"  # triggers write versions
# Half of the sessions that change are of the last two weeks, half of any time.
PICK = """
    create temporary table changed on commit drop as
    (select id from appointments where tenant_id = %(tenant_id)s and starts_at < %(now)s
        and starts_at > %(now)s - interval '14 days' order by md5(id::text) limit %(half)s)
    union
    (select id from appointments where tenant_id = %(tenant_id)s and starts_at < %(now)s
        order by md5(id::text || 'any') limit %(half)s)
"""
# What services do to a session: correct it, sign its note, post a payment on its charge.
CHANGED = (
    """
    update appointments set telehealth = not telehealth
    where tenant_id = %(tenant_id)s and id in (select id from changed)
    """,
    """
    update notes set signed_at = %(now)s - interval '1 minute'
    where tenant_id = %(tenant_id)s and appointment_id in (select id from changed)
    """,
    """
    insert into payment_applications (tenant_id, id, payment_id, charge_id, amount_cents, posted_at)
    select p.tenant_id, uuidv7(), p.payment_id, p.charge_id, 1, %(now)s - interval '1 minute'
    from payment_applications as p
    join charges as c on c.tenant_id = p.tenant_id and c.id = p.charge_id
    where p.tenant_id = %(tenant_id)s and c.appointment_id in (select id from changed)
    """,
)
STEPS = ("Copying", "Computing", "Publishing")
SLOWEST_SHOWN = 6

YARDSTICK = """
    with signed as (
        select appointment_id, min(signed_at) as signed_at
        from notes
        where tenant_id = %(tenant_id)s and appointment_id is not null and voided_at is null
            and entered_in_error_at is null and type not in ('TREATMENT_PLAN', 'SAFETY_PLAN', 'DISCHARGE_SUMMARY')
        group by appointment_id
    ),

    applied as (
        select charge_id, sum(amount_cents) as applied_cents
        from payment_applications
        where tenant_id = %(tenant_id)s and posted_at <= %(now)s
        group by charge_id
    ),

    charged as (
        select c.appointment_id, sum(coalesce(p.applied_cents, 0)) as applied_cents
        from charges as c
        left join applied as p on p.charge_id = c.id
        where c.tenant_id = %(tenant_id)s and c.appointment_id is not null and c.voided_at is null
        group by c.appointment_id
    ),

    visits as (
        select
            a.*, s.signed_at, c.appointment_id is not null as charged, c.applied_cents,
            (a.starts_at at time zone 'America/New_York')::date as on_date,
            (a.created_at at time zone 'America/New_York')::date as booked_on,
            a.status = 'COMPLETED' as completed,
            a.status in ('COMPLETED', 'NO_SHOW', 'CANCELLED') as resolved
        from appointments as a
        left join signed as s on s.appointment_id = a.id
        left join charged as c on c.appointment_id = a.id
        where a.tenant_id = %(tenant_id)s and a.starts_at < %(now)s and a.status <> 'RESCHEDULED'
    )

    select
        date_trunc('month', on_date) as month,
        count(*) filter (where completed)::numeric / nullif(count(*) filter (where resolved), 0) as kept,
        count(*) filter (where status = 'NO_SHOW')::numeric / nullif(count(*) filter (where resolved), 0) as no_show,
        count(*) filter (where status = 'CANCELLED')::numeric / nullif(count(*) filter (where resolved), 0) as off,
        avg(greatest(0, on_date - booked_on)) as lead_time_days,
        count(*) filter (where booked_via = 'PORTAL')::numeric / count(*) as booked_online,
        avg(greatest(0, extract(epoch from signed_at - ends_at))) filter (where completed) / 3600 as signing_hours,
        count(*) filter (where completed and (signed_at at time zone 'America/New_York')::date = on_date)::numeric
            / nullif(count(*) filter (where completed), 0) as same_day,
        count(*) filter (where completed and signed_at <= ends_at + interval '168 hours')::numeric
            / nullif(count(*) filter (where completed and ends_at + interval '168 hours' <= %(now)s), 0) as in_7_days,
        count(*) filter (where completed and charged)::numeric
            / nullif(count(*) filter (where completed), 0) as billed,
        sum(applied_cents) filter (where completed) / nullif(count(*) filter (where completed), 0) as reimbursement
    from visits
    group by 1
"""
CHECKSUM = """
    select count(*), md5(string_agg(md5(c::text), '' order by entity_kind, entity_id, period_kind, period_start))
    from analytics.metric_cells as c where tenant_id = %s
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("appointments", type=int, nargs="*", default=SIZES)
    parser.add_argument("--disk", action="store_true", help="put the database on disk, not in memory")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--refresh", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.refresh:
        print(json.dumps(refresh(*arguments.refresh)))
        return
    results = [measure(number, arguments.repeats, disk=arguments.disk) for number in arguments.appointments]
    print("\n".join(line for result in results for line in format_result(result)))
    for result, next_result in pairwise(results):
        rows = next_result["rows"] / result["rows"]
        growth = next_result["duckdb"]["seconds"] / result["duckdb"]["seconds"]
        print(f"{rows:.1f} x the rows took {growth:.1f} x the time (target {MAX_GROWTH} x for ten times the rows)")


def measure(appointments: int, repeats: int, *, disk: bool) -> dict[str, Any]:
    with make_folder(disk=disk) as folder, open_temporary_installation(folder) as installation:
        store, root = installation.store, folder / "warehouse"
        start = time.perf_counter()
        practice = create_recorded_practice(installation, appointments)
        print(f"{practice.rows:,} rows in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        result: dict[str, Any] = {"appointments": practice.appointments, "rows": practice.rows, "yardstick": []}
        runs: dict[str, list[dict[str, Any]]] = {engine: [] for engine in MAX_RATIOS}
        for _ in range(repeats):
            result["yardstick"].append(run_yardstick(store, practice.id))
            for engine in runs:
                forget(store, practice.id, root)
                runs[engine].append(refresh_in_process(root, practice.id, engine))
        forget(store, practice.id, root)
        refresh_in_process(root, practice.id, "duckdb")
        result["changes"] = {
            name: refresh_after(store, root, practice.id, name, practice.appointments) for name in CHANGES
        }
        result["yardstick"] = statistics.median(result["yardstick"])
        for engine, measured in runs.items():
            result[engine] = sorted(measured, key=lambda run: run["seconds"])[len(measured) // 2]
        result["checksums"] = {tuple(run["checksum"]) for measured in runs.values() for run in measured}
        result["load"] = os.getloadavg()[0]
    return result


def run_yardstick(store: Store, tenant_id: UUID) -> float:
    """Return the seconds of the statement, with the settings of a build inside the database."""
    with store.connect("warehouse") as connection:
        connection.execute("set work_mem = '256MB'; set jit = off")
        start = time.perf_counter()
        connection.execute(YARDSTICK, {"tenant_id": tenant_id, "now": NOW}).fetchall()
        return time.perf_counter() - start


def forget(store: Store, tenant_id: UUID, root: Path) -> None:
    """Delete what is published, and the file."""
    shutil.rmtree(root, ignore_errors=True)
    with store.connect("superuser") as connection:
        connection.autocommit = True
        connection.execute("truncate analytics.metric_cells, analytics.refreshes")


def refresh_after(store: Store, root: Path, tenant_id: UUID, name: str, appointments: int) -> dict[str, Any]:
    """Make changes, and return the refresh after them."""
    sessions, hours, _ = CHANGES[name]
    half = round(sessions * appointments if sessions < 1 else sessions) // 2
    with store.connect("superuser") as connection:
        for statement in (ENTER, PICK, *CHANGED):
            parameters = {"tenant_id": tenant_id, "now": NOW, "half": half}
            connection.execute(statement.encode(), parameters)
    return refresh_in_process(root, tenant_id, "duckdb", hours)


def refresh_in_process(root: Path, tenant_id: UUID, engine: str, hours: int = 0) -> dict[str, Any]:
    """Refresh in a process of its own, so that its memory is its own too."""
    command = [sys.executable, "-m", "bench.warehouse", "--refresh", str(root), str(tenant_id), engine, str(hours)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def refresh(root: str, tenant_id: str, engine: str, hours: str) -> dict[str, Any]:
    """Refresh, and return the seconds of each step and statement, the memory at most, and a checksum of the values."""
    installation = open_installation(Settings(), pool_size=1)
    moments, own_cpu = [("Copying", time.perf_counter())], time.process_time()
    refresh_practice(
        installation.store,
        Path(root),
        UUID(tenant_id),
        NOW + timedelta(hours=int(hours)),
        engine,
        lambda message: moments.append((message, time.perf_counter())),
    )
    moments.append(("", time.perf_counter()))
    own_cpu = time.process_time() - own_cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    messages = [(message, end - start) for (message, start), (_, end) in pairwise(moments)]
    names = [statement.name for statement in load_statements(engine)]
    slowest = sorted(
        (
            (seconds, names[int(message.split()[1]) - 1])
            for message, seconds in messages
            if re.match(r"Computing \d", message)
        ),
        reverse=True,
    )
    with installation.store.connect("superuser") as connection:
        checksum = connection.execute(CHECKSUM, [tenant_id]).fetchone()
    installation.store.close()
    return {
        "seconds": moments[-1][1] - moments[0][1],
        "steps": {step: sum(seconds for message, seconds in messages if message.startswith(step)) for step in STEPS},
        "slowest": slowest[:SLOWEST_SHOWN],
        "memory_mb": memory,
        "own_cpu": own_cpu,
        "checksum": checksum,
    }


def format_result(result: dict[str, Any]) -> list[str]:
    yardstick = result["yardstick"]
    lines = [
        f"{result['appointments']:,} appointments, {result['rows']:,} rows (load {result['load']:.1f})",
        f"  one statement, ten metrics    {yardstick:>8.2f} s",
    ]
    for engine, target in MAX_RATIOS.items():
        run = result[engine]
        steps = ", ".join(f"{step.lower()} {seconds:.1f}" for step, seconds in run["steps"].items())
        ratio = run["seconds"] / yardstick
        lines += [
            f"  full refresh by {engine:<12}  {run['seconds']:>8.2f} s  {ratio:.1f} x (target {target} x): {steps}",
            f"    CPU of its process {run['own_cpu']:.1f} s, slowest: "
            + ", ".join(f"{name} {seconds:.1f}" for seconds, name in run["slowest"]),
        ]
    for name, run in result["changes"].items():
        steps = ", ".join(f"{step.lower()} {seconds:.1f}" for step, seconds in run["steps"].items())
        share = run["seconds"] / result["duckdb"]["seconds"]
        lines.append(
            f"  refresh after {name:<15} {run['seconds']:>8.2f} s  {share:.0%} (target {CHANGES[name][2]:.0%}): {steps}"
        )
    cells = {count for count, _ in result["checksums"]}
    same = "the same" if len(result["checksums"]) == 1 else "NOT THE SAME"
    lines += [
        f"  memory                        {result['duckdb']['memory_mb']:>8,} MB (target {MAX_MEMORY_MB:,} MB)",
        f"  {max(cells):,} published rows, {same} by both engines in every run",
    ]
    return lines


if __name__ == "__main__":
    main()
