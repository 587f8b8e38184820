"""Routes of reports: the standard ones, those that people save, share and have sent, their figures and files."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from api.context import RequestContext, Version
from api.fields import PLAIN, ClientId, ClinicianId, Day, Name, describe, example
from api.metrics import RefreshOut
from api.names import ClientName, StaffName, from_record
from api.report_fields import (
    MeasureKey,
    ReaderRole,
    ReportDefinitionIn,
    ReportGroup,
    ReportKeyQuery,
    ReportMeasureOut,
    ReportPeriod,
    ReportResultOut,
    ReportScheduleIn,
    SavedReportOut,
    StandardReportOut,
)
from api.responses import FileOut, Input, ListQuery, PageOut, partial_model, to_page
from api.routing import PermissionRouter
from practice.analytics.errors import NoRefresh, TooManyValues
from practice.pdf import DocumentTooLong, PrintingBusy
from practice.reports import saved
from practice.reports.catalog import choose_period, find_report, list_measures, list_standard_reports
from practice.reports.files import print_report, write_csv, write_workbook
from practice.reports.models import ReportDefinition
from practice.reports.records import RecordsOf, load_records
from practice.reports.results import Result, run_report
from practice.reports.saved import Change
from practice.reports.sums import Record

router = PermissionRouter(prefix="/reports", tags=["reports"])

CSV, XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FIGURE_ERRORS = (NoRefresh, TooManyValues)


class SavedReportIn(Input):
    model_config = example(name="Money of my team", definition={"measures": ["revenue"], "group": "clinician"})

    name: Annotated[Name, describe("Its name. Everybody with whom it is shared sees it: name no client.")]
    definition: Annotated[ReportDefinitionIn, describe("What it shows.")]
    shared_with: Annotated[list[ReaderRole], Field(max_length=4), describe("Roles to share it with; admins only.")] = (
        Field(default_factory=list)
    )
    schedule: Annotated[ReportScheduleIn | None, describe("When it is sent to whom; null if it is not.")] = None


class SavedReportChange(Input):
    """Only the fields sent are changed."""

    model_config = example(shared_with=["supervisor"])

    name: Annotated[Name, describe("Its name.")] = ""
    definition: Annotated[ReportDefinitionIn | None, describe("What it shows.")] = None
    shared_with: Annotated[list[ReaderRole], Field(max_length=4), describe("Roles to share it with; admins only.")] = (
        Field(default_factory=list)
    )
    schedule: Annotated[ReportScheduleIn | None, describe("When it is sent to whom; null ends it.")] = None


class ReportCatalogOut(BaseModel):
    reports: Annotated[list[StandardReportOut], describe("The standard reports that you may see.")]
    measures: Annotated[list[ReportMeasureOut], describe("The measures that you may choose from.")]


class ReportRowsQuery(Input):
    measure: Annotated[MeasureKey, describe("A measure of money or claims.")]
    period: Annotated[ReportPeriod, describe("The kind of period.")] = "month"
    start: Annotated[Day, describe("The first day of the period.")]
    group: Annotated[ReportGroup, describe("What the line is of.")] = "total"
    key: Annotated[str, Field(max_length=200, pattern=PLAIN), describe("The key of the line; none for `total`.")] = ""
    clinician_id: Annotated[list[UUID] | None, Field(max_length=100), describe("Only of these clinicians.")] = None
    limit: Annotated[int, Field(ge=1, le=1000), describe("The most rows to return.")] = 100
    offset: Annotated[int, Field(ge=0, le=10_000_000), describe("The number of rows to leave out.")] = 0


class ReportRowOut(BaseModel):
    kind: Annotated[str, describe("The kind of record.")]
    id: Annotated[UUID, describe("The record.")]
    at: Annotated[datetime | None, describe("When it was posted or decided.")]
    on_date: Annotated[date | None, describe("The day of the service.")]
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: ClinicianId
    clinician_name: StaffName = None
    cpt_code: Annotated[str, describe("The CPT code of the charge; of a claim, of its first charge.")]
    counts: Annotated[Decimal, describe("What it adds: dollars, or 1.")]

    @classmethod
    def of(cls, record: Record, scale: int) -> "ReportRowOut":
        return from_record(cls, record, counts=to_counts(record.amount, scale))


def to_counts(amount: int, scale: int) -> Decimal:
    """Return cents as dollars with two decimals, or a number as it is."""
    return Decimal(amount) if scale == 1 else Decimal(amount).scaleb(-2)


class ReportRowsOut(BaseModel):
    refresh: Annotated[RefreshOut, describe("The refresh whose instant counts.")]
    count: Annotated[int, describe("The number of all rows.")]
    sum: Annotated[Decimal, describe("The sum of all rows, which is the figure's numerator.")]
    items: Annotated[list[ReportRowOut], describe("The rows of this page, by time.")]
    next_offset: Annotated[int | None, describe("Send it as `offset` for the next page; null on the last page.")]


SavedReportInList: Any = partial_model(SavedReportOut)


def to_saved(ctx: RequestContext, report: ReportDefinition) -> SavedReportOut:
    return SavedReportOut.of(report, ctx.actor.staff_id, saved.load_recipients(ctx.work, [report.id]))


def run_named(ctx: RequestContext, query: ReportKeyQuery) -> tuple[str, Result]:
    """Return the name and the result of a standard or saved report."""
    report = find_report(ctx.work, query.report)
    result = run_report(ctx.work, choose_period(report.definition, query.period), query.day)
    ctx.work.record("report.read", "report", report.saved.id if report.saved else None, report=query.report)
    return report.name, result


@router.get("", permission="reports.read")
def list_reports(ctx: RequestContext, query: Annotated[ListQuery, Query()]) -> PageOut[SavedReportInList]:
    """List saved reports.

    Your own and those shared with your roles, by name. Sorts by name, created_at or id.
    """
    page = saved.list_reports(ctx.work, query.page_request())
    recipients = saved.load_recipients(ctx.work, [report.id for report in page.items])
    return to_page(page, SavedReportOut, ctx.actor.staff_id, recipients)


@router.post("", permission="reports.write", status_code=201)
def save_report(ctx: RequestContext, body: SavedReportIn) -> SavedReportOut:
    """Save a report.

    Measures, a group, filters and an order. Those with whom it is shared see it by their own permissions.
    """
    return to_saved(ctx, saved.save_report(ctx.work, to_change(body, set(SavedReportIn.model_fields))))


def to_change(body: SavedReportIn | SavedReportChange, names: set[str]) -> Change:
    """Return the change that these fields of a body ask for."""
    return Change(
        name=body.name if "name" in names else None,
        definition=body.definition.to_definition() if "definition" in names and body.definition else None,
        shared_with=body.shared_with if "shared_with" in names else None,
        schedule=body.schedule.to_schedule() if body.schedule else None,
        recipient_ids=body.schedule.recipient_ids if body.schedule else None,
        ends_schedule="schedule" in names and body.schedule is None,
    )


@router.get("/catalog", permission="reports.read")
def list_report_measures(ctx: RequestContext) -> ReportCatalogOut:
    """List standard reports and measures.

    Those that your roles show: the metrics, money, claims, and counts of clients.
    """
    return ReportCatalogOut(
        reports=[StandardReportOut.of(report) for report in list_standard_reports(ctx.work)],
        measures=[ReportMeasureOut.of(measure) for measure in list_measures(ctx.work)],
    )


@router.post("/run", permission="reports.read", errors=FIGURE_ERRORS)
def run_unsaved_report(ctx: RequestContext, body: ReportDefinitionIn) -> ReportResultOut:
    """Run a definition without saving it."""
    definition = body.to_definition()
    saved.raise_for_problems(saved.find_definition_problems(ctx.work, definition))
    ctx.work.record("report.read", "report", None, report="unsaved")
    return ReportResultOut.of(run_report(ctx.work, definition), "", ctx.now)


@router.get("/figures", permission="reports.read", errors=FIGURE_ERRORS)
def get_report_figures(ctx: RequestContext, query: Annotated[ReportKeyQuery, Query()]) -> ReportResultOut:
    """Get the figures of a report.

    Of a standard or saved one, in the periods up to that of a day.
    """
    name, result = run_named(ctx, query)
    return ReportResultOut.of(result, name, ctx.now)


@router.get("/figures.csv", permission="reports.read", errors=FIGURE_ERRORS)
def export_report(ctx: RequestContext, query: Annotated[ReportKeyQuery, Query()]) -> FileOut:
    """Export a report as CSV."""
    return FileOut("report.csv", CSV, write_csv(run_named(ctx, query)[1]))


@router.get("/figures.xlsx", permission="reports.read", errors=FIGURE_ERRORS)
def export_report_workbook(ctx: RequestContext, query: Annotated[ReportKeyQuery, Query()]) -> FileOut:
    """Export a report as a workbook."""
    return FileOut("report.xlsx", XLSX, write_workbook(run_named(ctx, query)[1]))


@router.get("/figures.pdf", permission="reports.read", errors=[*FIGURE_ERRORS, DocumentTooLong, PrintingBusy])
def print_report_figures(ctx: RequestContext, query: Annotated[ReportKeyQuery, Query()]) -> FileOut:
    """Print a report as PDF."""
    name, result = run_named(ctx, query)
    return FileOut("report.pdf", "application/pdf", print_report(ctx.work, result, name))


@router.get("/rows", permission="reports.money", errors=[NoRefresh])
def list_report_rows(ctx: RequestContext, query: Annotated[ReportRowsQuery, Query()]) -> ReportRowsOut:
    """List the records behind a sum of money or claims.

    Postings, charges or claims; their sum is the figure's numerator.
    """
    about = RecordsOf(query.measure, query.period, query.start, query.group, query.key, tuple(query.clinician_id or ()))
    found = load_records(ctx.work, ctx.scope, about, query.limit, query.offset)
    end = query.offset + len(found.records)
    return ReportRowsOut(
        refresh=RefreshOut.of(found.refresh, ctx.now),
        count=found.count,
        sum=to_counts(found.total, found.scale),
        items=[ReportRowOut.of(record, found.scale) for record in found.records],
        next_offset=end if found.records and end < found.count else None,
    )


@router.get("/{report_id}", permission="reports.read")
def get_report(ctx: RequestContext, report_id: UUID) -> SavedReportOut:
    """Get a saved report."""
    return to_saved(ctx, saved.get_report(ctx.work, report_id))


@router.patch("/{report_id}", permission="reports.write")
def change_report(ctx: RequestContext, report_id: UUID, version: Version, body: SavedReportChange) -> SavedReportOut:
    """Change a saved report.

    Its name, definition, roles or schedule. Only its owner changes it.
    """
    return to_saved(ctx, saved.change_report(ctx.work, report_id, version, to_change(body, body.model_fields_set)))


@router.delete("/{report_id}", permission="reports.write", status_code=204)
def delete_report(ctx: RequestContext, report_id: UUID) -> None:
    """Delete a saved report.

    It is neither listed nor sent any more. Only its owner deletes it.
    """
    saved.delete_report(ctx.work, report_id)
