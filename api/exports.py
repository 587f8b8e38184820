"""Routes of long work in the background, and of the exports of the practice that it makes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.context import Paging, RequestContext
from api.fields import Reason200
from api.job_runner import find_export_file
from api.names import PersonOf, from_record
from api.responses import Input, PageOut, StreamOut, partial_model, to_page
from api.routing import PermissionRouter
from ingest.bundle.archive import can_read_archive, read_archive
from practice.jobs import exports, jobs
from practice.jobs.exports import ExportExpired, ExportNotReady
from practice.jobs.jobs import JobRunning
from practice.jobs.models import Export, Job

router = PermissionRouter(tags=["exports"])


class ExportIn(Input):
    """An export holds the whole record of the practice, so it needs a reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Yearly copy for our records"}]})

    reason: Annotated[Reason200, Field(description="The reason, for the audit log. Do not put personal data in it.")]


class JobOut(BaseModel):
    id: UUID = Field(description="The id of the job; an export has the id of its job.")
    kind: Literal["EXPORT"] = Field(description="What it does.")
    status: Literal["QUEUED", "RUNNING", "DONE", "FAILED"] = Field(description="How far it is.")
    rows_done: int = Field(description="The rows written so far.")
    rows_total: int | None = Field(description="The rows in all; null until they are counted.")
    created_at: datetime = Field(description="When it was started.")
    created_by: UUID | None = Field(description="The account that started it.")
    created_by_person: PersonOf = None
    started_at: datetime | None = Field(description="When a worker began with it.")
    finished_at: datetime | None = Field(description="When it was done or had failed.")
    problem: str | None = Field(description="Why it failed, and what to do.")
    result: str | None = Field(description="The path of what it made, once it is done.")

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        return from_record(cls, job, result=f"/api/v1/exports/{job.id}" if job.status == "DONE" else None)


class ExportOut(BaseModel):
    id: UUID = Field(description="The id of the export, and of the job that made it.")
    created_at: datetime = Field(description="When it was made.")
    expires_at: datetime = Field(description="Until when it can be downloaded.")
    deleted_at: datetime | None = Field(description="When its file was deleted.")
    rows: int = Field(description="The rows of all files in it.")
    size: int = Field(description="The size of the zip archive in bytes.")
    sha256: str = Field(description="The SHA-256 of the zip archive, to check a download.")

    @classmethod
    def of(cls, export: Export) -> "ExportOut":
        return from_record(cls, export, sha256=export.sha256.hex())


ExportInList: Any = partial_model(ExportOut)


@router.get("/jobs/{job_id}", permission="exports.read")
def get_job(ctx: RequestContext, job_id: UUID) -> JobOut:
    """Get a job and its progress.

    If the process that ran it has ended, another one begins it again.
    """
    job = jobs.get_job(ctx.work, job_id)
    if ctx.installation.job_queue.empty() and jobs.is_abandoned(ctx.work, job):
        ctx.afterwards = lambda: queue_job(ctx, job)
    return JobOut.of(job)


@router.post("/exports", permission="exports.write", status_code=202, errors=[JobRunning])
def start_export(ctx: RequestContext, body: ExportIn) -> JobOut:
    """Start an export.

    Of the whole practice, as a bundle of CSV files in a zip archive. Poll `/jobs/{job_id}` until it is done. An export
    whose process has ended is begun again, under its id.
    """
    job = jobs.start_job(ctx.work, "EXPORT")
    ctx.work.record("export.started", "export", job.id, reason=body.reason)
    ctx.afterwards = lambda: queue_job(ctx, job)
    return JobOut.of(job)


def queue_job(ctx: RequestContext, job: Job) -> None:
    """Have this worker run a job, once it is committed."""
    ctx.installation.job_queue.put((ctx.actor.tenant_id, job.id))


@router.get("/exports", permission="exports.read")
def list_exports(ctx: RequestContext, page: Paging) -> PageOut[ExportInList]:
    """List exports.

    Newest first. Sorts by created_at or id.
    """
    return to_page(exports.list_exports(ctx.work, page.page_request()), ExportOut)


@router.get("/exports/{export_id}", permission="exports.read", errors=[ExportNotReady])
def get_export(ctx: RequestContext, export_id: UUID) -> ExportOut:
    """Get an export.

    Once its job is done; before that, `/jobs/{job_id}` shows its progress.
    """
    return ExportOut.of(exports.get_export(ctx.work, export_id))


@router.get("/exports/{export_id}/content", permission="exports.write", errors=[ExportNotReady, ExportExpired])
def download_export(ctx: RequestContext, export_id: UUID) -> StreamOut:
    """Download an export.

    The zip archive, which nothing protects any more: store it like the practice's record itself.
    """
    export = exports.open_export(ctx.work, export_id)
    file = find_export_file(ctx.installation, ctx.actor.tenant_id, export_id)
    if not can_read_archive(ctx.installation, file):
        raise ExportExpired
    name = f"export-{export.created_at:%Y-%m-%d}.zip"
    return StreamOut(name, "application/zip", read_archive(ctx.installation, file))


@router.delete("/exports/{export_id}", permission="exports.write", status_code=204, errors=[ExportNotReady])
def delete_export(ctx: RequestContext, export_id: UUID) -> None:
    """Delete the file of an export.

    Before it expires; who made and downloaded it stays in the audit log.
    """
    exports.delete_export(ctx.work, export_id)
    file = find_export_file(ctx.installation, ctx.actor.tenant_id, export_id)
    ctx.afterwards = lambda: file.unlink(missing_ok=True)
