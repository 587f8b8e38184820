"""Catalog rules that tenant isolation depends on, whatever rows exist."""

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from practice.store.engine import make_engine
from practice.store.policies import SYSTEM_TABLES, find_protection_problems
from practice.store.roles import ROLES
from tests.support.builders.two_practices import MARTS, PARTS, TABLES, VIEWS, WAREHOUSE_READS_SYSTEM_TABLES
from tests.support.harness import cluster
from tests.support.oracles.isolation_functions import DEFINERS, FUNCTIONS

SCHEMAS = {"public", "analytics", "marts"}

MEMBERSHIPS = {("caseload_owner", "caseload_marts"), ("caseload_app", "caseload_analyst")}
"""Roles that may act as another one, without inheriting its privileges."""


def find_faults(database: str) -> list[str]:
    engine = make_engine(lambda: cluster.connect_as_superuser(database), pool_size=0)
    with engine.connect() as connection:
        problems = find_protection_problems(connection)
    with cluster.connect_as_superuser(database) as connection:
        for check in (
            check_primary_keys,
            check_foreign_keys,
            check_unique_indexes,
            check_views,
            check_grants,
            check_marts_columns,
            check_marts,
            check_functions,
            check_owners,
            check_schemas,
        ):
            problems += check(connection)
        problems += find_role_faults(connection.execute(ROLE_ATTRIBUTES, [list(ROLES)]).fetchall())
    return problems


def fetch_rows(connection: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query, {"system": list(SYSTEM_TABLES), "roles": list(ROLES)}).fetchall()


def check_primary_keys(connection: psycopg.Connection) -> Iterator[str]:
    """Check that the primary key of every practice table starts with the practice."""
    for (table,) in fetch_rows(
        connection,
        """
        select c.oid::regclass::text from pg_class as c
        where c.relnamespace::regnamespace::text in ('public', 'analytics') and c.relkind in ('r', 'p')
            and c.relname <> all(%(system)s)
            and not exists (
                select from pg_constraint as k
                join pg_attribute as a on a.attrelid = c.oid and a.attnum = k.conkey[1]
                where k.conrelid = c.oid and k.contype = 'p' and a.attname = 'tenant_id'
                    and a.atttypid = 'uuid'::regtype
            )
        """,
    ):
        yield f"The primary key of {table} does not start with tenant_id."


def check_foreign_keys(connection: psycopg.Connection) -> Iterator[str]:
    """Check that each reference to a practice table includes the practice, since policies do not apply to it."""
    for table, name in fetch_rows(
        connection,
        """
        select k.conrelid::regclass::text, k.conname from pg_constraint as k
        join pg_class as target on target.oid = k.confrelid
        where k.contype = 'f' and k.connamespace::regnamespace::text in ('public', 'analytics')
            and target.relname <> all(%(system)s)
            and not exists (
                select from unnest(k.conkey, k.confkey) as pair (source, target)
                join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = pair.source
                join pg_attribute as b on b.attrelid = k.confrelid and b.attnum = pair.target
                where a.attname = 'tenant_id' and b.attname = 'tenant_id'
            )
        """,
    ):
        yield f"The foreign key {name} of {table} does not carry tenant_id."


def check_unique_indexes(connection: psycopg.Connection) -> Iterator[str]:
    """Check that unique indexes start with the practice: others would reveal values of another practice."""
    for table, name in fetch_rows(
        connection,
        """
        select i.indrelid::regclass::text, i.indexrelid::regclass::text from pg_index as i
        join pg_class as c on c.oid = i.indrelid
        left join pg_attribute as a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where i.indisunique and c.relnamespace::regnamespace::text in ('public', 'analytics')
            and c.relname <> all(%(system)s)
            and a.attname is distinct from 'tenant_id'
        """,
    ):
        yield f"The unique index {name} of {table} does not start with tenant_id."


def check_views(connection: psycopg.Connection) -> Iterator[str]:
    kinds = {"v": "is a view without security_invoker", "m": "is a materialized view", "f": "is a foreign table"}
    for name, kind in fetch_rows(
        connection,
        """
        select c.oid::regclass::text, c.relkind::text from pg_class as c
        where c.relnamespace::regnamespace::text in ('public', 'analytics')
            and (c.relkind in ('m', 'f') or c.relkind = 'v' and not exists (
            select from pg_options_to_table(c.reloptions)
            where option_name = 'security_invoker' and option_value::boolean
        ))
        """,
    ):
        yield f"{name} {kinds[kind]}: policies do not apply to it."


