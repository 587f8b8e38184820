"""Verification of the versions of records: the newest one of each record is compared with the record itself."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.orm import Session

from practice.security.doctor import Finding
from practice.security.installation import Installation
from practice.text import format_count

# The tables whose records all have versions, with the columns that the trigger keeps. Notes, plan reviews and
# appointments have versions only once they were corrected.
KEPT_SQL = text(r"""
    select c.relname as name, array_remove(string_to_array(encode(t.tgargs, 'escape'), '\000'), '') as columns,
        cast(t.tgtype & 4 as boolean) as from_the_beginning
    from pg_trigger as t
    join pg_class as c on c.oid = t.tgrelid and c.relnamespace = 'public'::regnamespace
    where t.tgname = 'keep_version' and not t.tgisinternal
    order by c.relname
""")
# Both are sorted by record, so that a table is read once, whatever its size. Of two versions of one transaction the
# later has the greater id.
DIFFERENT_SQL = sql.SQL("""
    select count(*) as number, (array_agg(id order by id))[1:100] as ids from (
        select coalesce(r.id, v.record_id) as id
        from (select id, jsonb_build_object({pairs}) as now from {table} where tenant_id = :tenant_id) as r
        {join} join (
            select distinct on (record_id) record_id, record_values from record_versions
            where tenant_id = :tenant_id and record_kind = {kind} order by record_id, id desc
        ) as v on v.record_id = r.id
        where r.now is distinct from v.record_values
    ) as different
""")


def examine_versions(installation: Installation, _: datetime, tenant_id: UUID, name: str) -> Iterator[Finding]:
    """Yield the findings of `caseload doctor` about records that differ from the newest of their versions."""
    with installation.store.begin_session(tenant_id) as db:
        db.execute(text("set local statement_timeout = 0"))  # many records take longer
        kept = db.execute(KEPT_SQL).all()
        different = {
            row.name: find_different(db, tenant_id, row.name, row.columns, row.from_the_beginning) for row in kept
        }
    facts = {"tenant_id": str(tenant_id)}
    for table, (number, ids) in different.items():
        if number:
            records = f"{format_count(number, 'record')} of {table} {'differs' if number == 1 else 'differ'}"
            examples = ", ".join(str(record_id) for record_id in ids[:3]) + (" and others" if number > 3 else "")
            message = (
                f"{name}: {records} from the newest version kept ({examples}): one of the two was changed past the "
                "service. Do not change the database, and compare it with a backup to find which."
            )
            yield Finding("versions", False, message, facts | {"table": table, "records": [str(each) for each in ids]})
    if not any(number for number, _ in different.values()):
        yield Finding("versions", True, f"{name}: all records are as their newest versions.", facts)


def find_different(
    db: Session, tenant_id: UUID, table: str, columns: list[str], from_the_beginning: bool
) -> tuple[int, list[UUID]]:
    """Return how many records of a table differ from their newest versions, and the first of them."""
    pairs = sql.SQL(", ").join(sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier(name)) for name in columns)
    statement = DIFFERENT_SQL.format(
        pairs=pairs,
        table=sql.Identifier(table),
        kind=sql.Literal(table),
        join=sql.SQL("full" if from_the_beginning else "right"),
    )
    row = db.execute(text(statement.as_string().replace("::", "\\:\\:")), {"tenant_id": tenant_id}).one()
    return row.number, row.ids or []
