"""Cleanup of expired rows: stored answers, used and expired tokens, counters of past minutes."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

TOKEN_RETENTION = timedelta(days=1)  # past expiry, so that the reuse of a token is recognized for that long

EXPIRED_TOKENS = (
    "delete from one_time_tokens where expires_at < :before",
    "delete from dagster_tickets where expires_at < :before",
    "delete from refresh_tokens where expires_at < :before",
    "delete from sign_in_attempts where last_at < :before",
    "delete from rate_counters where minute < :before",
)


def delete_expired_answers(db: Session, tenant_id: UUID, now: datetime, retention: timedelta) -> None:
    db.execute(
        text("delete from stored_answers where tenant_id = :tenant_id and created_at <= :before"),
        {"tenant_id": tenant_id, "before": now - retention},
    )


def delete_expired_tokens(db: Session, now: datetime) -> None:
    for statement in EXPIRED_TOKENS:
        db.execute(text(statement), {"before": now - TOKEN_RETENTION})
