"""Waitlist offers whose answer deadline has passed: they no longer hold their time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from practice.security.work import Work

EXPIRE_OFFERS_SQL = text("""
    with lapsed as (
        update waitlist_offers as o set status = 'EXPIRED'
        where o.tenant_id = :tenant_id and o.status = 'OPEN' and o.holds_until <= :now
            and (o.clinician_id = cast(:clinician_id as uuid) or o.room_id = cast(:room_id as uuid))
            and exists (
                select from unnest(cast(:starts as timestamptz [])) as s (starts_at)
                where s.starts_at < o.ends_at and o.starts_at < s.starts_at + :length
            )
        returning o.id, o.entry_id
    ),

    waiting as (
        update waitlist_entries as e set status = 'WAITING', version = e.version + 1
        from lapsed where e.tenant_id = :tenant_id and e.id = lapsed.entry_id and e.status = 'OFFERED'
    )

    select id, entry_id from lapsed
""")


def release_expired_offers(
    work: Work, clinician_id: UUID | None, room_id: UUID | None, starts: Sequence[datetime], length: timedelta
) -> None:
    """Expire the offers past their deadline that hold any of these times, so that they can be booked."""
    expired = work.db.execute(
        EXPIRE_OFFERS_SQL,
        {
            "tenant_id": work.tenant_id,
            "clinician_id": clinician_id,
            "room_id": room_id,
            "starts": list(starts),
            "length": length,
            "now": work.now,
        },
    ).all()
    for offer_id, entry_id in expired:
        work.record("waitlist.offer_expired", "waitlist_entry", entry_id, offer=str(offer_id))
