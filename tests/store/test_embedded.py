"""The embedded PostgreSQL in use: start, stop, sharing, and protection from others."""

import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from practice.store.embedded import ROLES, EmbeddedServer, default_data_dir
from tests.support.harness.embedded import (
    CANARY,
    COPIED_FOLDERS,
    NEEDS_COPY,
    ROOT,
    connect,
    execute,
    read_log,
    read_output,
    read_refusal,
    run_python,
)


def test_rows_survive_stop_and_start_even_in_a_folder_with_special_characters(home: Path) -> None:
    server = EmbeddedServer(home / "my \"data\" $HOME `x` 'y' ü")
    if NEEDS_COPY:  # the programs would be copied to that path, and cannot run there
        assert "cannot run in a path" in read_refusal(server.ensure)
        server = EmbeddedServer(home / "my data 'y' ü")
    assert not server.is_running()
    assert server.stop() is False
    server.ensure()
    assert server.is_running()
    execute(server, "create table kept (n int)")
    execute(server, "insert into kept values (%s)", 42)
    first = server.pid
    server.ensure()
    assert server.pid == first
    assert server.stop() is True
    assert not server.is_running()
    assert server.pid is None
    assert server.stop() is False
    with pytest.raises(psycopg.OperationalError):
        connect(server)
    server.ensure()
    assert execute(server, "select n from kept") == [(42,)]
    settings = (
        "data_checksums",
        "wal_level",
        "timezone",
        "fsync",
        "shared_buffers",
        "server_encoding",
        "max_connections",
    )
    values = [execute(server, "select current_setting(%s)", name)[0][0] for name in settings]
    assert values == ["on", "replica", "UTC", "on", "256MB", "UTF8", "100"]
    assert execute(server, "select datlocprovider::text, datlocale from pg_database where datname = 'caseload'") == [
        ("b", "C.UTF-8")
    ]
    assert "create table public.kept" in server.run_tool("pg_dump", capture_output=True, text=True).stdout.lower()


def test_eight_concurrent_starts_start_one_server_which_outlives_them(home: Path) -> None:
    go = home / "go"
    code = """
while not Path(sys.argv[2]).exists(): time.sleep(0.001)
server = EmbeddedServer(Path(sys.argv[1]))
server.ensure()
print(server.pid)
"""
    starters = [run_python(code, home / "data", go) for _ in range(8)]
    time.sleep(0.5)
    go.touch()
    pids = {read_output(starter) for starter in starters}
    server = EmbeddedServer(home / "data")
    assert pids == {str(server.pid)}
    assert execute(server, "select 1") == [(1,)]
    assert read_log(server).count("starting PostgreSQL") == 1


def test_roles_have_passwords_of_their_own(server: EmbeddedServer) -> None:
    passwords = {server.read_password(role) for role in ("superuser", *ROLES)}
    assert len(passwords) == 5
    assert all(len(password) >= 32 for password in passwords)
    assert server.build_conninfo()["user"] == "caseload_app"
    assert server.build_conninfo()["dbname"] == "caseload"
    assert server.build_conninfo("owner", "other")["dbname"] == "other"
    with pytest.raises(ValueError, match="Unknown role"):
        server.read_password("janitor")


def test_default_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    if ROOT:
        assert default_data_dir() == Path("/var/lib/caseload")
    code = "print(os.environ.update({0}) or default_data_dir())"
    assert read_output(run_python(code.format({"HOME": "/h"}), ordinary=True)) == "/h/.local/share/caseload"
    assert read_output(run_python(code.format({"HOME": "/h", "XDG_DATA_HOME": "/x"}), ordinary=True)) == "/x/caseload"
    assert (
        read_output(run_python(code.format({"HOME": "/h", "XDG_DATA_HOME": "x"}), ordinary=True))
        == "/h/.local/share/caseload"
    )


@pytest.mark.parametrize("name", ["d" * 110, "first, second"])
def test_a_path_unsuitable_for_a_socket_gets_a_private_folder_elsewhere(home: Path, template: Path, name: str) -> None:
    (home / name).mkdir()
    subprocess.run(["cp", "-a", str(template), str(home / name / "data")], check=True)
    server = EmbeddedServer(home / name / "data")
    try:
        server.ensure()
        assert server.socket_dir.parent == Path("/tmp")
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert execute(server, "select 1") == [(1,)]
    finally:
        server.stop()
    assert not server.socket_dir.exists()
    # Another user who occupies the path first could impersonate our server.
    server.socket_dir.symlink_to(home)
    try:
        assert str(server.socket_dir) in read_refusal(server.ensure)
    finally:
        server.socket_dir.unlink()


def test_connections_over_tcp_or_with_a_wrong_password_are_refused(server: EmbeddedServer) -> None:
    server.ensure()
    with pytest.raises(psycopg.OperationalError):
        connect(server, host="127.0.0.1", connect_timeout="3")
    assert "listening on IPv" not in read_log(server)
    assert "listening on Unix socket" in read_log(server)
    for wrong in ("wrong", "", server.read_password("app")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(server, password=wrong)
    assert execute(server, "select left(rolpassword, 13) from pg_authid where rolpassword is not null") == [
        ("SCRAM-SHA-256",)
    ]


def test_nothing_outside_the_data_folder_changes_and_others_cannot_read_it(home: Path) -> None:
    data_dir = home / "new" / "data"
    data_dir.parent.mkdir(mode=0o751)

    def read_surroundings() -> list[object]:
        states = [(folder.stat().st_mode, folder.stat().st_uid, folder.stat().st_gid) for folder in data_dir.parents]
        return [*states, Path("/etc/passwd").read_bytes(), sorted(data_dir.parent.iterdir())]

    before = read_surroundings()
    server = EmbeddedServer(data_dir)
    server.ensure()
    for folder in ("pg", "run", "log"):
        assert (data_dir / folder).stat().st_mode & 0o777 == 0o700, folder
    assert (data_dir / "passwords.json").stat().st_mode & 0o777 == 0o600
    assert data_dir.stat().st_mode & 0o066 == 0, "the server's account can enter, others cannot list"
    names = sorted(entry.name for entry in data_dir.iterdir())
    assert names == sorted(["lock", "log", "passwords.json", "pg", "run", *COPIED_FOLDERS])
    server.stop()
    assert read_surroundings()[:-1] == before[:-1]
    assert sorted(data_dir.parent.iterdir()) == [data_dir]


def test_the_log_never_contains_a_value(server: EmbeddedServer) -> None:
    server.ensure()
    execute(server, "alter system set log_statement = 'all'")
    execute(server, "alter system set log_min_duration_statement = 0")
    execute(server, "select pg_reload_conf()")
    execute(server, "create table clients (name text primary key, born date)")
    execute(server, "insert into clients values (%s)", CANARY)
    with pytest.raises(psycopg.errors.UniqueViolation, match=CANARY):
        execute(server, "insert into clients values (%s)", CANARY)
    with pytest.raises(psycopg.errors.InvalidDatetimeFormat, match=CANARY):
        execute(server, "insert into clients values ('x', %s)", CANARY)
    execute(server, f"select '{CANARY}'")
    with pytest.raises(psycopg.errors.SyntaxError, match=CANARY):
        execute(server, f"insrt '{CANARY}'")
    server.stop()
    logs = [file for file in (server.data_dir / "log").rglob("*") if file.is_file()]
    assert any("ready to accept connections" in file.read_text() for file in logs)
    assert not any(CANARY in file.read_text() for file in logs)
