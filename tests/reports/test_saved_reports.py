"""Saved reports over HTTP: who sees, changes, shares and gets them, and with whose figures."""

from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.jobs import run_practice_jobs
from practice.reports.schedules import queue_due_reports
from tests.support.builders.people import NOW, Person, PracticeFixture, make_practice
from tests.support.builders.published import add_measured_sessions, publish_metrics
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KEPT = {"measures": ["kept_visit_rate"], "group": "clinician"}
MONDAY_AT_SEVEN = {"every": "week", "day": 1, "hour": 7}


class Reports:
    """The people of a practice, and their requests."""

    def __init__(self, client: TestClient, practice: PracticeFixture) -> None:
        self.client, self.practice = client, practice
        self.supervisor = practice.add("supervisor")
        self.member = practice.add("clinician", supervisor=self.supervisor)
        self.other = practice.add("clinician")

    def send(self, method: str, path: str, by: Person | None = None, version: int | None = None, **body: Any) -> Any:
        headers = auth_headers(self.practice, by) | ({} if version is None else {"If-Match": f'"{version}"'})
        more = {"params": body} if method == "GET" else {"json": body} if body else {}
        return self.client.request(method, f"{V1}/reports{path}", headers=headers, **more)

    def save(self, by: Person | None = None, **body: Any) -> dict[str, Any]:
        return assert_ok(self.send("POST", "", by, **{"name": "Kept visits", "definition": KEPT} | body), 201)

    def list_messages(self) -> list[tuple[UUID, str, UUID, str]]:
        query = "select staff_id, kind, about_id, channel from messages where kind = 'REPORT_READY' order by due_at"
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            return [tuple(row) for row in db.execute(text(query))]

    def run_job(self, at: datetime) -> int:
        with self.practice.work(now=at) as work:
            return queue_due_reports(work)


@pytest.fixture
def reports(client: TestClient, practice: PracticeFixture) -> Reports:
    return Reports(client, practice)


def test_a_shared_report_shows_each_viewer_their_own_figures(reports: Reports, practice: PracticeFixture) -> None:
    add_measured_sessions(practice, reports.member, reports.other)
    publish_metrics(practice)
    saved = reports.save(shared_with=["supervisor", "clinician"])
    assert (saved["is_own"], saved["staff_name"], saved["version"]) == (True, "Ada Admin", 1)
    shown = {}
    for person in (practice.admin, reports.supervisor, reports.member, reports.other):
        result = assert_ok(reports.send("GET", "/figures", person, report=saved["id"]))
        shown[person.staff_id] = {line["key"]: line["cells"][0]["shown"] for line in result["lines"]}
        assert result["name"] == "Kept visits"
    member, other = (str(person.staff_id) for person in (reports.member, reports.other))
    assert shown[practice.admin.staff_id] == {member: "66.67 %", other: "100 %"}
    assert shown[reports.supervisor.staff_id] == {member: "66.67 %"}
    assert shown[reports.member.staff_id] == {member: "66.67 %"}
    assert shown[reports.other.staff_id] == {other: "100 %"}
    biller = practice.add("biller")
    assert error_code(reports.send("GET", "/figures", biller, report=saved["id"])) == "NOT_FOUND"


def test_only_the_owner_changes_and_deletes(reports: Reports, practice: PracticeFixture) -> None:
    saved = reports.save(shared_with=["supervisor"])
    path = f"/{saved['id']}"
    seen = assert_ok(reports.send("GET", path, reports.supervisor))
    assert not seen["is_own"]
    assert error_code(reports.send("PATCH", path, reports.supervisor, 1, name="Mine")) == "NOT_FOUND"
    assert error_code(reports.send("DELETE", path, reports.supervisor)) == "NOT_FOUND"
    assert error_code(reports.send("GET", path, reports.member)) == "NOT_FOUND"
    renamed = assert_ok(reports.send("PATCH", path, None, 1, name="Kept"))
    assert (renamed["name"], renamed["version"], renamed["shared_with"]) == ("Kept", 2, ["supervisor"])
    assert error_code(reports.send("PATCH", path, None, 1, name="Older")) == "STALE"
    unshared = assert_ok(reports.send("PATCH", path, None, 2, shared_with=[]))
    assert (unshared["shared_with"], unshared["name"]) == ([], "Kept")
    assert error_code(reports.send("GET", path, reports.supervisor)) == "NOT_FOUND"
    assert reports.send("DELETE", path).status_code == 204
    assert assert_ok(reports.send("GET", ""))["items"] == []


