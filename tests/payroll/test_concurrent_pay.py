"""Concurrent work on the pay of one practice: nothing is paid twice or lost, and nothing deadlocks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier
from typing import Any

from practice.clinical.notes.signing import sign_note
from practice.errors import Refusal
from practice.payroll.completions import SessionPaid, get_or_create_completion, reverse_paid_session, void_completion
from practice.payroll.periods import close_period, open_period
from practice.payroll.rates import set_pay_rate
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions.completion import complete_session
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import write_note
from tests.support.drivers.payroll import (
    CUT_OFF,
    HOUR,
    LAST_WEEK,
    NEXT_CUT_OFF,
    SECOND,
    SESSION_START,
    WEEK,
    PayrollScenario,
    list_lines,
)
from tests.support.drivers.waiting import assert_second_waits, collide

ServiceFunction = Callable[[Work], Any]


def run_concurrently(practice: PracticeFixture, now: datetime, *tasks: tuple[Any, ...]) -> list[Any]:
    """Run all tasks concurrently, each in its own thread and transaction, and return results or refusals. A task is a
    service function, the person and, if it differs from `now`, the instant."""
    barrier = Barrier(len(tasks))

    def run(service_function: ServiceFunction, by: Person | None, at: datetime = now) -> Any:
        barrier.wait(60)
        try:
            with practice.work(by, at) as work:
                return service_function(work)
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(tasks)) as threads:
        return [outcome.result(120) for outcome in [threads.submit(run, *task) for task in tasks]]


def test_a_week_is_closed_once_by_many_concurrent_requests(payroll: PayrollScenario) -> None:
    sessions = [payroll.add_session(SESSION_START + number * HOUR) for number in range(8)]
    practice = payroll.practice
    people, before = [practice.admin, practice.add("admin")] * 3, payroll.load_oracle()
    close: ServiceFunction = lambda work: close_period(work, LAST_WEEK)  # noqa: E731
    tasks = [(close, person, CUT_OFF + delay * SECOND) for delay, person in enumerate(people)]
    pay_weeks = run_concurrently(practice, CUT_OFF, *tasks)
    assert all(pay_week == pay_weeks[0] for pay_week in pay_weeks)
    assert list_lines(pay_weeks[0]) == [("regular", session, 6050) for session in sessions]
    after = payroll.load_oracle()
    assert (len(after.periods), len(after.lines)) == (1, 8)
    assert after.audit[0][0] == before.audit[0][0] + 2  # opened and closed, once each


def test_weeks_that_are_opened_concurrently_stay_in_order(payroll: PayrollScenario) -> None:
    weeks = [LAST_WEEK - number * WEEK for number in range(4)]
    tasks = [(lambda work, week=week: open_period(work, week).week, None) for week in weeks]
    results = run_concurrently(payroll.practice, CUT_OFF, *tasks)
    opened = [period.week for period in payroll.load_oracle().periods]
    assert opened == sorted(week for week in results if not isinstance(week, Refusal))
    assert opened == [opened[0] + number * WEEK for number in range(len(opened))]


def test_a_second_closing_waits_and_returns_the_same(payroll: PayrollScenario) -> None:
    payroll.add_session()
    close: ServiceFunction = lambda work: close_period(work, LAST_WEEK)  # noqa: E731
    outcome = collide(payroll.practice, close, close)
    assert outcome.result() == payroll.close_week(LAST_WEEK, CUT_OFF)
    assert len(payroll.load_oracle().lines) == len(payroll.load_oracle().periods) == 1


def test_voiding_and_reversing_wait_for_a_closing_week(payroll: PayrollScenario) -> None:
    first, second = payroll.add_session(), payroll.add_session(SESSION_START + HOUR)
    practice = payroll.practice
    outcome = collide(
        practice,
        lambda work: close_period(work, LAST_WEEK),
        lambda work: void_completion(work, Scope.ALL, first, "A mistake") and None,
    )
    assert isinstance(outcome.exception(), SessionPaid)
    assert payroll.load_oracle().completions == []
    assert list_lines(payroll.close_week(LAST_WEEK, CUT_OFF)) == [
        ("regular", first, 6050),
        ("regular", second, 6050),
    ]
    practice.now = NEXT_CUT_OFF
    outcome = collide(
        practice,
        lambda work: reverse_paid_session(work, first, "A mistake") and None,
        lambda work: close_period(work, LAST_WEEK + WEEK),
    )
    assert list_lines(outcome.result()) == [("adjustment", first, -6050)]
    assert_second_waits(practice, lambda work: open_period(work, LAST_WEEK + 2 * WEEK))


def test_weeks_are_closed_while_everybody_keeps_working(payroll: PayrollScenario) -> None:
    """Signing, completing, voiding, reversing and setting rates, in any order: in the end every session has been paid
    what it is worth, and nothing deadlocked."""
    practice, clinician = payroll.practice, payroll.clinician
    admins = [practice.add("admin") for _ in range(2)]
    week = LAST_WEEK + WEEK
    for turn in range(4):
        end, begins = payroll.load_oracle().cut_off(week), SESSION_START + (week - LAST_WEEK)
        paid = [payroll.add_session(begins + number * HOUR) for number in range(6)]
        drafts = [payroll.add_session(begins + (6 + number) * HOUR, signed=False) for number in range(3)]
        booked = [
            payroll.add_session(begins + (9 + number) * HOUR, signed=False, status="SCHEDULED", status_at=None)
            for number in range(3)
        ]
        notes = [write_note(practice, clinician, session, now=begins + 20 * HOUR) for session in (*drafts, *booked)]
        paid_before = [line.session_id for line in payroll.load_oracle().lines if line.kind in ("regular", "late")]
        close: ServiceFunction = lambda work, week=week: close_period(work, week) and None  # noqa: E731
        tasks: list[tuple[Any, ...]] = [(close, admins[0]), (close, admins[1])]
        for session in (paid[0], drafts[0]):
            tasks.append((lambda work, id=session: void_completion(work, Scope.ALL, id, "No") and None, None))
        for session in paid_before[:2]:
            tasks.append((lambda work, id=session: reverse_paid_session(work, id, "No") and None, admins[1]))
        tasks.append(
            (
                lambda work, cents=8001 + turn: (
                    set_pay_rate(work, clinician.staff_id, cents, date(2000, 1, 1)) and None
                ),
                None,
            )
        )
        tasks.append((lambda work, id=paid[1]: get_or_create_completion(work, Scope.ALL, id) and None, None))
        for session in booked[:2]:
            tasks.append((lambda work, id=session: complete_session(work, Scope.ALL, id) and None, admins[0]))
        # The signatures are in time: their transactions began before the cut-off and end after the closing has begun.
        signing = [(lambda work, id=note: sign_note(work, id) and None, clinician, end - HOUR) for note in notes]
        run_concurrently(practice, end if turn % 2 else end + HOUR, *signing, *tasks)
        week += WEEK
    for _ in range(3):
        payroll.close_week(week, payroll.load_oracle().cut_off(week))
        week += WEEK
    oracle = payroll.load_oracle()
    assert oracle.sum_paid_cents() == oracle.compute_final_cents(oracle.cut_off(week))
    assert len({line.session_id for line in oracle.lines if line.kind in ("regular", "late")}) >= 30
