"""CSV as text: whether a file is well formed, and where it is not. What stands in the fields is no matter here.

Well formed is narrower than what CSV readers put up with: they read a short row, a stray quote or a lone carriage
return as something, and rather each as something else.
"""

import codecs
import csv
import re
from dataclasses import dataclass, field

import polars as pl

WIDEST = 200  # fields in a row; no file of the bundle comes near

FIELD = r'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\r\n]*+)'
RECORD = re.compile(rf"({FIELD}(?:,{FIELD})*+)(?:\r?\n|\Z)")
QUOTED = re.compile(r'"[^"]*"')
NOT_UTF8 = re.compile("[\udc80-\udcff]")


@dataclass
class Scan:
    """A file gone through record by record: those that can be read, where each begins, and what is wrong elsewhere."""

    records: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def body_of(data: bytes) -> bytes:
    """Without what says nothing: a byte-order mark, and ends of lines at the end."""
    return data.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")


def header_of(data: bytes) -> list[str] | None:
    """The names of the columns; None when the first line is no row of text."""
    end = data.find(b"\n")
    first = data if end < 0 else data[:end]
    try:
        line = first.decode().removesuffix("\r")
    except UnicodeDecodeError:
        return None
    if not line or "\0" in line or not RECORD.fullmatch(line) or line.count(",") >= WIDEST:
        return None
    return next(csv.reader([line]))


def is_well_formed(data: bytes, width: int) -> bool:
    """Whether all of it is rows of so many fields, in UTF-8. One pass of an automaton over the whole text."""
    one = r'(?:[^",\r\n\x00]*|"(?:[^"\x00]|"")*")'
    row = rf"{one}(?:,{one}){{{width - 1}}}"
    try:
        text = pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return text.str.contains(rf"^{row}(?:\r?\n{row})*$").item()


def scan(data: bytes, width: int) -> Scan:
    """Record by record, for when something is wrong or a line is asked for: slow, and exact about where."""
    found = Scan()
    text = data.decode("utf-8", "surrogateescape")
    at, line = 0, 1
    while at < len(text):
        record = RECORD.match(text, at)
        end = record.end() if record else text.find("\n", at) + 1 or len(text)
        problem = problem_of(record[1], width) if record else problem_without_end(text[at:end])
        if problem:
            found.problems.append((line, problem))
        elif record:
            found.records.append(record[1])
            found.lines.append(line)
        line += text.count("\n", at, end)
        at = end
    return found


def problem_of(record: str, width: int) -> str | None:
    if not record:
        return "The line is empty. Remove it."
    if "\0" in record:
        return "The row holds a NUL character. Remove it."
    if NOT_UTF8.search(record):
        return "The row is not in UTF-8. Save the file in that encoding."
    fields = QUOTED.sub("", record).count(",") + 1
    if fields != width:
        return f"The row has {fields} fields, and the header has {width}. Fields with a comma stand in double quotes."
    return None


def problem_without_end(line: str) -> str:
    if "\r" in line.removesuffix("\n").removesuffix("\r"):
        return "A carriage return stands inside the row. Put the field in double quotes, or end rows with LF or CRLF."
    return (
        "A double quote stands where none can be, or is never closed. A field with quotes stands in double quotes, "
        "and each quote in it is doubled."
    )
