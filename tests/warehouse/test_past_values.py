"""Past values stay what they were, whatever changes later."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from practice.analytics.values import MetricValue, Selection
from practice.people.client_history import change_status
from practice.people.models.practices import Practice
from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from tests.warehouse.conftest import be_quiet
from warehouse.builds import read_values
from warehouse.refresh import compute_aside

BEFORE = datetime(2025, 11, 3, 17, 0, tzinfo=UTC)
CHANGE = datetime(2025, 11, 5, 15, 0, tzinfo=UTC)
AFTER = datetime(2025, 11, 12, 17, 0, tzinfo=UTC)

CHANGES = {
    "coverages verified again": "update coverages set verified_at = :now",
    "coverages ended": "update coverages set ends_on = '2025-11-04'",
    "consents revoked": "update consents set revoked_at = :now",
    "the portal closed": "update clients set portal_activated_at = null",
    "clients at high risk": "update clients set high_risk_since = '2025-11-05'",
    "clients who pay themselves": "update clients set self_pay = not self_pay",
    "addresses removed": "update clients set address = null",
    "minors emancipated": "update clients set emancipated = true",
    "staff under another supervisor": (
        "update staff set supervisor_id = (select id from staff where external_id = 'ADM') "
        "where supervisor_id is not null"
    ),
    "another license": "update staff set license_type = 'LMSW', discipline = 'PSYCHIATRY'",
    "clinicians who lost the role": "update staff set roles = '{admin}' where 'clinician' = any(roles)",
    "other hours": "update availability_windows set start_time = '12:00', end_time = '12:30'",
}


def compute(
    installation: Installation, tenant_id: UUID, folder: Path, as_of: datetime
) -> dict[tuple[str, str, str, str, date], MetricValue]:
    """Return the values of October's weeks and of the month, by metric, entity and period."""
    with compute_aside(installation.store, folder, tenant_id, as_of, None, "duckdb", be_quiet) as build:
        values = [
            value
            for kind in ("week", "month")
            for value in read_values(build, Selection(None, kind, date(2025, 9, 28), date(2025, 10, 20)))
        ]
    return {(v.metric_key, v.entity_kind, v.external_id, v.period_kind, v.period_start): v for v in values}


def test_no_change_of_a_record_moves_a_value_of_the_past(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    before = compute(installation, oak_street.id, tmp_path, BEFORE)
    assert {value.status for value in before.values()} >= {"on_target", "alert", "no_data"}
    with installation.work(Actor(oak_street.id), CHANGE) as work:
        for change, statement in CHANGES.items():
            result = work.db.execute(text(statement), {"now": CHANGE} if ":now" in statement else {})
            assert result.rowcount, f"{change}: nothing changed, so nothing is shown"
    assert compute(installation, oak_street.id, tmp_path, BEFORE) == before, "as of before, computed after the change"
    after = compute(installation, oak_street.id, tmp_path, AFTER)
    moved = {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }
    # as of later, notes signed and money posted in the meantime count; the changed records do not
    assert {key[0] for key in moved} <= RUNNING, moved


RUNNING = {
    "avg_documentation_hours",
    "avg_reimbursement_per_session",
    "collection_rate",
    "notes_signed_within_7_days_rate",
    "supervision_note_timeliness",
    "weekly_deadline_rate",
}


def test_a_change_shows_from_its_day_on(installation: Installation, oak_street: Practice, tmp_path: Path) -> None:
    with installation.work(Actor(oak_street.id), CHANGE) as work:
        for statement in CHANGES.values():
            work.db.execute(text(statement), {"now": CHANGE} if ":now" in statement else {})
    with compute_aside(installation.store, tmp_path, oak_street.id, AFTER, None, "duckdb", be_quiet) as build:
        selection = Selection(None, "day", date(2025, 11, 4), date(2025, 11, 5), "practice")
        values = {(v.metric_key, v.period_start.day): v for v in read_values(build, selection)}
    for key in ("portal_adoption_rate", "informed_consent_currency", "complete_demographics_rate"):
        assert values[key, 4].numerator > 0, key
        assert values[key, 5].numerator == 0, key
    assert values["safety_plan_compliance", 5].denominator > values["safety_plan_compliance", 4].denominator


def test_a_planned_end_that_was_replaced_does_not_count(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    with installation.work(Actor(oak_street.id), BEFORE) as work:
        account_id = work.db.scalar(text("select account_id from staff where account_id is not null limit 1"))
        client_ids = work.db.scalars(text("select id from clients where ended_on is null")).all()
    actor = Actor(oak_street.id, account_id, roles=frozenset({"admin"}))
    changes = (
        (BEFORE, "DISCHARGED", date(2025, 11, 8)),
        (CHANGE, "DISCHARGED", date(2025, 11, 5)),
        (datetime(2025, 11, 6, 17, 0, tzinfo=UTC), "ACTIVE", date(2025, 11, 6)),
    )
    for now, status, day in changes:
        with installation.work(actor, now) as work:
            for client_id in client_ids:
                change_status(work, Scope.ALL, client_id, status, day)
    with compute_aside(installation.store, tmp_path, oak_street.id, AFTER, None, "duckdb", be_quiet) as build:
        days = Selection(
            frozenset(["informed_consent_currency"]), "day", date(2025, 11, 4), date(2025, 11, 10), "practice"
        )
        active = {value.period_start.day: value.denominator for value in read_values(build, days)}
    assert active[4] > 0
    assert [day for day in range(4, 11) if active[day] != active[4]] == [5]


def test_a_benchmark_counts_from_its_day_on(installation: Installation, oak_street: Practice, tmp_path: Path) -> None:
    monday, wednesday = datetime(2025, 10, 20, 15, 0, tzinfo=UTC), date(2025, 10, 22)
    for minute, value in ((0, 90), (1, 40)):  # of two settings for one day the later one counts
        with installation.work(Actor(oak_street.id), monday + timedelta(minutes=minute)) as work:
            change_setting(work, "kept_visit_rate_target_at_least", value, wednesday)
    with installation.work(Actor(oak_street.id), monday) as work:
        change_setting(work, "kept_visit_rate_alert_below", 20, wednesday)
    statuses = {}
    for as_of in (AFTER, monday - timedelta(minutes=1)):
        with compute_aside(installation.store, tmp_path, oak_street.id, as_of, None, "duckdb", be_quiet) as build:
            for kind in ("week", "month"):
                selection = Selection(frozenset(["kept_visit_rate"]), kind, date(2025, 10, 1), None, "practice")
                for value in read_values(build, selection):
                    statuses[as_of, kind, value.period_start] = value.status
    assert statuses[AFTER, "week", date(2025, 10, 5)] == "alert"  # 2 of 4, before that day
    assert statuses[AFTER, "month", date(2025, 10, 1)] == "on_target"  # whose last day lies after it
    assert statuses[monday - timedelta(minutes=1), "month", date(2025, 10, 1)] == "alert"  # before it was set
