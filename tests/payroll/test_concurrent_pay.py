"""Several people at the pay of one practice at the same moment: nothing is paid twice or lost, and nobody hangs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

from practice.clinical.notes.signing import sign_note
from practice.errors import Refusal
from practice.payroll.completions import SessionPaid, complete_session, take_back, void_completion
from practice.payroll.periods import close_period, open_period
from practice.payroll.rates import set_pay_rate
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.sessions.completion import complete
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.sessions import write_note
from tests.support.drivers.payroll import CUT_OFF, HELD, HOUR, LAST, NEXT_CUT_OFF, SECOND, WEEK, PayrollScenario, told
from tests.support.drivers.waiting import collide, second_waits

Verb = Callable[[Work], Any]


def at_once(practice: PracticeFixture, now: datetime, *tasks: tuple[Any, ...]) -> list[Any]:
    """All in the same moment, each in a thread and over a connection of its own: the verb, by whom, and when, if it is
    another instant. What came of each: its answer, or why it was refused."""
    barrier = Barrier(len(tasks))

    def run(verb: Verb, by: Person | None, at: datetime = now) -> Any:
        barrier.wait(60)
        try:
            with practice.work(by, at) as work:
                return verb(work)
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(tasks)) as threads:
        return [outcome.result(120) for outcome in [threads.submit(run, *task) for task in tasks]]


def test_of_many_who_close_a_week_at_once_one_does(payroll: PayrollScenario) -> None:
    sessions = [payroll.held(HELD + number * HOUR) for number in range(8)]
    practice = payroll.practice
    people, before = [practice.admin, practice.add("admin")] * 3, payroll.books
    close: Verb = lambda work: close_period(work, LAST)  # noqa: E731
    found = at_once(practice, CUT_OFF, *((close, by, CUT_OFF + at * SECOND) for at, by in enumerate(people)))
    assert all(one == found[0] for one in found)
    assert told(found[0]) == [("regular", session, 6050) for session in sessions]
    after = payroll.books
    assert (len(after.periods), len(after.lines)) == (1, 8)
    assert after.audit[0][0] == before.audit[0][0] + 2  # opened and closed, once each


def test_weeks_opened_at_once_follow_each_other(payroll: PayrollScenario) -> None:
    weeks = [LAST - number * WEEK for number in range(4)]
    found = at_once(
        payroll.practice, CUT_OFF, *((lambda work, one=one: open_period(work, one).week, None) for one in weeks)
    )
    opened = [period.week for period in payroll.books.periods]
    assert opened == sorted(one for one in found if not isinstance(one, Refusal))
    assert opened == [opened[0] + number * WEEK for number in range(len(opened))]


def test_who_closes_after_another_waits_and_is_told_the_same(payroll: PayrollScenario) -> None:
    payroll.held()
    outcome = collide(payroll.practice, lambda work: close_period(work, LAST), lambda work: close_period(work, LAST))
    assert outcome.result() == payroll.close(LAST, CUT_OFF)
    assert len(payroll.books.lines) == len(payroll.books.periods) == 1


def test_what_a_week_pays_does_not_change_while_it_is_closed(payroll: PayrollScenario) -> None:
    """Whoever voids or takes back waits for whoever closes."""
    first, second = payroll.held(), payroll.held(HELD + HOUR)
    practice = payroll.practice
    outcome = collide(
        practice,
        lambda work: close_period(work, LAST),
        lambda work: void_completion(work, Scope.ALL, first, "A mistake") and None,
    )
    assert isinstance(outcome.exception(), SessionPaid)
    assert payroll.books.completions == []
    assert told(payroll.close(LAST, CUT_OFF)) == [("regular", first, 6050), ("regular", second, 6050)]
    practice.now = NEXT_CUT_OFF
    outcome = collide(
        practice,
        lambda work: take_back(work, first, "A mistake") and None,
        lambda work: close_period(work, LAST + WEEK),
    )
    assert told(outcome.result()) == [("adjustment", first, -6050)]
    second_waits(practice, lambda work: open_period(work, LAST + 2 * WEEK))


def test_while_weeks_are_closed_everybody_works_on(payroll: PayrollScenario) -> None:
    """Signs, completes, voids, takes back, sets rates: whichever comes first, in the end every session has come to what
    it deserves, and no two waited for one another."""
    practice, clinician = payroll.practice, payroll.clinician
    admins = [practice.add("admin") for _ in range(2)]
    week = LAST + WEEK
    for turn in range(4):
        end, begins = payroll.books.cut_off(week), HELD + (week - LAST)
        paid = [payroll.held(begins + number * HOUR) for number in range(6)]
        drafts = [payroll.held(begins + (6 + number) * HOUR, signed=False) for number in range(3)]
        booked = [
            payroll.held(begins + (9 + number) * HOUR, signed=False, status="SCHEDULED", status_at=None)
            for number in range(3)
        ]
        notes = [write_note(practice, clinician, one, now=begins + 20 * HOUR) for one in (*drafts, *booked)]
        old = [line.session_id for line in payroll.books.lines if line.kind in ("regular", "late")]
        close: Verb = lambda work, week=week: close_period(work, week) and None  # noqa: E731
        busy: list[tuple[Any, ...]] = [(close, admins[0]), (close, admins[1])]
        for one in (paid[0], drafts[0]):
            busy.append((lambda work, one=one: void_completion(work, Scope.ALL, one, "No") and None, None))
        for one in old[:2]:
            busy.append((lambda work, one=one: take_back(work, one, "No") and None, admins[1]))
        busy.append(
            (lambda work, cents=8001 + turn: set_pay_rate(work, clinician.staff_id, cents, None) and None, None)
        )
        busy.append((lambda work, one=paid[1]: complete_session(work, one) and None, None))
        for one in booked[:2]:
            busy.append((lambda work, one=one: complete(work, one, Scope.ALL) and None, admins[0]))
        # Those who sign were in time: they began before the cut-off, and are done after whoever closes has begun.
        signing = [(lambda work, one=one: sign_note(work, one) and None, clinician, end - HOUR) for one in notes]
        at_once(practice, end if turn % 2 else end + HOUR, *signing, *busy)
        week += WEEK
    for _ in range(3):
        payroll.close(week, payroll.books.cut_off(week))
        week += WEEK
    books = payroll.books
    assert books.paid_cents() == books.final_cents(books.cut_off(week))
    assert len({line.session_id for line in books.lines if line.kind in ("regular", "late")}) >= 30
