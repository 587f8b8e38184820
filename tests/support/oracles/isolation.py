"""The isolation matrix: every relation of the catalog x operation x role x tenant setting.

With its own tenant, a role with a privilege must reach exactly its rows; that makes "no rows" meaningful with the other
settings. Everything that a role was not granted must be refused with every setting.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from practice.store.policies import SYSTEM_TABLES
from tests.support.builders.two_practices import TABLES, VIEWS, WAREHOUSE_READS_SYSTEM_TABLES
from tests.support.harness import cluster
from tests.support.oracles import isolation_catalog

ROLES = ("owner", "app", "warehouse", "analyst")
SETTINGS = ("own", "other", "unset", "empty", "malformed")
NEEDS = {
    "SELECT": {"select"},
    "SELECT FOR UPDATE": {"select", "update"},
    "INSERT": {"insert"},
    "UPDATE": {"select", "update"},
    "MOVE": {"select", "update"},  # an update that moves a row to the other practice
    "DELETE": {"select", "delete"},
    "TRUNCATE": {"truncate"},
}
REFUSED, MALFORMED, NOT_UNIQUE, REFERENCED = "42501", "22P02", "23505", "0A000"
EVERYTHING = {"select", "insert", "update", "delete", "truncate"}


@dataclass
class Relation:
    """A table, view or sequence of the catalog."""

    name: str
    kind: str
    columns: list[str]
    """The writable columns."""
    rows: dict[UUID | None, int] = field(default_factory=dict)
    sample: Any = None

    @property
    def is_system_table(self) -> bool:
        return self.name in SYSTEM_TABLES

    @property
    def has_tenant(self) -> bool:
        return not self.is_system_table and "tenant_id" in self.columns


@dataclass
class Findings:
    """The leaks, and the number of cells examined per relation."""

    leaks: list[str] = field(default_factory=list)
    cells: Counter[str] = field(default_factory=Counter)


@dataclass
class Probe:
    """A statement and its correct outcomes: rows by practice, a row count, or the code of a refusal."""

    statement: str
    values: dict[str, Any]
    expected: tuple[Any, ...]


def examine_isolation(database: str, own: UUID, other: UUID, only: Iterable[str] = ()) -> Findings:
    """Examine a database with rows of two practices (which is altered slightly) and return the findings.

    `only` limits the matrix to these relations; the catalog is always examined in full.
    """
    findings = Findings(isolation_catalog.find_faults(database))
    with cluster.connect_as_superuser(database) as connection:
        disable_constraints(connection)
        relations = read_relations(connection, own)
    with ExitStack() as stack:
        # A setting that was once set is empty afterwards, not unset: "unset" needs connections that never set it.
        connections = {
            (role, unset): stack.enter_context(psycopg.connect(**cluster.get_server().build_conninfo(role, database)))
            for role in ROLES
            for unset in (True, False)
        }
        for relation in relations:
            if only and relation.name not in only:
                continue
            findings.leaks += find_unproven(relation, own, other)
            for role in ROLES:
                for setting in SETTINGS:
                    connection = connections[role, setting == "unset"]
                    for operation, probes in generate_cells(relation, role, setting, own, other):
                        findings.cells[relation.name] += 1
                        findings.leaks += find_leaks(connection, relation, role, operation, setting, own, other, probes)
        for role in ROLES:
            unset = connections[role, True].execute("select current_setting('app.tenant_id', true)").fetchone()
            assert unset == (None,), "the matrix set the tenant on an unset connection"
    return findings


def disable_constraints(connection: psycopg.Connection) -> None:
    """Defer foreign keys, and disable append-only triggers and those of the change queue.

    They would hide the effect of a table's policies: a change that the queue's own policy refuses looks refused.
    """
    for table, name in connection.execute("""
        select conrelid::regclass::text, quote_ident(conname) from pg_constraint
        where contype = 'f' and connamespace::regnamespace::text in ('public', 'analytics') and conparentid = 0
    """).fetchall():
        connection.execute(f"alter table {table} alter constraint {name} deferrable initially deferred")
    for table, name in connection.execute("""
        select tgrelid::regclass::text, quote_ident(tgname) from pg_trigger
        where tgfoid in (select oid from pg_proc where proname in ('refuse_change', 'queue_changes', 'queue_claims'))
    """).fetchall():
        connection.execute(f"alter table {table} disable trigger {name}")


def read_relations(connection: psycopg.Connection, own: UUID) -> list[Relation]:
    relations = [
        Relation(*row)
        for row in connection.execute("""
            select c.oid::regclass::text, c.relkind::text,
                coalesce(array_agg(a.attname::text order by a.attnum) filter (
                where a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity <> 'a'), '{}')
            from pg_class as c
            left join pg_attribute as a on a.attrelid = c.oid
            where c.relnamespace::regnamespace::text in ('public', 'analytics')
                and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            group by c.oid, c.relkind order by 1
        """).fetchall()
    ]
    for relation in relations:
        if relation.kind == "S":
            continue
        key = "tenant_id" if relation.has_tenant else "null"
        counts = connection.execute(f"select {key}, count(*) from {relation.name} group by 1").fetchall()
        relation.rows = {tenant if isinstance(tenant, UUID) else None: count for tenant, count in counts}
        condition = "tenant_id = %(own)s" if relation.has_tenant else "true"
        sample = connection.execute(
            f"select to_jsonb(t)::text from {relation.name} as t where {condition} limit 1", {"own": own}
        ).fetchone()
        relation.sample = sample[0] if sample else "{}"
    return relations


def find_unproven(relation: Relation, own: UUID, other: UUID) -> Iterator[str]:
    """Yield why the cells of a relation would prove nothing."""
    if relation.kind == "S":
        if relation.name not in TABLES:
            yield f"{relation.name} is a sequence: its numbers would reveal the activity of other practices."
        return
    if relation.name not in (*TABLES, *VIEWS) and not relation.is_system_table:
        yield f"{relation.name} has no entry: declare its privileges in tests/support/builders/two_practices.py."
    if relation.has_tenant and not (relation.rows.get(own) and relation.rows.get(other)):
        yield f"{relation.name} has no rows of both practices, so nothing about it is proven."
    if relation.is_system_table and not relation.rows:
        yield f"{relation.name} has no rows, so nothing about it is proven."


def get_privileges(relation: Relation, role: str) -> set[str]:
    """Return the privileges that a role must have on a relation."""
    if role == "owner":
        return EVERYTHING
    if relation.is_system_table:
        app, warehouse = SYSTEM_TABLES[relation.name], relation.name in WAREHOUSE_READS_SYSTEM_TABLES
    elif relation.name in VIEWS:
        app, warehouse = "select", False
    else:
        app, warehouse = TABLES[relation.name].privileges, TABLES[relation.name].warehouse_reads
    return {"app": set(app.split(", ")), "warehouse": {"select"} if warehouse else set(), "analyst": set()}[role]


def generate_cells(
    relation: Relation, role: str, setting: str, own: UUID, other: UUID
) -> Iterator[tuple[str, list[Probe]]]:
    listed = relation.name in TABLES or relation.name in VIEWS or relation.is_system_table
    tenant = {"own": own, "other": other}.get(setting)
    if relation.kind == "S":
        if role != "owner":
            yield "SELECT", [Probe(f"select last_value from {relation.name}", {}, (REFUSED,))]
            yield "UPDATE", [Probe(f"select nextval('{relation.name}')", {}, (REFUSED,))]
        return
    if not relation.is_system_table and not relation.has_tenant:
        yield "SELECT", [Probe(f"select 1 from {relation.name}", {}, (REFUSED, 0))]
        return
    for operation, needs in NEEDS.items():
        if operation == "MOVE" and relation.is_system_table:
            continue
        if operation != "SELECT" and relation.kind == "v":  # views that join cannot be written to
            continue
        probes = list(generate_probes(relation, operation, tenant, own, other))
        allowed = listed and needs <= get_privileges(relation, role)
        if operation == "TRUNCATE":
            # The owner of a table may truncate or drop it; nobody else may, since policies do not apply.
            outcome: tuple[Any, ...] = (-1, REFERENCED) if role == "owner" else (REFUSED,)
            probes = [Probe(probe.statement, probe.values, outcome) for probe in probes]
        elif not allowed and listed:
            probes = [Probe(probe.statement, probe.values, (REFUSED,)) for probe in probes]
        elif not listed:
            probes = [Probe(probe.statement, probe.values, (REFUSED, *probe.expected)) for probe in probes]
        elif role == "warehouse" and relation.has_tenant:  # only reads, and all practices by design
            probes = [Probe(probe.statement, probe.values, (relation.rows,)) for probe in probes]
        if setting == "malformed":
            probes = [Probe(probe.statement, probe.values, (MALFORMED, *probe.expected)) for probe in probes]
        yield operation, probes


def generate_probes(relation: Relation, operation: str, tenant: UUID | None, own: UUID, other: UUID) -> Iterator[Probe]:
    """Yield the probes of an operation while the transaction is in `tenant`.

    Updates and deletes are probed twice: with a condition, where the policy for reading also protects the rows, and
    without one, where only the policy of the operation does.
    """
    name = relation.name
    ids = {"own": own, "other": other, "tenant": tenant or own}
    columns = ", ".join(f'"{column}"' for column in relation.columns)
    copy = Probe(
        f"insert into {name} ({columns}) select {columns} from jsonb_populate_record(null::{name}, %(row)s::jsonb)",
        {"row": relation.sample},
        # Policies are checked before keys: an error of the key means that the policy let the row through.
        (1, NOT_UNIQUE) if relation.is_system_table or tenant == own else (REFUSED,),
    )
    if relation.is_system_table:
        total = sum(relation.rows.values())
        same = f'set "{relation.columns[0]}" = "{relation.columns[0]}"'
        yield {
            "SELECT": Probe(f"select 1 from {name}", {}, (total,)),
            "SELECT FOR UPDATE": Probe(f"select 1 from {name} for update", {}, (total,)),
            "INSERT": copy,
            "UPDATE": Probe(f"update {name} {same}", {}, (total,)),
            "DELETE": Probe(f"delete from {name}", {}, (total,)),
            "TRUNCATE": Probe(f"truncate {name}", {}, ()),
        }[operation]
        return
    visible = {tenant: relation.rows[tenant]} if tenant in relation.rows else {}
    own_count = relation.rows.get(own, 0) if tenant == own else 0
    count = sum(visible.values())
    if operation == "SELECT":
        yield Probe(f"select tenant_id, count(*) from {name} group by 1", {}, (visible,))
    elif operation == "SELECT FOR UPDATE":
        rows = f"(select tenant_id from {name} for update) as locked"
        yield Probe(f"select tenant_id, count(*) from {rows} group by 1", {}, (visible,))
    elif operation == "INSERT":
        yield copy
    elif operation == "UPDATE":
        yield Probe(f"update {name} set tenant_id = tenant_id where tenant_id = %(own)s", ids, (own_count,))
        yield Probe(f"update {name} set tenant_id = %(tenant)s", ids, (count,))
    elif operation == "MOVE":
        target = other if tenant != other else own
        outcome = (REFUSED,) if tenant == own else (0,)
        yield Probe(f"update {name} set tenant_id = %(other)s where tenant_id = %(own)s", ids, outcome)
        yield Probe(f"update {name} set tenant_id = %(away)s", {"away": target}, (REFUSED,) if tenant else (0,))
    elif operation == "DELETE":
        yield Probe(f"delete from {name} where tenant_id = %(own)s", ids, (own_count,))
        yield Probe(f"delete from {name}", ids, (count,))
    elif operation == "TRUNCATE":
        yield Probe(f"truncate {name}", {}, ())


def find_leaks(
    connection: psycopg.Connection,
    relation: Relation,
    role: str,
    operation: str,
    setting: str,
    own: UUID,
    other: UUID,
    probes: list[Probe],
) -> Iterator[str]:
    value = {"own": str(own), "other": str(other), "unset": None, "empty": "", "malformed": f"{own} or true"}[setting]
    for probe in probes:
        outcome = run_probe(connection, value, probe)
        if outcome not in probe.expected:
            if isinstance(outcome, dict):
                counts = {"own": outcome.pop(own, 0), "other": outcome.pop(other, 0), "third": sum(outcome.values())}
                outcome = {practice: count for practice, count in counts.items() if count}
            yield f"{operation} on {relation.name} by {role}, tenant {setting}: {outcome} from `{probe.statement}`."


def run_probe(connection: psycopg.Connection, tenant: str | None, probe: Probe) -> Any:
    """Run a probe and return rows by practice, a row count, or the error code. Rolls back."""
    try:
        if tenant is not None:
            connection.execute("select set_config('app.tenant_id', %s, true)", [tenant])
        cursor = connection.execute(probe.statement, probe.values or None)
        if "group by" in probe.statement:
            return dict(cursor.fetchall())
        return cursor.rowcount
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        connection.rollback()
