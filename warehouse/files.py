"""The DuckDB file of a practice: the records as of a refresh, and the cells that it published."""

import hashlib
import os
import shutil
from pathlib import Path
from uuid import UUID

import duckdb

from warehouse.builds import open_file
from warehouse.extraction import COLUMNS, KEYS
from warehouse.statements import load_statements

FILE = "warehouse.duckdb"
CELLS = (
    "entity_kind, cast(entity_id as varchar) as entity_id, period_kind, period_start, period_end, receivable_days, "
    "numerators, denominators, value_hundredths, statuses"
)
CELL_KEY = "entity_kind, entity_id, period_kind, period_start"


def compute_fingerprint() -> str:
    """Return a digest of all that a file depends on besides the records. A file with another one is not continued."""
    return hashlib.sha256(
        repr((duckdb.__version__, COLUMNS, KEYS, CELLS, load_statements("duckdb"))).encode()
    ).hexdigest()


def find_file(folder: Path, refresh_id: UUID | None) -> Path | None:
    """Return the practice's file if it is that of a refresh, and this version can continue it."""
    file, part = folder / FILE, folder / f"{FILE}.part"
    if refresh_id is None:
        return None
    if is_of(file, refresh_id):
        return file
    if is_of(part, refresh_id):  # it ended between publishing and replacing the file
        os.replace(part, file)
        return file
    return None


def is_of(file: Path, refresh_id: UUID) -> bool:
    """Return whether the file is complete, and of this refresh and version."""
    if not file.exists():
        return False
    try:
        with open_file(file, read_only=True) as connection:
            marks = connection.execute("select refresh_id, fingerprint from published.refresh").fetchall()
    except duckdb.Error:  # damaged, or incomplete
        return False
    return marks == [(refresh_id, compute_fingerprint())]


def begin_part(folder: Path, file: Path | None) -> Path:
    """Return a new file beside the practice's: a copy of it that says of no refresh that it is its file, or nothing."""
    part = folder / f"{FILE}.part"
    remove_file(part)
    if file is not None:
        shutil.copyfile(file, part)
        with open_file(part) as connection:
            connection.execute("delete from published.refresh")
    return part


def complete_part(connection: duckdb.DuckDBPyConnection, refresh_id: UUID, *, continued: bool, found: bool) -> None:
    """Keep the cells that the refresh publishes and, of a file that is continued, the differences from those before.

    With `found`, `scratch.new_cells` has all cells that can differ, and none is gone.
    """
    connection.execute("create schema if not exists published")
    same = " and ".join(f"p.{key.strip()} = n.{key.strip()}" for key in CELL_KEY.split(","))
    if found:
        connection.execute(
            "create or replace table published.changed_cells as select * from scratch.new_cells "
            f"except select p.* from published.cells as p semi join scratch.new_cells as n on {same}"
        )
        connection.execute("create or replace table published.removed_cells as from published.cells limit 0")
        connection.execute(f"delete from published.cells as p using published.changed_cells as n where {same}")
        connection.execute("insert into published.cells select * from published.changed_cells")
    else:
        connection.execute(f"create table published.new_cells as select {CELLS} from analytics.cells")
        if continued:
            connection.execute(
                "create or replace table published.changed_cells as "
                "select * from published.new_cells except select * from published.cells"
            )
            connection.execute(
                f"create or replace table published.removed_cells as select {CELL_KEY} from published.cells "
                f"except select {CELL_KEY} from published.new_cells"
            )
        connection.execute("drop table if exists published.cells; alter table published.new_cells rename to cells")
    connection.execute(
        "create or replace table published.refresh as select cast(? as uuid) as refresh_id, ? as fingerprint",
        [refresh_id, compute_fingerprint()],
    )


def remove_file(file: Path) -> None:
    """Remove a file of an interrupted build, and the journal beside it."""
    file.unlink(missing_ok=True)
    Path(f"{file}.wal").unlink(missing_ok=True)
    shutil.rmtree(f"{file}.tmp", ignore_errors=True)
