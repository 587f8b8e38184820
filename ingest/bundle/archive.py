"""The export of a practice as one encrypted file: a zip archive of the bundle that is never on disk in the clear."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple
from uuid import UUID

from ingest.bundle.export import export_tables
from practice.errors import CaseloadError
from practice.security.installation import Installation
from practice.store.sealed_file import read_sealed, write_sealed

CHUNK_BYTES = 1 << 20


class ArchiveSummary(NamedTuple):
    """Size and hash of the zip archive inside the file, and the rows in it."""

    size: int
    sha256: bytes
    rows: int


def write_archive(
    installation: Installation, tenant_id: UUID, file: Path, now: datetime, count: Callable[[int, int], None]
) -> ArchiveSummary:
    """Write the practice's bundle. The file appears as a whole, readable by its owner alone, or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(f"{file.name}.new")
    part.unlink(missing_ok=True)
    digest, size = hashlib.sha256(), 0

    def drain(source: IO[bytes]) -> Iterator[bytes]:
        nonlocal size
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            yield chunk

    try:
        with (
            open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out,
            ThreadPoolExecutor(1) as pool,
        ):
            read_end, write_end = os.pipe()
            # closed before the pool waits for its thread, which then fails instead of waiting for a reader
            with os.fdopen(read_end, "rb") as source:
                zipping = pool.submit(zip_tables, installation, tenant_id, write_end, now, count)
                write_sealed(out, derive_key(installation), {"key_id": installation.master.key_id}, drain(source))
                counts = zipping.result()
        part.rename(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return ArchiveSummary(size, digest.digest(), sum(counts.values()))


def zip_tables(
    installation: Installation, tenant_id: UUID, end: int, now: datetime, count: Callable[[int, int], None]
) -> dict[str, int]:
    """Write the zip archive into a pipe, and return the number of rows of each file."""
    with os.fdopen(end, "wb") as pipe, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        return export_tables(
            installation, tenant_id, lambda name: archive.open(name, "w", force_zip64=True), now, count=count
        )


def read_archive(installation: Installation, file: Path) -> Iterator[bytes]:
    """Yield the zip archive in parts, or raise CaseloadError or OSError when the file cannot be read any more."""
    with file.open("rb") as source:
        yield from read_sealed(source, derive_key(installation))


def can_read_archive(installation: Installation, file: Path) -> bool:
    """Return whether the file is there and was written with the present master key."""
    try:
        return next(read_archive(installation, file), None) is not None
    except (OSError, CaseloadError):
        return False


def derive_key(installation: Installation) -> bytes:
    return installation.master.derive("export")
