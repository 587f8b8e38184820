"""The schema as text, one line per object of the catalog, and its differences from what the migrations create.

`schema.txt` has the lines of a migrated database: tests compare it with the migrations, `caseload doctor` with the
database that it examines. Alembic's comparison does not see checks, exclusion constraints, policies, grants, functions
or triggers; this one does.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, text

SNAPSHOT = Path(__file__).with_name("schema.txt")

CATALOG = """
    with things as (
        select c.oid, c.oid::regclass::text as name, c.relkind, c.relacl, c.relowner, c.relrowsecurity,
            c.relforcerowsecurity,
            c.relpersistence, c.reloptions
        from pg_class as c where c.relnamespace::regnamespace::text in ('public', 'analytics', 'marts')
    ),
    granted as (
        select t.name || '  grant ' || coalesce(r.rolname, 'public') || ': '
            || string_agg(lower(acl.privilege_type) || case when acl.is_grantable then '!' else '' end, ', '
                order by lower(acl.privilege_type)) as line
        from things as t cross join lateral aclexplode(t.relacl) as acl
        left join pg_roles as r on r.oid = acl.grantee
        group by t.name, r.rolname
    )
    select name || '  ' || case relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
            when 'm' then 'materialised view' when 'S' then 'sequence' when 'f' then 'foreign table' end
        || ' of ' || pg_get_userbyid(relowner)
        || case relpersistence when 'u' then ', unlogged' else '' end
        || case when relrowsecurity then ', row-level security' else '' end
        || case when relforcerowsecurity then ', forced' else '' end
        || coalesce(', ' || array_to_string(reloptions, ', '), '')
    from things where relkind in ('r', 'p', 'v', 'm', 'S', 'f')
    union all
    select t.name || '  column ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || case when a.attcollation <> y.typcollation then ' collate ' || quote_ident(l.collname) else '' end
        || coalesce(case a.attgenerated when '' then ' default ' else ' generated ' || a.attgenerated::text || ' ' end
            || pg_get_expr(d.adbin, d.adrelid), '')
        || case a.attidentity when '' then '' else ' identity ' || a.attidentity::text end
        || coalesce(' ' || a.attacl::text, '')
    from things as t join pg_attribute as a on a.attrelid = t.oid join pg_type as y on y.oid = a.atttypid
    left join pg_collation as l on l.oid = a.attcollation
    left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where t.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
    union all
    select t.name || '  constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
        || case when k.convalidated then '' else ' (not validated)' end
        || case when exists (
            select from pg_trigger as g where g.tgconstraint = k.oid and g.tgisinternal and g.tgenabled <> 'O'
        ) then ' (not enforced: its triggers are disabled)' else '' end
    from things as t join pg_constraint as k on k.conrelid = t.oid where k.contype <> 'n'
    union all
    select t.name || '  index ' || pg_get_indexdef(i.indexrelid) || case when i.indisvalid then '' else ' (invalid)' end
    from things as t join pg_index as i on i.indrelid = t.oid
    union all
    select t.name || '  policy ' || p.polname || case when p.polpermissive then '' else ' restrictive' end
        || ' for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
            when 'd' then 'delete' else 'all' end || ' to ' || array_to_string(array(
            select case r.oid when 0 then 'public' else pg_get_userbyid(r.oid) end
            from unnest(p.polroles) as r (oid) order by 1
        ), ', ')
        || coalesce(' using ' || pg_get_expr(p.polqual, p.polrelid), '')
        || coalesce(' with check ' || pg_get_expr(p.polwithcheck, p.polrelid), '')
    from things as t join pg_policy as p on p.polrelid = t.oid
    union all
    select t.name || '  trigger ' || pg_get_triggerdef(g.oid) || ' enabled ' || g.tgenabled::text
    from things as t join pg_trigger as g on g.tgrelid = t.oid where not g.tgisinternal
    union all
    select t.name || '  rule ' || pg_get_ruledef(w.oid)
    from things as t join pg_rewrite as w on w.ev_class = t.oid
    union all
    select line from granted
    union all
    select 'function ' || p.oid::regprocedure::text || '  returns ' || pg_get_function_result(p.oid)
        || ', ' || l.lanname || case p.provolatile when 'i' then ' immutable' when 's' then ' stable' else '' end
        || case when p.prosecdef then ' security definer' else '' end
        || coalesce(' set ' || array_to_string(p.proconfig, ', '), '')
        || ', of ' || pg_get_userbyid(p.proowner)
        || ', called by ' || coalesce(array_to_string(array(
            select coalesce(r.rolname, 'public') from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
            left join pg_roles as r on r.oid = acl.grantee order by 1
        ), ', '), 'nobody')
        || ', body ' || md5(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc))
    from pg_proc as p join pg_language as l on l.oid = p.prolang
        where p.pronamespace::regnamespace::text in ('public', 'analytics', 'marts')
    union all
    select 'type ' || y.typname || '  ' || case y.typtype when 'e' then 'enum ' || array_to_string(array(
            select e.enumlabel from pg_enum as e where e.enumtypid = y.oid order by e.enumsortorder
        ), ', ') when 'r' then 'range of ' || (
            select format_type(g.rngsubtype, null) from pg_range as g where g.rngtypid = y.oid
        ) when 'd' then 'domain over ' || format_type(y.typbasetype, y.typtypmod) when 'c' then 'composite' end
    from pg_type as y left join pg_class as c on c.oid = y.typrelid
    where y.typnamespace::regnamespace::text in ('public', 'analytics', 'marts') and y.typtype in ('e', 'r', 'd', 'c')
        and (c.oid is null or c.relkind = 'c')
    union all
    select 'default privileges  ' || pg_get_userbyid(d.defaclrole) || ' ' || d.defaclobjtype::text || ' '
        || d.defaclacl::text
    from pg_default_acl as d
