"""Performance goals over HTTP: whose they are, what may change, and how one is decided."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.errors import Invalid
from practice.people import goals
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.drivers.http import V1, bearer, code_of
from tests.support.drivers.sign_in_flow import ok


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    return practice.add("supervisor")


@pytest.fixture
def clinician(practice: PracticeFixture, supervisor: Person) -> Person:
    return practice.add("clinician", supervisor=supervisor)


def ask(client: TestClient, practice: PracticeFixture, by: Person | None, staff_id: UUID, **more: Any) -> Any:
    span = {"starts_on": "2026-03-01", "ends_on": "2026-03-31"}
    body = {"staff_id": str(staff_id), "metric_key": "no_show_rate", "target": "7.5"} | span | more
    return client.post(f"{V1}/goals", json=body, headers=bearer(practice, by))


def change(
    client: TestClient, practice: PracticeFixture, goal: dict[str, Any], by: Person | None = None, **changes: Any
) -> Any:
    headers = bearer(practice, by, If_Match=f'"{goal["version"]}"')
    return client.patch(f"{V1}/goals/{goal['id']}", json=changes, headers=headers)


def listed(
    client: TestClient, practice: PracticeFixture, by: Person | None = None, **query: Any
) -> list[dict[str, Any]]:
    return ok(client.get(f"{V1}/goals", params=query, headers=bearer(practice, by)))["items"]


def test_a_goal_is_set_seen_and_changed(client: TestClient, practice: PracticeFixture, clinician: Person) -> None:
    set_ = ask(client, practice, None, clinician.staff_id)
    assert set_.status_code == 201
    goal = set_.json()
    assert (goal["status"], goal["target"], goal["value"]) == ("ACTIVE", "7.50", None)
    assert ok(client.get(f"{V1}/goals/{goal['id']}", headers=bearer(practice, clinician))) == goal
    changed = ok(change(client, practice, goal, target="5.25", ends_on="2026-04-30"))
    assert (changed["target"], changed["ends_on"], changed["starts_on"]) == ("5.25", "2026-04-30", "2026-03-01")
    assert change(client, practice, goal, target="4").status_code == 412
    assert [item["id"] for item in listed(client, practice, status="ACTIVE")] == [goal["id"]]
    assert listed(client, practice, status="MISSED") == []


def test_all_that_is_wrong_with_a_goal_is_said_at_once(client: TestClient, practice: PracticeFixture) -> None:
    answer = ask(client, practice, None, new_id(), metric_key="happiness", starts_on="2026-02-01", ends_on="2026-01-31")
    assert (answer.status_code, len(answer.json()["error"]["details"]["problems"])) == (422, 4)


@pytest.mark.parametrize("target", ["-1", "1.234", "10000000000", "NaN", "Infinity", "many"])
def test_a_target_is_a_number_of_two_decimals(
    client: TestClient, practice: PracticeFixture, clinician: Person, target: str
) -> None:
    assert ask(client, practice, None, clinician.staff_id, target=target).status_code == 422


def test_goals_are_for_the_own_team_and_seen_by_their_person(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person
) -> None:
    other = practice.add("clinician")
    own = ask(client, practice, supervisor, clinician.staff_id).json()
    foreign = ask(client, practice, None, other.staff_id).json()
    answer = ask(client, practice, supervisor, other.staff_id)
    assert (answer.status_code, "staff_id" in answer.text) == (422, True)
    assert change(client, practice, foreign, supervisor, target="1").status_code == 404
    assert ask(client, practice, clinician, clinician.staff_id).status_code == 403
    for person in (supervisor, clinician):
        assert [item["id"] for item in listed(client, practice, person)] == [own["id"]]
        assert client.get(f"{V1}/goals/{foreign['id']}", headers=bearer(practice, person)).status_code == 404
    assert len(listed(client, practice)) == 2
    assert [item["id"] for item in listed(client, practice, staff_id=str(other.staff_id))] == [foreign["id"]]


def test_a_goal_is_decided_once_after_its_end(client: TestClient, practice: PracticeFixture, clinician: Person) -> None:
    goal = ask(client, practice, None, clinician.staff_id).json()
    goal_id = UUID(goal["id"])
    with pytest.raises(Invalid), practice.work(now=NOW + timedelta(days=13)) as work:  # the 31st, its last day
        goals.decide_goal(work, goal_id, Decimal("7.5"))
    with practice.work(now=NOW + timedelta(days=14)) as work:
        goals.decide_goal(work, goal_id, Decimal("7.5"))
    with pytest.raises(goals.GoalDecided), practice.work(now=NOW + timedelta(days=15)) as work:
        goals.decide_goal(work, goal_id, Decimal(90))
    decided = ok(client.get(f"{V1}/goals/{goal_id}", headers=bearer(practice, clinician)))
    assert (decided["status"], Decimal(decided["value"])) == ("ACHIEVED", Decimal("7.5"))
    answer = change(client, practice, decided, target="1")
    assert (answer.status_code, code_of(answer)) == (409, "GOAL_DECIDED")


def test_a_voided_goal_is_gone_from_the_lists(client: TestClient, practice: PracticeFixture, clinician: Person) -> None:
    goal = ask(client, practice, None, clinician.staff_id).json()
    url = f"{V1}/goals/{goal['id']}"
    assert client.delete(url, params={"reason": "Set twice"}, headers=bearer(practice)).status_code == 204
    assert client.get(url, headers=bearer(practice)).status_code == 404
    assert listed(client, practice) == []
    (voided,) = listed(client, practice, voided=True)
    assert voided["void_reason"] == "Set twice"
