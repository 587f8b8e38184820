"""The service as deployed: several worker processes behind one port, with their own database."""

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
READY_SECONDS = 240  # on a machine that many test runs share


@dataclass
class Server:
    """A running service, the installation that it serves, and its output."""

    url: str
    installation: Installation
    database: str
    output: Path

    def open_client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=60, limits=httpx2.Limits(max_connections=60))

    def connect_as_superuser(self) -> psycopg.Connection:
        return cluster.connect_as_superuser(self.database)

    def create_practice(self) -> PracticeFixture:
        """Create a practice a few minutes ago by the server's clock."""
        return make_practice(self.installation, now=datetime.now(UTC) - timedelta(minutes=3))

    def count_connections(self) -> list[int]:
        """Return the number of open sockets of each worker, database connections included."""
        workers = re.findall(r"Started server process \[([0-9]+)\]", self.output.read_text())
        return [sum(os.readlink(file).startswith("socket:") for file in list_descriptors(worker)) for worker in workers]

    def read_log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines() if line.startswith("{")]


@contextmanager
def run_server(folder: Path, workers: int = 2, **settings: Any) -> Generator[Server]:
    """Serve a new database until the end of the block. No rate limits apply unless a setting says so."""
    cluster.prepare_template()
    database = f"served_{new_id().hex}"
    cluster.copy_template(database)
    key = MasterKey.generate().to_text()
    store = Store(cluster.get_server().data_dir, database=database)
    installation = Installation(Settings(data_dir=folder, master_key=SecretStr(key)), store)
    unlimited = dict.fromkeys(("requests_per_minute", "practice_requests_per_minute", "sign_ins_per_minute"), 10**6)
    environment = {
        **build_environment(installation),
        **{f"CASELOAD_{name.upper()}": str(value) for name, value in (unlimited | settings).items()},
    }
    port = find_free_port()
    output = folder / "output"
    environment |= {"CASELOAD_PORT": str(port), "CASELOAD_WORKERS": str(workers)}
    command = [sys.executable, "-c", "from api.supervisor import run; raise SystemExit(run('info'))"]
    with output.open("w") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        server = Server(f"http://127.0.0.1:{port}", installation, database, output)
        wait_until_ready(server, process, workers)
        yield server
    finally:
        stop_process(process)
        store.close()
        cluster.drop_database(database)


def build_environment(installation: Installation) -> dict[str, str]:
    """Return the environment of a process that uses the installation."""
    conninfo, database = installation.store.build_connection_parameters("app"), installation.store.database
    key = installation.settings.master_key
    assert key is not None
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"postgresql://{conninfo['user']}:{quote(conninfo['password'])}@/{database}?host={quote(conninfo['host'])}",
        "CASELOAD_MASTER_KEY": key.get_secret_value(),
        "CASELOAD_DATA_DIR": str(installation.settings.data_dir),
    }


def list_descriptors(process: str) -> list[Path]:
    return [file for file in Path(f"/proc/{process}/fd").iterdir() if file.is_symlink()]


def find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_ready(server: Server, process: subprocess.Popen[bytes], workers: int) -> None:
    """Wait for all workers: with one, a test would not show effects between processes."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
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


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """Stop the service and its workers, which form a process group."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=15)


def run_in_parallel(call: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
    """Run all calls in parallel, each in a thread, and return their results in order."""
    arguments = list(arguments)
    with ThreadPoolExecutor(min(50, len(arguments))) as pool:
        return list(pool.map(call, arguments))
