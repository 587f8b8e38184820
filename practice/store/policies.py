"""Row-level security and grants: generated for tables of a practice, listed by hand for the few system tables."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, text

SYSTEM_TABLES: dict[str, str] = {
    "alembic_version": "select",
    "practices": "select, insert, update",
    "accounts": "select, insert, update",
    "memberships": "select, insert, update",
    "recovery_codes": "select, insert, delete",
    "sign_in_attempts": "select, insert, update, delete",
    "account_sessions": "select, insert, update",
    "refresh_tokens": "select, insert, update, delete",
    "one_time_tokens": "select, insert, update, delete",
    "dagster_tickets": "select, insert, delete",
    "rate_counters": "select, insert, update, delete",
    "analyst_logins": "select",
}
"""Tables outside any practice, with the privileges of the runtime role. Every other table belongs to a practice."""

THIS_PRACTICE = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
ANALYSTS_PRACTICE = "tenant_id = analyst_practice()"


def protect(table: str, app: str = "select, insert, update", *, warehouse: bool = True) -> Iterator[str]:
    """Yield the statements that close a table to all but the current practice, the owner role included.

    The policy names its roles: policies add up, so one for every role would also widen what the marts show.
    """
    yield f"alter table {table} enable row level security"
    yield f"alter table {table} force row level security"
    yield (
        f"create policy own_practice on {table} to caseload_owner, caseload_app "
        f"using ({THIS_PRACTICE}) with check ({THIS_PRACTICE})"
    )
    yield f"grant {app} on {table} to caseload_app"
    if warehouse:
        yield f"grant select on {table} to caseload_warehouse"
        yield f"create policy warehouse_read on {table} for select to caseload_warehouse using (true)"


def open_to_marts(table: str, columns: str) -> Iterator[str]:
    """Yield the statements that let the views of schema `marts` read these columns of a table of a practice."""
    yield f"grant select ({columns}) on {table} to caseload_marts"
    yield f"create policy marts_read on {table} for select to caseload_marts using ({ANALYSTS_PRACTICE})"


def change_every_practice(tables: Iterable[str], *statements: str) -> Iterator[str]:
    """Yield statements of a migration about the rows of every practice, which the policies hide even from the owner."""
    tables = tuple(tables)
    for table in tables:
        yield f"alter table {table} no force row level security"
    yield from statements
    for table in tables:
        yield f"alter table {table} force row level security"


def open_system_table(table: str) -> str:
    """Return the statement that grants the runtime role its privileges on a system table."""
    return f"grant {SYSTEM_TABLES[table]} on {table} to caseload_app"


UNPROTECTED = text("""
    select c.oid::regclass::text as relname, c.relrowsecurity, c.relforcerowsecurity,
        count(p.polname) filter (where p.polname = 'own_practice' and p.polpermissive and p.polcmd = '*'
            and roles.names = array['caseload_app', 'caseload_owner']
            and pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid)
            and replace(pg_get_expr(p.polqual, p.polrelid), '::text', '') = :own_practice) as own_practice,
        count(p.polname) filter (where p.polname = 'marts_read' and p.polpermissive and p.polcmd = 'r'
            and roles.names = array['caseload_marts']
            and pg_get_expr(p.polqual, p.polrelid) = :marts_read) as marts_read,
        has_any_column_privilege('caseload_marts', c.oid, 'select') as marts_may_read,
        count(p.polname) filter (
            where p.polname not in ('own_practice', 'warehouse_read', 'marts_read')
        ) as strangers,
        coalesce(bool_or(p.polname = 'warehouse_read'
            and (p.polcmd <> 'r' or roles.names <> array['caseload_warehouse'])), false) as wide_open,
        count(p.polname) filter (where p.polname = 'marts_read') as marts_policies
    from pg_class c
    left join pg_policy p on p.polrelid = c.oid
    left join lateral (
        select array(
            select coalesce(r.rolname::text, 'public') from unnest(p.polroles) as o (oid)
            left join pg_roles as r on r.oid = o.oid order by 1
        ) as names
    ) as roles on true
    where c.relnamespace::regnamespace::text in ('public', 'analytics') and c.relkind in ('r', 'p')
        and c.relname <> all(:system)
    group by c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity
    order by 1
""")


def find_protection_problems(connection: Connection) -> list[str]:
    """Return a message for each table of a practice, view of the marts and login whose protection is incomplete."""
    rows = connection.execute(
        UNPROTECTED,
        {
            "system": list(SYSTEM_TABLES),
            "own_practice": "(tenant_id = (NULLIF(current_setting('app.tenant_id', true), ''))::uuid)",
            "marts_read": f"({ANALYSTS_PRACTICE})",
        },
    )
    problems = []
    for row in rows:
        faults = []
        if not row.relrowsecurity:
            faults.append("row-level security is off")
        if not row.relforcerowsecurity:
            faults.append("the owner is exempt (no FORCE)")
        if row.own_practice != 1:
            faults.append("the policy own_practice is missing or altered")
        if row.strangers:
            faults.append("it has policies that Caseload did not create")
        if row.wide_open:
            faults.append("the warehouse policy allows more than reading by the warehouse role")
        if row.marts_policies != row.marts_read or row.marts_may_read != bool(row.marts_read):
            faults.append("the policy marts_read is missing or altered")
        if faults:
            problems.append(f"Table {row.relname}: {', '.join(faults)}.")
    problems += [
        f"View {view}: it does not read as caseload_marts behind a security barrier."
        for view in connection.scalars(UNGUARDED_MARTS)
    ]
    problems += [
        f"Login {login}: it may do more than read the marts of one practice."
        for login in connection.scalars(WIDE_LOGINS)
    ]
    return problems


UNGUARDED_MARTS = text("""
    select c.oid::regclass::text from pg_class as c
    where c.relnamespace::regnamespace::text = 'marts' and c.relkind not in ('i', 'c')
        and (c.relkind <> 'v' or pg_get_userbyid(c.relowner) <> 'caseload_marts'
            or c.reloptions is distinct from array['security_barrier=true'])
    order by 1
""")

# Logins with the analysts' role, and that role itself. The service may take the role on, but does not inherit it.
WIDE_LOGINS = text("""
    select r.rolname from pg_roles as r
    where (r.rolname = 'caseload_analyst' or exists (
        select from pg_auth_members as m join pg_roles as g on g.oid = m.roleid
        where m.member = r.oid and g.rolname = 'caseload_analyst' and m.inherit_option
    )) and (
        r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication
        or exists (
            select from pg_roles as g where g.oid <> r.oid and pg_has_role(r.oid, g.oid, 'member')
                and g.rolname <> 'caseload_analyst'
        )
        or has_database_privilege(r.oid, current_database(), 'create, temporary')
        or exists (
            select from pg_class as c where c.relnamespace::regnamespace::text in ('public', 'analytics')
                and c.relkind in ('r', 'p', 'v') and has_any_column_privilege(r.oid, c.oid, 'select, insert, update')
        )
        or exists (
            select from pg_shdepend as d where d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid
                and d.deptype = 'o'
        )
    )
    order by 1
""")
