"""A server process of an installation: start, find and stop it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from practice.errors import StoreProblem

if TYPE_CHECKING:
    from practice.settings import Settings

START_SECONDS = 120  # on a machine that does much else at the same time


@dataclass(frozen=True)
class ProcessRecord:
    """What the record file stores about the running process."""

    name: str
    pid: int
    url: str
    metrics: str = ""


class ServiceProcess(ABC):
    """A server process, recorded in the folder `services`. It stops the processes that it has started itself."""

    name: ClassVar[str]
    title: ClassVar[str]
    server: ClassVar[str]  # the module that runs
    stop_seconds: ClassVar[int] = 15

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self.folder = settings.data_dir / "services"
        self.record = self.folder / f"{self.name}.json"
        self.log = self.folder / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None  # if it was started by this object

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    def find_running(self) -> ProcessRecord | None:
        """Return the record of the running process, if there is one."""
        process = self.read_record()
        try:
            command = Path(f"/proc/{process.pid}/cmdline").read_bytes() if process else b""
        except OSError:
            return None
        return process if self.server.encode() in command else None  # the pid may belong to another process by now

    def read_record(self) -> ProcessRecord | None:
        """Return the record of the last process that was started here and not stopped."""
        try:
            return ProcessRecord(**json.loads(self.record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def launch(self, variables: dict[str, str], metrics: str = "") -> None:
        """Start the process, which reads its settings from the environment, and record it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        inherited = {name: value for name, value in os.environ.items() if name != "DATABASE_OWNER_URL"}
        with os.fdopen(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own arguments, no shell
                [sys.executable, "-m", self.server],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=inherited | {"CASELOAD_DATA_DIR": str(self.settings.data_dir)} | variables,
                cwd="/",
            )
        self.record.write_text(json.dumps(vars(ProcessRecord(self.name, self.process.pid, self.url, metrics))))

    def wait_until_ready(self) -> None:
        """Wait until the process is ready, or raise StoreProblem."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if (self.process and self.process.poll() is not None) or time.monotonic() > deadline:
                self.stop()
                raise StoreProblem(f"{self.title[0].upper()}{self.title[1:]} did not start. See its log: {self.log}")
            time.sleep(0.1)

    def stop(self) -> bool:
        """Stop the process, and return whether it was running."""
        process = self.find_running()
        if process is None:
            return False
        os.kill(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + self.stop_seconds
        while self.find_running() and time.monotonic() < deadline:
            time.sleep(0.05)
        if self.find_running():
            os.killpg(process.pid, signal.SIGKILL)
        self.record.unlink(missing_ok=True)
        return True


def answers(url: str) -> bool:
    """Return whether the address answers with success."""
    import urllib.request  # slow to import

    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310 - our own URL
            return response.status == 200
    except OSError:
        return False


def refuse_taken_port(host: str, port: int, setting: str) -> None:
    """Raise StoreProblem if another program uses the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise StoreProblem(
                f"Port {port} is in use by another program. Stop that program, or set {setting}."
            ) from None
