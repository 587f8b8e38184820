"""Treatment plans over HTTP: begun, reviewed, changed, voided; whose they are; and for whom a review is due."""

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
from tests.support.drivers.chart import Chart
from tests.support.drivers.clients import good, problems, trail
from tests.support.drivers.http import code_of
from tests.support.harness import cluster

TODAY = date(2026, 3, 18)
DAY = timedelta(days=1)


@pytest.fixture
def chart(client: TestClient, practice: PracticeFixture) -> Chart:
    return Chart(client, practice)


def begin(chart: Chart, who: Person | None = None, **more: Any) -> Any:
    return chart.post("/treatment-plans", who, **{"client_id": str(chart.client_id), "kind": "CBT"} | more)


def review(chart: Chart, who: Person | None = None, **more: Any) -> Any:
    return chart.post("/treatment-plan-reviews", who, **{"client_id": str(chart.client_id)} | more)


def reviewed(chart: Chart, day: date, client_id: UUID | None = None, **more: Any) -> UUID:
    """One that came in with a bundle."""
    row = TreatmentPlanReview(
        id=new_id(),
        client_id=client_id or chart.client_id,
        clinician_id=chart.clinician.staff_id,
        reviewed_on=day,
        created_at=NOW,
        **more,
    )
    put(chart.practice, row)
    return row.id


def reviews_of(chart: Chart) -> list[tuple[str, str | None]]:
    found = good(chart.get(f"/treatment-plan-reviews?client_id={chart.client_id}"))["items"]
    return [(one["reviewed_on"], one["plan_id"]) for one in found]


def standing(chart: Chart, client_id: UUID | None = None) -> tuple[str, int | None]:
    found = good(chart.get(f"/clients/{client_id or chart.client_id}/treatment-plan"))
    return found["state"], found["days_since"]


def test_a_plan_that_begins_counts_as_reviewed_on_that_day(chart: Chart) -> None:
    assert standing(chart) == ("missing", None)
    plan = good(begin(chart, starts_on="2026-01-12"), 201)
    assert plan["changes_treatment"] is False
    assert reviews_of(chart) == [("2026-01-12", plan["id"])]
    now = good(chart.get(f"/clients/{chart.client_id}/treatment-plan"))
    assert (now["state"], now["days_since"], now["review_by"]) == ("ok", 65, "2026-04-12")
    assert now["plan"]["id"] == plan["id"]
    assert (now["plan"]["kind"], now["plan"]["starts_on"]) == ("CBT", "2026-01-12")
    again = good(chart.get(f"/treatment-plans/{plan['id']}"))
    assert again == {name: value for name, value in plan.items() if name != "changes_treatment"}
    assert len(trail(chart.http, chart.practice, "treatment_plan.begun", chart.client_id)) == 1


def test_a_review_is_of_the_plan_of_its_day(chart: Chart) -> None:
    first = good(begin(chart, starts_on="2025-08-04"), 201)
    second = good(begin(chart, starts_on="2026-01-12", kind="EMDR"), 201)
    assert second["changes_treatment"] is True
    today = good(review(chart), 201)
    assert (today["reviewed_on"], today["plan_id"], today["summary"]) == ("2026-03-18", second["id"], None)
    assert good(review(chart, reviewed_on="2025-10-31", summary="Sleeps better."), 201)["plan_id"] == first["id"]
    assert standing(chart) == ("ok", 0)
    assert [day for day, _ in reviews_of(chart)] == ["2026-03-18", "2026-01-12", "2025-10-31", "2025-08-04"]


def test_what_cannot_be_is_refused_and_changes_nothing(chart: Chart) -> None:
    wrong = begin(chart, starts_on="2026-03-19", note_id=str(new_id()))
    assert ["future" in problems(wrong)[0], "note_id" in problems(wrong)[1]] == [True, True]
    assert "admitted" in problems(begin(chart, starts_on="2025-06-01"))[0]
    assert "no plan" in problems(review(chart))[0]
    assert reviews_of(chart) == []
    begun = good(begin(chart, starts_on="2026-01-12"), 201)
    for day, word in (("2026-03-19", "future"), ("2026-01-11", "before the plan"), ("2026-01-12", "already")):
        assert word in problems(review(chart, reviewed_on=day))[0]
    assert reviews_of(chart) == [("2026-01-12", begun["id"])]


