"""Compliance checks as a whole: one row for each entity, day and check, in agreement with the metrics of each day."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from practice.analytics.marts import run_statement
from practice.people.models.practices import Practice
from practice.rule_settings import get_default
from practice.security.installation import Installation
from tests.support.builders.compliance import FIRST_DAY, ZONE, CompliancePractice, at
from tests.support.builders.people import make_practice
from tests.warehouse.conftest import be_quiet, import_oak_street
from warehouse.refresh import refresh_practice

CLIENT_CHECKS = {
    *("informed_consent", "guardian_consent", "telehealth_consent", "treatment_plan", "safety_plan", "demographics"),
    "insurance",
}
STAFF_CHECKS = {"hipaa_training", "session_notes", "weekly_deadline", "supervision_hours", "supervision_notes"}
PRACTICE_CHECKS = {"incident_response", "incident_notices"}
STATUSES = {"ok", "due", "alert", "violation", "not_applicable", "needs_person"}
# A metric counts the entities to which a check applies, or those with the named statuses. Its numerator has all with
# these statuses and some with those: a person without any training or consent yet may be due.
IN_TIME = {"ok", "due", "alert"}
AGREEMENTS = {
    "hipaa_training_current": ("hipaa_training", {"ok"}, IN_TIME, STATUSES),
    "informed_consent_currency": ("informed_consent", {"ok"}, {"ok", "due"}, STATUSES),
    "minor_consent_compliance": ("guardian_consent", {"ok"}, {"ok", "due"}, STATUSES),
    "treatment_plan_currency": ("treatment_plan", {"ok"}, IN_TIME, STATUSES),
    "safety_plan_compliance": ("safety_plan", {"ok"}, {"ok"}, STATUSES),
    "complete_demographics_rate": ("demographics", {"ok"}, {"ok"}, STATUSES),
    "insurance_accuracy_rate": ("insurance", {"ok"}, {"ok"}, {"ok", "alert"}),
}
PEOPLE = """
    select 'client', client_id, null from clients union all select 'staff', null, staff_id from staff
    union all select 'practice', null, null
