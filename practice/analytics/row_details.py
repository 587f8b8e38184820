"""What the records behind a value say now: whose they are, and when."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.security.work import Work


class RowDetails(NamedTuple):
    """The client of a record, its time and its status."""

    client_id: UUID | None = None
    at: datetime | None = None
    status: str | None = None


QUERIES: Mapping[str, str] = {
    "appointment": "select id, client_id, starts_at, status from appointments",
    "charge": "select id, client_id, created_at, case when voided_at is null then 'OPEN' else 'VOID' end from charges",
    "client": "select id, id, null::timestamptz, null::text from clients",
    "claim": "select id, client_id, submitted_at, outcome from claims",
    "incident": "select id, null::uuid, detected_at, status from incidents",
    "supervision": "select id, null::uuid, held_at, null::text from supervision_sessions",
}


def load_row_details(work: Work, kind: str, ids: Collection[UUID]) -> dict[UUID, RowDetails]:
    """Return the details of records of a kind by id."""
    query = QUERIES.get(kind)
    if query is None or not ids:
        return {}
    condition = text(f"{query} where tenant_id = :tenant_id and id = any(:ids)")
    rows = work.db.execute(condition, {"tenant_id": work.tenant_id, "ids": list(ids)})
    return {row[0]: RowDetails(*row[1:]) for row in rows}