def test_a_report_of_another_practice_does_not_exist(reports: Reports, client: TestClient) -> None:
    saved = reports.save(shared_with=["admin"])
    other = Reports(client, make_practice(reports.practice.installation))
    publish_metrics(other.practice)
    assert error_code(other.send("GET", f"/{saved['id']}")) == "NOT_FOUND"
    assert error_code(other.send("GET", "/figures", report=saved["id"])) == "NOT_FOUND"
    assert assert_ok(other.send("GET", ""))["items"] == []


def test_only_an_admin_shares(reports: Reports) -> None:
    body = {"name": "Mine", "definition": KEPT}
    assert error_code(reports.send("POST", "", reports.member, **body, shared_with=["clinician"])) == "FORBIDDEN"
    own = reports.save(reports.member)
    changed = reports.send("PATCH", f"/{own['id']}", reports.member, 1, shared_with=["admin"])
    assert error_code(changed) == "FORBIDDEN"
    assert [item["id"] for item in assert_ok(reports.send("GET", "", reports.member))["items"]] == [own["id"]]


def test_nobody_chooses_what_they_may_not_see(reports: Reports, practice: PracticeFixture) -> None:
    biller = practice.add("biller")
    for by, definition, field in (
        (biller, KEPT, "definition.measures"),
        (biller, {"measures": ["active_clients"], "group": "age"}, "definition.measures"),
        (reports.member, KEPT | {"clinician_ids": [str(reports.other.staff_id)]}, "definition.clinician_ids"),
        (practice.admin, KEPT | {"group": "code"}, "definition.group"),
    ):
        answer = reports.send("POST", "", by, name="Too much", definition=definition)
        assert error_code(answer) == "VALIDATION_ERROR"
        assert [detail["field"] for detail in answer.json()["error"]["details"]] == [field]
    catalog = assert_ok(reports.send("GET", "/catalog", biller))
    assert {report["key"] for report in catalog["reports"]} == {
        *("revenue_by_clinician", "revenue_by_code", "revenue_by_payer", "payer_mix", "denials"),
    }


def test_a_report_is_announced_once_to_whoever_can_open_it(reports: Reports, practice: PracticeFixture) -> None:
    recipients = [str(person.staff_id) for person in (practice.admin, reports.supervisor)]
    schedule = MONDAY_AT_SEVEN | {"recipient_ids": recipients}
    saved = reports.save(shared_with=["supervisor"], schedule=schedule)
    assert saved["schedule"]["staff_ids"] == sorted(recipients)
    due = datetime.fromisoformat("2026-03-23T11:00:00+00:00")  # a Monday, seven o'clock in New York
    assert reports.run_job(NOW + HOUR) == 0  # what was due before it was scheduled is not sent
    assert reports.run_job(due - timedelta(minutes=1)) == 0
    assert [reports.run_job(due + minutes * timedelta(minutes=1)) for minutes in (0, 1, 90)] == [2, 0, 0]
    expected = {(UUID(staff_id), "REPORT_READY", UUID(saved["id"]), "email") for staff_id in recipients}
    assert set(reports.list_messages()) == expected
    assert reports.run_job(due + 7 * DAY) == 2
    unshared = assert_ok(reports.send("PATCH", f"/{saved['id']}", None, 1, shared_with=[]))
    assert reports.run_job(due + 14 * DAY) == 1  # the supervisor can no longer open it
    assert reports.run_job(due + 23 * DAY) == 0  # the service was down for too long
    assert_ok(reports.send("PATCH", f"/{saved['id']}", None, unshared["version"], schedule=None))
    assert reports.run_job(due + 28 * DAY) == 0


def test_the_minute_job_announces_reports(reports: Reports, practice: PracticeFixture) -> None:
    reports.save(schedule=MONDAY_AT_SEVEN | {"recipient_ids": [str(practice.admin.staff_id)]})
    due = datetime.fromisoformat("2026-03-23T11:00:30+00:00")
    run_practice_jobs(practice.installation, due, Event(), recent=True)
    assert len(reports.list_messages()) == 1