"""


def list_days(first: date, last: date) -> set[date]:
    return {first + timedelta(days=number) for number in range((last - first).days + 1)}


def check_every_pair(read: Any) -> None:
    """Check that each check of each entity has one row for each day of the calendar until today."""
    people = {tuple(row): set() for row in read(PEOPLE)}
    checks = {"client": CLIENT_CHECKS, "staff": STAFF_CHECKS, "practice": PRACTICE_CHECKS}
    query = (
        "select entity_kind, client_id, staff_id, check_key, count(*), count(distinct checked_on), min(checked_on),"
        " max(checked_on), array_agg(distinct status) from compliance_checks group by 1, 2, 3, 4"
    )
    [(first,)] = read("select min(calendar_on) from calendar")
    today = datetime.now(UTC).astimezone(ZONE).date()
    for *entity, check, rows, days, first_on, last_on, statuses in read(query):
        people[tuple(entity)].add(check)
        assert rows == days == (last_on - first_on).days + 1
        assert (first_on, last_on) == (first, today)
        assert set(statuses) <= STATUSES
    for entity, found in people.items():
        assert found == checks[entity[0]], entity
    same_again = (
        "select count(*) from (select status, lag(status) over (partition by client_id, staff_id, check_key"
        " order by first_on) as before from compliance_spans) as s where s.status = s.before"
    )
    assert read(same_again) == [(0,)]


def test_every_check_has_one_row_for_each_entity_and_day(installation: Installation, tmp_path: Path) -> None:
    practice: Practice = import_oak_street(installation, tmp_path / "bundle")
    check_every_pair(lambda query: run_statement(installation.store, practice.id, query).rows)
    empty = make_practice(installation)
    check_every_pair(lambda query: run_statement(installation.store, empty.id, query).rows)


def test_a_day_shows_the_status_of_its_span(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    compliance.add_consent(client, "INFORMED_TREATMENT", at("2024-02-07"), expires_on=date(2024, 2, 9))
    query = (
        "select checked_on, status, since_on from compliance_checks where check_key = 'informed_consent'"
        f" and client_id = '{client}' and checked_on between '2024-01-31' and '2024-02-10' order by checked_on"
    )
    due, alert, violation = date(2024, 2, 1), date(2024, 2, 9), date(2024, 2, 10)
    assert compliance.read(query) == [
        (date(2024, 1, 31), "not_applicable", FIRST_DAY),
        *((day, "due", due) for day in sorted(list_days(due, date(2024, 2, 8)))),
        (alert, "alert", alert),
        (violation, "violation", violation),
    ]


def test_days_are_those_of_the_time_zone_that_was_in_force(compliance: CompliancePractice) -> None:
    client = compliance.add_client()
    compliance.execute(
        "insert into time_zone_changes (tenant_id, id, changed_at, old_zone, new_zone)"
        " values (:tenant_id, uuidv7(), :at, 'Asia/Tokyo', 'America/New_York')",
        at=at("2024-03-01"),
    )
    compliance.add_consent(client, "GUARDIAN", at("2024-02-07"))
    compliance.add_consent(client, "INFORMED_TREATMENT", at("2024-02-07", 20))
    compliance.add_consent(client, "INFORMED_TREATMENT", at("2025-02-07", 20))
    spans = compliance.list_spans("informed_consent", client)
    assert [span for span in spans if span[0] == "ok"] == [("ok", "2024-02-08"), ("ok", "2025-02-07")]


def test_checks_agree_with_the_metrics_of_each_day(installation: Installation, tmp_path: Path) -> None:
    practice: Practice = import_oak_street(installation, tmp_path / "bundle")
    refresh_practice(installation.store, tmp_path / "warehouse", practice.id, datetime.now(UTC), "duckdb", be_quiet)

    def read(query: str) -> list[tuple[Any, ...]]:
        return run_statement(installation.store, practice.id, query).rows

    counts: dict[tuple[date, str], Counter[str]] = {}
    query = "select checked_on, check_key, status, count(*) from compliance_checks group by 1, 2, 3"
    for day, check, status, number in read(query):
        counts.setdefault((day, check), Counter())[status] = number
    values = {
        (day, metric): (numerator, denominator)
        for day, metric, numerator, denominator in read(
            "select period_start_on, metric_key, numerator, denominator from metric_values"
            " where entity_kind = 'practice' and period_kind = 'day'"
        )
    }
    exact = 0
    for metric, (check, surely, possibly, among) in AGREEMENTS.items():
        for day in {day for day, _ in counts}:
            numbers = counts[day, check]
            least, most, all_ = (
                sum(numbers[status] for status in kinds - {"not_applicable"}) for kinds in (surely, possibly, among)
            )
            numerator, denominator = values[day, metric]
            assert denominator == all_, (metric, day)
            assert least <= numerator <= most, (metric, day)
            exact += least == most and all_ > 0
    assert exact > 2000
    backlog = {
        (day, staff_id): value > 0
        for day, staff_id, value in read(
            "select period_start_on, staff_id, value from metric_values where metric_key = 'unsigned_note_backlog'"
            " and entity_kind = 'clinician' and period_kind = 'day'"
        )
    }
    late = {
        (day, staff_id): status in ("alert", "violation")
        for day, staff_id, status in read(
            "select checked_on, staff_id, status from compliance_checks where check_key = 'session_notes'"
        )
    }
    assert {key: late[key] for key in backlog} == backlog
    assert sum(backlog.values()) > 100


def test_the_defaults_of_settings_are_those_of_the_rules(compliance: CompliancePractice) -> None:
    """The views name the defaults once more. Each setting is set to the default on a day, and nothing changes."""
    before = compliance.read("select * from compliance_spans order by 1, 2, 3, 4, 6")
    with compliance.installation.store.connect("superuser") as connection:
        [(definition,)] = connection.execute("select pg_get_viewdef('marts.compliance_settings'::regclass)").fetchall()
    assert before
    for key in (
        *("hipaa_training_days", "hipaa_grace_days", "note_reminder_days", "note_alert_days", "plan_reminder_days"),
        *("plan_review_days", "safety_plan_days", "coverage_verification_days", "supervision_note_days"),
        *("supervision_hours_lpc", "supervision_hours_apc", "supervision_hours_lmsw"),
    ):
        assert f"'{key}'::text,{get_default(key)}" in definition.replace(", ", ","), key
