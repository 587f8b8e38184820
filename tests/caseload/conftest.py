"""The command line over a database of its own."""

from collections.abc import Generator
from pathlib import Path

import pytest

from caseload import console
from caseload.console import run_command
from caseload.main import app, options_first
from practice.store.ids import new_id
from tests.support.drivers.commands import Ran, Run
from tests.support.harness import cluster


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A database server reached by its addresses, as an installation in earnest reaches it."""
    cluster.prepare_template()
    database = f"command_{new_id().hex}"
    cluster.copy_template(database)
    for name, role in (("DATABASE_URL", "app"), ("DATABASE_OWNER_URL", "superuser")):
        to = cluster.server().conninfo(role, database)
        url = f"postgresql://{to['user']}:{to['password']}@/{database}?host={to['host']}&port={to['port']}"
        monkeypatch.setenv(name, url)
    monkeypatch.setenv("CASELOAD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CASELOAD_MASTER_KEY_FILE", str(tmp_path / "master.key"))
    monkeypatch.setattr(console, "options", console.options)
    monkeypatch.setattr("caseload.console.options.data_dir", None)
    monkeypatch.setattr("caseload.console.options.debug", False)
    yield tmp_path
    cluster.drop(database)


@pytest.fixture
def run(environment: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str | Path) -> Ran:
        code = run_command(app, options_first([str(word) for word in arguments]))
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run
