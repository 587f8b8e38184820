"""What a closed week paid cannot be changed by any way of writing: SQL by hand, as the service or as the owner of the
tables, past all verbs."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.drivers.payroll import CUT_OFF, HELD, HOUR, LAST, NEXT_CUT_OFF, WEEK, PayrollScenario

ROLES = pytest.mark.parametrize("role", ["app", "owner"])
REFUSED = r"never changed or removed|permission denied|must be owner|cannot truncate a table referenced"


class Closed(PayrollScenario):
    """One closed week with a line of each of two sessions, another that is open, and a session that is in neither."""

    def __init__(self, practice: PracticeFixture) -> None:
        super().__init__(practice)
        self.paid = self.held()
        self.held(HELD + HOUR, signed=False)
        self.close(LAST, CUT_OFF)
        self.open(LAST + WEEK, CUT_OFF)
        self.unpaid = self.held(HELD + WEEK)
        self.closed, self.still_open = [period.id for period in self.books.periods]

    def run(self, role: str, statement: str, **values: Any) -> int:
        """How many rows it changed."""
        with self.practice.installation.store.owner_connection(role) as db, db.begin():
            enter = "select enter_practice(:id)" if role == "app" else "select set_config('app.tenant_id', :id, true)"
            db.execute(text(enter), {"id": self.practice.id if role == "app" else str(self.practice.id)})
            return db.execute(text(statement), {"tenant_id": self.practice.id} | values).rowcount

    def line(self, role: str, period: UUID, session: UUID, kind: str = "late", **more: Any) -> int:
        values = {"id": new_id(), "period": period, "session": session, "kind": kind, "reason": None} | more
        statement = """
            insert into pay_lines (
                tenant_id, id, period_id, staff_id, session_id, appointment_id, kind, reason, service_kind, held_on,
                minutes, multiplier, rate_cents, amount_cents
            )
            select
                tenant_id, :id, :period, clinician_id, id, id, :kind, :reason, 'INDIVIDUAL', '2026-03-10', 60, 1, 1, 1
            from appointments where tenant_id = :tenant_id and id = :session
        """
        return self.run(role, statement, **values)


@pytest.fixture
def closed(practice: PracticeFixture) -> Closed:
    return Closed(practice)


@ROLES
@pytest.mark.parametrize(
    "statement",
    [
        "update pay_lines set amount_cents = amount_cents + 1 where period_id = :closed",
        "update pay_lines set period_id = :open where period_id = :closed",
        "delete from pay_lines where period_id = :closed",
        "truncate pay_lines",
        "truncate pay_lines, pay_periods",
        "update pay_periods set closed_at = null where id = :closed",
        "update pay_periods set closed_at = closed_at + interval '1 second' where id = :closed",
        "update pay_periods set problems = '{}', version = version + 1 where id = :closed",
        "update pay_periods set week = week - 7 where id = :closed",
        "delete from pay_periods where id = :closed",
        "delete from pay_periods where id = :open",
        "truncate pay_periods cascade",
        "truncate practices cascade",
    ],
)
def test_nothing_of_a_closed_week_is_changed_or_removed(closed: Closed, role: str, statement: str) -> None:
    before = closed.books.rows
    with pytest.raises(DBAPIError, match=REFUSED):
        closed.run(role, statement, closed=closed.closed, open=closed.still_open)
    assert closed.books.rows == before


@ROLES
@pytest.mark.parametrize("kind", ["regular", "late", "standby", "adjustment"])
def test_no_line_is_added_to_a_closed_week(closed: Closed, role: str, kind: str) -> None:
    reason = "VOIDED" if kind == "adjustment" else None
    with pytest.raises(IntegrityError, match="this week is closed"):
        closed.line(role, closed.closed, closed.unpaid, kind, reason=reason)
    assert closed.line(role, closed.still_open, closed.unpaid, kind, reason=reason) == 1


@ROLES
def test_a_session_has_one_line_that_pays_it(closed: Closed, role: str) -> None:
    for kind in ("regular", "late"):
        with pytest.raises(IntegrityError, match="uq_pay_lines_paid_once"):
            closed.line(role, closed.still_open, closed.paid, kind)
    with pytest.raises(IntegrityError, match="ck_pay_lines_adjusted"):
        closed.line(role, closed.still_open, closed.paid, "adjustment")
    assert closed.line(role, closed.still_open, closed.paid, "adjustment", reason="VOIDED") == 1
    with pytest.raises(IntegrityError, match="uq_pay_lines"):
        closed.line(role, closed.still_open, closed.paid, "adjustment", reason="RATE_CHANGED")


@pytest.mark.parametrize(
    "statement",
    [
        "alter table pay_lines disable trigger all",
        "alter table pay_periods disable trigger all",
        "drop trigger only_grows on pay_lines",
        "drop index uq_pay_lines_paid_once",
        "set session_replication_role = replica",
        "delete from session_completions",
    ],
)
def test_the_service_cannot_put_that_aside(closed: Closed, statement: str) -> None:
    with pytest.raises(DBAPIError, match=REFUSED):
        closed.run("app", statement)


def test_weeks_of_one_practice_are_none_of_another_s(installation: Installation, closed: Closed) -> None:
    other = PayrollScenario(make_practice(installation))
    assert other.preview(LAST, CUT_OFF + HOUR).status == "OPEN"
    assert other.close(LAST + WEEK, NEXT_CUT_OFF).lines == []
    assert len(closed.books.lines) == 2