def test_the_note_of_a_plan_is_a_treatment_plan_of_that_client(chart: Chart) -> None:
    def note(**more: Any) -> str:
        about = {"client_id": chart.client_id, "clinician_id": chart.clinician.staff_id, "created_at": NOW}
        made = Note(id=new_id(), status="DRAFT", **about | {"type": "TREATMENT_PLAN"} | more)
        put(chart.practice, made)
        return str(made.id)

    for wrong in (note(type="SOAP_NOTE"), note(client_id=chart.new_client()), note(voided_at=NOW)):
        assert "note_id" in problems(begin(chart, note_id=wrong))[0]
    right = note()
    plan = good(begin(chart, note_id=right), 201)
    assert plan["note_id"] == right
    assert good(chart.patch(f"/treatment-plans/{plan['id']}", plan["version"], note_id=None))["note_id"] is None


def test_a_plan_takes_its_first_review_along(chart: Chart) -> None:
    plan = good(begin(chart, starts_on="2026-01-12"), 201)
    path = f"/treatment-plans/{plan['id']}"
    moved = good(chart.patch(path, plan["version"], starts_on="2026-01-05", kind="DBT"))
    assert (moved["starts_on"], moved["kind"]) == ("2026-01-05", "DBT")
    assert reviews_of(chart) == [("2026-01-05", plan["id"])]
    assert chart.patch(path, plan["version"], kind="X").status_code == 412
    good(review(chart, reviewed_on="2026-02-02"), 201)
    assert "reviewed on 2026-02-02" in problems(chart.patch(path, moved["version"], starts_on="2026-02-02"))[0]
    assert [day for day, _ in reviews_of(chart)] == ["2026-02-02", "2026-01-05"]


def test_a_plan_entered_by_mistake_goes_with_its_reviews_and_stays_on_record(chart: Chart) -> None:
    reviewed(chart, date(2025, 12, 1))
    plan = good(begin(chart, starts_on="2026-01-12"), 201)
    good(review(chart, reviewed_on="2026-02-02"), 201)
    assert chart.void(f"/treatment-plans/{plan['id']}").status_code == 204
    assert reviews_of(chart) == [("2025-12-01", None)]
    assert chart.get(f"/treatment-plans/{plan['id']}").status_code == 404
    kept = good(chart.get(f"/treatment-plan-reviews?client_id={chart.client_id}&voided=true&sort=reviewed_on"))["items"]
    assert [one["void_reason"] for one in kept] == [None, "Entered twice", "Entered twice"]
    (voided,) = good(chart.get(f"/treatment-plans?client_id={chart.client_id}&voided=true"))["items"]
    assert (voided["id"], voided["void_reason"]) == (plan["id"], "Entered twice")


def test_a_review_is_changed_and_voided_but_not_the_one_that_began_the_plan(chart: Chart) -> None:
    plan = good(begin(chart, starts_on="2026-01-12"), 201)
    (first,) = good(chart.get(f"/treatment-plan-reviews?client_id={chart.client_id}"))["items"]
    for answer in (
        chart.patch(f"/treatment-plan-reviews/{first['id']}", first["version"], reviewed_on="2026-01-13"),
        chart.void(f"/treatment-plan-reviews/{first['id']}"),
    ):
        assert (answer.status_code, code_of(answer)) == (409, "FIRST_REVIEW")
    told = good(chart.patch(f"/treatment-plan-reviews/{first['id']}", first["version"], summary="It begins."))
    assert told["summary"] == "It begins."
    later = good(review(chart, reviewed_on="2026-02-02", summary="Goes well."), 201)
    path = f"/treatment-plan-reviews/{later['id']}"
    for day, word in (("2026-01-12", "already"), ("2026-01-01", "before the plan"), ("2026-03-19", "future")):
        assert word in problems(chart.patch(path, later["version"], reviewed_on=day))[0]
    moved = good(chart.patch(path, later["version"], reviewed_on="2026-02-03"))
    assert (moved["reviewed_on"], moved["summary"], moved["plan_id"]) == ("2026-02-03", "Goes well.", plan["id"])
    assert chart.patch(path, later["version"], summary="Late").status_code == 412
    assert good(chart.patch(path, moved["version"], summary=None))["summary"] is None
    assert chart.void(path).status_code == 204
    assert chart.get(path).status_code == 404
    assert standing(chart) == ("ok", 65)


