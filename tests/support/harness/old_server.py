"""A real PostgreSQL 16, of the package that brings the 18: for what Caseload says to a server that is too old."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager

from practice.store.embedded_account import ServerAccount, package_binaries
from tests.support.harness.installations import short_folder


@contextmanager
def old_server() -> Generator[str]:
    with short_folder() as folder:
        site = folder / "site"
        package = package_binaries().parents[1]
        shutil.copytree(package / "pginstall", site / package.name / "pginstall")
        shutil.copytree(package.with_name(f"{package.name}.libs"), site / f"{package.name}.libs")
        programs = site / package.name / "pginstall" / "bin"
        data = folder / "pg"
        account = ServerAccount(data)
        run = folder / "run"
        account.own_folder(data)
        account.own_folder(run)
        account.run(programs / "initdb", "-D", data, "-U", "old", "-A", "trust", "--locale=C", cwd=run)
        settings = f"-c listen_addresses= -c unix_socket_directories={run}"
        account.run(programs / "pg_ctl", "-D", data, "-l", run / "log", "-o", settings, "-w", "start", cwd=run)
        try:
            yield f"postgresql://old@/postgres?host={run}"
        finally:
            account.run(programs / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop", cwd=run)
