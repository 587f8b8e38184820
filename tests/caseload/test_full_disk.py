"""A full data disk: the API goes on with a database server elsewhere, and its workers survive."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from caseload.api_process import ApiProcess
from practice.settings import Settings
from tests.support.drivers.server import find_free_port


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """Mount a disk of four megabytes, which needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options], capture_output=True, check=False).returncode != 0:
        pytest.skip("this account cannot mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "rest").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def find_workers(parent: int) -> set[str]:
    return set(Path(f"/proc/{parent}/task/{parent}/children").read_text().split())


def run_caseload(command: str) -> None:
    subprocess.run([sys.executable, "-c", "from caseload.main import run; run()", command], check=True, timeout=400)


def test_the_workers_survive(environment: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASELOAD_PORT", str(find_free_port()))
    monkeypatch.setenv("CASELOAD_DATA_DIR", str(small_disk))
    monkeypatch.setenv("CASELOAD_SIGN_INS_PER_MINUTE", "1000000")
    run_caseload("up")
    try:
        api = ApiProcess(Settings())
        process = api.find_running()
        assert process
        workers = find_workers(process.pid)
        fill(small_disk)
        with httpx2.Client(base_url=api.url, timeout=20, limits=httpx2.Limits(max_keepalive_connections=0)) as http:
            routes = http.get("/api/v1/openapi.json").json()["paths"]
            # each route, method and status is a new entry of the metrics
            for path, methods in routes.items():
                for method in (*methods, "options"):
                    assert http.request(method, path).status_code < 500
                    assert find_workers(process.pid) == workers  # checked here: a dying worker delays later ones
            metrics = http.get("/metrics").text
        assert metrics.count("caseload_requests_total{") > len(routes)
        assert find_workers(process.pid) == workers
    finally:
        run_caseload("down")
