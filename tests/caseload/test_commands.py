"""The command line, as somebody types it: what it prints, what it exits with, what it did."""

import stat
from pathlib import Path

import pytest

from caseload.main import app, options_first
from practice.security.encryption import MasterKey
from practice.store.ids import new_id
from tests.support.drivers.commands import Run
from tests.support.harness import cluster
from tests.support.harness.old_server import old_server

CREATE = ("practice", "create", "Oak Street", "--time-zone", "America/Chicago", "--admin-email", "Ada@Oak.example")


def test_a_practice_and_its_admin_are_made_with_a_link(run: Run) -> None:
    made = run(*CREATE, "--json")
    assert made.code == 0, made.err
    assert made.json["practice"] == "oak-street"
    assert made.json["admin"] == "ada@oak.example"
    assert "/invitation#" in made.json["link"]
    again = run(*CREATE)
    assert (again.code, again.out) == (1, "")
    assert "called like that already" in again.err


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (("--time-zone", "Chicago"), "no time zone"),
        (("--admin-email", "ada"), "no e-mail address"),
    ],
)
def test_a_practice_is_refused_in_a_sentence(run: Run, wrong: tuple[str, str], complaint: str) -> None:
    refused = run(*CREATE, *wrong)
    assert (refused.code, refused.out) == (1, "")
    assert complaint in refused.err
    assert "Traceback" not in refused.err


def test_settings_are_shown_and_changed_from_a_date_on(run: Run) -> None:
    run(*CREATE)
    changed = run("settings", "set", "Oak Street", "password_max_age_days", "180", "--from", "2099-01-01")
    assert changed.code == 0, changed.err
    shown = {setting["key"]: setting for setting in run("settings", "show", "oak-street", "--json").json}
    assert shown["password_max_age_days"]["value"] == 0  # not yet
    past = run("settings", "set", "oak-street", "password_max_age_days", "180", "--from", "2020-01-01")
    assert past.code == 1
    assert "past" in past.err
    nonsense = run("settings", "set", "oak-street", "password_max_age_days", "often", "--from", "2099-01-01")
    assert nonsense.code == 1
    assert "whole number" in nonsense.err


def test_an_unknown_practice_is_named_with_the_known_ones(run: Run) -> None:
    run(*CREATE)
    answer = run("settings", "show", "elm-street")
    assert answer.code == 1
    assert "elm-street" in answer.err
    assert "oak-street" in answer.err


def test_wrong_usage_exits_with_two(run: Run) -> None:
    assert run("practice", "create").code == 2
    assert run("no-such-command").code == 2


def test_every_command_explains_itself_with_an_example(run: Run) -> None:
    def commands(typer_app, *front: str) -> list[tuple[str, ...]]:
        own = [(*front, command.name or command.callback.__name__) for command in typer_app.registered_commands]
        return own + [
            c for group in typer_app.registered_groups for c in commands(group.typer_instance, *front, group.name)
        ]

    found = commands(app)
    assert len(found) > 12
    for command in found:
        helped = run(*command, "--help")
        assert helped.code == 0
        assert "Example" in helped.out, command


def test_the_doctor_finds_a_sound_installation_sound(run: Run) -> None:
    run(*CREATE)
    examined = run("doctor", "--json")
    assert examined.code == 0, examined.out
    assert {finding["ok"] for finding in examined.json} == {True}


def test_the_doctor_finds_an_open_table(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run(*CREATE)
    import os

    database = os.environ["DATABASE_URL"].split("/@/")[-1].split("@/")[-1].split("?")[0]
    with cluster.superuser(database) as connection:
        connection.execute("alter table staff no force row level security")
    examined = run("doctor", "--json")
    assert examined.code == 1
    assert any("staff" in finding["sentence"] and not finding["ok"] for finding in examined.json)


def test_the_api_document_is_printed(run: Run) -> None:
    document = run("openapi").json
    assert "/api/v1/auth/login" in document["paths"]


def test_a_master_key_is_made_once_and_readable_by_its_owner_alone(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "new.key"
    assert run("keys", "new-master", file).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = MasterKey.from_text(file.read_text())
    again = run("keys", "new-master", file)
    assert again.code == 1
    assert MasterKey.from_text(file.read_text()).key_id == key.key_id


def test_keys_are_rotated_and_the_old_master_key_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*CREATE)
    assert run("keys", "rotate", "oak-street").code == 0
    new = tmp_path / "new.key"
    run("keys", "new-master", new)
    assert run("keys", "rotate-master", new).code == 0
    refused = run("doctor")
    assert refused.code == 1
    monkeypatch.setenv("CASELOAD_MASTER_KEY_FILE", str(new))
    assert run("doctor").code == 0


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("DATABASE_URL", "postgresql://caseload_app:x@127.0.0.1:1/caseload", "does not answer"),
        ("DATABASE_URL", "nonsense", "not a database address"),
        ("CASELOAD_MASTER_KEY", "changeme", "master key"),
        ("CASELOAD_ENVIRONMENT", "holiday", "CASELOAD_ENVIRONMENT"),
        ("CASELOAD_PORT", "many", "CASELOAD_PORT"),
    ],
)
def test_a_wrong_environment_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(name, value)
    refused = run("settings", "show", "oak-street")
    assert (refused.code, refused.out) == (1, "")
    assert complaint in refused.err
    assert "Traceback" not in refused.err


