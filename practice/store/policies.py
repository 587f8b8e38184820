"""Row-level security and grants: generated for tables of a practice, listed by hand for the few system tables."""

from collections.abc import Iterator

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
}
"""Tables outside any practice, with the privileges of the runtime role. Every other table belongs to a practice."""

THIS_PRACTICE = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"


def protect(table: str, app: str = "select, insert, update", *, warehouse: bool = True) -> Iterator[str]:
    """Yield the statements that close a table to all but the current practice, the owner role included."""
    yield f"alter table {table} enable row level security"
    yield f"alter table {table} force row level security"
    yield f"create policy own_practice on {table} using ({THIS_PRACTICE}) with check ({THIS_PRACTICE})"
    yield f"grant {app} on {table} to caseload_app"
    if warehouse:
        yield f"grant select on {table} to caseload_warehouse"
        yield f"create policy warehouse_read on {table} for select to caseload_warehouse using (true)"


def open_system_table(table: str) -> str:
    """Return the statement that grants the runtime role its privileges on a system table."""
    return f"grant {SYSTEM_TABLES[table]} on {table} to caseload_app"


UNPROTECTED = text("""
    select c.oid::regclass::text as relname, c.relrowsecurity, c.relforcerowsecurity,
        count(p.polname) filter (where p.polname = 'own_practice' and p.polpermissive and p.polcmd = '*'
            and p.polroles = '{0}'
            and pg_get_expr(p.polqual, p.polrelid) = pg_get_expr(p.polwithcheck, p.polrelid)
            and replace(pg_get_expr(p.polqual, p.polrelid), '::text', '') = :expression) as own_practice,
        count(p.polname) filter (where p.polname not in ('own_practice', 'warehouse_read')) as strangers,
        coalesce(bool_or(p.polname = 'warehouse_read' and (p.polcmd <> 'r'
            or p.polroles <> array(select oid from pg_roles where rolname = 'caseload_warehouse'))), false) as wide_open
    from pg_class c
    left join pg_policy p on p.polrelid = c.oid
    where c.relnamespace::regnamespace::text in ('public', 'analytics') and c.relkind in ('r', 'p')
        and c.relname <> all(:system)
    group by c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity
    order by 1
""")


def find_protection_problems(connection: Connection) -> list[str]:
    """Return a message for each table of a practice whose protection is incomplete."""
    rows = connection.execute(
        UNPROTECTED,
        {
            "system": list(SYSTEM_TABLES),
            "expression": "(tenant_id = (NULLIF(current_setting('app.tenant_id', true), ''))::uuid)",
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
        if faults:
            problems.append(f"Table {row.relname}: {', '.join(faults)}.")
    return problems
