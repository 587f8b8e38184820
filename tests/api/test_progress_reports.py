"""Progress reports over HTTP: written, finished, shared, found; who reads and who writes them."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.clinical.documents.rules.templates import Place
from practice.clinical.documents.templates import set_template
from practice.clinical.reports import queries
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_service
from tests.support.drivers.chart import BECAUSE, Chart
from tests.support.drivers.clients import good, problems, trail
from tests.support.drivers.http import code_of
from tests.support.drivers.sample_requests.reports import SECTIONS
from tests.support.harness import cluster


@pytest.fixture
def chart(client: TestClient, practice: PracticeFixture) -> Chart:
    return Chart(client, practice)


def begin(chart: Chart, who: Person | None = None, **more: Any) -> Any:
    usual = {"client_id": str(chart.client_id), "sections": SECTIONS}
    return chart.post("/progress-reports", who, **usual | more)


def begun(chart: Chart, who: Person | None = None, **more: Any) -> dict[str, Any]:
    return good(begin(chart, who, **more), 201)


def finished(chart: Chart, **more: Any) -> dict[str, Any]:
    report = begun(chart, **more)
    return good(chart.post(f"/progress-reports/{report['id']}/finish"))


def shared(chart: Chart, **more: Any) -> dict[str, Any]:
    return good(chart.post(f"/progress-reports/{finished(chart, **more)['id']}/share"))


def read(chart: Chart, report: dict[str, Any], who: Person | None = None, more: str = "") -> Any:
    return chart.get(f"/progress-reports/{report['id']}{more}", who)


def said(answer: Any) -> dict[str, str]:
    return {section["key"]: section["text"] for section in good(answer)["sections"]}


def listed(chart: Chart, who: Person | None = None, **query: Any) -> list[str]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return [one["id"] for one in good(chart.get(f"/progress-reports?{asked}", who))["items"]]


def test_a_report_is_begun_saved_and_finished(chart: Chart) -> None:
    report = begun(chart, sections={"summary": "Sleeps better."})
    assert (report["status"], report["reported_on"], report["version"]) == ("DRAFT", "2026-03-18", 1)
    first = good(read(chart, report))
    assert [section["title"] for section in first["sections"]] == [
        "Summary",
        "Progress towards goals",
        "Attendance",
        "Recommendations",
    ]
    refused = chart.post(f"/progress-reports/{report['id']}/finish")
    assert (refused.status_code, code_of(refused)) == (409, "REPORT_INCOMPLETE")
    missing = ["Progress towards goals is empty.", "Recommendations is empty."]
    assert refused.json()["error"]["details"]["problems"] == missing
    path = f"/progress-reports/{report['id']}"
    saved = good(chart.patch(path, 1, sections=SECTIONS, reported_on="2026-03-16"))
    assert (saved["version"], saved["reported_on"]) == (2, "2026-03-16")
    assert chart.patch(path, 1, sections=SECTIONS).status_code == 412
    done = good(chart.post(f"{path}/finish"))
    assert (done["status"], done["finished_at"]) == ("FINAL", "2026-03-18T15:30:00Z")
    for again in (chart.patch(path, done["version"], sections={}), chart.post(f"{path}/finish")):
        assert (again.status_code, code_of(again)) == (409, "REPORT_FINAL")
    assert said(read(chart, report)) == SECTIONS
    for action in ("progress_report.begun", "progress_report.saved", "progress_report.finished"):
        assert len(trail(chart.http, chart.practice, action, chart.client_id)) == 1


def test_every_save_is_a_version_and_none_is_lost(chart: Chart) -> None:
    report = begun(chart, sections={"summary": "One"})
    path = f"/progress-reports/{report['id']}"
    good(chart.patch(path, 1, sections={"summary": "Two", "attendance": "Always"}))
    good(chart.patch(path, 2, reported_on="2026-03-02"))  # which is not what it says
    good(chart.patch(path, 3, sections={"summary": "Three"}))
    versions = good(chart.get(f"{path}/versions"))["items"]
    assert [one["number"] for one in versions] == [3, 2, 1]
    assert {one["written_by_id"] for one in versions} == {str(chart.clinician.staff_id)}
    texts = [said(chart.get(f"{path}/versions/{number}")) for number in (1, 2, 3)]
    assert [text["summary"] for text in texts] == ["One", "Two", "Three"]
    assert [text["attendance"] for text in texts] == ["", "Always", ""]
    assert chart.get(f"{path}/versions/4").status_code == 404
    assert said(chart.get(path)) == texts[2]


def test_a_report_that_is_wrong_is_refused_with_all_that_is(chart: Chart) -> None:
    wrong = begin(
        chart,
        client_id=str(new_id()),
        appointment_id=str(new_id()),
        service_id=str(new_id()),
        reported_on="2026-03-19",
        sections={"moon": "x"},
    )
    found = problems(wrong)
    words = ["client_id", "appointment_id", "service_id", "reported_on", "sections"]
    assert [problem.partition(":")[0] for problem in found] == words
    report = begun(chart)
    path = f"/progress-reports/{report['id']}"
    assert len(problems(chart.patch(path, 1, sections={"moon": "x"}, reported_on="2026-03-19"))) == 2
    assert begin(chart, sections={"summary": "x" * 20_001}).status_code == 422
    assert listed(chart) == [report["id"]]
    assert len(good(chart.get(f"{path}/versions"))["items"]) == 1


def test_a_report_follows_the_template_of_its_service_as_it_was_when_it_began(chart: Chart) -> None:
    service = make_service(chart.practice)
    places = [Place("sleep", "Sleep"), Place("mood", "Mood", required=False)]
    with chart.practice.work() as work:
        set_template(work, "PROGRESS_REPORT", places, service)
    visit = make_appointment(chart.practice, chart.clinician, chart.client_id, service, NOW)
    report = begun(chart, appointment_id=str(visit), sections={"mood": "Low"})
    assert report["service_id"] == str(service)
    with chart.practice.work(now=NOW.replace(hour=16)) as work:
        set_template(work, "PROGRESS_REPORT", [Place("other", "Other")], service)
    path = f"/progress-reports/{report['id']}"
    assert said(chart.get(path)) == {"sleep": "", "mood": "Low"}
    assert "Sleep is empty." in chart.post(f"{path}/finish").json()["error"]["message"]
    good(chart.patch(path, 1, sections={"sleep": "Fine"}))
    good(chart.post(f"{path}/finish"))
    assert said(chart.get(path)) == {"sleep": "Fine", "mood": ""}


def test_a_draft_is_for_its_author_and_their_supervisor(chart: Chart) -> None:
    colleague = chart.practice.add("clinician")
    make_appointment(chart.practice, colleague, chart.client_id, make_service(chart.practice), NOW)
    report = begun(chart)
    for who in (chart.clinician, chart.supervisor, chart.practice.admin):
        good(read(chart, report, who))
        assert listed(chart, who) == [report["id"]]
    for who in (colleague, chart.stranger, chart.me):
        assert read(chart, report, who).status_code == 404
        assert listed(chart, who) == []
    assert code_of(chart.send("GET", f"/progress-reports/{report['id']}", chart.practice.admin)) == "REASON_MISSING"
    path = f"/progress-reports/{report['id']}"
    assert chart.patch(path, 1, colleague, sections={}).status_code == 404
    good(chart.post(f"{path}/finish"))
    good(read(chart, report, colleague))
    assert read(chart, report, chart.stranger).status_code == 404
    for answer in (
        chart.patch(path, 2, colleague, sections={}),
        chart.void(path, colleague),
        chart.post(f"{path}/share", colleague),
        chart.post(f"{path}/unshare", colleague),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "NOT_YOURS")


@pytest.mark.parametrize("role", ["admin", "supervisor", "scheduler", "biller", "client"])
def test_reports_are_written_by_clinicians(chart: Chart, role: str) -> None:
    known = {"admin": chart.practice.admin, "supervisor": chart.supervisor, "client": chart.me}
    who = known.get(role) or chart.practice.add(role)
    report = finished(chart)
    path = f"/progress-reports/{report['id']}"
    for answer in (
        begin(chart, who),
        chart.patch(path, 2, who, sections={}),
        *(chart.post(f"{path}/{verb}", who) for verb in ("finish", "share", "unshare")),
        chart.void(path, who),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN")
    assert good(read(chart, report))["version"] == report["version"]


def test_the_client_reads_what_is_shared_until_it_is_not(chart: Chart) -> None:
    report = begun(chart, sections={"summary": "Rough words"})
    path = f"/progress-reports/{report['id']}"
    refused = chart.post(f"{path}/share")
    assert (refused.status_code, code_of(refused)) == (409, "REPORT_DRAFT")
    good(chart.patch(path, 1, sections=SECTIONS))
    good(chart.post(f"{path}/finish"))
    assert chart.get(path, chart.me).status_code == 404
    assert good(chart.post(f"{path}/share"))["shared_at"] == "2026-03-18T15:30:00Z"
    assert said(chart.get(path, chart.me)) == SECTIONS
    assert listed(chart, chart.me) == [report["id"]]
    assert [one["number"] for one in good(chart.get(f"{path}/versions", chart.me))["items"]] == [2]
    assert chart.get(f"{path}/versions/1", chart.me).status_code == 404
    assert chart.get(f"{path}/compare?number=1", chart.me).status_code == 404
    mine = f"/clients/{chart.client_id}/progress-reports"
    assert [one["id"] for one in good(chart.get(mine, chart.me))["items"]] == [report["id"]]
    other = Chart(chart.http, chart.practice)
    assert chart.get(path, other.me).status_code == 404
    assert chart.get(mine, other.me).status_code == 404
    assert good(chart.post(f"{path}/unshare"))["shared_at"] is None
    for gone in (path, f"{path}.pdf", f"{path}/versions"):
        assert chart.get(gone, chart.me).status_code == 404
    good(chart.post(f"{path}/share"))
    assert chart.void(path).status_code == 204
    assert listed(chart, chart.me, voided="true") == []
    assert chart.get(path, chart.me).status_code == 404
    kinds = ["progress_report.shared"] * 2 + ["progress_report.unshared", "progress_report.voided"]
    assert [len(trail(chart.http, chart.practice, kind, chart.client_id)) for kind in kinds] == [2, 2, 1, 1]


def test_a_voided_report_stays_on_record(chart: Chart) -> None:
    report = finished(chart)
    assert chart.void(f"/progress-reports/{report['id']}").status_code == 204
    assert read(chart, report).status_code == 404
    assert listed(chart) == []
    (kept,) = good(chart.get("/progress-reports?voided=true"))["items"]
    assert (kept["id"], kept["void_reason"]) == (report["id"], "Entered twice")


def test_reports_are_listed_by_client_author_dates_and_state(chart: Chart) -> None:
    other = chart.new_client()
    may = finished(chart, reported_on="2026-03-01")
    june = begun(chart, reported_on="2026-03-05")
    theirs = begun(chart, client_id=str(other), reported_on="2026-03-10")
    everything = [theirs["id"], june["id"], may["id"]]
    assert listed(chart) == everything
    assert listed(chart, client_id=chart.client_id) == everything[1:]
    assert listed(chart, status="FINAL") == [may["id"]]
    assert listed(chart, **{"from": "2026-03-05"}) == everything[:2]
    assert listed(chart, **{"from": "2026-03-01", "to": "2026-03-05"}) == everything[1:]
    assert listed(chart, clinician_id=chart.stranger.staff_id) == []
    assert listed(chart, chart.practice.admin, clinician_id=chart.clinician.staff_id) == everything
    assert listed(chart, sort="reported_on", limit=2) == everything[:0:-1]
    timeline = f"/clients/{chart.client_id}/progress-reports"
    assert [one["id"] for one in good(chart.get(f"{timeline}?to=2026-03-01"))["items"]] == [may["id"]]
    assert chart.get(timeline, chart.stranger).status_code == 404
    assert "summary" not in chart.get("/progress-reports").text.lower()


def test_two_versions_and_two_reports_are_compared(chart: Chart) -> None:
    old = finished(chart, reported_on="2026-01-05", sections=SECTIONS | {"summary": "Sleeps badly.\nEats well."})
    new = begun(chart, sections=SECTIONS | {"summary": "Sleeps well.\nEats well."})
    path = f"/progress-reports/{old['id']}/compare"
    found = good(chart.get(f"{path}?other={new['id']}"))
    assert (found["before"]["id"], found["after"]["id"]) == (old["id"], new["id"])
    assert [(one["key"], one["same"]) for one in found["sections"]] == [
        ("summary", False),
        ("progress", True),
        ("attendance", True),
        ("recommendations", True),
    ]
    summary = found["sections"][0]
    assert (summary["before"], summary["after"]) == ("Sleeps badly.\nEats well.", "Sleeps well.\nEats well.")
    assert [(line["kind"], line["text"]) for line in summary["lines"]] == [
        ("removed", "Sleeps badly."),
        ("added", "Sleeps well."),
        ("same", "Eats well."),
    ]
    good(chart.patch(f"/progress-reports/{new['id']}", 1, sections=SECTIONS))
    versions = good(chart.get(f"/progress-reports/{new['id']}/compare?number=1&other_number=2"))
    assert [one["key"] for one in versions["sections"] if not one["same"]] == ["summary"]
    assert (versions["before"]["number"], versions["after"]["number"]) == (1, 2)
    for missing in (f"{path}?other={new_id()}", f"{path}?number=9"):
        assert chart.get(missing).status_code == 404
    assert len(trail(chart.http, chart.practice, "progress_report.read", chart.client_id)) == 4


def test_reports_are_found_by_their_words_among_those_that_may_be_read(chart: Chart) -> None:
    older = shared(chart, reported_on="2026-02-02", sections=SECTIONS | {"summary": "Sleeps with the lamp on."})
    newer = finished(chart, sections=SECTIONS | {"summary": "The lamp is off. Sleeps."})
    draft = begun(chart, sections={"summary": "A lamp"})
    good(chart.patch(f"/progress-reports/{draft['id']}", 1, sections={"summary": "No word of it"}))

    def found(query: str, who: Person | None = None, **more: Any) -> list[str]:
        headers = BECAUSE if who is chart.practice.admin else {}
        answer = chart.send("POST", "/progress-reports/search", who, {"query": query} | more, **headers)
        assert good(answer)["complete"] is True
        return [one["id"] for one in answer.json()["items"]]

    assert found("LAMP sleeps") == [newer["id"], older["id"]]
    assert found("lamp sleeps", chart.supervisor) == found("lamp", chart.practice.admin) == found("lamp")
    assert found("word of it") == [draft["id"]]
    assert found("lamp", chart.me) == [older["id"]]
    assert found("lamp", chart.stranger) == []
    assert found("lamp", **{"to": "2026-02-28"}) == [older["id"]]
    assert found("lamp", client_id=str(chart.new_client())) == []
    assert found("lamp", status="DRAFT") == []
    for word in ("x", " ", "a\nb"):
        assert chart.post("/progress-reports/search", query=word).status_code == 422
    refused = chart.post("/progress-reports/search", chart.practice.admin, query="lamp")
    assert code_of(refused) == "REASON_MISSING"
    kept = trail(chart.http, chart.practice, "progress_reports.searched")
    assert "lamp" not in str([entry["details"] for entry in kept])


def test_a_search_looks_into_so_many_and_says_where_to_go_on(chart: Chart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_SEARCHED", 2)
    ids = [finished(chart, reported_on=f"2026-03-0{day}")["id"] for day in (1, 2, 3)]
    first = good(chart.post("/progress-reports/search", query="summary"))
    assert [one["id"] for one in first["items"]] == [ids[2], ids[1]]
    assert (first["searched"], first["complete"], first["back_to"]) == (2, False, "2026-03-02")
    rest = good(chart.post("/progress-reports/search", query="summary", to="2026-03-02"))
    assert ([one["id"] for one in rest["items"]], rest["complete"]) == ([ids[1], ids[0]], True)


def test_what_a_report_says_is_sealed(chart: Chart) -> None:
    report = begun(chart, sections={"summary": "Canary of a report"})
    with cluster.superuser(chart.practice.installation.store.database) as connection:
        query = "select content from progress_report_versions where report_id = %s"
        (kept,) = connection.execute(query, (report["id"],)).fetchall()
    assert b"Canary" not in bytes(kept[0])
    assert said(read(chart, report))["summary"] == "Canary of a report"
