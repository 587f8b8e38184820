"""Clients to rebook: active, last seen some time ago, and with nothing booked."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.local_time import DAY
from practice.people.settings import get_setting
from practice.security.work import Work

# By the clinician's own clients: their visits, of which the last one is looked at, are few.
REBOOK_SQL = text("""
    select c.id, c.first_name || ' ' || c.last_name as name, a.last_seen_at
    from clients as c
    cross join lateral (
        select
            max(a.starts_at) filter (where a.status = 'COMPLETED') as last_seen_at,
            coalesce(bool_or(a.starts_at > :now and a.status in ('SCHEDULED', 'CONFIRMED')), false) as is_booked
        from appointments as a
        where a.tenant_id = :tenant_id and a.client_id = c.id
    ) as a
    where c.tenant_id = :tenant_id and c.ended_on is null
        and (cast(:clinician_id as uuid) is null or c.primary_clinician_id = :clinician_id)
        and a.last_seen_at < :seen_before and not a.is_booked
    order by a.last_seen_at desc, c.id
    limit :limit
""")
MAX_LISTED = 200


class ClientToRebook(NamedTuple):
    """A client who has not been seen for some time and has no visit booked."""

    id: UUID
    name: str
    last_seen_at: datetime


def list_clients_to_rebook(work: Work, clinician_id: UUID | None) -> list[ClientToRebook]:
    """Return the clients of a primary clinician, or of all, whom nobody has rebooked, those seen last first."""
    parameters = {
        "tenant_id": work.tenant_id,
        "clinician_id": clinician_id,
        "now": work.now,
        "seen_before": work.now - get_setting(work, "rebook_days") * DAY,
        "limit": MAX_LISTED,
    }
    clients = [ClientToRebook(*row) for row in work.db.execute(REBOOK_SQL, parameters)]
    work.record_list("clients.listed", (client.id for client in clients), part="to rebook", found=len(clients))
    return clients
