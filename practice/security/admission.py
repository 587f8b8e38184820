"""Admission: what a session is worth at this instant, and whether its requests keep to their rates."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.rule_settings import default
from practice.security.installation import Installation

UNLIMITED = 2**31 - 1

ADMIT = "select * from admit(%s, %s, %s, %s, %s, %s, %s)"
# Nothing that it writes is worth waiting for the disk: counters, and when somebody was last seen.
ADMIT_ALONE = "select a.*, set_config('synchronous_commit', 'off', true) from admit(%s, %s, %s, %s, %s, %s, %s) as a"


class RateLimited(Refusal):
    code = "RATE_LIMITED"
    status = 429

    @classmethod
    def until_next_minute(cls, now: datetime) -> "RateLimited":
        return cls("Too many requests this minute. Wait a little and go on.", retry_after=60 - now.second)


class Admitted(NamedTuple):
    """The columns of the database's function, in its order. With any other verdict than `welcome` they may be empty."""

    verdict: str
    account_id: UUID | None
    tenant_id: UUID | None
    staff_id: UUID | None
    roles: list[str]
    platform_admin: bool
    training_lapsed: bool
    client_id: UUID | None


def admit(installation: Installation, session_id: UUID, now: datetime, *, active: bool) -> Admitted:
    """Who comes with this session and what they may do. For every request, in a transaction of its own."""
    limits = (installation.settings.requests_per_minute, installation.settings.practice_requests_per_minute)
    return Admitted._make(installation.store.run_alone(ADMIT_ALONE, values(session_id, now, active, limits))[:-1])


def admit_within(db: Session, session_id: UUID, now: datetime, *, active: bool) -> Admitted:
    """The same where tokens are handed out, inside that transaction. Without the rates of requests: sign-ins are
    limited by address, and a no here would cost the code or the token that was just spent."""
    found = db.connection().exec_driver_sql(ADMIT, values(session_id, now, active, (UNLIMITED, UNLIMITED))).one()
    return Admitted._make(found)


def values(session_id: UUID, now: datetime, active: bool, limits: tuple[int, int]) -> tuple[Any, ...]:
    return (session_id, now, active, *limits, default("hipaa_training_days"), default("hipaa_grace_days"))
