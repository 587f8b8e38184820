"""Dagster's page, behind the gate."""

import os
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context

from orchestration.gate import PREFIX, Gate
from orchestration.home import get_workspace_file
from practice.security.installation import open_store
from practice.settings import Settings

STOP_SECONDS = 1  # for the requests in progress; the page asks again


def run() -> None:
    """Serve the page at the host and port of the settings."""
    settings = Settings()
    store = open_store(settings, pool_size=4)
    workspace = WorkspaceFileTarget([str(get_workspace_file(Path(os.environ["DAGSTER_HOME"])))])
    hosts = {f"{name}:{settings.dagster_port}" for name in ("127.0.0.1", "localhost")}
    with DagsterInstance.get() as instance, WorkspaceProcessContext(instance, workspace) as context:
        app = create_app_from_workspace_process_context(context, path_prefix=PREFIX)
        uvicorn.run(
            Gate(app, store, hosts, lambda: datetime.now(UTC)),
            host=settings.dagster_host,
            port=settings.dagster_port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    store.close()


if __name__ == "__main__":
    run()
