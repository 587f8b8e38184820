"""Corrections of sessions and pay: what was undone, voided or restored counts from the moment it was known."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from practice.payroll.completions import restore_completion, void_completion
from practice.security.permissions import Scope
from practice.sessions.corrections import revert_appointment
from tests.support.drivers.booking import DAY, HOUR, SECOND
from tests.support.drivers.payroll import (
    CUT_OFF,
    LAST_WEEK,
    NEXT_CUT_OFF,
    SESSION_START,
    WEEK,
    PayrollScenario,
    list_lines,
)


def undo(payroll: PayrollScenario, session: UUID, at: datetime) -> None:
    with payroll.practice.work(now=at) as work:
        revert_appointment(work, Scope.ALL, session, "COMPLETED", "A mistake")


def void(payroll: PayrollScenario, session: UUID, at: datetime) -> None:
    with payroll.practice.work(now=at) as work:
        void_completion(work, Scope.ALL, session, "A mistake")


def restore(payroll: PayrollScenario, session: UUID, at: datetime) -> None:
    with payroll.practice.work(now=at) as work:
        restore_completion(work, Scope.ALL, session, "It took place")


def test_a_preview_of_the_past_knows_what_was_not_undone_yet(payroll: PayrollScenario) -> None:
    undone, voided = payroll.add_session(), payroll.add_session(SESSION_START + DAY)
    undo(payroll, undone, CUT_OFF - 3 * HOUR)
    void(payroll, voided, CUT_OFF - 3 * HOUR)
    restore(payroll, voided, CUT_OFF - HOUR)
    expected = {
        CUT_OFF - 3 * HOUR - SECOND: {undone, voided},
        CUT_OFF - 3 * HOUR: set(),
        CUT_OFF - HOUR - SECOND: set(),
        CUT_OFF - HOUR: {voided},
    }
    for as_of, sessions in expected.items():
        week = payroll.preview_week(LAST_WEEK, CUT_OFF, as_of=as_of)
        assert {line.appointment_id for line in week.lines} == sessions, as_of
    assert list_lines(payroll.close_week(LAST_WEEK, CUT_OFF)) == [("regular", voided, 6050)]
    for as_of, sessions in expected.items():
        week = payroll.preview_week(LAST_WEEK, CUT_OFF + HOUR, as_of=as_of)
        assert {line.appointment_id for line in week.lines} == sessions, as_of


@pytest.mark.parametrize("signed", [True, False])
def test_a_session_restored_after_its_week_was_closed_is_paid_late(payroll: PayrollScenario, signed: bool) -> None:
    session = payroll.add_session(signed=signed)
    void(payroll, session, CUT_OFF - HOUR)
    assert list_lines(payroll.close_week(LAST_WEEK, CUT_OFF)) == []
    payroll.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    restore(payroll, session, NEXT_CUT_OFF + DAY)
    if not signed:
        payroll.sign(session, NEXT_CUT_OFF + 2 * DAY)
    week = payroll.close_week(LAST_WEEK + 2 * WEEK, NEXT_CUT_OFF + WEEK)
    assert list_lines(week) == [("late", session, 6050)]
    assert list_lines(payroll.close_week(LAST_WEEK + 3 * WEEK, NEXT_CUT_OFF + 2 * WEEK)) == []


def test_a_seat_taken_back_leaves_its_group(payroll: PayrollScenario) -> None:
    _, seats = payroll.add_group(seats=2)
    payroll.sign(seats[0], SESSION_START + 2 * HOUR)
    undo(payroll, seats[1], CUT_OFF - HOUR)  # its note is missing, but it did not take place
    week = payroll.close_week(LAST_WEEK, CUT_OFF)
    assert list_lines(week) == [("regular", seats[0], 13613)]


def test_a_correction_only_stays(payroll: PayrollScenario) -> None:
    session = payroll.add_session()
    void(payroll, session, CUT_OFF)
    restore(payroll, session, CUT_OFF + timedelta(hours=1))
    with payroll.practice.installation.store.open_owner_connection("owner") as db:
        db.execute(text("select set_config('app.tenant_id', :id, false)"), {"id": str(payroll.practice.id)})
        for change in ("undone = 'VOID'", "at = at", "since = since", "void_reason = 'Another'"):
            with pytest.raises(DBAPIError, match="never changed or removed"):
                db.execute(text(f"update session_corrections set {change}"))
            db.rollback()
            db.execute(text("select set_config('app.tenant_id', :id, false)"), {"id": str(payroll.practice.id)})
        with pytest.raises(DBAPIError, match="never changed or removed"):
            db.execute(text("delete from session_corrections"))
