"""Dagster's processes as `caseload up` starts them."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

from practice.store.embedded import EmbeddedServer
from tests.support.drivers.server import find_free_port
from tests.support.drivers.waiting import wait_until
from tests.support.harness.installations import create_short_folder

Caseload = Callable[..., str]


@pytest.fixture
def folder() -> Generator[Path]:
    with create_short_folder() as path:
        yield path


@pytest.fixture
def caseload(folder: Path) -> Generator[Caseload]:
    environment = os.environ | {
        "CASELOAD_DATA_DIR": str(folder / "data"),
        "CASELOAD_MASTER_KEY_FILE": str(folder / "key" / "master.key"),
        "CASELOAD_PORT": str(find_free_port()),
        "CASELOAD_DAGSTER_PORT": str(find_free_port()),
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, "-c", "from caseload.main import run; run()", *arguments]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=400, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    yield run
    run("down")


def connect(folder: Path, database: str = "caseload_dagster") -> psycopg.Connection:
    return psycopg.connect(**EmbeddedServer(folder / "data").build_conninfo("superuser", database), autocommit=True)


def read_runs(folder: Path) -> list[str]:
    """Return the statuses of all runs, oldest first."""
    with connect(folder) as connection:
        if not connection.execute("select 1 from pg_tables where tablename = 'runs'").fetchone():
            return []
        return [status for (status,) in connection.execute("select status from runs order by id").fetchall()]


def count_refreshes(folder: Path) -> int:
    with connect(folder, "caseload") as connection:
        row = connection.execute("select count(*) from analytics.refreshes where is_current").fetchone()
    return row[0] if row else 0


def list_descendants(pid: int) -> list[int]:
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return [*children, *(descendant for child in children for descendant in list_descendants(child))]


def is_running(pid: int) -> bool:
    """Return whether the process runs: one that has ended stays listed until the system has asked for its exit code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def find_code_server(folder: Path) -> int:
    supervisor = json.loads((folder / "data" / "services" / "dagster.json").read_text())["pid"]
    return next(pid for pid in list_descendants(supervisor) if b"grpc" in Path(f"/proc/{pid}/cmdline").read_bytes())


def test_a_killed_run_is_done_again_and_down_leaves_nothing(caseload: Caseload, folder: Path) -> None:
    caseload("practice", "create", "Oak", "--time-zone", "UTC", "--admin-email", "a@oak.example")
    caseload("up")
    wait_until(lambda: read_runs(folder) == ["STARTED"])
    code_server = find_code_server(folder)
    for pid in (code_server, *list_descendants(code_server)):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: read_runs(folder) == ["FAILURE", "SUCCESS"])
    assert count_refreshes(folder) == 1
    assert json.loads(caseload("status", "--json"))["dagster"] == "ready"
    assert "the metrics of 1 practice are up to date" in caseload("doctor", "--json")
    check_page(caseload("dagster").strip())
    check_login(folder)
    log = folder / "data" / "services" / "dagster.log"
    assert log.stat().st_mode & 0o777 == 0o600
    supervisor = json.loads((folder / "data" / "services" / "dagster.json").read_text())["pid"]
    started = [supervisor, *list_descendants(supervisor)]
    (home,) = {read_variable(pid, "DAGSTER_HOME") for pid in started[1:]}
    assert caseload("down") == "Stopped Dagster, the pages, the API and the database.\n"
    assert [pid for pid in started if is_running(pid)] == []
    assert not Path(home).exists()


def read_variable(pid: int, name: str) -> str:
    variables = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(variable.split("=", 1) for variable in variables if "=" in variable)[name]


def check_page(link: str) -> None:
    """Open the page with the link, as a browser does."""
    address, _, ticket = link.partition("#")
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(f"{address.removesuffix('enter')}")
    refused.value.close()
    with urllib.request.urlopen(address, data=f"ticket={ticket}".encode()) as answer:
        cookie = answer.headers["set-cookie"].partition(";")[0]
    query = {"query": "{ assetNodes { assetKey { path } } }"}
    headers = {"Cookie": cookie, "Origin": address.removesuffix("/dagster/enter"), "Content-Type": "application/json"}
    request = urllib.request.Request(address.replace("enter", "graphql"), json.dumps(query).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        assert len(json.load(answer)["data"]["assetNodes"]) > 70


def check_login(folder: Path) -> None:
    """Dagster's login reaches its own database and no other."""
    server = EmbeddedServer(folder / "data")
    login = server.build_conninfo("superuser", "caseload_dagster") | {
        "user": "caseload_dagster",
        "password": (folder / "data" / "dagster-password").read_text(),
    }
    psycopg.connect(**login).close()
    for database in ("caseload", "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(**login | {"dbname": database})
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(**server.build_conninfo("app", "caseload_dagster"))