def check_grants(connection: psycopg.Connection) -> Iterator[str]:
    """Check that the grants on tables, columns, views and sequences are exactly the listed ones."""
    listed = {
        (table, "caseload_app", privilege)
        for table, privileges in SYSTEM_TABLES.items()
        for privilege in privileges.split(", ")
    }
    listed |= {(table, "caseload_warehouse", "select") for table in WAREHOUSE_READS_SYSTEM_TABLES}
    listed |= {(view, "caseload_app", "select") for view in (*VIEWS, *MARTS)}
    listed |= {(mart, "caseload_analyst", "select") for mart in MARTS}
    for table, entry in TABLES.items():
        listed |= {(table, "caseload_app", privilege) for privilege in entry.privileges.split(", ")}
        listed |= {(table, "caseload_warehouse", "select")} if entry.warehouse_reads else set()
    granted = set(
        fetch_rows(
            connection,
            """
            select c.oid::regclass::text, coalesce(r.rolname, 'public'), lower(acl.privilege_type)
            from pg_class as c
            cross join lateral (
                select * from aclexplode(c.relacl)
                union all
                select one.* from pg_attribute as a cross join lateral aclexplode(a.attacl) as one
                where a.attrelid = c.oid
            ) as acl
            left join pg_roles as r on r.oid = acl.grantee
            where c.relnamespace::regnamespace::text in ('public', 'analytics', 'marts') and c.relkind <> 'i'
                and acl.grantee <> c.relowner and r.rolname is distinct from 'caseload_marts'
            """,
        )
    )
    yield from (
        f"{role} was granted {privilege} on {table}, which is not listed."
        for table, role, privilege in granted - listed
    )
    yield from (
        f"{role} was not granted {privilege} on {table}, which is listed."
        for table, role, privilege in listed - granted
    )


def check_marts_columns(connection: psycopg.Connection) -> Iterator[str]:
    """Check that caseload_marts may select exactly the columns that its views refer to."""
    granted = set(
        fetch_rows(
            connection,
            """
            select c.oid::regclass::text, '', lower(acl.privilege_type)
            from pg_class as c cross join lateral aclexplode(c.relacl) as acl
            where acl.grantee = 'caseload_marts'::regrole and acl.grantee <> c.relowner
            union all
            select a.attrelid::regclass::text, a.attname, lower(acl.privilege_type)
            from pg_attribute as a cross join lateral aclexplode(a.attacl) as acl
            where acl.grantee = 'caseload_marts'::regrole
            """,
        )
    )
    needed = set(
        fetch_rows(
            connection,
            """
            select c.oid::regclass::text, a.attname, 'select'
            from pg_class as v
            join pg_rewrite as w on w.ev_class = v.oid
            join pg_depend as d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid
                and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
            join pg_class as c on c.oid = d.refobjid and c.relnamespace <> v.relnamespace
            join pg_attribute as a on a.attrelid = c.oid and a.attnum = d.refobjsubid
            where v.relnamespace::regnamespace::text = 'marts'
            """,
        )
    )
    for table, column, privilege in granted - needed:
        yield f"caseload_marts was granted {privilege} on {table}.{column}, which no mart needs."
    for table, column, _ in needed - granted:
        yield f"caseload_marts was not granted {table}.{column}, which a mart needs."


def check_marts(connection: psycopg.Connection) -> Iterator[str]:
    """Check that each relation of the schema has an entry, and each column a description: the data dictionary."""
    for relation, column, description in fetch_rows(
        connection,
        """
        select c.oid::regclass::text, coalesce(a.attname, ''),
            coalesce(case when a.attnum > 0 then col_description(c.oid, a.attnum)
                else obj_description(c.oid, 'pg_class') end, '')
        from pg_class as c
        join (select attrelid, attname, attnum from pg_attribute where attnum > 0 and not attisdropped
            union all select oid, '', 0 from pg_class) as a on a.attrelid = c.oid
        where c.relnamespace::regnamespace::text = 'marts'
        """,
    ):
        if relation not in MARTS and relation not in PARTS and not column:
            yield f"{relation} has no entry: declare it in tests/support/builders/two_practices.py."
        if not description and not (relation in PARTS and column):
            yield f"{relation}{'.' if column else ''}{column} has no comment."


