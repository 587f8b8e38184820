"""Reading a bundle: from bytes to typed values whose references are row numbers, or to a list of all problems.

Works on whole columns. Lines are computed only for the rows that have a problem.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from ingest.bundle import kinds, records
from ingest.bundle.checks import check_bundle
from ingest.bundle.files import Source, check_sizes, list_unknown_files, open_source
from ingest.bundle.format import TABLES, Table
from ingest.bundle.problems import BundleRefused, Problems
from ingest.bundle.progress import ignore_count
from ingest.bundle.table_data import TableData
from practice.csv_cells import FORMULA


@dataclass(frozen=True)
class Bundle:
    """A valid bundle. A reference in its frames is the number of the row it refers to, from 0."""

    frames: dict[str, pl.DataFrame]
    digests: dict[str, str]  # by file


def read_bundle(
    path: Path,
    now: datetime,
    report: Callable[[str], None],
    *,
    allow_overlaps: bool = False,
    count: Callable[[int, int], None] = ignore_count,
) -> Bundle:
    """Return the bundle in a folder or .zip, or raise BundleRefused with all its problems and their locations."""
    problems = Problems()
    digests: dict[str, str] = {}
    with open_source(path) as source:
        files = source.list_files()
        for file in list_unknown_files(files):
            problems.add(file, None, None, "A bundle has no such file. Check its name.")
        check_sizes(source, [table.file for table in TABLES.values() if table.file in files])
        sizes = {table.file: measure_file(source, table.file) for table in TABLES.values() if table.file in files}
        done, tables = 0, {}
        for table in TABLES.values():
            tables[table.name] = TableData.create_empty(table)
            if table.file in files:
                report(f"Reading {table.file}")
                count(done, sum(sizes.values()))
                tables[table.name] = read_table(source, table, problems, digests)
                done += sizes[table.file]
        count(done, done)
        report("Checking the bundle")
        for table_data in tables.values():
            resolve_references(table_data, tables, problems)
        check_bundle(tables, now, problems, allow_overlaps=allow_overlaps)
        if problems.count():
            locator = RowLocator(source, tables)
            raise BundleRefused(problems.list_first(locator.find_line, locator.get_key), problems.count())
    return Bundle({name: table_data.frame for name, table_data in tables.items()}, digests)


def measure_file(source: Source, file: str) -> int:
    """Return the size of a file, or 0 if it cannot be read."""
    return 0 if source.find_problem(file) else source.get_size(file)


def read_table(source: Source, table: Table, problems: Problems, digests: dict[str, str]) -> TableData:
    """Return the rows of one file, report its problems, and add its digest."""
    unreadable = TableData.create_empty(table, complete=False)
    problem = source.find_problem(table.file)
    if problem:
        problems.add(table.file, None, None, problem)
        return unreadable
    try:
        data = source.read(table.file)
    except BundleRefused as refusal:
        problems.located += refusal.problems
        return unreadable
    digests[table.file] = hashlib.sha256(data).hexdigest()
    data = records.strip_file(data)
    header = records.parse_header(data)
    if header is None:
        message = "The first line is not a header row in UTF-8. Save the file as CSV with commas, in UTF-8."
        problems.add(table.file, 1, None, message)
        return unreadable
    check_header(table, header, problems)
    lines = None
    if not records.is_well_formed(data, len(header)):
        scan = records.scan_records(data, len(header))
        for line, message in scan.problems:
            problems.add(table.file, line, None, message)
        data, lines = "\n".join(scan.records).encode(), scan.lines[1:]
    texts = remove_formula_guards(table, read_texts(data, table, header))
    complete = lines is None and set(table.key) <= set(header)
    table_data = TableData(table, texts, complete=complete, lines=lines)
    convert_values(table_data, set(header), problems)
    return table_data


def check_header(table: Table, header: list[str], problems: Problems) -> None:
    """Report unknown, repeated and missing columns."""
    columns = table.columns_by_name
    for position, name in enumerate(header):
        if name not in columns:
            problems.add(table.file, 1, name, f"Unknown column. Use only {', '.join(columns)}.")
        elif name in header[:position]:
            problems.add(table.file, 1, name, "The column appears twice. Remove one.")
    for column in table.columns:
        if column.required and column.name not in header:
            problems.add(table.file, 1, column.name, "This required column is missing. Add it.")


def read_texts(data: bytes, table: Table, header: list[str]) -> pl.DataFrame:
    """Return the table's columns as texts, with null for empty fields and for columns that the file does not have."""
    positions = {name: str(position) for position, name in reversed(list(enumerate(header)))}
    frame = pl.read_csv(
        data,
        has_header=False,
        skip_lines=1,
        schema={str(position): pl.String for position in range(len(header))},
        null_values="",
        raise_if_empty=False,
    )
    missing = pl.lit(None, dtype=pl.String)
    return frame.select(
        (pl.col(positions[column.name]) if column.name in positions else missing).alias(column.name)
        for column in table.columns
    )


