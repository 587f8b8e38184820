"""The page of a team over HTTP: what waits for its supervisor, who works too much, and whom to talk with."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.analytics.live import UnsignedCount
from practice.analytics.values import Status
from practice.clinical.notes.signing import submit_note
from practice.dashboards.clinicians import ClinicianRow
from practice.dashboards.figures import Figure, Period
from practice.dashboards.standing import TEAM_METRICS, Standing, judge_team_status
from practice.dashboards.team import find_overload, list_coaching
from practice.metric_dictionary import METRICS
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.published import add_measured_sessions, publish_metrics
from tests.support.builders.sessions import SessionBuilder, write_note
from tests.support.drivers.http import V1, assert_ok, auth_headers

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    return practice.add("supervisor")


@pytest.fixture
def clinician(practice: PracticeFixture, supervisor: Person) -> Person:
    clinician = practice.add("clinician", supervisor=supervisor)
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update staff set license_type = 'LMSW' where id = :id"), {"id": clinician.staff_id})
    return clinician


@pytest.fixture
def sessions(practice: PracticeFixture, clinician: Person) -> SessionBuilder:
    """Add sessions of the clinician, and some of one in another team."""
    return add_measured_sessions(practice, clinician, practice.add("clinician", supervisor=practice.add("supervisor")))


def load(client: TestClient, practice: PracticeFixture, by: Person) -> Any:
    return assert_ok(client.get(f"{V1}/dashboards/team", headers=auth_headers(practice, by)))


def submit(practice: PracticeFixture, clinician: Person, session: Any) -> str:
    note_id = write_note(practice, clinician, session, now=NOW - HOUR)
    with practice.work(clinician, now=NOW) as work:
        submit_note(work, note_id, 1)
    return str(note_id)


def test_notes_to_co_sign_and_locked_sessions_wait_for_the_supervisor(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person, sessions: SessionBuilder
) -> None:
    note_id = submit(practice, clinician, sessions.add_session(NOW - 6 * HOUR))
    page = load(client, practice, supervisor)
    assert [note["note_id"] for note in page["in_review"]] == [note_id]
    assert page["in_review"][0]["clinician_name"]
    assert page["in_review"][0]["client_name"]
    locked = {session["appointment_id"] for session in page["locked"]}
    assert len(locked) == 1  # of the session nine days ago; yesterday's is still open
    assert page["needs"][0]["title"] == "1 note waits for you"
    assert "First to do: 1 note waits for you." in page["brief"]
    assert "1 session locked without a signed note" in [need["title"] for need in page["needs"]]
    (appointment_id,) = locked
    unlock = f"{V1}/compliance/session-completion/{appointment_id}/supervisor-override"
    assert_ok(client.post(unlock, json={"reason": "Was ill", "hours": 24}, headers=auth_headers(practice, supervisor)))
    page = load(client, practice, supervisor)
    assert page["locked"] == []


def test_another_team_shows_none_of_it(
    client: TestClient, practice: PracticeFixture, clinician: Person, sessions: SessionBuilder
) -> None:
    submit(practice, clinician, sessions.add_session(NOW - 6 * HOUR))
    page = load(client, practice, practice.add("supervisor"))
    for part in ("clinicians", "in_review", "locked", "supervision", "workload", "coaching"):
        assert page[part] == [], part


def test_hours_and_workload_are_those_of_the_team(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person, sessions: SessionBuilder
) -> None:
    for hour in range(9):
        sessions.add_session(NOW + DAY + hour * HOUR, status="CONFIRMED", status_at=None)
    page = load(client, practice, supervisor)
    (hours,) = page["supervision"]
    assert (hours["clinician_id"], hours["required"], hours["missing"]) == (str(clinician.staff_id), 4, "4.00")
    (work,) = page["workload"]
    assert (work["sessions"], work["busiest_day"]) == (10, 9)  # one was held yesterday
    assert work["reasons"] == ["9 sessions on one day, over 8"]


def test_a_week_is_too_much_only_above_the_limits() -> None:
    assert find_overload(30, 8, 30, 8) == []
    assert find_overload(31, 9, 30, 8) == ["31 sessions this week, over 30", "9 sessions on one day, over 8"]


def test_talks_have_their_reasons(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person, sessions: SessionBuilder
) -> None:
    publish_metrics(practice)
    (talk,) = load(client, practice, supervisor)["coaching"]
    assert (talk["clinician_id"], talk["kind"]) == (str(clinician.staff_id), "coaching")
    assert "Kept visit rate is 66.67 %" in talk["reasons"]
    assert talk["actions"]


def make_row(compliance: int | None, late: int = 0, **statuses: Status) -> ClinicianRow:
    """Return a clinician whose figures are on target, except those with another status."""
    period = Period("month", NOW.date().replace(day=1))
    figures = {
        key: Figure(METRICS[key], "clinician", uuid4(), period, status=statuses.get(key, "on_target"))
        for key in TEAM_METRICS
    }
    status, reasons = judge_team_status(figures, late)
    standing = Standing(status, reasons, None if compliance is None else Decimal(compliance), None, [])
    return ClinicianRow(uuid4(), "Robin Example", figures, UnsignedCount(late, late), standing)


def test_good_work_is_recognized_after_the_talks_that_are_needed() -> None:
    good, review, late = make_row(100), make_row(100, no_show_rate="alert"), make_row(100, late=1)
    urgent = make_row(100, late=3, kept_visit_rate="alert", no_show_rate="alert")
    others = [make_row(99), make_row(None), make_row(100, kept_visit_rate="no_data")]
    talks = list_coaching([good, *others, review, late, urgent])
    assert [talk.clinician_id for talk in talks] == [urgent.id, late.id, review.id, good.id]
    assert [talk.kind for talk in talks] == ["coaching", "coaching", "coaching", "recognition"]
    assert talks[2].actions == [METRICS["no_show_rate"].action]
