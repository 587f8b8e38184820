"""Completions: made once, voided for good, and what their sessions are worth."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from practice.errors import NotFound
from practice.payroll.completions import SessionVoided, complete_session, complete_sessions, void_completion, worth_of
from practice.scheduling.errors import WrongStatus
from practice.security.permissions import Scope
from practice.store.ids import new_id
from tests.support.drivers.payroll import CUT_OFF, HELD, HOUR, LAST, SECOND, WEEK, PayrollScenario, told


def test_a_completion_is_made_once_with_kind_and_minutes_of_now(payroll: PayrollScenario) -> None:
    one, other, open_ = (
        payroll.held(),
        payroll.held(HELD + HOUR),
        payroll.held(HELD, status="SCHEDULED", status_at=None),
    )
    with payroll.practice.work() as work:
        made = complete_session(work, one)
        assert (made.kind, made.minutes, made.created_by) == ("INDIVIDUAL", 60, payroll.practice.admin.account_id)
        with pytest.raises(WrongStatus):
            complete_session(work, open_)
        with pytest.raises(NotFound):
            complete_session(work, new_id())
    with payroll.practice.work(payroll.practice.add("clinician")) as work, pytest.raises(NotFound):
        complete_session(work, one, Scope.OWN)
    with payroll.practice.work(now=CUT_OFF + WEEK) as work:
        assert complete_session(work, one).created_at == payroll.practice.now
        found = complete_sessions(work, Scope.ALL, appointment_ids=[one, other, open_, new_id()])
    assert (found.made, found.there, found.not_completed, found.voided) == ([other], [one], [open_], [])
    with payroll.practice.work(payroll.clinician) as work:
        void_completion(work, Scope.OWN, one, "Twice")
        assert complete_sessions(work, Scope.OWN, since=HELD, until=HELD + HOUR).voided == [one]
        with pytest.raises(SessionVoided):
            complete_session(work, one)
    assert told(payroll.close(LAST, CUT_OFF + WEEK)) == [("regular", other, 6050)]


def test_many_completions_are_made_at_once_and_none_twice(payroll: PayrollScenario) -> None:
    ids = [payroll.held(HELD + number * HOUR) for number in range(30)]

    def make(_: int) -> int:
        with payroll.practice.work() as work:
            return len(complete_sessions(work, Scope.ALL, appointment_ids=ids).made)

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(make, range(8))) == 30
    assert len(payroll.rows("session_completions")) == 30


def test_what_sessions_are_worth(payroll: PayrollScenario) -> None:
    paid, unsigned = payroll.held(), payroll.held(HELD + HOUR, signed=False)
    other = payroll.practice.add("clinician")
    unrated, open_ = payroll.held(clinician=other), payroll.held(status="SCHEDULED", status_at=None)
    payroll.close(LAST, CUT_OFF)
    with payroll.practice.work(now=CUT_OFF + HOUR) as work:
        worth = worth_of(work, [paid, unsigned, unrated, open_], work.now)
        before = worth_of(work, [paid], CUT_OFF - SECOND)
    assert set(worth) == {paid, unsigned, unrated}
    assert (worth[paid].amount_cents, worth[paid].paid, worth[paid].week) == (6050, LAST, LAST)
    assert (worth[unsigned].amount_cents, worth[unsigned].signed_at, worth[unsigned].paid) == (6050, None, None)
    assert (worth[unrated].amount_cents, worth[unrated].rate_cents) == (None, None)
    assert before[paid].paid is None
    payroll.take_back(paid, CUT_OFF + 2 * HOUR)
    with payroll.practice.work(now=CUT_OFF + 3 * HOUR) as work:
        assert worth_of(work, [paid], work.now)[paid].amount_cents == 0
