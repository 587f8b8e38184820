"""The 835 as columns: a remittance file in, frames out, and every problem with its place.

    import edi

    remittance = edi.read(data)                     # bytes of an 835, or of a .gz or .zip of some
    remittance.claims                               # a Polars frame; `edi.layout` says what its columns mean
    remittance.claims.filter(~remittance.claims["balanced"])
    remittance.problems.select("segment", "code", "message")

    edi.read_files(["a.835", "b.835", "c.zip"])     # many files in one go, told apart by the column `file`
    for piece in edi.stream("large.835"):           # whole transactions, some megabytes at a time
        print(piece.payments.select("trace_number", "amount_cents", "balanced"))

    edi.claim(remittance, 17)                       # one claim as an object, with its lines and adjustments
    for payment in edi.payments(remittance): ...    # all of them
    edi.write(remittance)                           # back to bytes

Nothing that a file holds raises an error: what cannot be read is a problem in `problems`, and what is too large is
not read at all (`Limits`). The package reads bytes and files and does nothing else; it needs Polars and no more.
"""

from collections.abc import Iterable
from pathlib import Path

from edi.limits import DEFAULT, Limits
from edi.reader import read_opened
from edi.remittance import Remittance
from edi.sources import Opened, open_bytes, open_path
from edi.streaming import files_in, stream
from edi.views import Adjustment, Claim, Line, Payment, Person, claim, payments
from edi.writer import CannotWrite, write

__all__ = [
    "Adjustment",
    "CannotWrite",
    "Claim",
    "Limits",
    "Line",
    "Opened",
    "Payment",
    "Person",
    "Remittance",
    "claim",
    "files_in",
    "payments",
    "read",
    "read_files",
    "read_many",
    "stream",
    "write",
]


def read(data: bytes, name: str = "", limits: Limits = DEFAULT) -> Remittance:
    """The bytes of a file, which may be a .gz or a .zip."""
    return read_opened(open_bytes(data, name, limits), limits)


def read_many(files: Iterable[tuple[str, bytes]], limits: Limits = DEFAULT) -> Remittance:
    """Files by name and bytes, all in one `Remittance`."""
    return read_opened([one for name, data in files for one in open_bytes(data, name, limits)], limits)


def read_files(paths: Iterable[Path | str], limits: Limits = DEFAULT) -> Remittance:
    """Files by path, all in one `Remittance`."""
    return read_opened([one for path in paths for one in open_path(Path(path), limits)], limits)
