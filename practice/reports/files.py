"""Reports as files: CSV, a workbook, and PDF, with the same lines and totals as the result."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import xlsxwriter

from practice.csv_cells import escape_formula
from practice.dashboards.words import format_value, name_period
from practice.local_time import date_of
from practice.pdf import Document, Section, Table, render_pdf
from practice.people.models.practices import Practice
from practice.people.practice_time import zone_of
from practice.reports.measures import GROUPS
from practice.reports.results import Cell, Result
from practice.security.work import Work

TOTAL = "Total"
SMALL_GROUPS = "Groups of fewer than five clients are put together, and fewer than five in all are not shown."


def list_rows(result: Result) -> Iterator[list[str | Decimal | None]]:
    """Yield the rows of the report: period, group and values, those of a period before its total."""
    for start in result.starts:
        for line in result.lines:
            if line.period_start == start:
                yield [start.isoformat(), line.name, *list_values(result, line.cells)]
        if start in result.totals and result.definition.group != "total":
            yield [start.isoformat(), TOTAL, *list_values(result, result.totals[start])]
    if result.total:
        yield ["", TOTAL, *list_values(result, result.total)]


def list_values(result: Result, cells: Mapping[str, Cell]) -> list[Decimal | None]:
    return [cells[measure.key].value if measure.key in cells else None for measure in result.measures]


def list_columns(result: Result) -> list[str]:
    units = [f"{measure.label} ({measure.unit})" for measure in result.measures]
    return ["Period", GROUPS[result.definition.group], *units]


def write_csv(result: Result) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(list_columns(result))
    for row in list_rows(result):
        writer.writerow([escape_formula(cell) if isinstance(cell, str) else cell for cell in row])
    return file.getvalue().encode()


def write_workbook(result: Result) -> bytes:
    """Return a workbook. Texts are written as texts, so that none is taken for a formula or a link."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet = book.add_worksheet("Report")
        for number, row in enumerate([list_columns(result), *list_rows(result)]):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, escape_formula(cell))
                elif cell is not None:
                    sheet.write_number(number, column, cell)
        sheet.freeze_panes(1, 2)
        sheet.autofit()
    return content.getvalue()


def print_report(work: Work, result: Result, name: str) -> bytes:
    """Return the report as PDF, a table for each period."""
    practice = work.db.get_one(Practice, work.tenant_id)
    zone = zone_of(work)
    details = [
        ("Figures as of", str(date_of(result.refresh.as_of, zone))),
        ("Printed on", str(date_of(work.now, zone))),
    ]
    sections = [
        Section(name_period(result.definition.period, start), table=to_table(result, start)) for start in result.starts
    ]
    if result.total:
        columns, (row,) = list_labels(result), [["All periods", *list_shown(result, result.total)]]
        sections.append(Section("All periods", table=Table(columns, [row], columns[1:])))
    if result.hides_small_groups:
        sections.append(Section("Small groups", SMALL_GROUPS))
    return render_pdf(Document(name, practice.name, details, sections, f"{practice.name} · Confidential"))


def to_table(result: Result, start: date) -> Table:
    columns = list_labels(result)
    rows = [[line.name, *list_shown(result, line.cells)] for line in result.lines if line.period_start == start]
    if rows and start in result.totals and result.definition.group != "total":
        rows.append([TOTAL, *list_shown(result, result.totals[start])])
    return Table(columns, rows, columns[1:], "No figures in this period.")


def list_labels(result: Result) -> list[str]:
    return [GROUPS[result.definition.group], *(measure.label for measure in result.measures)]


def list_shown(result: Result, cells: Mapping[str, Cell]) -> Sequence[str]:
    """Return the values as people read them."""
    return [
        format_value(measure.unit, cells[measure.key].value if measure.key in cells else None)
        for measure in result.measures
    ]
