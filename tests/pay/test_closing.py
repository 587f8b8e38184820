"""Weeks are closed in order, once, after their cut-off; what comes later is paid late, or corrected by the next."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from practice.notes.amending import amend_note
from practice.notes.locking import NoteSigned, unlock_session
from practice.notes.models import Note
from practice.pay.completions import SessionPaid, SessionVoided, complete_session, void_completion
from practice.pay.lines import rate_problem
from practice.pay.periods import BeforePayBegan, CutOffAhead, OutOfOrder
from practice.pay.rates import set_multiplier
from practice.people.service import deactivate_staff
from practice.scheduling.booking_models import Appointment
from practice.scheduling.models import Service
from practice.security.installation import Installation
from practice.security.permissions import Scope
from tests.support.payroll import Payroll, amounts, days_after, standing_by
from tests.support.people import make_practice
from tests.support.sessions import HOUR, PROGRESS
from tests.support.slow_close import DAY, WEEK

FIRST, SECOND_WEEK, THIRD = date(2026, 4, 5), date(2026, 4, 12), date(2026, 4, 19)
SECOND = timedelta(seconds=1)


@pytest.fixture
def payroll(house: Installation) -> Payroll:
    return Payroll(make_practice(house, now=datetime(2025, 10, 1, 12, tzinfo=UTC)))


def on(payroll: Payroll, week: date, day: int, hour: float = 10) -> datetime:
    return days_after(week, day, payroll.books, hour)


def test_a_week_is_closed_from_its_cut_off_on(payroll: Payroll) -> None:
    payroll.met(on(payroll, FIRST, 2))
    end = payroll.books.cut_off(FIRST)
    payroll.open(FIRST, end - 5 * DAY)
    before = payroll.books.rows
    with pytest.raises(CutOffAhead, match="2026-04-13 00:00"):
        payroll.close(FIRST, end - SECOND)
    assert payroll.books.rows == before
    assert payroll.close(FIRST, end).closed_at == end


def test_weeks_are_closed_in_their_order(payroll: Payroll) -> None:
    payroll.met(on(payroll, SECOND_WEEK, 2))
    late = payroll.books.cut_off(THIRD) + DAY
    payroll.open(FIRST, late)
    before = payroll.books.rows
    for week in (SECOND_WEEK, THIRD):
        with pytest.raises(OutOfOrder, match=str(FIRST)):
            payroll.close(week, late)
    with pytest.raises(BeforePayBegan):
        payroll.close(FIRST - WEEK, late)
    assert payroll.books.rows == before
    assert [payroll.close(week, late).status for week in (FIRST, SECOND_WEEK, THIRD)] == ["CLOSED"] * 3


def test_closing_again_answers_the_same_and_does_nothing(payroll: Payroll) -> None:
    paid, waits = payroll.met(on(payroll, FIRST, 2)), payroll.held(on(payroll, FIRST, 3))
    first = payroll.close(FIRST)
    assert (amounts(first), standing_by(first)) == ([("regular", paid, 8000)], [(waits, 8000)])
    before = payroll.books.rows
    later = payroll.books.cut_off(FIRST) + 3 * DAY
    assert payroll.close(FIRST, later) == first
    assert payroll.preview(FIRST, later) == first
    assert payroll.books.rows == before
    payroll.close(SECOND_WEEK)
    assert payroll.close(FIRST) == first


@pytest.mark.parametrize(("week", "hours"), [(date(2026, 3, 8), 167), (date(2025, 11, 2), 169), (FIRST, 168)])
def test_weeks_are_as_long_as_the_clock_on_the_wall_makes_them(payroll: Payroll, week: date, hours: int) -> None:
    books = payroll.books
    begins, ends, end = books.midnight(week), books.midnight(week + WEEK), books.cut_off(week)
    assert ends - begins == hours * HOUR
    before = payroll.met(begins - SECOND, signed_at=begins + HOUR)
    first = payroll.met(begins, signed_at=end - SECOND)
    last = payroll.met(ends - SECOND, signed_at=end)
    payroll.met(ends)
    payroll.close(week - WEEK)
    assert before in {line.session_id for line in payroll.preview(week - WEEK, end).lines}
    found = payroll.close(week)
    assert (amounts(found), standing_by(found)) == ([("regular", first, 8000)], [(last, 8000)])
    assert ("late", last, 8000) in amounts(payroll.close(week + WEEK))


def test_who_has_left_is_paid(payroll: Payroll) -> None:
    session = payroll.met(on(payroll, FIRST, 2))
    with payroll.practice.work(now=on(payroll, FIRST, 3)) as work:
        deactivate_staff(work, payroll.clinician.staff_id, FIRST + 3 * DAY)
    assert amounts(payroll.close(FIRST)) == [("regular", session, 8000)]


def test_without_a_rate_nothing_is_paid_until_there_is_one(payroll: Payroll) -> None:
    newcomer = payroll.practice.add("clinician")
    session = payroll.met(on(payroll, FIRST, 2), clinician=newcomer)
    waits = payroll.held(on(payroll, FIRST, 3), clinician=newcomer)
    for week in (FIRST, SECOND_WEEK):
        found = payroll.close(week)
        assert (found.lines, found.standby) == ([], [])
        assert found.problems == [rate_problem(str(newcomer.staff_id))]
    payroll.set_rate(newcomer, 6000, None, payroll.books.cut_off(SECOND_WEEK) + HOUR)
    third = payroll.close(THIRD)
    assert (amounts(third), standing_by(third)) == ([("late", session, 6000)], [(waits, 6000)])
    assert third.problems == []
    assert payroll.preview(SECOND_WEEK, payroll.books.cut_off(THIRD)).problems == found.problems
    assert amounts(payroll.close(THIRD + WEEK)) == []


def test_a_rate_put_right_is_an_adjustment_of_the_next_week_and_of_no_other(payroll: Payroll) -> None:
    first, second = payroll.met(on(payroll, FIRST, 1)), payroll.met(on(payroll, FIRST, 4))
    payroll.close(FIRST)
    payroll.set_rate(payroll.clinician, 8333, FIRST + 4 * DAY, payroll.books.cut_off(FIRST))
    (line,) = payroll.close(SECOND_WEEK).lines
    assert (line.kind, line.session_id, line.amount_cents, line.reason) == ("adjustment", second, 333, "RATE_CHANGED")
    assert payroll.close(THIRD).lines == []
    payroll.set_rate(payroll.clinician, 7001, None, payroll.books.cut_off(THIRD))
    payroll.set_rate(payroll.clinician, 7002, FIRST + 4 * DAY, payroll.books.cut_off(THIRD) + DAY)
    again = payroll.close(THIRD + WEEK)
    assert amounts(again) == [("adjustment", first, -999), ("adjustment", second, -1331)]
    assert payroll.close(THIRD + 2 * WEEK).lines == []


def test_a_multiplier_put_right_is_an_adjustment(payroll: Payroll) -> None:
    session = payroll.met(on(payroll, FIRST, 1))
    payroll.close(FIRST)
    with payroll.practice.work(now=on(payroll, SECOND_WEEK, 3)) as work:
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal("1.1"), effective_on=FIRST)
    assert amounts(payroll.close(SECOND_WEEK)) == [("adjustment", session, 800)]


def test_what_was_paid_is_taken_back_by_the_next_week(payroll: Payroll) -> None:
    session = payroll.met(on(payroll, FIRST, 1))
    payroll.close(FIRST)
    with payroll.practice.work() as work, pytest.raises(SessionPaid):
        void_completion(work, Scope.ALL, session, "A mistake")
    payroll.take_back(session, on(payroll, SECOND_WEEK, 3))
    with payroll.practice.work() as work, pytest.raises(SessionVoided):
        complete_session(work, session)
    payroll.set_rate(payroll.clinician, 9000, None, on(payroll, SECOND_WEEK, 4))
    (line,) = payroll.close(SECOND_WEEK).lines
    assert (line.kind, line.session_id, line.amount_cents, line.reason) == ("adjustment", session, -8000, "VOIDED")
    assert payroll.close(THIRD).lines == []


def test_a_voided_session_is_not_paid(payroll: Payroll) -> None:
    session, waits = payroll.met(on(payroll, FIRST, 1)), payroll.held(on(payroll, FIRST, 2))
    for one in (session, waits):
        with payroll.practice.work(now=on(payroll, FIRST, 3)) as work:
            void_completion(work, Scope.ALL, one, "A mistake")
    found = payroll.close(FIRST)
    assert (found.lines, found.standby) == ([], [])


def test_amending_and_unlocking_change_nothing_of_pay(payroll: Payroll) -> None:
    session, late = payroll.held(on(payroll, FIRST, 1)), payroll.held(on(payroll, FIRST, 2))
    note = payroll.sign(session, on(payroll, FIRST, 2))
    assert amounts(payroll.close(FIRST)) == [("regular", session, 8000)]
    later = payroll.books.cut_off(FIRST) + DAY
    with payroll.practice.work(payroll.clinician, later) as work:
        version = work.db.get_one(Note, (payroll.practice.id, note)).version
        amend_note(work, note, version, sections=PROGRESS, reason="Something was left out")
    with payroll.practice.work(now=later) as work, pytest.raises(NoteSigned):
        unlock_session(work, Scope.ALL, session, "Please")
    with payroll.practice.work(now=later) as work:
        unlock_session(work, Scope.ALL, late, "Was ill")
    found = payroll.close(SECOND_WEEK)
    assert (found.lines, standing_by(found)) == ([], [(late, 8000)])
    with payroll.practice.work(now=payroll.books.cut_off(SECOND_WEEK)) as work:
        unlock_session(work, Scope.ALL, late, "Was ill again", hours=24)
    payroll.sign(late, payroll.books.cut_off(SECOND_WEEK) + HOUR)
    assert amounts(payroll.close(THIRD)) == [("late", late, 8000)]


def test_a_group_is_paid_once_whoever_comes_later(payroll: Payroll) -> None:
    group, seats = payroll.group(on(payroll, FIRST, 2), 3)
    seats.sort(key=str)
    with payroll.practice.house.store.session_in(payroll.practice.id) as db:
        clients = {seat: db.get_one(Appointment, (payroll.practice.id, seat)).client_id for seat in seats}

    def complete(seat: object, at: datetime) -> None:
        with payroll.practice.house.store.session_in(payroll.practice.id) as db:
            mine = update(Appointment).where(Appointment.tenant_id == payroll.practice.id, Appointment.id == seat)
            db.execute(mine.values(status="COMPLETED", status_at=at))

    for seat in seats[1:]:
        complete(seat, on(payroll, FIRST, 2, 12))
        payroll.sign(seat, on(payroll, FIRST, 3), clients[seat])
    (line,) = payroll.close(FIRST).lines
    assert (line.kind, line.session_id, line.appointment_id, line.amount_cents) == ("regular", group, seats[1], 12000)
    complete(seats[0], on(payroll, SECOND_WEEK, 3))
    found = payroll.close(SECOND_WEEK)
    assert (found.lines, found.standby) == ([], [])
    for seat in seats[1:]:  # its two seats are taken back, one after the other
        payroll.take_back(seat, on(payroll, THIRD, 3))
    (line,) = payroll.close(THIRD).lines
    assert (line.appointment_id, line.amount_cents, line.reason) == (seats[1], -12000, "VOIDED")
    with payroll.practice.work(now=on(payroll, THIRD, 10)) as work:
        unlock_session(work, Scope.ALL, seats[0], "Was ill")
    payroll.sign(seats[0], on(payroll, THIRD, 10, 11), clients[seats[0]])
    (line,) = payroll.close(THIRD + WEEK).lines
    assert (line.appointment_id, line.amount_cents, line.reason) == (seats[1], 12000, "COUNTS_AGAIN")
    assert payroll.close(THIRD + 2 * WEEK).lines == []


def test_what_becomes_of_a_service_changes_nothing_of_its_completed_sessions(payroll: Payroll) -> None:
    counted, waits = payroll.met(on(payroll, FIRST, 1)), payroll.held(on(payroll, FIRST, 2))
    unpaid = payroll.met(on(payroll, FIRST, 3), signed_at=on(payroll, FIRST, 9))
    for one in (counted, waits, unpaid):
        payroll.count(one, on(payroll, FIRST, 4))
    first = payroll.close(FIRST)
    with payroll.practice.house.store.session_in(payroll.practice.id) as db:
        db.execute(update(Service).where(Service.tenant_id == payroll.practice.id).values(minutes=90, kind="INTAKE"))
    assert payroll.preview(FIRST, payroll.books.cut_off(FIRST)) == first
    found = payroll.close(SECOND_WEEK)
    assert (amounts(found), standing_by(found)) == ([("late", unpaid, 8000)], [(waits, 8000)])


def test_pay_begins_with_the_first_week(payroll: Payroll) -> None:
    """What lies before was paid elsewhere; what was only completed or signed since is paid here."""
    payroll.met(on(payroll, FIRST, 1))
    late, unsigned = (
        payroll.met(on(payroll, FIRST, 2), signed_at=on(payroll, FIRST, 9)),
        payroll.held(on(payroll, FIRST, 3)),
    )
    long_ago = payroll.met(on(payroll, FIRST - 8 * WEEK, 3), status_at=on(payroll, SECOND_WEEK, 3))
    found = payroll.close(SECOND_WEEK)
    assert sorted(amounts(found)) == sorted([("late", late, 8000), ("late", long_ago, 8000)])
    assert standing_by(found) == [(unsigned, 8000)]
    assert payroll.close(THIRD).lines == []


def test_what_is_completed_after_its_week_was_closed_is_paid_late(payroll: Payroll) -> None:
    payroll.close(FIRST)
    soon = payroll.met(on(payroll, FIRST, 6, 23), status_at=on(payroll, SECOND_WEEK, 2))
    old = payroll.met(on(payroll, FIRST, 1), status_at=payroll.books.cut_off(FIRST))
    for_the_third = payroll.met(on(payroll, FIRST, 1, 14), status_at=payroll.books.cut_off(SECOND_WEEK))
    assert amounts(payroll.close(SECOND_WEEK)) == [("late", old, 8000), ("late", soon, 8000)]
    assert amounts(payroll.close(THIRD)) == [("late", for_the_third, 8000)]


def test_what_was_written_while_a_week_was_closed_is_not_lost(payroll: Payroll) -> None:
    """Whoever began before the cut-off, and was done after the closing: completed, signed, a rate."""
    waits = payroll.held(on(payroll, FIRST, 1))
    end = payroll.books.cut_off(FIRST)
    paid = payroll.met(on(payroll, FIRST, 2))
    payroll.close(FIRST)
    payroll.note(waits, signed_at=end - SECOND, created_at=end - SECOND)
    old = payroll.met(on(payroll, FIRST - 2 * WEEK, 2), status_at=end - SECOND)
    new = payroll.met(on(payroll, FIRST, 3), status_at=end - SECOND)
    payroll.set_rate(payroll.clinician, 8100, FIRST + 2 * DAY, end - SECOND)
    found = sorted(amounts(payroll.close(SECOND_WEEK)))
    late = [("late", old, 8000), ("late", waits, 8000), ("late", new, 8100)]
    assert found == sorted([*late, ("adjustment", paid, 100)])
    assert payroll.close(THIRD).lines == []