def test_a_review_that_came_in_counts_and_can_be_put_right(chart: Chart) -> None:
    old = reviewed(chart, date(2025, 11, 3))
    assert standing(chart) == ("out_of_compliance", 135)
    good(begin(chart, starts_on="2026-03-02"), 201)
    right = good(chart.patch(f"/treatment-plan-reviews/{old}", 1, reviewed_on="2025-11-04"))
    assert (right["reviewed_on"], right["plan_id"]) == ("2025-11-04", None)
    assert standing(chart) == ("ok", 16)


def test_what_a_review_says_is_sealed(chart: Chart) -> None:
    good(begin(chart, starts_on="2026-01-12"), 201)
    said = good(review(chart, summary="Canary of a summary"), 201)
    with cluster.superuser(chart.practice.installation.store.database) as connection:
        kept = connection.execute("select summary from treatment_plan_reviews where id = %s", (said["id"],)).fetchone()
    assert kept is not None
    assert b"Canary" not in bytes(kept[0])
    assert good(chart.get(f"/treatment-plan-reviews/{said['id']}"))["summary"] == "Canary of a summary"
    listed = chart.get(f"/treatment-plan-reviews?client_id={chart.client_id}")
    assert "Canary" not in listed.text


def test_plans_are_read_as_far_as_a_role_reaches(chart: Chart) -> None:
    plan = good(begin(chart, starts_on="2026-01-12"), 201)
    said = good(review(chart, summary="Calmer."), 201)
    paths = (f"/treatment-plans/{plan['id']}", f"/treatment-plan-reviews/{said['id']}")
    paths += (f"/clients/{chart.client_id}/treatment-plan",)
    for path in paths:
        for who in (chart.clinician, chart.supervisor, chart.practice.admin):
            good(chart.get(path, who))
        assert chart.get(path, chart.stranger).status_code == 404
        assert code_of(chart.send("GET", path, chart.practice.admin)) == "REASON_MISSING"
        assert chart.get(path, chart.me).status_code == 403
    for path in ("/treatment-plans", "/treatment-plan-reviews"):
        assert good(chart.get(path, chart.stranger))["items"] == []
        assert len(good(chart.get(path, chart.supervisor))["items"]) > 0
    (seen,) = trail(chart.http, chart.practice, "treatment_plan.review_read", chart.client_id)[:1]
    assert seen["details"]["reason"] == "A complaint to look into"


def test_plans_are_written_by_who_treats_the_client_and_changed_by_who_entered_them(chart: Chart) -> None:
    for who in (chart.supervisor, chart.practice.admin, chart.practice.add("scheduler")):
        assert begin(chart, who).status_code == 403
    assert "client_id" in problems(begin(chart, chart.stranger))[0]
    assert "client_id" in problems(review(chart, chart.stranger))[0]
    plan = good(begin(chart, starts_on="2026-01-12"), 201)
    chart.practice.add("clinician")
    other = chart.practice.people["clinician"]
    treats(chart, other)
    for answer in (
        chart.patch(f"/treatment-plans/{plan['id']}", 1, other, kind="X"),
        chart.void(f"/treatment-plans/{plan['id']}", other),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "NOT_YOURS")
    theirs = good(review(chart, other), 201)
    good(chart.patch(f"/treatment-plan-reviews/{theirs['id']}", 1, summary="By the primary clinician"))


