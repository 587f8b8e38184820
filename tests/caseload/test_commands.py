"""Commands: their output, exit codes and effects."""

import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.main import get_command

from caseload import console
from caseload.console import connect_installation
from caseload.main import app
from practice.rule_settings import PARAMETERS
from practice.security.encryption import MasterKey
from practice.store.ids import new_id
from tests.support.drivers.commands import RunCommand
from tests.support.harness import cluster
from tests.support.harness.old_server import run_old_server

CREATE = ("practice", "create", "Oak Street", "--time-zone", "America/Chicago", "--admin-email", "Ada@Oak.example")


def test_a_practice_and_its_admin_are_created_with_a_link(run: RunCommand) -> None:
    created = run(*CREATE, "--json")
    assert created.code == 0, created.err
    assert created.json["practice"] == "oak-street"
    assert created.json["admin"] == "ada@oak.example"
    assert "/invitation#" in created.json["link"]
    again = run(*CREATE)
    assert (again.code, again.out) == (1, "")
    assert "with this name already exists" in again.err


def test_links_have_the_port_of_the_service(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASELOAD_PORT", "8123")
    assert run(*CREATE, "--json").json["link"].startswith("http://127.0.0.1:8125/invitation#")  # of the pages
    monkeypatch.setenv("CASELOAD_PUBLIC_URL", "https://oak.example")
    assert "https://oak.example/invitation#" in run("platform-admin", "create", "ops@oak.example").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--time-zone", "Chicago"), "Unknown time zone"),
        (("--admin-email", "ada"), "Invalid email"),
    ],
)
def test_an_invalid_practice_is_refused_with_a_sentence(
    run: RunCommand, arguments: tuple[str, str], message: str
) -> None:
    refused = run(*CREATE, *arguments)
    assert (refused.code, refused.out) == (1, "")
    assert message in refused.err
    assert "Traceback" not in refused.err


def test_settings_are_shown_and_changed_from_a_date(run: RunCommand) -> None:
    run(*CREATE)
    changed = run("settings", "set", "Oak Street", "password_max_age_days", "180", "--from", "2099-01-01")
    assert changed.code == 0, changed.err
    settings = {setting["key"]: setting for setting in run("settings", "show", "oak-street", "--json").json}
    assert settings["password_max_age_days"]["value"] == 0  # not in effect yet
    past = run("settings", "set", "oak-street", "password_max_age_days", "180", "--from", "2020-01-01")
    assert past.code == 1
    assert "past" in past.err
    invalid = run("settings", "set", "oak-street", "password_max_age_days", "often", "--from", "2099-01-01")
    assert invalid.code == 1
    assert "whole number" in invalid.err


def test_a_table_of_settings_shows_their_whole_keys(run: RunCommand) -> None:
    run(*CREATE)
    table = run("settings", "show", "oak-street").out
    assert [key for key in PARAMETERS if key not in table] == []


def test_arguments_may_follow_two_dashes(run: RunCommand) -> None:
    run(*CREATE)
    refused = run("settings", "set", "--from", "2099-01-01", "--", "oak-street", "password_max_age_days", "-5")
    assert refused.code == 1, refused.err
    assert "No such option" not in refused.err
    changed = run("settings", "set", "--from", "2099-01-01", "--", "oak-street", "password_max_age_days", "90")
    assert changed.code == 0, changed.err


def test_an_unknown_practice_is_reported_with_the_known_ones(run: RunCommand) -> None:
    run(*CREATE)
    refused = run("settings", "show", "elm-street")
    assert refused.code == 1
    assert "elm-street" in refused.err
    assert "oak-street" in refused.err


def test_wrong_usage_exits_with_two(run: RunCommand) -> None:
    assert run("practice", "create").code == 2
    unknown = run("no-such-command")
    assert unknown.code == 2
    assert "Try 'caseload --help' for help." in unknown.err


def test_arguments_are_named_in_capitals_and_explained(run: RunCommand) -> None:
    def list_arguments(command: Any, *names: str) -> list[tuple[str, ...]]:
        own = [
            (*names, str(parameter.metavar), str(parameter.help))
            for parameter in command.params
            if parameter.param_type_name == "argument"
        ]
        return own + [
            found
            for name, child in getattr(command, "commands", {}).items()
            for found in list_arguments(child, *names, name)
        ]

    arguments = list_arguments(get_command(app))
    assert len(arguments) > 10
    assert [names for names in arguments if not names[-2].isupper() or names[-1] == "None"] == []


