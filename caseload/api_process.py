"""The API server process: start, find and stop it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from practice.errors import StoreProblem

if TYPE_CHECKING:
    from practice.settings import Settings

START_SECONDS = 60
SERVER = "api.supervisor"
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder created there is private


@dataclass(frozen=True)
class ProcessRecord:
    """What the record file stores about the running process."""

    name: str
    pid: int
    url: str
    metrics: str = ""


class ApiProcess:
    """The API server of an installation, recorded in the folder `services`."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self.folder = settings.data_dir / "services"
        self.record = self.folder / "api.json"
        self.log = self.folder / "api.log"

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    def find_running(self) -> ProcessRecord | None:
        """Return the record of the running process, if there is one."""
        process = self.read_record()
        try:
            command = Path(f"/proc/{process.pid}/cmdline").read_bytes() if process else b""
        except OSError:
            return None
        return process if SERVER.encode() in command else None  # the pid may belong to another process by now

    def read_record(self) -> ProcessRecord | None:
        """Return the record of the last process that was started here and not stopped."""
        try:
            return ProcessRecord(**json.loads(self.record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def start(self) -> ProcessRecord:
        """Start the process and wait until it is ready. The caller checks that it is not running."""
        self.refuse_taken_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        metrics = self.make_metrics_folder()
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
        environment = inherited | {
            "CASELOAD_DATA_DIR": str(self.settings.data_dir),
            "CASELOAD_HOST": self.settings.host,
            "CASELOAD_PORT": str(self.settings.port),
            "CASELOAD_WORKERS": str(self.settings.workers),
            "PROMETHEUS_MULTIPROC_DIR": metrics,
        }
        command = [sys.executable, "-m", SERVER]
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=environment,
                cwd="/",
            )
        record = ProcessRecord("api", process.pid, self.url, metrics)
        self.record.write_text(json.dumps(vars(record)))
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise StoreProblem(f"The API did not start. See its log: {self.log}")
            time.sleep(0.1)
        return record

    def make_metrics_folder(self) -> str:
        """Create an empty folder for the metrics of the workers, in memory where possible, and remove the last one.

        The files are mapped into memory: on a full disk, writing to one would kill the worker.
        """
        if crashed := self.read_record():
            shutil.rmtree(crashed.metrics, ignore_errors=True)
        in_memory = os.access(MEMORY, os.W_OK | os.X_OK)
        return tempfile.mkdtemp(prefix="caseload-metrics-", dir=MEMORY if in_memory else None)

    def is_ready(self) -> bool:
        import urllib.request  # slow to import

        try:
            with urllib.request.urlopen(f"{self.url}/health/ready", timeout=2) as response:  # noqa: S310 - our own URL
                return response.status == 200
        except OSError:
            return False

    def stop(self) -> bool:
        """Stop the process, and return whether it was running."""
        process = self.find_running()
        if process is None:
            return False
        os.kill(process.pid, signal.SIGTERM)  # it stops its workers
        deadline = time.monotonic() + 15
        while self.find_running() and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.find_running():
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(process.metrics, ignore_errors=True)
        self.record.unlink(missing_ok=True)
        return True

    def refuse_taken_port(self) -> None:
        """Raise StoreProblem if another program uses the port."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.settings.host, self.settings.port))
            except OSError:
                raise StoreProblem(
                    f"Port {self.settings.port} is in use by another program. Stop that program, or set CASELOAD_PORT."
                ) from None
