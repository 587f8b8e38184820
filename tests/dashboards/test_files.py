"""Files from the pages: the rows behind a figure and pay statements, for those who may see them."""

import csv
import io
import re
import zipfile
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import text

from dashboards import files
from dashboards.files import read_cell, write_csv, write_workbook
from dashboards.views.rows_behind import build_file_link
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.published import add_measured_sessions, publish_metrics
from tests.support.drivers.http import V1, assert_ok, auth_headers
from tests.support.drivers.pages import Pages

DAY = timedelta(days=1)
FIGURE = "/metrics/kept_visit_rate/rows?period=month&start=2026-03-01&entity_kind=practice"


@pytest.fixture
def clinician(practice: PracticeFixture) -> Person:
    """Publish the metrics of a clinician with nine kept visits and a missed one. Clients have names like formulas."""
    clinician = practice.add("clinician")
    builder = add_measured_sessions(practice, clinician)
    for days in (3, 4, 5, 6, 7, 8, 10):
        builder.add_session(NOW - days * DAY)
    with practice.installation.store.begin_session(practice.id) as db:
        db.execute(text("update clients set first_name = '=HYPERLINK(1)'"))
    publish_metrics(practice)
    return clinician


def test_the_rows_add_up_in_every_format(
    pages: Pages, practice: PracticeFixture, clinician: Person, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PAGE_ROWS", 4)  # several pages of one refresh
    browser = pages.sign_in(practice)
    shown = assert_ok(client.get(f"{V1}{FIGURE}", headers=auth_headers(practice)))
    answer = browser.get(build_file_link(FIGURE, "csv"))
    assert answer.headers["content-disposition"] == 'attachment; filename="kept_visit_rate-2026-03-01.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == shown["count"] == 10
    for name in ("numerator", "denominator"):
        assert sum(float(row[name]) for row in rows) == shown[name]
    assert {row["client_name"][:2] for row in rows} == {"'="}  # no spreadsheet runs it
    workbook = zipfile.ZipFile(io.BytesIO(browser.get(build_file_link(FIGURE, "xlsx")).content))
    sheet = workbook.read("xl/worksheets/sheet1.xml").decode()
    assert (sheet.count("<row "), "<f>" in sheet) == (11, False)


def test_a_file_is_for_those_who_may_see_it(pages: Pages, practice: PracticeFixture, clinician: Person) -> None:
    link = build_file_link(FIGURE, "csv")
    assert pages.open_browser().get(link).headers["location"].startswith("/sign-in")
    refused = pages.sign_in(practice, clinician).get(link)
    assert refused.status_code in (403, 404)
    assert "client_name" not in refused.text
    own = f"{FIGURE.replace('=practice', '=clinician')}&entity_id={clinician.staff_id}"
    assert len(pages.sign_in(practice, clinician).get(build_file_link(own, "csv")).text.splitlines()) == 11


@pytest.mark.parametrize(
    "link",
    [
        "/files/rows.exe?metric=kept_visit_rate",
        "/files/rows.csv?metric=../../clients",
        "/files/rows.csv",
        "/files/statement.pdf?week=2026-03-08&staff_id=../../../../audit",
        "/files/statement.docx?week=2026-03-08&staff_id=x",
    ],
)
def test_only_known_files_are_served(pages: Pages, practice: PracticeFixture, link: str) -> None:
    browser = pages.sign_in(practice)
    assert browser.get(link).status_code == 404
    assert [path for _, path, _ in pages.client.sent if path != "/auth/me"] == []


def test_a_statement_is_a_pdf_of_its_person(pages: Pages, practice: PracticeFixture, clinician: Person) -> None:
    other = practice.add("clinician")
    link = f"/files/statement.pdf?week=2026-03-08&staff_id={clinician.staff_id}"
    printed = pages.sign_in(practice).get(link)
    assert (printed.status_code, printed.content[:5]) == (200, b"%PDF-")
    refused = pages.sign_in(practice, other).get(link)
    assert (refused.status_code, refused.content[:5] == b"%PDF-") == (404, False)


def test_a_link_does_not_choose_the_name_of_a_file(pages: Pages, practice: PracticeFixture, clinician: Person) -> None:
    browser = pages.sign_in(practice, clinician)
    for start in ('x"; y="', "a.bat\u20ac", ["2026-03-01", "2026-03-01"]):
        answer = browser.get("/files/rows.csv", params={"metric": "kept_visit_rate", "start": start})
        name = answer.headers.get("content-disposition", 'attachment; filename="none"')
        assert answer.status_code < 500
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', name), name


def test_amounts_are_numbers_in_both_kinds_of_file() -> None:
    assert (read_cell("counts", "-30.00"), read_cell("status", "-30.00")) == (Decimal("-30.00"), "-30.00")
    rows = [[read_cell("counts", "-30.00"), "=1+1"]]
    assert write_csv(["counts", "client_name"], iter(rows)).decode().splitlines()[1] == "-30.00,'=1+1"
    with ZipFile(io.BytesIO(write_workbook(["counts", "client_name"], iter(rows)))) as archive:
        assert re.search(r"<v>-30(\.0+)?</v>", archive.read("xl/worksheets/sheet1.xml").decode())
