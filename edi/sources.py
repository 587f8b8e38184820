"""Files, archives and bytes, opened with a limit on their decompressed size. Their content is not looked at here."""

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

_BLOCK_BYTES = 256 * 1024
_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


class SourceFile(NamedTuple):
    """One file that can be read repeatedly, with its decompressed size; `refusal` is the code why it is not read."""

    name: str
    size: int
    read_blocks: Callable[[], Iterator[bytes]]
    refusal: str | None = None


def open_bytes(data: bytes, name: str, limits: Limits) -> list[SourceFile]:
    """Return the file that the bytes hold, or the files of an archive."""
    if data.startswith((_GZIP, *_ZIP)):
        return _open(name, lambda: io.BytesIO(data), len(data), limits)
    return [SourceFile(name, len(data), lambda: iter([data]), _check_size(len(data), limits))]


def open_path(path: Path, limits: Limits) -> list[SourceFile]:
    """Return the file, or the files of a .zip. Raise OSError if the path cannot be opened."""
    return _open(str(path), lambda: path.open("rb"), path.stat().st_size, limits)


def _open(name: str, reopen: Callable[[], BinaryIO], size: int, limits: Limits) -> list[SourceFile]:
    with reopen() as file:
        magic = file.read(4)
    if magic.startswith(_GZIP):
        return [_measure(name, partial(_read_gzip, reopen), limits.file_bytes)]
    if magic.startswith(_ZIP):
        return _open_zip(name, reopen, size, limits)
    return [SourceFile(name, size, partial(_read_plain, reopen), _check_size(size, limits))]


def _open_zip(name: str, reopen: Callable[[], BinaryIO], size: int, limits: Limits) -> list[SourceFile]:
    try:
        with reopen() as file, zipfile.ZipFile(file) as archive:
            members = [info for info in archive.infolist() if not info.is_dir() and "__MACOSX" not in info.filename]
    except _ARCHIVE_ERRORS:
        return [_refuse(name, size, "BAD_ARCHIVE")]
    if len(members) > limits.archive_files or sum(info.file_size for info in members) > limits.file_bytes:
        return [_refuse(name, size, "TOO_LARGE")]
    files, remaining = [], limits.file_bytes
    for member in members:
        # the sizes in the archive may be false, so the decompressed bytes are counted
        file = _measure(f"{name}/{member.filename}", partial(_read_member, reopen, member), remaining)
        files.append(file)
        remaining -= file.size
    return files or [_refuse(name, size, "EMPTY")]


def _read_plain(reopen: Callable[[], BinaryIO]) -> Iterator[bytes]:
    with reopen() as file:
        yield from _read_blocks(file)


def _read_gzip(reopen: Callable[[], BinaryIO]) -> Iterator[bytes]:
    with reopen() as file, gzip.GzipFile(fileobj=file) as data:
        yield from _read_blocks(data)


def _read_member(reopen: Callable[[], BinaryIO], member: zipfile.ZipInfo) -> Iterator[bytes]:
    with reopen() as file, zipfile.ZipFile(file) as archive, archive.open(member) as data:
        yield from _read_blocks(data)


def _read_blocks(data: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    return iter(lambda: data.read(_BLOCK_BYTES), b"")


def _measure(name: str, read_blocks: Callable[[], Iterator[bytes]], limit: int) -> SourceFile:
    """Return the compressed file with its real size.

    It is decompressed once without storing the result, so that a decompression bomb is never held in memory.
    """
    size = 0
    try:
        for block in read_blocks():
            size += len(block)
            if size > limit:
                return _refuse(name, size, "TOO_LARGE")
    except _ARCHIVE_ERRORS:
        return _refuse(name, size, "BAD_ARCHIVE")
    return SourceFile(name, size, read_blocks)


def _refuse(name: str, size: int, code: str) -> SourceFile:
    return SourceFile(name, size, lambda: iter(()), code)


def _check_size(size: int, limits: Limits) -> str | None:
    return "TOO_LARGE" if size > limits.file_bytes else None


def read_all(file: SourceFile) -> bytes:
    blocks = list(file.read_blocks())
    return blocks[0] if len(blocks) == 1 else b"".join(blocks)
