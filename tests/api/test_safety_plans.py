"""Safety plans over HTTP: which clients need one, and which are missing or expired."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.clinical.models.notes import Note
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import put
from tests.support.drivers.chart import ChartApi
from tests.support.drivers.http import assert_ok, error_code

TODAY = date(2026, 3, 18)
DAY = timedelta(days=1)


@pytest.fixture
def chart(client: TestClient, practice: PracticeFixture) -> ChartApi:
    return ChartApi(client, practice)


def add_client_at_risk(chart: ChartApi, last_name: str, **fields: Any) -> UUID:
    return chart.add_client(last_name=last_name, **{"high_risk_since": date(2026, 1, 5)} | fields)


def sign(chart: ChartApi, client_id: UUID, at: datetime | None = NOW, **fields: Any) -> None:
    signature = {"status": "SIGNED", "signed_at": at, "signed_by_id": chart.clinician.staff_id} if at else {}
    base = {"client_id": client_id, "clinician_id": chart.clinician.staff_id, "created_at": NOW}
    put(chart.practice, Note(id=new_id(), **base | {"type": "SAFETY_PLAN", "status": "DRAFT"} | signature | fields))


def read_state(chart: ChartApi, client_id: UUID) -> str:
    return assert_ok(chart.get(f"/clients/{client_id}/safety-plan"))["state"]


def list_due(chart: ChartApi, person: Person | None = None, query: str = "") -> list[tuple[str, str]]:
    items = assert_ok(chart.get(f"/safety-plans/due?limit=100{query}", person))["items"]
    return [(item["last_name"], item["state"]) for item in items]


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        ({}, True),
        ({"high_risk_since": TODAY}, True),
        ({"high_risk_since": TODAY + DAY}, False),
        ({"high_risk_since": None}, False),
        ({"high_risk_until": TODAY + DAY}, True),
        ({"high_risk_until": TODAY}, False),
        ({"ended_on": TODAY + DAY}, True),
        ({"ended_on": TODAY}, False),
    ],
)
def test_clients_at_high_risk_today_need_a_safety_plan(chart: ChartApi, fields: dict[str, Any], needed: bool) -> None:
    client_id = add_client_at_risk(chart, "Risk", **fields)
    assert read_state(chart, client_id) == ("missing" if needed else "not_applicable")
    assert list_due(chart) == ([("Risk", "missing")] if needed else [])
    sign(chart, client_id)
    assert read_state(chart, client_id) == ("ok" if needed else "not_applicable")
    assert list_due(chart) == []


def test_a_signed_safety_plan_is_current_for_a_year(chart: ChartApi) -> None:
    client_id = add_client_at_risk(chart, "Risk")
    sign(chart, client_id, None)
    sign(chart, client_id, type="SOAP_NOTE")
    sign(chart, client_id, voided_at=NOW)
    assert read_state(chart, client_id) == "missing"
    sign(chart, client_id, NOW - 366 * DAY)
    assert read_state(chart, client_id) == "expired"
    assert list_due(chart) == [("Risk", "expired")]
    sign(chart, client_id, NOW - 365 * DAY, status="AMENDED")
    items = assert_ok(chart.get(f"/clients/{client_id}/safety-plan"))
    assert (items["state"], items["current_until"]) == ("ok", "2026-03-18")
    assert list_due(chart) == []


def test_the_list_starts_with_clients_who_never_had_one(chart: ChartApi) -> None:
    expired = add_client_at_risk(chart, "Expired")
    sign(chart, expired, NOW - 400 * DAY)
    add_client_at_risk(chart, "Missing")
    add_client_at_risk(chart, "Strange", primary_clinician_id=chart.stranger.staff_id)
    assert list_due(chart) == [("Missing", "missing"), ("Expired", "expired")]
    assert list_due(chart, query="&state=expired") == [("Expired", "expired")]
    assert list_due(chart, query="&state=missing") == [("Missing", "missing")]
    assert list_due(chart, chart.stranger) == [("Strange", "missing")]
    assert len(list_due(chart, chart.supervisor)) == 2
    assert len(list_due(chart, chart.practice.admin)) == 3
    assert list_due(chart, chart.practice.admin, f"&clinician_id={chart.stranger.staff_id}") == [("Strange", "missing")]
    page = assert_ok(chart.get("/safety-plans/due?limit=1"))
    rest = assert_ok(chart.get(f"/safety-plans/due?limit=1&cursor={page['next_cursor']}"))
    assert [item["last_name"] for item in page["items"] + rest["items"]] == ["Missing", "Expired"]
    assert rest["next_cursor"] is None


def test_a_practice_sets_how_long_a_safety_plan_is_current(chart: ChartApi) -> None:
    client_id = add_client_at_risk(chart, "Risk")
    sign(chart, client_id, NOW - 31 * DAY)
    assert read_state(chart, client_id) == "ok"
    body = {"value": 30, "effective_on": "2026-03-18"}
    assert_ok(chart.send("POST", "/settings/safety_plan_days", chart.practice.admin, body), 201)
    assert read_state(chart, client_id) == "expired"
    assert list_due(chart) == [("Risk", "expired")]


def test_safety_plan_status_is_visible_to_those_who_can_read_plans(chart: ChartApi) -> None:
    client_id = add_client_at_risk(chart, "Risk")
    for path in ("/safety-plans/due", f"/clients/{client_id}/safety-plan"):
        for person in (chart.clinician, chart.supervisor, chart.practice.admin):
            assert_ok(chart.get(path, person))
        assert error_code(chart.send("GET", path, chart.practice.admin)) == "REASON_MISSING"
        for person in (chart.client, chart.practice.add("scheduler"), chart.practice.add("biller")):
            assert chart.get(path, person).status_code == 403
    assert chart.get(f"/clients/{client_id}/safety-plan", chart.stranger).status_code == 404
