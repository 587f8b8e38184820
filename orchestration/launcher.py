"""The run launcher: Dagster's own, which also knows whether the process of a run is alive.

Without that, a run whose process ended together with its code server would count as running for ever.
"""

import os
import re
import time
from pathlib import Path

from dagster import DagsterEventType, DagsterRun
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

STARTED = re.compile(r"Started process for run \(pid: (\d+)\)")


class CheckedRunLauncher(DefaultRunLauncher):
    """A launcher whose runs are marked as failed when their process has ended."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        entries = self._instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
        for entry in reversed(entries):
            if started := STARTED.match((entry.dagster_event and entry.dagster_event.message) or ""):
                alive = is_alive(int(started[1]), entry.timestamp)
                status = WorkerStatus.RUNNING if alive else WorkerStatus.FAILED
                return CheckRunHealthResult(status, f"Its process is {'running' if alive else 'gone'}.")
        return CheckRunHealthResult(WorkerStatus.UNKNOWN, "No process is known.")


def is_alive(pid: int, at: float) -> bool:
    """Return whether the process runs that had this id at that time; by now another one may have it."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return False
    started_at = time.time() - uptime + int(fields[18]) / os.sysconf("SC_CLK_TCK")
    return state != "Z" and started_at <= at + 1
