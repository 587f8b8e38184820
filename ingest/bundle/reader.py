"""Reading a bundle: bytes to frames of typed values whose references are row numbers, or everything that is wrong.

Whole columns at a time. Which line a row stands on is only worked out for the rows that something is wrong with.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from ingest.bundle import kinds, records
from ingest.bundle.checks import check
from ingest.bundle.files import Source, check_sizes, open_source, unknown
from ingest.bundle.format import TABLES, Table
from ingest.bundle.problems import BundleRefused, Problems
from ingest.bundle.table_data import Sheet


@dataclass(frozen=True)
class Bundle:
    """A bundle without a fault. In its frames a reference is the number of the row that it leads to, from 0."""

    frames: dict[str, pl.DataFrame]
    digests: dict[str, str]  # of the files, as they were read


def read_bundle(path: Path, now: datetime, say: Callable[[str], None], *, allow_overlaps: bool = False) -> Bundle:
    """The bundle in a folder or .zip. Everything that is wrong with it is raised at once, each with its place."""
    problems = Problems()
    digests: dict[str, str] = {}
    with open_source(path) as source:
        names = source.names()
        for name in unknown(names):
            problems.at(name, None, None, "The bundle has no such file. Look at how its name is written.")
        check_sizes(source, [table.file for table in TABLES.values() if table.file in names])
        sheets = {}
        for table in TABLES.values():
            sheets[table.name] = Sheet.empty(table)
            if table.file in names:
                say(f"Reading {table.file}")
                sheets[table.name] = read_sheet(source, table, problems, digests)
        say("Checking what was read")
        for sheet in sheets.values():
            resolve(sheet, sheets, problems)
        check(sheets, now, problems, allow_overlaps=allow_overlaps)
        if problems.total:
            places = Places(source, sheets)
            raise BundleRefused(problems.shown(places.line, places.key), problems.total)
    return Bundle({name: sheet.frame for name, sheet in sheets.items()}, digests)


def read_sheet(source: Source, table: Table, problems: Problems, digests: dict[str, str]) -> Sheet:
    lost = Sheet.empty(table, whole=False)
    trouble = source.trouble(table.file)
    if trouble:
        problems.at(table.file, None, None, trouble)
        return lost
    try:
        data = source.read(table.file)
    except BundleRefused as refusal:
        problems.located += refusal.problems
        return lost
    digests[table.file] = hashlib.sha256(data).hexdigest()
    data = records.body_of(data)
    header = records.header_of(data)
    if header is None:
        words = "The first line is no header row in UTF-8. Save the file as CSV with commas, in UTF-8."
        problems.at(table.file, 1, None, words)
        return lost
    check_header(table, header, problems)
    lines = None
    if not records.is_well_formed(data, len(header)):
        scan = records.scan(data, len(header))
        for line, message in scan.problems:
            problems.at(table.file, line, None, message)
        data, lines = "\n".join(scan.records).encode(), scan.lines[1:]
    whole = lines is None and set(table.key) <= set(header)
    sheet = Sheet(table, texts_of(data, table, header), whole=whole, lines=lines)
    take_values(sheet, set(header), problems)
    return sheet


def check_header(table: Table, header: list[str], problems: Problems) -> None:
    known = table.by_name
    for place, name in enumerate(header):
        if name not in known:
            problems.at(table.file, 1, name, f"The file has no such column. It has {', '.join(known)}.")
        elif name in header[:place]:
            problems.at(table.file, 1, name, "The column stands here twice. Remove one.")
    for column in table.columns:
        if column.required and column.name not in header:
            problems.at(table.file, 1, column.name, "The column is missing, and it is required.")


def texts_of(data: bytes, table: Table, header: list[str]) -> pl.DataFrame:
    """The table's columns as texts; empty is nothing, and so is a column that the file does not have."""
    places = {name: str(place) for place, name in reversed(list(enumerate(header)))}
    read = pl.read_csv(
        data,
        has_header=False,
        skip_lines=1,
        schema={str(place): pl.String for place in range(len(header))},
        null_values="",
        raise_if_empty=False,
    )
    nothing = pl.lit(None, dtype=pl.String)
    return read.select(
        (pl.col(places[column.name]) if column.name in places else nothing).alias(column.name)
        for column in table.columns
    )


def take_values(sheet: Sheet, header: set[str], problems: Problems) -> None:
    """Texts become values. Whatever is none of its column's kind is told, and taken out."""
    texts = sheet.frame
    sheet.frame = pl.DataFrame([kinds.values(column, texts[column.name]) for column in sheet.table.columns])
    for column in sheet.table.columns:
        given, values = texts[column.name], sheet.frame[column.name]
        if given.null_count() != values.null_count():
            sheet.fault(column.name, given.is_not_null() & values.is_null(), problems, kinds.sentence(column))
        if column.required and given.null_count() and column.name in header:
            missing = given.is_null().arg_true()
            problems.rows(sheet.table.name, column.name, missing, "This is empty, and it is required.")


def resolve(sheet: Sheet, sheets: dict[str, Sheet], problems: Problems) -> None:
    """References become the numbers of the rows that they lead to."""
    for column in sheet.table.columns:
        if column.references is None:
            continue
        target = sheets[column.references]
        given = sheet.frame[column.name]
        rows = rows_of_lists(given, target) if column.kind == "list" else rows_of(given, target)
        sheet.frame = sheet.frame.with_columns(rows.alias(column.name))
        if given.null_count() != rows.null_count():
            words = f"There is nothing with this {target.table.key[0]} in {target.table.file}."
            # where rows of the target could not be read, nobody knows whether this was one of them
            sheet.fault(column.name, given.is_not_null() & rows.is_null(), problems if target.whole else None, words)


def rows_of(keys: pl.Series, target: Sheet) -> pl.Series:
    known = target.frame.select(pl.col(target.table.key[0]).alias("key")).with_row_index("row")
    known = known.unique("key", keep="first", maintain_order=True)
    return keys.to_frame("key").join(known, on="key", how="left", maintain_order="left")["row"]


def rows_of_lists(lists: pl.Series, target: Sheet) -> pl.Series:
    """None for a list of which one item leads nowhere."""
    items = lists.to_frame("key").with_row_index("list").explode("key")
    items = items.with_columns(rows_of(items["key"], target).alias("row"))
    found = items.group_by("list", maintain_order=True).agg("row", whole=pl.col("row").is_not_null().all())
    return found.select(pl.when("whole").then("row"))["row"]


class Places:
    """On which line a row stands, worked out once per file and only when asked."""

    def __init__(self, source: Source, sheets: dict[str, Sheet]) -> None:
        self.source = source
        self.sheets = sheets

    def line(self, table: str, row: int) -> int:
        sheet = self.sheets[table]
        if sheet.lines is None:
            sheet.lines = self.lines(sheet)
        return sheet.lines[row]

    def key(self, table: str, row: int) -> str:
        return str(self.sheets[table].frame[self.sheets[table].table.key[0]][row])

    def lines(self, sheet: Sheet) -> Sequence[int]:
        data = records.body_of(self.source.read(sheet.table.file))
        rows = range(2, 2 + len(sheet.frame))
        if data.count(b"\n") == len(rows):  # no row stands on two lines
            return rows
        header = records.header_of(data) or []
        return records.scan(data, len(header)).lines[1:]
