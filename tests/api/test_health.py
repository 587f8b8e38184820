"""Readiness of the service, and its maintenance job: overdue messages and practices whose job fails."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api import jobs
from api.app import create_app
from practice.people.models.practices import Practice
from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.security.rotation import rotate_master_key
from practice.sessions import deadline_job
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.builders.schedule import make_service, open_hours
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.http import V1, auth_headers, error_code

MESSAGES = text("""
    insert into messages (tenant_id, id, kind, channel, staff_id, due_at, created_at)
    select :tenant_id, uuidv7(), 'TEST', 'email', :staff_id, cast(:due_at as timestamptz), :now
    from generate_series(1, :number)
""")


def read_health(client: TestClient) -> dict[str, Any]:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    return answer.json()


def add_messages(practice: PracticeFixture, number: int, due: timedelta) -> None:
    values = {"tenant_id": practice.id, "staff_id": practice.admin.staff_id, "due_at": NOW + due, "now": NOW}
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(MESSAGES, values | {"number": number})


def run_maintenance(installation: Installation, *, recent: bool = False) -> None:
    jobs.run_practice_jobs(installation, NOW, threading.Event(), recent=recent)


def test_a_thousand_overdue_messages_degrade_the_service(
    own_installation: Installation, own_client: TestClient
) -> None:
    practice, other = make_practice(own_installation), make_practice(own_installation)
    assert read_health(own_client) == {
        **{"status": "ready", "database": "operational", "migrations": "current"},
        **{"outbox": "unknown", "messages_waiting": None, "outbox_lag_seconds": None},
        "availability": "unknown",
    }
    run_maintenance(own_installation)
    assert (read_health(own_client)["outbox"], read_health(own_client)["messages_waiting"]) == ("operational", 0)
    add_messages(practice, 600, timedelta(seconds=-90))
    add_messages(other, 399, timedelta(0))
    add_messages(other, 500, timedelta(seconds=1))  # not due yet
    run_maintenance(own_installation)
    health = read_health(own_client)
    assert (health["status"], health["outbox"]) == ("ready", "operational")
    assert (health["messages_waiting"], health["outbox_lag_seconds"]) == (999, 90)
    add_messages(practice, 1, timedelta(0))
    run_maintenance(own_installation)
    assert (read_health(own_client)["status"], read_health(own_client)["outbox"]) == ("degraded", "degraded")
    with own_installation.store.begin_session(practice.id) as db:
        db.execute(text("update messages set status = 'SENT' where due_at < :now"), {"now": NOW})
    run_maintenance(own_installation)
    assert read_health(own_client)["messages_waiting"] == 400


def test_a_master_key_that_is_rotated_meanwhile_ends_readiness(
    own_installation: Installation, own_client: TestClient
) -> None:
    practice, new = make_practice(own_installation), MasterKey.generate()
    headers = auth_headers(practice)
    read_health(own_client)
    rotate_master_key(own_installation, new, NOW)
    later = NOW + timedelta(minutes=1)  # when keys are loaded again
    own_client.app.state.clock = lambda: later  # ty: ignore[unresolved-attribute]
    answers = [own_client.get("/health/ready"), own_client.get(f"{V1}/staff", headers=headers)]
    for answer in answers:
        assert (answer.status_code, error_code(answer)) == (503, "SERVICE_UNAVAILABLE")
        assert not any(key.key_id in answer.text for key in (new, own_installation.master))


def count_locks(practice: PracticeFixture) -> int:
    with practice.installation.store.begin_session(practice.id) as db:
        return db.scalar(text("select count(*) from session_locks where tenant_id = :id"), {"id": practice.id}) or 0


def test_the_service_is_degraded_while_free_times_cannot_be_computed(
    own_installation: Installation, own_client: TestClient
) -> None:
    for _ in range(2):
        practice = make_practice(own_installation)
        make_service(practice)
        open_hours(practice, practice.add("clinician"))
    run_maintenance(own_installation)
    assert (read_health(own_client)["status"], read_health(own_client)["availability"]) == ("ready", "operational")
    with own_installation.store.open_owner_connection() as db:
        db.execute(text("alter table availability_windows rename to lost"))
        db.commit()
    run_maintenance(own_installation)
    assert (read_health(own_client)["status"], read_health(own_client)["availability"]) == ("degraded", "error")


def test_a_failure_in_one_practice_does_not_affect_others(
    own_installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    practices = [make_practice(own_installation) for _ in range(3)]
    for practice in practices:
        SessionBuilder(practice, practice.add("clinician")).add_session(NOW - timedelta(days=30))
    failing_id = practices[1].id
    original = deadline_job.run_deadline_job

    def fail(work: Any, **options: Any) -> Any:
        if work.tenant_id == failing_id:
            raise KeyError("a sensitive value")
        return original(work, **options)

    monkeypatch.setattr(deadline_job, "run_deadline_job", fail)
    run_maintenance(own_installation)
    assert [count_locks(practice) for practice in practices] == [1, 0, 1]
    logged = capsys.readouterr().out
    assert str(failing_id) in logged
    assert "sensitive value" not in logged


def test_the_job_skips_suspended_practices(own_installation: Installation) -> None:
    practice = make_practice(own_installation)
    SessionBuilder(practice, practice.add("clinician")).add_session(NOW - timedelta(days=30))
    set_status(own_installation, practice.id, "SUSPENDED")
    run_maintenance(own_installation)
    assert count_locks(practice) == 0
    set_status(own_installation, practice.id, "ACTIVE")
    run_maintenance(own_installation)
    assert count_locks(practice) == 1


def set_status(installation: Installation, practice_id: UUID, status: str) -> None:
    with installation.store.begin_system_session() as db:
        db.get_one(Practice, practice_id).status = status


def test_the_service_runs_the_job_periodically(own_installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    practice = make_practice(own_installation)
    SessionBuilder(practice, practice.add("clinician")).add_session(NOW - timedelta(days=400))
    monkeypatch.setattr("api.app.ANCHOR_EVERY", 0.01)
    done = threading.Event()
    original = deadline_job.run_deadline_job

    def run_and_signal(work: Any, **options: Any) -> Any:
        health = original(work, **options)
        if not options["recent"]:
            done.set()
        return health

    monkeypatch.setattr(deadline_job, "run_deadline_job", run_and_signal)
    with TestClient(create_app(own_installation, clock=lambda: NOW)):
        assert done.wait(30)
    assert count_locks(practice) == 1
