"""Builders of bundles: a small valid one with rows in every file, to be changed and written as a folder or archive."""

import csv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, text

from ingest.bundle.export import export_practice
from ingest.bundle.format import TABLES
from ingest.bundle.load import ImportResult, import_bundle
from ingest.bundle.problems import BundleRefused
from ingest.bundle.reader import Bundle, read_bundle
from practice.people.models.practices import Practice
from practice.security.installation import Installation
from practice.store.base import load_tables
from practice.store.ids import new_id

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)

Rows = dict[str, list[dict[str, str]]]

OAK_STREET = Path(__file__).parent / "oak_street"  # a valid bundle with rows in every file


def load_sample_rows() -> Rows:
    """Return the rows of a valid bundle."""
    rows: Rows = {}
    for table in TABLES.values():
        with (OAK_STREET / table.file).open(newline="", encoding="utf-8") as file:
            rows[table.name] = list(csv.DictReader(file, strict=True))
    return rows


def write_folder(folder: Path, rows: Rows, line_end: str = "\n") -> Path:
    """Write the given tables as CSV files. Other files in the folder stay."""
    folder.mkdir(exist_ok=True)
    for name, records in rows.items():
        columns = list(records[0]) if records else [column.name for column in TABLES[name].columns]
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator=line_end)
            writer.writeheader()
            writer.writerows(records)
    return folder


def write_zip(path: Path, folder: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{prefix}{file.name}")
    return path


def read(path: Path, *, allow_overlaps: bool = False) -> Bundle:
    return read_bundle(path, NOW, lambda _: None, allow_overlaps=allow_overlaps)


def try_read(path: Path, *, allow_overlaps: bool = False) -> Bundle | BundleRefused:
    try:
        return read(path, allow_overlaps=allow_overlaps)
    except BundleRefused as refusal:
        return refusal


def read_refusal(path: Path, *, allow_overlaps: bool = False) -> BundleRefused:
    """Return the refusal of an invalid bundle."""
    refusal = try_read(path, allow_overlaps=allow_overlaps)
    assert isinstance(refusal, BundleRefused), "The bundle was accepted."
    assert 0 < len(refusal.problems) == min(refusal.total, 100)
    return refusal


def list_locations(path: Path, *, allow_overlaps: bool = False) -> list[tuple[str, int | None, str | None]]:
    """Return the file, line and column of each problem."""
    problems = read_refusal(path, allow_overlaps=allow_overlaps).problems
    return [(problem.file, problem.line, problem.column) for problem in problems]


def make_unique(rows: Rows) -> Rows:
    """Give the practice a name and its admin an email that are new in the test's database."""
    rows["practice"][0]["name"] = f"Oak Street {new_id()}"
    rows["staff"][0]["email"] = f"ada-{new_id()}@oak.example"
    return rows


def import_practice(installation: Installation, path: Path, **options: bool) -> ImportResult:
    return import_bundle(installation, path, NOW, lambda _: None, **options)


def export_files(installation: Installation, practice: Practice, folder: Path) -> dict[str, str]:
    """Export the practice and return its files as text."""
    export_practice(installation, practice.id, folder, NOW, lambda _: None)
    return read_files(folder)


def read_files(folder: Path) -> dict[str, str]:
    return {file.name: file.read_bytes().decode() for file in sorted(folder.iterdir())}


def query_rows(installation: Installation, practice: Practice, query: str) -> list[tuple]:
    """Return the rows of a query within the practice."""
    with installation.store.begin_session(practice.id) as db:
        return [tuple(row) for row in db.execute(text(query))]


def count_all_rows(installation: Installation) -> dict[str, int]:
    """Return the number of rows of each table, of all practices."""
    with installation.store.open_owner_connection() as connection:
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in load_tables()}
