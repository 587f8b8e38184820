"""The embedded PostgreSQL 18: a real server in a data folder of the user, created and started on demand.

The binaries come from a Python package. Its own server class is not used: it trusts every local connection, stops with
the last Python process, and as root opens the permissions of every folder above its data.

    <data_dir>/lock            one flock guards creation, start and stop
    <data_dir>/passwords.json  generated, 0600
    <data_dir>/pg/             the cluster; created in pg.part and renamed when complete
    <data_dir>/run/            the socket, 0700
    <data_dir>/log/            the server's log, never with values in it
    <data_dir>/postgresql/     a copy of the binaries, only where the server's account cannot reach the package
"""

import contextlib
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

from practice.errors import StoreProblem
from practice.store.embedded_account import (
    ENVIRONMENT,
    ROOT_DATA_DIR,
    ServerAccount,
    build_ownership_problem,
    find_package_binaries,
    prepare_server_binaries,
)
from practice.store.embedded_folder import PORT, SOCKET, DataFolder, write_private

SUPERUSER = "caseload_superuser"
ROLES = ("owner", "app", "warehouse", "analyst")
DATABASE = "caseload"

START_SECONDS = 300.0  # crash recovery of a large database is slow
ANSWER_SECONDS = 2.0
LEFTOVER_SECONDS = 30.0
STOP_SECONDS = 120.0

