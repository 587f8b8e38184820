"""The pages of the dashboards over HTTP: figures as published, what needs somebody, and who sees which page."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.published import add_measured_sessions, publish_metrics
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    return practice.add("supervisor")


@pytest.fixture
def clinician(practice: PracticeFixture, supervisor: Person) -> Person:
    return practice.add("clinician", supervisor=supervisor)


@pytest.fixture
def other(practice: PracticeFixture) -> Person:
    return practice.add("clinician")


@pytest.fixture
def sessions(practice: PracticeFixture, clinician: Person, other: Person) -> SessionBuilder:
    return add_measured_sessions(practice, clinician, other)


def get(client: TestClient, practice: PracticeFixture, path: str, by: Person | None = None, **query: Any) -> Any:
    return client.get(f"{V1}/dashboards/{path}", params=query, headers=auth_headers(practice, by))


def find(items: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return next(item for item in items if item["key"] == key)


def test_a_clinician_sees_their_own_week(
    client: TestClient, practice: PracticeFixture, clinician: Person, sessions: SessionBuilder
) -> None:
    today = sessions.add_session(NOW + HOUR, status="CONFIRMED")
    page = assert_ok(get(client, practice, "my-practice", clinician))
    assert (page["refresh"], find(page["figures"], "kept_visit_rate")["shown"]) == (None, "–")
    publish_metrics(practice)
    page = assert_ok(get(client, practice, "my-practice", clinician))
    kept = find(page["figures"], "kept_visit_rate")
    shown = {"shown": "66.67 %", "status": "alert", "status_word": "Alert", "target": "Target 85 % or more"}
    assert {name: kept[name] for name in shown} == shown
    assert (len(kept["trend"]), kept["trend"][-1], kept["change"]) == (12, "66.67", "")
    assert page["brief"][0] == "Kept visits are at 66.67 % (target 85 %)."
    assert (page["notes_to_sign"]["count"], page["notes_to_sign"]["late"]) == (2, 1)
    assert len(page["unsigned"]) == 2
    need = page["needs"][0]
    assert (need["key"], need["urgency"], need["action"]) == ("unsigned_notes", "today", "sign_notes")
    assert need["title"] == "2 notes wait for your signature"
    assert [visit["id"] for visit in page["visits"]] == [str(today)]
    assert {"notes.write", "appointments.status"} <= set(page["may"])
    rows = assert_ok(client.get(f"{V1}{kept['rows']}", headers=auth_headers(practice, clinician)))
    assert (rows["numerator"], rows["denominator"]) == (kept["numerator"], kept["denominator"]) == (2, 3)


def test_a_supervisor_sees_the_team_and_why(
    client: TestClient, practice: PracticeFixture, clinician: Person, supervisor: Person, sessions: SessionBuilder
) -> None:
    publish_metrics(practice)
    page = assert_ok(get(client, practice, "team", supervisor))
    (row,) = page["clinicians"]
    assert (row["clinician_id"], row["unsigned"], row["late"]) == (str(clinician.staff_id), 2, 1)
    assert row["team_status"] == "urgent"
    assert "1 late note" in row["team_reasons"]
    assert (row["performance"], row["performance_reasons"]) == (None, [])
    assert page["needs"][0]["title"] == "1 late note"
    assert find(page["figures"], "kept_visit_rate")["numerator"] == 2


def test_an_admin_sees_the_practice(
    client: TestClient, practice: PracticeFixture, clinician: Person, other: Person, sessions: SessionBuilder
) -> None:
    publish_metrics(practice)
    page = assert_ok(get(client, practice, "overview"))
    assert find(page["figures"], "kept_visit_rate")["shown"] == "75 %"
    rows = {row["clinician_id"]: row for row in page["clinicians"]}
    assert rows.keys() == {str(clinician.staff_id), str(other.staff_id)}
    coached = rows[str(clinician.staff_id)]
    assert coached["performance"] in ("needs_coaching", "performance_plan")
    assert "Kept visits 66.67 %" in coached["performance_reasons"]
    assert all(figure["rows"].startswith("/metrics/") for figure in page["compliance"] + page["revenue_cycle"])
    week = assert_ok(get(client, practice, "overview", period="week", day="2026-03-04"))
    assert (week["period"]["name"], week["period"]["last_day"]) == ("March 1 to 7, 2026", "2026-03-07")


@pytest.mark.parametrize(
    ("page", "allowed"),
    [("my-practice", {"clinician"}), ("team", {"supervisor"}), ("overview", {"admin"})],
)
def test_a_page_is_for_its_role_alone(
    client: TestClient, practice: PracticeFixture, page: str, allowed: set[str]
) -> None:
    for role in ("admin", "supervisor", "clinician", "scheduler", "biller", "analyst"):
        response = get(client, practice, page, practice.admin if role == "admin" else practice.add(role))
        assert (response.status_code == 200) == (role in allowed), role
        assert role in allowed or error_code(response) == "FORBIDDEN"


def test_a_clinician_sees_how_far_their_goals_are(
    client: TestClient, practice: PracticeFixture, clinician: Person, supervisor: Person, sessions: SessionBuilder
) -> None:
    publish_metrics(practice)
    headers = auth_headers(practice, supervisor)
    for metric, target in (("kept_visit_rate", "60"), ("no_show_rate", "10"), ("rebook_rate", "50")):
        goal = {"staff_id": str(clinician.staff_id), "metric_key": metric, "target": target}
        span = {"starts_on": "2026-03-01", "ends_on": "2026-04-30"}
        assert_ok(client.post(f"{V1}/goals", json=goal | span, headers=headers), 201)
    found = {goal["label"]: goal for goal in assert_ok(get(client, practice, "my-practice", clinician))["goals"]}
    kept, missed = found["Kept visit rate"], found["No-show rate"]
    assert (kept["target"], kept["now"], kept["state"]) == ("60 % or more", "66.67 %", "reached")
    assert (missed["target"], missed["now"], missed["state"]) == ("10 % or less", "33.33 %", "not_yet")
    assert len(found) == 3
