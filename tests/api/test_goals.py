"""Performance goals over HTTP: scope, changes, and decisions."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.errors import Invalid
from practice.metric_dictionary import METRICS
from practice.people import goals
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, void


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    return practice.add("supervisor")


@pytest.fixture
def clinician(practice: PracticeFixture, supervisor: Person) -> Person:
    return practice.add("clinician", supervisor=supervisor)


def set_goal(client: TestClient, practice: PracticeFixture, by: Person | None, staff_id: UUID, **fields: Any) -> Any:
    period = {"starts_on": "2026-03-01", "ends_on": "2026-03-31"}
    body = {"staff_id": str(staff_id), "metric_key": "no_show_rate", "target": "7.5"} | period | fields
    return client.post(f"{V1}/goals", json=body, headers=auth_headers(practice, by))


def change_goal(
    client: TestClient, practice: PracticeFixture, goal: dict[str, Any], by: Person | None = None, **changes: Any
) -> Any:
    headers = auth_headers(practice, by, If_Match=f'"{goal["version"]}"')
    return client.patch(f"{V1}/goals/{goal['id']}", json=changes, headers=headers)


def list_goals(
    client: TestClient, practice: PracticeFixture, by: Person | None = None, **query: Any
) -> list[dict[str, Any]]:
    return assert_ok(client.get(f"{V1}/goals", params=query, headers=auth_headers(practice, by)))["items"]


def test_a_goal_is_set_read_and_changed(client: TestClient, practice: PracticeFixture, clinician: Person) -> None:
    response = set_goal(client, practice, None, clinician.staff_id)
    assert response.status_code == 201
    goal = response.json()
    assert (goal["status"], goal["target"], goal["value"]) == ("ACTIVE", "7.50", None)
    assert assert_ok(client.get(f"{V1}/goals/{goal['id']}", headers=auth_headers(practice, clinician))) == goal
    changed = assert_ok(change_goal(client, practice, goal, target="5.25", ends_on="2026-04-30"))
    assert (changed["target"], changed["ends_on"], changed["starts_on"]) == ("5.25", "2026-04-30", "2026-03-01")
    assert change_goal(client, practice, goal, target="4").status_code == 412
    assert [item["id"] for item in list_goals(client, practice, status="ACTIVE")] == [goal["id"]]
    assert list_goals(client, practice, status="MISSED") == []


def test_all_problems_of_a_goal_are_reported_together(client: TestClient, practice: PracticeFixture) -> None:
    answer = set_goal(
        client, practice, None, new_id(), metric_key="happiness", starts_on="2026-02-01", ends_on="2026-01-31"
    )
    details = {problem["field"]: problem["message"] for problem in answer.json()["error"]["details"]}
    assert (answer.status_code, len(answer.json()["error"]["details"])) == (422, 4)
    assert "the API document lists" in details["metric_key"]


def test_the_api_document_lists_the_metrics_of_a_goal(client: TestClient) -> None:
    document = client.get(f"{V1}/openapi.json").json()
    metric_key = document["components"]["schemas"]["GoalIn"]["properties"]["metric_key"]
    assert set(metric_key["enum"]) == set(METRICS)
    assert metric_key["description"]


@pytest.mark.parametrize("target", ["-1", "1.234", "10000000000", "NaN", "Infinity", "many"])
def test_a_target_has_at_most_two_decimals(
    client: TestClient, practice: PracticeFixture, clinician: Person, target: str
) -> None:
    assert set_goal(client, practice, None, clinician.staff_id, target=target).status_code == 422


def test_supervisors_set_goals_for_their_team_and_people_see_their_own(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person
) -> None:
    other = practice.add("clinician")
    own_goal = set_goal(client, practice, supervisor, clinician.staff_id).json()
    other_goal = set_goal(client, practice, None, other.staff_id).json()
    answer = set_goal(client, practice, supervisor, other.staff_id)
    assert (answer.status_code, "staff_id" in answer.text) == (422, True)
    assert change_goal(client, practice, other_goal, supervisor, target="1").status_code == 404
    assert set_goal(client, practice, clinician, clinician.staff_id).status_code == 403
    for person in (supervisor, clinician):
        assert [item["id"] for item in list_goals(client, practice, person)] == [own_goal["id"]]
        assert client.get(f"{V1}/goals/{other_goal['id']}", headers=auth_headers(practice, person)).status_code == 404
    assert len(list_goals(client, practice)) == 2
    assert [item["id"] for item in list_goals(client, practice, staff_id=str(other.staff_id))] == [other_goal["id"]]


def test_a_goal_is_decided_once_after_its_end(client: TestClient, practice: PracticeFixture, clinician: Person) -> None:
    goal = set_goal(client, practice, None, clinician.staff_id).json()
    goal_id = UUID(goal["id"])
    with pytest.raises(Invalid), practice.work(now=NOW + timedelta(days=13)) as work:  # the 31st, its last day
        goals.decide_goal(work, goal_id, Decimal("7.5"))
    with practice.work(now=NOW + timedelta(days=14)) as work:
        goals.decide_goal(work, goal_id, Decimal("7.5"))
    with pytest.raises(goals.GoalDecided), practice.work(now=NOW + timedelta(days=15)) as work:
        goals.decide_goal(work, goal_id, Decimal(90))
    decided = assert_ok(client.get(f"{V1}/goals/{goal_id}", headers=auth_headers(practice, clinician)))
    assert (decided["status"], Decimal(decided["value"])) == ("ACHIEVED", Decimal("7.5"))
    answer = change_goal(client, practice, decided, target="1")
    assert (answer.status_code, error_code(answer)) == (409, "GOAL_DECIDED")


def test_a_voided_goal_is_not_listed(client: TestClient, practice: PracticeFixture, clinician: Person) -> None:
    goal = set_goal(client, practice, None, clinician.staff_id).json()
    url = f"{V1}/goals/{goal['id']}"
    assert void(client, url, auth_headers(practice), "Set twice").status_code == 204
    assert client.get(url, headers=auth_headers(practice)).status_code == 404
    assert list_goals(client, practice) == []
    (voided,) = list_goals(client, practice, voided=True)
    assert voided["void_reason"] == "Set twice"
