"""PDF documents: their content as plain data, typeset with the Typst template `layout.typ` in a process of its own."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from practice.errors import Refusal
from practice.pdf.limits import MAX_PAGES, ProcessLimits, estimate_pages

LAYOUT_IS_WRONG = 3  # the exit code for it
TYPESETTER = Path(__file__).with_name("typesetter.py")


@dataclass(frozen=True)
class Table:
    """A table, or the text `empty` if it has no rows. `numeric_columns` names the columns to align right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric_columns: Sequence[str] = ()
    empty: str = "Nothing."


@dataclass(frozen=True)
class Section:
    """A heading with text, a table or both below it."""

    heading: str
    text: str = ""
    table: Table | None = None


@dataclass(frozen=True)
class Document:
    """A document: its details as pairs of name and value at the top, then its sections."""

    title: str
    subtitle: str = ""
    details: Sequence[tuple[str, str]] = ()
    sections: Sequence[Section] = field(default_factory=list)
    footer: str = ""


# One at a time in each worker: two would take twice the memory, and neither would be ready sooner.
TURN = threading.Lock()
MAX_WAIT_SECONDS = 20
LIMITS = ProcessLimits()


class DocumentTooLong(Refusal):
    """The document is too long for a PDF.

    Fix: shorten its longest section, or split it into several documents.
    """

    code = "DOCUMENT_TOO_LONG"
    status = 422


class PrintingBusy(Refusal):
    """Other documents are being printed.

    Fix: try again in a minute.
    """

    code = "PRINTING_BUSY"
    status = 503


def render_pdf(document: Document) -> bytes:
    """Return the document as PDF, or raise DocumentTooLong. Its texts are passed to Typst as data, never as markup."""
    data = asdict(document)
    for section in data["sections"]:
        # More than one empty line looks the same, and each costs rendering time.
        section["text"] = re.sub(r"\n{3,}", "\n\n", section["text"])
    rows = sum(len(section["table"]["rows"]) for section in data["sections"] if section["table"])
    pages = estimate_pages((section["text"] for section in data["sections"]), rows)
    if pages > MAX_PAGES:
        raise DocumentTooLong(
            f"This document would have about {pages:,} pages; a PDF has at most {MAX_PAGES}. Shorten its longest "
            "section, or split it into several documents.",
            pages=pages,
        )
    return typeset(json.dumps(data).encode())


def typeset(document: bytes) -> bytes:
    """Return the PDF of a document in JSON, made by a process of its own that the system ends beyond its limits."""
    if not TURN.acquire(timeout=MAX_WAIT_SECONDS):
        raise PrintingBusy("Other documents are being printed. Try again in a minute.")
    try:
        process = subprocess.run(  # noqa: S603 - our own script, no shell
            [sys.executable, "-I", TYPESETTER, str(LIMITS.memory_bytes), str(LIMITS.cpu_seconds)],
            input=document,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=LIMITS.seconds,
            env={},  # no secrets of the service
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired:
        process = None
    finally:
        TURN.release()
    if process is not None and process.returncode == LAYOUT_IS_WRONG:
        raise RuntimeError("the layout of PDFs does not compile")
    if process is None or process.returncode != 0:
        raise DocumentTooLong(
            "This document takes too long to print. Shorten its longest section, or split it into several documents."
        )
    return process.stdout
