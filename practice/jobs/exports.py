"""Exports: list, download, delete, expire. The files themselves are written and read by the caller."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from practice.errors import NotFound, Refusal
from practice.jobs.models import Export, Job
from practice.people.settings import get_setting
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, fetch_page


class ExportExpired(Refusal):
    """The file of the export was deleted, since it expired or somebody deleted it.

    Fix: start another export.
    """

    code = "EXPORT_EXPIRED"
    status = 410

    def __init__(self) -> None:
        super().__init__("The file of this export was deleted. Start another export.")


class ExportNotReady(Refusal):
    """The export is not made yet, or could not be made.

    Fix: poll `/jobs/{id}` until it is done, or start another export if it failed.
    """

    code = "EXPORT_NOT_READY"


def add_export(work: Work, job_id: UUID, size: int, sha256: bytes, rows: int) -> Export:
    """Add the export that a job has made; it can be downloaded for some hours, a setting."""
    export = Export(
        tenant_id=work.tenant_id,
        id=job_id,
        created_at=work.now,
        expires_at=work.now + timedelta(hours=get_setting(work, "export_hours")),
        size=size,
        sha256=sha256,
        rows=rows,
    )
    work.db.add(export)
    work.record("export.made", "export", job_id, rows=rows)
    return export


def list_exports(work: Work, page_request: PageRequest) -> Page:
    query = select(Export).where(Export.tenant_id == work.tenant_id)
    sortable = {"created_at": Export.created_at, "id": Export.id}
    return fetch_page(work.db, query, page_request, sortable, Export.id, "-created_at")


def get_export(work: Work, export_id: UUID) -> Export:
    """Return the export, or raise ExportNotReady if its job has not made it, or NotFound."""
    export = work.db.get(Export, (work.tenant_id, export_id))
    if export is not None:
        return export
    job = work.db.get(Job, (work.tenant_id, export_id))
    if job is None or job.kind != "EXPORT":
        raise NotFound
    if job.status == "FAILED":
        raise ExportNotReady("This export could not be made. Start another one.", status=job.status)
    message = f"This export is not made yet. Poll `/jobs/{job.id}` until it is done."
    raise ExportNotReady(message, status=job.status)


def open_export(work: Work, export_id: UUID) -> Export:
    """Return an export for download and record who took it, or raise ExportExpired."""
    export = get_export(work, export_id)
    if export.deleted_at is not None or export.expires_at <= work.now:
        raise ExportExpired
    work.record("export.downloaded", "export", export_id)
    return export


def delete_export(work: Work, export_id: UUID) -> None:
    """Mark the file of an export as deleted. The caller deletes it."""
    export = get_export(work, export_id)
    if export.deleted_at is None:
        export.deleted_at = work.now
        work.record("export.deleted", "export", export_id)


def expire_exports(work: Work) -> Sequence[UUID]:
    """Mark the files of expired exports as deleted, and return their ids for the caller to delete them."""
    query = select(Export).where(
        Export.tenant_id == work.tenant_id, Export.deleted_at.is_(None), Export.expires_at <= work.now
    )
    expired = work.db.scalars(query).all()
    for export in expired:
        export.deleted_at = work.now
        work.record("export.expired", "export", export.id)
    return [export.id for export in expired]
