"""What one unit of work asks the database, and which rows are read for it. Counted by the database itself, in the
transaction: whatever plans it used, kept ones and those of triggers among them."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

READ = text("""
    select relname, seq_scan, seq_tup_read + coalesce(idx_tup_fetch, 0)
    from pg_stat_xact_user_tables where seq_scan + coalesce(idx_scan, 0) > 0
""")


@dataclass
class Reads:
    statements: list[str] = field(default_factory=list)
    returned: int = 0
    read: dict[str, int] = field(default_factory=dict)  # rows, by table
    scanned: set[str] = field(default_factory=set)  # tables that were read from end to end

    def of(self, tables: set[str]) -> int:
        return sum(rows for table, rows in self.read.items() if table in tables)


@contextmanager
def listening(engine: Engine) -> Generator[Reads]:
    """To every statement until the end of the block."""
    reads = Reads()

    def after(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        reads.statements.append(" ".join(statement.split()))
        if statement.lstrip()[:6].lower() in ("select", "with l"):
            reads.returned += max(cursor.rowcount, 0)

    event.listen(engine, "after_cursor_execute", after)
    try:
        yield reads
    finally:
        event.remove(engine, "after_cursor_execute", after)


def reads_of(engine: Engine, session: Session, call: Callable[[], Any]) -> Reads:
    """Of one call in the session's transaction."""
    before = counted(session)
    with listening(engine) as reads:
        call()
        session.flush()
    for table, (scans, rows) in counted(session).items():
        scans_before, rows_before = before.get(table, (0, 0))
        reads.read[table] = rows - rows_before
        if scans > scans_before:
            reads.scanned.add(table)
    return reads


def counted(session: Session) -> dict[str, tuple[int, int]]:
    """By table: how often it was read from end to end, and how many rows were read. Of this connection until now."""
    return {table: (scans, rows) for table, scans, rows in session.execute(READ)}
