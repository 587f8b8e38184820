"""Scheduled jobs that the maintenance thread runs for every active practice."""

import threading
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from practice.messages.outbox import load_backlog
from practice.people.models.practices import Practice
from practice.security.installation import Installation, MessageBacklog
from practice.security.work import Actor
from practice.sessions import deadline_job

log = structlog.get_logger()


def run_deadlines(installation: Installation, now: datetime, stop: threading.Event, *, recent: bool) -> None:
    """Run the deadlines of each active practice in its own transaction, and measure its message backlog.

    A failure in one practice does not stop the others.
    """
    backlogs: list[MessageBacklog] = []
    for tenant_id in list_active_practices(installation):
        if stop.is_set():
            return
        try:
            with installation.work(Actor(tenant_id=tenant_id), now) as work:
                deadline_job.run_deadline_job(work, recent=recent)
                backlogs.append(load_backlog(work))
        except Exception as error:  # of any kind: the thread that it would end also writes the audit anchors
            log.error("deadlines failed", practice_id=str(tenant_id), error=type(error).__name__)
    oldest = min((backlog.oldest for backlog in backlogs if backlog.oldest), default=None)
    installation.message_backlog = MessageBacklog(sum(backlog.waiting for backlog in backlogs), oldest)


def list_active_practices(installation: Installation) -> list[UUID]:
    """Return the ids of the active practices, or none when the database does not respond."""
    try:
        with installation.store.begin_system_session() as db:
            return list(db.scalars(select(Practice.id).where(Practice.status == "ACTIVE").order_by(Practice.id)))
    except SQLAlchemyError as error:
        log.error("deadlines failed", error=type(error).__name__)
        return []
