"""The configuration of Dagster, and the environment of its processes. Imports nothing of Dagster."""

import json
import os
from pathlib import Path
from typing import Any

STORAGE = "CASELOAD_DAGSTER_STORAGE"
INSTANCE: dict[str, Any] = {
    "storage": {"postgres": {"postgres_url": {"env": STORAGE}}},
    "run_launcher": {"module": "orchestration.launcher", "class": "CheckedRunLauncher"},
    "run_monitoring": {"enabled": True, "poll_interval_seconds": 10},
    "concurrency": {"runs": {"max_concurrent_runs": 1}},
    "compute_logs": {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"},
    "freshness": {"enabled": True},
    "python_logs": {"python_log_level": "ERROR"},  # the page shows what happened in a run
    "retention": {"sensor": {"purge_after_days": 1}, "schedule": {"purge_after_days": 30}},
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
}


def write_home(folder: Path) -> None:
    """Write the files that Dagster's processes read. They hold no secret, and nothing of them outlives the folder."""
    workspace = {"load_from": [{"grpc_server": {"socket": str(get_socket(folder)), "location_name": "caseload"}}]}
    (folder / "dagster.yaml").write_text(json.dumps(INSTANCE, indent=2))
    get_workspace_file(folder).write_text(json.dumps(workspace, indent=2))


def get_socket(folder: Path) -> Path:
    return folder / "code.sock"


def get_workspace_file(folder: Path) -> Path:
    return folder / "workspace.yaml"


def build_environment(folder: Path, database_url: str) -> dict[str, str]:
    """Return the environment of Dagster's processes. Its storage works with psycopg2 only."""
    _, _, address = database_url.partition("://")
    return os.environ | {"DAGSTER_HOME": str(folder), STORAGE: f"postgresql+psycopg2://{address}"}
