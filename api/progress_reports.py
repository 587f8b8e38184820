"""Routes of progress reports: drafts, finishing, sharing with the client, comparison, search and PDF."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.fields import (
    EXAMPLE_ID,
    PLAIN,
    AccountId,
    ClientId,
    CreatedAt,
    Day,
    RecordId,
    RecordVersion,
    Text40,
    VoidedAt,
    VoidReason,
    describe,
    example,
)
from api.names import ClientName, PersonOf, ServiceName, StaffName, from_record
from api.note_responses import SectionOut, to_sections
from api.notes import SectionText
from api.responses import FileOut, Input, ListQuery, PageOut, VoidIn, partial_model, to_page
from api.routing import PermissionRouter
from practice.clinical.documents.rules.content import MAX_SECTIONS
from practice.clinical.errors import NotYours
from practice.clinical.models.reports import ProgressReport, ProgressReportVersion
from practice.clinical.reports import queries, reports
from practice.clinical.reports.queries import Filters, ReportView
from practice.clinical.reports.reports import ReportDraft, ReportFinal, ReportIncomplete
from practice.clinical.reports.rules import Difference
from practice.pdf import DocumentTooLong, PrintingBusy
from practice.scheduling.catalog.services import load_service_codes

router = PermissionRouter(tags=["progress reports"])

Sections = Annotated[
    dict[Text40, SectionText],
    Field(max_length=MAX_SECTIONS, description="By their keys in the template; omitted ones are empty."),
]
Status = Literal["DRAFT", "FINAL"]
Number = Annotated[int | None, Field(ge=1, le=10**6)]


class ReportIn(Input):
    """`reported_on` defaults to today. Sections follow the template of the service, or of the appointment's service."""

    model_config = example(client_id=EXAMPLE_ID, sections={"summary": "Attends weekly and sleeps better."})

    client_id: ClientId
    appointment_id: Annotated[UUID | None, describe("The appointment that it belongs to.")] = None
    service_code: Annotated[Text40 | None, describe("The code of the service in the catalog.")] = None
    reported_on: Annotated[Day | None, describe("The day of the report; left out, today.")] = None
    sections: Sections = Field(default_factory=dict)


class ReportChange(Input):
    """An omitted field is not changed; `sections` replaces all sections."""

    model_config = example(sections={"summary": "Attends weekly and sleeps well."})

    reported_on: Annotated[Day | None, describe("The day of the report; left out, it stays.")] = None
    sections: Annotated[Sections | None, describe("All sections; left out, they stay.")] = None


class ReportFilter(Input):
    clinician_id: Annotated[UUID | None, Field(description="The author.")] = None
    status: Annotated[Status | None, describe("Only with this status.")] = None
    since: Annotated[Day | None, Field(alias="from", description="On this day or later.")] = None
    until: Annotated[Day | None, Field(alias="to", description="On this day or earlier.")] = None

    def to_filters(self, client_id: UUID | None, voided: bool = False) -> Filters:
        """Return the filters of the query."""
        return Filters(client_id, self.clinician_id, self.status, self.since, self.until, voided)


class ClientReportQuery(ListQuery, ReportFilter):
    voided: Annotated[bool, describe("Also list voided records.")] = False


class ReportQuery(ClientReportQuery):
    client_id: Annotated[UUID | None, describe("Only of this client.")] = None


class ReportSearch(ReportFilter):
    """Words that must all occur in a report."""

    model_config = example(**{"query": "sleep", "from": "2026-01-01"})

    query: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=2, max_length=200, pattern=PLAIN),
        describe("Words that must all occur."),
    ]
    client_id: Annotated[UUID | None, describe("Only of this client.")] = None


class CompareQuery(Input):
    other: Annotated[UUID | None, Field(description="The report to compare with; default: this one.")] = None
    number: Annotated[Number, Field(description="The version of this report; default: its last.")] = None
    other_number: Annotated[Number, Field(description="The version of the other report; default: its last.")] = None


class ProgressReportOut(BaseModel):
    id: RecordId
    client_id: ClientId
    client_name: ClientName = None
    clinician_id: Annotated[UUID, describe("The author, a staff member.")]
    clinician_name: StaffName = None
    appointment_id: Annotated[UUID | None, describe("The appointment that it belongs to.")]
    service_code: Annotated[str | None, describe("The code of the service in the catalog.")]
    service_name: ServiceName = None
    reported_on: Annotated[date, describe("The day of the report.")]
    status: Annotated[Status, describe("`DRAFT` or `FINAL`.")]
    created_at: CreatedAt
    finished_at: Annotated[datetime | None, describe("When it was finished; null while it is a draft.")]
    shared_at: Annotated[datetime | None, describe("Since when the client can read it; null if not shared.")]
    voided_at: VoidedAt | None
    voided_by: AccountId | None
    voided_by_person: PersonOf = None
    void_reason: VoidReason | None
    version: RecordVersion

    @classmethod
    def of(cls, report: ProgressReport, service_codes: Mapping[UUID, str]) -> "ProgressReportOut":
        return from_record(
            ProgressReportOut, report, service_code=service_codes[report.service_id] if report.service_id else None
        )


