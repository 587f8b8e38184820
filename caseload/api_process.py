"""The API server process."""

import os
import shutil
import tempfile
from pathlib import Path

from caseload.service_process import ServiceProcess, answers, refuse_taken_port

SERVER = "api.supervisor"
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder created there is private


class ApiProcess(ServiceProcess):
    """The API server of an installation."""

    name, title, server = "api", "the API", SERVER

    @property
    def url(self) -> str:
        return f"http://{self.settings.host}:{self.settings.port}"

    def start(self) -> None:
        """Start the process and wait until it is ready. The caller checks that it is not running."""
        refuse_taken_port(self.settings.host, self.settings.port, "CASELOAD_PORT")
        metrics = self.make_metrics_folder()
        variables = {
            "CASELOAD_HOST": self.settings.host,
            "CASELOAD_PORT": str(self.settings.port),
            "CASELOAD_WORKERS": str(self.settings.workers),
            "PROMETHEUS_MULTIPROC_DIR": metrics,
        }
        self.launch(variables, metrics)
        self.wait_until_ready()

    def make_metrics_folder(self) -> str:
        """Create an empty folder for the metrics of the workers, in memory where possible, and remove the last one.

        The files are mapped into memory: on a full disk, writing to one would kill the worker.
        """
        if crashed := self.read_record():
            shutil.rmtree(crashed.metrics, ignore_errors=True)
        in_memory = os.access(MEMORY, os.W_OK | os.X_OK)
        return tempfile.mkdtemp(prefix="caseload-metrics-", dir=MEMORY if in_memory else None)

    def is_ready(self) -> bool:
        return answers(f"{self.url}/health/ready")

    def stop(self) -> bool:
        """Stop the process, remove its metrics, and return whether it was running."""
        process = self.find_running()
        stopped = super().stop()
        if process is not None:
            shutil.rmtree(process.metrics, ignore_errors=True)
        return stopped
