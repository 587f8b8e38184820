"""The data folder of the embedded database: its layout, lock, passwords and checks."""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Generator
from pathlib import Path

from practice.errors import StoreProblem
from practice.store.embedded_account import MAJOR, build_ownership_problem
from practice.store.private_files import write_private

PORT = "5432"
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PATH_BYTES = 107
LOCK_TEXT = b"This folder belongs to Caseload's embedded PostgreSQL.\n"
DISK_FULL = ("No space left on device", "Check free disk space", "Disk quota exceeded", "File too large")


class DataFolder:
    """The data folder of an embedded database."""

    def __init__(self, path: Path, roles: tuple[str, ...]) -> None:
        self.path = path.resolve()
        self.roles = roles
        self.cluster = self.path / "pg"
        self.log_file = self.path / "log" / "server.log"
        self.passwords_file = self.path / "passwords.json"

    @property
    def socket_dir(self) -> Path:
        folder = self.path / "run"
        # The path of a socket is limited in length, and libpq splits hosts at commas.
        if len(os.fsencode(folder / SOCKET)) <= SOCKET_PATH_BYTES and "," not in str(folder):
            return folder
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path("/tmp") / f"caseload-{name}"  # noqa: S108 - created 0700, and its owner is checked before each use

    @contextlib.contextmanager
    def lock(self) -> Generator[int]:
        """Lock the folder for creation, start or stop, and yield the file descriptor of the lock."""
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_size == 0:
                os.write(lock, LOCK_TEXT)
            yield lock
        finally:
            os.close(lock)

    def read_passwords(self) -> dict[str, str]:
        with self.translate_os_errors():
            try:
                stored = json.loads(self.passwords_file.read_text())
                passwords = {role: stored[role] for role in self.roles}
            except FileNotFoundError:
                fault = "is missing"
            except (ValueError, KeyError, TypeError):
                fault = "is damaged"
            else:
                if all(isinstance(password, str) and password for password in passwords.values()):
                    return passwords
                fault = "is damaged"
        raise StoreProblem(
            f"The file {self.passwords_file} {fault}. The embedded database cannot be opened without it. "
            "Restore it from a backup of the data folder."
        )

    def create_passwords(self) -> None:
        if not self.passwords_file.exists():
            passwords = {role: secrets.token_urlsafe(32) for role in self.roles}
            write_private(self.passwords_file, json.dumps(passwords, indent=2) + "\n")

    def refuse_foreign_folder(self) -> None:
        """Raise StoreProblem if the folder is not Caseload's, before anything in it changes."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise StoreProblem(f"The data folder {self.path} is a file. Remove it, or choose another data folder.")
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise build_ownership_problem(self.path)
        lock = self.path / "lock"
        names = {entry.name for entry in self.path.iterdir()} - {"lost+found"}
        text = lock.read_bytes() if lock.is_file() else None
        # An empty lock alone: another process is just creating the folder, or failed to.
        if names and text != LOCK_TEXT and not (names == {"lock"} and text == b""):
            raise StoreProblem(
                f"The data folder {self.path} contains files of other programs. "
                "Choose an empty folder, or one that does not exist yet."
            )

    def check_cluster(self) -> None:
        """Raise StoreProblem if the cluster is damaged or of another PostgreSQL version."""
        self.read_passwords()
        version_file = self.cluster / "PG_VERSION"
        if not version_file.is_file():
            raise StoreProblem(
                f"The database in {self.cluster} is damaged: it has no PG_VERSION. Restore it from a backup."
            )
        version = version_file.read_text().strip()
        if version != MAJOR:
            raise StoreProblem(
                f"The database in {self.cluster} was created by PostgreSQL {version}, but this is PostgreSQL {MAJOR}. "
                "Choose another data folder, and transfer the data by export and import."
            )

    def is_disk_full(self, output: str) -> bool:
        # On a full disk the log itself often cannot be written, hence the check of free space.
        return any(message in output for message in DISK_FULL) or shutil.disk_usage(self.path).free < 1 << 20

    def build_disk_full_problem(self) -> StoreProblem:
        return StoreProblem(
            f"The disk of the data folder {self.path} is full. Free up space and start again; committed data is safe."
        )

    @contextlib.contextmanager
    def translate_os_errors(self) -> Generator[None]:
        """Raise StoreProblem for errors of the operating system in the block."""
        try:
            yield
        except OSError as problem:
            if any(message in str(problem) for message in DISK_FULL):
                raise self.build_disk_full_problem() from problem
            where = f" ({problem.filename})" if problem.filename else ""
            raise StoreProblem(
                f"The data folder {self.path} cannot be used: {problem.strerror or problem}{where}. "
                "Correct this, or choose another data folder."
            ) from problem
