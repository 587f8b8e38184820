"""Admission of requests: what a session may do at this instant, and request rate limits."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.rule_settings import get_default
from practice.security.installation import Installation

UNLIMITED = 2**31 - 1

ADMIT = "select * from admit(%s, %s, %s, %s, %s, %s, %s)"
# It writes only counters and the time of the last request, which are not worth waiting for the disk.
ADMIT_WITHOUT_SYNC = (
    "select a.*, set_config('synchronous_commit', 'off', true) from admit(%s, %s, %s, %s, %s, %s, %s) as a"
)


class RateLimited(Refusal):
    """Too many requests in one minute.

    Fix: wait as long as the `Retry-After` header says.
    """

    code = "RATE_LIMITED"
    status = 429

    @classmethod
    def until_next_minute(cls, now: datetime) -> "RateLimited":
        """Return the refusal with the seconds until the next minute."""
        return cls("Too many requests this minute. Retry after a short wait.", retry_after=60 - now.second)


class Admitted(NamedTuple):
    """The columns of the database function `admit`. They may be empty with any verdict but `welcome`."""

    verdict: str
    account_id: UUID | None
    tenant_id: UUID | None
    staff_id: UUID | None
    roles: list[str]
    platform_admin: bool
    training_lapsed: bool
    client_id: UUID | None


def admit(installation: Installation, session_id: UUID, now: datetime, *, active: bool) -> Admitted:
    """Return who holds this session and what they may do. Every request calls this, in a transaction of its own."""
    limits = (installation.settings.requests_per_minute, installation.settings.practice_requests_per_minute)
    return Admitted._make(
        installation.store.execute_autocommit(ADMIT_WITHOUT_SYNC, build_parameters(session_id, now, active, limits))[
            :-1
        ]
    )


def admit_within(db: Session, session_id: UUID, now: datetime, *, active: bool) -> Admitted:
    """Return the same inside the transaction that issues tokens, without request rate limits.

    Sign-ins are limited by IP address, and a refusal here would waste the code or token that was just used.
    """
    row = (
        db.connection().exec_driver_sql(ADMIT, build_parameters(session_id, now, active, (UNLIMITED, UNLIMITED))).one()
    )
    return Admitted._make(row)


def build_parameters(session_id: UUID, now: datetime, active: bool, limits: tuple[int, int]) -> tuple[Any, ...]:
    return (session_id, now, active, *limits, get_default("hipaa_training_days"), get_default("hipaa_grace_days"))
