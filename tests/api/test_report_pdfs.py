"""Progress reports as PDF: complete text, escaping, and file names without personal data."""

import io
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader
from sqlalchemy import text

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.chart import ChartApi
from tests.support.drivers.clients import load_audit_entries
from tests.support.drivers.http import assert_invalid, assert_ok, error_code
from tests.support.drivers.sample_requests.reports import SECTIONS

STRANGE = 'Says "$x$ #let y = 1", [brackets], *stars*, _lines_, <label>, @ref, \\ and // and 100 % \u00e9\u00fc\u00df.'


@pytest.fixture
def chart(client: TestClient, practice: PracticeFixture) -> ChartApi:
    return ChartApi(client, practice)


def create_report(chart: ChartApi, **sections: str) -> str:
    body = {"client_id": str(chart.client_id), "sections": SECTIONS | sections}
    report = assert_ok(chart.post("/progress-reports", **body), 201)
    return f"/progress-reports/{report['id']}"


def extract_text(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return " ".join("\n".join(page.extract_text() for page in pages).split())


def test_a_pdf_contains_the_text_of_the_report(chart: ChartApi) -> None:
    with chart.practice.installation.store.begin_session(chart.practice.id) as db:
        statement = "update clients set first_name = 'Casey', last_name = 'Paperwhite' where id = :id"
        db.execute(text(statement), {"id": chart.client_id})
    path = create_report(
        chart, summary="First line.\nSecond line.\n\nAnother paragraph.", progress=STRANGE, attendance=""
    )
    draft = extract_text(chart.get(f"{path}.pdf"))
    assert "Draft, not finished" in draft
    assert_ok(chart.post(f"{path}/finish"))
    answer = chart.get(f"{path}.pdf")
    text_content = extract_text(answer)
    assert "Draft" not in text_content
    for fragment in (
        "Progress report",
        "Casey Paperwhite",
        "1990-05-17",
        "2026-03-18",
        "Summary First line. Second line. Another paragraph.",
        STRANGE,
        "Recommendations",
        "Confidential",
    ):
        assert fragment in text_content, fragment
    assert "Attendance" not in text_content
    disposition = answer.headers["content-disposition"]
    assert "progress-report-2026-03-18.pdf" in disposition
    assert "Paperwhite" not in disposition
    assert len(load_audit_entries(chart.http, chart.practice, "progress_report.printed", chart.client_id)) == 2


def test_a_long_report_spans_pages_without_losing_text(chart: ChartApi) -> None:
    numbers = [f"word{number}" for number in range(2_000)]
    path = create_report(
        chart, summary=" ".join(numbers), progress="\n".join(f"line {number}" for number in range(120))
    )
    answer = chart.get(f"{path}.pdf")
    text_content = extract_text(answer)
    assert [number for number in numbers if number not in text_content.split()] == []
    assert "line 119" in text_content
    assert len(PdfReader(io.BytesIO(answer.content)).pages) > 3


def test_a_report_with_more_lines_than_can_be_printed_is_not_saved(chart: ChartApi) -> None:
    body = {"client_id": str(chart.client_id)}
    (problem,) = assert_invalid(chart.post("/progress-reports", **body, sections={"summary": "a\n" * 2_501}))
    assert "2,501 lines" in problem
    report = assert_ok(chart.post("/progress-reports", **body, sections={"summary": "a\n" * 2_500}), 201)
    assert chart.get(f"/progress-reports/{report['id']}.pdf").status_code == 200


def test_a_report_is_printed_by_those_who_can_read_it(chart: ChartApi) -> None:
    path = create_report(chart)
    assert_ok(chart.post(f"{path}/finish"))
    assert chart.get(f"{path}.pdf", chart.client).status_code == 404
    assert_ok(chart.post(f"{path}/share"))
    for person in (chart.client, chart.clinician, chart.supervisor, chart.practice.admin):
        assert "Summary: as it should be." in extract_text(chart.get(f"{path}.pdf", person))
    assert error_code(chart.send("GET", f"{path}.pdf", chart.practice.admin)) == "REASON_MISSING"
    assert chart.get(f"{path}.pdf", chart.stranger).status_code == 404
    assert chart.get(f"{path}.pdf", chart.practice.add("scheduler")).status_code == 403
    assert chart.get(f"/progress-reports/{UUID(int=0)}.pdf").status_code == 404
