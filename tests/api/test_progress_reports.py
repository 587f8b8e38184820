"""Progress reports over HTTP: drafts, versions, sharing, search, comparison, access."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.clinical.documents.rules.templates import TemplateSection
from practice.clinical.documents.templates import set_template
from practice.clinical.reports import queries
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_service
from tests.support.drivers.chart import REASON_HEADER, ChartApi
from tests.support.drivers.clients import load_audit_entries
from tests.support.drivers.http import assert_invalid, assert_ok, error_code
from tests.support.drivers.sample_requests.reports import SECTIONS
from tests.support.harness import cluster


@pytest.fixture
def chart(client: TestClient, practice: PracticeFixture) -> ChartApi:
    return ChartApi(client, practice)


def start(chart: ChartApi, person: Person | None = None, **fields: Any) -> Any:
    defaults = {"client_id": str(chart.client_id), "sections": SECTIONS}
    return chart.post("/progress-reports", person, **defaults | fields)


def start_report(chart: ChartApi, person: Person | None = None, **fields: Any) -> dict[str, Any]:
    return assert_ok(start(chart, person, **fields), 201)


def finish_report(chart: ChartApi, **fields: Any) -> dict[str, Any]:
    report = start_report(chart, **fields)
    return assert_ok(chart.post(f"/progress-reports/{report['id']}/finish"))


def share_report(chart: ChartApi, **fields: Any) -> dict[str, Any]:
    return assert_ok(chart.post(f"/progress-reports/{finish_report(chart, **fields)['id']}/share"))


def get_report(chart: ChartApi, report: dict[str, Any], person: Person | None = None, fields: str = "") -> Any:
    return chart.get(f"/progress-reports/{report['id']}{fields}", person)


def read_sections(answer: Any) -> dict[str, str]:
    return {section["key"]: section["text"] for section in assert_ok(answer)["sections"]}


def list_reports(chart: ChartApi, person: Person | None = None, **query: Any) -> list[str]:
    params = "&".join(f"{name}={value}" for name, value in query.items())
    return [item["id"] for item in assert_ok(chart.get(f"/progress-reports?{params}", person))["items"]]


def test_a_report_is_started_saved_and_finished(chart: ChartApi) -> None:
    report = start_report(chart, sections={"summary": "Sleeps better."})
    assert (report["status"], report["reported_on"], report["version"]) == ("DRAFT", "2026-03-18", 1)
    first = assert_ok(get_report(chart, report))
    assert [section["title"] for section in first["sections"]] == [
        "Summary",
        "Progress toward goals",
        "Attendance",
        "Recommendations",
    ]
    refused = chart.post(f"/progress-reports/{report['id']}/finish")
    assert (refused.status_code, error_code(refused)) == (409, "REPORT_INCOMPLETE")
    missing = ["Progress toward goals is empty.", "Recommendations is empty."]
    assert refused.json()["error"]["details"]["problems"] == missing
    path = f"/progress-reports/{report['id']}"
    saved = assert_ok(chart.put(path, 1, sections=SECTIONS, reported_on="2026-03-16"))
    assert (saved["version"], saved["reported_on"]) == (2, "2026-03-16")
    assert chart.put(path, 1, sections=SECTIONS).status_code == 412
    done = assert_ok(chart.post(f"{path}/finish"))
    assert (done["status"], done["finished_at"]) == ("FINAL", "2026-03-18T15:30:00Z")
    for again in (chart.put(path, done["version"], sections={}), chart.post(f"{path}/finish")):
        assert (again.status_code, error_code(again)) == (409, "REPORT_FINAL")
    assert read_sections(get_report(chart, report)) == SECTIONS
    for action in ("progress_report.begun", "progress_report.saved", "progress_report.finished"):
        assert len(load_audit_entries(chart.http, chart.practice, action, chart.client_id)) == 1


def test_every_save_is_a_version_and_none_is_lost(chart: ChartApi) -> None:
    report = start_report(chart, sections={"summary": "One"})
    path = f"/progress-reports/{report['id']}"
    assert_ok(chart.put(path, 1, sections={"summary": "Two", "attendance": "Always"}))
    assert_ok(chart.put(path, 2, reported_on="2026-03-02"))  # the date alone makes no version
    assert_ok(chart.put(path, 3, sections={"summary": "Three"}))
    versions = assert_ok(chart.get(f"{path}/versions"))["items"]
    assert [item["number"] for item in versions] == [3, 2, 1]
    assert {item["written_by_id"] for item in versions} == {str(chart.clinician.staff_id)}
    texts = [read_sections(chart.get(f"{path}/versions/{number}")) for number in (1, 2, 3)]
    assert [text["summary"] for text in texts] == ["One", "Two", "Three"]
    assert [text["attendance"] for text in texts] == ["", "Always", ""]
    assert chart.get(f"{path}/versions/4").status_code == 404
    assert read_sections(chart.get(path)) == texts[2]


def test_all_problems_of_a_report_are_reported_together(chart: ChartApi) -> None:
    response = start(
        chart,
        client_id=str(new_id()),
        appointment_id=str(new_id()),
        service_code="NONE",
        reported_on="2026-03-19",
        sections={"moon": "x"},
    )
    find_reports = assert_invalid(response)
    field_names = ["client_id", "appointment_id", "service_code", "reported_on", "sections"]
    assert [problem.partition(":")[0] for problem in find_reports] == field_names
    report = start_report(chart)
    path = f"/progress-reports/{report['id']}"
    assert len(assert_invalid(chart.put(path, 1, sections={"moon": "x"}, reported_on="2026-03-19"))) == 2
    assert start(chart, sections={"summary": "x" * 20_001}).status_code == 422
    assert list_reports(chart) == [report["id"]]
    assert len(assert_ok(chart.get(f"{path}/versions"))["items"]) == 1


def test_a_report_keeps_the_template_it_was_started_with(chart: ChartApi) -> None:
    service = make_service(chart.practice, "SLEEP")
    sections = [TemplateSection("sleep", "Sleep"), TemplateSection("mood", "Mood", required=False)]
    with chart.practice.work() as work:
        set_template(work, "PROGRESS_REPORT", sections, "SLEEP")
    visit = make_appointment(chart.practice, chart.clinician, chart.client_id, service, NOW)
    report = start_report(chart, appointment_id=str(visit), sections={"mood": "Low"})
    assert report["service_code"] == "SLEEP"
    assert start_report(chart, service_code="SLEEP", sections={"mood": "Low"})["service_code"] == "SLEEP"
    with chart.practice.work(now=NOW.replace(hour=16)) as work:
        set_template(work, "PROGRESS_REPORT", [TemplateSection("other", "Other")], "SLEEP")
    path = f"/progress-reports/{report['id']}"
    assert read_sections(chart.get(path)) == {"sleep": "", "mood": "Low"}
    assert "Sleep is empty." in chart.post(f"{path}/finish").json()["error"]["message"]
    assert_ok(chart.put(path, 1, sections={"sleep": "Fine"}))
    assert_ok(chart.post(f"{path}/finish"))
    assert read_sections(chart.get(path)) == {"sleep": "Fine", "mood": ""}


def test_a_draft_is_for_its_author_and_their_supervisor(chart: ChartApi) -> None:
    colleague = chart.practice.add("clinician")
    make_appointment(chart.practice, colleague, chart.client_id, make_service(chart.practice), NOW)
    report = start_report(chart)
    for person in (chart.clinician, chart.supervisor, chart.practice.admin):
        assert_ok(get_report(chart, report, person))
        assert list_reports(chart, person) == [report["id"]]
    for person in (colleague, chart.stranger, chart.client):
        assert get_report(chart, report, person).status_code == 404
        assert list_reports(chart, person) == []
    assert error_code(chart.send("GET", f"/progress-reports/{report['id']}", chart.practice.admin)) == "REASON_MISSING"
    path = f"/progress-reports/{report['id']}"
    assert chart.put(path, 1, colleague, sections={}).status_code == 404
    assert_ok(chart.post(f"{path}/finish"))
    assert_ok(get_report(chart, report, colleague))
    assert get_report(chart, report, chart.stranger).status_code == 404
    for answer in (
        chart.put(path, 2, colleague, sections={}),
        chart.void(path, colleague),
        chart.post(f"{path}/share", colleague),
        chart.post(f"{path}/unshare", colleague),
    ):
        assert (answer.status_code, error_code(answer)) == (403, "NOT_YOURS")


@pytest.mark.parametrize("role", ["admin", "supervisor", "scheduler", "biller", "client"])
def test_reports_are_written_by_clinicians(chart: ChartApi, role: str) -> None:
    people = {"admin": chart.practice.admin, "supervisor": chart.supervisor, "client": chart.client}
    person = people.get(role) or chart.practice.add(role)
    report = finish_report(chart)
    path = f"/progress-reports/{report['id']}"
    for answer in (
        start(chart, person),
        chart.put(path, 2, person, sections={}),
        *(chart.post(f"{path}/{verb}", person) for verb in ("finish", "share", "unshare")),
        chart.void(path, person),
    ):
        assert (answer.status_code, error_code(answer)) == (403, "FORBIDDEN")
    assert assert_ok(get_report(chart, report))["version"] == report["version"]


def test_a_client_reads_a_report_while_it_is_shared(chart: ChartApi) -> None:
    report = start_report(chart, sections={"summary": "Rough words"})
    path = f"/progress-reports/{report['id']}"
    refused = chart.post(f"{path}/share")
    assert (refused.status_code, error_code(refused)) == (409, "REPORT_DRAFT")
    assert_ok(chart.put(path, 1, sections=SECTIONS))
    assert_ok(chart.post(f"{path}/finish"))
    assert chart.get(path, chart.client).status_code == 404
    assert assert_ok(chart.post(f"{path}/share"))["shared_at"] == "2026-03-18T15:30:00Z"
    assert read_sections(chart.get(path, chart.client)) == SECTIONS
    assert list_reports(chart, chart.client) == [report["id"]]
    assert [item["number"] for item in assert_ok(chart.get(f"{path}/versions", chart.client))["items"]] == [2]
    assert chart.get(f"{path}/versions/1", chart.client).status_code == 404
    assert chart.get(f"{path}/compare?number=1", chart.client).status_code == 404
    client_path = f"/clients/{chart.client_id}/progress-reports"
    assert [item["id"] for item in assert_ok(chart.get(client_path, chart.client))["items"]] == [report["id"]]
    other = ChartApi(chart.http, chart.practice)
    assert chart.get(path, other.client).status_code == 404
    assert chart.get(client_path, other.client).status_code == 404
    assert assert_ok(chart.post(f"{path}/unshare"))["shared_at"] is None
    for path_without_access in (path, f"{path}.pdf", f"{path}/versions"):
        assert chart.get(path_without_access, chart.client).status_code == 404
    assert_ok(chart.post(f"{path}/share"))
    assert chart.void(path).status_code == 204
    assert list_reports(chart, chart.client, voided="true") == []
    assert chart.get(path, chart.client).status_code == 404
    kinds = ["progress_report.shared"] * 2 + ["progress_report.unshared", "progress_report.voided"]
    assert [len(load_audit_entries(chart.http, chart.practice, kind, chart.client_id)) for kind in kinds] == [
        2,
        2,
        1,
        1,
    ]


def test_a_voided_report_stays_on_record(chart: ChartApi) -> None:
    report = finish_report(chart)
    assert chart.void(f"/progress-reports/{report['id']}").status_code == 204
    assert get_report(chart, report).status_code == 404
    assert list_reports(chart) == []
    (stored,) = assert_ok(chart.get("/progress-reports?voided=true"))["items"]
    assert (stored["id"], stored["void_reason"]) == (report["id"], "Entered twice")


def test_reports_are_listed_by_client_author_dates_and_state(chart: ChartApi) -> None:
    other = chart.add_client()
    may = finish_report(chart, reported_on="2026-03-01")
    june = start_report(chart, reported_on="2026-03-05")
    other_report = start_report(chart, client_id=str(other), reported_on="2026-03-10")
    everything = [other_report["id"], june["id"], may["id"]]
    assert list_reports(chart) == everything
    assert list_reports(chart, client_id=chart.client_id) == everything[1:]
    assert list_reports(chart, status="FINAL") == [may["id"]]
    assert list_reports(chart, **{"from": "2026-03-05"}) == everything[:2]
    assert list_reports(chart, **{"from": "2026-03-01", "to": "2026-03-05"}) == everything[1:]
    assert list_reports(chart, clinician_id=chart.stranger.staff_id) == []
    assert list_reports(chart, chart.practice.admin, clinician_id=chart.clinician.staff_id) == everything
    assert list_reports(chart, sort="reported_on", limit=2) == everything[:0:-1]
    timeline = f"/clients/{chart.client_id}/progress-reports"
    assert [item["id"] for item in assert_ok(chart.get(f"{timeline}?to=2026-03-01"))["items"]] == [may["id"]]
    assert chart.get(timeline, chart.stranger).status_code == 404
    assert "summary" not in chart.get("/progress-reports").text.lower()


def test_two_versions_and_two_reports_are_compared(chart: ChartApi) -> None:
    old = finish_report(chart, reported_on="2026-01-05", sections=SECTIONS | {"summary": "Sleeps badly.\nEats well."})
    new = start_report(chart, sections=SECTIONS | {"summary": "Sleeps well.\nEats well."})
    path = f"/progress-reports/{old['id']}/compare"
    find_reports = assert_ok(chart.get(f"{path}?other={new['id']}"))
    assert (find_reports["before"]["id"], find_reports["after"]["id"]) == (old["id"], new["id"])
    assert [(item["key"], item["same"]) for item in find_reports["sections"]] == [
        ("summary", False),
        ("progress", True),
        ("attendance", True),
        ("recommendations", True),
    ]
    summary = find_reports["sections"][0]
    assert (summary["before"], summary["after"]) == ("Sleeps badly.\nEats well.", "Sleeps well.\nEats well.")
    assert [(line["kind"], line["text"]) for line in summary["lines"]] == [
        ("removed", "Sleeps badly."),
        ("added", "Sleeps well."),
        ("same", "Eats well."),
    ]
    assert_ok(chart.put(f"/progress-reports/{new['id']}", 1, sections=SECTIONS))
    versions = assert_ok(chart.get(f"/progress-reports/{new['id']}/compare?number=1&other_number=2"))
    assert [item["key"] for item in versions["sections"] if not item["same"]] == ["summary"]
    assert (versions["before"]["number"], versions["after"]["number"]) == (1, 2)
    for missing in (f"{path}?other={new_id()}", f"{path}?number=9"):
        assert chart.get(missing).status_code == 404
    assert len(load_audit_entries(chart.http, chart.practice, "progress_report.read", chart.client_id)) == 4


def test_the_search_covers_readable_reports(chart: ChartApi) -> None:
    older = share_report(chart, reported_on="2026-02-02", sections=SECTIONS | {"summary": "Sleeps with the lamp on."})
    newer = finish_report(chart, sections=SECTIONS | {"summary": "The lamp is off. Sleeps."})
    draft = start_report(chart, sections={"summary": "A lamp"})
    assert_ok(chart.put(f"/progress-reports/{draft['id']}", 1, sections={"summary": "No word of it"}))

    def find_reports(query: str, person: Person | None = None, **fields: Any) -> list[str]:
        headers = REASON_HEADER if person is chart.practice.admin else {}
        answer = chart.send("POST", "/progress-reports/search", person, {"query": query} | fields, **headers)
        assert assert_ok(answer)["complete"] is True
        return [item["id"] for item in answer.json()["items"]]

    assert find_reports("LAMP sleeps") == [newer["id"], older["id"]]
    assert (
        find_reports("lamp sleeps", chart.supervisor)
        == find_reports("lamp", chart.practice.admin)
        == find_reports("lamp")
    )
    assert find_reports("word of it") == [draft["id"]]
    assert find_reports("lamp", chart.client) == [older["id"]]
    assert find_reports("lamp", chart.stranger) == []
    assert find_reports("lamp", **{"to": "2026-02-28"}) == [older["id"]]
    assert find_reports("lamp", client_id=str(chart.add_client())) == []
    assert find_reports("lamp", status="DRAFT") == []
    for word in ("x", " ", "a\nb"):
        assert chart.post("/progress-reports/search", query=word).status_code == 422
    refused = chart.post("/progress-reports/search", chart.practice.admin, query="lamp")
    assert error_code(refused) == "REASON_MISSING"
    stored = load_audit_entries(chart.http, chart.practice, "progress_reports.searched")
    assert "lamp" not in str([entry["details"] for entry in stored])


def test_a_search_stops_at_a_limit_and_says_where_to_continue(chart: ChartApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_SEARCHED", 2)
    ids = [finish_report(chart, reported_on=f"2026-03-0{day}")["id"] for day in (1, 2, 3)]
    first = assert_ok(chart.post("/progress-reports/search", query="summary"))
    assert [item["id"] for item in first["items"]] == [ids[2], ids[1]]
    assert (first["scanned_count"], first["complete"], first["back_to"]) == (2, False, "2026-03-02")
    rest = assert_ok(chart.post("/progress-reports/search", query="summary", to="2026-03-02"))
    assert ([item["id"] for item in rest["items"]], rest["complete"]) == ([ids[1], ids[0]], True)


def test_the_text_of_a_report_is_sealed(chart: ChartApi) -> None:
    report = start_report(chart, sections={"summary": "Canary of a report"})
    with cluster.connect_as_superuser(chart.practice.installation.store.database) as connection:
        query = "select content from progress_report_versions where report_id = %s"
        (stored,) = connection.execute(query, (report["id"],)).fetchall()
    assert b"Canary" not in bytes(stored[0])
    assert read_sections(get_report(chart, report))["summary"] == "Canary of a report"
