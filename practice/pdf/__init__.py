"""Paper: what is handed to people as a PDF. What it says is given as data; how it looks stands in `paper.typ`."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import typst

LAYOUT = Path(__file__).with_name("paper.typ").read_bytes()


@dataclass(frozen=True)
class Table:
    """Columns named in `numbers` are set to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[str] = ()
    empty: str = "Nothing."


@dataclass(frozen=True)
class Part:
    """A heading, what is written below it, and perhaps a table."""

    heading: str
    text: str = ""
    table: Table | None = None


@dataclass(frozen=True)
class Paper:
    """`facts` stand on top, a name and a value each; `parts` follow in their order."""

    title: str
    subtitle: str = ""
    facts: Sequence[tuple[str, str]] = ()
    parts: Sequence[Part] = field(default_factory=list)
    footer: str = ""


def pdf_of(paper: Paper) -> bytes:
    """What people wrote is passed as data and never read as markup."""
    document = asdict(paper)
    for part in document["parts"]:
        part["text"] = re.sub(r"\n{3,}", "\n\n", part["text"])  # which look the same, and cost by their number
    pdf = typst.compile(LAYOUT, sys_inputs={"paper": json.dumps(document)})
    assert isinstance(pdf, bytes)  # noqa: S101 - one document, one file
    return pdf
