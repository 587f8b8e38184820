"""The isolation matrix of the marts: every mart for every reader and tenant setting, and every table for analysts.

An analyst reads the rows of one practice, whatever is set; the service those of the practice that is set.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

import psycopg

from practice.security.analysts import AnalystCredentials
from practice.security.installation import Installation
from tests.support.builders.analysts import connect_analyst
from tests.support.builders.two_practices import COUNTED, MARTS
from tests.support.harness import cluster
from tests.support.oracles import isolation_catalog

REFUSED, NOT_UPDATABLE, NOT_A_TABLE, MALFORMED = "42501", "55000", "42809", "22P02"
WRITES = ("insert into {} default values", "update {} set {} = null", "delete from {}", "truncate {}")
RELATIONS = """
    select c.oid::regclass::text, quote_ident(min(a.attname)) from pg_class as c
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace::regnamespace::text in ('public', 'analytics', 'marts') and c.relkind in ('r', 'p', 'v', 'm')
    group by c.oid order by 1
"""


def examine_marts(
    installation: Installation, own: UUID, other: UUID, analysts: Iterable[AnalystCredentials], only: Iterable[str] = ()
) -> tuple[list[str], int]:
    """Return what is wrong, and the number of cells. The analysts are of the practices `own` and `other`.

    `only` limits the matrix to these relations; the catalog is always examined in full.
    """
    database = installation.store.database
    leaks = isolation_catalog.find_faults(database)
    with cluster.connect_as_superuser(database) as connection:
        relations = [row for row in connection.execute(RELATIONS).fetchall() if not only or row[0] in only]
        rows = {
            mart: {
                tenant_id: connection.execute(query, {"tenant_id": tenant_id}).fetchone()[0]
                for tenant_id in (own, other)
            }
            for mart, query in MARTS.items()
        }
    readers = {
        role: psycopg.connect(**cluster.get_server().build_conninfo(role, database), autocommit=True)
        for role in ("owner", "app", "warehouse", "analyst")
    }
    of_practice = dict(zip(("analyst of own", "analyst of other"), (own, other), strict=True))
    readers |= zip(of_practice, (connect_analyst(installation, login) for login in analysts), strict=True)
    cells = 0
    for reader, connection in readers.items():
        with connection:
            for setting, tenant in list_settings(own, other):
                connection.execute("select set_config('app.tenant_id', %s, false)", [setting])
                for relation, column in relations:
                    if relation not in MARTS and not reader.startswith("analyst"):
                        continue  # the other matrix has these
                    cells += 1
                    expected: object = REFUSED
                    if relation in MARTS and reader not in ("owner", "warehouse"):
                        practice = tenant if reader == "app" else of_practice.get(reader)
                        expected = rows[relation].get(practice, 0)
                        if reader == "app" and setting == "malformed" and expected == 0:
                            expected = MALFORMED if relation != "marts.remittance_claims" else 0
                    leaks += find_leaks(connection, reader, setting, relation, column, expected)
    return leaks, cells


def list_settings(own: UUID, other: UUID) -> Iterator[tuple[str, UUID | None]]:
    yield from ((str(own), own), (str(other), other), ("", None), ("malformed", None))


def find_leaks(
    connection: psycopg.Connection, reader: str, setting: str, relation: str, column: str, expected: object
) -> Iterator[str]:
    outcome = run(connection, f"select {COUNTED.get(relation, 'count(*)')} from {relation}")
    if outcome != expected:
        yield f"{reader} reads {outcome} of {relation} and not {expected}, tenant {setting!r}."
    for statement in WRITES:
        outcome = run(connection, statement.format(relation, column))
        if outcome not in (REFUSED, NOT_UPDATABLE, NOT_A_TABLE):
            yield f"{reader} got {outcome} from `{statement.format(relation, column)}`, tenant {setting!r}."


def run(connection: psycopg.Connection, statement: str) -> object:
    """Return the first value of a statement, or the code of its error. Nothing stays."""
    connection.execute("begin")
    try:
        cursor = connection.execute(statement)  # ty: ignore[no-matching-overload]
        return cursor.fetchone()[0] if cursor.description else cursor.rowcount
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        connection.execute("rollback")


def find_foreign_values(connection: psycopg.Connection, database: str, own: UUID) -> list[str]:
    """Return the columns in which a reader of the practice sees an id of another one, as of a record or a practice."""
    with cluster.connect_as_superuser(database) as superuser:
        tables = superuser.execute("""
            select distinct a.attrelid::regclass::text from pg_attribute as a
            join pg_attribute as t on t.attrelid = a.attrelid and t.attname = 'tenant_id'
            join pg_class as c on c.oid = a.attrelid and c.relkind = 'r'
            where a.attname = 'id' and a.atttypid = 'uuid'::regtype
        """).fetchall()
        foreign: set[UUID] = set()
        for (table,) in tables:
            query = f"select id, tenant_id from {table} where tenant_id <> %s"
            foreign.update(value for row in superuser.execute(query, [own]) for value in row)
    found = []
    for mart in MARTS:
        cursor = connection.execute(f"select * from {mart}")
        names = [column.name for column in cursor.description or ()]
        for row in cursor:
            found += [
                f"{mart}.{name}"
                for name, value in zip(names, row, strict=True)
                if isinstance(value, UUID) and value in foreign
            ]
    return found