def test_production_starts_with_no_placeholder_and_no_missing_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASELOAD_ENVIRONMENT", "production")
    missing = run("settings", "show", "oak-street")
    assert missing.code == 1
    assert "no master key" in missing.err
    monkeypatch.setenv("CASELOAD_MASTER_KEY", MasterKey.generate().to_text())
    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://caseload_admin:changeme@127.0.0.1/caseload")
    placeholder = run("settings", "show", "oak-street")
    assert placeholder.code == 1
    assert "placeholder" in placeholder.err
    assert "changeme" not in placeholder.err
    refused = run("demo")
    assert refused.code == 1


def test_a_login_that_sees_everything_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("DATABASE_URL", os.environ["DATABASE_OWNER_URL"])
    refused = run("settings", "show", "oak-street")
    assert refused.code == 1
    assert "walls between practices" in refused.err


def test_a_database_behind_is_refused_until_it_is_migrated(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    database = os.environ["DATABASE_URL"].split("@/")[-1].split("?")[0]
    with cluster.superuser(database) as connection:
        connection.execute("drop owned by caseload_owner cascade")
        connection.execute("grant all on schema public to caseload_owner; grant usage on schema public to public")
    refused = run("settings", "show", "oak-street")
    assert refused.code == 1
    assert "caseload migrate" in refused.err
    migrated = run("migrate")
    assert migrated.code == 0, migrated.err
    assert run(*CREATE).code == 0


def test_migrate_makes_an_empty_database_and_its_login_ready(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    database, login = f"fresh_{new_id().hex}", f"service_{new_id().hex[:12]}"
    with cluster.superuser() as connection:
        connection.execute(f"create database {database}")
    to = cluster.server().conninfo("superuser", database)
    place = f"/{database}?host={to['host']}&port={to['port']}"
    monkeypatch.setenv("DATABASE_OWNER_URL", f"postgresql://{to['user']}:{to['password']}@{place}")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{login}:{new_id().hex}@{place}")
    try:
        before = run("settings", "show", "oak-street")
        assert before.code == 1
        assert "does not answer" in before.err
        assert run("migrate").code == 0
        assert run(*CREATE).code == 0
        assert run("doctor").code == 0
        with cluster.superuser(database) as connection:
            powers = "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = %s"
            assert connection.execute(powers, [login]).fetchone() == (False,)
            assert connection.execute("select count(*) from practices").fetchone() == (1,)
    finally:
        cluster.drop(database)
        with cluster.superuser() as connection:
            connection.execute(f"drop role if exists {login}")


def test_a_database_in_another_encoding_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    database = f"ascii_{new_id().hex}"
    with cluster.superuser() as connection:
        connection.execute(f"create database {database} encoding 'SQL_ASCII' template template0 locale 'C'")
    to = cluster.server().conninfo("superuser", database)
    url = f"postgresql://{to['user']}:{to['password']}@/{database}?host={to['host']}&port={to['port']}"
    monkeypatch.setenv("DATABASE_OWNER_URL", url)
    try:
        refused = run("migrate")
        assert refused.code == 1
        assert "SQL_ASCII" in refused.err
    finally:
        cluster.drop(database)


def test_a_server_that_is_too_old_is_refused(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with old_server() as url:
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("DATABASE_OWNER_URL", url)
        for command in (("migrate",), ("settings", "show", "oak-street")):
            refused = run(*command)
            assert refused.code == 1
            assert "Caseload needs 18" in refused.err


def test_options_count_wherever_they_stand() -> None:
    assert options_first(["doctor", "--json", "--data-dir", "x", "--debug"]) == [
        "--data-dir",
        "x",
        "--debug",
        "doctor",
        "--json",
    ]
