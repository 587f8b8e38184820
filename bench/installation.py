"""An installation to measure: an embedded database in a folder of its own, one practice, its staff, its sessions."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.control import PRACTICE
from practice.people.practices import create_practice
from practice.people.staff import Invited, add_staff
from practice.security import accounts, sign_in
from practice.security.installation import Installation, open_installation
from practice.security.work import Actor
from practice.settings import Settings

STAFF = 300
ADMINS = 8
LIMIT = 10_000_000  # requests a minute, for the account and for the practice
PASSWORD = "Teal-Walrus 41 hums softly"  # pragma: allowlist secret
ROOM = 2 << 30


@dataclass
class Practice:
    id: str
    tokens: list[str]
    rows: list[list[Any]]


@contextmanager
def folder(*, disk: bool) -> Iterator[Path]:
    """In memory where there is room, so that a shared disk does not decide the figures; else a folder on the disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    roomy = not disk and memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    where = Path(tempfile.mkdtemp(prefix="caseload-bench-", dir=memory if roomy else tempfile.gettempdir()))
    where.chmod(0o711)  # root's server runs under another account, which has to come through
    try:
        yield where
    finally:
        shutil.rmtree(where, ignore_errors=True)


@contextmanager
def temporary_installation(where: Path) -> Iterator[Installation]:
    for name in [name for name in os.environ if name.startswith("CASELOAD_") or name.startswith("DATABASE_")]:
        del os.environ[name]  # a developer's own installation stays out of this
    os.environ |= {
        "CASELOAD_DATA_DIR": str(where / "data"),
        "CASELOAD_MASTER_KEY_FILE": str(where / "master.key"),
        "CASELOAD_REQUESTS_PER_MINUTE": str(LIMIT),
        "CASELOAD_PRACTICE_REQUESTS_PER_MINUTE": str(LIMIT),
    }
    installation = open_installation(Settings())
    try:
        installation.store.prepare()
        yield installation
    finally:
        installation.store.close()
        if installation.store.embedded:
            installation.store.embedded.stop()


def furnish(installation: Installation) -> Practice:
    """One practice, its admins signed in, and the rows that are read and written. None of them is an admin's."""
    now = datetime.now(UTC)
    with installation.work(Actor(), now) as work:
        first = {"email": "admin@bench.example", "first_name": "Ada", "last_name": "Admin"}
        practice, invited = create_practice(work, name="Bench", time_zone="America/New_York", admin=first)
    admins = [invited]
    with installation.work(Actor(practice.id), now) as work:
        for number in range(ADMINS - 1):
            admins.append(add(work, f"admin-{number}", "admin", now))
        rows = [[str(add(work, f"robin-{number}", "clinician", now).staff.id), 1] for number in range(STAFF)]
    tokens = []
    for admin in admins:
        accounts.accept_invitation(installation, admin.secret, PASSWORD, now)
        session = sign_in.start_session(installation, admin.staff.account_id, practice.id, datetime.now(UTC), None)
        assert session.tokens is not None
        tokens.append(session.tokens.access)
    return Practice(str(practice.id), tokens, rows)


def add(work: Any, name: str, role: str, now: datetime) -> Invited:
    person: dict[str, Any] = {"first_name": "Robin", "last_name": name, "hired_on": now.date(), "roles": [role]}
    return add_staff(work, email=f"{name}@bench.example", **person)


@contextmanager
def server(where: Path, practice: Practice, workers: int) -> Iterator[int]:
    """The service and its control as the product starts it; the port that it listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    metrics = where / f"metrics-{workers}"
    metrics.mkdir(exist_ok=True)
    environment = os.environ | {PRACTICE: practice.id, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    command = [sys.executable, "-m", "uvicorn", "bench.control:serve", "--factory", "--no-access-log"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
    command += ["--http", "api.tcp_nodelay:AtOnce"]
    log = where / "api.middleware"
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The service did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.1)
        time.sleep(0.5)  # the other workers
        yield port
    finally:
        stop(process)


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def stop(process: subprocess.Popen[Any]) -> None:
    """The process and those that it started itself, which are one group."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Generator:
    """The load generator's process."""

    def __init__(self, practice: Practice) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.openloop"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._tell({"tokens": practice.tokens, "rows": practice.rows})

    def run(self, **plan: Any) -> dict[str, Any]:
        self._tell(plan)
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def _tell(self, line: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def __enter__(self) -> "Generator":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
