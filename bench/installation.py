"""An installation to measure: an embedded database in a temporary folder, with one practice and signed-in admins."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.control import PRACTICE_VARIABLE
from practice.people.practices import create_practice
from practice.people.staff import StaffInvitation, add_staff
from practice.security import accounts, sign_in
from practice.security.installation import Installation, open_installation
from practice.security.work import Actor
from practice.settings import Settings

STAFF = 300
ADMINS = 8
REQUESTS_PER_MINUTE = 10_000_000  # limit for the account and for the practice
PASSWORD = "Teal-Walrus 41 hums softly"  # pragma: allowlist secret
MIN_FREE_MEMORY = 2 << 30


@dataclass
class MeasuredPractice:
    """The practice, the access tokens of its admins, and the ids and versions of its other staff."""

    id: str
    tokens: list[str]
    rows: list[list[Any]]


@contextmanager
def make_folder(*, disk: bool) -> Generator[Path]:
    """Yield a temporary folder, in memory if there is space, so that a shared disk does not affect the results."""
    shared_memory = Path("/dev/shm")  # noqa: S108 - used only for a new folder in it
    use_memory = not disk and shared_memory.is_dir() and shutil.disk_usage(shared_memory).free > MIN_FREE_MEMORY
    path = Path(tempfile.mkdtemp(prefix="caseload-bench-", dir=shared_memory if use_memory else tempfile.gettempdir()))
    path.chmod(0o711)  # the embedded server of root runs under another account, which needs access
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def open_temporary_installation(folder: Path) -> Generator[Installation]:
    """Yield a new installation in this folder, and stop its database server afterwards."""
    for name in [name for name in os.environ if name.startswith("CASELOAD_") or name.startswith("DATABASE_")]:
        del os.environ[name]  # never use a developer's own installation
    os.environ |= {
        "CASELOAD_DATA_DIR": str(folder / "data"),
        "CASELOAD_MASTER_KEY_FILE": str(folder / "master.key"),
        "CASELOAD_REQUESTS_PER_MINUTE": str(REQUESTS_PER_MINUTE),
        "CASELOAD_PRACTICE_REQUESTS_PER_MINUTE": str(REQUESTS_PER_MINUTE),
    }
    installation = open_installation(Settings())
    try:
        installation.store.prepare()
        yield installation
    finally:
        installation.store.close()
        if installation.store.embedded:
            installation.store.embedded.stop()


def create_practice_to_measure(installation: Installation) -> MeasuredPractice:
    """Create a practice with signed-in admins, and other staff whose rows are read and written."""
    now = datetime.now(UTC)
    with installation.work(Actor(), now) as work:
        details = {"email": "admin@bench.example", "first_name": "Ada", "last_name": "Admin"}
        practice, invitation = create_practice(
            work, name="Bench", time_zone="America/New_York", admin=details, by_email=False
        )
    admins = [invitation]
    with installation.work(Actor(practice.id), now) as work:
        for number in range(ADMINS - 1):
            admins.append(invite_staff(work, f"admin-{number}", "admin", now))
        rows = [[str(invite_staff(work, f"robin-{number}", "clinician", now).staff.id), 1] for number in range(STAFF)]
    tokens = []
    for admin in admins:
        accounts.accept_invitation(installation, admin.secret or "", PASSWORD, now)
        session = sign_in.start_session(installation, admin.staff.account_id, practice.id, datetime.now(UTC), None)
        assert session.tokens is not None
        tokens.append(session.tokens.access)
    return MeasuredPractice(str(practice.id), tokens, rows)


def invite_staff(work: Any, name: str, role: str, now: datetime) -> StaffInvitation:
    details: dict[str, Any] = {"first_name": "Robin", "last_name": name, "hired_on": now.date(), "roles": [role]}
    return add_staff(work, email=f"{name}@bench.example", by_email=False, **details)


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def start_server(folder: Path, practice: MeasuredPractice, workers: int) -> Generator[int]:
    """Start the service and its control as the product does, and yield the port."""
    port = find_free_port()
    metrics = folder / f"metrics-{workers}"
    metrics.mkdir(exist_ok=True)
    environment = os.environ | {PRACTICE_VARIABLE: practice.id, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    command = [sys.executable, "-m", "uvicorn", "bench.control:create_control_app", "--factory", "--no-access-log"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    command += ["--http", "api.http_protocol:LimitedProtocol"]
    log = folder / "api.log"
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The service did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.1)
        time.sleep(0.5)  # the other workers
        yield port
    finally:
        stop_process(process)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


def stop_process(process: subprocess.Popen[Any]) -> None:
    """Stop the process and its children, which form a process group."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class LoadGenerator:
    """The process of the load generator."""

    def __init__(self, practice: MeasuredPractice) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.openloop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._send({"tokens": practice.tokens, "rows": practice.rows})

    def run(self, **plan: Any) -> dict[str, Any]:
        """Run a plan and return its results."""
        self._send(plan)
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def _send(self, document: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()

    def __enter__(self) -> "LoadGenerator":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
