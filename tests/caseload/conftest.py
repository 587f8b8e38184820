"""Fixtures that run commands against a database of their own."""

from collections.abc import Generator
from pathlib import Path

import pytest

from caseload import console
from caseload.console import run_command
from caseload.main import app
from practice.store.ids import new_id
from tests.support.drivers.commands import CommandResult, RunCommand
from tests.support.harness import cluster


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """Configure a database server by its URLs, as in production, and yield the folder of the installation."""
    cluster.prepare_template()
    database = f"command_{new_id().hex}"
    cluster.copy_template(database)
    for name, role in (
        ("DATABASE_URL", "app"),
        ("DATABASE_OWNER_URL", "superuser"),
        ("DATABASE_WAREHOUSE_URL", "warehouse"),
    ):
        login = cluster.get_server().build_conninfo(role, database)
        credentials = f"{login['user']}:{login['password']}"
        url = f"postgresql://{credentials}@/{database}?host={login['host']}&port={login['port']}"
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("CASELOAD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CASELOAD_MASTER_KEY_FILE", str(tmp_path / "master.key"))
    monkeypatch.setattr(console, "options", console.options)
    monkeypatch.setattr("caseload.console.options.data_dir", None)
    monkeypatch.setattr("caseload.console.options.debug", False)
    yield tmp_path
    cluster.drop_database(database)


@pytest.fixture
def run(environment: Path, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Return a function that runs a command in this process."""

    def run(*arguments: str | Path) -> CommandResult:
        code = run_command(app, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return CommandResult(code, captured.out, captured.err)

    return run
