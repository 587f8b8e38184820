"""Jobs: start, run, finish, and find those that a worker that ended has left.

A worker holds the lock of the job that it runs on a connection of its own, so the lock ends with the worker.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from practice.errors import NotFound, Refusal
from practice.jobs.models import Job
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import on_conflict
from practice.store.store import Store

MAX_ATTEMPTS = 3
INTERRUPTED = "It was interrupted several times. Start it again."
JOB_LOCK = 7_235_004  # advisory locks: with a hash of the job's id
HELD_SQL = text("""
    select exists (
        select from pg_locks
        where locktype = 'advisory' and granted and objsubid = 2 and classid = cast(cast(:lock as int) as oid)
            and objid = cast(hashtext(:job_id) as oid)
            and database = (select oid from pg_database where datname = current_database())
    ) as held
""")
# A worker whose machine was switched off does not close its connection: the server asks for a sign of life.
KEEPALIVE = "set tcp_keepalives_idle = 20; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3"


class JobRunning(Refusal):
    """A job of this kind is queued or running.

    Fix: wait until it is done; its id is in `details`.
    """

    code = "JOB_RUNNING"


def start_job(work: Work, kind: str) -> Job:
    """Queue a job, or return the one that a worker left when it ended, or raise JobRunning.

    The caller has it run once the transaction is committed.
    """
    open_job = select(Job).where(Job.tenant_id == work.tenant_id, Job.kind == kind, Job.finished_at.is_(None))
    job = work.db.scalar(open_job)
    if job is not None and is_abandoned(work, job):
        job.attempts = 0  # somebody asks for it again
        return job
    message = "A job of this kind is queued or running. Wait until it is done."
    if job is not None:
        raise JobRunning(message, job_id=str(job.id))
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


@contextmanager
def hold_job(store: Store, job_id: UUID) -> Generator[bool]:
    """Hold the lock of a job until the end of the block or of the process, and yield whether it was free."""
    with store.connect("app") as connection:
        connection.autocommit = True
        connection.execute(KEEPALIVE)
        row = connection.execute("select pg_try_advisory_lock(%s, hashtext(%s))", (JOB_LOCK, str(job_id))).fetchone()
        yield bool(row and row[0])


def is_abandoned(work: Work, job: Job) -> bool:
    """Return whether a worker began the job and ended before it was done."""
    held = {"lock": JOB_LOCK, "job_id": str(job.id)}
    return job.status == "RUNNING" and not work.db.scalar(HELD_SQL, held)


def claim_job(work: Work, job_id: UUID) -> bool:
    """Return whether the job is to run now. The caller holds it. Interrupted too often, it fails instead."""
    job = get_job(work, job_id)
    if job.finished_at is not None:
        return False
    if job.attempts >= MAX_ATTEMPTS:
        fail_job(work, job_id, INTERRUPTED)
        return False
    job.status, job.active_at, job.rows_done = "RUNNING", work.now, 0
    job.started_at = job.started_at or work.now
    job.attempts += 1
    return True


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


def find_waiting_jobs(work: Work) -> list[UUID]:
    """Return the jobs that no worker runs: queued ones, and those that a worker left when it ended."""
    query = select(Job).where(Job.tenant_id == work.tenant_id, Job.finished_at.is_(None)).order_by(Job.created_at)
    return [job.id for job in work.db.scalars(query) if job.status == "QUEUED" or is_abandoned(work, job)]
