"""Verification of closed pay weeks: their lines are compared with the digests in the audit log."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from practice.payroll.models import PayLine
from practice.payroll.rules import DIGEST_FIELDS, hash_closed_week
from practice.security.doctor import Finding
from practice.security.installation import Installation
from practice.text import format_count

# One statement, so that a week that is closed meanwhile is either in both or in neither.
CLOSED_WEEKS_SQL = text("""
    select
        p.id, coalesce(cast(p.week as text), e.week) as week, p.week as stored_week, p.closed_at, p.problems,
        e.id as closed_id, e.digest
    from (
        select subject_id as id, details ->> 'week' as week, details ->> 'digest' as digest from audit_log
        where tenant_id = :tenant_id and action = 'pay_period.closed' and subject_id not in (
            select subject_id from audit_log where tenant_id = :tenant_id and action = 'pay_period.removed'
        )
    ) as e
    full join (select * from pay_periods where tenant_id = :tenant_id) as p on p.id = e.id
    where e.id is not null or p.closed_at is not null
    order by 2
""")


def examine_closed_weeks(installation: Installation, _: datetime, tenant_id: UUID, name: str) -> Iterator[Finding]:
    """Yield the finding of `caseload doctor` about the closed pay weeks of a practice.

    Weeks that were closed before digests were recorded cannot be verified, which is not a fault.
    """
    wrong: dict[str, str] = {}
    unverified: list[str] = []
    with installation.store.begin_session(tenant_id) as db:
        weeks = db.execute(CLOSED_WEEKS_SQL, {"tenant_id": tenant_id}).all()
        columns = [getattr(PayLine, field) for field in ("period_id", *DIGEST_FIELDS)]
        lines: dict[UUID, list[Any]] = {}
        for line in db.execute(select(*columns).where(PayLine.tenant_id == tenant_id)):
            lines.setdefault(line.period_id, []).append(line)
    for week in weeks:
        if week.closed_id is None:
            wrong[week.week] = "it is closed, but the audit log has no entry of its closing"
        elif week.id is None:
            wrong[week.week] = "it was closed and is missing"
        elif week.closed_at is None:
            wrong[week.week] = "it was closed and is open again"
        elif week.digest is None:
            unverified.append(week.week)
        elif week.digest != hash_closed_week(week.stored_week, week.closed_at, week.problems, lines.get(week.id, [])):
            wrong[week.week] = "its lines or its closing differ from what was closed"
    facts = {"tenant_id": str(tenant_id), "weeks": len(weeks), "unverified": unverified}
    if wrong:
        examples = "; ".join(f"the week of {week}: {problem}" for week, problem in list(wrong.items())[:3])
        message = (
            f"{name}: {format_count(len(wrong), 'closed pay week')} changed since the closing ({examples}). Do not "
            "change the database, and compare it with a backup to find what was changed."
        )
        yield Finding("pay", False, message, facts | {"wrong": sorted(wrong)})
    else:
        message = f"{name}: {format_count(len(weeks) - len(unverified), 'closed pay week')}, all intact."
        if unverified:
            earlier = format_count(len(unverified), "more week")
            message += f" {earlier} cannot be verified: closed by an earlier version, which recorded no digest."
        yield Finding("pay", True, message, facts)
