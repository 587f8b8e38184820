"""The isolation matrix: every relation of the catalogue x every verb x every role x every setting of the tenant.

Under its own tenant a role that was given a verb must reach exactly its rows: that is what gives "nothing" its meaning
under the others. Whatever a role was not given must be refused everywhere.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from practice.store.policies import SYSTEM_TABLES
from tests.support.builders.two_practices import TABLES, WAREHOUSE_READS_SYSTEM_TABLES
from tests.support.harness import cluster
from tests.support.oracles import isolation_catalog

ROLES = ("owner", "app", "warehouse", "analyst")
SETTINGS = ("own", "other", "unset", "empty", "malformed")
NEEDS = {
    "SELECT": {"select"},
    "SELECT FOR UPDATE": {"select", "update"},
    "INSERT": {"insert"},
    "UPDATE": {"select", "update"},
    "MOVE": {"select", "update"},  # an update that hands a row to the other practice
    "DELETE": {"select", "delete"},
    "TRUNCATE": {"truncate"},
}
REFUSED, MALFORMED, NOT_UNIQUE, REFERENCED = "42501", "22P02", "23505", "0A000"
EVERYTHING = {"select", "insert", "update", "delete", "truncate"}


@dataclass
class Relation:
    name: str
    kind: str
    columns: list[str]
    """Those that can be written."""
    rows: dict[UUID | None, int] = field(default_factory=dict)
    sample: Any = None

    @property
    def system(self) -> bool:
        return self.name in SYSTEM_TABLES

    @property
    def of_a_practice(self) -> bool:
        return not self.system and "tenant_id" in self.columns


@dataclass
class Findings:
    leaks: list[str] = field(default_factory=list)
    cells: Counter[str] = field(default_factory=Counter)


@dataclass
class Probe:
    """A statement, and every outcome that is right: rows by practice, a number of rows, or the code of a refusal."""

    statement: str
    values: dict[str, Any]
    right: tuple[Any, ...]


def examine(database: str, own: UUID, other: UUID, only: Iterable[str] = ()) -> Findings:
    """Try all of it on a database of its own (which is changed a little) that holds rows of two practices.

    `only` names the relations to try; what can be read off the catalogue is always looked at whole.
    """
    found = Findings(isolation_catalog.faults(database))
    with cluster.superuser(database) as connection:
        make_reachable(connection)
        relations = read_relations(connection, own)
    with ExitStack() as stack:
        # A setting that was once made is empty afterwards, not unset: that takes connections that never made one.
        connections = {
            (role, unset): stack.enter_context(psycopg.connect(**cluster.server().conninfo(role, database)))
            for role in ROLES
            for unset in (True, False)
        }
        for relation in relations:
            if only and relation.name not in only:
                continue
            found.leaks += ungrounded(relation, own, other)
            for role in ROLES:
                for setting in SETTINGS:
                    connection = connections[role, setting == "unset"]
                    for verb, probes in cells(relation, role, setting, own, other):
                        found.cells[relation.name] += 1
                        found.leaks += wrong(connection, relation, role, verb, setting, own, other, probes)
        for role in ROLES:
            unset = connections[role, True].execute("select current_setting('app.tenant_id', true)").fetchone()
            assert unset == (None,), "the matrix made a setting where it must not"
    return found


def make_reachable(connection: psycopg.Connection) -> None:
    """Take away what would stand before the policies: foreign keys wait, and rows that only grow may be changed."""
    for table, name in connection.execute("""
        select conrelid::regclass::text, quote_ident(conname) from pg_constraint
        where contype = 'f' and connamespace = 'public'::regnamespace and conparentid = 0
    """).fetchall():
        connection.execute(f"alter table {table} alter constraint {name} deferrable initially deferred")
    for table, name in connection.execute("""
        select tgrelid::regclass::text, quote_ident(tgname) from pg_trigger
        where tgfoid = (select oid from pg_proc where proname = 'refuse_change')
    """).fetchall():
        connection.execute(f"alter table {table} disable trigger {name}")


def read_relations(connection: psycopg.Connection, own: UUID) -> list[Relation]:
    relations = [
        Relation(*row)
        for row in connection.execute("""
            select c.relname, c.relkind::text, coalesce(array_agg(a.attname::text order by a.attnum) filter (
                where a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity <> 'a'), '{}')
            from pg_class as c
            left join pg_attribute as a on a.attrelid = c.oid
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
            group by c.oid, c.relname, c.relkind order by c.relname
        """).fetchall()
    ]
    for relation in relations:
        if relation.kind == "S":
            continue
        by = "tenant_id" if relation.of_a_practice else "null"
        counted = connection.execute(f'select {by}, count(*) from "{relation.name}" group by 1').fetchall()
        relation.rows = {key if isinstance(key, UUID) else None: count for key, count in counted}
        mine = "tenant_id = %(own)s" if relation.of_a_practice else "true"
        sample = connection.execute(
            f'select to_jsonb(t)::text from "{relation.name}" as t where {mine} limit 1', {"own": own}
        ).fetchone()
        relation.sample = sample[0] if sample else "{}"
    return relations


def ungrounded(relation: Relation, own: UUID, other: UUID) -> Iterator[str]:
    """Why the cells of a relation would prove nothing."""
    if relation.kind == "S":
        if relation.name not in TABLES:
            yield f"{relation.name} is a sequence: its numbers would tell one practice how much the others do."
        return
    if relation.name not in TABLES and not relation.system:
        yield f"{relation.name} has no entry: say in tests/support/builders/two_practices.py who may do what with it."
    if relation.of_a_practice and not (relation.rows.get(own) and relation.rows.get(other)):
        yield f"{relation.name} holds no rows of both practices, so nothing about it is proven."
    if relation.system and not relation.rows:
        yield f"{relation.name} holds no rows, so nothing about it is proven."


def given(relation: Relation, role: str) -> set[str]:
    """What a role was given. A relation without an entry is tried with all verbs: what is refused there is no news."""
    if role == "owner":
        return EVERYTHING
    if relation.system:
        app, warehouse = SYSTEM_TABLES[relation.name], relation.name in WAREHOUSE_READS_SYSTEM_TABLES
    else:
        app, warehouse = TABLES[relation.name].app, TABLES[relation.name].warehouse
    return {"app": set(app.split(", ")), "warehouse": {"select"} if warehouse else set(), "analyst": set()}[role]


def cells(relation: Relation, role: str, setting: str, own: UUID, other: UUID) -> Iterator[tuple[str, list[Probe]]]:
    listed = relation.name in TABLES or relation.system
    tenant = {"own": own, "other": other}.get(setting)
    if relation.kind == "S":
        if role != "owner":
            yield "SELECT", [Probe(f'select last_value from "{relation.name}"', {}, (REFUSED,))]
            yield "UPDATE", [Probe(f"select nextval('\"{relation.name}\"')", {}, (REFUSED,))]
        return
    if not relation.system and not relation.of_a_practice:
        yield "SELECT", [Probe(f'select 1 from "{relation.name}"', {}, (REFUSED, 0))]
        return
    for verb, needs in NEEDS.items():
        if verb == "MOVE" and relation.system:
            continue
        probes = list(probes_of(relation, verb, tenant, own, other))
        allowed = listed and needs <= given(relation, role)
        if verb == "TRUNCATE":
            # Whoever owns a table may empty it, as they may drop it; nobody else may, since no policy is asked.
            right: tuple[Any, ...] = (-1, REFERENCED) if role == "owner" else (REFUSED,)
            probes = [Probe(probe.statement, probe.values, right) for probe in probes]
        elif not allowed and listed:
            probes = [Probe(probe.statement, probe.values, (REFUSED,)) for probe in probes]
        elif not listed:
            probes = [Probe(probe.statement, probe.values, (REFUSED, *probe.right)) for probe in probes]
        elif role == "warehouse" and relation.of_a_practice:  # it may only read, and reads all practices by design
            probes = [Probe(probe.statement, probe.values, (relation.rows,)) for probe in probes]
        if setting == "malformed":
            probes = [Probe(probe.statement, probe.values, (MALFORMED, *probe.right)) for probe in probes]
        yield verb, probes


def probes_of(relation: Relation, verb: str, tenant: UUID | None, own: UUID, other: UUID) -> Iterator[Probe]:
    """How a verb is tried while the transaction is inside `tenant`, and what is right.

    Updates and deletes are tried twice: naming the rows, where the policy for reading protects them too, and blindly,
    where only the policy for the verb itself does.
    """
    name = f'"{relation.name}"'
    ids = {"own": own, "other": other, "tenant": tenant or own}
    columns = ", ".join(f'"{column}"' for column in relation.columns)
    copy = Probe(
        f"insert into {name} ({columns}) select {columns} from jsonb_populate_record(null::{name}, %(row)s::jsonb)",
        {"row": relation.sample},
        # Policies come before keys: whoever reaches the key was let through.
        (1, NOT_UNIQUE) if relation.system or tenant == own else (REFUSED,),
    )
    if relation.system:
        total = sum(relation.rows.values())
        same = f'set "{relation.columns[0]}" = "{relation.columns[0]}"'
        yield {
            "SELECT": Probe(f"select 1 from {name}", {}, (total,)),
            "SELECT FOR UPDATE": Probe(f"select 1 from {name} for update", {}, (total,)),
            "INSERT": copy,
            "UPDATE": Probe(f"update {name} {same}", {}, (total,)),
            "DELETE": Probe(f"delete from {name}", {}, (total,)),
            "TRUNCATE": Probe(f"truncate {name}", {}, ()),
        }[verb]
        return
    seen = {tenant: relation.rows[tenant]} if tenant in relation.rows else {}
    mine = relation.rows.get(own, 0) if tenant == own else 0
    count = sum(seen.values())
    if verb == "SELECT":
        yield Probe(f"select tenant_id, count(*) from {name} group by 1", {}, (seen,))
    elif verb == "SELECT FOR UPDATE":
        rows = f"(select tenant_id from {name} for update) as locked"
        yield Probe(f"select tenant_id, count(*) from {rows} group by 1", {}, (seen,))
    elif verb == "INSERT":
        yield copy
    elif verb == "UPDATE":
        yield Probe(f"update {name} set tenant_id = tenant_id where tenant_id = %(own)s", ids, (mine,))
        yield Probe(f"update {name} set tenant_id = %(tenant)s", ids, (count,))
    elif verb == "MOVE":
        away = other if tenant != other else own
        right = (REFUSED,) if tenant == own else (0,)
        yield Probe(f"update {name} set tenant_id = %(other)s where tenant_id = %(own)s", ids, right)
        yield Probe(f"update {name} set tenant_id = %(away)s", {"away": away}, (REFUSED,) if tenant else (0,))
    elif verb == "DELETE":
        yield Probe(f"delete from {name} where tenant_id = %(own)s", ids, (mine,))
        yield Probe(f"delete from {name}", ids, (count,))
    elif verb == "TRUNCATE":
        yield Probe(f"truncate {name}", {}, ())


def wrong(
    connection: psycopg.Connection,
    relation: Relation,
    role: str,
    verb: str,
    setting: str,
    own: UUID,
    other: UUID,
    probes: list[Probe],
) -> Iterator[str]:
    value = {"own": str(own), "other": str(other), "unset": None, "empty": "", "malformed": f"{own} or true"}[setting]
    for probe in probes:
        outcome = attempt(connection, value, probe)
        if outcome not in probe.right:
            if isinstance(outcome, dict):
                named = {"own": outcome.pop(own, 0), "other": outcome.pop(other, 0), "third": sum(outcome.values())}
                outcome = {whose: count for whose, count in named.items() if count}
            yield f"{verb} on {relation.name} by {role}, tenant {setting}: {outcome} from `{probe.statement}`."


def attempt(connection: psycopg.Connection, tenant: str | None, probe: Probe) -> Any:
    """Rows by practice, or the number of rows, or the code of the error. Nothing is left behind."""
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
