"""Progress reports as PDF: what was written is there, whatever it looks like, and the file names nobody."""

import io
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader
from sqlalchemy import text

from tests.support.builders.people import PracticeFixture
from tests.support.drivers.chart import Chart
from tests.support.drivers.clients import good, trail
from tests.support.drivers.http import code_of
from tests.support.drivers.sample_requests.reports import SECTIONS

STRANGE = 'Says "$x$ #let y = 1", [brackets], *stars*, _lines_, <label>, @ref, \\ and // and 100 % \u00e9\u00fc\u00df.'


@pytest.fixture
def chart(client: TestClient, practice: PracticeFixture) -> Chart:
    return Chart(client, practice)


def written(chart: Chart, **sections: str) -> str:
    body = {"client_id": str(chart.client_id), "sections": SECTIONS | sections}
    report = good(chart.post("/progress-reports", **body), 201)
    return f"/progress-reports/{report['id']}"


def words_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return " ".join("\n".join(page.extract_text() for page in pages).split())


def test_a_report_on_paper_says_what_was_written(chart: Chart) -> None:
    with chart.practice.installation.store.session_in(chart.practice.id) as db:
        named = "update clients set first_name = 'Casey', last_name = 'Paperwhite' where id = :id"
        db.execute(text(named), {"id": chart.client_id})
    path = written(chart, summary="First line.\nSecond line.\n\nAnother paragraph.", progress=STRANGE, attendance="")
    draft = words_of(chart.get(f"{path}.pdf"))
    assert "Draft, not finished" in draft
    good(chart.post(f"{path}/finish"))
    answer = chart.get(f"{path}.pdf")
    said = words_of(answer)
    assert "Draft" not in said
    for there in (
        "Progress report",
        "Casey Paperwhite",
        "1990-05-17",
        "2026-03-18",
        "Summary First line. Second line. Another paragraph.",
        STRANGE,
        "Recommendations",
        "Confidential",
    ):
        assert there in said, there
    assert "Attendance" not in said
    disposition = answer.headers["content-disposition"]
    assert "progress-report-2026-03-18.pdf" in disposition
    assert "Paperwhite" not in disposition
    assert len(trail(chart.http, chart.practice, "progress_report.printed", chart.client_id)) == 2


def test_a_long_report_takes_several_pages_and_loses_nothing(chart: Chart) -> None:
    numbers = [f"word{number}" for number in range(2_000)]
    path = written(chart, summary=" ".join(numbers), progress="\n".join(f"line {number}" for number in range(120)))
    answer = chart.get(f"{path}.pdf")
    said = words_of(answer)
    assert [number for number in numbers if number not in said.split()] == []
    assert "line 119" in said
    assert len(PdfReader(io.BytesIO(answer.content)).pages) > 3


def test_a_report_is_printed_by_who_may_read_it(chart: Chart) -> None:
    path = written(chart)
    good(chart.post(f"{path}/finish"))
    assert chart.get(f"{path}.pdf", chart.me).status_code == 404
    good(chart.post(f"{path}/share"))
    for who in (chart.me, chart.clinician, chart.supervisor, chart.practice.admin):
        assert "Summary: as it should be." in words_of(chart.get(f"{path}.pdf", who))
    assert code_of(chart.send("GET", f"{path}.pdf", chart.practice.admin)) == "REASON_MISSING"
    assert chart.get(f"{path}.pdf", chart.stranger).status_code == 404
    assert chart.get(f"{path}.pdf", chart.practice.add("scheduler")).status_code == 403
    assert chart.get(f"/progress-reports/{UUID(int=0)}.pdf").status_code == 404
