"""Cases at the edges of definitions that the independent computation found, each in its smallest form."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from practice.analytics.values import Selection
from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.security.work import Actor
from tests.support.builders.bundles import Rows, import_practice, load_sample_rows, make_unique, write_folder
from tests.warehouse.conftest import be_quiet
from warehouse.builds import read_values
from warehouse.refresh import compute_aside

AS_OF = datetime(2025, 11, 12, 17, 0, tzinfo=UTC)
SETTING_MADE = datetime(2025, 10, 20, 15, 0, tzinfo=UTC)
SETTING_FROM = date(2025, 10, 22)


def make_visit(rows: Rows, **cells: str) -> None:
    """Add an appointment with these cells, otherwise like the sample's booked one."""
    booked = next(row for row in rows["appointments"] if row["id"] == "A6")
    rows["appointments"].append(booked | {"room_id": "", "created_at": "2025-10-01T12:00:00Z"} | cells)


def make_note(rows: Rows, **cells: str) -> None:
    signed = next(row for row in rows["notes"] if row["id"] == "N1")
    rows["notes"].append(signed | {"signed_at": cells.get("created_at", ""), "appointment_id": ""} | cells)


def compute(
    installation: Installation, rows: Rows, folder: Path, settings: dict[str, int] | None = None
) -> dict[tuple[Any, ...], tuple[int, int]]:
    """Return the practice's sums by metric, period kind and start, after these settings were changed."""
    practice = import_practice(installation, write_folder(folder / "bundle", make_unique(rows))).practice
    for key, value in (settings or {}).items():
        with installation.work(Actor(practice.id), SETTING_MADE) as work:
            change_setting(work, key, value, SETTING_FROM)
    with compute_aside(installation.store, folder, practice.id, AS_OF, None, "duckdb", be_quiet) as build:
        values = [
            value
            for kind in ("day", "week", "month")
            for value in read_values(build, Selection(None, kind, date(2025, 10, 1), None, "practice"))
        ]
    return {(v.metric_key, v.period_kind, v.period_start): (v.numerator, v.denominator) for v in values}


def test_a_visit_that_passes_midnight_fills_hours_of_both_days(installation: Installation, tmp_path: Path) -> None:
    rows = load_sample_rows()
    rows["availability"].append(rows["availability"][0] | {"id": "AV3", "start_time": "00:00", "end_time": "04:00"})
    night = {"starts_at": "2025-10-20T03:00:00Z", "ends_at": "2025-10-20T04:30:00Z"}  # Sunday 23:00 until Monday 0:30
    make_visit(rows, id="A8", client_id="K1", **night)
    without_hours = {"starts_at": "2025-10-22T03:00:00Z", "ends_at": "2025-10-22T04:30:00Z"}
    make_visit(rows, id="A9", client_id="K1", clinician_id="BOS", **without_hours)
    values = compute(installation, rows, tmp_path)
    assert values["schedule_fill_rate", "day", date(2025, 10, 19)] == (59, 629)
    assert values["schedule_fill_rate", "day", date(2025, 10, 20)] == (30, 420)
    assert values["schedule_fill_rate", "week", date(2025, 10, 19)] == (89, 1049)
    assert values["daily_active_clinicians", "day", date(2025, 10, 21)] == (0, 1)
    assert values["daily_active_clinicians", "day", date(2025, 10, 22)] == (0, 0), "it is an appointment of the 21st"


def test_a_visit_recorded_later_was_not_known_before(installation: Installation, tmp_path: Path) -> None:
    rows = load_sample_rows()
    visit = {"starts_at": "2025-10-14T14:00:00Z", "ends_at": "2025-10-14T14:45:00Z", "status": "COMPLETED"}
    make_visit(rows, id="A8", **visit, status_at="2025-10-14T14:45:00Z", created_at="2025-10-24T14:45:00Z")
    values = compute(installation, rows, tmp_path)
    seen = [values["interdisciplinary_rate", "day", date(2025, 10, day)][1] for day in (14, 23, 24)]
    assert seen == [1, 1, 2]
    unsigned = [values["unsigned_note_backlog", "day", date(2025, 10, day)][0] for day in (22, 23, 24)]
    assert unsigned == [1, 1, 2]


def test_a_visit_completed_before_its_start_counts_as_completed(installation: Installation, tmp_path: Path) -> None:
    rows = load_sample_rows()
    visit = {"starts_at": "2025-11-12T17:10:00Z", "ends_at": "2025-11-12T18:00:00Z", "status": "COMPLETED"}
    make_visit(rows, id="A8", **visit, status_at="2025-11-12T16:58:00Z")
    values = compute(installation, rows, tmp_path)
    assert values["interdisciplinary_rate", "day", date(2025, 11, 11)] == (1, 1)
    assert values["interdisciplinary_rate", "day", date(2025, 11, 12)] == (1, 2)
    assert values["kept_visit_rate", "day", date(2025, 11, 12)] == (0, 0), "which looks at visits that have begun"


def test_limits_in_days_follow_the_settings_in_force(installation: Installation, tmp_path: Path) -> None:
    """A setting counts for the periods whose last day it is in force on, however old the rows are."""
    rows = load_sample_rows()
    make_note(rows, id="N8", type="SAFETY_PLAN", created_at="2025-10-09T15:00:00Z")
    late = {"starts_at": "2025-10-20T14:00:00Z", "ends_at": "2025-10-20T14:45:00Z", "status": "COMPLETED"}
    make_visit(rows, id="A8", client_id="K1", **late, status_at="2025-10-20T15:00:00Z")
    make_note(rows, id="N9", appointment_id="A8", created_at="2025-10-29T14:45:00Z")
    settings = {"plan_review_days": 200, "hipaa_training_days": 300, "safety_plan_days": 20, "note_alert_days": 16}
    values = compute(installation, rows, tmp_path, settings)

    def count(key: str, *days: date) -> list[int]:
        return [int(values[key, "day", day][0]) for day in days]

    before, since = date(2025, 10, 21), SETTING_FROM
    assert count("treatment_plan_currency", before, since, date(2025, 11, 1), date(2025, 11, 2)) == [0, 1, 1, 0]
    assert count("hipaa_training_current", before, since, date(2025, 10, 29), date(2025, 10, 30)) == [1, 1, 1, 0]
    assert count("safety_plan_compliance", before, since, date(2025, 10, 29), date(2025, 10, 30)) == [1, 1, 1, 0]
    assert count("unsigned_note_backlog", before, since, date(2025, 10, 23), date(2025, 10, 24)) == [1, 0, 0, 1]
    signed = "notes_signed_within_7_days_rate"
    assert values[signed, "day", date(2025, 10, 20)] == (0, 1)
    assert values[signed, "week", date(2025, 10, 19)] == (1, 1)
    assert values[signed, "month", date(2025, 10, 1)] == (2, 3)
