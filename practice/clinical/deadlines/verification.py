"""Verification of session locks: they are compared with the audit log."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from practice.security.doctor import Finding
from practice.security.installation import Installation
from practice.security.retired_actions import list_names
from practice.text import format_count

# By hand, an entry and its lock have the same instant. Of the deadline's locks, the log has the number per run.
LOCKS_SQL = text("""
    with entries as (
        select subject_id, at, upper(split_part(action, '.', 2)) as kind,
            cast(details ->> 'until' as timestamptz) as until
        from audit_log where tenant_id = :tenant_id and action in ('session.locked', 'session.unlocked')
    ),
    locks as (
        select id, appointment_id, at, kind, until, by_id is null and account_id is null as by_deadline
        from session_locks where tenant_id = :tenant_id
    )
    select
        (select count(*) from locks) as locks,
        array(
            select distinct e.subject_id from entries as e where not exists (
                select from locks as l
                where l.appointment_id = e.subject_id and l.at = e.at and l.kind = e.kind
                    and l.until is not distinct from e.until
            )
        ) as lost,
        array(
            select distinct l.appointment_id from locks as l where not l.by_deadline and not exists (
                select from entries as e
                where e.subject_id = l.appointment_id and e.at = l.at and e.kind = l.kind
                    and e.until is not distinct from l.until
            )
        ) as unknown,
        (
            select coalesce(sum(cast(details ->> 'locked' as bigint)), 0) from audit_log
            where tenant_id = :tenant_id and action = any(:deadline_actions)
        ) - (select count(*) from locks where by_deadline) as missing
""")


def examine_session_locks(installation: Installation, _: datetime, tenant_id: UUID, name: str) -> Iterator[Finding]:
    """Yield the finding of `caseload doctor` about the session locks of a practice."""
    parameters = {"tenant_id": tenant_id, "deadline_actions": list_names(["deadlines.recorded"])}
    with installation.store.begin_session(tenant_id) as db:
        row = db.execute(LOCKS_SQL, parameters).one()
    problems = []
    if row.lost:
        problems.append(f"a lock or unlock of {format_count(len(row.lost), 'session')} was removed or changed")
    if row.unknown:
        problems.append(f"a lock or unlock of {format_count(len(row.unknown), 'session')} is not in the audit log")
    if row.missing:
        number = format_count(abs(row.missing), "lock")
        problems.append(f"{number} by the deadline {'missing' if row.missing > 0 else 'not in the audit log'}")
    facts = {"tenant_id": str(tenant_id), "locks": row.locks}
    if problems:
        message = (
            f"{name}: session locks differ from the audit log: {'; '.join(problems)}. Do not change the database, and "
            "compare it with a backup to find what was changed."
        )
        sessions = sorted({str(session_id) for session_id in (*row.lost, *row.unknown)})
        yield Finding("session locks", False, message, facts | {"sessions": sessions[:100]})
    else:
        yield Finding("session locks", True, f"{name}: {format_count(row.locks, 'session lock')}, all intact.", facts)
