"""Exports over HTTP: started, made in the background, downloaded, expired; encrypted on disk and audited."""

import errno
import hashlib
import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api import job_runner
from api.job_runner import delete_expired_files, find_export_file, queue_waiting_jobs, run_next_job
from ingest.bundle import archive
from ingest.bundle.archive import read_archive
from ingest.bundle.load import import_bundle
from practice.scheduling.models.availability import Closure
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.bundles import OAK_STREET
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, put
from tests.support.drivers.clients import load_audit_entries, send_request
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, token_headers
from tests.support.drivers.server import build_environment
from tests.support.drivers.sign_in_flow import set_clock
from tests.support.drivers.waiting import WAITING, wait_until
from tests.support.harness import cluster

HOUR = timedelta(hours=1)
LOCKED = "select count(*) from pg_locks where locktype = 'advisory' and classid = 7235004"


class ExportsApi:
    """The exports of a practice over HTTP, and the background work of the worker that serves it."""

    def __init__(self, client: TestClient, practice: PracticeFixture) -> None:
        self.client, self.practice, self.installation = client, practice, practice.installation
        self.clock = lambda: NOW

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return send_request(self.client, self.practice, method, path, None, body, **headers)

    def start(self, **headers: str) -> dict[str, Any]:
        return assert_ok(self.send("POST", "/exports", {"reason": "Yearly copy"}, **headers), 202)

    def run(self) -> bool:
        return run_next_job(self.installation, self.clock)

    def run_all(self) -> None:
        while self.run():
            pass

    def take(self, job_id: str) -> None:
        """Take the job from the queue, in which those of other practices may be before it."""
        while str(self.installation.job_queue.get_nowait()[1]) != job_id:
            pass

    def take_all(self) -> list[str]:
        """Take all jobs from the queue, and return their ids."""
        queue = self.installation.job_queue
        return [str(queue.get_nowait()[1]) for _ in range(queue.qsize())]

    def make(self) -> str:
        job = self.start()
        assert self.run()
        return job["id"]

    def read_job(self, job_id: str) -> dict[str, Any]:
        return assert_ok(self.send("GET", f"/jobs/{job_id}"))

    def download(self, export_id: str) -> Any:
        return self.client.get(f"{V1}/exports/{export_id}/content", headers=auth_headers(self.practice))

    def find_file(self, export_id: str) -> Path:
        return find_export_file(self.installation, self.practice.id, UUID(export_id))


@pytest.fixture
def api(client: TestClient, practice: PracticeFixture) -> Iterator[ExportsApi]:
    api = ExportsApi(client, practice)
    yield api
    api.run_all()


