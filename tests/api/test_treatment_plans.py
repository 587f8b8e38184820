"""Treatment plans over HTTP: start, reviews, changes, voids, access, and due reviews."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.clinical.models.notes import Note
from practice.clinical.models.plans import TreatmentPlanReview
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_service, put
from tests.support.drivers.chart import ChartApi
from tests.support.drivers.clients import load_audit_entries
from tests.support.drivers.http import assert_invalid, assert_ok, error_code
from tests.support.harness import cluster

TODAY = date(2026, 3, 18)
DAY = timedelta(days=1)


@pytest.fixture
def chart(client: TestClient, practice: PracticeFixture) -> ChartApi:
    return ChartApi(client, practice)


def start(chart: ChartApi, by: Person | None = None, **fields: Any) -> Any:
    return chart.post("/treatment-plans", by, **{"client_id": str(chart.client_id), "kind": "CBT"} | fields)


def add_review(chart: ChartApi, by: Person | None = None, **fields: Any) -> Any:
    return chart.post("/treatment-plan-reviews", by, **{"client_id": str(chart.client_id)} | fields)


def import_review(chart: ChartApi, day: date, client_id: UUID | None = None, **fields: Any) -> UUID:
    """Store a review as an import does, without a plan."""
    row = TreatmentPlanReview(
        id=new_id(),
        client_id=client_id or chart.client_id,
        clinician_id=chart.clinician.staff_id,
        reviewed_on=day,
        created_at=NOW,
        **fields,
    )
    put(chart.practice, row)
    return row.id


def list_reviews(chart: ChartApi) -> list[tuple[str, str | None]]:
    items = assert_ok(chart.get(f"/treatment-plan-reviews?client_id={chart.client_id}"))["items"]
    return [(item["reviewed_on"], item["plan_id"]) for item in items]


def read_state(chart: ChartApi, client_id: UUID | None = None) -> tuple[str, int | None]:
    body = assert_ok(chart.get(f"/clients/{client_id or chart.client_id}/treatment-plan"))
    return body["state"], body["days_since"]


def test_a_new_plan_counts_as_reviewed_on_its_first_day(chart: ChartApi) -> None:
    assert read_state(chart) == ("missing", None)
    plan = assert_ok(start(chart, starts_on="2026-01-12"), 201)
    assert plan["changes_treatment"] is False
    assert list_reviews(chart) == [("2026-01-12", plan["id"])]
    state = assert_ok(chart.get(f"/clients/{chart.client_id}/treatment-plan"))
    assert (state["state"], state["days_since"], state["review_by"]) == ("ok", 65, "2026-04-12")
    assert state["plan"]["id"] == plan["id"]
    assert (state["plan"]["kind"], state["plan"]["starts_on"]) == ("CBT", "2026-01-12")
    again = assert_ok(chart.get(f"/treatment-plans/{plan['id']}"))
    assert again == {name: value for name, value in plan.items() if name != "changes_treatment"}
    assert len(load_audit_entries(chart.http, chart.practice, "treatment_plan.begun", chart.client_id)) == 1


def test_a_review_belongs_to_the_plan_in_force_on_its_day(chart: ChartApi) -> None:
    first = assert_ok(start(chart, starts_on="2025-08-04"), 201)
    second = assert_ok(start(chart, starts_on="2026-01-12", kind="EMDR"), 201)
    assert second["changes_treatment"] is True
    today = assert_ok(add_review(chart), 201)
    assert (today["reviewed_on"], today["plan_id"], today["summary"]) == ("2026-03-18", second["id"], None)
    assert (
        assert_ok(add_review(chart, reviewed_on="2025-10-31", summary="Sleeps better."), 201)["plan_id"] == first["id"]
    )
    assert read_state(chart) == ("ok", 0)
    assert [day for day, _ in list_reviews(chart)] == ["2026-03-18", "2026-01-12", "2025-10-31", "2025-08-04"]


def test_invalid_plans_and_reviews_are_refused(chart: ChartApi) -> None:
    wrong = start(chart, starts_on="2026-03-19", note_id=str(new_id()))
    assert ["future" in assert_invalid(wrong)[0], "note_id" in assert_invalid(wrong)[1]] == [True, True]
    assert "admitted" in assert_invalid(start(chart, starts_on="2025-06-01"))[0]
    assert "no plan" in assert_invalid(add_review(chart))[0]
    assert list_reviews(chart) == []
    plan = assert_ok(start(chart, starts_on="2026-01-12"), 201)
    for day, fragment in (("2026-03-19", "future"), ("2026-01-11", "The plan began on"), ("2026-01-12", "already")):
        assert fragment in assert_invalid(add_review(chart, reviewed_on=day))[0]
    assert list_reviews(chart) == [("2026-01-12", plan["id"])]


def test_the_note_of_a_plan_is_a_treatment_plan_note_of_its_client(chart: ChartApi) -> None:
    def note(**fields: Any) -> str:
        base = {"client_id": chart.client_id, "clinician_id": chart.clinician.staff_id, "created_at": NOW}
        record = Note(id=new_id(), status="DRAFT", **base | {"type": "TREATMENT_PLAN"} | fields)
        put(chart.practice, record)
        return str(record.id)

    for wrong in (note(type="SOAP_NOTE"), note(client_id=chart.add_client()), note(voided_at=NOW)):
        assert "note_id" in assert_invalid(start(chart, note_id=wrong))[0]
    corrected = note()
    plan = assert_ok(start(chart, note_id=corrected), 201)
    assert plan["note_id"] == corrected
    assert assert_ok(chart.patch(f"/treatment-plans/{plan['id']}", plan["version"], note_id=None))["note_id"] is None


def test_moving_a_plan_moves_its_first_review(chart: ChartApi) -> None:
    plan = assert_ok(start(chart, starts_on="2026-01-12"), 201)
    path = f"/treatment-plans/{plan['id']}"
    moved = assert_ok(chart.patch(path, plan["version"], starts_on="2026-01-05", kind="DBT"))
    assert (moved["starts_on"], moved["kind"]) == ("2026-01-05", "DBT")
    assert list_reviews(chart) == [("2026-01-05", plan["id"])]
    assert chart.patch(path, plan["version"], kind="X").status_code == 412
    assert_ok(add_review(chart, reviewed_on="2026-02-02"), 201)
    assert "reviewed on 2026-02-02" in assert_invalid(chart.patch(path, moved["version"], starts_on="2026-02-02"))[0]
    assert [day for day, _ in list_reviews(chart)] == ["2026-02-02", "2026-01-05"]


def test_a_voided_plan_voids_its_reviews_and_stays_on_record(chart: ChartApi) -> None:
    import_review(chart, date(2025, 12, 1))
    plan = assert_ok(start(chart, starts_on="2026-01-12"), 201)
    assert_ok(add_review(chart, reviewed_on="2026-02-02"), 201)
    assert chart.void(f"/treatment-plans/{plan['id']}").status_code == 204
    assert list_reviews(chart) == [("2025-12-01", None)]
    assert chart.get(f"/treatment-plans/{plan['id']}").status_code == 404
    stored = assert_ok(chart.get(f"/treatment-plan-reviews?client_id={chart.client_id}&voided=true&sort=reviewed_on"))[
        "items"
    ]
    assert [item["void_reason"] for item in stored] == [None, "Entered twice", "Entered twice"]
    (voided,) = assert_ok(chart.get(f"/treatment-plans?client_id={chart.client_id}&voided=true"))["items"]
    assert (voided["id"], voided["void_reason"]) == (plan["id"], "Entered twice")


def test_reviews_can_be_changed_and_voided_except_the_first(chart: ChartApi) -> None:
    plan = assert_ok(start(chart, starts_on="2026-01-12"), 201)
    (first,) = assert_ok(chart.get(f"/treatment-plan-reviews?client_id={chart.client_id}"))["items"]
    for answer in (
        chart.patch(f"/treatment-plan-reviews/{first['id']}", first["version"], reviewed_on="2026-01-13"),
        chart.void(f"/treatment-plan-reviews/{first['id']}"),
    ):
        assert (answer.status_code, error_code(answer)) == (409, "FIRST_REVIEW")
    updated = assert_ok(chart.patch(f"/treatment-plan-reviews/{first['id']}", first["version"], summary="It begins."))
    assert updated["summary"] == "It begins."
    later = assert_ok(add_review(chart, reviewed_on="2026-02-02", summary="Goes well."), 201)
    path = f"/treatment-plan-reviews/{later['id']}"
    for day, fragment in (("2026-01-12", "already"), ("2026-01-01", "The plan began on"), ("2026-03-19", "future")):
        assert fragment in assert_invalid(chart.patch(path, later["version"], reviewed_on=day))[0]
    moved = assert_ok(chart.patch(path, later["version"], reviewed_on="2026-02-03"))
    assert (moved["reviewed_on"], moved["summary"], moved["plan_id"]) == ("2026-02-03", "Goes well.", plan["id"])
    assert chart.patch(path, later["version"], summary="Late").status_code == 412
    assert assert_ok(chart.patch(path, moved["version"], summary=None))["summary"] is None
    assert chart.void(path).status_code == 204
    assert chart.get(path).status_code == 404
    assert read_state(chart) == ("ok", 65)


def test_an_imported_review_counts_and_can_be_corrected(chart: ChartApi) -> None:
    old = import_review(chart, date(2025, 11, 3))
    assert read_state(chart) == ("out_of_compliance", 135)
    assert_ok(start(chart, starts_on="2026-03-02"), 201)
    corrected = assert_ok(chart.patch(f"/treatment-plan-reviews/{old}", 1, reviewed_on="2025-11-04"))
    assert (corrected["reviewed_on"], corrected["plan_id"]) == ("2025-11-04", None)
    assert read_state(chart) == ("ok", 16)


def test_the_text_of_a_review_is_sealed(chart: ChartApi) -> None:
    assert_ok(start(chart, starts_on="2026-01-12"), 201)
    created = assert_ok(add_review(chart, summary="Canary of a summary"), 201)
    with cluster.connect_as_superuser(chart.practice.installation.store.database) as connection:
        stored = connection.execute(
            "select summary from treatment_plan_reviews where id = %s", (created["id"],)
        ).fetchone()
    assert stored is not None
    assert b"Canary" not in bytes(stored[0])
    assert assert_ok(chart.get(f"/treatment-plan-reviews/{created['id']}"))["summary"] == "Canary of a summary"
    listed = chart.get(f"/treatment-plan-reviews?client_id={chart.client_id}")
    assert "Canary" not in listed.text


def test_plans_are_readable_within_the_scope_of_a_role(chart: ChartApi) -> None:
    plan = assert_ok(start(chart, starts_on="2026-01-12"), 201)
    created = assert_ok(add_review(chart, summary="Calmer."), 201)
    paths = (f"/treatment-plans/{plan['id']}", f"/treatment-plan-reviews/{created['id']}")
    paths += (f"/clients/{chart.client_id}/treatment-plan",)
    for path in paths:
        for by in (chart.clinician, chart.supervisor, chart.practice.admin):
            assert_ok(chart.get(path, by))
        assert chart.get(path, chart.stranger).status_code == 404
        assert error_code(chart.send("GET", path, chart.practice.admin)) == "REASON_MISSING"
        assert chart.get(path, chart.client).status_code == 403
    for path in ("/treatment-plans", "/treatment-plan-reviews"):
        assert assert_ok(chart.get(path, chart.stranger))["items"] == []
        assert len(assert_ok(chart.get(path, chart.supervisor))["items"]) > 0
    (listed,) = load_audit_entries(chart.http, chart.practice, "treatment_plan.review_read", chart.client_id)[:1]
    assert listed["details"]["reason"] == "A complaint to look into"


def test_plans_are_written_by_treating_clinicians_and_changed_by_their_author(chart: ChartApi) -> None:
    for by in (chart.supervisor, chart.practice.admin, chart.practice.add("scheduler")):
        assert start(chart, by).status_code == 403
    assert "client_id" in assert_invalid(start(chart, chart.stranger))[0]
    assert "client_id" in assert_invalid(add_review(chart, chart.stranger))[0]
    plan = assert_ok(start(chart, starts_on="2026-01-12"), 201)
    chart.practice.add("clinician")
    other = chart.practice.people["clinician"]
    treat(chart, other)
    for answer in (
        chart.patch(f"/treatment-plans/{plan['id']}", 1, other, kind="X"),
        chart.void(f"/treatment-plans/{plan['id']}", other),
    ):
        assert (answer.status_code, error_code(answer)) == (403, "NOT_YOURS")
    other_review = assert_ok(add_review(chart, other), 201)
    assert_ok(chart.patch(f"/treatment-plan-reviews/{other_review['id']}", 1, summary="By the primary clinician"))


def treat(chart: ChartApi, by: Person) -> None:
    make_appointment(chart.practice, by, chart.client_id, make_service(chart.practice), NOW - 5 * DAY)


# Due reviews


def list_due(chart: ChartApi, by: Person | None = None, query: str = "") -> list[tuple[Any, ...]]:
    items = assert_ok(chart.get(f"/treatment-plans/due?limit=100{query}", by))["items"]
    return [(item["last_name"], item["state"], item["days_since"]) for item in items]


def test_due_plans_are_sorted_by_days_since_review(chart: ChartApi) -> None:
    for days_ago in (79, 80, 90, 91, 200):
        import_review(chart, TODAY - days_ago * DAY, chart.add_client(last_name=f"Day {days_ago}"))
    ended = chart.add_client(last_name="Ended", ended_on=TODAY)
    import_review(chart, TODAY - 200 * DAY, ended)
    renewed = chart.add_client(last_name="Renewed")
    import_review(chart, TODAY - 200 * DAY, renewed)
    import_review(chart, TODAY - 10 * DAY, renewed)
    voided_client = chart.add_client(last_name="Voided")
    import_review(chart, TODAY - 85 * DAY, voided_client)
    import_review(chart, TODAY - 5 * DAY, voided_client, voided_at=NOW)
    with chart.practice.installation.store.begin_session(chart.practice.id) as db:
        db.execute(text("update clients set last_name = 'Nobody' where id = :id"), {"id": chart.client_id})
    expected = [
        ("Nobody", "missing", None),
        ("Day 200", "out_of_compliance", 200),
        ("Day 91", "out_of_compliance", 91),
        ("Day 90", "alert", 90),
        ("Voided", "due", 85),
        ("Day 80", "due", 80),
    ]
    assert list_due(chart) == expected
    for state in ("due", "alert", "out_of_compliance", "missing"):
        assert list_due(chart, query=f"&state={state}") == [item for item in expected if item[1] == state]
    assert list_due(chart, chart.supervisor) == list_due(chart, chart.practice.admin) == expected
    assert list_due(chart, chart.stranger) == []
    assert list_due(chart, chart.practice.admin, f"&clinician_id={chart.stranger.staff_id}") == []
    assert list_due(chart, chart.practice.admin, f"&clinician_id={chart.clinician.staff_id}") == expected


def test_due_plans_are_paged(chart: ChartApi) -> None:
    expected_ids = {str(chart.client_id)}
    for days_ago in (100, 100, 90, 85):
        client_id = make_client(chart.practice, chart.clinician)
        import_review(chart, TODAY - days_ago * DAY, client_id)
        expected_ids.add(str(client_id))
    expected_ids.add(str(make_client(chart.practice, chart.clinician)))
    listed, cursor = [], ""
    while cursor is not None:
        page = assert_ok(chart.get(f"/treatment-plans/due?limit=2{cursor and '&cursor=' + cursor}"))
        listed += [item["client_id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(listed) == 6
    assert set(listed) == expected_ids
    assert chart.get("/treatment-plans/due?cursor=nonsense").status_code == 422


def test_review_periods_are_settings(chart: ChartApi) -> None:
    import_review(chart, TODAY - 31 * DAY)
    assert read_state(chart) == ("ok", 31)
    for key, value in (("plan_reminder_days", 20), ("plan_review_days", 30)):
        path, body = f"/settings/{key}", {"value": value, "effective_on": "2026-03-18"}
        assert_ok(chart.send("POST", path, chart.practice.admin, body), 201)
    assert read_state(chart) == ("out_of_compliance", 31)
    assert [item[1:] for item in list_due(chart)] == [("out_of_compliance", 31)]


def test_a_former_client_needs_no_review(chart: ChartApi) -> None:
    days_ago = chart.add_client(ended_on=TODAY)
    import_review(chart, TODAY - 200 * DAY, days_ago)
    assert read_state(chart, days_ago) == ("not_applicable", 200)
