"""Scheduled jobs that the maintenance thread runs for every active practice."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from practice.messages.outbox import load_backlog
from practice.people.portal import close_guardian_portals
from practice.people.practice_time import local_today
from practice.people.practices import list_active_practice_ids
from practice.reports.schedules import queue_due_reports
from practice.scheduling.availability.slots import find_first_free_slots
from practice.scheduling.departures import withdraw_entries_of_former_clients
from practice.scheduling.models.catalog import Service
from practice.scheduling.waitlist.offers import expire_offers
from practice.security.installation import Installation, MessageBacklog
from practice.security.work import Actor, Work
from practice.sessions import deadline_job

log = structlog.get_logger()
Result = TypeVar("Result")


def run_practice_jobs(installation: Installation, now: datetime, stop: threading.Event, *, recent: bool) -> None:
    """Run what is due in each active practice, and measure what `/health/ready` reports.

    Each job of a practice has its own transaction, so a failure stops neither its other jobs nor other practices.
    """

    def run_deadlines(work: Work) -> MessageBacklog:
        deadline_job.run_deadline_job(work, recent=recent)
        return load_backlog(work)

    backlogs: list[MessageBacklog] = []
    availability_works = True
    for tenant_id in list_active_practices(installation):
        if stop.is_set():
            return
        run_job(installation, tenant_id, now, "waitlist offers", expire_offers)
        run_job(installation, tenant_id, now, "waitlist of former clients", withdraw_entries_of_former_clients)
        run_job(installation, tenant_id, now, "portal access of guardians", close_guardian_portals)
        run_job(installation, tenant_id, now, "scheduled reports", queue_due_reports)
        backlog = run_job(installation, tenant_id, now, "deadlines", run_deadlines)
        backlogs += [backlog] if backlog else []
        availability_works &= bool(run_job(installation, tenant_id, now, "free times", compute_free_times))
    installation.availability_works = availability_works
    oldest = min((backlog.oldest for backlog in backlogs if backlog.oldest), default=None)
    installation.message_backlog = MessageBacklog(sum(backlog.waiting for backlog in backlogs), oldest)


def compute_free_times(work: Work) -> bool:
    """Compute the free times of today for one service and all who offer it; fails if that is not possible."""
    services = select(Service.code).where(Service.tenant_id == work.tenant_id, Service.active)
    code = work.db.scalar(services.order_by(Service.code).limit(1))
    if code is not None:
        today = local_today(work)
        find_first_free_slots(work, code, today, today, limit=1)
    return True


def run_job(
    installation: Installation, tenant_id: UUID, now: datetime, name: str, job: Callable[[Work], Result]
) -> Result | None:
    """Run the job in a transaction of the practice and return its result, or log the failure and return None."""
    try:
        with installation.work(Actor(tenant_id=tenant_id), now) as work:
            return job(work)
    except Exception as error:  # of any kind: the thread that it would end also writes the audit anchors
        log.error("job failed", job=name, practice_id=str(tenant_id), error=type(error).__name__)
        return None


def list_active_practices(installation: Installation) -> list[UUID]:
    """Return the ids of the active practices, or none when the database does not respond."""
    try:
        with installation.store.begin_system_session() as db:
            return list(list_active_practice_ids(db))
    except SQLAlchemyError as error:
        log.error("jobs failed", error=type(error).__name__)
        return []
