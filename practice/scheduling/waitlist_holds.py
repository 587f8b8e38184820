"""Offers whose time to answer is over: they keep nothing any longer."""

from uuid import UUID

from sqlalchemy import text

from practice.security.work import Work

LAPSE = text("""
    with lapsed as (
        update waitlist_offers set status = 'EXPIRED'
        where tenant_id = :tenant_id and clinician_id = :clinician_id and status = 'OPEN' and holds_until <= :now
        returning entry_id
    )
    update waitlist_entries as e set status = 'WAITING', version = e.version + 1
    from lapsed where e.tenant_id = :tenant_id and e.id = lapsed.entry_id and e.status = 'OFFERED'
""")


def release_lapsed_offers(work: Work, clinician_id: UUID) -> None:
    """Of a clinician who is about to be booked, so that nobody is kept out by an offer that nobody took."""
    work.db.execute(LAPSE, {"tenant_id": work.tenant_id, "clinician_id": clinician_id, "now": work.now})
