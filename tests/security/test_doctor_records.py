"""Records that somebody with the database's superuser changed, with triggers off: `doctor` finds each of them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.clinical.deadlines.locking import lock_session, unlock_session
from practice.clinical.deadlines.verification import examine_session_locks
from practice.clinical.models.notes import Note
from practice.payroll.periods import remove_period
from practice.payroll.verification import examine_closed_weeks
from practice.people.models.practices import Staff
from practice.scheduling.appointments.verification import examine_prices
from practice.scheduling.models.availability import Closure
from practice.security.doctor import Examination, Finding, examine
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.version_checks import examine_versions
from practice.sessions.deadline_job import run_deadline_job
from practice.sessions.examinations import EXAMINATIONS
from practice.store.ids import new_id
from tests.support.builders.people import NOW, PracticeFixture, make_practice
from tests.support.builders.schedule import make_client, put
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.booking import HOUR, MONDAY, BookingApi, local
from tests.support.drivers.payroll import CUT_OFF, LAST_WEEK, NEXT_CUT_OFF, SESSION_START, WEEK, PayrollScenario
from tests.support.harness import cluster


def run_examination(examination: Examination, practice: PracticeFixture) -> Finding:
    (finding,) = examination(practice.installation, NOW, practice.id, "Practice Elm Street")
    return finding


def tamper(practice: PracticeFixture, statement: str, **values: Any) -> int:
    """Execute a statement as superuser without triggers, and return the number of changed rows."""
    with cluster.connect_as_superuser(practice.installation.store.database) as connection:
        connection.execute("set session_replication_role = replica")
        parameters = {"tenant": practice.id} | values
        return connection.execute(statement, parameters).rowcount  # ty: ignore[invalid-argument-type]


# Closed pay weeks


@pytest.fixture
def closed_weeks(practice: PracticeFixture) -> PayrollScenario:
    """Return a scenario with two closed weeks: a paid session in each, and a pending one in the first."""
    scenario = PayrollScenario(practice)
    scenario.add_session()
    scenario.add_session(SESSION_START + HOUR, signed=False)
    scenario.add_session(SESSION_START + WEEK)
    scenario.close_week(LAST_WEEK, CUT_OFF)
    scenario.close_week(LAST_WEEK + WEEK, NEXT_CUT_OFF)
    return scenario


FIRST = "tenant_id = %(tenant)s and week = '2026-03-08'"
OF_FIRST = f"tenant_id = %(tenant)s and period_id = (select id from pay_periods where {FIRST})"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (f"update pay_lines set amount_cents = amount_cents + 1 where kind = 'regular' and {OF_FIRST}", "lines"),
        (f"update pay_lines set kind = 'late' where kind = 'regular' and {OF_FIRST}", "lines"),
        (f"update pay_lines set minutes = 90 where kind = 'standby' and {OF_FIRST}", "lines"),
        (f"delete from pay_lines where kind = 'standby' and {OF_FIRST}", "lines"),
        (
            "insert into pay_lines select tenant_id, uuidv7(), period_id, staff_id, uuidv7(), appointment_id, kind,"
            " reason, service_kind, held_on, minutes, multiplier, rate_cents, amount_cents"
            f" from pay_lines where kind = 'regular' and {OF_FIRST}",
            "lines",
        ),
        (f"update pay_periods set closed_at = closed_at - interval '1 hour' where {FIRST}", "its closing"),
        (f"update pay_periods set problems = '{{\"x\"}}' where {FIRST}", "its closing"),
        (f"update pay_periods set closed_at = null where {FIRST}", "is open again"),
        (f"delete from pay_periods where {FIRST}", "is missing"),
    ],
)
def test_a_change_of_a_closed_week_is_found(closed_weeks: PayrollScenario, statement: str, problem: str) -> None:
    practice = closed_weeks.practice
    sound = run_examination(examine_closed_weeks, practice)
    assert (sound.ok, sound.message) == (True, "Practice Elm Street: 2 closed pay weeks, all intact.")
    assert tamper(practice, statement) == 1
    finding = run_examination(examine_closed_weeks, practice)
    assert not finding.ok
    assert finding.facts["wrong"] == ["2026-03-08"]
    assert "1 closed pay week changed since the closing (the week of 2026-03-08: " in finding.message
    assert problem in finding.message


def test_a_week_closed_past_the_audit_log_is_found(closed_weeks: PayrollScenario) -> None:
    practice = closed_weeks.practice
    insert = "insert into pay_periods (tenant_id, id, week, opened_at, closed_at, version) values (%(tenant)s, %(id)s"
    tamper(practice, f"{insert}, '2026-03-22', now(), now(), 1)", id=new_id())
    finding = run_examination(examine_closed_weeks, practice)
    assert finding.facts["wrong"] == ["2026-03-22"]
    assert "no entry of its closing" in finding.message


def test_a_week_that_an_admin_removed_is_no_fault(practice: PracticeFixture) -> None:
    scenario = PayrollScenario(practice)
    scenario.close_week(LAST_WEEK, CUT_OFF)
    with practice.work(now=CUT_OFF) as work:
        remove_period(work, LAST_WEEK, "Mistyped")
    assert run_examination(examine_closed_weeks, practice).ok
    scenario.close_week(LAST_WEEK, CUT_OFF)
    finding = run_examination(examine_closed_weeks, practice)
    assert finding.message == "Practice Elm Street: 1 closed pay week, all intact."


def test_a_week_that_was_closed_without_a_digest_is_counted_as_not_verifiable(closed_weeks: PayrollScenario) -> None:
    practice = closed_weeks.practice
    entry = "action = 'pay_period.closed' and details ->> 'week' = '2026-03-08' and tenant_id = %(tenant)s"
    assert tamper(practice, f"update audit_log set details = details - 'digest' where {entry}") == 1
    finding = run_examination(examine_closed_weeks, practice)
    assert (finding.ok, finding.facts["unverified"]) == (True, ["2026-03-08"])
    assert "1 closed pay week, all intact. 1 more week cannot be verified" in finding.message
    tamper(practice, f"update pay_periods set closed_at = null where {FIRST}")
    assert "is open again" in run_examination(examine_closed_weeks, practice).message


# Session locks


@pytest.fixture
def locked_session(practice: PracticeFixture) -> UUID:
    """Return a session that its deadline locked, that was unlocked and locked again by hand."""
    clinician = practice.add("clinician")
    session = SessionBuilder(practice, clinician).add_session(SESSION_START)
    with practice.work(now=CUT_OFF + HOUR) as work:
        run_deadline_job(work)
    with practice.work(now=CUT_OFF + 2 * HOUR) as work:
        unlock_session(work, Scope.ALL, session, "Was ill", hours=24)
    with practice.work(now=CUT_OFF + 3 * HOUR) as work:
        lock_session(work, Scope.ALL, session, "Too early")
    return session


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("delete from session_locks where {own} and by_id is null", "1 lock by the deadline missing"),
        ("delete from session_locks where {own} and kind = 'UNLOCKED'", "of 1 session was removed or changed"),
        ("delete from session_locks where {own} and kind = 'LOCKED' and by_id is not null", "was removed or changed"),
        ("update session_locks set until = until + interval '9 days' where {own} and until is not null", "changed"),
        (
            "insert into session_locks select tenant_id, uuidv7(), appointment_id, kind, now(), until, by_id,"
            " account_id, reason from session_locks where {own} and kind = 'UNLOCKED'",
            "of 1 session is not in the audit log",
        ),
        (
            "insert into session_locks select tenant_id, uuidv7(), appointment_id, kind, now() from session_locks"
            " where {own} and by_id is null",
            "1 lock by the deadline not in the audit log",
        ),
    ],
)
def test_a_change_of_a_session_lock_is_found(
    practice: PracticeFixture, locked_session: UUID, statement: str, problem: str
) -> None:
    sound = run_examination(examine_session_locks, practice)
    assert (sound.ok, sound.message) == (True, "Practice Elm Street: 3 session locks, all intact.")
    own = "tenant_id = %(tenant)s and appointment_id = %(session)s"
    assert tamper(practice, statement.format(own=own), session=locked_session) == 1
    finding = run_examination(examine_session_locks, practice)
    assert not finding.ok
    assert problem in finding.message


# Versions


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("clients", "update clients set self_pay = not self_pay where tenant_id = %(tenant)s"),
        ("clients", "delete from record_versions where record_kind = 'clients' and tenant_id = %(tenant)s"),
        (
            "clients",
            "update record_versions set record_values = record_values || '{\"self_pay\": null}'"
            " where record_kind = 'clients' and tenant_id = %(tenant)s",
        ),
        ("closures", "delete from closures where tenant_id = %(tenant)s"),
        (
            "closures",
            "insert into closures (tenant_id, id, closed_on) values (%(tenant)s, uuidv7(), '2027-01-01')",
        ),
        ("notes", "update notes set appointment_id = null where tenant_id = %(tenant)s"),
    ],
)
def test_a_record_that_differs_from_its_newest_version_is_found(
    practice: PracticeFixture, table: str, statement: str
) -> None:
    make_client(practice)
    put(practice, Closure(closed_on=NOW.date()))
    sessions = SessionBuilder(practice, practice.add("clinician"))
    first, second = (sessions.add_session(NOW - timedelta(days=days)) for days in (2, 1))
    note = sessions.add_note(first)
    with practice.work() as work:
        work.db.get_one(Note, (practice.id, note)).appointment_id = second
        work.db.get_one(Staff, (practice.id, practice.admin.staff_id)).license_type = "LPC"
    sound = run_examination(examine_versions, practice)
    assert (sound.ok, sound.message) == (True, "Practice Elm Street: all records are as their newest versions.")
    changed = tamper(practice, statement)
    assert changed > 0
    finding = run_examination(examine_versions, practice)
    assert not finding.ok
    assert f"of {table} differ" in finding.message
    assert len(finding.facts["records"]) == changed


# Prices


@pytest.mark.parametrize("change", ["price_cents = 1", "copay_cents = copay_cents + 500", "price_from = 'payer'"])
def test_a_changed_price_of_a_completed_visit_is_found(
    client: TestClient, practice: PracticeFixture, change: str
) -> None:
    booking_api = BookingApi(client, practice)
    booked = booking_api.book_appointment(local(MONDAY, 10))
    booking_api.now = local(MONDAY, 10) + HOUR
    completed = booking_api.post_step(booked, "complete").json()
    assert completed["status"] == "COMPLETED"
    sound = run_examination(examine_prices, practice)
    assert (sound.ok, sound.message) == (True, "Practice Elm Street: 1 fixed price, all intact.")
    where = "tenant_id = %(tenant)s and status = 'COMPLETED'"
    assert tamper(practice, f"update appointments set {change} where {where}") == 1
    finding = run_examination(examine_prices, practice)
    assert not finding.ok
    assert finding.facts["appointments"] == [completed["id"]]


# All of them


def test_doctor_runs_all_examinations_of_records(own_installation: Installation) -> None:
    practice = make_practice(own_installation)
    scenario = PayrollScenario(practice)
    scenario.add_session()
    scenario.close_week(LAST_WEEK, CUT_OFF)
    findings = examine(own_installation, NOW + timedelta(days=9), extra_examinations=EXAMINATIONS)
    assert {"notes", "session locks", "prices", "pay", "versions"} <= {
        finding.area for finding in findings if finding.ok
    }
    tamper(practice, "update pay_lines set amount_cents = 1 where tenant_id = %(tenant)s")
    findings = examine(own_installation, NOW + timedelta(days=9), extra_examinations=EXAMINATIONS)
    assert "pay" in {finding.area for finding in findings if not finding.ok}
