"""PDF documents: their content as plain data, rendered by the Typst template `layout.typ`."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import typst

LAYOUT = Path(__file__).with_name("layout.typ").read_bytes()


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


def render_pdf(document: Document) -> bytes:
    """Return the document as PDF. Its texts are passed to Typst as data, never as markup."""
    data = asdict(document)
    for section in data["sections"]:
        # More than one empty line looks the same, and each costs rendering time.
        section["text"] = re.sub(r"\n{3,}", "\n\n", section["text"])
    pdf = typst.compile(LAYOUT, sys_inputs={"document": json.dumps(data)})
    assert isinstance(pdf, bytes)  # noqa: S101 - a PDF is one file
    return pdf
