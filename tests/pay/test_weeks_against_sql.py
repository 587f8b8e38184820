"""Closed weeks, by whatever is sent to the database: they do not change, and nothing is paid twice."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from practice.pay.periods import open_period
from practice.security.installation import Installation
from tests.support.office import CUT_OFF, HOUR, LAST, NEXT_CUT_OFF, WEEK, Office
from tests.support.people import make_practice

COPIED = """tenant_id, gen_random_uuid(), {period}, staff_id, {session}, appointment_id, 'late', reason, service_kind,
    held_on, minutes, multiplier, rate_cents, amount_cents"""
WRITES = [
    "update pay_lines set amount_cents = 1",
    "delete from pay_lines",
    "update pay_periods set problems = '{}'",
    "update pay_periods set closed_at = null",
    "delete from pay_periods",
    f"insert into pay_lines select {COPIED.format(session='gen_random_uuid()', period='period_id')} from pay_lines",
    "truncate pay_lines",
    "truncate pay_periods cascade",
]


@pytest.mark.parametrize("statement", WRITES)
@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_closed_week_does_not_change_by_whatever_is_sent(office: Office, role: str, statement: str) -> None:
    office.held()
    office.close(LAST, CUT_OFF)
    before = office.rows("pay_lines"), office.rows("pay_periods")
    store = office.practice.house.store
    if role == "app":
        with pytest.raises(DBAPIError), store.session_in(office.practice.id) as db:
            db.execute(text(statement))
    else:
        with store.owner_connection() as connection:
            connection.execute(text("select enter_practice(:id)"), {"id": office.practice.id})
            with pytest.raises(DBAPIError):
                connection.execute(text(statement))
    assert (office.rows("pay_lines"), office.rows("pay_periods")) == before


def test_a_session_is_not_paid_twice_by_whatever_is_sent(office: Office) -> None:
    office.held()
    office.close(LAST, CUT_OFF)
    with office.practice.work(now=CUT_OFF) as work:
        open_period(work, LAST + WEEK)
    period = "(select id from pay_periods where closed_at is null)"
    again = f"insert into pay_lines select {COPIED.format(session='session_id', period=period)} from pay_lines"
    with pytest.raises(DBAPIError, match="paid_once"), office.practice.house.store.session_in(office.practice.id) as db:
        db.execute(text(again))


def test_weeks_of_one_practice_are_none_of_another_s(house: Installation, office: Office) -> None:
    office.held()
    office.close(LAST, CUT_OFF)
    other = Office(make_practice(house))
    assert other.preview(LAST, CUT_OFF + HOUR).status == "OPEN"
    assert other.close(LAST + WEEK, NEXT_CUT_OFF).lines == []