def test_the_help_of_every_command_has_an_example(run: RunCommand) -> None:
    def list_commands(typer_app, *parents: str) -> list[tuple[str, ...]]:
        commands = [(*parents, command.name or command.callback.__name__) for command in typer_app.registered_commands]
        for group in typer_app.registered_groups:
            commands += list_commands(group.typer_instance, *parents, group.name)
        return commands

    commands = list_commands(app)
    assert len(commands) > 12
    for command in commands:
        result = run(*command, "--help")
        assert result.code == 0
        assert "Example" in result.out, command


def test_the_doctor_passes_a_sound_installation(run: RunCommand) -> None:
    run(*CREATE)
    examined = run("doctor", "--json")
    assert examined.code == 0, examined.out
    assert {finding["ok"] for finding in examined.json} == {True}


def test_the_doctor_finds_a_table_without_row_security(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    run(*CREATE)
    import os

    database = os.environ["DATABASE_URL"].split("/@/")[-1].split("@/")[-1].split("?")[0]
    with cluster.connect_as_superuser(database) as connection:
        connection.execute("alter table staff no force row level security")
    examined = run("doctor", "--json")
    assert examined.code == 1
    assert any("staff" in finding["message"] and not finding["ok"] for finding in examined.json)


def test_the_openapi_document_is_printed(run: RunCommand) -> None:
    document = run("openapi").json
    assert "/api/v1/auth/login" in document["paths"]


def test_a_master_key_is_created_once_and_readable_by_its_owner_alone(run: RunCommand, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "new.key"
    assert run("keys", "create-master", file).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = MasterKey.parse(file.read_text())
    again = run("keys", "create-master", file)
    assert again.code == 1
    assert MasterKey.parse(file.read_text()).key_id == key.key_id


def test_keys_are_rotated_and_the_old_master_key_is_refused(
    run: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*CREATE)
    assert run("keys", "rotate", "oak-street").code == 0
    new = tmp_path / "new.key"
    run("keys", "create-master", new)
    assert run("keys", "rotate-master", new).code == 0
    refused = run("doctor")
    assert refused.code == 1
    monkeypatch.setenv("CASELOAD_MASTER_KEY_FILE", str(new))
    assert run("doctor").code == 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DATABASE_URL", "postgresql://caseload_app:x@127.0.0.1:1/caseload", "Cannot connect to the database"),
        ("DATABASE_URL", "nonsense", "not a database URL"),
        ("CASELOAD_MASTER_KEY", "changeme", "master key"),
        ("CASELOAD_ENVIRONMENT", "holiday", "CASELOAD_ENVIRONMENT"),
        ("CASELOAD_PORT", "many", "CASELOAD_PORT"),
        ("CASELOAD_ANCHOR_DIR", "/anchors", "Rename it to CASELOAD_AUDIT_ANCHOR_DIR."),
    ],
)
def test_an_invalid_environment_is_reported_in_one_sentence(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    refused = run("settings", "show", "oak-street")
    assert (refused.code, refused.out) == (1, "")
    assert message in refused.err
    assert "Traceback" not in refused.err


def test_production_refuses_a_placeholder_and_a_missing_key(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASELOAD_ENVIRONMENT", "production")
    missing = run("settings", "show", "oak-street")
    assert missing.code == 1
    assert "master key is missing" in missing.err
    monkeypatch.setenv("CASELOAD_MASTER_KEY", MasterKey.generate().to_text())
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://caseload_admin:changeme@127.0.0.1/caseload")
    placeholder = run("settings", "show", "oak-street")
    assert placeholder.code == 1
    assert "placeholder" in placeholder.err
    assert "changeme" not in placeholder.err
    refused = run("demo")
    assert refused.code == 1


def test_a_login_that_bypasses_row_security_is_refused(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("DATABASE_URL", os.environ["DATABASE_OWNER_URL"])
    refused = run("settings", "show", "oak-street")
    assert refused.code == 1
    assert "not restricted to one practice" in refused.err


def test_an_outdated_database_is_refused_until_it_is_migrated(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    database = os.environ["DATABASE_URL"].split("@/")[-1].split("?")[0]
    with cluster.connect_as_superuser(database) as connection:
        connection.execute("drop owned by caseload_owner, caseload_marts cascade")
        connection.execute("grant all on schema public to caseload_owner; grant usage on schema public to public")
    refused = run("settings", "show", "oak-street")
    assert refused.code == 1
    assert "caseload migrate" in refused.err
    migrated = run("migrate")
    assert migrated.code == 0, migrated.err
    assert run(*CREATE).code == 0


def test_migrate_prepares_an_empty_database_and_its_login(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    database, login = f"fresh_{new_id().hex}", f"service_{new_id().hex[:12]}"
    with cluster.connect_as_superuser() as connection:
        connection.execute(f"create database {database}")
    owner = cluster.get_server().build_conninfo("superuser", database)
    location = f"/{database}?host={owner['host']}&port={owner['port']}"
    monkeypatch.setenv("DATABASE_OWNER_URL", f"postgresql://{owner['user']}:{owner['password']}@{location}")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{login}:{new_id().hex}@{location}")
    try:
        before = run("settings", "show", "oak-street")
        assert before.code == 1
        assert "Cannot connect to the database" in before.err
        assert run("migrate").code == 0
        assert run(*CREATE).code == 0
        assert run("doctor").code == 0
        with cluster.connect_as_superuser(database) as connection:
            attributes = "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = %s"
            assert connection.execute(attributes, [login]).fetchone() == (False,)
            assert connection.execute("select count(*) from practices").fetchone() == (1,)
    finally:
        cluster.drop_database(database)
        with cluster.connect_as_superuser() as connection:
            connection.execute(f"drop role if exists {login}")


def test_a_database_in_another_encoding_is_refused(run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    database = f"ascii_{new_id().hex}"
    with cluster.connect_as_superuser() as connection:
        connection.execute(f"create database {database} encoding 'SQL_ASCII' template template0 locale 'C'")
    owner = cluster.get_server().build_conninfo("superuser", database)
    location = f"/{database}?host={owner['host']}&port={owner['port']}"
    url = f"postgresql://{owner['user']}:{owner['password']}@{location}"
    monkeypatch.setenv("DATABASE_OWNER_URL", url)
    try:
        refused = run("migrate")
        assert refused.code == 1
        assert "SQL_ASCII" in refused.err
    finally:
        cluster.drop_database(database)


def test_a_server_that_is_too_old_is_refused(tmp_path: Path, run: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_old_server() as url:
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("DATABASE_OWNER_URL", url)
        for command in (("migrate",), ("settings", "show", "oak-street")):
            refused = run(*command)
            assert refused.code == 1
            assert "Caseload needs 18" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("doctor", "--json", "--data-dir", "x", "--debug"),
        ("--data-dir=x", "doctor", "--debug", "--json"),
        ("--debug", "--data-dir", "x", "doctor", "--json"),
    ],
)
def test_global_options_are_accepted_before_and_after_the_command(run: RunCommand, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).json
    assert (console.options.data_dir, console.options.debug) == (Path("x"), True)


def test_the_help_of_the_root_command_lists_the_commands(run: RunCommand) -> None:
    for arguments in ((), ("--help",), ("--debug", "--help")):
        shown = run(*arguments)
        assert "platform-admin" in (shown.out if arguments else shown.err)


@pytest.mark.parametrize("group", [(), ("practice",), ("platform-admin",), ("keys",), ("settings",), ("era",)])
def test_each_command_is_described_in_one_line(run: RunCommand, group: tuple[str, ...]) -> None:
    lines = run(*group, "--help").out.splitlines()
    assert len(lines) > 5
    assert [line for line in lines if line.endswith("...")][1:] == []  # the first is the usage


def test_a_platform_admin_is_created_with_a_link(run: RunCommand) -> None:
    created = run("platform-admin", "create", "ops@caseload.example")
    assert created.code == 0, created.err
    assert created.out.startswith("Created platform admin ops@caseload.example.")
    assert "/invitation#" in created.out


def test_a_platform_admin_is_invited_again_until_they_accept(run: RunCommand) -> None:
    links = [run("platform-admin", "create", "ops@caseload.example").out]
    links.append(run("platform-admin", "create", "ops@caseload.example").out)
    assert links[1].startswith("Invited again, and voided the earlier link: platform admin")
    with connect_installation() as installation, installation.store.begin_system_session() as db:
        assert db.scalar(text("select count(*) from one_time_tokens where used_at is null")) == 1
        db.execute(text("update accounts set platform_admin = true"))
    refused = run("platform-admin", "create", "ops@caseload.example")
    assert (refused.code, refused.out) == (1, "")
    assert "already" in refused.err
