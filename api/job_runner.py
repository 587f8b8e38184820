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
from practice.store.ids import SYSTEM_TENANT

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
    with jobs.hold_job(installation.store, job_id) as is_held:
        if not is_held:
            return
        with installation.work(Actor(tenant_id), clock()) as work:
            if not jobs.claim_job(work, job_id):
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


def queue_waiting_jobs(installation: Installation, now: datetime) -> None:
    """Queue the jobs that no worker runs, unless this one has others to run first.

    Several workers may queue the same job: the first that holds it runs it.
    """
    if not installation.job_queue.empty():
        return
    for tenant_id in list_practices(installation):
        with installation.work(Actor(tenant_id), now) as work:
            waiting = jobs.find_waiting_jobs(work)
        for job_id in waiting:
            installation.job_queue.put((tenant_id, job_id))


def delete_expired_files(installation: Installation, now: datetime) -> None:
    """Delete the files of expired exports."""
    for tenant_id in list_practices(installation):
        with installation.work(Actor(tenant_id), now) as work:
            expired = exports.expire_exports(work)
        for export_id in expired:
            find_export_file(installation, tenant_id, export_id).unlink(missing_ok=True)


def list_practices(installation: Installation) -> list[UUID]:
    return [tenant_id for tenant_id in installation.list_tenants() if tenant_id != SYSTEM_TENANT]