class ReportTextOut(ProgressReportOut):
    """`number` is the version of the text."""

    number: Annotated[int, describe("The version, counted from 1.")]
    sections: Annotated[list[SectionOut], describe("The sections, in the order of the template.")]

    @classmethod
    def with_text(cls, ctx: RequestContext, view: ReportView) -> "ReportTextOut":
        report = to_response(ctx, view.report)[0].model_dump()
        return cls(**report, number=view.version.number, sections=to_sections(view.content))


class ReportVersionOut(BaseModel):
    number: Annotated[int, describe("The version, counted from 1.")]
    written_at: Annotated[datetime, describe("When it was written.")]
    written_by_id: Annotated[UUID, describe("Who wrote it, a staff member.")]
    written_by_name: StaffName = None

    @classmethod
    def of(cls, version: ProgressReportVersion) -> "ReportVersionOut":
        return from_record(cls, version)


class ReportVersionsOut(BaseModel):
    items: Annotated[list[ReportVersionOut], describe("The versions, latest first.")]


class ComparedOut(BaseModel):
    id: Annotated[UUID, describe("The report.")]
    number: Annotated[int, describe("The version, counted from 1.")]
    reported_on: Annotated[date, describe("The day of the report.")]

    @classmethod
    def of(cls, view: ReportView) -> "ComparedOut":
        return cls(id=view.report.id, number=view.version.number, reported_on=view.report.reported_on)


class DifferenceLineOut(BaseModel):
    kind: Annotated[
        Literal["same", "removed", "added"], describe("Whether the line is in both, was removed, or was added.")
    ]
    text: Annotated[str, describe("The line.")]


class DifferenceOut(BaseModel):
    """A text is null when the report has no such section."""

    key: Annotated[str, describe("The key of the section.")]
    title: Annotated[str, describe("The title of the section.")]
    same: Annotated[bool, describe("Whether both texts are equal.")]
    before: Annotated[str | None, describe("The text of the first report.")]
    after: Annotated[str | None, describe("The text of the second report.")]
    lines: Annotated[list[DifferenceLineOut], describe("The comparison line by line.")]

    @classmethod
    def of(cls, difference: Difference) -> "DifferenceOut":
        lines = [DifferenceLineOut(kind=line.kind, text=line.text) for line in difference.lines]
        values = {name: getattr(difference, name) for name in ("key", "title", "same", "before", "after")}
        return cls(**values, lines=lines)


class ComparisonOut(BaseModel):
    before: Annotated[ComparedOut, describe("The report compared with.")]
    after: Annotated[ComparedOut, describe("This report.")]
    sections: Annotated[list[DifferenceOut], describe("The comparison of each section.")]


class ReportSearchOut(BaseModel):
    """The matches among the reports scanned, newest first. When `complete` is false, continue with `to` = `back_to`."""

    items: Annotated[list[ProgressReportOut], describe("The matches, newest first.")]
    scanned_count: Annotated[int, describe("The number of records that were scanned.")]
    complete: Annotated[bool, describe("Whether all reports were scanned.")]
    back_to: Annotated[date | None, describe("The day back to which reports were scanned.")]


ProgressReportInList: Any = partial_model(ProgressReportOut)


def load_codes(ctx: RequestContext, reports: Sequence[ProgressReport]) -> dict[UUID, str]:
    """Return the codes of the reports' services by id."""
    return load_service_codes(ctx.work, {report.service_id for report in reports if report.service_id})


def to_response(ctx: RequestContext, *reports: ProgressReport) -> list[ProgressReportOut]:
    codes = load_codes(ctx, reports)
    return [ProgressReportOut.of(report, codes) for report in reports]


@router.get("/progress-reports", permission="notes.read")
def list_progress_reports(
    ctx: RequestContext, query: Annotated[ReportQuery, Query()], reason: Reason = None
) -> PageOut[ProgressReportInList]:
    """List progress reports.

    Latest first. Drafts are visible to their author and the author's supervisor; a client sees reports shared with
    them. Sorts by reported_on, created_at or id.
    """
    filters = query.to_filters(query.client_id, query.voided)
    page = queries.list_reports(ctx.work, ctx.scope, query.page_request(), filters, reason)
    return to_page(page, ProgressReportOut, load_codes(ctx, page.items))


@router.post("/progress-reports", permission="notes.write", status_code=201)
def begin_progress_report(ctx: RequestContext, body: ReportIn) -> ProgressReportOut:
    """Begin a progress report.

    A draft by the template of its service.
    """
    return to_response(ctx, reports.begin_report(ctx.work, ctx.scope, **body.model_dump()))[0]


@router.post("/progress-reports/search", permission="notes.read")
def search_progress_reports(ctx: RequestContext, body: ReportSearch, reason: Reason = None) -> ReportSearchOut:
    """Search progress reports.

    Those that contain every word, among the ones you may read.
    """
    filters = body.to_filters(body.client_id)
    result = queries.search_reports(ctx.work, ctx.scope, body.query, filters, reason)
    items = to_response(ctx, *result.reports)
    return ReportSearchOut(
        items=items, scanned_count=result.scanned_count, complete=result.complete, back_to=result.back_to
    )


