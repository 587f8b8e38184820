"""Verification of completed visits: their prices are compared with the audit log."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from practice.security.doctor import Finding
from practice.security.installation import Installation
from practice.text import format_count

# Imported visits, and those completed by a version that did not record the price, have no entry to compare with.
PRICES_SQL = text("""
    select
        count(*) as visits,
        array_agg(a.id order by a.id) filter (where
            (cast(a.price_cents as text), a.price_from, cast(a.copay_cents as text)) is distinct from
            (e.details ->> 'price_cents', e.details ->> 'price_from', e.details ->> 'copay_cents')
        ) as changed
    from (
        select distinct on (subject_id) subject_id, details from audit_log
        where tenant_id = :tenant_id and action = 'appointment.completed'
        order by subject_id, seq desc
    ) as e
    join appointments as a on a.tenant_id = :tenant_id and a.id = e.subject_id and a.status = 'COMPLETED'
    where e.details ? 'price_cents'
""")


def examine_prices(installation: Installation, _: datetime, tenant_id: UUID, name: str) -> Iterator[Finding]:
    """Yield the finding of `caseload doctor` about the prices of a practice's completed visits."""
    with installation.store.begin_session(tenant_id) as db:
        row = db.execute(PRICES_SQL, {"tenant_id": tenant_id}).one()
    changed = [str(appointment_id) for appointment_id in row.changed or []]
    facts = {"tenant_id": str(tenant_id), "visits": row.visits}
    if changed:
        message = (
            f"{name}: the price of {format_count(len(changed), 'completed visit')} differs from the one at completion "
            f"({', '.join(changed[:3])}{' and others' if len(changed) > 3 else ''}). Do not change the database, and "
            "compare it with a backup to find what was changed."
        )
        yield Finding("prices", False, message, facts | {"appointments": changed[:100]})
    else:
        yield Finding("prices", True, f"{name}: {format_count(row.visits, 'fixed price')}, all intact.", facts)
