"""Files, archives and bytes, opened with a cap on what comes out of them. What they hold is no matter here."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from lzma import LZMAError
from pathlib import Path
from typing import BinaryIO, NamedTuple

from edi.limits import Limits

_BLOCK = 256 * 1024
_DAMAGED = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


class Opened(NamedTuple):
    """One file, to be read once or more; or, by code, why it is not. `size` is that of the data, decompressed."""

    name: str
    size: int
    blocks: Callable[[], Iterator[bytes]]
    refused: str | None = None


def open_bytes(data: bytes, name: str, limits: Limits) -> list[Opened]:
    if data[:4] not in (b"PK\x03\x04", b"PK\x05\x06") and data[:2] != b"\x1f\x8b":
        return [Opened(name, len(data), lambda: iter([data]), _over(len(data), limits))]
    return _open(name, lambda: io.BytesIO(data), len(data), limits)


def open_path(path: Path, limits: Limits) -> list[Opened]:
    """The file, or the files of a .zip. A missing or forbidden file is an OSError, as always."""
    return _open(str(path), lambda: path.open("rb"), path.stat().st_size, limits)


def _open(name: str, again: Callable[[], BinaryIO], size: int, limits: Limits) -> list[Opened]:
    with again() as file:
        magic = file.read(4)
    if magic[:2] == b"\x1f\x8b":
        return [_measured(name, lambda: _blocks(again, gzip.GzipFile), limits)]
    if magic in (b"PK\x03\x04", b"PK\x05\x06"):
        return _open_zip(name, again, size, limits)
    return [Opened(name, size, lambda: _blocks(again), _over(size, limits))]


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
        opened = _measured(f"{name}/{member.filename}", _member(again, member), limits, left)
        found.append(opened)
        left -= opened.size
    return found or [_refused(name, size, "EMPTY")]


def _member(again: Callable[[], BinaryIO], member: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    def blocks() -> Iterator[bytes]:
        with again() as file, zipfile.ZipFile(file) as archive, archive.open(member) as data:
            yield from iter(lambda: data.read(_BLOCK), b"")

    return blocks


def _blocks(again: Callable[[], BinaryIO], unpack: type[gzip.GzipFile] | None = None) -> Iterator[bytes]:
    with again() as file:
        if unpack is None:
            yield from iter(lambda: file.read(_BLOCK), b"")
        else:
            with unpack(fileobj=file) as data:
                yield from iter(lambda: data.read(_BLOCK), b"")


def _measured(name: str, blocks: Callable[[], Iterator[bytes]], limits: Limits, left: int | None = None) -> Opened:
    """Decompressed once without being kept, so that nothing of a bomb is ever held."""
    most = limits.file_bytes if left is None else left
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
    return b"" if opened.refused else joined(opened.blocks())


def joined(blocks: Iterable[bytes]) -> bytes:
    found = list(blocks)
    return found[0] if len(found) == 1 else b"".join(found)
