"""Several people who write the same thing at the same moment: one does, the others are told, and nothing is lost."""

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

AT_ONCE = 6


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    return practice.add("supervisor")


@pytest.fixture
def clinician(practice: PracticeFixture, supervisor: Person) -> Person:
    return practice.add("clinician", supervisor=supervisor)


def at_once(practice: PracticeFixture, who: Person, verb: Callable[[Work], Any]) -> Counter[str]:
    start = Barrier(AT_ONCE)

    def one(_number: int) -> str:
        start.wait()
        try:
            with practice.work(who) as work:
                verb(work)
        except Refusal as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(AT_ONCE)))


def count(practice: PracticeFixture, table: str) -> int:
    with practice.installation.store.session_in(practice.id) as db:
        return db.scalar(text(f"select count(*) from {table} where tenant_id = :id"), {"id": practice.id}) or 0


def test_the_same_hour_of_supervision_counts_once(
    practice: PracticeFixture, supervisor: Person, clinician: Person
) -> None:
    about: dict[str, Any] = {"held_at": NOW - timedelta(days=1), "hours": Decimal("2.00"), "kind": "INDIVIDUAL"}
    found = at_once(
        practice,
        supervisor,
        lambda work: sessions.record_sessions(work, Scope.TEAM, supervisee_ids=[clinician.staff_id], **about),
    )
    assert found == {"done": 1, "SUPERVISION_EXISTS": AT_ONCE - 1}
    assert count(practice, "supervision_sessions") == 1


def test_one_of_several_saves_of_a_report_counts(practice: PracticeFixture, clinician: Person) -> None:
    client_id = make_client(practice, clinician)
    with practice.work(clinician) as work:
        report = reports.begin_report(work, Scope.OWN, client_id=client_id, sections={"summary": "One"})
        report_id = report.id
    save = {"sections": {"summary": "Two"}}
    found = at_once(practice, clinician, lambda work: reports.save_report(work, Scope.OWN, report_id, 1, **save))
    assert found == {"done": 1, "STALE": AT_ONCE - 1}
    assert count(practice, "progress_report_versions") == 2


def test_a_plan_is_reviewed_once_a_day(practice: PracticeFixture, clinician: Person) -> None:
    client_id = make_client(practice, clinician)
    with practice.work(clinician) as work:
        plans.begin_plan(work, Scope.OWN, client_id=client_id, kind="CBT", starts_on=date(2026, 1, 12))
    found = at_once(practice, clinician, lambda work: plans.record_review(work, Scope.OWN, client_id=client_id))
    assert found == {"done": 1, "VALIDATION_ERROR": AT_ONCE - 1}
    assert count(practice, "treatment_plan_reviews") == 2
