"""Files of reports: CSV, workbook and JSON say the same, texts are no formulas, and PDF prints."""

import csv
import io
import zipfile
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from pypdf import PdfReader
from sqlalchemy import text

from api.report_fields import ReportResultOut
from practice.reports.files import print_report, write_csv, write_workbook
from practice.reports.results import run_report
from practice.reports.rules import Definition
from practice.reports.standard import STANDARD_REPORTS
from tests.reports.conftest import UNTIL, Birch

NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_workbook(content: bytes) -> list[list[str]]:
    """Return the cells of the first sheet as texts; fails on a formula."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        strings = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))  # noqa: S314 - our own file
        texts = ["".join(part.text or "" for part in item.iter(f"{NAMESPACE}t")) for item in strings]
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
    assert sheet.find(f".//{NAMESPACE}f") is None
    rows = []
    for row in sheet.iter(f"{NAMESPACE}row"):
        cells = {}
        for cell in row:
            value = cell.findtext(f"{NAMESPACE}v") or ""
            column = ord(cell.get("r", "A")[0]) - ord("A")
            cells[column] = texts[int(value)] if cell.get("t") == "s" else value
        rows.append([cells.get(column, "") for column in range(max(cells) + 1)])
    return rows


def to_number(cell: str) -> Decimal | str:
    try:
        return Decimal(cell).normalize()
    except ArithmeticError:
        return cell


def normalize(rows: list[list[str]]) -> list[list[Decimal | str]]:
    width = len(rows[0])
    return [[to_number(cell) for cell in [*row, *[""] * (width - len(row))]] for row in rows]


@pytest.mark.parametrize("key", STANDARD_REPORTS)
def test_csv_workbook_and_json_say_the_same(birch: Birch, key: str) -> None:
    result = birch.run(STANDARD_REPORTS[key].definition, birch.act_as("admin"))
    shown = ReportResultOut.of(result, "", UNTIL).model_dump(mode="json")
    lines = [[line["period_start"], line["name"], *cells(line)] for line in [*shown["lines"], *shown["totals"]]]
    from_csv = list(csv.reader(io.StringIO(write_csv(result).decode())))
    assert normalize(from_csv) == normalize(read_workbook(write_workbook(result)))
    assert normalize(from_csv)[1:] == normalize([from_csv[0], *lines])[1:]
    assert len(from_csv) > 2


def cells(line: dict) -> list[str]:
    return ["" if cell["value"] is None else cell["value"] for cell in line["cells"]]


def test_a_name_is_no_formula(birch: Birch) -> None:
    admin = birch.act_as("admin")
    with birch.installation.work(admin, UNTIL) as work:
        work.db.execute(text("update staff set first_name = '=HYPERLINK(1)'"))
        result = run_report(work, Definition(("revenue",), "clinician"))
        files = write_csv(result), write_workbook(result)
        work.db.rollback()
    names = {row[1] for row in [*csv.reader(io.StringIO(files[0].decode())), *read_workbook(files[1])]}
    assert any(name.startswith("'=HYPERLINK(1) ") for name in names)
    assert not any(name.startswith("=") for name in names)


def test_a_report_prints_with_its_totals(birch: Birch) -> None:
    admin = birch.act_as("admin")
    with birch.installation.work(admin, UNTIL) as work:
        result = run_report(work, Definition(("revenue", "charged"), "payer", periods=2))
        pdf = print_report(work, result, "Revenue by payer")
    said = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    assert "Revenue by payer" in said
    total = result.total["revenue"].value
    assert total is not None
    assert f"${total:,.2f}" in said.replace("\n", "")
