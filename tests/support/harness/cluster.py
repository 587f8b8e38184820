"""The PostgreSQL server of the tests: embedded, in memory where it fits, with a database per worker."""

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


def create_folder() -> None:
    """Create the folder, once, in the main process. The server starts only when a test needs it."""
    memory = Path("/dev/shm")
    fits = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30 and not os.statvfs(memory).f_flag & os.ST_NOEXEC
    folder = Path(tempfile.mkdtemp(prefix="caseload-tests-", dir=memory if fits else None))
    folder.chmod(0o711)
    os.environ[FOLDER] = str(folder)


def remove_folder() -> None:
    folder = Path(os.environ[FOLDER])
    if (folder / "data").exists():
        get_server().stop()
    shutil.rmtree(folder, ignore_errors=True)
    del os.environ[FOLDER]


def get_server() -> EmbeddedServer:
    return EmbeddedServer(Path(os.environ[FOLDER]) / "data")


def connect_as_superuser(database: str = "postgres") -> psycopg.Connection:
    return psycopg.connect(**get_server().build_conninfo("superuser", database), autocommit=True)


def prepare_template() -> None:
    """Create the migrated database that all others are copied from, in the first worker that needs it."""
    get_server().ensure()
    with lock_template(), connect_as_superuser() as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (TEMPLATE,)).fetchone():
            return
        connection.execute(f"create database {TEMPLATE}_part")
        store = Store(get_server().data_dir, database=f"{TEMPLATE}_part")
        store.prepare()
        store.close()
        connection.execute(f"alter database {TEMPLATE}_part rename to {TEMPLATE}")
        connection.execute(f"alter database {TEMPLATE} is_template true allow_connections false")


def copy_template(name: str) -> None:
    with lock_template(), connect_as_superuser() as connection:
        connection.execute(f"create database {name} template {TEMPLATE}")
        connection.execute(f"revoke all on database {name} from public")
        connection.execute(f"grant connect on database {name} to caseload_app, caseload_warehouse, caseload_analyst")
        connection.execute(f"grant temporary on database {name} to caseload_app")
        connection.execute(f"grant create on database {name} to caseload_warehouse")
        connection.execute(f"alter database {name} owner to caseload_owner")


def drop_database(name: str) -> None:
    with connect_as_superuser() as connection:
        connection.execute(f"drop database if exists {name} with (force)")


@contextmanager
def lock_template() -> Generator[None]:
    """Lock the template: copying needs exclusive access."""
    with (Path(os.environ[FOLDER]) / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
