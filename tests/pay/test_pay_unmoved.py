"""What changes nothing of what closed weeks have paid and the next one pays, and what was voided before it."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import update

from practice.notes.amending import amend_note
from practice.notes.locking import NoteSigned, unlock_session
from practice.notes.models import Note
from practice.pay.completions import void_completion
from practice.scheduling.booking_models import GroupSession
from practice.scheduling.models import Service
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.store.ids import new_id
from tests.support.payroll import Payroll, amounts, days_after, standing_by
from tests.support.people import make_practice
from tests.support.schedule import put
from tests.support.sessions import HOUR, PROGRESS
from tests.support.slow_close import DAY, WEEK

FIRST, SECOND_WEEK, THIRD = date(2026, 4, 5), date(2026, 4, 12), date(2026, 4, 19)


@pytest.fixture
def payroll(house: Installation) -> Payroll:
    return Payroll(make_practice(house, now=datetime(2025, 10, 1, 12, tzinfo=UTC)))


def on(payroll: Payroll, week: date, day: int, hour: float = 10) -> datetime:
    return days_after(week, day, payroll.books, hour)


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


def test_a_group_that_was_paid_nothing_and_given_up_is_paid_once_it_counts_again(payroll: Payroll) -> None:
    """No adjustment says that it was given up, for there was nothing to take back."""
    payroll.set_rate(payroll.clinician, 0, FIRST)
    at = on(payroll, FIRST, 2)
    group = GroupSession(id=new_id(), clinician_id=payroll.clinician.staff_id, service_id=payroll.service, starts_at=at)
    group.ends_at, group_id = at + HOUR, group.id
    put(payroll.practice, group)
    first = payroll.met(at, group_session_id=group_id)
    assert amounts(payroll.close(FIRST)) == [("regular", group_id, 0)]
    second = payroll.held(at, group_session_id=group_id, status_at=on(payroll, SECOND_WEEK, 2))
    payroll.take_back(first, on(payroll, SECOND_WEEK, 3))
    payroll.set_rate(payroll.clinician, 9000, FIRST, on(payroll, SECOND_WEEK, 4))
    assert payroll.close(SECOND_WEEK).lines == []
    assert payroll.close(THIRD).lines == []
    payroll.note(second, signed_at=on(payroll, THIRD, 9), created_at=on(payroll, THIRD, 9))
    assert amounts(payroll.close(THIRD + WEEK)) == [("adjustment", group_id, 9000)]
