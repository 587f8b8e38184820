"""Scheduled jobs that the maintenance thread runs for every active practice."""

import threading
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from practice.messages.outbox import load_backlog
from practice.people.models.practices import Practice
from practice.people.practice_time import local_today
from practice.scheduling.availability.slots import find_first_free_slots
from practice.scheduling.models.catalog import Service
from practice.security.installation import Installation, MessageBacklog
from practice.security.work import Actor
from practice.sessions import deadline_job

log = structlog.get_logger()


def run_deadlines(installation: Installation, now: datetime, stop: threading.Event, *, recent: bool) -> None:
    """Run the deadlines of each active practice in its own transaction, and measure what `/health/ready` reports.

    A failure in one practice does not stop the others.
    """
    backlogs: list[MessageBacklog] = []
    availability_works = True
    for tenant_id in list_active_practices(installation):
        if stop.is_set():
            return
        try:
            with installation.work(Actor(tenant_id=tenant_id), now) as work:
                deadline_job.run_deadline_job(work, recent=recent)
                backlogs.append(load_backlog(work))
        except Exception as error:  # of any kind: the thread that it would end also writes the audit anchors
            log.error("deadlines failed", practice_id=str(tenant_id), error=type(error).__name__)
        availability_works &= can_compute_free_times(installation, tenant_id, now)
    installation.availability_works = availability_works
    oldest = min((backlog.oldest for backlog in backlogs if backlog.oldest), default=None)
    installation.message_backlog = MessageBacklog(sum(backlog.waiting for backlog in backlogs), oldest)


def can_compute_free_times(installation: Installation, tenant_id: UUID, now: datetime) -> bool:
    """Return whether the free times of today can be computed, for one service and all who offer it."""
    try:
        with installation.work(Actor(tenant_id=tenant_id), now) as work:
            services = select(Service.code).where(Service.tenant_id == tenant_id, Service.active)
            code = work.db.scalar(services.order_by(Service.code).limit(1))
            if code is not None:
                today = local_today(work)
                find_first_free_slots(work, code, today, today, limit=1)
    except Exception as error:
        log.error("free times failed", practice_id=str(tenant_id), error=type(error).__name__)
        return False
    return True


def list_active_practices(installation: Installation) -> list[UUID]:
    """Return the ids of the active practices, or none when the database does not respond."""
    try:
        with installation.store.begin_system_session() as db:
            return list(db.scalars(select(Practice.id).where(Practice.status == "ACTIVE").order_by(Practice.id)))
    except SQLAlchemyError as error:
        log.error("deadlines failed", error=type(error).__name__)
        return []
