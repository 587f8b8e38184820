"""The statements of a unit of work and the rows read for them.

The database counts them itself, within the transaction, so cached plans and those of triggers are included.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

TABLE_READS = text("""
    select relname, seq_scan, seq_tup_read + coalesce(idx_tup_fetch, 0)
    from pg_stat_xact_user_tables where seq_scan + coalesce(idx_scan, 0) > 0
""")


@dataclass
class Reads:
    """Statements sent, and rows returned and read."""

    statements: list[str] = field(default_factory=list)
    returned_rows: int = 0
    rows_read: dict[str, int] = field(default_factory=dict)  # by table
    scanned_tables: set[str] = field(default_factory=set)  # by sequential scans

    def count_rows(self, tables: set[str]) -> int:
        return sum(rows for table, rows in self.rows_read.items() if table in tables)


@contextmanager
def record_statements(engine: Engine) -> Generator[Reads]:
    """Record every statement until the end of the block."""
    reads = Reads()

    def add_statement(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        reads.statements.append(" ".join(statement.split()))
        if statement.lstrip()[:6].lower() in ("select", "with l"):
            reads.returned_rows += max(cursor.rowcount, 0)

    event.listen(engine, "after_cursor_execute", add_statement)
    try:
        yield reads
    finally:
        event.remove(engine, "after_cursor_execute", add_statement)


def measure_reads(engine: Engine, session: Session, operation: Callable[[], Any]) -> Reads:
    """Return the statements and reads of one operation in the session's transaction."""
    before = count_reads(session)
    with record_statements(engine) as reads:
        operation()
        session.flush()
    for table, (scans, rows) in count_reads(session).items():
        scans_before, rows_before = before.get(table, (0, 0))
        reads.rows_read[table] = rows - rows_before
        if scans > scans_before:
            reads.scanned_tables.add(table)
    return reads


def count_reads(session: Session) -> dict[str, tuple[int, int]]:
    """Return the sequential scans and the rows read by table, of this connection so far."""
    return {table: (scans, rows) for table, scans, rows in session.execute(TABLE_READS)}
