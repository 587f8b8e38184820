"""A file in pieces of whole transactions, so that what is held at once does not grow with it."""

import re
from collections.abc import Iterator
from pathlib import Path

from edi import tokens
from edi.limits import DEFAULT, Limits
from edi.reader import Reader, read_opened
from edi.remittance import Remittance
from edi.sources import Opened, open_bytes, open_path
from edi.tokens import Delimiters, Run

PIECE = 4 * 1024 * 1024


def files_in(source: Path | str | bytes, name: str = "", limits: Limits = DEFAULT) -> list[Opened]:
    """The file at a path (or in bytes), or the files of an archive, each to be streamed on its own."""
    return open_bytes(source, name, limits) if isinstance(source, bytes) else open_path(Path(source), limits)


def stream(
    source: Path | str | bytes | Opened, limits: Limits = DEFAULT, piece_bytes: int = PIECE
) -> Iterator[Remittance]:
    """A file, or those of an archive, in pieces: each a `Remittance` of whole transactions, about so many bytes long.

    Segments and bytes are counted through; row numbers begin anew in each piece. What is wrong with the end of the
    envelope is known, and told, with the last piece only.
    """
    for one in [source] if isinstance(source, Opened) else files_in(source, limits=limits):
        yield from _stream(one, limits, piece_bytes)


def _stream(opened: Opened, limits: Limits, piece_bytes: int) -> Iterator[Remittance]:
    reader, pieces = Reader(limits), Pieces(opened, limits, piece_bytes)
    code = opened.refused
    for runs in () if code else pieces:
        code = next((code for run in runs if (code := tokens.beyond(run, limits))), None)
        remittance = None if code else reader.read(runs, [(opened.name, opened.size)], [], ends=pieces.ended)
        if remittance is None:
            code = code or "TRANSACTION_TOO_LONG"
            break
        yield remittance
    if code := code or pieces.refused:
        yield read_opened([opened._replace(refused=code)], limits)


class Pieces:
    """The runs of each piece; `ended` once the last is out, `refused` if nothing in the file can be read."""

    def __init__(self, opened: Opened, limits: Limits, piece_bytes: int) -> None:
        self.opened, self.limits, self.piece_bytes = opened, limits, piece_bytes
        self.ended = False
        self.refused: str | None = None

    def __iter__(self) -> Iterator[list[Run]]:
        held, offset = b"", 0
        delimiters: Delimiters | None = None
        blocks = self._blocks()
        while not self.ended:
            held, self.ended = self._filled(held, blocks)
            if delimiters is None:
                first = tokens.first_interchange(held, self.limits.segment_bytes)
                if first is None and not self.ended and len(held) < self.limits.segment_bytes + tokens.HEADER_BYTES:
                    continue
                if first is None:
                    self.refused = "NOT_X12" if held.strip() else "EMPTY"
                    return
                start, delimiters = first
                held, offset = held[start:], offset + start
            delimiters = tokens.delimiters_at(held, len(held) - len(held.lstrip())) or delimiters
            end = len(held) if self.ended else _end_of_transaction(held, delimiters)
            if end is None:
                if self._endless(held, delimiters):
                    self.refused = "SEGMENT_TOO_LONG"
                    return
                continue
            if not self.ended and _is_empty(held[end:], delimiters):
                continue  # if nothing comes any more, what is missing has to be told with this piece
            if not _is_empty(held[:end], delimiters):
                runs = tokens.cut([tokens.run_of(0, held[:end], 0, delimiters, offset)])
                delimiters = runs[-1].delimiters
                yield runs
            held, offset = held[end:], offset + end

    def _endless(self, held: bytes, delimiters: Delimiters) -> bool:
        """Whether its last segment is too long, in the delimiters of its last interchange."""
        if len(held) - held.rfind(delimiters.end) <= self.limits.segment_bytes:
            return False
        begun, last = [(0, delimiters), *tokens.interchanges(held, 0, delimiters)][-1]
        return len(held) - max(begun, held.rfind(last.end)) > self.limits.segment_bytes

    def _blocks(self) -> Iterator[bytes]:
        for block in self.opened.blocks():
            for at in range(0, len(block), self.piece_bytes):
                yield block[at : at + self.piece_bytes]

    def _filled(self, held: bytes, blocks: Iterator[bytes]) -> tuple[bytes, bool]:
        """At least one block more, and as much as a piece should have; or by half more than was held, since all of it
        is searched again."""
        parts, size, wanted = [held], len(held), max(self.piece_bytes, len(held) * 3 // 2)
        for block in blocks:
            parts.append(block)
            size += len(block)
            if size >= wanted:
                return b"".join(parts), False
        return b"".join(parts), True


def _is_empty(data: bytes, delimiters: Delimiters) -> bool:
    return not data.strip((delimiters.segment + delimiters.blanks).encode("latin-1"))


def _end_of_transaction(held: bytes, delimiters: Delimiters) -> int | None:
    """Behind the last SE; or before an interchange with other delimiters, which this search cannot see into.

    A transaction that such an interchange breaks off stays in one piece with it: only there is it told.
    """
    sign, separator = delimiters.end, delimiters.element.encode("latin-1")
    at = max(held.rfind(sign + blank + b"SE" + separator) for blank in (b"", b"\n", b"\r\n"))
    end = held.find(sign, at + 3) if at >= 0 else -1
    if end >= 0:
        return end + 1
    for place, changed in tokens.interchanges(held, 0, delimiters):
        if changed != delimiters:
            if not re.search(rb"(?:\A|%s)\s*ST%s" % (re.escape(sign), re.escape(separator)), held[:place]):
                return place
            rest = _end_of_transaction(held[place:], changed)
            return None if rest is None else place + rest
    return None
