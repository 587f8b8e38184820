"""Corrections of closed weeks: only by adjustments in the next week; and changes that do not affect pay."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import text

from practice.clinical.deadlines.locking import unlock_session
from practice.clinical.errors import NoteSigned
from practice.clinical.models.notes import Note
from practice.clinical.notes.amendments import amend_note
from practice.clinical.notes.signing import sign_note
from practice.payroll.completions import (
    SessionNotPaid,
    SessionPaid,
    SessionVoided,
    get_or_create_completion,
    void_completion,
)
from practice.payroll.rates import set_multiplier
from practice.security.permissions import Scope
from tests.support.builders.sessions import PROGRESS, write_note
from tests.support.drivers.payroll import (
    CUT_OFF,
    DAY,
    HOUR,
    LAST_WEEK,
    NEXT_CUT_OFF,
    SECOND,
    SESSION_START,
    WEEK,
    PayrollScenario,
    list_lines,
)


def test_a_rate_that_changes_what_was_paid_is_an_adjustment(payroll: PayrollScenario) -> None:
    session = payroll.add_session()
    payroll.close_week(LAST_WEEK, CUT_OFF)
    payroll.set_rate(7000, CUT_OFF + HOUR, date(2026, 3, 10))
    pay_week = payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    assert list_lines(pay_week) == [("adjustment", session, 950)]
    assert (pay_week.lines[0].rate_cents, pay_week.lines[0].reason) == (7000, "RATE_CHANGED")
    assert payroll.preview_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + DAY).lines == []
    payroll.set_rate(6000, NEXT_CUT_OFF + DAY, date(2026, 3, 10))
    assert list_lines(payroll.preview_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + 2 * DAY)) == [
        ("adjustment", session, -1000)
    ]


def test_a_multiplier_that_changes_what_was_paid_is_an_adjustment(payroll: PayrollScenario) -> None:
    session = payroll.add_session()
    payroll.close_week(LAST_WEEK, CUT_OFF)
    with payroll.practice.work(now=CUT_OFF + HOUR) as work:
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal("1.3"), effective_on=date(2026, 3, 10))
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal(3), effective_on=date(2026, 3, 11))
        set_multiplier(work, kind="GROUP", multiplier=Decimal(3), effective_on=date(2026, 3, 1))
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("adjustment", session, 1815)]
    with payroll.practice.work(now=NEXT_CUT_OFF + HOUR) as work:
        set_multiplier(
            work,
            kind="INDIVIDUAL",
            multiplier=Decimal("1.3"),
            effective_on=date(2026, 3, 9),
            staff_id=payroll.clinician.staff_id,
        )
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal(2), effective_on=date(2026, 3, 10))
    # The clinician's own multiplier overrides the practice's.
    assert payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK).lines == []


def test_a_rate_that_was_set_during_the_closing_is_an_adjustment(payroll: PayrollScenario) -> None:
    session = payroll.add_session(SESSION_START - WEEK)
    payroll.close_week(LAST_WEEK - WEEK, CUT_OFF)
    payroll.close_week(LAST_WEEK, CUT_OFF + HOUR)
    payroll.set_rate(7000, CUT_OFF + HOUR - 2 * SECOND, date(2026, 3, 1))  # its transaction ended after the closing
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("adjustment", session, 950)]


def test_a_reversed_session_is_deducted_from_the_next_week(payroll: PayrollScenario) -> None:
    session, other = payroll.add_session(), payroll.add_session(SESSION_START + HOUR)
    with pytest.raises(SessionNotPaid):
        payroll.reverse(session, CUT_OFF)
    before = payroll.close_week(LAST_WEEK, CUT_OFF)
    with pytest.raises(SessionPaid), payroll.practice.work(now=CUT_OFF) as work:
        void_completion(work, Scope.ALL, session, "Twice")
    payroll.reverse(session, CUT_OFF + HOUR)
    with pytest.raises(SessionVoided):
        payroll.reverse(session, CUT_OFF + HOUR)
    payroll.set_rate(7000, CUT_OFF + 2 * HOUR, date(2026, 3, 1))
    pay_week = payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    assert list_lines(pay_week) == [("adjustment", session, -6050), ("adjustment", other, 950)]
    assert pay_week.lines[0].reason == "VOIDED"
    assert payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK).lines == []
    assert payroll.preview_week(LAST_WEEK, NEXT_CUT_OFF) == before


def test_a_reversal_by_mistake_is_undone(payroll: PayrollScenario) -> None:
    first, second = payroll.add_session(), payroll.add_session(SESSION_START + HOUR)
    payroll.close_week(LAST_WEEK, CUT_OFF)
    for session in (first, second):
        payroll.reverse(session, CUT_OFF + HOUR)
    payroll.restore(first, CUT_OFF + 2 * HOUR)  # before the next week is closed, which then corrects nothing
    assert list_lines(payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)) == [("adjustment", second, -6050)]
    payroll.restore(second, NEXT_CUT_OFF + HOUR)
    pay_week = payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK)
    assert [(line.appointment_id, line.amount_cents, line.reason) for line in pay_week.lines] == [
        (second, 6050, "COUNTS_AGAIN")
    ]


def test_a_changed_service_does_not_change_completed_or_paid_sessions(payroll: PayrollScenario) -> None:
    imported, completed, pending = (payroll.add_session(SESSION_START + at * HOUR, signed=at == 0) for at in range(3))
    for session in (completed, pending):
        with payroll.practice.work(now=CUT_OFF) as work:
            assert get_or_create_completion(work, Scope.ALL, session).minutes == 60
    before = payroll.close_week(LAST_WEEK, CUT_OFF)
    with payroll.practice.installation.store.begin_session(payroll.practice.id) as db:
        db.execute(
            text("update services set minutes = 30, kind = 'INTAKE' where id = :id"), {"id": payroll.sessions.service}
        )
    assert payroll.preview_week(LAST_WEEK, CUT_OFF) == before
    payroll.sign(completed, CUT_OFF + HOUR)
    payroll.set_rate(7000, CUT_OFF + HOUR, date(2026, 3, 1))
    pay_week = payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    assert list_lines(pay_week) == [("late", completed, 7000), ("adjustment", imported, 950)]
    assert [(line.appointment_id, line.amount_cents) for line in pay_week.pending] == [(pending, 7000)]


def test_amending_and_unlocking_do_not_change_pay(payroll: PayrollScenario) -> None:
    session, pending = payroll.add_session(signed=False), payroll.add_session(SESSION_START + HOUR, signed=False)
    note = write_and_sign(payroll, session, SESSION_START + 2 * HOUR)
    assert list_lines(payroll.close_week(LAST_WEEK, CUT_OFF)) == [("regular", session, 6050)]
    later = CUT_OFF + HOUR
    with payroll.practice.work(payroll.clinician, later) as work:
        version = work.db.get_one(Note, (payroll.practice.id, note)).version
        amend_note(work, note, version, sections=PROGRESS | {"focus": "Else"}, reason="Something was left out")
    with payroll.practice.work(now=later) as work, pytest.raises(NoteSigned):
        unlock_session(work, Scope.ALL, session, "Please")
    with payroll.practice.work(now=later) as work:
        unlock_session(work, Scope.ALL, pending, "Was ill")
    pay_week = payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    assert (pay_week.lines, [line.appointment_id for line in pay_week.pending]) == ([], [pending])
    with payroll.practice.work(now=NEXT_CUT_OFF) as work:
        unlock_session(work, Scope.ALL, pending, "Was ill again", hours=24)
    write_and_sign(payroll, pending, NEXT_CUT_OFF + HOUR)
    assert list_lines(payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK)) == [("late", pending, 6050)]


def write_and_sign(payroll: PayrollScenario, session: UUID, at: datetime) -> UUID:
    note = write_note(payroll.practice, payroll.clinician, session, now=at)
    with payroll.practice.work(payroll.clinician, at) as work:
        return sign_note(work, note).id