def check_functions(connection: psycopg.Connection) -> Iterator[str]:
    """Check security and callers of our functions. Constructors of range types belong to their type."""
    for name, definer, path, callers in fetch_rows(
        connection,
        """
        select p.proname, p.prosecdef, array_to_string(p.proconfig, '; '), array(
            select coalesce(r.rolname, 'public')
            from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
            left join pg_roles as r on r.oid = acl.grantee
            where acl.grantee <> p.proowner
        )::text[]
        from pg_proc as p
        where p.pronamespace::regnamespace::text in ('public', 'analytics', 'marts') and not exists (
            select from pg_depend as d
            where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_type'::regclass
                and d.deptype = 'i'
        )
        """,
    ):
        if definer and name not in DEFINERS:
            yield f"The function {name} runs with its owner's privileges and is not listed among those that may."
        if definer and "search_path=pg_catalog, public, pg_temp" not in (path or "").split("; "):
            yield f"The function {name} runs with its owner's privileges, but with its caller's search path."
        if name not in FUNCTIONS:
            yield f"The function {name} is not listed."
        elif differences := set(callers) ^ FUNCTIONS[name]:
            yield f"The function {name} may be called by others than listed: {', '.join(sorted(differences))}."


def check_owners(connection: psycopg.Connection) -> Iterator[str]:
    """Check that the owner role owns everything and no other role anything: owners bypass unforced policies."""
    for role, description in fetch_rows(
        connection,
        """
        select r.rolname, pg_describe_object(d.classid, d.objid, d.objsubid)
        from pg_shdepend as d
        join pg_roles as r on r.oid = d.refobjid and d.refclassid = 'pg_authid'::regclass
        where d.deptype = 'o' and r.rolname = any(%(roles)s) and r.rolname <> 'caseload_owner'
            and d.dbid in (0, (select oid from pg_database where datname = current_database()))
        """,
    ):
        if role != "caseload_marts" or description not in {
            "schema marts",
            *(f"view {view}" for view in (*MARTS, *PARTS)),
        }:
            yield f"{role} owns {description}."
    for kind, name, owner in fetch_rows(
        connection,
        """
        select 'relation', oid::regclass::text, pg_get_userbyid(relowner) from pg_class
        where relnamespace::regnamespace::text in ('public', 'analytics')
            and pg_get_userbyid(relowner) <> 'caseload_owner'
        union all
        select 'function', proname, pg_get_userbyid(proowner) from pg_proc
        where pronamespace::regnamespace::text in ('public', 'analytics')
            and pg_get_userbyid(proowner) <> 'caseload_owner'
        """,
    ):
        yield f"The {kind} {name} belongs to {owner} and not to caseload_owner."


def check_schemas(connection: psycopg.Connection) -> Iterator[str]:
    """Check that no schema exists beyond the ones that the matrix examines."""
    for (name,) in fetch_rows(
        connection, "select nspname from pg_namespace where nspname !~ '^(pg_|information_schema$)'"
    ):
        if name not in SCHEMAS:
            yield f"The schema {name} is not examined: extend the isolation matrix to it."
    for role, schema in fetch_rows(
        connection,
        """
        select r.rolname, n.nspname from pg_roles as r cross join pg_namespace as n
        where r.rolname = any(%(roles)s) and r.rolname <> 'caseload_owner' and n.nspname !~ '^pg_'
            and has_schema_privilege(r.oid, n.oid, 'create')
        """,
    ):
        if (role, schema) != ("caseload_marts", "marts"):
            yield f"{role} may create objects in the schema {schema}."


ROLE_ATTRIBUTES = """
    select r.rolname, array_remove(array[
        case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypassrls' end,
        case when r.rolcreaterole then 'createrole' end, case when r.rolcreatedb then 'createdb' end,
        case when r.rolreplication then 'replication' end,
        case when exists (
            select from pg_roles as g where g.oid <> r.oid and pg_has_role(r.oid, g.oid, 'usage')
                and g.rolname <> 'pg_database_owner'
        ) then 'inherits other roles' end
    ], null), array(
        select g.rolname from pg_roles as g where g.oid <> r.oid and pg_has_role(r.oid, g.oid, 'member')
            and g.rolname <> 'pg_database_owner'  -- every owner of a database is a member, and it owns the schema
    )::text[]
    from pg_roles as r where r.rolname = any(%s) order by r.rolname
"""


def find_role_faults(rows: Iterable[tuple[str, list[str], list[str]]]) -> Iterator[str]:
    """Return the attributes and unlisted memberships of Caseload's roles. They must have none."""
    rows = list(rows)
    yield from (f"The role {role} is missing." for role in sorted(set(ROLES) - {name for name, _, _ in rows}))
    for role, attributes, memberships in rows:
        if attributes:
            yield f"The role {role} has attributes that bypass tenant isolation: {', '.join(attributes)}."
        unlisted = [group for group in memberships if (role, group) not in MEMBERSHIPS]
        if unlisted:
            yield f"The role {role} is a member of {', '.join(unlisted)}."
