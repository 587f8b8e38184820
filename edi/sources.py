"""Files, archives and bytes, opened with a cap on what comes out of them. What they hold is no matter here."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from lzma import LZMAError
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

from edi.limits import Limits

_BLOCK = 256 * 1024
_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGED = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


class Opened(NamedTuple):
    """One file, to be read once or more; or, by code, why it is not. `size` is that of the data, decompressed."""

    name: str
    size: int
    blocks: Callable[[], Iterator[bytes]]
    refused: str | None = None


def open_bytes(data: bytes, name: str, limits: Limits) -> list[Opened]:
    if data.startswith((_GZIP, *_ZIP)):
        return _open(name, lambda: io.BytesIO(data), len(data), limits)
    return [Opened(name, len(data), lambda: iter([data]), _over(len(data), limits))]


def open_path(path: Path, limits: Limits) -> list[Opened]:
    """The file, or the files of a .zip. A missing or forbidden file is an OSError, as always."""
    return _open(str(path), lambda: path.open("rb"), path.stat().st_size, limits)


def _open(name: str, again: Callable[[], BinaryIO], size: int, limits: Limits) -> list[Opened]:
    with again() as file:
        magic = file.read(4)
    if magic.startswith(_GZIP):
        return [_measured(name, partial(_unzipped, again), limits.file_bytes)]
    if magic.startswith(_ZIP):
        return _open_zip(name, again, size, limits)
    return [Opened(name, size, partial(_plain, again), _over(size, limits))]


def _open_zip(name: str, again: Callable[[], BinaryIO], size: int, limits: Limits) -> list[Opened]:
    try:
        with again() as file, zipfile.ZipFile(file) as archive:
            members = [one for one in archive.infolist() if not one.is_dir() and "__MACOSX" not in one.filename]
    except _DAMAGED:
        return [_refused(name, size, "BAD_ARCHIVE")]
    if len(members) > limits.archive_files or sum(one.file_size for one in members) > limits.file_bytes:
        return [_refused(name, size, "TOO_LARGE")]
    found, left = [], limits.file_bytes
    for member in members:
        # what the archive says of itself may be a lie: count what comes out
        opened = _measured(f"{name}/{member.filename}", partial(_member, again, member), left)
        found.append(opened)
        left -= opened.size
    return found or [_refused(name, size, "EMPTY")]


def _plain(again: Callable[[], BinaryIO]) -> Iterator[bytes]:
    with again() as file:
        yield from _blocks(file)


def _unzipped(again: Callable[[], BinaryIO]) -> Iterator[bytes]:
    with again() as file, gzip.GzipFile(fileobj=file) as data:
        yield from _blocks(data)


def _member(again: Callable[[], BinaryIO], member: zipfile.ZipInfo) -> Iterator[bytes]:
    with again() as file, zipfile.ZipFile(file) as archive, archive.open(member) as data:
        yield from _blocks(data)


def _blocks(data: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    return iter(lambda: data.read(_BLOCK), b"")


def _measured(name: str, blocks: Callable[[], Iterator[bytes]], most: int) -> Opened:
    """Decompressed once without being kept, so that nothing of a bomb is ever held."""
    size = 0
    try:
        for block in blocks():
            size += len(block)
            if size > most:
                return _refused(name, size, "TOO_LARGE")
    except _DAMAGED:
        return _refused(name, size, "BAD_ARCHIVE")
    return Opened(name, size, blocks)


def _refused(name: str, size: int, code: str) -> Opened:
    return Opened(name, size, lambda: iter(()), code)


def _over(size: int, limits: Limits) -> str | None:
    return "TOO_LARGE" if size > limits.file_bytes else None


def whole(opened: Opened) -> bytes:
    found = list(opened.blocks())
    return found[0] if len(found) == 1 else b"".join(found)
