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
from tests.support.drivers.payroll import CUT_OFF, DAY, HELD, HOUR, LAST, NEXT_CUT_OFF, SECOND, WEEK, Office, told


def test_a_rate_that_changes_what_was_paid_is_an_adjustment(office: Office) -> None:
    one = office.held()
    office.close(LAST, CUT_OFF)
    office.set_rate(7000, CUT_OFF + HOUR, date(2026, 3, 10))
    found = office.close(LAST + WEEK, NEXT_CUT_OFF)
    assert told(found) == [("adjustment", one, 950)]
    assert (found.lines[0].rate_cents, found.lines[0].reason) == (7000, "RATE_CHANGED")
    assert office.preview(LAST + 2 * WEEK, NEXT_CUT_OFF + DAY).lines == []
    office.set_rate(6000, NEXT_CUT_OFF + DAY, date(2026, 3, 10))
    assert told(office.preview(LAST + 2 * WEEK, NEXT_CUT_OFF + 2 * DAY)) == [("adjustment", one, -1000)]


def test_a_multiplier_too_and_one_that_changes_nothing_is_none(office: Office) -> None:
    one = office.held()
    office.close(LAST, CUT_OFF)
    with office.practice.work(now=CUT_OFF + HOUR) as work:
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal("1.3"), effective_on=date(2026, 3, 10))
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal(3), effective_on=date(2026, 3, 11))
        set_multiplier(work, kind="GROUP", multiplier=Decimal(3), effective_on=date(2026, 3, 1))
    assert told(office.close(LAST + WEEK, NEXT_CUT_OFF)) == [("adjustment", one, 1815)]
    own: dict[str, Any] = {
        "kind": "INDIVIDUAL",
        "effective_on": date(2026, 3, 9),
        "staff_id": office.clinician.staff_id,
    }
    with office.practice.work(now=NEXT_CUT_OFF + HOUR) as work:
        set_multiplier(work, multiplier=Decimal("1.3"), **own)
        set_multiplier(work, kind="INDIVIDUAL", multiplier=Decimal(2), effective_on=date(2026, 3, 10))
    assert office.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK).lines == []  # for one's own comes before the practice's


def test_a_rate_that_was_set_while_the_week_was_closed_is_not_overlooked(office: Office) -> None:
    one = office.held(HELD - WEEK)
    office.close(LAST - WEEK, CUT_OFF)
    office.close(LAST, CUT_OFF + HOUR)
    office.set_rate(7000, CUT_OFF + HOUR - 2 * SECOND, date(2026, 3, 1))  # its transaction ended after the closing
    assert told(office.close(LAST + WEEK, NEXT_CUT_OFF)) == [("adjustment", one, 950)]


def test_what_is_taken_back_is_taken_from_the_next_week(office: Office) -> None:
    one, other = office.held(), office.held(HELD + HOUR)
    with pytest.raises(SessionNotPaid):
        office.take_back(one, CUT_OFF)
    before = office.close(LAST, CUT_OFF)
    with pytest.raises(SessionPaid), office.practice.work(now=CUT_OFF) as work:
        void_completion(work, Scope.ALL, one, "Twice")
    office.take_back(one, CUT_OFF + HOUR)
    with pytest.raises(SessionVoided):
        office.take_back(one, CUT_OFF + HOUR)
    office.set_rate(7000, CUT_OFF + 2 * HOUR, date(2026, 3, 1))
    found = office.close(LAST + WEEK, NEXT_CUT_OFF)
    assert told(found) == [("adjustment", one, -6050), ("adjustment", other, 950)]
    assert found.lines[0].reason == "VOIDED"
    assert office.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK).lines == []
    assert office.preview(LAST, NEXT_CUT_OFF) == before


def test_kind_and_minutes_are_as_paid(office: Office) -> None:
    """A service that is longer from today on was not longer when it was paid; nor is what a completion has fixed."""
    imported, fixed, waits = (office.held(HELD + at * HOUR, signed=at == 0) for at in range(3))
    for one in (fixed, waits):
        with office.practice.work(now=CUT_OFF) as work:
            assert complete_session(work, one).minutes == 60
    before = office.close(LAST, CUT_OFF)
    with office.practice.house.store.session_in(office.practice.id) as db:
        db.execute(
            text("update services set minutes = 30, kind = 'INTAKE' where id = :id"), {"id": office.sessions.service}
        )
    assert office.preview(LAST, CUT_OFF) == before
    office.sign(fixed, CUT_OFF + HOUR)
    office.set_rate(7000, CUT_OFF + HOUR, date(2026, 3, 1))
    found = office.close(LAST + WEEK, NEXT_CUT_OFF)
    assert told(found) == [("late", fixed, 7000), ("adjustment", imported, 950)]
    assert [(line.appointment_id, line.amount_cents) for line in found.standby] == [(waits, 7000)]


def test_amending_and_unlocking_change_nothing_of_pay(office: Office) -> None:
    session, waits = office.held(signed=False), office.held(HELD + HOUR, signed=False)
    note = write_up(office, session, HELD + 2 * HOUR)
    assert told(office.close(LAST, CUT_OFF)) == [("regular", session, 6050)]
    later = CUT_OFF + HOUR
    with office.practice.work(office.clinician, later) as work:
        version = work.db.get_one(Note, (office.practice.id, note)).version
        amend_note(work, note, version, sections=PROGRESS | {"focus": "Else"}, reason="Something was left out")
    with office.practice.work(now=later) as work, pytest.raises(NoteSigned):
        unlock_session(work, Scope.ALL, session, "Please")
    with office.practice.work(now=later) as work:
        unlock_session(work, Scope.ALL, waits, "Was ill")
    found = office.close(LAST + WEEK, NEXT_CUT_OFF)
    assert (found.lines, [line.appointment_id for line in found.standby]) == ([], [waits])
    with office.practice.work(now=NEXT_CUT_OFF) as work:
        unlock_session(work, Scope.ALL, waits, "Was ill again", hours=24)
    write_up(office, waits, NEXT_CUT_OFF + HOUR)
    assert told(office.close(LAST + 2 * WEEK, NEXT_CUT_OFF + WEEK)) == [("late", waits, 6050)]


def write_up(office: Office, session: UUID, at: datetime) -> UUID:
    note = write_note(office.practice, office.clinician, session, now=at)
    with office.practice.work(office.clinician, at) as work:
        return sign_note(work, note).id
