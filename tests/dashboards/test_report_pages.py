"""The page of reports as Streamlit draws it: what it shows to whom, and what is built, shared and sent there."""

from typing import Any

import pytest

from dashboards import navigation
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.published import add_measured_sessions, publish_metrics
from tests.support.drivers.pages import Pages


@pytest.fixture
def supervisor(practice: PracticeFixture) -> Person:
    """Publish the metrics of a supervised clinician and of another one."""
    supervisor = practice.add("supervisor")
    member = practice.add("clinician", supervisor=supervisor)
    add_measured_sessions(practice, member, practice.add("clinician"))
    practice.people["clinician"] = member
    publish_metrics(practice)
    return supervisor


def find_component(browser: Any, caption: str) -> Any:
    return next(data for data in browser.read_components() if isinstance(data, dict) and data["caption"] == caption)


@pytest.fixture
def open_reports(open_as: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open the page of reports: the harness knows only the first page, so it is the only one."""
    monkeypatch.setattr(navigation, "PAGES", [page for page in navigation.PAGES if page.path == "reports"])

    def open_page(role: str, **query: str) -> Any:
        return open_as(role).run(**query)

    return open_page


def read_lines(browser: Any, caption: str) -> dict[str, str]:
    """Return the shown value of the first measure by line, the total among them."""
    table = find_component(browser, caption)
    first = table["columns"][1]["key"]
    return {row["name"]: row.get(first, "") for row in table["rows"]}


def test_a_report_shows_lines_totals_and_what_to_look_at(open_reports: Any, supervisor: Person) -> None:
    browser = open_reports("admin", report="productivity")
    assert browser.list_calls() == ["GET /auth/me", "GET /dashboards/reports"]
    lines = read_lines(browser, "Productivity")
    assert sorted(lines.values()) == ["100 %", "66.67 %", "75 %"]
    assert lines["Total"] == "75 %"
    said = browser.read_text()
    assert "Kept visit rate in March 2026: 75 %." in said
    assert "Look first at Robin Tester" in said
    (plot,) = browser.app.get("arrow_vega_lite_chart") or browser.app.get("vega_lite_chart")
    assert plot is not None
    names = [row["name"] for row in find_component(browser, "Standard reports")["rows"]]
    assert names[:3] == ["Revenue by clinician", "Revenue by code", "Revenue by payer"]


def test_a_page_is_as_wide_as_the_role(open_reports: Any, supervisor: Person, practice: PracticeFixture) -> None:
    team = read_lines(open_reports("supervisor", report="productivity"), "Productivity")
    assert sorted(team.values()) == ["66.67 %", "66.67 %"]
    own = read_lines(open_reports("clinician", report="productivity"), "Productivity")
    assert own == team
    practice.add("biller")
    browser = open_reports("biller", report="productivity")
    assert "no longer shared with you" in browser.read_text()
    listed = [row["name"] for row in find_component(browser, "Standard reports")["rows"]]
    assert "Productivity" not in listed
    assert "Clients by gender" not in listed
    assert "Revenue by payer" in listed


def test_before_the_first_refresh_the_page_says_so(open_reports: Any, practice: PracticeFixture) -> None:
    browser = open_reports("admin")
    assert "The figures have not been computed yet." in browser.read_text()
    assert not browser.app.get("arrow_vega_lite_chart")


def test_files_are_of_the_signed_in_person(pages: Pages, practice: PracticeFixture, supervisor: Person) -> None:
    admin, member = pages.sign_in(practice), pages.sign_in(practice, practice.people["clinician"])
    counts = {}
    for name, browser in (("admin", admin), ("member", member)):
        answer = browser.get("/files/report.csv?report=productivity&day=2026-03-01")
        assert answer.headers["content-disposition"] == 'attachment; filename="report.csv"'
        counts[name] = len(answer.text.splitlines())
    assert counts == {"admin": 4, "member": 3}  # with a head and a total
    assert admin.get("/files/report.pdf?report=productivity").content.startswith(b"%PDF")
    assert admin.get("/files/report.xlsx?report=productivity").content.startswith(b"PK")
    rows = member.get("/files/report-rows.csv?measure=revenue&start=2026-03-01&group=total&key=")
    assert rows.text.splitlines() == ["on_date,at,client_name,clinician_name,cpt_code,counts,kind,id"]
    assert admin.get("/files/report-rows.csv?measure=kept_visit_rate&start=2026-03-01").status_code == 422
    for path in (
        "/files/report.exe?report=productivity",
        "/files/report.csv",
        "/files/report-rows.pdf?measure=revenue",
    ):
        assert admin.get(path).status_code == 404
    biller = pages.sign_in(practice, practice.add("biller"))
    assert biller.get("/files/report.csv?report=productivity").status_code == 404
