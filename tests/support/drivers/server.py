"""The service as it really runs: several worker processes behind one port, over a database of their own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import psycopg
from pydantic import SecretStr

from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.settings import Settings
from practice.store.ids import new_id
from practice.store.store import Store
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.harness import cluster

ROOT = Path(__file__).parents[3]
READY_WITHIN = 40  # seconds, on a busy machine


@dataclass
class Server:
    """A running service, the installation that it serves, and what it has written so far."""

    url: str
    installation: Installation
    database: str
    output: Path

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=60, limits=httpx2.Limits(max_connections=60))

    def superuser(self) -> psycopg.Connection:
        return cluster.superuser(self.database)

    def practice(self) -> PracticeFixture:
        """A practice that lives in the server's own time, made a little ago."""
        return make_practice(self.installation, now=datetime.now(UTC) - timedelta(minutes=3))

    def connections(self) -> list[int]:
        """How many connections each of the workers has open, those to the database among them."""
        workers = re.findall(r"Started server process \[([0-9]+)\]", self.output.read_text())
        return [sum(os.readlink(file).startswith("socket:") for file in descriptors(worker)) for worker in workers]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines() if line.startswith("{")]


@contextmanager
def serving(folder: Path, workers: int = 2, **settings: Any) -> Generator[Server]:
    """Serve a fresh database until the end of the block. Nothing is limited unless a setting says so."""
    cluster.prepare_template()
    database = f"served_{new_id().hex}"
    cluster.copy_template(database)
    key = MasterKey.generate().to_text()
    store = Store(cluster.server().data_dir, database=database)
    installation = Installation(Settings(data_dir=folder, master_key=SecretStr(key)), store)
    to = store.parameters("app")
    unlimited = dict.fromkeys(("requests_per_minute", "practice_requests_per_minute", "sign_ins_per_minute"), 10**6)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"postgresql://{to['user']}:{quote(to['password'])}@/{database}?host={quote(to['host'])}",
        "CASELOAD_MASTER_KEY": key,
        "CASELOAD_DATA_DIR": str(folder),
        **{f"CASELOAD_{name.upper()}": str(value) for name, value in (unlimited | settings).items()},
    }
    port = free_port()
    output = folder / "output"
    command = [sys.executable, "-m", "uvicorn", "api.app:serve", "--factory", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(workers), "--no-access-log"]
    command += ["--timeout-worker-healthcheck", "30", "--http", "api.tcp_nodelay:AtOnce"]
    with output.open("w") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        server = Server(f"http://127.0.0.1:{port}", installation, database, output)
        wait_until_ready(server, process, workers)
        yield server
    finally:
        stop(process)
        store.close()
        cluster.drop(database)


def descriptors(process: str) -> list[Path]:
    return [file for file in Path(f"/proc/{process}/fd").iterdir() if file.is_symlink()]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_until_ready(server: Server, process: subprocess.Popen[bytes], workers: int) -> None:
    """All workers, not just the first: a test that began with one would show nothing between processes."""
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        assert process.poll() is None, server.output.read_text()[-2000:]
        if server.output.read_text().count("Application startup complete") < workers:
            time.sleep(0.1)
            continue
        try:
            if httpx2.get(f"{server.url}/health/ready", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(server.output.read_text()[-2000:])


def stop(process: subprocess.Popen[bytes]) -> None:
    """The process that was started here and the workers that it made: all are in a process group of their own."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=15)


def at_once(call: Callable[[Any], Any], given: Iterable[Any]) -> list[Any]:
    """All calls in parallel, each in a thread; their answers in order."""
    given = list(given)
    with ThreadPoolExecutor(min(50, len(given))) as pool:
        return list(pool.map(call, given))
