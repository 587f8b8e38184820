"""Scheduled work of every practice, which the housekeeping of the service has done: verbs of the practice, when due."""

import threading
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from practice.messages.outbox import waiting_messages
from practice.people.models.practices import Practice
from practice.security.installation import Installation, Outbox
from practice.security.work import Actor
from practice.sessions import deadline_job

log = structlog.get_logger()


def keep_deadlines(installation: Installation, now: datetime, stop: threading.Event, *, recent: bool) -> None:
    """In each practice a transaction of its own, in which its outbox is looked at as well. What fails in one of them
    keeps nothing else from being done."""
    waiting: list[Outbox] = []
    for tenant_id in open_practices(installation):
        if stop.is_set():
            return
        try:
            with installation.work(Actor(tenant_id=tenant_id), now) as work:
                deadline_job.keep_deadlines(work, recent=recent)
                waiting.append(waiting_messages(work))
        except Exception as error:  # whatever it is: the thread that it would end writes the trail's heads down too
            log.error("deadlines not kept", practice_id=str(tenant_id), error=type(error).__name__)
    oldest = min((one.oldest for one in waiting if one.oldest), default=None)
    installation.outbox = Outbox(sum(one.waiting for one in waiting), oldest)


def open_practices(installation: Installation) -> list[UUID]:
    try:
        with installation.store.system_session() as db:
            return list(db.scalars(select(Practice.id).where(Practice.status == "ACTIVE").order_by(Practice.id)))
    except SQLAlchemyError as error:
        log.error("deadlines not kept", error=type(error).__name__)
        return []
