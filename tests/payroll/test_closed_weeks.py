"""Closed weeks cannot be changed, not even by SQL as the application role or the owner of the tables."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.drivers.payroll import CUT_OFF, HOUR, LAST_WEEK, NEXT_CUT_OFF, SESSION_START, WEEK, PayrollScenario

ROLES = pytest.mark.parametrize("role", ["app", "owner"])
REFUSED = (
    r"closed week stays|never changed or removed|permission denied|must be owner|cannot truncate a table referenced"
)


class ClosedWeek(PayrollScenario):
    """A closed week with a paid and a pending session, an open week, and a session without a line."""

    def __init__(self, practice: PracticeFixture) -> None:
        super().__init__(practice)
        self.paid = self.add_session()
        self.add_session(SESSION_START + HOUR, signed=False)
        self.close_week(LAST_WEEK, CUT_OFF)
        self.open_week(LAST_WEEK + WEEK, CUT_OFF)
        self.unpaid = self.add_session(SESSION_START + WEEK)
        self.closed_id, self.open_id = [period.id for period in self.load_oracle().periods]

    def execute(self, role: str, statement: str, **values: Any) -> int:
        """Execute a statement as a database role and return the number of changed rows."""
        with self.practice.installation.store.open_owner_connection(role) as db, db.begin():
            set_practice = (
                "select enter_practice(:id)" if role == "app" else "select set_config('app.tenant_id', :id, true)"
            )
            db.execute(text(set_practice), {"id": self.practice.id if role == "app" else str(self.practice.id)})
            return db.execute(text(statement), {"tenant_id": self.practice.id} | values).rowcount

    def insert_line(self, role: str, period: UUID, session: UUID, kind: str = "late", reason: str | None = None) -> int:
        statement = """
            insert into pay_lines (
                tenant_id, id, period_id, staff_id, session_id, appointment_id, kind, reason, service_kind, held_on,
                minutes, multiplier, rate_cents, amount_cents
            )
            select
                tenant_id, :id, :period, clinician_id, id, id, :kind, :reason, 'INDIVIDUAL', '2026-03-10', 60, 1, 1, 1
            from appointments where tenant_id = :tenant_id and id = :session
        """
        return self.execute(role, statement, id=new_id(), period=period, session=session, kind=kind, reason=reason)


@pytest.fixture
def scenario(practice: PracticeFixture) -> ClosedWeek:
    return ClosedWeek(practice)


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
        "truncate pay_periods cascade",
        "truncate practices cascade",
    ],
)
def test_a_closed_week_cannot_be_changed_or_removed(scenario: ClosedWeek, role: str, statement: str) -> None:
    before = scenario.load_oracle().rows
    with pytest.raises(DBAPIError, match=REFUSED):
        scenario.execute(role, statement, closed=scenario.closed_id, open=scenario.open_id)
    assert scenario.load_oracle().rows == before


@ROLES
def test_an_open_week_can_be_removed(scenario: ClosedWeek, role: str) -> None:
    assert scenario.execute(role, "delete from pay_periods where id = :open", open=scenario.open_id) == 1


@ROLES
@pytest.mark.parametrize("kind", ["regular", "late", "standby", "adjustment"])
def test_no_line_can_be_added_to_a_closed_week(scenario: ClosedWeek, role: str, kind: str) -> None:
    reason = "VOIDED" if kind == "adjustment" else None
    with pytest.raises(IntegrityError, match="this week is closed"):
        scenario.insert_line(role, scenario.closed_id, scenario.unpaid, kind, reason=reason)
    assert scenario.insert_line(role, scenario.open_id, scenario.unpaid, kind, reason=reason) == 1


@ROLES
def test_a_session_is_paid_by_one_line_only(scenario: ClosedWeek, role: str) -> None:
    for kind in ("regular", "late"):
        with pytest.raises(IntegrityError, match="uq_pay_lines_paid_once"):
            scenario.insert_line(role, scenario.open_id, scenario.paid, kind)
    with pytest.raises(IntegrityError, match="ck_pay_lines_adjusted"):
        scenario.insert_line(role, scenario.open_id, scenario.paid, "adjustment")
    assert scenario.insert_line(role, scenario.open_id, scenario.paid, "adjustment", reason="VOIDED") == 1
    with pytest.raises(IntegrityError, match="uq_pay_lines"):
        scenario.insert_line(role, scenario.open_id, scenario.paid, "adjustment", reason="RATE_CHANGED")


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
def test_the_application_role_cannot_remove_the_protection(scenario: ClosedWeek, statement: str) -> None:
    with pytest.raises(DBAPIError, match=REFUSED):
        scenario.execute("app", statement)


def test_weeks_of_one_practice_do_not_affect_another(installation: Installation, scenario: ClosedWeek) -> None:
    other = PayrollScenario(make_practice(installation))
    assert other.preview_week(LAST_WEEK, CUT_OFF + HOUR).status == "OPEN"
    assert other.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF).lines == []
    assert len(scenario.load_oracle().lines) == 2
