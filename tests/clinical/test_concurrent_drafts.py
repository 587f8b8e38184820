"""Concurrent writes of supervision sessions, reports and plan reviews: one succeeds, the others are refused."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from practice.clinical.plans import plans
from practice.clinical.reports import reports
from practice.clinical.supervision import sessions
from practice.errors import Refusal
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_client

WORKERS = 6


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    return practice.add("supervisor")


@pytest.fixture
def clinician(practice: PracticeFixture, supervisor: Person) -> Person:
    return practice.add("clinician", supervisor=supervisor)


def run_concurrently(practice: PracticeFixture, person: Person, service: Callable[[Work], Any]) -> Counter[str]:
    start = Barrier(WORKERS)

    def one(_number: int) -> str:
        start.wait()
        try:
            with practice.work(person) as work:
                service(work)
        except Refusal as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(WORKERS) as pool:
        return Counter(pool.map(one, range(WORKERS)))


def count_rows(practice: PracticeFixture, table: str) -> int:
    with practice.installation.store.begin_session(practice.id) as db:
        return db.scalar(text(f"select count(*) from {table} where tenant_id = :id"), {"id": practice.id}) or 0


def test_concurrent_recordings_of_a_supervision_session_store_one(
    practice: PracticeFixture, supervisor: Person, clinician: Person
) -> None:
    values: dict[str, Any] = {"held_at": NOW - timedelta(days=1), "hours": Decimal("2.00"), "kind": "INDIVIDUAL"}
    outcomes = run_concurrently(
        practice,
        supervisor,
        lambda work: sessions.record_sessions(work, Scope.TEAM, supervisee_ids=[clinician.staff_id], **values),
    )
    assert outcomes == {"done": 1, "SUPERVISION_EXISTS": WORKERS - 1}
    assert count_rows(practice, "supervision_sessions") == 1


def test_concurrent_saves_of_a_report_store_one(practice: PracticeFixture, clinician: Person) -> None:
    client_id = make_client(practice, clinician)
    with practice.work(clinician) as work:
        report = reports.begin_report(work, Scope.OWN, client_id=client_id, sections={"summary": "One"})
        report_id = report.id
    save = {"sections": {"summary": "Two"}}
    outcomes = run_concurrently(
        practice, clinician, lambda work: reports.save_report(work, Scope.OWN, report_id, 1, **save)
    )
    assert outcomes == {"done": 1, "STALE": WORKERS - 1}
    assert count_rows(practice, "progress_report_versions") == 2


def test_concurrent_reviews_of_a_plan_store_one(practice: PracticeFixture, clinician: Person) -> None:
    client_id = make_client(practice, clinician)
    with practice.work(clinician) as work:
        plans.begin_plan(work, Scope.OWN, client_id=client_id, kind="CBT", starts_on=date(2026, 1, 12))
    outcomes = run_concurrently(
        practice, clinician, lambda work: plans.record_review(work, Scope.OWN, client_id=client_id)
    )
    assert outcomes == {"done": 1, "VALIDATION_ERROR": WORKERS - 1}
    assert count_rows(practice, "treatment_plan_reviews") == 2
