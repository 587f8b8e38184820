"""Starting, finding and stopping the processes of an installation: the API, beside its embedded database."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from practice.errors import StoreProblem
from practice.settings import Settings

STARTING = 60  # seconds
# Of one worker, idle ones too. Beyond that it answers 503: with all of them it has memory and file descriptors left.
CONNECTIONS = 500


@dataclass(frozen=True)
class Service:
    name: str
    pid: int
    url: str


class ApiService:
    """The API's server process, which the folder `services` remembers."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = settings.data_dir / "services"
        self.record = self.folder / "api.json"
        self.log = self.folder / "api.middleware"

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    def running(self) -> Service | None:
        try:
            found = Service(**json.loads(self.record.read_text()))
            command = Path(f"/proc/{found.pid}/cmdline").read_bytes()
        except (OSError, ValueError, TypeError):
            return None
        return found if b"api.app:serve" in command else None  # the number may be another process's by now

    def start(self) -> Service:
        """Start it and wait until it answers. The caller has looked that it does not run."""
        self.refuse_taken_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        metrics = self.folder / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir()
        service_only = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
        environment = service_only | {
            "CASELOAD_DATA_DIR": str(self.settings.data_dir),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        }
        # a worker that computes on a busy machine is slow to answer, and not dead
        options = "--factory --no-access-log --log-level warning"
        options += " --timeout-worker-healthcheck 30 --timeout-graceful-shutdown 5"
        options += f" --limit-concurrency {CONNECTIONS} --http api.tcp_nodelay:AtOnce"
        given = self.settings
        where = ["--host", given.host, "--port", str(given.port), "--workers", str(given.workers)]
        command = [sys.executable, "-m", "uvicorn", "api.app:serve", *options.split(), *where]
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own words, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
                cwd="/",
            )
        service = Service("api", process.pid, self.url)
        self.record.write_text(json.dumps(vars(service)))
        deadline = time.monotonic() + STARTING
        while not self.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StoreProblem(f"The API did not start. Its log says why: {self.log}")
            time.sleep(0.1)
        return service

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as answer:  # noqa: S310 - our own address
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> bool:
        service = self.running()
        if service is None:
            return False
        os.killpg(service.pid, signal.SIGTERM)
        deadline = time.monotonic() + 15
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.running():
            os.killpg(service.pid, signal.SIGKILL)
        self.record.unlink(missing_ok=True)
        return True

    def refuse_taken_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.settings.host, self.settings.port))
            except OSError:
                raise StoreProblem(
                    f"Port {self.settings.port} is in use by another program. Stop that one, or set CASELOAD_PORT."
                ) from None
