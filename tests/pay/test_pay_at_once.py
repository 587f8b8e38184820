"""Several people at the pay of one practice at the same moment: nothing is paid twice or lost, and nobody hangs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier
from typing import Any

import pytest

from practice.errors import Refusal
from practice.notes.signing import sign_note
from practice.pay.completions import complete_session, take_back, void_completion
from practice.pay.periods import close_period, open_period
from practice.pay.rates import set_pay_rate
from practice.scheduling import life
from practice.security.permissions import Scope
from practice.security.work import Work
from tests.support.payroll import Payroll, amounts
from tests.support.people import House, Person
from tests.support.sessions import HOUR, write_note
from tests.support.slow_close import DAY, WEEK
from tests.support.waiting import collide, second_waits

FIRST = date(2026, 4, 5)
Verb = Callable[[Work], Any]


@pytest.fixture
def payroll(practice: House) -> Payroll:
    return Payroll(practice)


def start(payroll: Payroll) -> datetime:
    return payroll.books.midnight(FIRST + DAY) + 9 * HOUR


def at_once(practice: House, now: datetime, *tasks: tuple[Any, ...]) -> list[Any]:
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


def test_two_who_close_one_week_close_it_once(payroll: Payroll) -> None:
    sessions = [payroll.met(start(payroll) + number * HOUR) for number in range(8)]
    practice, end = payroll.practice, payroll.books.cut_off(FIRST)
    other = practice.add("admin")
    before = payroll.books
    found = at_once(practice, end, *((lambda work: close_period(work, FIRST), by) for by in (None, other, None, other)))
    assert all(one == found[0] for one in found)
    assert sorted(amounts(found[0])) == sorted(("regular", session, 8000) for session in sessions)
    after = payroll.books
    assert (len(after.periods), len(after.lines)) == (1, 8)
    assert after.audit[0][0] == before.audit[0][0] + 2  # opened and closed, once each


def test_weeks_opened_at_once_follow_each_other(payroll: Payroll) -> None:
    now = payroll.books.cut_off(FIRST)
    weeks = [FIRST - number * WEEK for number in range(4)]
    found = at_once(
        payroll.practice, now, *((lambda work, one=one: open_period(work, one).week, None) for one in weeks)
    )
    opened = [period.week for period in payroll.books.periods]
    assert opened == sorted(one for one in found if not isinstance(one, Refusal))
    assert opened == [opened[0] + number * WEEK for number in range(len(opened))]


def test_the_second_closes_nothing_more(payroll: Payroll) -> None:
    payroll.met(start(payroll))
    practice = payroll.practice
    practice.now = payroll.books.cut_off(FIRST)
    outcome = collide(practice, lambda work: close_period(work, FIRST), lambda work: close_period(work, FIRST))
    assert outcome.result() == payroll.close(FIRST)
    assert len(payroll.books.lines) == 1


def test_what_a_week_pays_does_not_change_while_it_is_closed(payroll: Payroll) -> None:
    """Whoever voids or takes back waits for whoever closes."""
    first, second = payroll.met(start(payroll)), payroll.met(start(payroll) + HOUR)
    practice = payroll.practice
    practice.now = payroll.books.cut_off(FIRST)
    outcome = collide(
        practice,
        lambda work: close_period(work, FIRST),
        lambda work: void_completion(work, Scope.ALL, first, "A mistake") and None,
    )
    assert getattr(outcome.exception(), "code", None) == "SESSION_PAID"
    assert sorted(amounts(payroll.close(FIRST))) == sorted([("regular", first, 8000), ("regular", second, 8000)])
    practice.now = payroll.books.cut_off(FIRST + WEEK)
    outcome = collide(
        practice,
        lambda work: take_back(work, first, "A mistake") and None,
        lambda work: close_period(work, FIRST + WEEK),
    )
    assert amounts(outcome.result()) == [("adjustment", first, -8000)]
    second_waits(practice, lambda work: open_period(work, FIRST + 2 * WEEK))


def test_while_weeks_are_closed_everybody_works_on(payroll: Payroll) -> None:
    """Signs, completes, voids, takes back, sets rates: whichever comes first, in the end every session has come to what
    it deserves, and no two waited for one another."""
    practice, week = payroll.practice, FIRST
    admins = [practice.add("admin") for _ in range(2)]
    for turn in range(4):
        end = payroll.books.cut_off(week)
        begins = payroll.books.midnight(week + DAY) + 6 * HOUR
        paid = [payroll.met(begins + number * HOUR) for number in range(6)]
        drafts = [payroll.held(begins + (6 + number) * HOUR) for number in range(3)]
        booked = [payroll.held(begins + (9 + number) * HOUR, status="SCHEDULED", status_at=None) for number in range(3)]
        notes = [write_note(practice, payroll.clinician, one, now=begins + 20 * HOUR) for one in (*drafts, *booked)]
        old = [line.session_id for line in payroll.books.lines if line.kind in ("regular", "late")]
        now = end if turn % 2 else end + HOUR
        close: Verb = lambda work, week=week: close_period(work, week) and None  # noqa: E731
        busy: list[tuple[Any, ...]] = [(close, admins[0]), (close, admins[1])]
        for one in (paid[0], drafts[0]):
            busy.append((lambda work, one=one: void_completion(work, Scope.ALL, one, "No") and None, None))
        for one in old[:2]:
            busy.append((lambda work, one=one: take_back(work, one, "No") and None, admins[1]))
        busy.append(
            (lambda work, cents=8001 + turn: set_pay_rate(work, payroll.clinician.staff_id, cents, None) and None, None)
        )
        busy.append((lambda work, one=paid[1]: complete_session(work, one) and None, None))
        for one in booked[:2]:
            busy.append((lambda work, one=one: completed(work, one), admins[0]))
        # Those who sign were in time: they began before the cut-off, and are done after whoever closes has begun.
        in_time = end - HOUR
        signing = [(lambda work, one=one: sign_note(work, one) and None, payroll.clinician, in_time) for one in notes]
        at_once(practice, now, *signing, *busy)
        week += WEEK
    for _ in range(3):
        payroll.close(week)
        week += WEEK
    books = payroll.books
    assert books.paid_cents() == books.final_cents(books.cut_off(week))
    assert len({line.session_id for line in books.lines if line.kind in ("regular", "late")}) >= 30


def completed(work: Work, appointment: Any) -> None:
    life.complete(work, appointment, Scope.ALL)
    complete_session(work, appointment)
