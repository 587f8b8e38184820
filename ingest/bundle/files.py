"""Where a bundle's bytes come from: a folder or a .zip, of which only regular files of the bundle itself are read."""

import os
import stat
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ingest.bundle.format import FILES
from ingest.bundle.problems import BundleRefused, Problem

MOST_BYTES = 8 << 30  # of all files: some twenty years of the largest practices; more is not one practice's record
MOST_FILE_BYTES = 2 << 30  # of one file, which is read whole: a million appointments take a tenth of it
MOST_RATIO = 200  # unpacked to packed: honest CSV packs to a fiftieth at best
SMALL = 1 << 20  # bytes below which the ratio says nothing
MOST_ENTRIES = 1_000  # of an archive: the bundle has some twenty
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class FolderSource:
    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def names(self) -> list[str]:
        return sorted(entry.name for entry in os.scandir(self.folder) if not entry.is_dir(follow_symlinks=False))

    def trouble(self, name: str) -> str | None:
        """Why the file must not be read. Opening a pipe would wait for ever, and a link may lead anywhere."""
        path = self.folder / name
        try:
            real = path.resolve(strict=True)
            found = real.stat()
        except (OSError, RuntimeError):
            return "The file cannot be reached. Put the file itself into the folder."
        if real.parent != self.folder:
            return "The file is a link out of the folder. Put the file itself there."
        if not stat.S_ISREG(found.st_mode):
            return "This is no regular file. Put a CSV file there."
        return too_large(found.st_size)

    def size(self, name: str) -> int:
        return (self.folder / name).stat().st_size

    def read(self, name: str) -> bytes:
        with (self.folder / name).open("rb") as file:
            return file.read(MOST_FILE_BYTES)


class ZipSource:
    """The archive is never unpacked: its files are read, one at a time, by the names that the bundle knows."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.name = Path(archive.filename or "").name
        self.entries: dict[str, zipfile.ZipInfo] = {}

    def names(self) -> list[str]:
        return sorted(self.entries)

    def trouble(self, name: str) -> str | None:
        entry = self.entries[name]
        if entry.flag_bits & 0x1:
            return "The file is encrypted. Pack it without a password."
        if entry.compress_type not in METHODS:
            return "The file is packed in a way that is not read here. Pack it as an ordinary zip (deflate)."
        if entry.file_size > SMALL and entry.file_size > MOST_RATIO * entry.compress_size:
            return f"The file would unpack to more than {MOST_RATIO} times its size, which no honest CSV does."
        return too_large(entry.file_size)

    def size(self, name: str) -> int:
        return self.entries[name].file_size

    def read(self, name: str) -> bytes:
        """No more than was declared, whatever the archive holds: the limits were judged by that."""
        entry = self.entries[name]
        try:
            with self.archive.open(entry) as file:
                data = file.read(entry.file_size + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error):
            raise refused(name, "The file in the archive is damaged. Pack the bundle again.") from None
        if len(data) != entry.file_size:
            raise refused(name, "The file unpacks to another size than the archive says. Pack the bundle again.")
        return data

    def open_entries(self) -> None:
        """The files at the top, or in the single folder that everything is in."""
        entries = self.archive.infolist()
        if len(entries) > MOST_ENTRIES:
            raise refused(self.name, "The archive holds far more files than a bundle. Pack the bundle's files alone.")
        files = [entry for entry in entries if not entry.is_dir() and not hidden(entry.filename)]
        for entry in files:
            if strange(entry.filename):
                raise refused(
                    self.name, "The archive holds a path that leads out of it. Pack the bundle's files alone."
                )
        folders = {PurePosixPath(entry.filename).parent for entry in files}
        homes = {folder for folder in folders if has_practice(files, folder)}
        if len(homes) > 1:
            raise refused("practice.csv", "The archive holds several practices. Pack one bundle at a time.")
        home = homes.pop() if homes else min(folders, key=lambda f: len(f.parts), default=PurePosixPath("."))
        if len(home.parts) > 1:
            raise refused(
                self.name, "The bundle lies too deep in the archive. Pack its files, or the one folder of them."
            )
        for entry in files:
            path = PurePosixPath(entry.filename)
            if path.parent != home:
                continue
            if path.name in self.entries:
                raise refused(path.name, "The archive holds this file twice. Pack the bundle again.")
            self.entries[path.name] = entry


Source = FolderSource | ZipSource


@contextmanager
def open_source(path: Path) -> Generator[Source]:
    if path.is_dir():
        yield FolderSource(path)
    elif path.is_file():
        try:
            with zipfile.ZipFile(path) as archive:
                source = ZipSource(archive)
                source.open_entries()
                yield source
        except zipfile.BadZipFile:
            raise refused(
                path.name, "This is neither a folder nor a zip archive. Name the folder of the CSV files."
            ) from None
    else:
        raise refused(path.name, "There is no such folder or archive. Look at how the path is written.")


def check_sizes(source: Source, names: list[str]) -> None:
    if sum(source.size(name) for name in names if not source.trouble(name)) > MOST_BYTES:
        raise refused(
            "practice.csv", f"The bundle is larger than {MOST_BYTES >> 30} GiB. Import one practice at a time."
        )


def too_large(size: int) -> str | None:
    if size > MOST_FILE_BYTES:
        return f"The file is larger than {MOST_FILE_BYTES >> 30} GiB. Look at what is in it."
    return None


def refused(file: str, message: str) -> BundleRefused:
    return BundleRefused([Problem(file, None, None, message)], 1)


def hidden(name: str) -> bool:
    """What a system puts beside the files by itself."""
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def strange(name: str) -> bool:
    return name.startswith("/") or "\\" in name or name[1:2] == ":" or ".." in PurePosixPath(name).parts


def has_practice(files: list[zipfile.ZipInfo], folder: PurePosixPath) -> bool:
    return any(PurePosixPath(entry.filename) == folder / "practice.csv" for entry in files)


def is_csv(name: str) -> bool:
    return name.lower().endswith(".csv") and not name.startswith(".")


def unknown(names: list[str]) -> list[str]:
    return [name for name in names if is_csv(name) and name not in FILES]
