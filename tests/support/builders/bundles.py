"""Builders: a small bundle with something in every file, to be spoilt and written as a folder or an archive."""

import csv
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from ingest.bundle.export import export_practice
from ingest.bundle.format import TABLES
from ingest.bundle.load import Imported, import_bundle
from ingest.bundle.problems import BundleRefused
from ingest.bundle.reader import Bundle, read_bundle
from practice.people.models.practices import Practice
from practice.security.installation import Installation
from practice.store.base import every_table
from practice.store.ids import new_id

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)

Rows = dict[str, list[dict[str, str]]]

OAK_STREET = Path(__file__).parent / "oak_street"  # a bundle without a fault, with something in every file


def small() -> Rows:
    """The rows of a bundle without a fault, to be spoilt."""
    rows: Rows = {}
    for table in TABLES.values():
        with (OAK_STREET / table.file).open(newline="", encoding="utf-8") as file:
            rows[table.name] = list(csv.DictReader(file, strict=True))
    return rows


def write_folder(folder: Path, rows: Rows, end: str = "\n") -> Path:
    """As CSV files; of the tables that there are. Files that stand there already stay."""
    folder.mkdir(exist_ok=True)
    for name, records in rows.items():
        columns = list(records[0]) if records else [column.name for column in TABLES[name].columns]
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator=end)
            writer.writeheader()
            writer.writerows(records)
    return folder


def write_zip(path: Path, folder: Path, inside: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{inside}{file.name}")
    return path


def read(path: Path, *, allow_overlaps: bool = False) -> Bundle:
    return read_bundle(path, NOW, lambda _: None, allow_overlaps=allow_overlaps)


def attempt(path: Path, *, allow_overlaps: bool = False) -> Bundle | BundleRefused:
    try:
        return read(path, allow_overlaps=allow_overlaps)
    except BundleRefused as refused:
        return refused


def refusal(path: Path, *, allow_overlaps: bool = False) -> BundleRefused:
    refused = attempt(path, allow_overlaps=allow_overlaps)
    assert isinstance(refused, BundleRefused), "The bundle was taken."
    assert 0 < len(refused.problems) == min(refused.total, 100)
    return refused


def places(path: Path, *, allow_overlaps: bool = False) -> list[tuple[str, int | None, str | None]]:
    """Where the bundle is wrong."""
    return [(p.file, p.line, p.column) for p in refusal(path, allow_overlaps=allow_overlaps).problems]


def named(rows: Rows) -> Rows:
    """Under a name that no other practice of the test's database has, with an admin who has no account yet."""
    rows["practice"][0]["name"] = f"Oak Street {new_id()}"
    rows["staff"][0]["email"] = f"ada-{new_id()}@oak.example"
    return rows


def move_in(installation: Installation, path: Path, **more: bool) -> Imported:
    return import_bundle(installation, path, NOW, lambda _: None, **more)


def move_out(installation: Installation, practice: Practice, folder: Path) -> dict[str, str]:
    """The files of the practice's bundle, as text."""
    export_practice(installation, practice.id, folder, NOW, lambda _: None)
    return contents(folder)


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_bytes().decode() for file in sorted(folder.iterdir())}


def rows_of_all_tables(installation: Installation) -> dict[str, int]:
    """How many there are, whoever they belong to."""
    with installation.store.owner_connection() as connection:
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in every_table()}
