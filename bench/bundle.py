"""Made-up practices come in as bundles and go out again: rows a second, memory, and how the cost grows with the rows.

    python -m bench.bundle [--disk] [--json] [APPOINTMENTS ...]

Other processes on the machine make the figures smaller. So beside the time stands what the processors spent: this
process, which reads and checks, and the database's, which writes.
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

from bench.installation import folder, temporary_installation
from ingest.bundle.export import export_practice
from ingest.bundle.load import import_bundle
from ingest.bundle.reader import read_bundle
from ingest.synthetic import Size, make_up

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)  # the bundles end then: all but the next weeks lies in the past
SIZES = (100_000, 1_000_000)
TARGET = 30_000  # rows a second
MOST_RATIO = 12  # times the time, for ten times the rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("appointments", type=int, nargs="*", default=SIZES)
    parser.add_argument("--disk", action="store_true", help="the database on the disk, not in memory")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(measure(asked.appointments[0], disk=asked.disk)))
        return
    found = [in_a_process(number, disk=asked.disk) for number in asked.appointments]
    print(json.dumps(found, indent=2) if asked.json else told(found))


def in_a_process(appointments: int, *, disk: bool) -> dict[str, Any]:
    """Each size in a process of its own, whose memory is its own too."""
    command = [sys.executable, "-m", "bench.bundle", "--alone", str(appointments), *(["--disk"] if disk else [])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure(appointments: int, *, disk: bool) -> dict[str, Any]:
    with folder(disk=disk) as where, temporary_installation(where) as installation:
        bundle = where / "bundle"
        make_up(bundle, Size.of_appointments(appointments), 1, NOW)
        began = time.perf_counter()
        read_bundle(bundle, NOW, quietly)
        reading = time.perf_counter() - began
        own, theirs = time.process_time(), spent_by_database(where)
        began = time.perf_counter()
        done = import_bundle(installation, bundle, NOW, quietly)
        seconds = time.perf_counter() - began
        own, theirs = time.process_time() - own, spent_by_database(where) - theirs
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        with installation.store.session_in(done.practice.id) as db:
            kept = db.scalar(text("select count(*) from appointments"))
        assert kept == done.rows["appointments.csv"]
        began = time.perf_counter()
        export_practice(installation, done.practice.id, where / "out", NOW, quietly)
        exporting = time.perf_counter() - began
        same = all((where / "out" / file.name).read_bytes() == file.read_bytes() for file in bundle.iterdir())
    return {
        "appointments": done.rows["appointments.csv"],
        "rows": sum(done.rows.values()),
        "seconds": seconds,
        "reading_seconds": reading,
        "export_seconds": exporting,
        "own_cpu": own,
        "database_cpu": theirs,
        "memory_mb": memory,
        "same_again": same,
        "load": os.getloadavg()[0],
    }


def quietly(_words: str) -> None:
    """Says nothing."""


def spent_by_database(where: Path) -> float:
    """Seconds of processor time that the server's living processes have taken so far."""
    server = (where / "data" / "pg" / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            if fields[1] == server:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def told(found: list[dict[str, Any]]) -> str:
    lines = []
    for one in found:
        rate = one["rows"] / one["seconds"]
        lines += [
            f"bundle of {one['appointments']:,} appointments, {one['rows']:,} rows (load {one['load']:.1f})",
            f"  imported         {rate:>10,.0f} rows/s (target {TARGET:,}), of {one['seconds']:.0f} s "
            f"{one['reading_seconds']:.0f} s to read and check",
            f"  processors       {one['database_cpu']:>10.1f} s database, {one['own_cpu']:.1f} s this process",
            f"  memory           {one['memory_mb']:>10,} MB at most",
            f"  exported         {one['rows'] / one['export_seconds']:>10,.0f} rows/s, "
            f"{'the same' if one['same_again'] else 'NOT THE SAME'} as it came in",
        ]
    for one, next_one in pairwise(found):
        ratio = next_one["seconds"] / one["seconds"]
        rows = next_one["rows"] / one["rows"]
        lines.append(
            f"{rows:.1f} x the rows took {ratio:.1f} x the time (target {MOST_RATIO} x for ten times the rows)"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