# Written to postgresql.conf once; an operator may change them there.
FIRST_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_connections": "100",
    "wal_level": "replica",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",  # pragma: allowlist secret
    "fsync": "on",
}
# Passed at every start, so that neither an edited file nor ALTER SYSTEM can put values into the log. Terse drops the
# details, but the message itself quotes input ("invalid input syntax for type date: ..."), so errors are not logged at
# all: the client receives them. Failures of the server itself (LOG, FATAL, PANIC) are logged.
FIXED_SETTINGS = {
    "port": PORT,
    "unix_socket_permissions": "0700",
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


def default_data_dir() -> Path:
    if os.geteuid() == 0:
        return ROOT_DATA_DIR
    data_home = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (data_home if data_home.is_absolute() else Path.home() / ".local" / "share") / "caseload"


class EmbeddedServer:
    """A server in a data folder. Holds no state, so any number of processes may use the same folder."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = DataFolder(Path(data_dir), ("superuser", *ROLES))
        self.data_dir = self._folder.path
        self._cluster = self._folder.cluster
        self._log_file = self._folder.log_file

    @property
    def socket_dir(self) -> Path:
        return self._folder.socket_dir

    @property
    def binaries(self) -> Path:
        return find_package_binaries()

    @property
    def pid(self) -> int | None:
        pid = self._read_pid()
        return pid if pid is not None and self._is_postmaster(pid) else None

    def is_running(self) -> bool:
        return self.pid is not None

    def read_password(self, role: str) -> str:
        if role not in ("superuser", *ROLES):
            raise ValueError(f"Unknown role: {role}")
        return self._folder.read_passwords()[role]

    def build_conninfo(self, role: str = "app", dbname: str = DATABASE) -> dict[str, str]:
        """Return the connection parameters of a role."""
        return {
            "host": str(self.socket_dir),
            "port": PORT,
            "user": SUPERUSER if role == "superuser" else f"caseload_{role}",
            "password": self.read_password(role),
            "dbname": dbname,
        }

    def run_tool(
        self, name: str, *args: str | Path, role: str = "superuser", **options: Any
    ) -> subprocess.CompletedProcess[Any]:
        """Run a PostgreSQL client program on this server, as the calling user, like subprocess.run."""
        conninfo = self.build_conninfo(role)
        connection = {f"PG{key.upper()}": conninfo[key] for key in ("host", "port", "user", "password")}
        environment = ENVIRONMENT | connection | {"PGDATABASE": conninfo["dbname"]} | options.pop("env", {})
        command = [os.fspath(word) for word in (self.binaries / name, *args)]
        return subprocess.run(command, env=environment, **options)  # noqa: PLW1510, S603 - no shell; callers set check=

    def ensure(self) -> None:
        """Create the database if missing, start it if stopped, and return once it accepts connections."""
        if self._is_accepting_connections():
            return
        with self._folder.translate_os_errors():
            self._folder.refuse_foreign_folder()
            account = ServerAccount(self._cluster)
            if not self._cluster.exists():
                self._check_owner(account)
            account.check_reach(self.data_dir if self._cluster.exists() else self.data_dir.parent)
            find_package_binaries()  # fails before anything is created
            self.data_dir.mkdir(parents=True, exist_ok=True)
            with self._folder.lock() as lock:
                if self._is_accepting_connections():
                    return
                if not self._cluster.exists():
                    self._initialize(account, lock)
                self._folder.check_cluster()
                self._start(account)

    def stop(self) -> bool:
        """Stop the server and return whether it was running. Open transactions are rolled back."""
        with self._folder.translate_os_errors():
            if not self._cluster.exists():
                return False
            self._folder.refuse_foreign_folder()
            with self._folder.lock():
                pid = self.pid
                if pid is None:
                    return False
                os.kill(pid, signal.SIGINT)  # PostgreSQL's fast mode
                deadline = time.monotonic() + STOP_SECONDS
                while self._is_postmaster(pid):
                    if time.monotonic() > deadline:
                        raise StoreProblem(
                            f"The embedded database did not stop within {STOP_SECONDS:.0f} seconds. "
                            f"Read {self._log_file} and try again."
                        )
                    time.sleep(0.01)
                if self.socket_dir.parent != self.data_dir:
                    with contextlib.suppress(OSError):
                        self.socket_dir.rmdir()
        return True

    # Status

    def _read_pid(self) -> int | None:
        try:
            with (self._cluster / "postmaster.pid").open("rb") as file:
                pid = int(file.readline())
        except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError):
            return None
        return pid if pid > 0 else None

    def _is_postmaster(self, pid: int) -> bool:
        """Return whether this process is our server: pids are reused, and a dead server may linger as a zombie.

        A wrong False is harmless: the start that follows finds the shared memory of the old server in use.
        """
        if not Path("/proc/self").exists():  # macOS
            with contextlib.suppress(OSError):
                os.kill(pid, 0)
                return True
            return False
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self._cluster)
        except PermissionError:  # root in a container may not look at other accounts' working folders
            with contextlib.suppress(OSError):
                return os.fsencode(self._build_socket_setting()) in Path(f"/proc/{pid}/cmdline").read_bytes().split(
                    b"\0"
                )
            return False
        except (FileNotFoundError, ProcessLookupError):
            return False

    def _is_accepting_connections(self) -> bool:
        """Return whether our server accepts connections: starts to connect, and hangs up when asked for a password."""
        try:
            if self.socket_dir.lstat().st_uid != self._cluster.stat().st_uid:
                return False  # a folder under /tmp that belongs to another user
            with socket.socket(socket.AF_UNIX) as caller:
                caller.settimeout(ANSWER_SECONDS)
                caller.connect(str(self.socket_dir / SOCKET))
                if hasattr(socket, "SO_PEERCRED"):
                    peer = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
                    if peer not in (0, self._read_pid()):  # 0: a process outside our container
                        return False
                parameters = f"user\0{SUPERUSER}\0database\0{DATABASE}\0\0".encode()
                caller.sendall(struct.pack("!2i", len(parameters) + 8, 3 << 16) + parameters)
                reply = caller.recv(4096)
        except OSError:
            return False
        # An error (such as all connections taken) also counts, unless the server is starting or stopping.
        return reply[:1] == b"R" or (reply[:1] == b"E" and b"57P03" not in reply)

    # Creation and start; the caller holds the lock

    def _check_owner(self, account: ServerAccount) -> None:
        if self.data_dir.exists() and self.data_dir.stat().st_uid not in (0, account.uid):
            raise build_ownership_problem(self.data_dir)

    def _initialize(self, account: ServerAccount, lock: int) -> None:
        account.check_name()
        if self.data_dir.stat().st_uid == os.geteuid():
            # The server's account must be able to enter, but not to list the folder.
            self.data_dir.chmod(0o700 if account.is_caller else 0o711)
        account.check_reach(self.data_dir)
        binaries = prepare_server_binaries(account, self.data_dir)
        self._folder.create_passwords()
        part = self.data_dir / "pg.part"
        password_file = self.data_dir / "password.part"
        if part.exists():
            shutil.rmtree(part)
        try:
            account.own_folder(part)
            write_private(password_file, self.read_password("superuser"))
            account.own(password_file)
            self._make_cluster(account, binaries, lock)
            part.rename(self._cluster)
        finally:
            password_file.unlink(missing_ok=True)
            shutil.rmtree(part, ignore_errors=True)

    def _make_cluster(self, account: ServerAccount, binaries: Path, lock: int) -> None:
        # Paths are relative to the data folder, since these programs pass them to a shell. They inherit the lock: if
        # this process is killed they keep writing, and no other one may start over in the folder before they end.
        options: dict[str, Any] = {"cwd": self.data_dir, "pass_fds": [lock]}
        settings = [f"--set={name}={value}" for name, value in FIRST_SETTINGS.items()]
        encoding = ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        access = ["-U", SUPERUSER, "--pwfile=password.part", "-A", "scram-sha-256", "--data-checksums"]
        result = account.run(binaries / "initdb", "-D", "pg.part", *access, *encoding, *settings, **options)
        if result.returncode == 0:
            # In single-user mode before the rename, so that a cluster is never without its database.
            single = ["--single", "-D", "pg.part", "-c", "log_checkpoints=off", "postgres"]
            create = f"create database {DATABASE};\n"
            result = account.run(binaries / "postgres", *single, input=create, **options)
        if result.returncode == 0 and not any(word in result.stdout for word in ("ERROR:", "FATAL:")):
            return
        if self._folder.is_disk_full(result.stdout):
            raise self._folder.build_disk_full_problem()
        faults = [line for line in result.stdout.splitlines() if any(word in line for word in ("error:", "FATAL:"))]
        last = faults[-1] if faults else "no reason given"
        raise StoreProblem(
            f"The embedded database could not be created in {self.data_dir}: {last.strip()}. "
            "Correct this and try again, or choose another data folder; no partial files were left behind."
        )

    def _start(self, account: ServerAccount) -> None:
        binaries = prepare_server_binaries(account, self.data_dir)
        account.own_folder(self.socket_dir)
        account.own_folder(self._log_file.parent)
        start = time.monotonic()
        while not self._is_accepting_connections():
            if time.monotonic() > start + START_SECONDS:
                raise StoreProblem(
                    f"The embedded database has accepted no connections for {START_SECONDS:.0f} seconds. "
                    f"Read {self._log_file}. If it is still recovering, wait and try again."
                )
            if self.pid is None:
                self._launch(account, binaries, patient=time.monotonic() < start + LEFTOVER_SECONDS)
            time.sleep(0.02)

    def _launch(self, account: ServerAccount, binaries: Path, *, patient: bool) -> None:
        self._clear_leftovers()
        settings = [f"{name}={value}" for name, value in FIXED_SETTINGS.items()] + [self._build_socket_setting()]
        options = shlex.join(word for setting in settings for word in ("-c", setting))
        log_size = self._log_file.stat().st_size if self._log_file.exists() else 0
        # Without -l the server would hold the pipe open, and reading it would never end.
        command = ["start", "--silent", "-w", "-D", "pg", "-l", "log/server.log", "-o", options]
        result = account.run(binaries / "pg_ctl", *command, cwd=self.data_dir)
        if result.returncode == 0 or self.pid is not None:
            return
        reason = result.stdout
        if self._log_file.exists():
            with self._log_file.open(errors="replace") as log:
                log.seek(log_size)
                reason += log.read(100_000)
        if self._folder.is_disk_full(reason):
            raise self._folder.build_disk_full_problem()
        if "is still in use" in reason and patient:
            time.sleep(0.1)  # processes of a killed server are still ending
            return
        raise StoreProblem(
            f"The embedded database in {self.data_dir} does not start. "
            f"Read the end of {self._log_file} for the reason, correct it, and start again."
        )

    def _clear_leftovers(self) -> None:
        """Remove the pid and lock files of a dead server, which would block the next one.

        The pid in them may now be a zombie's or another program's, which PostgreSQL takes for a live server. If
        processes of the old server are still writing, PostgreSQL detects them by the shared memory of this folder.
        """
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        (self.socket_dir / f"{SOCKET}.lock").unlink(missing_ok=True)

    def _build_socket_setting(self) -> str:
        quoted = str(self.socket_dir).replace('"', '""')
        return f'unix_socket_directories="{quoted}"'
