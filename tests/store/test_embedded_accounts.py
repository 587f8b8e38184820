"""The account that the embedded PostgreSQL runs as, as root and as an ordinary user, and what it can access."""

import os
import pwd
from pathlib import Path

import pytest

from practice.store.embedded import EmbeddedServer
from tests.support.harness.embedded import (
    COPIED_FOLDERS,
    NOBODY,
    ROOT,
    as_root,
    copy_package,
    execute,
    read_output,
    read_refusal,
    run_python,
)


def test_ordinary_user(home: Path) -> None:
    folder = home / "own"
    folder.mkdir(mode=0o700)
    site = ""
    if ROOT:
        os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
        site = str(copy_package(home))
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
    assert read_output(run_python(code, folder, site, ordinary=True)) == "7"
    data_dir = folder / "data"
    owners = {path.lstat().st_uid for path in data_dir.rglob("*")}
    assert owners == {folder.stat().st_uid}
    assert data_dir.stat().st_mode & 0o777 == 0o700
    # Root uses the same folder and leaves its ownership unchanged.
    server = EmbeddedServer(data_dir)
    assert server.stop() is True
    server.ensure()
    assert execute(server, "select n from t") == [(7,)]
    paths = [path for path in data_dir.rglob("*") if path.relative_to(data_dir).parts[0] not in COPIED_FOLDERS]
    assert {path.lstat().st_uid for path in paths} == owners


@as_root
def test_root_runs_the_server_as_an_unprivileged_account(server: EmbeddedServer) -> None:
    read_output(run_python("os.setgroups([0, 4]); EmbeddedServer(Path(sys.argv[1])).ensure()", server.data_dir))
    status = Path(f"/proc/{server.pid}/status").read_text()
    uids = next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
    groups = next(line.split()[1:] for line in status.splitlines() if line.startswith("Groups:"))
    assert "0" not in uids
    assert groups == []
    assert len(set(uids)) == 1
    assert (server.data_dir / "passwords.json").stat().st_uid == 0


@as_root
def test_root_without_permission_to_inspect_other_processes(server: EmbeddedServer) -> None:
    """As in a container with default capabilities."""
    server.ensure()
    code = """
import ctypes
if len(sys.argv) == 2:
    assert ctypes.CDLL(None).prctl(24, 19, 0, 0, 0) == 0  # drop CAP_SYS_PTRACE
    os.execv(sys.executable, [*sys.orig_argv, "again"])
server = EmbeddedServer(Path(sys.argv[1]))
try:
    os.stat(f"/proc/{server._read_pid()}/cwd")
except PermissionError:
    print("blind", server.is_running(), server.ensure(), server.stop(), server.is_running())
"""
    assert read_output(run_python(code, server.data_dir)) == "blind True None True False"


@as_root
def test_binaries_that_the_account_cannot_access_are_copied(
    home: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(copy_package(home)))
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
    copied_at = (data_dir / "postgresql").stat().st_mtime_ns
    server.ensure()
    assert (data_dir / "postgresql").stat().st_mtime_ns == copied_at, "copied once"


@as_root
def test_a_data_folder_that_the_account_cannot_access_is_refused(home: Path) -> None:
    (home / "closed").mkdir(mode=0o700)
    message = read_refusal(EmbeddedServer(home / "closed" / "deep" / "data").ensure)
    assert str(home / "closed") in message
    assert "/var/lib/caseload" in message
    assert list((home / "closed").iterdir()) == []
    assert (home / "closed").stat().st_mode & 0o777 == 0o700


@as_root
def test_root_does_not_use_an_empty_folder_of_another_user(home: Path) -> None:
    (home / "theirs").mkdir(mode=0o755)
    owner = next(user for user in pwd.getpwall() if user.pw_name not in ("root", "postgres", "nobody"))
    os.chown(home / "theirs", owner.pw_uid, owner.pw_gid)
    assert "belongs to" in read_refusal(EmbeddedServer(home / "theirs").ensure)
    assert list((home / "theirs").iterdir()) == []


@as_root
def test_a_user_without_an_entry_is_refused(home: Path) -> None:
    code = """
os.setgid(54321); os.setuid(54321)
try:
    EmbeddedServer(Path(sys.argv[1]) / "data").ensure()
except StoreProblem as problem:
    print(problem)
"""
    home.chmod(0o777)
    site = copy_package(home)
    code = f"sys.path.insert(0, {str(site)!r})\n{code}"
    assert "54321 has no entry" in read_output(run_python(code, home))
