"""The CSV syntax of a file: whether it is well formed, and where it is not. Values are checked elsewhere.

Well formed is stricter than what CSV readers accept: they all read a short row, a stray quote or a lone carriage
return, but each reads something else.
"""

import codecs
import csv
import re
from dataclasses import dataclass, field

import polars as pl

MAX_FIELDS = 200  # in a row; no file of the bundle comes near

FIELD = r'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\r\n]*+)'
RECORD = re.compile(rf"({FIELD}(?:,{FIELD})*+)(?:\r?\n|\Z)")
QUOTED = re.compile(r'"[^"]*"')
NOT_UTF8 = re.compile("[\udc80-\udcff]")


@dataclass
class ScanResult:
    """The records of a file that can be read, the lines on which they begin, and the problems of the others."""

    records: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


def strip_file(data: bytes) -> bytes:
    """Return the content without a byte-order mark and trailing line ends."""
    return data.removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")


def parse_header(data: bytes) -> list[str] | None:
    """Return the names of the columns, or None if the first line is not a row of text."""
    end = data.find(b"\n")
    first_line = data if end < 0 else data[:end]
    try:
        line = first_line.decode().removesuffix("\r")
    except UnicodeDecodeError:
        return None
    if not line or "\0" in line or not RECORD.fullmatch(line) or line.count(",") >= MAX_FIELDS:
        return None
    return next(csv.reader([line]))


def is_well_formed(data: bytes, width: int) -> bool:
    """Return whether the file is UTF-8 and every row has this many fields, in one pass over the whole text."""
    field_pattern = r'(?:[^",\r\n\x00]*|"(?:[^"\x00]|"")*")'
    row_pattern = rf"{field_pattern}(?:,{field_pattern}){{{width - 1}}}"
    try:
        text = pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return text.str.contains(rf"^{row_pattern}(?:\r?\n{row_pattern})*$").item()


def scan_records(data: bytes, width: int) -> ScanResult:
    """Read a file record by record. This is slow but exact about lines, so it runs only when a line is needed."""
    result = ScanResult()
    text = data.decode("utf-8", "surrogateescape")
    start, line = 0, 1
    while start < len(text):
        record = RECORD.match(text, start)
        end = record.end() if record else text.find("\n", start) + 1 or len(text)
        problem = find_problem(record[1], width) if record else describe_malformed(text[start:end])
        if problem:
            result.problems.append((line, problem))
        elif record:
            result.records.append(record[1])
            result.lines.append(line)
        line += text.count("\n", start, end)
        start = end
    return result


def find_problem(record: str, width: int) -> str | None:
    """Return what is wrong with a record, or None."""
    if not record:
        return "The line is empty. Remove it."
    if "\0" in record:
        return "The row contains a NUL character. Remove it."
    if NOT_UTF8.search(record):
        return "The row is not in UTF-8. Save the file in that encoding."
    fields = QUOTED.sub("", record).count(",") + 1
    if fields != width:
        return f"The row has {fields} fields, and the header has {width}. Put fields with a comma in double quotes."
    return None


def describe_malformed(line: str) -> str:
    """Return the message for a line on which no record can be read."""
    if "\r" in line.removesuffix("\n").removesuffix("\r"):
        return "The row contains a carriage return. Put the field in double quotes, or end rows with LF or CRLF."
    return (
        "A double quote is misplaced or never closed. Put a field with quotes in double quotes, "
        "and double each quote in it."
    )
