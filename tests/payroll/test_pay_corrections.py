"""What closed weeks paid is corrected by the next one, and by nothing else; what changes nothing of it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from practice.clinical.deadlines.locking import unlock_session
from practice.clinical.errors import NoteSigned
from practice.clinical.models.notes import Note
from practice.clinical.notes.amendments import amend_note
from practice.clinical.notes.signing import sign_note
from practice.payroll.completions import SessionNotPaid, SessionPaid, SessionVoided, complete_session, void_completion
from practice.payroll.rates import set_multiplier
from practice.security.permissions import Scope
from tests.support.builders.sessions import PROGRESS, write_note
from tests.support.drivers.payroll import (
    CUT_OFF,
    DAY,
    HELD,
    HOUR,
    LAST,
    NEXT_CUT_OFF,
    SECOND,
    WEEK,
    PayrollScenario,
    told,
)


def test_a_rate_that_changes_what_was_paid_is_an_adjustment(payroll: PayrollScenario) -> None:
    one = payroll.held()
    payroll.close(LAST, CUT_OFF)
    payroll.set_rate(7000, CUT_OFF + HOUR, date(2026, 3, 10))
    found = payroll.close(LAST + WEEK, NEXT_CUT_OFF)
    assert told(found) == [("adjustment", one, 950)]
    assert (found.lines[0].rate_cents, found.lines[0].reason) == (7000, "RATE_CHANGED")
    assert payroll.preview(LAST + 2 * WEEK, NEXT_CUT_OFF + DAY).lines == []
    payroll.set_rate(6000, NEXT_CUT_OFF + DAY, date(2026, 3, 10))
    assert told(payroll.preview(LAST + 2 * WEEK, NEXT_CUT_OFF + 2 * DAY)) == [("adjustment", one, -1000)]


def test_a_multiplier_too_and_one_that_changes_nothing_is_none(payroll: PayrollScenario) -> None:
    one = payroll.held()
    payroll.close(LAST, CUT_OFF)
    with payroll.practice.work(now=CUT_OFF + HOUR) as work:
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal("1.3"), effective_on=date(2026, 3, 10))
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal(3), effective_on=date(2026, 3, 11))
        set_multiplier(work, kind="GROUP", multiplier=Decimal(3), effective_on=date(2026, 3, 1))
    assert told(payroll.close(LAST + WEEK, NEXT_CUT_OFF)) == [("adjustment", one, 1815)]
    own: dict[str, Any] = {
        "kind": "INDIVIDUAL",
        "effective_on": date(2026, 3, 9),
        "staff_id": payroll.clinician.staff_id,
    }
    with payroll.practice.work(now=NEXT_CUT_OFF + HOUR) as work:
        set_multiplier(work, multiplier=Decimal("1.3"), **own)
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal(2), effective_on=date(2026, 3, 10))
    assert payroll.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK).lines == []  # for one's own comes before the practice's


def test_a_rate_that_was_set_while_the_week_was_closed_is_not_overlooked(payroll: PayrollScenario) -> None:
    one = payroll.held(HELD - WEEK)
    payroll.close(LAST - WEEK, CUT_OFF)
    payroll.close(LAST, CUT_OFF + HOUR)
    payroll.set_rate(7000, CUT_OFF + HOUR - 2 * SECOND, date(2026, 3, 1))  # its transaction ended after the closing
    assert told(payroll.close(LAST + WEEK, NEXT_CUT_OFF)) == [("adjustment", one, 950)]


def test_what_is_taken_back_is_taken_from_the_next_week(payroll: PayrollScenario) -> None:
    one, other = payroll.held(), payroll.held(HELD + HOUR)
    with pytest.raises(SessionNotPaid):
        payroll.take_back(one, CUT_OFF)
    before = payroll.close(LAST, CUT_OFF)
    with pytest.raises(SessionPaid), payroll.practice.work(now=CUT_OFF) as work:
        void_completion(work, Scope.ALL, one, "Twice")
    payroll.take_back(one, CUT_OFF + HOUR)
    with pytest.raises(SessionVoided):
        payroll.take_back(one, CUT_OFF + HOUR)
    payroll.set_rate(7000, CUT_OFF + 2 * HOUR, date(2026, 3, 1))
    found = payroll.close(LAST + WEEK, NEXT_CUT_OFF)
    assert told(found) == [("adjustment", one, -6050), ("adjustment", other, 950)]
    assert found.lines[0].reason == "VOIDED"
    assert payroll.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK).lines == []
    assert payroll.preview(LAST, NEXT_CUT_OFF) == before


def test_kind_and_minutes_are_as_paid(payroll: PayrollScenario) -> None:
    """A service that is longer from today on was not longer when it was paid; nor is what a completion has fixed."""
    imported, fixed, waits = (payroll.held(HELD + at * HOUR, signed=at == 0) for at in range(3))
    for one in (fixed, waits):
        with payroll.practice.work(now=CUT_OFF) as work:
            assert complete_session(work, one).minutes == 60
    before = payroll.close(LAST, CUT_OFF)
    with payroll.practice.installation.store.session_in(payroll.practice.id) as db:
        db.execute(
            text("update services set minutes = 30, kind = 'INTAKE' where id = :id"), {"id": payroll.sessions.service}
        )
    assert payroll.preview(LAST, CUT_OFF) == before
    payroll.sign(fixed, CUT_OFF + HOUR)
    payroll.set_rate(7000, CUT_OFF + HOUR, date(2026, 3, 1))
    found = payroll.close(LAST + WEEK, NEXT_CUT_OFF)
    assert told(found) == [("late", fixed, 7000), ("adjustment", imported, 950)]
    assert [(line.appointment_id, line.amount_cents) for line in found.standby] == [(waits, 7000)]


def test_amending_and_unlocking_change_nothing_of_pay(payroll: PayrollScenario) -> None:
    session, waits = payroll.held(signed=False), payroll.held(HELD + HOUR, signed=False)
    note = write_up(payroll, session, HELD + 2 * HOUR)
    assert told(payroll.close(LAST, CUT_OFF)) == [("regular", session, 6050)]
    later = CUT_OFF + HOUR
    with payroll.practice.work(payroll.clinician, later) as work:
        version = work.db.get_one(Note, (payroll.practice.id, note)).version
        amend_note(work, note, version, sections=PROGRESS | {"focus": "Else"}, reason="Something was left out")
    with payroll.practice.work(now=later) as work, pytest.raises(NoteSigned):
        unlock_session(work, Scope.ALL, session, "Please")
    with payroll.practice.work(now=later) as work:
        unlock_session(work, Scope.ALL, waits, "Was ill")
    found = payroll.close(LAST + WEEK, NEXT_CUT_OFF)
    assert (found.lines, [line.appointment_id for line in found.standby]) == ([], [waits])
    with payroll.practice.work(now=NEXT_CUT_OFF) as work:
        unlock_session(work, Scope.ALL, waits, "Was ill again", hours=24)
    write_up(payroll, waits, NEXT_CUT_OFF + HOUR)
    assert told(payroll.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK)) == [("late", waits, 6050)]


def write_up(payroll: PayrollScenario, session: UUID, at: datetime) -> UUID:
    note = write_note(payroll.practice, payroll.clinician, session, now=at)
    with payroll.practice.work(payroll.clinician, at) as work:
        return sign_note(work, note).id
