"""The embedded PostgreSQL after a crash: killed, partly created, confused with another process."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import psycopg
import pytest

from practice.store import embedded_folder
from practice.store.embedded import EmbeddedServer
from tests.support.harness.embedded import ROOT, connect, execute, is_alive, run_python, wait_until


def test_a_committed_row_survives_a_killed_server(server: EmbeddedServer) -> None:
    server.ensure()
    execute(server, "insert into visits values (1, 'kept')")
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    server.ensure()
    assert server.pid != killed
    assert execute(server, "select note from visits") == [("kept",)]


def test_a_start_waits_for_the_busy_process_of_a_killed_server(server: EmbeddedServer) -> None:
    server.ensure()
    started = threading.Event()
    backend: list[int] = []

    def work() -> None:
        with contextlib.suppress(psycopg.OperationalError), connect(server) as connection:
            connection.execute("set max_parallel_workers_per_gather = 0")
            backend.append(connection.info.backend_pid)
            started.set()
            # Busy, so it does not notice that its parent is dead.
            connection.execute("select count(*) from generate_series(1, 8000000) n where md5(n::text) = 'x'")

    worker = threading.Thread(target=work)
    worker.start()
    started.wait(10)
    time.sleep(0.2)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert is_alive(backend[0]), "otherwise this test proves nothing"
    server.ensure()
    assert not is_alive(backend[0]), "two servers wrote to the same files"
    worker.join()
    assert execute(server, "select count(*) from visits") == [(0,)]


@pytest.mark.parametrize("kind", ["zombie", "reused", "nonsense"])
def test_a_stale_pid_that_seems_alive_does_not_block_the_start(server: EmbeddedServer, kind: str) -> None:
    server.ensure()
    pid_file = server.data_dir / "pg" / "postmaster.pid"
    socket_lock = server.socket_dir / ".s.PGSQL.5432.lock"
    left = {file: file.read_text() for file in (pid_file, socket_lock)}
    server.stop()
    account = pid_file.parent.stat()
    other = subprocess.Popen(["sleep", "0" if kind == "zombie" else "60"], user=account.st_uid if ROOT else None)
    try:
        if kind == "zombie":
            wait_until(lambda: not is_alive(other.pid))
        for file, text in left.items():
            _, _, rest = text.partition("\n")
            file.write_text("" if kind == "nonsense" else f"{other.pid}\n{rest}")
            os.chown(file, account.st_uid, account.st_gid)
        assert not server.is_running()
        assert server.stop() is False
        server.ensure()
        assert execute(server, "select 1") == [(1,)]
        if kind == "reused":
            assert other.poll() is None, "the other program must not be touched"
    finally:
        if kind != "zombie":
            other.kill()
        other.wait()


def test_a_start_while_the_server_is_stopping(server: EmbeddedServer) -> None:
    server.ensure()
    for number in range(4):
        execute(server, "insert into visits values (%s)", number)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGINT)  # as when a stop is killed halfway
        time.sleep(0.003 * number)
        server.ensure()
        assert execute(server, "select count(*) from visits") == [(number + 1,)]


def test_a_restored_database_is_served_while_the_server_of_the_replaced_one_still_runs(
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
        wait_until(lambda: not is_alive(old))


@pytest.mark.parametrize("moment", ["pg.part", "pg.part/PG_VERSION", "pg.part/base/5", "pg"])
def test_killed_while_creating_the_database(home: Path, moment: str) -> None:
    server = EmbeddedServer(home / "data")
    creator = run_python("EmbeddedServer(Path(sys.argv[1])).ensure()", home / "data")
    wait_until((home / "data" / moment).exists)
    creator.kill()
    creator.communicate()
    server.ensure()
    assert execute(server, "select current_database()") == [("caseload",)]
    assert [entry.name for entry in (home / "data").iterdir() if "part" in entry.name] == []
    execute(server, "create table t (n int)")
    assert server.stop() is True


def test_leftovers_of_a_partly_created_database_are_removed(home: Path) -> None:
    (home / "data" / "pg.part" / "base").mkdir(parents=True)
    (home / "data" / "pg.part" / "PG_VERSION").write_text("18\n")
    (home / "data" / "password.part").write_text("old")
    (home / "data" / "lock").write_bytes(embedded_folder.LOCK_TEXT)
    server = EmbeddedServer(home / "data")
    server.ensure()
    assert execute(server, "select 1") == [(1,)]
    assert not (home / "data" / "pg.part").exists()
    assert not (home / "data" / "password.part").exists()
