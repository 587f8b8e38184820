"""Session completions: created once, voided for good; and session values."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from practice.errors import NotFound
from practice.payroll.completions import (
    SessionVoided,
    create_missing_completions,
    get_or_create_completion,
    load_session_values,
    void_completion,
)
from practice.scheduling.errors import WrongStatus
from practice.security.permissions import Scope
from practice.store.ids import new_id
from tests.support.drivers.payroll import (
    CUT_OFF,
    HOUR,
    LAST_WEEK,
    SECOND,
    SESSION_START,
    WEEK,
    PayrollScenario,
    list_lines,
)


def test_a_completion_is_created_once_with_the_present_kind_and_minutes(payroll: PayrollScenario) -> None:
    session, other, scheduled = (
        payroll.add_session(),
        payroll.add_session(SESSION_START + HOUR),
        payroll.add_session(SESSION_START, status="SCHEDULED", status_at=None),
    )
    with payroll.practice.work() as work:
        completion = get_or_create_completion(work, Scope.ALL, session)
        assert (completion.kind, completion.minutes, completion.created_by) == (
            "INDIVIDUAL",
            60,
            payroll.practice.admin.account_id,
        )
        with pytest.raises(WrongStatus):
            get_or_create_completion(work, Scope.ALL, scheduled)
        with pytest.raises(NotFound):
            get_or_create_completion(work, Scope.ALL, new_id())
    with payroll.practice.work(payroll.practice.add("clinician")) as work, pytest.raises(NotFound):
        get_or_create_completion(work, Scope.OWN, session)
    with payroll.practice.work(now=CUT_OFF + WEEK) as work:
        assert get_or_create_completion(work, Scope.ALL, session).created_at == payroll.practice.now
        summary = create_missing_completions(work, Scope.ALL, appointment_ids=[session, other, scheduled, new_id()])
    assert (summary.created, summary.existing) == ([other], [session])
    assert (summary.not_completed, summary.voided) == ([scheduled], [])
    with payroll.practice.work(payroll.clinician) as work:
        void_completion(work, Scope.OWN, session, "Twice")
        summary = create_missing_completions(work, Scope.OWN, since=SESSION_START, until=SESSION_START + HOUR)
        assert summary.voided == [session]
        with pytest.raises(SessionVoided):
            get_or_create_completion(work, Scope.ALL, session)
    assert list_lines(payroll.close_week(LAST_WEEK, CUT_OFF + WEEK)) == [("regular", other, 6050)]


def test_concurrent_requests_create_each_completion_once(payroll: PayrollScenario) -> None:
    ids = [payroll.add_session(SESSION_START + number * HOUR) for number in range(30)]

    def create(_: int) -> int:
        with payroll.practice.work() as work:
            return len(create_missing_completions(work, Scope.ALL, appointment_ids=ids).created)

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(create, range(8))) == 30
    assert len(payroll.load_rows("session_completions")) == 30


def test_session_values_before_and_after_payment_and_reversal(payroll: PayrollScenario) -> None:
    paid, unsigned = payroll.add_session(), payroll.add_session(SESSION_START + HOUR, signed=False)
    other = payroll.practice.add("clinician")
    unrated = payroll.add_session(clinician=other)
    scheduled = payroll.add_session(status="SCHEDULED", status_at=None)
    payroll.close_week(LAST_WEEK, CUT_OFF)
    with payroll.practice.work(now=CUT_OFF + HOUR) as work:
        values = load_session_values(work, [paid, unsigned, unrated, scheduled], work.now)
        before = load_session_values(work, [paid], CUT_OFF - SECOND)
    assert set(values) == {paid, unsigned, unrated}
    assert (values[paid].amount_cents, values[paid].paid_week, values[paid].week) == (6050, LAST_WEEK, LAST_WEEK)
    assert (values[unsigned].amount_cents, values[unsigned].signed_at, values[unsigned].paid_week) == (6050, None, None)
    assert (values[unrated].amount_cents, values[unrated].rate_cents) == (None, None)
    assert before[paid].paid_week is None
    payroll.reverse(paid, CUT_OFF + 2 * HOUR)
    with payroll.practice.work(now=CUT_OFF + 3 * HOUR) as work:
        assert load_session_values(work, [paid], work.now)[paid].amount_cents == 0
