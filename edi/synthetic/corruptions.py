"""Every named corruption of a remittance, and the problems that a reader has to find for each.

A corruption takes a valid file (one interchange with at least one claim with lines) and returns the corrupted one with
the problems that must be found, each at its segment and element. Besides them only the `allowed` codes may be found,
which are consequences.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edi.synthetic import corrupt_money, corrupt_structure
from edi.synthetic.registry import ExpectedProblem, Registry
from edi.synthetic.renderer import RenderedFile


@dataclass(frozen=True)
class CorruptedFile:
    """The bytes of a corrupted file, the problems to be found, and the codes that may be found besides."""

    data: bytes
    expected: list[ExpectedProblem]
    allowed: tuple[str, ...] = ()


def corrupt(name: str, file: RenderedFile) -> CorruptedFile:
    """Return the file with the corruption of this name."""
    if name in FILE_CORRUPTIONS:
        return FILE_CORRUPTIONS[name](file)
    segments = [list(segment) for segment in file.segments]
    expected, allowed = SEGMENT_CORRUPTIONS[name](segments)
    return CorruptedFile(file.replace_segments(segments).data, expected, allowed)


def _truncate(file: RenderedFile) -> CorruptedFile:
    """Cut the file off after two thirds, within a segment."""
    data = file.data
    end = len(data) * 2 // 3
    terminator = file.delimiters[2].encode()
    truncated = data[: end - 1] if data[end - 1 : end] == terminator else data[:end]
    count = sum(1 for segment in truncated.split(terminator) if segment.strip())
    structure = ("TRUNCATED", "UNTERMINATED", "COUNT_DIFFERS", "CONTROL_NUMBER_DIFFERS", "MISSING_ELEMENT")
    balances = ("LINE_UNBALANCED", "CLAIM_UNBALANCED", "PAYMENT_UNBALANCED", "LINES_DIFFER", "INTEREST_DIFFERS")
    values = ("TOTALS_DIFFER", "BAD_DATE", "BAD_AMOUNT", "MISSING_PATIENT", "UNKNOWN_SEGMENT", "UNKNOWN_CODE")
    return CorruptedFile(truncated, [("TRUNCATED", count, None)], (*structure, *balances, *values))


def _remove_last_terminator(file: RenderedFile) -> CorruptedFile:
    data = file.data.rstrip().removesuffix(file.delimiters[2].encode())
    return CorruptedFile(data, [("UNTERMINATED", len(file.segments), None)])


FILE_CORRUPTIONS: dict[str, Callable[[RenderedFile], CorruptedFile]] = {
    "TRUNCATED: within a segment": _truncate,
    "UNTERMINATED": _remove_last_terminator,
    "EMPTY": lambda _: CorruptedFile(b" \r\n", [("EMPTY", None, None)]),
    "NOT_X12": lambda _: CorruptedFile(b"%PDF-1.7 remittance advice", [("NOT_X12", None, None)]),
    "SEGMENT_TOO_LONG": lambda file: CorruptedFile(
        file.data + b"NTE*" + b"A" * 70_000, [("SEGMENT_TOO_LONG", None, None)]
    ),
}

SEGMENT_CORRUPTIONS = Registry(corrupt_structure.corruptions | corrupt_money.corruptions)
CORRUPTIONS = (*SEGMENT_CORRUPTIONS, *FILE_CORRUPTIONS)
