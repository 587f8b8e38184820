"""Booking references: `BK-<year>-<six digits>`, unique in the practice, telling nothing about how much it books."""

import secrets

from sqlalchemy import text

from practice.security.work import Work

FREE = text("""
    select wanted.reference from unnest(cast(:wanted as text [])) as wanted (reference)
    where not exists (
        select from appointments as a where a.tenant_id = :tenant_id and a.reference = wanted.reference
    )
""")


def new_references(work: Work, year: int, number: int) -> list[str]:
    """Random ones, since a counter would be a row that every booking of the practice waits for."""
    found: set[str] = set()
    while len(found) < number:
        wanted = list({f"BK-{year}-{secrets.randbelow(10**6):06}" for _ in range(2 * number + 2)})
        found.update(work.db.scalars(FREE, {"wanted": wanted, "tenant_id": work.tenant_id}))
    return list(found)[:number]
