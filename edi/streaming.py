"""Reading a file in pieces of whole transactions, so that memory does not grow with the size of the file."""

import re
from collections.abc import Iterator
from pathlib import Path

from edi import tokens
from edi.limits import DEFAULT, Limits
from edi.reader import Reader, read_sources
from edi.remittance import Remittance
from edi.sources import SourceFile, open_bytes, open_path
from edi.tokens import Delimiters, Span

PIECE_BYTES = 4 * 1024 * 1024


def open_files(source: Path | str | bytes, name: str = "", limits: Limits = DEFAULT) -> list[SourceFile]:
    """Return the file at a path (or in bytes), or the files of an archive, each to be streamed separately."""
    return open_bytes(source, name, limits) if isinstance(source, bytes) else open_path(Path(source), limits)


def stream(
    source: Path | str | bytes | SourceFile, limits: Limits = DEFAULT, piece_bytes: int = PIECE_BYTES
) -> Iterator[Remittance]:
    """Yield a file, or those of an archive, in pieces of about this size: each a `Remittance` of whole transactions.

    Segment numbers and byte offsets continue across pieces; row numbers start again in each piece. Problems with the
    end of the envelope are known, and reported, only with the last piece.
    """
    for file in [source] if isinstance(source, SourceFile) else open_files(source, limits=limits):
        yield from _stream_file(file, limits, piece_bytes)


def _stream_file(file: SourceFile, limits: Limits, piece_bytes: int) -> Iterator[Remittance]:
    reader, pieces = Reader(limits), Pieces(file, limits, piece_bytes)
    code = file.refusal
    for spans in () if code else pieces:
        code = next((code for span in spans if (code := tokens.find_exceeded_limit(span, limits))), None)
        remittance = None if code else reader.read(spans, [(file.name, file.size)], [], is_last=pieces.at_end)
        if remittance is None:
            code = code or "TRANSACTION_TOO_LONG"
            break
        yield remittance
    if code := code or pieces.refusal:
        yield read_sources([file._replace(refusal=code)], limits)


class Pieces:
    """The spans of each piece; `at_end` once the last is yielded, `refusal` if nothing in the file can be read."""

    def __init__(self, file: SourceFile, limits: Limits, piece_bytes: int) -> None:
        self.file, self.limits, self.piece_bytes = file, limits, piece_bytes
        self.at_end = False
        self.refusal: str | None = None

    def __iter__(self) -> Iterator[list[Span]]:
        buffer, offset = b"", 0
        delimiters: Delimiters | None = None
        blocks = self._read_blocks()
        while not self.at_end:
            buffer, self.at_end = self._fill_buffer(buffer, blocks)
            if delimiters is None:
                first = tokens.find_first_interchange(buffer, self.limits.segment_bytes)
                search_bytes = self.limits.segment_bytes + tokens.HEADER_BYTES
                if first is None and not self.at_end and len(buffer) < search_bytes:
                    continue
                if first is None:
                    self.refusal = "NOT_X12" if buffer.strip() else "EMPTY"
                    return
                start, delimiters = first
                buffer, offset = buffer[start:], offset + start
            delimiters = tokens.read_delimiters(buffer, len(buffer) - len(buffer.lstrip())) or delimiters
            end = len(buffer) if self.at_end else _find_transaction_end(buffer, delimiters)
            if end is None:
                if self._has_overlong_segment(buffer, delimiters):
                    self.refusal = "SEGMENT_TOO_LONG"
                    return
                continue
            if not self.at_end and _is_empty(buffer[end:], delimiters):
                continue  # if nothing follows, this is the last piece, which reports what is missing
            if not _is_empty(buffer[:end], delimiters):
                spans = tokens.split_interchanges([tokens.make_span(0, buffer[:end], 0, delimiters, offset)])
                delimiters = spans[-1].delimiters
                yield spans
            buffer, offset = buffer[end:], offset + end

    def _has_overlong_segment(self, buffer: bytes, delimiters: Delimiters) -> bool:
        """Return whether the last segment is too long, in the delimiters of the last interchange."""
        if len(buffer) - buffer.rfind(delimiters.terminator) <= self.limits.segment_bytes:
            return False
        start, last = [(0, delimiters), *tokens.find_interchanges(buffer, 0, delimiters)][-1]
        return len(buffer) - max(start, buffer.rfind(last.terminator)) > self.limits.segment_bytes

    def _read_blocks(self) -> Iterator[bytes]:
        for block in self.file.read_blocks():
            for start in range(0, len(block), self.piece_bytes):
                yield block[start : start + self.piece_bytes]

    def _fill_buffer(self, buffer: bytes, blocks: Iterator[bytes]) -> tuple[bytes, bool]:
        """Return the buffer with at least one more block, and whether the file is at its end.

        It grows to the size of a piece, or by half if it is larger: all of it is searched again, so smaller steps
        would take quadratic time.
        """
        parts, size, target = [buffer], len(buffer), max(self.piece_bytes, len(buffer) * 3 // 2)
        for block in blocks:
            parts.append(block)
            size += len(block)
            if size >= target:
                return b"".join(parts), False
        return b"".join(parts), True


def _is_empty(data: bytes, delimiters: Delimiters) -> bool:
    return not data.strip((delimiters.segment + delimiters.blanks).encode("latin-1"))


def _find_transaction_end(buffer: bytes, delimiters: Delimiters) -> int | None:
    """Return the position behind the last SE, or before an interchange with other delimiters.

    The search for SE cannot look into such an interchange. A transaction that it interrupts stays in one piece with
    it, since the problem is found only there.
    """
    terminator, separator = delimiters.terminator, delimiters.element.encode("latin-1")
    position = max(buffer.rfind(terminator + blank + b"SE" + separator) for blank in (b"", b"\n", b"\r\n"))
    end = buffer.find(terminator, position + 3) if position >= 0 else -1
    if end >= 0:
        return end + 1
    for start, declared in tokens.find_interchanges(buffer, 0, delimiters):
        if declared != delimiters:
            opener = rb"(?:\A|%s)\s*ST%s" % (re.escape(terminator), re.escape(separator))
            if not re.search(opener, buffer[:start]):
                return start
            rest = _find_transaction_end(buffer[start:], declared)
            return None if rest is None else start + rest
    return None
