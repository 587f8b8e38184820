"""A PostgreSQL 16 server, for the refusal of outdated servers. The package of the embedded server includes it."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager

from practice.store.embedded_account import ServerAccount, find_package_binaries
from tests.support.harness.installations import create_short_folder


@contextmanager
def run_old_server() -> Generator[str]:
    with create_short_folder() as folder:
        site = folder / "site"
        package = find_package_binaries().parents[1]
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
