"""Who needs a safety plan and has none."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.clinical.models.notes import Note
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import put
from tests.support.drivers.chart import Chart
from tests.support.drivers.clients import good
from tests.support.drivers.http import code_of

TODAY = date(2026, 3, 18)
DAY = timedelta(days=1)


@pytest.fixture
def chart(client: TestClient, practice: PracticeFixture) -> Chart:
    return Chart(client, practice)


def at_risk(chart: Chart, last_name: str, **more: Any) -> UUID:
    return chart.new_client(last_name=last_name, **{"high_risk_since": date(2026, 1, 5)} | more)


def sign(chart: Chart, client_id: UUID, at: datetime | None = NOW, **more: Any) -> None:
    signed = {"status": "SIGNED", "signed_at": at, "signed_by_id": chart.clinician.staff_id} if at else {}
    about = {"client_id": client_id, "clinician_id": chart.clinician.staff_id, "created_at": NOW}
    put(chart.practice, Note(id=new_id(), **about | {"type": "SAFETY_PLAN", "status": "DRAFT"} | signed | more))


def state(chart: Chart, client_id: UUID) -> str:
    return good(chart.get(f"/clients/{client_id}/safety-plan"))["state"]


def due(chart: Chart, who: Person | None = None, query: str = "") -> list[tuple[str, str]]:
    found = good(chart.get(f"/safety-plans/due?limit=100{query}", who))["items"]
    return [(one["last_name"], one["state"]) for one in found]


@pytest.mark.parametrize(
    ("more", "needed"),
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
def test_whoever_is_at_high_risk_today_needs_one(chart: Chart, more: dict[str, Any], needed: bool) -> None:
    client_id = at_risk(chart, "Risk", **more)
    assert state(chart, client_id) == ("missing" if needed else "not_applicable")
    assert due(chart) == ([("Risk", "missing")] if needed else [])
    sign(chart, client_id)
    assert state(chart, client_id) == ("ok" if needed else "not_applicable")
    assert due(chart) == []


def test_only_a_signed_safety_plan_counts_and_for_a_year(chart: Chart) -> None:
    client_id = at_risk(chart, "Risk")
    sign(chart, client_id, None)
    sign(chart, client_id, type="SOAP_NOTE")
    sign(chart, client_id, voided_at=NOW)
    assert state(chart, client_id) == "missing"
    sign(chart, client_id, NOW - 366 * DAY)
    assert state(chart, client_id) == "expired"
    assert due(chart) == [("Risk", "expired")]
    sign(chart, client_id, NOW - 365 * DAY, status="AMENDED")
    found = good(chart.get(f"/clients/{client_id}/safety-plan"))
    assert (found["state"], found["current_until"]) == ("ok", "2026-03-18")
    assert due(chart) == []


def test_the_list_begins_with_those_who_never_had_one(chart: Chart) -> None:
    late = at_risk(chart, "Expired")
    sign(chart, late, NOW - 400 * DAY)
    at_risk(chart, "Missing")
    at_risk(chart, "Strange", primary_clinician_id=chart.stranger.staff_id)
    assert due(chart) == [("Missing", "missing"), ("Expired", "expired")]
    assert due(chart, query="&state=expired") == [("Expired", "expired")]
    assert due(chart, query="&state=missing") == [("Missing", "missing")]
    assert due(chart, chart.stranger) == [("Strange", "missing")]
    assert len(due(chart, chart.supervisor)) == 2
    assert len(due(chart, chart.practice.admin)) == 3
    assert due(chart, chart.practice.admin, f"&clinician_id={chart.stranger.staff_id}") == [("Strange", "missing")]
    page = good(chart.get("/safety-plans/due?limit=1"))
    rest = good(chart.get(f"/safety-plans/due?limit=1&cursor={page['next_cursor']}"))
    assert [one["last_name"] for one in page["items"] + rest["items"]] == ["Missing", "Expired"]
    assert rest["next_cursor"] is None


def test_a_practice_sets_for_how_long_one_is_current(chart: Chart) -> None:
    client_id = at_risk(chart, "Risk")
    sign(chart, client_id, NOW - 31 * DAY)
    assert state(chart, client_id) == "ok"
    body = {"value": 30, "effective_on": "2026-03-18"}
    good(chart.send("POST", "/settings/safety_plan_days", chart.practice.admin, body), 201)
    assert state(chart, client_id) == "expired"
    assert due(chart) == [("Risk", "expired")]


def test_who_needs_one_is_seen_by_who_may_read_plans(chart: Chart) -> None:
    client_id = at_risk(chart, "Risk")
    for path in ("/safety-plans/due", f"/clients/{client_id}/safety-plan"):
        for who in (chart.clinician, chart.supervisor, chart.practice.admin):
            good(chart.get(path, who))
        assert code_of(chart.send("GET", path, chart.practice.admin)) == "REASON_MISSING"
        for who in (chart.me, chart.practice.add("scheduler"), chart.practice.add("biller")):
            assert chart.get(path, who).status_code == 403
    assert chart.get(f"/clients/{client_id}/safety-plan", chart.stranger).status_code == 404