def test_nobody_gets_a_report_that_they_cannot_open(reports: Reports) -> None:
    for by, recipient in ((None, reports.supervisor), (reports.member, reports.other)):
        schedule = MONDAY_AT_SEVEN | {"recipient_ids": [str(recipient.staff_id)]}
        answer = reports.send("POST", "", by, name="For others", definition=KEPT, schedule=schedule)
        assert error_code(answer) == "VALIDATION_ERROR"
        assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["schedule.recipient_ids"]


def test_rows_behind_money_are_of_the_people_one_may_see(reports: Reports, practice: PracticeFixture) -> None:
    publish_metrics(practice)
    query = {"measure": "revenue", "start": "2026-03-01"}
    assert assert_ok(reports.send("GET", "/rows", **query))["sum"] == "0.00"
    for wrong in ({"measure": "kept_visit_rate"}, {"measure": "active_clients"}, {"group": "age"}):
        assert error_code(reports.send("GET", "/rows", **query | wrong)) == "VALIDATION_ERROR"
    assert error_code(reports.send("GET", "/rows", measure="revenue", start="2026-03-02")) == "VALIDATION_ERROR"


def make_admin_for_a_while(reports: Reports) -> tuple[Person, dict[str, Any]]:
    """Return a biller who shared a report with everybody, to be sent every Monday, while they were an admin too."""
    biller = reports.practice.add("biller")
    path = f"/staff/{biller.staff_id}"
    set_roles(reports, path, ["biller", "admin"])
    person = Person(biller.account_id, biller.staff_id, biller.email, ["biller", "admin"])
    schedule = MONDAY_AT_SEVEN | {"recipient_ids": [str(reports.supervisor.staff_id)]}
    saved = reports.save(person, shared_with=["supervisor", "biller"], schedule=schedule)
    set_roles(reports, path, ["biller"])
    return biller, saved


def set_roles(reports: Reports, path: str, roles: list[str]) -> None:
    headers = auth_headers(reports.practice)
    version = reports.client.get(f"{V1}{path}", headers=headers).json()["version"]
    answer = reports.client.patch(f"{V1}{path}", json={"roles": roles}, headers=headers | {"If-Match": f'"{version}"'})
    assert_ok(answer)


def test_who_no_longer_shares_changes_no_shared_report(reports: Reports) -> None:
    biller, saved = make_admin_for_a_while(reports)
    for change in ({"name": "Renamed"}, {"definition": KEPT}, {"schedule": None}, {"shared_with": []}):
        assert error_code(reports.send("PATCH", f"/{saved['id']}", biller, 1, **change)) == "FORBIDDEN", change
    assert reports.run_job(NOW + 7 * DAY) == 0  # nothing is sent in their name
    assert_ok(reports.send("DELETE", f"/{saved['id']}", biller), 204)  # they can still take it back


def test_admins_end_the_reports_of_somebody_who_left(reports: Reports) -> None:
    biller, saved = make_admin_for_a_while(reports)
    headers = auth_headers(reports.practice)
    path = f"{V1}/staff/{biller.staff_id}/deactivate"
    assert_ok(reports.client.post(path, json={"left_on": str(NOW.date())}, headers=headers))
    assert reports.run_job(NOW + 7 * DAY) == 0
    listed = assert_ok(reports.send("GET", ""))["items"]
    assert [report["id"] for report in listed] == [saved["id"]]
    changed = assert_ok(reports.send("PATCH", f"/{saved['id']}", None, 1, shared_with=["supervisor"]))
    assert changed["shared_with"] == ["supervisor"]
    assert_ok(reports.send("DELETE", f"/{saved['id']}"), 204)
    assert assert_ok(reports.send("GET", ""))["items"] == []


def test_a_key_that_no_record_has_shows_no_rows(reports: Reports, practice: PracticeFixture) -> None:
    publish_metrics(practice)
    query = {"measure": "revenue", "start": "2026-03-01", "group": "code"}
    assert assert_ok(reports.send("GET", "/rows", **query, key="90834"))["items"] == []
    assert error_code(reports.send("GET", "/rows", **query, key="\0")) == "VALIDATION_ERROR"
