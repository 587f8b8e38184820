"""Booking references: `BK-<year>-<six digits>`, unique in the practice and random, so they do not reveal volume."""

import secrets

from sqlalchemy import text

from practice.security.work import Work

UNUSED_REFERENCES_SQL = text("""
    select wanted.reference from unnest(cast(:wanted as text [])) as wanted (reference)
    where not exists (
        select from appointments as a where a.tenant_id = :tenant_id and a.reference = wanted.reference
    )
""")


def generate_references(work: Work, year: int, number: int) -> list[str]:
    """Return unused random references. A counter would be a row that every booking of the practice waits for."""
    references: set[str] = set()
    while len(references) < number:
        candidates = list({f"BK-{year}-{secrets.randbelow(10**6):06}" for _ in range(2 * number + 2)})
        unused = work.db.scalars(UNUSED_REFERENCES_SQL, {"wanted": candidates, "tenant_id": work.tenant_id})
        references.update(unused)
    return list(references)[:number]