@router.get("/progress-reports/{report_id}.pdf", permission="notes.read", errors=[DocumentTooLong, PrintingBusy])
def print_progress_report(ctx: RequestContext, report_id: UUID, reason: Reason = None) -> FileOut:
    """Print a progress report as PDF."""
    name, content = queries.print_report(ctx.work, ctx.scope, report_id, reason)
    return FileOut(name, "application/pdf", content)


@router.get("/progress-reports/{report_id}", permission="notes.read")
def get_progress_report(ctx: RequestContext, report_id: UUID, reason: Reason = None) -> ReportTextOut:
    """Get a progress report with its text."""
    return ReportTextOut.with_text(ctx, queries.read_report(ctx.work, ctx.scope, report_id, reason=reason))


@router.put("/progress-reports/{report_id}", permission="notes.write", errors=[NotYours, ReportFinal])
def save_progress_report(
    ctx: RequestContext, report_id: UUID, version: Version, body: ReportChange
) -> ProgressReportOut:
    """Save a draft progress report.

    As a new version, by its author.
    """
    return to_response(ctx, reports.save_report(ctx.work, ctx.scope, report_id, version, **body.model_dump()))[0]


@router.delete("/progress-reports/{report_id}", permission="notes.write", status_code=204, errors=[NotYours])
def void_progress_report(ctx: RequestContext, report_id: UUID, body: VoidIn) -> None:
    """Void a progress report.

    It stays on record with who, when and why. Do not put personal data in `reason`.
    """
    reports.void_report(ctx.work, ctx.scope, report_id, body.reason)


@router.post(
    "/progress-reports/{report_id}/finish", permission="notes.write", errors=[NotYours, ReportFinal, ReportIncomplete]
)
def finish_progress_report(ctx: RequestContext, report_id: UUID) -> ProgressReportOut:
    """Finish a progress report.

    Every required section must be filled in. A final report can no longer be changed.
    """
    return to_response(ctx, reports.finish_report(ctx.work, ctx.scope, report_id))[0]


@router.post("/progress-reports/{report_id}/share", permission="notes.write", errors=[NotYours, ReportDraft])
def share_progress_report(ctx: RequestContext, report_id: UUID) -> ProgressReportOut:
    """Share a final report with the client.

    The client, or a guardian who signs in for them, can read it in the portal.
    """
    return to_response(ctx, reports.share_report(ctx.work, ctx.scope, report_id))[0]


@router.post("/progress-reports/{report_id}/unshare", permission="notes.write", errors=[NotYours])
def unshare_progress_report(ctx: RequestContext, report_id: UUID) -> ProgressReportOut:
    """Stop sharing a report with the client."""
    return to_response(ctx, reports.unshare_report(ctx.work, ctx.scope, report_id))[0]


@router.get("/progress-reports/{report_id}/versions", permission="notes.read")
def list_progress_report_versions(ctx: RequestContext, report_id: UUID, reason: Reason = None) -> ReportVersionsOut:
    """List the versions of a progress report.

    Latest first.
    """
    versions = queries.list_versions(ctx.work, ctx.scope, report_id, reason)
    return ReportVersionsOut(items=[ReportVersionOut.of(version) for version in versions])


@router.get("/progress-reports/{report_id}/versions/{number}", permission="notes.read")
def get_progress_report_version(
    ctx: RequestContext, report_id: UUID, number: Number, reason: Reason = None
) -> ReportTextOut:
    """Get a version of a progress report."""
    return ReportTextOut.with_text(ctx, queries.read_report(ctx.work, ctx.scope, report_id, number, reason))


@router.get("/progress-reports/{report_id}/compare", permission="notes.read")
def compare_progress_reports(
    ctx: RequestContext, report_id: UUID, query: Annotated[CompareQuery, Query()], reason: Reason = None
) -> ComparisonOut:
    """Compare progress reports.

    Section by section: with another report, or two versions of one.
    """
    numbers = (query.number, query.other_number)
    other = query.other or report_id
    before, after, differences = queries.compare_reports(ctx.work, ctx.scope, report_id, other, numbers, reason)
    sections = [DifferenceOut.of(difference) for difference in differences]
    return ComparisonOut(before=ComparedOut.of(before), after=ComparedOut.of(after), sections=sections)


@router.get("/clients/{client_id}/progress-reports", permission="notes.read")
def list_client_progress_reports(
    ctx: RequestContext, client_id: UUID, query: Annotated[ClientReportQuery, Query()], reason: Reason = None
) -> PageOut[ProgressReportInList]:
    """List a client's progress reports.

    Latest first.
    """
    filters = query.to_filters(client_id, query.voided)
    page = queries.list_client_reports(ctx.work, ctx.scope, client_id, query.page_request(), filters, reason)
    return to_page(page, ProgressReportOut, load_codes(ctx, page.items))
