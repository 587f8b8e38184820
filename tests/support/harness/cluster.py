"""The PostgreSQL that the tests run on: the embedded one, in memory where there is room, a database for each worker."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from practice.store.embedded import EmbeddedServer
from practice.store.store import Store

FOLDER = "CASELOAD_TEST_CLUSTER"
TEMPLATE = "caseload_template"


def make_folder() -> None:
    """Once, by the process that starts the others. Nothing runs yet: a test that needs no database starts none."""
    memory = Path("/dev/shm")
    roomy = (
        memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    )
    folder = Path(tempfile.mkdtemp(prefix="caseload-tests-", dir=memory if roomy else None))
    folder.chmod(0o711)
    os.environ[FOLDER] = str(folder)


def remove_folder() -> None:
    folder = Path(os.environ[FOLDER])
    if (folder / "data").exists():
        server().stop()
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[FOLDER]


def server() -> EmbeddedServer:
    return EmbeddedServer(Path(os.environ[FOLDER]) / "data")


def superuser(database: str = "postgres") -> psycopg.Connection:
    return psycopg.connect(**server().conninfo("superuser", database), autocommit=True)


def prepare_template() -> None:
    """The migrated database that all others are copied from, made by whichever worker comes first."""
    server().ensure()
    with one_at_a_time(), superuser() as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (TEMPLATE,)).fetchone():
            return
        connection.execute(f"create database {TEMPLATE}_part")
        store = Store(server().data_dir, database=f"{TEMPLATE}_part")
        store.prepare()
        store.close()
        connection.execute(f"alter database {TEMPLATE}_part rename to {TEMPLATE}")
        connection.execute(f"alter database {TEMPLATE} is_template true allow_connections false")


def copy_template(name: str) -> None:
    with one_at_a_time(), superuser() as connection:
        connection.execute(f"create database {name} template {TEMPLATE}")
        connection.execute(f"revoke all on database {name} from public")
        connection.execute(f"grant connect on database {name} to caseload_app, caseload_warehouse, caseload_analyst")
        connection.execute(f"grant temporary on database {name} to caseload_app")
        connection.execute(f"alter database {name} owner to caseload_owner")


def drop(name: str) -> None:
    with superuser() as connection:
        connection.execute(f"drop database if exists {name} with (force)")


@contextmanager
def one_at_a_time() -> Generator[None]:
    """Copying needs the template to itself for a moment."""
    with (Path(os.environ[FOLDER]) / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
