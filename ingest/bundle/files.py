"""The sources of a bundle's files: a folder or a .zip. Only regular files of the bundle itself are read."""

import os
import stat
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ingest.bundle.format import TABLES_BY_FILE
from ingest.bundle.problems import BundleRefused, Problem

MAX_BUNDLE_BYTES = 8 << 30  # some twenty years of the largest practices; more is not one practice's record
MAX_FILE_BYTES = 2 << 30  # a file is read into memory; a million appointments take a tenth of this
MAX_COMPRESSION_RATIO = 200  # unpacked to packed; honest CSV compresses to a fiftieth at best
RATIO_CHECKED_FROM_BYTES = 1 << 20  # the ratio of a smaller file means nothing
MAX_ARCHIVE_ENTRIES = 1_000  # the bundle has some twenty files
COMPRESSION_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class FolderSource:
    """A bundle in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def list_files(self) -> list[str]:
        return sorted(entry.name for entry in os.scandir(self.folder) if not entry.is_dir(follow_symlinks=False))

    def find_problem(self, name: str) -> str | None:
        """Return why the file must not be read, or None. Opening a pipe would block, and a link may lead anywhere."""
        path = self.folder / name
        try:
            real_path = path.resolve(strict=True)
            status = real_path.stat()
        except (OSError, RuntimeError):
            return "The file cannot be opened. Put the file itself into the folder."
        if real_path.parent != self.folder:
            return "The file is a link out of the folder. Put the file itself there."
        if not stat.S_ISREG(status.st_mode):
            return "This is not a regular file. Put a CSV file there."
        return find_size_problem(status.st_size)

    def get_size(self, name: str) -> int:
        return (self.folder / name).stat().st_size

    def read(self, name: str) -> bytes:
        with (self.folder / name).open("rb") as file:
            return file.read(MAX_FILE_BYTES)


class ZipSource:
    """A bundle in an archive, which is never unpacked: files are read one at a time, by the names the bundle knows."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.name = Path(archive.filename or "").name
        self.entries: dict[str, zipfile.ZipInfo] = {}

    def list_files(self) -> list[str]:
        return sorted(self.entries)

    def find_problem(self, name: str) -> str | None:
        """Return why the file must not be read, or None."""
        entry = self.entries[name]
        if entry.flag_bits & 0x1:
            return "The file is encrypted. Create the archive without a password."
        if entry.compress_type not in COMPRESSION_METHODS:
            return "The compression method is not supported. Create an ordinary zip archive (deflate)."
        if entry.file_size > RATIO_CHECKED_FROM_BYTES and entry.file_size > MAX_COMPRESSION_RATIO * entry.compress_size:
            return (
                f"The file would unpack to more than {MAX_COMPRESSION_RATIO} times its size, which CSV does not. "
                "Check its content."
            )
        return find_size_problem(entry.file_size)

    def get_size(self, name: str) -> int:
        return self.entries[name].file_size

    def read(self, name: str) -> bytes:
        """Return the file's content, and never more than its declared size: the limits were checked against that."""
        entry = self.entries[name]
        try:
            with self.archive.open(entry) as file:
                data = file.read(entry.file_size + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error):
            raise make_refusal(name, "The file in the archive is damaged. Create the archive again.") from None
        if len(data) != entry.file_size:
            raise make_refusal(
                name, "The file does not have the size that the archive declares. Create the archive again."
            )
        return data

    def index_entries(self) -> None:
        """Collect the files at the top of the archive, or in the single folder that contains everything."""
        entries = self.archive.infolist()
        if len(entries) > MAX_ARCHIVE_ENTRIES:
            raise make_refusal(
                self.name, "The archive holds far more files than a bundle has. Add only the bundle's files."
            )
        files = [entry for entry in entries if not entry.is_dir() and not is_hidden(entry.filename)]
        for entry in files:
            if is_unsafe_path(entry.filename):
                raise make_refusal(
                    self.name, "The archive holds a path that leads out of it. Add only the bundle's files."
                )
        folders = {PurePosixPath(entry.filename).parent for entry in files}
        bundle_folders = {folder for folder in folders if has_practice(files, folder)}
        if len(bundle_folders) > 1:
            raise make_refusal("practice.csv", "The archive holds several practices. Import one bundle at a time.")
        bundle_folder = (
            bundle_folders.pop()
            if bundle_folders
            else min(folders, key=lambda folder: len(folder.parts), default=PurePosixPath("."))
        )
        if len(bundle_folder.parts) > 1:
            raise make_refusal(
                self.name,
                "The bundle's files are too deep in the archive. Put them at its top, or into one folder there.",
            )
        for entry in files:
            path = PurePosixPath(entry.filename)
            if path.parent != bundle_folder:
                continue
            if path.name in self.entries:
                raise make_refusal(path.name, "The archive holds this file twice. Create the archive again.")
            self.entries[path.name] = entry


Source = FolderSource | ZipSource


@contextmanager
def open_source(path: Path) -> Generator[Source]:
    """Yield the bundle's files at this path, or raise BundleRefused if it is neither a folder nor a zip archive."""
    if path.is_dir():
        yield FolderSource(path)
    elif path.is_file():
        try:
            with zipfile.ZipFile(path) as archive:
                source = ZipSource(archive)
                source.index_entries()
                yield source
        except zipfile.BadZipFile:
            raise make_refusal(
                path.name, "This is neither a folder nor a zip archive. Choose the folder of the CSV files."
            ) from None
    else:
        raise make_refusal(path.name, "Folder or archive not found. Check the path.")


def check_sizes(source: Source, names: list[str]) -> None:
    """Raise BundleRefused if the readable files together exceed the limit for a bundle."""
    if sum(source.get_size(name) for name in names if not source.find_problem(name)) > MAX_BUNDLE_BYTES:
        raise make_refusal(
            "practice.csv", f"The bundle is larger than {MAX_BUNDLE_BYTES >> 30} GiB. Import one practice at a time."
        )


def find_size_problem(size: int) -> str | None:
    """Return why a file of this size must not be read, or None."""
    if size > MAX_FILE_BYTES:
        return f"The file is larger than {MAX_FILE_BYTES >> 30} GiB. Check its content."
    return None


def make_refusal(file: str, message: str) -> BundleRefused:
    return BundleRefused([Problem(file, None, None, message)], 1)


def is_hidden(name: str) -> bool:
    """Return whether an operating system added this file by itself."""
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def is_unsafe_path(name: str) -> bool:
    """Return whether a path could lead out of the archive."""
    return name.startswith("/") or "\\" in name or name[1:2] == ":" or ".." in PurePosixPath(name).parts


def has_practice(files: list[zipfile.ZipInfo], folder: PurePosixPath) -> bool:
    return any(PurePosixPath(entry.filename) == folder / "practice.csv" for entry in files)


def is_csv(name: str) -> bool:
    return name.lower().endswith(".csv") and not name.startswith(".")


def list_unknown_files(names: list[str]) -> list[str]:
    """Return the CSV files that are not part of a bundle."""
    return [name for name in names if is_csv(name) and name not in TABLES_BY_FILE]
