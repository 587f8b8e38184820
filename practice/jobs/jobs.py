"""Jobs: start, run, finish, and pick up what a worker that ended has left."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from practice.errors import NotFound, Refusal
from practice.jobs.models import Job
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import on_conflict

MAX_ATTEMPTS = 3
ABANDONED_AFTER = timedelta(minutes=5)  # without a sign of life from the worker that runs it
INTERRUPTED = "It was interrupted several times. Start it again."


class JobRunning(Refusal):
    """A job of this kind is queued or running.

    Fix: wait until it is done; its id is in `details`.
    """

    code = "JOB_RUNNING"


def start_job(work: Work, kind: str) -> Job:
    """Queue a job, or raise JobRunning. The caller has it run once the transaction is committed."""
    query = select(Job.id).where(Job.tenant_id == work.tenant_id, Job.kind == kind, Job.finished_at.is_(None))
    running = work.db.scalar(query)
    message = "A job of this kind is queued or running. Wait until it is done."
    if running is not None:
        raise JobRunning(message, job_id=str(running))
    job = Job(tenant_id=work.tenant_id, id=new_id(), kind=kind, created_at=work.now, created_by=work.actor.account_id)
    work.db.add(job)
    with on_conflict("uq_jobs_one_open", JobRunning(message)):
        work.db.flush()
    return job


def get_job(work: Work, job_id: UUID) -> Job:
    job = work.db.get(Job, (work.tenant_id, job_id))
    if job is None:
        raise NotFound
    return job


def claim_job(work: Work, job_id: UUID) -> Job | None:
    """Return the job for this worker to run, or None if another runs it or it is done."""
    is_free = or_(Job.status == "QUEUED", Job.active_at < work.now - ABANDONED_AFTER)
    claim = update(Job).where(Job.tenant_id == work.tenant_id, Job.id == job_id, Job.finished_at.is_(None), is_free)
    values = {"status": "RUNNING", "active_at": work.now, "attempts": Job.attempts + 1, "rows_done": 0}
    return work.db.scalar(claim.values(**values, started_at=func.coalesce(Job.started_at, work.now)).returning(Job))


def save_progress(db: Session, tenant_id: UUID, job_id: UUID, now: datetime, done: int, total: int) -> None:
    """Store how many rows of how many are done, as a sign of life."""
    running = update(Job).where(Job.tenant_id == tenant_id, Job.id == job_id, Job.status == "RUNNING")
    db.execute(running.values(rows_done=done, rows_total=total, active_at=now))


def finish_job(work: Work, job_id: UUID, rows: int) -> None:
    job = get_job(work, job_id)
    job.status, job.finished_at, job.rows_done, job.rows_total = "DONE", work.now, rows, rows


def fail_job(work: Work, job_id: UUID, problem: str) -> None:
    job = get_job(work, job_id)
    job.status, job.finished_at, job.problem = "FAILED", work.now, problem
    work.record("job.failed", "job", job_id, kind=job.kind)


def resume_jobs(work: Work) -> list[UUID]:
    """Return the jobs that no worker runs any more; those that were interrupted too often fail instead."""
    silent = func.coalesce(Job.active_at, Job.created_at) < work.now - ABANDONED_AFTER
    query = select(Job).where(Job.tenant_id == work.tenant_id, Job.finished_at.is_(None), silent)
    abandoned = work.db.scalars(query.order_by(Job.created_at)).all()
    for job in abandoned:
        if job.attempts >= MAX_ATTEMPTS:
            fail_job(work, job.id, INTERRUPTED)
    return [job.id for job in abandoned if job.attempts < MAX_ATTEMPTS]
