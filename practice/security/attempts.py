"""The count of sign-in attempts, which locks sign-in after too many failures."""

import hashlib
import hmac
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security.installation import Installation

MAX_FAILURES = 5
LOCKOUT = timedelta(minutes=15)


class SignInLocked(Refusal):
    """Sign-in is locked after too many failed attempts.

    Fix: wait 15 minutes, or reset the password.
    """

    code = "SIGN_IN_LOCKED"
    status = 429


def compute_attempt_key(installation: Installation, kind: str, subject: str) -> bytes:
    """Return the keyed hash under which attempts for a subject are counted."""
    return hmac.new(installation.attempt_key, f"{kind}:{subject}".encode(), hashlib.sha256).digest()


def reserve_attempt(db: Session, key: bytes, now: datetime) -> None:
    """Count an attempt, or raise SignInLocked after too many failures. One statement, so that no attempt escapes."""
    counted = db.scalar(
        text("""
            insert into sign_in_attempts as a (key, failures, last_at) values (:key, 1, :now)
            on conflict (key) do update
                set failures = case when a.last_at <= :now - :locked_for then 1 else a.failures + 1 end, last_at = :now
                where a.failures < :most or a.last_at <= :now - :locked_for
            returning failures
        """),
        {"key": key, "now": now, "locked_for": LOCKOUT, "most": MAX_FAILURES},
    )
    if counted is None:
        raise SignInLocked(
            "Too many failed attempts. Wait 15 minutes, or reset the password.",
            retry_after=int(LOCKOUT.total_seconds()),
        )


def forget_attempts(db: Session, key: bytes) -> None:
    db.execute(text("delete from sign_in_attempts where key = :key"), {"key": key})
