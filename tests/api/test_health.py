"""Whether the service is ready, and what its housekeeping found: messages that wait, practices whose job failed."""

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
from practice.security.installation import Installation
from practice.sessions import deadline_job
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.builders.sessions import Sessions

MESSAGES = text("""
    insert into messages (tenant_id, id, kind, channel, staff_id, due_at, created_at)
    select :tenant_id, uuidv7(), 'TEST', 'email', :staff_id, cast(:due_at as timestamptz), :now
    from generate_series(1, :number)
""")


def ready(client: TestClient) -> dict[str, Any]:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    return answer.json()


def wait(practice: PracticeFixture, number: int, due: timedelta) -> None:
    values = {"tenant_id": practice.id, "staff_id": practice.admin.staff_id, "due_at": NOW + due, "now": NOW}
    with practice.installation.store.session_in(practice.id) as db:
        db.execute(MESSAGES, values | {"number": number})


def run_maintenance(installation: Installation, *, recent: bool = False) -> None:
    jobs.keep_deadlines(installation, NOW, threading.Event(), recent=recent)


def test_a_thousand_messages_that_wait_are_too_many(own_installation: Installation, own_client: TestClient) -> None:
    one, other = make_practice(own_installation), make_practice(own_installation)
    assert ready(own_client) == {
        **{"status": "ready", "database": "operational", "migrations": "current"},
        **{"outbox": "unknown", "messages_waiting": None, "outbox_lag_seconds": None},
    }
    run_maintenance(own_installation)
    assert (ready(own_client)["outbox"], ready(own_client)["messages_waiting"]) == ("operational", 0)
    wait(one, 600, timedelta(seconds=-90))
    wait(other, 399, timedelta(0))
    wait(other, 500, timedelta(seconds=1))  # not due yet
    run_maintenance(own_installation)
    found = ready(own_client)
    assert (found["status"], found["outbox"]) == ("ready", "operational")
    assert (found["messages_waiting"], found["outbox_lag_seconds"]) == (999, 90)
    wait(one, 1, timedelta(0))
    run_maintenance(own_installation)
    assert (ready(own_client)["status"], ready(own_client)["outbox"]) == ("degraded", "degraded")
    with own_installation.store.session_in(one.id) as db:
        db.execute(text("update messages set status = 'SENT' where due_at < :now"), {"now": NOW})
    run_maintenance(own_installation)
    assert ready(own_client)["messages_waiting"] == 400


def locks(practice: PracticeFixture) -> int:
    with practice.installation.store.session_in(practice.id) as db:
        return db.scalar(text("select count(*) from session_locks where tenant_id = :id"), {"id": practice.id}) or 0


def test_what_fails_in_one_practice_is_done_in_the_others(
    own_installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    practices = [make_practice(own_installation) for _ in range(3)]
    for practice in practices:
        Sessions(practice, practice.add("clinician")).held(NOW - timedelta(days=30))
    broken = practices[1].id
    kept = deadline_job.keep_deadlines

    def breaks(work: Any, **more: Any) -> Any:
        if work.tenant_id == broken:
            raise KeyError("a value that is nobody's business")
        return kept(work, **more)

    monkeypatch.setattr(deadline_job, "keep_deadlines", breaks)
    run_maintenance(own_installation)
    assert [locks(practice) for practice in practices] == [1, 0, 1]
    logged = capsys.readouterr().out
    assert str(broken) in logged
    assert "nobody's business" not in logged


def test_a_suspended_practice_rests(own_installation: Installation) -> None:
    practice = make_practice(own_installation)
    Sessions(practice, practice.add("clinician")).held(NOW - timedelta(days=30))
    suspend(own_installation, practice.id, "SUSPENDED")
    run_maintenance(own_installation)
    assert locks(practice) == 0
    suspend(own_installation, practice.id, "ACTIVE")
    run_maintenance(own_installation)
    assert locks(practice) == 1


def suspend(installation: Installation, practice_id: UUID, status: str) -> None:
    with installation.store.system_session() as db:
        db.get_one(Practice, practice_id).status = status


def test_the_service_does_it_by_itself(own_installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    practice = make_practice(own_installation)
    Sessions(practice, practice.add("clinician")).held(NOW - timedelta(days=400))
    monkeypatch.setattr("api.app.ANCHOR_EVERY", 0.01)
    done = threading.Event()
    kept = deadline_job.keep_deadlines

    def keep(work: Any, **more: Any) -> Any:
        found = kept(work, **more)
        if not more["recent"]:
            done.set()
        return found

    monkeypatch.setattr(deadline_job, "keep_deadlines", keep)
    with TestClient(create_app(own_installation, clock=lambda: NOW)):
        assert done.wait(30)
    assert locks(practice) == 1
