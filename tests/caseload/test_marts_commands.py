"""`caseload analyst`, `caseload lake` and `caseload sql` on the command line."""

import io
from pathlib import Path

import duckdb
import psycopg
import pytest

from tests.support.builders.bundles import OAK_STREET
from tests.support.drivers.commands import CommandResult, RunCommand

OAK = "oak-street-practice"


@pytest.fixture
def type_sql(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> RunCommand:
    """Return a function that runs `caseload sql` with statements on standard input."""

    def type_sql(statements: str, *arguments: str) -> CommandResult:
        monkeypatch.setattr("sys.stdin", io.StringIO(statements))
        return run("sql", *arguments)

    return type_sql


def test_an_analyst_is_created_connects_and_is_removed(run: RunCommand) -> None:
    run("import", OAK_STREET)
    created = run("analyst", "create", OAK, "Nina", "--json").json
    try:
        parts = {key: created[key] for key in ("host", "port", "dbname", "password")}
        with psycopg.connect(user=created["login"], **parts) as reader:
            assert reader.execute("select count(*) > 0 from appointments").fetchone() == (True,)
        assert created["command"].startswith('psql "host=')
        assert created["password"] not in created["command"]
        (listed,) = run("analyst", "list", OAK, "--json").json
        assert (listed["name"], listed["login"]) == ("Nina", created["login"])
        assert created["login"] in run("analyst", "list", OAK).out
        again = run("analyst", "create", OAK, "Nina")
        assert (again.code, again.out) == (1, "")
        assert "Choose another name." in again.err
    finally:
        assert run("analyst", "remove", OAK, "Nina").out == "Removed the login of Nina.\n"
    assert run("analyst", "list", OAK, "--json").json == []
    assert "Run `caseload analyst list`" in run("analyst", "remove", OAK, "Nina").err


def test_a_password_is_shown_once(run: RunCommand) -> None:
    run("import", OAK_STREET)
    shown = run("analyst", "create", OAK, "Max").out
    try:
        (password,) = [line.split()[1] for line in shown.splitlines() if line.startswith("Password")]
        assert len(password) > 30
        assert password not in run("analyst", "list", OAK, "--json").out
    finally:
        run("analyst", "remove", OAK, "Max")


def test_a_server_needs_the_administrators_login(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    run("import", OAK_STREET)
    monkeypatch.delenv("DATABASE_OWNER_URL")
    refused = run("analyst", "create", OAK, "Nina")
    assert refused.code == 1
    assert "DATABASE_OWNER_URL is missing" in refused.err


def test_a_lake_is_written_for_one_practice_or_all(run: RunCommand, tmp_path: Path) -> None:
    run("import", OAK_STREET)
    one = run("lake", OAK, tmp_path / "one", "--json").json
    every = run("lake", "--all", tmp_path / "every", "--json").json
    assert one["files"] == every["files"]
    assert {"practice": OAK, "mart": "staff", "file": f"practice={OAK}/staff.parquet", "rows": 4} in one["files"]
    with duckdb.connect(
        tmp_path / "one" / "caseload.duckdb", config={"file_search_path": str(tmp_path / "one")}
    ) as lake:
        assert lake.execute("select count(*) from staff").fetchone() == (4,)
    assert "Wrote the lake" in run("lake", OAK, tmp_path / "one").out
    for wrong in (("lake", OAK), ("lake", "--all", OAK, tmp_path / "x"), ("lake",)):
        assert run(*wrong).code == 2
    used = run("lake", OAK, tmp_path)
    assert (used.code, used.out) == (1, "")
    assert "is not a lake. Choose a new folder." in used.err


def test_statements_of_standard_input_are_read_one_by_one(type_sql: RunCommand, run: RunCommand) -> None:
    run("import", OAK_STREET)
    shown = type_sql("select 'first' as a;\nselect\n  count(*) as people\nfrom staff;\nselect 'last' as b", OAK)
    assert shown.code == 0
    assert shown.out.index("first") < shown.out.index("people") < shown.out.index("last")
    stopped = type_sql("select 'first' as a;\nselect last_name from staff;\nselect 'last' as b;\n")
    assert (stopped.code, "first" in stopped.out, "last" in stopped.out) == (1, True, False)
    assert "The database refuses the statement" in stopped.err
    many = type_sql("select generate_series(1, 1500) as n;\n", OAK)
    assert "... and 500 more rows." in many.out


def test_rows_are_printed_as_json(type_sql: RunCommand, run: RunCommand) -> None:
    run("import", OAK_STREET)
    assert type_sql("select 1 as n, 1.5 as x, date '2026-01-02' as d;\n", OAK, "--json").json == [
        {"n": 1, "x": 1.5, "d": "2026-01-02"}
    ]
    refused = type_sql("select 1; select 2", OAK, "--json")
    assert (refused.code, refused.out) == (1, "")


def test_the_practice_is_named_if_there_are_several(type_sql: RunCommand, run: RunCommand) -> None:
    run("import", OAK_STREET)
    assert type_sql("select 1 as one").code == 0
    run("practice", "create", "Elm Street", "--time-zone", "UTC", "--admin-email", "ada@elm.example")
    several = type_sql("select 1 as one")
    assert (several.code, several.out) == (1, "")
    assert f"elm-street, {OAK}" in several.err
