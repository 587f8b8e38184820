"""The thread of each worker that runs queued jobs, one at a time, and what it does for jobs of workers that ended."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from queue import Empty
from uuid import UUID

import structlog

from ingest.bundle.archive import write_archive
from practice.jobs import exports, jobs
from practice.security.installation import Installation
from practice.security.work import Actor

PROGRESS_EVERY = 1  # seconds
WAIT_SECONDS = 1  # for the next job, before looking whether to stop
FAILED = "It failed ({error}). Start it again; if it fails again, ask the operator of this installation."

log = structlog.get_logger()

Clock = Callable[[], datetime]


def run_jobs(installation: Installation, clock: Clock, stop: threading.Event) -> None:
    """Run the jobs of the queue until `stop` is set."""
    while not stop.is_set():
        run_next_job(installation, clock, WAIT_SECONDS)


def run_next_job(installation: Installation, clock: Clock, wait_seconds: float = 0) -> bool:
    """Run the next job of the queue, and return whether there was one."""
    try:
        tenant_id, job_id = installation.job_queue.get(timeout=wait_seconds)
    except Empty:
        return False
    try:
        run_job(installation, tenant_id, job_id, clock)
    except Exception as error:  # of any kind: the thread runs the other jobs too
        log.error("job failed", practice=str(tenant_id), job=str(job_id), error=type(error).__name__)
    return True


def run_job(installation: Installation, tenant_id: UUID, job_id: UUID, clock: Clock) -> None:
    """Run a job, unless another worker runs it. A failure is stored with the job."""
    with installation.work(Actor(tenant_id), clock()) as work:
        if jobs.claim_job(work, job_id) is None:
            return
    try:
        make_export(installation, tenant_id, job_id, clock)
    except Exception as error:
        with installation.work(Actor(tenant_id), clock()) as work:
            jobs.fail_job(work, job_id, FAILED.format(error=type(error).__name__))
        raise


def make_export(installation: Installation, tenant_id: UUID, job_id: UUID, clock: Clock) -> None:
    """Write the practice's bundle into an encrypted file, and add it to the practice's exports."""
    reported_at = 0.0

    def save_progress(done: int, total: int) -> None:
        nonlocal reported_at
        if time.monotonic() - reported_at >= PROGRESS_EVERY:
            reported_at = time.monotonic()
            with installation.store.begin_session(tenant_id) as db:
                jobs.save_progress(db, tenant_id, job_id, clock(), done, total)

    file = find_export_file(installation, tenant_id, job_id)
    archive = write_archive(installation, tenant_id, file, clock(), save_progress)
    with installation.work(Actor(tenant_id), clock()) as work:
        exports.add_export(work, job_id, *archive)
        jobs.finish_job(work, job_id, archive.rows)


def find_export_file(installation: Installation, tenant_id: UUID, export_id: UUID) -> Path:
    """Return the path of an export's encrypted file."""
    return installation.settings.exports / str(tenant_id) / f"{export_id}.export"


def clean_up_jobs(installation: Installation, now: datetime) -> None:
    """Delete the files of expired exports, and queue the jobs that a worker left when it ended."""
    for tenant_id in installation.list_tenants():
        if not tenant_id.int:
            continue
        with installation.work(Actor(tenant_id), now) as work:
            expired, abandoned = exports.expire_exports(work), jobs.resume_jobs(work)
        for export_id in expired:
            find_export_file(installation, tenant_id, export_id).unlink(missing_ok=True)
        for job_id in abandoned:
            installation.job_queue.put((tenant_id, job_id))
