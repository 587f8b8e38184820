"""The page of compliance over HTTP: counts beside their rows and the metrics, scopes, and reminders once a day."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from ingest.synthetic import Size
from tests.support.builders.generated import import_generated, list_people
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code

DAY = timedelta(days=1)
STATES = ("late", "due", "unknown", "fine", "not_applicable")
# What the metric counts besides the fine ones: due ones count or not (a plan is due before its review is overdue).
EXACT = {"complete_demographics_rate", "insurance_accuracy_rate", "safety_plan_compliance"}


@pytest.fixture(scope="module")
def generated(installation: Any, tmp_path_factory: pytest.TempPathFactory) -> PracticeFixture:
    size = Size("Compliant", "America/New_York", clinicians=5, clients=90, months=5)
    return import_generated(installation, tmp_path_factory.mktemp("bundle"), size, 7)


def get(client: TestClient, practice: PracticeFixture, by: Person | None = None, **query: Any) -> Any:
    return client.get(f"{V1}/dashboards/compliance", params=query, headers=auth_headers(practice, by))


def remind(client: TestClient, practice: PracticeFixture, by: Person | None = None, **body: Any) -> Any:
    return client.post(f"{V1}/dashboards/compliance/reminders", json=body, headers=auth_headers(practice, by))


def list_rows(client: TestClient, practice: PracticeFixture, by: Person | None, **query: Any) -> Iterator[Any]:
    offset = 0
    while offset is not None:
        page = assert_ok(get(client, practice, by, **query, limit=50, offset=offset))
        yield from page["items"]
        offset = page["next_offset"]


def find(page: dict[str, Any], key: str) -> dict[str, Any]:
    return next(check for check in page["checks"] if check["key"] == key)


def check_page(client: TestClient, practice: PracticeFixture, by: Person | None, **query: Any) -> int:
    """Check that every count is that of its rows and of the metric, and return how many rows there are."""
    page = assert_ok(get(client, practice, by, **query))
    rows = [row for state in STATES for row in list_rows(client, practice, by, **query, state=state)]
    assert len({(row["check"], row["id"]) for row in rows}) == len(rows)
    listed = Counter((row["check"], row["state"]) for row in rows)
    for check in page["checks"]:
        counts = {state: check[state] for state in STATES}
        assert counts == {state: listed[check["key"], state] for state in STATES}, check["key"]
        assert check["applicable"] == sum(counts.values()) - counts["not_applicable"]
        metric = check["metric"]
        if metric is not None:
            unmeasured = check["unknown"] if check["key"] == "insurance" else 0  # without a coverage: not insured
            assert (metric["denominator"] or 0) == check["applicable"] - unmeasured, check["key"]
            most = check["fine"] if metric["key"] in EXACT else check["fine"] + check["due"]
            assert check["fine"] <= metric["numerator"] <= most + check["late"] * (metric["key"] not in EXACT)
    assert page["total"]["late"] == sum(number for (_, state), number in listed.items() if state == "late")
    assert page["count"] == sum(number for (_, state), number in listed.items() if state in STATES[:3])
    return len(rows)


def test_every_count_is_that_of_its_rows_and_of_the_metric(client: TestClient, generated: PracticeFixture) -> None:
    assert check_page(client, generated, None) > 500
    numbers = [check_page(client, generated, person) for person in list_people(generated, "supervisor")]
    assert sum(numbers) > 100
    clinicians = list_people(generated, "clinician")
    assert sum(check_page(client, generated, None, clinician_id=str(one.staff_id)) for one in clinicians[:3]) > 100
    own = check_page(client, generated, next(one for one in clinicians if one.roles == ["clinician"]))
    assert own > 10


def test_the_board_of_the_overview_has_the_same_figures(client: TestClient, generated: PracticeFixture) -> None:
    page = assert_ok(get(client, generated))
    overview = assert_ok(client.get(f"{V1}/dashboards/overview", headers=auth_headers(generated)))
    board = {figure["key"]: figure for figure in overview["compliance"]}
    metrics = [check["metric"] for check in page["checks"] if check["metric"] and check["metric"]["key"] in board]
    assert len(metrics) == 5
    assert all(metric == board[metric["key"]] for metric in metrics)
    for metric in metrics:
        rows = assert_ok(client.get(f"{V1}{metric['rows']}", headers=auth_headers(generated)))
        assert (rows["numerator"], rows["denominator"]) == (metric["numerator"], metric["denominator"])


def test_the_trend_ends_with_today(client: TestClient, generated: PracticeFixture) -> None:
    page = assert_ok(get(client, generated))
    for check in (page["total"], *page["checks"]):
        assert (len(check["trend"]), check["trend"][-1]) == (12, check["share"])
    applying = [check for check in page["checks"] if check["applicable"]]
    assert len(applying) > 8
    for check in applying:
        assert float(check["share"]) == pytest.approx(100 * check["fine"] / check["applicable"], abs=0.051)


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    return practice.add("supervisor")


@pytest.fixture
def clinician(practice: PracticeFixture, supervisor: Person) -> Person:
    return practice.add("clinician", supervisor=supervisor)


@pytest.fixture
def at_risk(practice: PracticeFixture, clinician: Person) -> Any:
    """Add a client of the clinician at high risk, without a safety plan."""
    return make_client(practice, clinician, high_risk_since=date(2026, 2, 1))


def list_messages(practice: PracticeFixture) -> list[Any]:
    with practice.installation.store.begin_session(practice.id) as db:
        query = "select kind, staff_id, about_id, status, channel from messages order by created_at, id"
        return [tuple(row) for row in db.execute(text(query))]


def test_a_reminder_reaches_the_clinician_once_a_day(
    client: TestClient, practice: PracticeFixture, clinician: Person, at_risk: Any
) -> None:
    row = assert_ok(get(client, practice, check="safety_plan"))["items"][0]
    facts = {"client_id": str(at_risk), "state": "late", "reminded_at": None, "mending": None}
    assert {name: row[name] for name in facts} == facts
    assert (row["clinician_id"], row["client_name"] is not None) == (str(clinician.staff_id), True)
    sent = assert_ok(remind(client, practice, check="safety_plan", subject_id=str(at_risk)))
    assert (sent["planned"], sent["already"], sent["staff_ids"]) == (1, 0, [str(clinician.staff_id)])
    again = assert_ok(remind(client, practice, check="safety_plan"))
    assert (again["planned"], again["already"]) == (0, 1)
    planned = ("COMPLIANCE_SAFETY_PLAN", clinician.staff_id, at_risk, "PLANNED", "email")
    assert list_messages(practice) == [planned]
    row = assert_ok(get(client, practice, check="safety_plan"))["items"][0]
    assert row["reminded_at"] == "2026-03-18T15:30:00Z"
    client.app.state.clock = lambda: NOW + DAY  # ty: ignore[unresolved-attribute]
    tomorrow = {"headers": {"Authorization": f"Bearer {practice.token(now=NOW + DAY)}"}}
    page = assert_ok(client.get(f"{V1}/dashboards/compliance?check=safety_plan", **tomorrow))
    assert page["items"][0]["reminded_at"] is None
    body = {"check": "safety_plan"}
    assert_ok(client.post(f"{V1}/dashboards/compliance/reminders", json=body, **tomorrow))
    assert list_messages(practice) == [planned, planned]


def test_who_has_to_act_is_reminded(
    client: TestClient, practice: PracticeFixture, clinician: Person, at_risk: Any
) -> None:
    """Records are the front desk's, or the admins' without one; of somebody who has left, the supervisor is asked."""
    first, second = (make_client(practice, clinician, self_pay=False, phone=None) for _ in range(2))
    sent = assert_ok(remind(client, practice, check="demographics", subject_id=str(first)))
    assert sent["staff_ids"] == [str(practice.admin.staff_id)]
    scheduler = practice.add("scheduler")
    sent = assert_ok(remind(client, practice, check="demographics", subject_id=str(second)))
    assert sent["staff_ids"] == [str(scheduler.staff_id)]
    assert sent["staff_names"][0].startswith("Robin Tester")
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update staff set left_on = '2026-03-01' where id = :id"), {"id": clinician.staff_id})
    sent = assert_ok(remind(client, practice, check="safety_plan", subject_id=str(at_risk)))
    assert sent["staff_ids"] == [str(practice.people["supervisor"].staff_id)]


def test_nobody_is_reminded_of_what_is_in_order(
    client: TestClient, practice: PracticeFixture, clinician: Person, at_risk: Any
) -> None:
    fine = make_client(practice, clinician)
    response = remind(client, practice, check="safety_plan", subject_id=str(fine))
    assert (response.status_code, error_code(response)) == (404, "NOT_FOUND")
    response = remind(client, practice, check="supervision_notes")
    assert (response.status_code, error_code(response)) == (409, "NOTHING_LATE")
    assert list_messages(practice) == []


def test_a_team_ends_where_it_ends(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person, at_risk: Any
) -> None:
    other = practice.add("clinician", supervisor=practice.add("supervisor"))
    beyond, unassigned = (make_client(practice, one, high_risk_since=date(2026, 2, 1)) for one in (other, None))
    rows = get(client, practice, check="safety_plan").json()["items"]
    assert {row["id"] for row in rows} == {str(at_risk), str(beyond), str(unassigned)}
    for person in (supervisor, clinician):
        page = assert_ok(get(client, practice, person, state="late"))
        assert {row["client_id"] for row in page["items"]} - {None} == {str(at_risk)}
        assert {row["staff_id"] for row in page["items"]} - {None} <= {str(clinician.staff_id)}
        assert find(page, "safety_plan")["late"] == 1
        assert find(page, "incident_response")["not_applicable"] == 0, "the practice's own is the admins'"
        assert [one["clinician_id"] for one in page["clinicians"]] == [str(clinician.staff_id)]
        response = get(client, practice, person, clinician_id=str(other.staff_id))
        assert (response.status_code, error_code(response)) == (404, "NOT_FOUND")
    response = remind(client, practice, supervisor, check="safety_plan", subject_id=str(beyond))
    assert (response.status_code, list_messages(practice)) == (404, [])
    assert_ok(remind(client, practice, supervisor, check="safety_plan"))
    assert [about for _, _, about, *_ in list_messages(practice)] == [at_risk]
    response = remind(client, practice, clinician, check="safety_plan")
    assert (response.status_code, error_code(response)) == (403, "FORBIDDEN")


def test_what_can_be_mended_follows_the_roles(
    client: TestClient, practice: PracticeFixture, supervisor: Person, clinician: Person
) -> None:
    make_client(practice, clinician)

    def list_mending(person: Person) -> set[tuple[str, str]]:
        rows = list_rows(client, practice, person, clinician_id=str(clinician.staff_id))
        return {(row["check"], row["mending"]) for row in rows if row["mending"]}

    assert list_mending(practice.admin) == {("hipaa_training", "record_training")}
    assert list_mending(supervisor) == set()
    assert list_mending(clinician) == {("hipaa_training", "record_training"), ("treatment_plan", "record_review")}
    bare = make_client(practice, None, self_pay=False)
    rows = list_rows(client, practice, practice.admin)
    assert {row["check"]: row["mending"] for row in rows if row["client_id"] == str(bare)} == {
        "demographics": "complete_record",
        "insurance": None,
        "treatment_plan": None,
    }
