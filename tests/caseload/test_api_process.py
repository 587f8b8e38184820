"""`caseload up`, `down`, `status` and `demo` with the real processes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.supervisor import compute_pause
from practice.security.encryption import MasterKey
from tests.support.drivers.waiting import wait_until
from tests.support.harness.installations import create_short_folder

Caseload = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder() -> Generator[Path]:
    with create_short_folder() as path:
        yield path


@pytest.fixture
def caseload(folder: Path) -> Generator[Caseload]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "CASELOAD_DATA_DIR": str(folder / "data"),
        "CASELOAD_MASTER_KEY_FILE": str(folder / "key" / "master.key"),
        "CASELOAD_PORT": str(port),
    }

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", "from caseload.main import run; run()", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)

    yield run
    run("down")


def sign_in(url: str, email: str, password: str, code: str) -> str:
    """Sign in with a login that the demo printed, and return the next step."""
    with httpx2.Client(base_url=f"{url}/api/v1/auth") as http:
        step = http.post("/login", json={"email": email, "password": password}).json()
        return http.post("/mfa/verify", json={"token": step["token"], "code": code}).json().get("next", "refused")


def read_status(caseload: Caseload) -> dict[str, str]:
    return json.loads(caseload("status", "--json").stdout)


def test_up_can_run_twice_and_down_stops_everything(caseload: Caseload, folder: Path) -> None:
    assert read_status(caseload)["api"] == "stopped"
    first = caseload("up")
    assert first.returncode == 0, first.stderr
    status = read_status(caseload)
    assert (status["database"], status["api"]) == ("running", "ready")
    with urllib.request.urlopen(f"{status['url']}/health/ready") as response:
        assert json.load(response)["status"] == "ready"
    with urllib.request.urlopen(f"{status['url']}/metrics") as response:
        assert b"caseload_requests_total" in response.read()
    created = caseload("platform-admin", "create", "ops@caseload.example")
    assert (created.returncode, "/invitation#" in created.stdout) == (0, True), created.stderr
    second = caseload("up")
    assert second.returncode == 0
    assert "already" in second.stdout
    starting = {"dagster": "", "dashboards": ""}
    assert read_status(caseload) | starting == status | starting
    down = caseload("down")
    assert down.stdout == "Stopped Dagster, the pages, the API and the database.\n"
    assert caseload("down").stdout.strip() == "Nothing was running."
    assert (read_status(caseload)["database"], read_status(caseload)["api"]) == ("stopped", "stopped")


def test_the_doctor_leaves_the_database_as_it_was(caseload: Caseload) -> None:
    assert caseload("practice", "create", "Oak", "--time-zone", "UTC", "--admin-email", "a@oak.example").returncode == 0
    caseload("down")
    assert caseload("doctor").returncode == 0
    assert read_status(caseload)["database"] == "stopped"
    caseload("migrate")
    assert caseload("doctor").returncode == 0
    assert read_status(caseload)["database"] == "running"


def test_the_demo_prints_its_logins_and_stores_them_privately(caseload: Caseload, folder: Path) -> None:
    demo = caseload("demo", "--small")
    assert demo.returncode == 0, demo.stderr
    for role in ("admin", "supervisor", "clinician", "scheduler", "biller", "analyst"):
        assert f"{role}@willow.example" in demo.stdout
    password = re.search(r"password of all users is (\S+)", demo.stdout)
    code = re.search(r"admin@willow.example\s+\S+\s+(\d{6})", demo.stdout)
    assert password
    assert code
    assert sign_in(read_status(caseload)["url"], "admin@willow.example", password[1], code[1]) == "done"
    logins = folder / "data" / "demo-logins.json"
    assert logins.stat().st_mode & 0o777 == 0o600
    stored = logins.read_text()
    assert caseload("demo", "--small").returncode == 0
    assert logins.read_text() == stored
    examined = caseload("doctor")
    assert examined.returncode == 0, examined.stdout


def test_a_killed_database_restarts_by_itself(caseload: Caseload, folder: Path) -> None:
    caseload("up")
    url = read_status(caseload)["url"]
    postmaster = int((folder / "data" / "pg" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    statuses = []
    for _ in range(20):
        try:
            with urllib.request.urlopen(f"{url}/health/ready") as response:
                statuses.append(response.status)
                break
        except urllib.error.HTTPError as error:
            statuses.append(error.code)
    assert statuses[-1] == 200
    assert set(statuses[:-1]) <= {503}
    assert int((folder / "data" / "pg" / "postmaster.pid").read_text().splitlines()[0]) != postmaster


def test_killed_workers_start_again(caseload: Caseload, folder: Path) -> None:
    caseload("up")
    first = find_workers(folder)
    assert len(first) == 2
    for worker in first:
        os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(find_workers(folder)) - set(first)) == 2)
    second = find_workers(folder)
    os.kill(second[0], signal.SIGKILL)  # it still starts
    wait_until(lambda: len(set(find_workers(folder)) - {*first, second[0]}) == 2)
    wait_until(lambda: is_ready(folder))
    os.kill(find_copied_process(folder), signal.SIGKILL)
    wait_until(lambda: len(set(find_workers(folder)) - {*first, *second}) == 2)
    wait_until(lambda: is_ready(folder))


def test_workers_end_with_the_process_that_supervises_them(caseload: Caseload, folder: Path) -> None:
    caseload("up")
    workers = find_workers(folder)
    os.kill(read_supervisor(folder), signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert caseload("up").returncode == 0


def test_the_pauses_grow_while_a_worker_keeps_ending() -> None:
    assert [compute_pause(ends) for ends in range(9)] == [0, 0, 1, 2, 4, 8, 16, 30, 30]


def test_the_copied_process_has_no_other_threads() -> None:
    """A copy of a process has only the thread that made it: the others of a library would be missing."""
    count = "import os, api.app; print(len(os.listdir('/proc/self/task')))"
    counted = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True)
    assert counted.stdout.strip() == "1"


def read_supervisor(folder: Path) -> int:
    return read_record(folder)["pid"]


def read_record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "data" / "services" / "api.json").read_text())


def is_ready(folder: Path) -> bool:
    try:
        return httpx2.get(f"{read_record(folder)['url']}/health/ready", timeout=30).status_code == 200
    except httpx2.TransportError:  # the connection of a worker that has just ended
        return False


def find_workers(folder: Path) -> list[int]:
    """Return the worker processes, which the process that has imported the application has copied."""
    return list_children(find_copied_process(folder))


def find_copied_process(folder: Path) -> int:
    children = list_children(read_supervisor(folder))
    return next((child for child in children if b"forkserver" in Path(f"/proc/{child}/cmdline").read_bytes()), 0)


def list_children(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def test_a_port_in_use_is_reported(caseload: Caseload, folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", "from caseload.main import run; run()", "up"]
        environment = os.environ | {
            "CASELOAD_DATA_DIR": str(folder / "data"),
            "CASELOAD_MASTER_KEY_FILE": str(folder / "key" / "master.key"),
            "CASELOAD_PORT": port,
        }
        refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert refused.returncode == 1
    assert port in refused.stderr
    assert "CASELOAD_PORT" in refused.stderr


def test_with_another_master_key_nothing_starts(caseload: Caseload, folder: Path) -> None:
    caseload("up")
    caseload("practice", "create", "Oak Street", "--time-zone", "UTC", "--admin-email", "ada@oak.example")
    caseload("down")
    anchors = read_files(folder / "data" / "anchors")
    key_file = folder / "key" / "master.key"
    key = key_file.read_text()
    key_file.write_text(MasterKey.generate().to_text())
    refused = caseload("up")
    assert refused.returncode == 1
    assert "The configured master key is not the one" in refused.stderr
    assert read_status(caseload)["api"] == "stopped"
    command = [sys.executable, "-m", "api.supervisor"]
    environment = os.environ | {
        "CASELOAD_DATA_DIR": str(folder / "data"),
        "CASELOAD_MASTER_KEY_FILE": str(key_file),
        "CASELOAD_PORT": "0",
    }
    served = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
    assert "The configured master key is not the one" in served.stderr
    assert "Traceback" not in served.stderr
    assert read_files(folder / "data" / "anchors") == anchors
    key_file.write_text(key)
    assert caseload("up").returncode == 0
    assert caseload("doctor").returncode == 0


def read_files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}