"""

# What keeps records sound in every write. An operator may add indexes, but a further trigger can change records.
GUARDS = re.compile(
    r"(?P<table>\S+) (?P<kind>constraint|index|trigger|rule) (?:CREATE .*?(?:INDEX|TRIGGER|RULE) )?(?P<name>\S+)"
    r"|(?P<function>function) (?P<signature>.+?) returns "
)

PARENTHESES = re.compile(r"[()]")


def format_lines(rows: Iterable[str]) -> list[str]:
    """Return the rows of CATALOG as sorted lines."""
    return sorted(" ".join(row.split()) for row in rows)


def find_schema_problems(connection: Connection) -> list[str]:
    """Return a message for each constraint, index, trigger or function that differs from the migrations."""
    found = index_guards(format_lines(connection.exec_driver_sql(CATALOG).scalars()))
    expected = index_guards(SNAPSHOT.read_text().splitlines())
    problems = [
        f"The {name} is missing." if name not in found else f"The {name} is disabled or was altered."
        for name, line in expected.items()
        if found.get(name) != line
    ]
    problems += [
        f"The {name} was not created by Caseload."
        for name in found.keys() - expected.keys()
        if name.startswith(("trigger", "rule"))
    ]
    if connection.execute(text("show session_replication_role")).scalar_one() != "origin":
        problems.append("Triggers do not run in sessions of the service: session_replication_role is not `origin`.")
    return sorted(problems)


def index_guards(lines: Iterable[str]) -> dict[str, str]:
    """Return the lines of constraints, indexes, triggers and functions by what they describe.

    Without parentheses: PostgreSQL writes those of a condition differently after a dump and a restore.
    """
    guards = {}
    for line in lines:
        match = GUARDS.match(line)
        if match is not None:
            kind, name = match["kind"] or match["function"], match["name"] or match["signature"]
            guards[f"{kind} {name}" + (f" of {match['table']}" if match["table"] else "")] = PARENTHESES.sub("", line)
    return guards
