"""Status and primary clinician over HTTP: what counts from when, and what the record says of today."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.people.client_history import change_status
from practice.people.models.clients import ClientStatus
from practice.security.permissions import Scope
from tests.support.builders.people import PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client
from tests.support.drivers.clients import NEW, ask, good, problems, trail
from tests.support.drivers.waiting import second_waits


@pytest.fixture
def path(client: TestClient, practice: PracticeFixture) -> str:
    made = good(ask(client, practice, "POST", "/clients", None, NEW | {"admitted_on": "2026-01-05"}), 201)
    return f"/clients/{made['id']}"


def to(
    client: TestClient, practice: PracticeFixture, path: str, status: str, day: str | None = None, **more: Any
) -> Any:
    body = {"status": status, **({"effective_on": day} if day else {}), **more}
    return ask(client, practice, "POST", f"{path}/status", practice.admin, body)


def standing(answer: Any) -> tuple[str, str | None, str | None]:
    seen = good(answer)
    return seen["status"], seen["ended_on"], seen["end_reason"]


def test_a_status_counts_from_its_day_and_every_change_stays(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    moved = to(client, practice, path, "INACTIVE", "2026-02-01", reason="Moves away for a while")
    assert standing(moved) == ("INACTIVE", "2026-02-01", "INACTIVE")
    assert moved.headers["ETag"] == '"2"'
    assert standing(to(client, practice, path, "DISCHARGED", "2026-03-01")) == (
        "DISCHARGED",
        "2026-02-01",
        "DISCHARGED",
    )
    assert standing(to(client, practice, path, "ACTIVE")) == ("ACTIVE", None, None)
    assert standing(to(client, practice, path, "DISCHARGED", "2026-05-01")) == ("ACTIVE", "2026-05-01", "DISCHARGED")
    rows = good(ask(client, practice, "GET", f"{path}/statuses"))["items"]
    assert [(row["status"], row["effective_on"], row["reason"]) for row in rows] == [
        ("DISCHARGED", "2026-05-01", None),
        ("ACTIVE", "2026-03-18", None),
        ("DISCHARGED", "2026-03-01", None),
        ("INACTIVE", "2026-02-01", "Moves away for a while"),
        ("ACTIVE", "2026-01-05", None),
    ]
    assert {row["set_by"] for row in rows} == {str(practice.admin.account_id)}
    entries = trail(client, practice, "client.status_changed")
    assert len(entries) == 4
    assert "Moves away" not in str(entries)


def test_a_status_that_makes_no_sense_is_refused_with_the_reason(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    (said,) = problems(to(client, practice, path, "DISCHARGED", "2026-01-04"))
    assert "admitted on 2026-01-05" in said
    good(to(client, practice, path, "INACTIVE", "2026-02-01"))
    (said,) = problems(to(client, practice, path, "ACTIVE", "2026-03-19"))
    assert "not active today" in said
    good(to(client, practice, path, "ACTIVE", "2026-02-10"))
    (said,) = problems(to(client, practice, path, "DISCHARGED", "2026-02-09"))
    assert "2026-02-10" in said
    assert to(client, practice, path, "GONE").status_code == 422
    assert len(good(ask(client, practice, "GET", f"{path}/statuses"))["items"]) == 3


def test_a_planned_discharge_can_be_called_off(client: TestClient, practice: PracticeFixture, path: str) -> None:
    good(to(client, practice, path, "DISCHARGED", "2026-05-01"))
    (said,) = problems(to(client, practice, path, "ACTIVE"))
    assert "2026-05-01" in said
    assert standing(to(client, practice, path, "ACTIVE", "2026-05-01")) == ("ACTIVE", None, None)


def test_an_end_that_came_without_a_history_counts(client: TestClient, practice: PracticeFixture) -> None:
    ended = make_client(practice, ended_on=date(2025, 8, 1), end_reason="INACTIVE", admitted_on=date(2025, 8, 1))
    assert standing(to(client, practice, f"/clients/{ended}", "DISCHARGED"))[0] == "DISCHARGED"
    with practice.installation.store.session_in(practice.id) as db:
        rows = db.query(ClientStatus).filter_by(client_id=ended).count()
    assert rows == 2


def test_of_two_changes_of_status_at_once_the_second_waits(practice: PracticeFixture) -> None:
    me = make_client(practice)
    second_waits(practice, lambda work: change_status(work, Scope.ALL, me, "INACTIVE"))


def test_clients_see_their_status_and_not_why(client: TestClient, practice: PracticeFixture) -> None:
    me = make_portal_client(practice, practice.add("clinician"))
    path = f"/clients/{me.staff_id}"
    good(to(client, practice, path, "INACTIVE", reason="Does not come"))
    (first, _) = good(ask(client, practice, "GET", f"{path}/statuses", me))["items"]
    assert (first["status"], first["reason"]) == ("INACTIVE", None)
    assert ask(client, practice, "POST", f"{path}/status", me, {"status": "ACTIVE"}).status_code == 403


# In whose care


def put_into_care(
    client: TestClient, practice: PracticeFixture, path: str, who: UUID | None, day: str | None = None
) -> Any:
    body = {"clinician_id": who and str(who)} | ({"effective_on": day} if day else {})
    return ask(client, practice, "POST", f"{path}/primary-clinician", practice.admin, body)


def test_a_client_changes_hands_and_every_change_stays(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    one, other = practice.add("clinician"), practice.add("clinician", "supervisor")
    assert ask(client, practice, "GET", path, one).status_code == 404
    seen = good(put_into_care(client, practice, path, one.staff_id, "2026-02-01"))
    assert seen["primary_clinician_id"] == str(one.staff_id)
    assert ask(client, practice, "GET", path, one).status_code == 200
    good(put_into_care(client, practice, path, other.staff_id))
    assert ask(client, practice, "GET", path, one).status_code == 404
    assert good(put_into_care(client, practice, path, None))["primary_clinician_id"] is None
    rows = good(ask(client, practice, "GET", f"{path}/primary-clinician"))["items"]
    assert [(row["clinician_id"], row["effective_on"]) for row in rows] == [
        (None, "2026-03-18"),
        (str(other.staff_id), "2026-03-18"),
        (str(one.staff_id), "2026-02-01"),
    ]


def test_a_client_is_given_to_clinicians_who_are_here(client: TestClient, practice: PracticeFixture, path: str) -> None:
    gone = practice.add("clinician")
    body = {"left_on": "2026-03-17"}
    good(ask(client, practice, "POST", f"/staff/{gone.staff_id}/deactivate", practice.admin, body))
    assert "has left" in problems(put_into_care(client, practice, path, gone.staff_id))[0]
    assert "no clinician" in problems(put_into_care(client, practice, path, practice.admin.staff_id))[0]
    assert len(problems(put_into_care(client, practice, path, gone.staff_id, "2026-03-19"))) == 2
    good(put_into_care(client, practice, path, None, "2026-03-10"))
    assert "2026-03-10" in problems(put_into_care(client, practice, path, None, "2026-03-09"))[0]
