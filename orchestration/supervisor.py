"""The process that starts Dagster's code server, page and daemon, and starts those again that end.

It imports nothing of them, so that it stays small. They end with it, and with them the runs that they started.
"""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from orchestration.home import build_environment, get_socket, get_workspace_file, write_home

ROUND_SECONDS = 0.25
STOP_SECONDS = 2  # then a process is killed, and with it a refresh: nothing is published by halves
STEADY_SECONDS = 60  # a process that has lived so long starts again without a pause
MAX_PAUSE_SECONDS = 30
SET_SIGNAL_OF_PARENTS_END, ADOPT_ORPHANS = 1, 36  # of prctl(2)


class Service:
    """One of the processes, which is started again when it ends."""

    def __init__(self, name: str, arguments: tuple[str, ...], environment: dict[str, str], socket: Path) -> None:
        self.name, self.arguments, self.environment, self.socket = name, arguments, environment, socket
        self.process: subprocess.Popen[bytes] | None = None
        self.early_ends = 0  # in succession
        self.started_at = self.ended_at = 0.0

    def keep_alive(self, now: float) -> None:
        """Start the process if it is not running. Those that ask the code server wait for its socket."""
        if self.process is not None and self.process.poll() is not None:
            log(f"{self.name} has ended with code {self.process.returncode}.")
            self.early_ends = self.early_ends + 1 if now - self.started_at < STEADY_SECONDS else 0
            self.process, self.ended_at = None, now
        if self.process is None and now - self.ended_at >= compute_pause(self.early_ends):
            if self.name == "code server":
                self.socket.unlink(missing_ok=True)
            elif not self.socket.exists():
                return
            self.start(now)

    def start(self, now: float) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            [sys.executable, *self.arguments],
            stdin=subprocess.DEVNULL,
            env=self.environment,
            cwd="/",
            preexec_fn=end_with_parent,  # noqa: PLW1509 - this process has one thread
        )
        self.started_at = now

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def log(message: str) -> None:
    sys.stderr.write(f"{message}\n")


def compute_pause(early_ends: int) -> float:
    """Return the seconds until a process starts again that has ended so often in succession, soon after each start."""
    return min(2 ** (early_ends - 2), MAX_PAUSE_SECONDS) if early_ends > 1 else 0


def end_with_parent() -> None:
    """Let the kernel end this process when the one that started it has ended."""
    control_process(SET_SIGNAL_OF_PARENTS_END, signal.SIGTERM)


def control_process(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


def supervise(home: Path, database_url: str) -> None:
    """Keep the processes running until a signal, then stop them: daemon, page, code server, runs."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    control_process(ADOPT_ORPHANS, 1)  # a run whose code server has ended becomes a child of this process
    write_home(home)
    environment, socket = build_environment(home, database_url), get_socket(home)
    code, page, daemon = (
        Service(name, arguments, environment, socket)
        for name, arguments in (
            (
                "code server",
                (
                    *("-m", "dagster", "api", "grpc", "--socket", str(socket), "-m", "orchestration.definitions"),
                    *("--location-name", "caseload", "--max-workers", "4", "--log-level", "warning"),
                ),
            ),
            ("page", ("-m", "orchestration.page")),
            (
                "daemon",
                (
                    *("-m", "dagster._daemon", "run", "--workspace", str(get_workspace_file(home))),
                    *("--log-level", "warning"),
                ),
            ),
        )
    )
    while not stop.is_set():
        for service in (code, page, daemon):
            service.keep_alive(time.monotonic())
        reap_orphans({service.process.pid for service in (code, page, daemon) if service.process})
        stop.wait(ROUND_SECONDS)
    for service in (daemon, page, code):
        service.stop()
    for child in list_children():
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def reap_orphans(own: set[int]) -> None:
    """Let the adopted processes go that have ended."""
    for child in list_children():
        if child not in own:
            with suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)


def list_children() -> list[int]:
    try:
        return [int(child) for child in Path("/proc/thread-self/children").read_text().split()]
    except OSError:
        return []


def run() -> int:
    """Run Dagster's processes with the database in DATABASE_DAGSTER_URL, and return the exit code."""
    database_url = os.environ.get("DATABASE_DAGSTER_URL")
    if not database_url:
        log("Error: DATABASE_DAGSTER_URL is missing: Dagster keeps its runs in a database of its own. Set it.")
        return 1
    with tempfile.TemporaryDirectory(prefix="caseload-dagster-") as home:  # short, as the path of a socket has to be
        supervise(Path(home), database_url)
    return 0


if __name__ == "__main__":
    raise SystemExit(run())