def test_an_export_is_made_in_the_background_and_holds_the_whole_practice(api: ExportsApi) -> None:
    make_client(api.practice, first_name="Paperwhite")
    job = api.start()
    assert (job["status"], job["result"], job["created_by_person"]["name"]) == ("QUEUED", None, "Ada Admin")
    assert api.run()
    done = api.read_job(job["id"])
    assert (done["status"], done["rows_done"], done["result"]) == (
        "DONE",
        done["rows_total"],
        f"/api/v1/exports/{job['id']}",
    )
    export = assert_ok(api.client.get(done["result"], headers=auth_headers(api.practice)))
    answer = api.download(job["id"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (export["size"], export["sha256"])
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert b"Paperwhite" in archive.read("clients.csv")
    assert sum(len(archive.read(name).splitlines()) - 1 for name in archive.namelist()) == export["rows"]
    assert [item["id"] for item in assert_ok(api.send("GET", "/exports"))["items"]] == [job["id"]]


def test_an_export_that_is_not_made_yet_says_so(api: ExportsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    job = api.start()
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        answer = api.send(method, f"/exports/{job['id']}{path}")
        assert (answer.status_code, error_code(answer)) == (409, "EXPORT_NOT_READY")
        assert f"/jobs/{job['id']}" in answer.json()["error"]["message"]
        assert answer.json()["error"]["details"] == {"status": "QUEUED"}

    def fail_to_write(out: IO[bytes], *_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "write_sealed", fail_to_write)
    api.run_all()
    failed = api.send("GET", f"/exports/{job['id']}")
    assert (failed.status_code, error_code(failed)) == (409, "EXPORT_NOT_READY")
    assert "Start another" in failed.json()["error"]["message"]
    assert api.send("GET", f"/exports/{UUID(int=1)}").status_code == 404


def test_an_export_can_be_imported_again(api: ExportsApi, own_installation: Installation, tmp_path: Path) -> None:
    make_client(api.practice, first_name="Paperwhite")
    file = tmp_path / "export.zip"
    file.write_bytes(api.download(api.make()).content)
    practice = import_bundle(own_installation, file, NOW, lambda _message: None).practice
    with own_installation.store.begin_session(practice.id) as db:
        assert db.scalar(text("select first_name from clients")) == "Paperwhite"


def test_nothing_of_an_export_is_on_disk_in_the_clear(api: ExportsApi) -> None:
    make_client(api.practice, first_name="Paperwhite")
    file = api.find_file(api.make())
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    content = file.read_bytes()
    assert b"clients.csv" not in content
    assert b"Paperwhite" not in content
    assert [other.name for other in file.parent.iterdir()] == [file.name]


def test_an_export_that_cannot_be_written_fails_and_leaves_nothing(
    api: ExportsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive is larger than the pipe in which its writer would wait for a reader."""
    texts = [Closure(closed_on=date(2030, 1, 1) + timedelta(days), reason=os.urandom(200_000).hex()) for days in (1, 2)]
    put(api.practice, *texts)

    def fail_to_write(out: IO[bytes], *_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "write_sealed", fail_to_write)
    job = api.start()
    worker = threading.Thread(target=api.run, daemon=True)
    worker.start()
    worker.join(timeout=20)
    assert not worker.is_alive()
    assert api.read_job(job["id"])["status"] == "FAILED"
    folder = api.find_file(job["id"]).parent
    assert not folder.exists() or list(folder.iterdir()) == []


def test_who_exported_downloaded_and_deleted_is_audited(api: ExportsApi) -> None:
    export_id = api.make()
    api.download(export_id)
    assert_ok(api.send("DELETE", f"/exports/{export_id}"), 204)
    for action in ("export.started", "export.made", "export.downloaded", "export.deleted"):
        (entry,) = load_audit_entries(api.client, api.practice, action, export_id)
        assert entry["account_id"] == (None if action == "export.made" else str(api.practice.admin.account_id))
    (started,) = load_audit_entries(api.client, api.practice, "export.started")
    assert started["details"] == {"reason": "Yearly copy"}


def test_a_deleted_export_cannot_be_downloaded_and_its_file_is_gone(api: ExportsApi) -> None:
    export_id = api.make()
    assert api.find_file(export_id).exists()
    assert_ok(api.send("DELETE", f"/exports/{export_id}"), 204)
    assert not api.find_file(export_id).exists()
    answer = api.download(export_id)
    assert (answer.status_code, error_code(answer)) == (410, "EXPORT_EXPIRED")
    assert assert_ok(api.send("GET", f"/exports/{export_id}"))["deleted_at"] is not None


def test_an_export_expires_and_its_file_is_deleted(api: ExportsApi) -> None:
    export_id = api.make()
    delete_expired_files(api.installation, NOW + 24 * HOUR - timedelta(seconds=1))
    assert api.find_file(export_id).exists()
    delete_expired_files(api.installation, NOW + 24 * HOUR)
    assert not api.find_file(export_id).exists()
    assert error_code(api.download(export_id)) == "EXPORT_EXPIRED"
    assert load_audit_entries(api.client, api.practice, "export.expired", export_id)


def test_an_expired_export_cannot_be_downloaded_while_its_file_still_exists(api: ExportsApi) -> None:
    export_id = api.make()
    for age, status in ((24 * HOUR - timedelta(seconds=1), 200), (24 * HOUR, 410)):
        now = set_clock(api.client, age)
        headers = token_headers(api.practice.token(now=now))
        assert api.client.get(f"{V1}/exports/{export_id}/content", headers=headers).status_code == status
    assert api.find_file(export_id).exists()


def test_one_export_at_a_time(api: ExportsApi) -> None:
    first = api.start()
    second = api.send("POST", "/exports", {"reason": "Again"})
    assert (second.status_code, error_code(second)) == (409, "JOB_RUNNING")
    assert second.json()["error"]["details"] == {"job_id": first["id"]}
    assert api.run()
    assert api.start()["id"] != first["id"]


def test_a_repeated_request_starts_one_export(api: ExportsApi) -> None:
    first = api.start(Idempotency_Key="yearly-copy-2026")
    assert api.start(Idempotency_Key="yearly-copy-2026") == first
    assert [api.run(), api.run()] == [True, False]


def test_a_failed_export_says_so_and_leaves_no_file(api: ExportsApi) -> None:
    job = api.start()
    folder = api.installation.settings.exports / str(api.practice.id)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    assert api.run()
    failed = api.read_job(job["id"])
    assert (failed["status"], failed["result"]) == ("FAILED", None)
    assert "Start it again" in failed["problem"]
    folder.unlink()
    assert api.read_job(api.make())["status"] == "DONE"


def test_a_queued_job_of_a_worker_that_ended_is_run_by_another(api: ExportsApi) -> None:
    job = api.start()
    api.take(job["id"])  # as by a worker that ends before it has begun
    queue_waiting_jobs(api.installation, NOW)
    api.run_all()
    assert api.read_job(job["id"])["status"] == "DONE"


@pytest.mark.parametrize("noticed_by", ["a new export", "its reader", "the maintenance of another worker"])
def test_an_export_whose_worker_was_killed_is_made_by_another_at_once(api: ExportsApi, noticed_by: str) -> None:
    job = api.start()
    api.take(job["id"])
    with run_until_killed(api, job["id"]):
        assert error_code(api.send("POST", "/exports", {"reason": "Again"})) == "JOB_RUNNING"
        assert api.read_job(job["id"])["status"] == "RUNNING"
        queue_waiting_jobs(api.installation, NOW)
        assert job["id"] not in api.take_all()
    if noticed_by == "a new export":
        assert api.start()["id"] == job["id"]
    elif noticed_by == "its reader":
        assert api.read_job(job["id"])["status"] == "RUNNING"
    else:
        queue_waiting_jobs(api.installation, NOW)
    api.run_all()
    assert api.read_job(job["id"])["status"] == "DONE"
    assert api.start()["id"] != job["id"]


def test_a_job_that_is_interrupted_again_and_again_fails(api: ExportsApi) -> None:
    job = api.start()
    for _ in range(3):
        api.take(job["id"])
        with api.installation.work(Actor(api.practice.id), NOW) as work:
            assert job_runner.jobs.claim_job(work, UUID(job["id"]))
        api.read_job(job["id"])
    assert api.run()
    assert api.read_job(job["id"])["status"] == "FAILED"


def test_an_export_that_was_interrupted_too_often_is_made_when_asked_for_again(api: ExportsApi) -> None:
    job = api.start()
    api.take(job["id"])
    for _ in range(3):
        with api.installation.work(Actor(api.practice.id), NOW) as work:
            assert job_runner.jobs.claim_job(work, UUID(job["id"]))
    api.start()
    assert api.run()
    assert api.read_job(job["id"])["status"] == "DONE"


def test_a_running_job_is_not_run_twice(api: ExportsApi) -> None:
    job = api.start()
    with job_runner.jobs.hold_job(api.installation.store, UUID(job["id"])) as is_held:
        assert is_held
        assert api.run()
        assert api.read_job(job["id"])["status"] == "QUEUED"


@contextmanager
def run_until_killed(api: ExportsApi, job_id: str) -> Iterator[None]:
    """Run the job in a process of its own that is killed at the end of the block, while it waits for a table."""
    script = (
        "import sys, uuid; from datetime import UTC, datetime; from api.job_runner import run_job; "
        "from practice.security.installation import open_installation; from practice.settings import Settings; "
        "run_job(open_installation(Settings()), *map(uuid.UUID, sys.argv[1:]), lambda: datetime.now(UTC))"
    )
    command = [sys.executable, "-c", script, str(api.practice.id), job_id]
    database = api.installation.store.database
    with cluster.connect_as_superuser(database) as observer:
        with cluster.connect_as_superuser(database) as blocker, blocker.transaction():
            blocker.execute("lock table closures in access exclusive mode")
            worker = subprocess.Popen(command, env=build_environment(api.installation))
            try:
                wait_until(lambda: read_number(observer, WAITING) == 1)
                yield
            finally:
                worker.kill()
                worker.wait()
        wait_until(lambda: read_number(observer, LOCKED) == 0)


def read_number(observer: psycopg.Connection, query: str) -> int:
    return observer.execute(query).fetchone()[0]


def test_exports_are_for_admins_of_the_practice_only(api: ExportsApi) -> None:
    export_id = api.make()
    other = make_practice(api.installation)
    for path in (f"/exports/{export_id}", f"/exports/{export_id}/content", f"/jobs/{export_id}"):
        assert send_request(api.client, other, "GET", path).status_code == 404
        for role in ("supervisor", "biller", "scheduler"):
            assert send_request(api.client, api.practice, "GET", path, api.practice.add(role)).status_code == 403


def test_progress_is_shown_while_the_export_runs(api: ExportsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[int, int]] = []
    job = api.start()
    monkeypatch.setattr(job_runner, "PROGRESS_EVERY", 0)
    save = job_runner.jobs.save_progress

    def read_and_save(*arguments: Any) -> None:
        progress = api.read_job(job["id"])
        assert progress["status"] == "RUNNING"
        if progress["rows_total"] is not None:  # saved by an earlier report
            shown.append((progress["rows_done"], progress["rows_total"]))
        save(*arguments)

    monkeypatch.setattr(job_runner.jobs, "save_progress", read_and_save)
    assert api.run()
    done = api.read_job(job["id"])
    assert {total for _, total in shown} == {done["rows_total"]}
    assert [rows for rows, _ in shown] == sorted(rows for rows, _ in shown)
    assert shown[0][0] == 0 < shown[-1][0] <= done["rows_done"] == done["rows_total"]


def test_the_bundle_of_an_imported_practice_comes_out_as_it_went_in(
    own_installation: Installation,
) -> None:
    imported = import_bundle(own_installation, OAK_STREET, NOW, lambda _message: None).practice
    with own_installation.work(Actor(imported.id), NOW) as work:
        job = job_runner.jobs.start_job(work, "EXPORT")
    own_installation.job_queue.put((imported.id, job.id))
    assert run_next_job(own_installation, lambda: NOW)
    file = find_export_file(own_installation, imported.id, job.id)
    content = b"".join(read_archive(own_installation, file))
    archive = zipfile.ZipFile(io.BytesIO(content))
    for source in OAK_STREET.iterdir():
        assert archive.read(source.name) == source.read_bytes(), source.name
