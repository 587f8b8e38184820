"""What has served its time goes: stored answers after a day, spent and expired tokens, counters of past minutes."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

ANSWERS_KEPT_FOR = timedelta(hours=24)
TOKENS_KEPT_FOR = timedelta(days=1)  # past their end: one that comes again is then told that it was used

EXPIRED_TOKENS = (
    "delete from one_time_tokens where expires_at < :before",
    "delete from refresh_tokens where expires_at < :before",
    "delete from sign_in_attempts where last_at < :before",
    "delete from rate_counters where minute < :before",
)


def tidy_practice(db: Session, tenant_id: UUID, now: datetime) -> None:
    db.execute(
        text("delete from stored_answers where tenant_id = :tenant_id and created_at <= :before"),
        {"tenant_id": tenant_id, "before": now - ANSWERS_KEPT_FOR},
    )


def tidy_system(db: Session, now: datetime) -> None:
    for statement in EXPIRED_TOKENS:
        db.execute(text(statement), {"before": now - TOKENS_KEPT_FOR})
