"""A columnar reader and writer for remittances (835), with located problems.

    import edi

    remittance = edi.read(data)                     # the bytes of an 835, or of a .gz or .zip of them
    remittance.claims                               # a Polars frame; `edi.layout` documents its columns
    remittance.claims.filter(~remittance.claims["balanced"])
    remittance.problems.select("segment", "code", "message")

    edi.read_files(["a.835", "b.835", "c.zip"])     # many files together; the column `file` tells which
    for piece in edi.stream("large.835"):           # whole transactions, some megabytes at a time
        print(piece.payments.select("trace_number", "amount_cents", "balanced"))

    edi.get_claim(remittance, 17)                   # one claim as an object, with its lines and adjustments
    for payment in edi.iterate_payments(remittance): ...
    edi.write(remittance)                           # back to bytes

The content of a file never raises: what cannot be read is a row of `problems`, and a file above the `Limits` is not
read. The package reads bytes and files and does nothing else; Polars is its only dependency.
"""

from collections.abc import Iterable
from pathlib import Path

from edi.limits import DEFAULT, Limits
from edi.reader import read_sources
from edi.remittance import Remittance
from edi.sources import SourceFile, open_bytes, open_path
from edi.streaming import open_files, stream
from edi.views import Adjustment, Claim, Line, Payment, Person, get_claim, iterate_payments
from edi.writer import CannotWrite, write

__all__ = [
    "Adjustment",
    "CannotWrite",
    "Claim",
    "Limits",
    "Line",
    "Payment",
    "Person",
    "Remittance",
    "SourceFile",
    "get_claim",
    "iterate_payments",
    "open_files",
    "read",
    "read_files",
    "read_many",
    "stream",
    "write",
]


def read(data: bytes, name: str = "", limits: Limits = DEFAULT) -> Remittance:
    """Read the bytes of a file, which may be a .gz or a .zip."""
    return read_sources(open_bytes(data, name, limits), limits)


def read_many(files: Iterable[tuple[str, bytes]], limits: Limits = DEFAULT) -> Remittance:
    """Read files given by name and bytes into one `Remittance`."""
    return read_sources([source for name, data in files for source in open_bytes(data, name, limits)], limits)


def read_files(paths: Iterable[Path | str], limits: Limits = DEFAULT) -> Remittance:
    """Read files given by path into one `Remittance`."""
    return read_sources([source for path in paths for source in open_path(Path(path), limits)], limits)