def treats(chart: Chart, who: Person) -> None:
    make_appointment(chart.practice, who, chart.client_id, make_service(chart.practice), NOW - 5 * DAY)


# For whom a review is due


def due(chart: Chart, who: Person | None = None, query: str = "") -> list[tuple[Any, ...]]:
    found = good(chart.get(f"/treatment-plans/due?limit=100{query}", who))["items"]
    return [(one["last_name"], one["state"], one["days_since"]) for one in found]


def test_the_list_of_plans_due_begins_with_those_that_wait_longest(chart: Chart) -> None:
    for gone in (79, 80, 90, 91, 200):
        reviewed(chart, TODAY - gone * DAY, chart.new_client(last_name=f"Day {gone}"))
    ended = chart.new_client(last_name="Ended", ended_on=TODAY)
    reviewed(chart, TODAY - 200 * DAY, ended)
    renewed = chart.new_client(last_name="Renewed")
    reviewed(chart, TODAY - 200 * DAY, renewed)
    reviewed(chart, TODAY - 10 * DAY, renewed)
    void = chart.new_client(last_name="Voided")
    reviewed(chart, TODAY - 85 * DAY, void)
    reviewed(chart, TODAY - 5 * DAY, void, voided_at=NOW)
    with chart.practice.installation.store.session_in(chart.practice.id) as db:
        db.execute(text("update clients set last_name = 'Nobody' where id = :id"), {"id": chart.client_id})
    expected = [
        ("Nobody", "missing", None),
        ("Day 200", "out_of_compliance", 200),
        ("Day 91", "out_of_compliance", 91),
        ("Day 90", "alert", 90),
        ("Voided", "due", 85),
        ("Day 80", "due", 80),
    ]
    assert due(chart) == expected
    for state in ("due", "alert", "out_of_compliance", "missing"):
        assert due(chart, query=f"&state={state}") == [one for one in expected if one[1] == state]
    assert due(chart, chart.supervisor) == due(chart, chart.practice.admin) == expected
    assert due(chart, chart.stranger) == []
    assert due(chart, chart.practice.admin, f"&clinician_id={chart.stranger.staff_id}") == []
    assert due(chart, chart.practice.admin, f"&clinician_id={chart.clinician.staff_id}") == expected


def test_the_list_of_plans_due_comes_in_pages(chart: Chart) -> None:
    wanted = {str(chart.client_id)}
    for gone in (100, 100, 90, 85):
        client_id = make_client(chart.practice, chart.clinician)
        reviewed(chart, TODAY - gone * DAY, client_id)
        wanted.add(str(client_id))
    wanted.add(str(make_client(chart.practice, chart.clinician)))
    seen, cursor = [], ""
    while cursor is not None:
        page = good(chart.get(f"/treatment-plans/due?limit=2{cursor and '&cursor=' + cursor}"))
        seen += [one["client_id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 6
    assert set(seen) == wanted
    assert chart.get("/treatment-plans/due?cursor=nonsense").status_code == 422


def test_days_are_those_that_the_practice_set(chart: Chart) -> None:
    reviewed(chart, TODAY - 31 * DAY)
    assert standing(chart) == ("ok", 31)
    for key, value in (("plan_reminder_days", 20), ("plan_review_days", 30)):
        path, body = f"/settings/{key}", {"value": value, "effective_on": "2026-03-18"}
        good(chart.send("POST", path, chart.practice.admin, body), 201)
    assert standing(chart) == ("out_of_compliance", 31)
    assert [one[1:] for one in due(chart)] == [("out_of_compliance", 31)]


def test_a_client_who_is_no_longer_treated_needs_no_review(chart: Chart) -> None:
    gone = chart.new_client(ended_on=TODAY)
    reviewed(chart, TODAY - 200 * DAY, gone)
    assert standing(chart, gone) == ("not_applicable", 200)
