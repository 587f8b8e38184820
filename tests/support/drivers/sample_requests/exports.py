"""Sample requests of jobs and exports."""

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from api.job_runner import find_export_file
from ingest.bundle.archive import derive_key
from practice.jobs.models import Export, Job
from practice.store.ids import new_id
from practice.store.sealed_file import write_sealed
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World

CONTENT = b"PK a made-up archive"
END_JOBS = text("""
    update jobs set status = 'FAILED', finished_at = created_at where tenant_id = :tenant_id and finished_at is null
""")


def make_export(practice: PracticeFixture) -> UUID:
    """Make an export whose job is done, with a file that can be downloaded."""
    now, installation = practice.now, practice.installation
    job = Job(id=new_id(), kind="EXPORT", status="DONE", created_at=now, finished_at=now)
    export = Export(
        id=job.id, created_at=now, expires_at=now + timedelta(hours=1), size=len(CONTENT), sha256=b"hash", rows=1
    )
    put(practice, job, export)
    file = find_export_file(installation, practice.id, job.id)
    file.parent.mkdir(parents=True, exist_ok=True)
    sealed = io.BytesIO()
    write_sealed(sealed, derive_key(installation), {"key_id": installation.master.key_id}, [CONTENT])
    file.write_bytes(sealed.getvalue())
    return job.id


def pick_export(world: World, _role: str | None) -> dict[str, Any]:
    export_id = make_export(world.practice)
    return {"export_id": export_id, "job_id": export_id}


def end_jobs(world: World, _role: str | None) -> dict[str, Any]:
    """End the jobs of earlier requests, since one of a kind is open at a time."""
    with world.practice.installation.store.begin_session(world.practice.id) as db:
        db.execute(END_JOBS, {"tenant_id": world.practice.id})
    return {}


SAMPLE_REQUESTS = {
    "get_job": SampleRequest({"admin"}, pick_export),
    "start_export": SampleRequest({"admin"}, end_jobs, lambda _world, _role: {"reason": "Yearly copy"}),
    "list_exports": SampleRequest({"admin"}),
    "get_export": SampleRequest({"admin"}, pick_export),
    "download_export": SampleRequest({"admin"}, pick_export),
    "delete_export": SampleRequest({"admin"}, pick_export),
}
