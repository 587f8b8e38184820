"""The marts: what analysts read of a practice. Their views are in the schema `marts`; comments are the dictionary."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

from practice.errors import Refusal
from practice.store.store import Store

COLUMNS_SQL = """
    select c.relname, obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, a.atttypmod),
        col_description(c.oid, a.attnum)
    from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'marts'::regnamespace and c.relkind = 'v'
        and has_table_privilege('caseload_analyst', c.oid, 'select') -- not the parts that marts are built from
    order by c.relname, a.attnum
"""


class StatementRefused(Refusal):
    """The database refuses a statement over the marts.

    Fix: correct it as the message says. Only reading is possible, one statement at a time.
    """

    code = "STATEMENT_REFUSED"
    status = 422


class MartColumn(NamedTuple):
    """A column of a mart."""

    name: str
    type: str
    description: str


class Mart(NamedTuple):
    """A view that analysts read."""

    name: str
    description: str
    columns: list[MartColumn]


class Result(NamedTuple):
    """The rows of a statement."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def list_marts(store: Store) -> list[Mart]:
    """Return the marts with their columns: the data dictionary."""
    marts: dict[str, Mart] = {}
    with store.connect("app") as connection:
        for name, description, *column in connection.execute(COLUMNS_SQL):
            marts.setdefault(name, Mart(name, description, [])).columns.append(MartColumn(*column))
    return list(marts.values())


def run_statement(store: Store, tenant_id: UUID, statement: str) -> Result:
    """Run one statement over the marts of a practice and return its rows. It reads as analysts do, and changes nothing.

    It has a transaction of its own that is rolled back, so that it can neither commit nor leave anything behind.
    """
    with open_reader(store, tenant_id) as connection:
        try:
            # the binary format implies the extended protocol, which takes a single statement
            cursor = connection.execute(statement.encode(), binary=True)
            rows = cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            message = (error.diag.message_primary or str(error).splitlines()[0]).rstrip(".")
            raise StatementRefused(f"The database refuses the statement: {message}.") from None
        return Result([column.name for column in cursor.description or ()], rows)


@contextmanager
def open_reader(store: Store, tenant_id: UUID) -> Generator[psycopg.Connection[Any]]:
    """Yield a connection in a read-only transaction of the practice, with the rights of an analyst."""
    connection = store.connect("app")
    try:
        connection.autocommit = True
        connection.execute("begin read only")
        connection.execute("select enter_practice(%s)", [tenant_id])
        connection.execute(sql.SQL("set local role caseload_analyst; set local search_path = marts"))
        yield connection
    finally:
        connection.close()  # with the transaction
