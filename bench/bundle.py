"""Benchmark of importing and exporting synthetic practices: rows per second, memory, and growth with the rows.

    python -m bench.bundle [--disk] [--json] [APPOINTMENTS ...]

Other processes on the machine slow this down. So the result also has the CPU time of this process, which reads and
checks, and of the database, which writes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.installation import make_folder, open_temporary_installation
from ingest.bundle.export import export_practice
from ingest.bundle.load import import_bundle
from ingest.bundle.reader import read_bundle
from ingest.synthetic import Size, generate

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)  # the end of the bundles: everything but the next weeks is in the past
SIZES = (100_000, 1_000_000)
TARGET_RATE = 30_000  # rows per second
MAX_RATIO = 12  # of the time, for ten times the rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("appointments", type=int, nargs="*", default=SIZES)
    parser.add_argument("--disk", action="store_true", help="put the database on disk, not in memory")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.appointments[0], disk=arguments.disk)))
        return
    results = [measure_in_process(number, disk=arguments.disk) for number in arguments.appointments]
    print(json.dumps(results, indent=2) if arguments.json else format_results(results))


def measure_in_process(appointments: int, *, disk: bool) -> dict[str, Any]:
    """Measure each size in a process of its own, so that its memory is its own too."""
    command = [sys.executable, "-m", "bench.bundle", "--measure", str(appointments), *(["--disk"] if disk else [])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure(appointments: int, *, disk: bool) -> dict[str, Any]:
    with make_folder(disk=disk) as folder, open_temporary_installation(folder) as installation:
        bundle = folder / "bundle"
        generate(bundle, Size.estimate(appointments), 1, NOW)
        start = time.perf_counter()
        read_bundle(bundle, NOW, ignore_progress)
        reading = time.perf_counter() - start
        own_cpu, database_cpu = time.process_time(), read_database_cpu(folder)
        start = time.perf_counter()
        imported = import_bundle(installation, bundle, NOW, ignore_progress)
        seconds = time.perf_counter() - start
        own_cpu, database_cpu = time.process_time() - own_cpu, read_database_cpu(folder) - database_cpu
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        with installation.store.begin_session(imported.practice.id) as db:
            stored = db.scalar(text("select count(*) from appointments"))
        assert stored == imported.rows["appointments.csv"]
        start = time.perf_counter()
        export_practice(installation, imported.practice.id, folder / "out", NOW, ignore_progress)
        exporting = time.perf_counter() - start
        is_same = all((folder / "out" / file.name).read_bytes() == file.read_bytes() for file in bundle.iterdir())
    return {
        "appointments": imported.rows["appointments.csv"],
        "rows": sum(imported.rows.values()),
        "seconds": seconds,
        "reading_seconds": reading,
        "export_seconds": exporting,
        "own_cpu": own_cpu,
        "database_cpu": database_cpu,
        "memory_mb": memory,
        "same_again": is_same,
        "load": os.getloadavg()[0],
    }


def ignore_progress(_line: str) -> None:
    """Ignore a progress message."""


def read_database_cpu(folder: Path) -> float:
    """Return the CPU seconds that the database server's running processes have used so far."""
    server = (folder / "data" / "pg" / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            if fields[1] == server:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def format_results(results: list[dict[str, Any]]) -> str:
    lines = []
    for result in results:
        rate = result["rows"] / result["seconds"]
        lines += [
            f"bundle of {result['appointments']:,} appointments, {result['rows']:,} rows (load {result['load']:.1f})",
            f"  import           {rate:>10,.0f} rows/s (target {TARGET_RATE:,}), of {result['seconds']:.0f} s "
            f"{result['reading_seconds']:.0f} s to read and check",
            f"  CPU              {result['database_cpu']:>10.1f} s database, {result['own_cpu']:.1f} s this process",
            f"  memory           {result['memory_mb']:>10,} MB at most",
            f"  export           {result['rows'] / result['export_seconds']:>10,.0f} rows/s, "
            f"{'the same' if result['same_again'] else 'NOT THE SAME'} as the imported files",
        ]
    for result, next_result in pairwise(results):
        ratio = next_result["seconds"] / result["seconds"]
        rows = next_result["rows"] / result["rows"]
        lines.append(f"{rows:.1f} x the rows took {ratio:.1f} x the time (target {MAX_RATIO} x for ten times the rows)")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
