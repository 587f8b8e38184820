"""Metrics over HTTP: values and the rows behind them, by role, and values read from the records."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.metric_dictionary import METRICS
from practice.people.settings import change_setting
from practice.security.installation import Installation
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.published import add_measured_sessions, publish_metrics
from tests.support.builders.sessions import SessionBuilder
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code

DAY = timedelta(days=1)
MONTH = {"from": NOW.date().replace(day=1).isoformat(), "period": "month"}


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
    return client.get(f"{V1}/metrics{path}", params=query, headers=auth_headers(practice, by))


def list_values(client: TestClient, practice: PracticeFixture, by: Person | None = None, **query: Any) -> Any:
    return assert_ok(get(client, practice, "", by, **MONTH | query))["items"]


def test_values_are_those_of_the_last_refresh(
    client: TestClient, practice: PracticeFixture, clinician: Person, sessions: SessionBuilder
) -> None:
    assert error_code(get(client, practice, "")) == "NO_REFRESH"
    publish_metrics(practice)
    answer = assert_ok(get(client, practice, "", **MONTH, metric="kept_visit_rate", entity_id=str(clinician.staff_id)))
    assert answer["refresh"]["age_seconds"] == 0
    (value,) = [item for item in answer["items"] if item["entity_kind"] == "clinician"]
    kept = {"numerator": 2.0, "denominator": 3.0, "value": "66.67", "status": "alert"}
    assert {name: value[name] for name in kept} == kept
    assert value["entity_name"]
    several = list_values(client, practice, metric=["kept_visit_rate", "no_show_rate"], entity_kind="practice")
    assert [(item["metric_key"], item["numerator"], item["entity_id"]) for item in several] == [
        ("kept_visit_rate", 3.0, None),
        ("no_show_rate", 1.0, None),
    ]
    assert {item["metric_key"] for item in list_values(client, practice, entity_kind="practice")} >= {"days_in_ar"}


def test_each_role_sees_its_own(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person, sessions: SessionBuilder
) -> None:
    publish_metrics(practice)

    def seen(by: Person | None) -> set[tuple[str, str | None]]:
        return {(item["entity_kind"], item["entity_id"]) for item in list_values(client, practice, by)}

    own = ("clinician", str(clinician.staff_id))
    assert seen(clinician) == {own}
    assert seen(supervisor) == {own, ("team", str(supervisor.staff_id))}
    assert ("practice", None) in seen(None)
    assert len(seen(None)) == 4
    scheduler, biller, analyst = practice.add("scheduler"), practice.add("biller"), practice.add("analyst")
    for role, person in (("schedule", scheduler), ("money", biller)):
        categories = {METRICS[item["metric_key"]].category for item in list_values(client, practice, person)}
        assert role in categories
        assert not categories & {"productivity", "documentation", "supervision", "quality", "risk"}
        assert seen(person) == seen(None)
    values = list_values(client, practice, analyst)
    assert len({item["metric_key"] for item in values}) == len(METRICS)
    assert {item["entity_name"] for item in values} == {None}


def test_rows_add_up_and_name_clients_for_those_who_may_see_them(
    client: TestClient, practice: PracticeFixture, clinician: Person, other: Person, sessions: SessionBuilder
) -> None:
    publish_metrics(practice)
    query = {"start": MONTH["from"], "entity_kind": "clinician", "entity_id": "me"}
    answer = assert_ok(get(client, practice, "/kept_visit_rate/rows", clinician, **query))
    assert (answer["count"], answer["numerator"], answer["denominator"]) == (3, 2.0, 3.0)
    assert [row["reason"] for row in answer["items"]] == ["completed", "no-show or cancelled", "completed"]
    assert {row["client_id"] for row in answer["items"]} == {str(sessions.client)}
    assert all(row["client_name"] and row["at"] and row["status"] for row in answer["items"])

    query["limit"] = 2
    first = assert_ok(get(client, practice, "/kept_visit_rate/rows", clinician, **query))
    page = {"offset": first["next_offset"], "refresh_id": first["refresh"]["id"]}
    rest = assert_ok(get(client, practice, "/kept_visit_rate/rows", clinician, **query, **page))
    assert [*first["items"], *rest["items"]] == answer["items"]
    assert rest["next_offset"] is None
    beyond = assert_ok(get(client, practice, "/kept_visit_rate/rows", clinician, **query, offset=50))
    assert (beyond["items"], beyond["count"], beyond["denominator"]) == ([], 3, 3.0)
    publish_metrics(practice)
    assert error_code(get(client, practice, "/kept_visit_rate/rows", clinician, **query, **page)) == "ROWS_UNAVAILABLE"

    for kind, entity in (("clinician", other.staff_id), ("clinician", new_id()), ("team", clinician.staff_id)):
        foreign = query | {"entity_kind": kind, "entity_id": str(entity)}
        refused = get(client, practice, "/kept_visit_rate/rows", clinician, **foreign)
        assert (refused.status_code, error_code(refused)) == (404, "NO_SUCH_VALUE")
    analyst = practice.add("analyst")
    assert get(client, practice, "/kept_visit_rate/rows", analyst, start=MONTH["from"]).status_code == 403
    trail = assert_ok(client.get(f"{V1}/audit", params={"action": "metrics.rows"}, headers=auth_headers(practice)))
    assert [str(sessions.client)] in [entry["details"]["client_ids"] for entry in trail["items"]]


def test_a_former_supervisor_sees_sums_but_no_clients(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person, sessions: SessionBuilder
) -> None:
    publish_metrics(practice)
    query = {"start": MONTH["from"], "entity_kind": "team", "entity_id": "me"}
    before = assert_ok(get(client, practice, "/kept_visit_rate/rows", supervisor, **query))
    assert {row["client_id"] for row in before["items"]} == {str(sessions.client)}
    with practice.work() as work:
        work.db.execute(text("update staff set supervisor_id = null"))
    after = assert_ok(get(client, practice, "/kept_visit_rate/rows", supervisor, **query))
    assert (after["numerator"], after["denominator"]) == (before["numerator"], before["denominator"]) == (2.0, 3.0)
    hidden = ("id", "client_id", "client_name", "at", "status")
    assert {row[name] for row in after["items"] for name in hidden} == {None}


def test_values_of_this_moment_equal_those_of_a_refresh(
    client: TestClient, practice: PracticeFixture, clinician: Person, sessions: SessionBuilder
) -> None:
    for days in range(10, 16):  # beyond the threshold of six
        sessions.add_session(NOW - days * DAY)
    with practice.work() as work:
        change_setting(work, "kept_visit_rate_alert_below", 95, NOW.date())
    publish_metrics(practice)
    for query, kind in (({}, "practice"), ({"clinician_id": str(clinician.staff_id)}, "clinician")):
        for period in ("day", "week", "month", "quarter"):
            live = assert_ok(get(client, practice, "/live", period=period, **query))
            entity = {"entity_id": query["clinician_id"]} if query else {}
            span = {"period": period, "from": live["period_start"], "to": live["period_start"], "entity_kind": kind}
            values = list_values(client, practice, **span, **entity)
            published = {value["metric_key"]: value for value in values}
            rate, backlog = published["kept_visit_rate"], published["unsigned_note_backlog"]
            fields = ("numerator", "denominator", "value", "status")
            assert live["kept_visit_rate"] == {name: rate[name] for name in fields}
            assert live["unsigned_notes"]["late"] == backlog["numerator"] > 5
            assert live["unsigned_notes"]["status"] == backlog["status"] == "alert"
    own = assert_ok(get(client, practice, "/live", clinician, clinician_id="me"))
    assert own["unsigned_notes"]["count"] == own["unsigned_notes"]["late"] + 1
    assert assert_ok(get(client, practice, "/live", clinician)) == own
    other = practice.add("clinician")
    assert get(client, practice, "/live", clinician, clinician_id=str(other.staff_id)).status_code == 404
    sessions.add_session(NOW - timedelta(hours=2), status="NO_SHOW")
    now = assert_ok(get(client, practice, "/live", period="day"))
    assert now["appointments_today"] == {"NO_SHOW": 1}
    assert Decimal(now["kept_visit_rate"]["value"]) == 0


def test_the_dictionary_shows_the_bounds_in_force(client: TestClient, practice: PracticeFixture) -> None:
    with practice.work() as work:
        change_setting(work, "kept_visit_rate_target_at_least", 88, NOW.date())
    items = {item["key"]: item for item in assert_ok(get(client, practice, "/dictionary"))["items"]}
    assert len(items) == len(METRICS)
    assert items["kept_visit_rate"]["bounds"] == {"target_at_least": 88, "alert_below": 80}


def test_wrong_queries_are_refused(
    client: TestClient, practice: PracticeFixture, installation: Installation, sessions: SessionBuilder
) -> None:
    publish_metrics(practice)
    unknown = get(client, practice, "", metric="happiness")
    assert (unknown.status_code, error_code(unknown)) == (422, "UNKNOWN_METRIC")
    assert error_code(get(client, practice, "/happiness/rows", start=MONTH["from"])) == "UNKNOWN_METRIC"
    assert error_code(get(client, practice, "", period="day")) == "TOO_MANY_VALUES"
    assert assert_ok(get(client, practice, "", **{"from": "2099-01-01"}))["items"] == []
    assert error_code(get(client, practice, "/kept_visit_rate/rows", start="2026-03-02")) == "NO_SUCH_VALUE"
    somebody = {"start": MONTH["from"], "entity_kind": "clinician", "entity_id": str(new_id())}
    assert error_code(get(client, practice, "/kept_visit_rate/rows", **somebody)) == "NO_SUCH_VALUE"
    file = installation.settings.warehouse / practice.id.hex / "warehouse.duckdb"
    file.write_bytes(b"damaged")
    assert error_code(get(client, practice, "/kept_visit_rate/rows", start=MONTH["from"])) == "ROWS_UNAVAILABLE"
    file.unlink()
    assert error_code(get(client, practice, "/kept_visit_rate/rows", start=MONTH["from"])) == "ROWS_UNAVAILABLE"
    publish_metrics(practice)
    assert_ok(get(client, practice, "/kept_visit_rate/rows", start=MONTH["from"]))
