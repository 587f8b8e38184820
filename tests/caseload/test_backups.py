"""`caseload doctor`, `backup` and `restore`: their output, exit codes and effects."""

import os
from pathlib import Path

import pytest

from practice.store.ids import new_id
from tests.support.drivers.commands import RunCommand
from tests.support.harness import cluster

CREATE = ("practice", "create", "Oak Street", "--time-zone", "America/Chicago", "--admin-email", "ada@oak.example")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DATABASE_URL", None, "not restricted to one practice"),
        ("DATABASE_URL", "nonsense", "not a database URL"),
        ("CASELOAD_PORT", "many", "CASELOAD_PORT"),
        ("CASELOAD_MASTER_KEY", "changeme", "master key"),
    ],
)
def test_the_doctor_prints_one_document_also_when_it_cannot_examine(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch, name: str, value: str | None, message: str
) -> None:
    monkeypatch.setenv(name, value or os.environ["DATABASE_OWNER_URL"])
    examined = run("doctor", "--json")
    assert examined.code == 1
    [finding] = examined.json
    assert (finding["area"], finding["ok"]) == ("installation", False)
    assert message in finding["message"]
    in_text = run("doctor")
    assert (in_text.code, in_text.out) == (1, "")
    assert message in in_text.err


def test_an_invited_platform_admin_is_not_a_finding(run: RunCommand) -> None:
    run("platform-admin", "create", "ops@caseload.example")
    examined = run("doctor")
    assert examined.code == 0, examined.out


def test_a_backup_never_overwrites_a_file(run: RunCommand, tmp_path: Path) -> None:
    run(*CREATE)
    file = tmp_path / "all.backup"
    assert run("backup", file).code == 0
    before = file.read_bytes()
    again = run("backup", file)
    assert (again.code, again.out) == (1, "")
    assert "never overwritten" in again.err
    assert file.read_bytes() == before


def test_a_restore_succeeds_and_warns_of_findings(
    run: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*CREATE)
    name = os.environ["DATABASE_URL"].split("/@/")[-1].split("@/")[-1].split("?")[0]
    with cluster.connect_as_superuser(name) as connection:
        connection.execute("insert into accounts (id, email, created_at) values (uuidv7(), 'x@oak.example', now())")
    assert run("backup", tmp_path / "all.backup").code == 0
    database = f"restored_{new_id().hex}"
    with cluster.connect_as_superuser() as connection:
        connection.execute(f"create database {database}")
    for variable in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        monkeypatch.setenv(variable, os.environ[variable].replace(name, database))
    try:
        restored = run("restore", tmp_path / "all.backup", "--data-dir", tmp_path / "again")
        assert restored.code == 0, restored.err
        assert "Restored the backup of" in restored.out
        assert "1 account never belonged to a practice" in restored.out
        assert "Warning" in restored.err
    finally:
        cluster.drop_database(database)
