"""Tickets to Dagster's page: each admits once, within a minute, for a platform admin's session or for the operator."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from practice.security.models import DagsterTicket
from practice.security.tokens import generate_secret, hash_secret
from practice.security.work import Work

TICKET_LIFETIME = timedelta(seconds=45)
VISIT_LIMIT = timedelta(hours=1)  # of the operator, who has no session that could end

IS_LIVE = text("""
    select exists (
        select from account_sessions as s inner join accounts as a on a.id = s.account_id
        where s.id = :session_id and s.tenant_id is null and session_over(s, :now) is null
            and a.platform_admin and a.disabled_at is null
    )
""")


@dataclass(frozen=True)
class Visit:
    """What a ticket was exchanged for: a visit of Dagster's page, in a sign-in session or of the operator."""

    session_id: UUID | None
    until: datetime


def issue_ticket(work: Work) -> str:
    """Return a ticket for the actor's session, or for the operator if there is none. Its caller checks who that is."""
    secret, hashed = generate_secret()
    session_id = work.actor.session_id
    work.db.add(DagsterTicket(ticket_hash=hashed, session_id=session_id, expires_at=work.now + TICKET_LIFETIME))
    work.record("dagster_ticket.issued", "account", work.actor.account_id)
    return secret


def spend_ticket(db: Session, ticket: str, now: datetime) -> Visit | None:
    """Delete a ticket and return the visit that it admits to, or None if it is unknown, spent or expired."""
    spent = delete(DagsterTicket).where(DagsterTicket.ticket_hash == hash_secret(ticket))
    row = db.execute(spent.returning(DagsterTicket.session_id, DagsterTicket.expires_at)).one_or_none()
    if row is None or now >= row.expires_at:
        return None
    visit = Visit(row.session_id, now + VISIT_LIMIT)
    return visit if is_live(db, visit, now) else None


def is_live(db: Session, visit: Visit, now: datetime) -> bool:
    """Return whether the visit goes on: until the session ends, or the operator's time is over."""
    if visit.session_id is None:
        return now < visit.until
    return bool(db.scalar(IS_LIVE, {"session_id": visit.session_id, "now": now}))
