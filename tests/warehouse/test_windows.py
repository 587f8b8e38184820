"""Settings of metrics: those in force on the last day of a period decide its values and its statuses."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from ingest.synthetic import Size, generate
from practice.analytics.values import MetricValue, Selection
from practice.metric_dictionary import METRICS
from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.bundles import import_practice
from tests.warehouse.conftest import be_quiet
from warehouse.builds import read_values
from warehouse.refresh import compute_aside
from warehouse.rows import read_rows
from warehouse.windows import WINDOW_KEYS, list_windows

NOW = datetime(2026, 3, 18, 20, 30, tzinfo=UTC)
SET_AT = datetime(2026, 2, 9, 15, 0, tzinfo=UTC)
CHANGE = date(2026, 2, 11)  # a Wednesday
OTHER_WINDOWS = {
    "rebook_days": 3,
    "retention_days": 45,
    "interdisciplinary_days": 5,
    "coverage_verification_days": 30,
    "supervision_note_days": 1,
    "receivable_days": 20,
    "collection_days": 30,
    "plan_review_days": 14,
    "safety_plan_days": 30,
    "hipaa_training_days": 60,
    "note_alert_days": 1,
}

Key = tuple[str, str, str, str, date]
Values = Mapping[Key, MetricValue]


def compute(
    installation: Installation, tenant_id: UUID, folder: Path, as_of: datetime = NOW, *, with_rows: bool = False
) -> Values:
    """Return the values of the year by metric, entity and period, and check that rows of some add up."""
    with compute_aside(installation.store, folder, tenant_id, as_of, None, "duckdb", be_quiet) as build:
        values = [
            value
            for kind in ("day", "week", "month", "quarter")
            for value in read_values(build, Selection(period_kind=kind, first=date(2025, 12, 28)))
        ]
        for value in values:
            if with_rows and value.period_kind == "month" and value.entity_kind == "practice":
                behind = read_rows(build, tenant_id, value.value_key)
                assert (behind.numerator, behind.denominator) == (value.numerator, value.denominator), value
    return {(v.metric_key, v.entity_kind, v.external_id, v.period_kind, v.period_start): v for v in values}


def find_last_day(key: Key) -> date:
    """Return the last day of a period that has begun by now."""
    kind, start = key[3], key[4]
    months = {"month": 1, "quarter": 3}.get(kind)
    if months is None:
        end = start + timedelta(days=7 if kind == "week" else 1)
    else:
        end = date(start.year + (start.month + months > 12), (start.month + months - 1) % 12 + 1, 1)
    return min(end - timedelta(days=1), NOW.date())


def test_settings_count_from_the_periods_that_end_on_their_day_or_later(
    installation: Installation, tmp_path: Path
) -> None:
    assert set(OTHER_WINDOWS) == set(WINDOW_KEYS)
    generate(tmp_path / "bundle", Size("Windows", "America/New_York", 2, 50, 7), 5, NOW)
    practice_id = import_practice(installation, tmp_path / "bundle").practice.id
    before = compute(installation, practice_id, tmp_path)
    early = SET_AT - timedelta(minutes=1)
    as_of_before = compute(installation, practice_id, tmp_path, early)
    with installation.work(Actor(practice_id), SET_AT) as work:
        for key, days in OTHER_WINDOWS.items():
            change_setting(work, key, days, CHANGE)
    after = compute(installation, practice_id, tmp_path, with_rows=True)
    assert before.keys() == after.keys()
    changed = {key for key in after if after[key] != before[key]}
    assert {key for key in changed if find_last_day(key) < CHANGE} == set()
    by_window = {metric.key for metric in METRICS.values() if metric.window}
    # an import brings no verification by staff, and few clients at high risk; `test_metric_edges` has their plans
    seldom = {"insurance_verification_rate", "safety_plan_compliance", "supervision_note_timeliness"}
    assert by_window - seldom <= {key[0] for key in changed} <= by_window
    assert {key[3] for key in changed} == {"day", "week", "month", "quarter"}
    straddling = {key for key in changed if key[3] == "month" and key[4] == date(2026, 2, 1)}
    assert straddling, "a period's last day decides, not its first"

    bounds = {f"{metric.key}_{bound}": bound for metric in METRICS.values() for bound in metric.bounds}
    with installation.work(Actor(practice_id), SET_AT + timedelta(minutes=1)) as work:
        for key, bound in bounds.items():
            change_setting(
                work, key, 0 if bound in ("alert_above", "target_at_most", "target_below") else 9_999, CHANGE
            )
    alarmed = compute(installation, practice_id, tmp_path)
    changed = {key for key in after if after[key] != alarmed[key]}
    assert {key for key in changed if find_last_day(key) < CHANGE} == set()
    for key, value in alarmed.items():
        if (
            find_last_day(key) >= CHANGE
            and value.value
            and METRICS[key[0]].bounds.keys() & {"alert_below", "alert_above"}
        ):
            assert value.status in ("alert", "info"), value
    assert compute(installation, practice_id, tmp_path, early) == as_of_before


def test_windows_are_those_of_the_last_setting_of_each_day() -> None:
    assert [windows.days for windows in list_windows([], NOW)] == [list_windows([], NOW)[0].days]
    place = WINDOW_KEYS.index("rebook_days")
    changes = [
        ("rebook_days", date(2026, 1, 10), 5),
        ("note_alert_days", date(2026, 1, 20), 3),
        ("rebook_days", date(2026, 1, 10), 6),
        ("rebook_days", date(2026, 2, 1), 6),
        ("unknown_setting", date(2026, 2, 2), 6),
    ]
    found = list_windows(changes, NOW)[::-1]
    assert [(windows.from_on, windows.until_on, windows.days[place]) for windows in found] == [
        (date(1, 1, 1), date(2026, 1, 10), 30),
        (date(2026, 1, 10), date(2026, 1, 20), 6),
        (date(2026, 1, 20), date(9999, 1, 1), 6),
    ]
