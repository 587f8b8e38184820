"""The data folder of the embedded database: what belongs where, its lock, its passwords, and when it is refused."""

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
from practice.store.embedded_account import MAJOR, belongs_to_another
from practice.store.private_files import write_private

PORT = "5432"
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PATH_BYTES = 107
LOCK_TEXT = b"This folder belongs to Caseload's embedded PostgreSQL.\n"
DISK_FULL = ("No space left on device", "Check free disk space", "Disk quota exceeded", "File too large")


class DataFolder:
    def __init__(self, path: Path, roles: tuple[str, ...]) -> None:
        self.path = path.resolve()
        self.roles = roles
        self.cluster = self.path / "pg"
        self.log_file = self.path / "log" / "server.log"
        self.passwords_file = self.path / "passwords.json"

    @property
    def socket_dir(self) -> Path:
        folder = self.path / "run"
        # A socket's path has a limit, and to libpq a comma separates two hosts.
        if len(os.fsencode(folder / SOCKET)) <= SOCKET_PATH_BYTES and "," not in str(folder):
            return folder
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path("/tmp") / f"caseload-{name}"  # noqa: S108 - made 0700, and its owner is checked before each use

    @contextlib.contextmanager
    def locked(self) -> Generator[int]:
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_size == 0:
                os.write(lock, LOCK_TEXT)
            yield lock
        finally:
            os.close(lock)

    def passwords(self) -> dict[str, str]:
        with self.in_sentences():
            try:
                found = json.loads(self.passwords_file.read_text())
                passwords = {role: found[role] for role in self.roles}
            except FileNotFoundError:
                fault = "is missing"
            except (ValueError, KeyError, TypeError):
                fault = "is damaged"
            else:
                if all(isinstance(password, str) and password for password in passwords.values()):
                    return passwords
                fault = "is damaged"
        raise StoreProblem(
            f"The file {self.passwords_file} {fault}, and without it nobody can sign in to the embedded database. "
            "Restore it from a backup of the data folder."
        )

    def make_passwords(self) -> None:
        if not self.passwords_file.exists():
            passwords = {role: secrets.token_urlsafe(32) for role in self.roles}
            write_private(self.passwords_file, json.dumps(passwords, indent=2) + "\n")

    def check_ours(self) -> None:
        """Refuse a folder that is not ours before anything in it is touched."""
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise StoreProblem(f"The data folder {self.path} is a file. Remove it, or choose another data folder.")
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise belongs_to_another(self.path)
        lock = self.path / "lock"
        names = {entry.name for entry in self.path.iterdir()} - {"lost+found"}
        text = lock.read_bytes() if lock.is_file() else None
        # An empty lock alone is another process's first moment, or its last.
        if names and text != LOCK_TEXT and not (names == {"lock"} and text == b""):
            raise StoreProblem(
                f"The data folder {self.path} holds files that are not Caseload's. "
                "Choose an empty folder, or one that does not exist yet."
            )

    def check_cluster(self) -> None:
        self.passwords()
        version_file = self.cluster / "PG_VERSION"
        if not version_file.is_file():
            raise StoreProblem(
                f"The database in {self.cluster} is damaged: it has no PG_VERSION. Restore it from a backup."
            )
        version = version_file.read_text().strip()
        if version != MAJOR:
            raise StoreProblem(
                f"The database in {self.cluster} was made by PostgreSQL {version}, and this is PostgreSQL {MAJOR}. "
                "Choose another data folder, and bring the data over by export and import."
            )

    def disk_is_full(self, said: str) -> bool:
        # On a full disk the log itself often cannot be written, hence the look at the disk.
        return any(words in said for words in DISK_FULL) or shutil.disk_usage(self.path).free < 1 << 20

    def disk_problem(self) -> StoreProblem:
        return StoreProblem(
            f"The disk that holds the data folder {self.path} is full. Make room there and start again; "
            "what was committed is safe."
        )

    @contextlib.contextmanager
    def in_sentences(self) -> Generator[None]:
        """What the operating system refuses, said as a sentence."""
        try:
            yield
        except OSError as problem:
            if any(words in str(problem) for words in DISK_FULL):
                raise self.disk_problem() from problem
            where = f" ({problem.filename})" if problem.filename else ""
            raise StoreProblem(
                f"The data folder {self.path} cannot be used: {problem.strerror or problem}{where}. "
                "Put that right, or choose another data folder."
            ) from problem
