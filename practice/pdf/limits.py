"""Limits of a PDF: how long a document may be, and what typesetting it may take."""

from collections.abc import Iterable
from dataclasses import dataclass

MAX_PAGES = 200
LINES_PER_PAGE = 42
CHARACTERS_PER_LINE = 95
ROWS_PER_PAGE = 32


@dataclass(frozen=True)
class ProcessLimits:
    """What the process that typesets one document may take before it is ended."""

    memory_bytes: int = 1 << 30
    cpu_seconds: int = 20
    seconds: float = 30


def estimate_pages(texts: Iterable[str], rows: int) -> int:
    """Return about how many pages texts and table rows fill, from the lines into which the texts break."""
    lines = sum(count_lines(text) for text in texts)
    return 1 + lines // LINES_PER_PAGE + rows // ROWS_PER_PAGE


def count_lines(text: str) -> int:
    return sum(1 + len(line) // CHARACTERS_PER_LINE for line in text.split("\n"))