def remove_formula_guards(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the texts without the apostrophe that an export puts before those that look like a formula."""
    return frame.with_columns(
        frame[column.name].str.replace(f"^'({FORMULA})", "$1")
        for column in table.columns
        if column.is_free_text and frame[column.name].str.starts_with("'").any()
    )


def convert_values(table_data: TableData, header: set[str], problems: Problems) -> None:
    """Convert texts to values. Report each text that is not valid for its column, and replace it with null."""
    text_frame = table_data.frame
    columns = table_data.table.columns
    table_data.frame = pl.DataFrame([kinds.parse_values(column, text_frame[column.name]) for column in columns])
    for column in columns:
        texts, values = text_frame[column.name], table_data.frame[column.name]
        if texts.null_count() != values.null_count():
            invalid = texts.is_not_null() & values.is_null()
            table_data.mark_invalid(column.name, invalid, problems, kinds.describe_valid_values(column))
        if column.required and texts.null_count() and column.name in header:
            empty_rows = texts.is_null().arg_true()
            message = "This required value is empty. Fill it in."
            problems.add_rows(table_data.table.name, column.name, empty_rows, message)


def resolve_references(table_data: TableData, tables: dict[str, TableData], problems: Problems) -> None:
    """Replace the keys in references with the numbers of the rows they refer to."""
    for column in table_data.table.columns:
        if column.references is None:
            continue
        target = tables[column.references]
        keys = table_data.frame[column.name]
        rows = find_row_lists(keys, target) if column.kind == "list" else find_rows(keys, target)
        table_data.frame = table_data.frame.with_columns(rows.alias(column.name))
        if keys.null_count() != rows.null_count():
            message = f"This {target.table.key[0]} is not in {target.table.file}. Add its row, or correct the value."
            # not reported if rows of the target could not be read: it may have been one of them
            invalid = keys.is_not_null() & rows.is_null()
            table_data.mark_invalid(column.name, invalid, problems if target.complete else None, message)


def find_rows(keys: pl.Series, target: TableData) -> pl.Series:
    """Return the number of the row with each key, or null."""
    rows = target.frame.select(pl.col(target.table.key[0]).alias("key")).with_row_index("row")
    rows = rows.unique("key", keep="first", maintain_order=True)
    return keys.to_frame("key").join(rows, on="key", how="left", maintain_order="left")["row"]


def find_row_lists(lists: pl.Series, target: TableData) -> pl.Series:
    """Return the row numbers for each list of keys, or null if one key of the list is unknown."""
    items = lists.to_frame("key").with_row_index("list").explode("key")
    items = items.with_columns(find_rows(items["key"], target).alias("row"))
    row_lists = items.group_by("list", maintain_order=True).agg("row", complete=pl.col("row").is_not_null().all())
    return row_lists.select(pl.when("complete").then("row"))["row"]


class RowLocator:
    """The lines of rows, computed once per file and only when needed."""

    def __init__(self, source: Source, tables: dict[str, TableData]) -> None:
        self.source = source
        self.tables = tables

    def find_line(self, table: str, row: int) -> int:
        """Return the line on which a row begins."""
        table_data = self.tables[table]
        if table_data.lines is None:
            table_data.lines = self.find_lines(table_data)
        return table_data.lines[row]

    def get_key(self, table: str, row: int) -> str:
        return str(self.tables[table].frame[self.tables[table].table.key[0]][row])

    def find_lines(self, table_data: TableData) -> Sequence[int]:
        """Return the lines on which the rows of a file begin."""
        data = records.strip_file(self.source.read(table_data.table.file))
        lines = range(2, 2 + len(table_data.frame))
        if data.count(b"\n") == len(lines):  # no row spans two lines
            return lines
        header = records.parse_header(data) or []
        return records.scan_records(data, len(header)).lines[1:]
