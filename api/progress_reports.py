"""Progress reports: written as drafts, finished, shared with the client, compared, searched, printed."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from api.context import Reason, RequestContext, Version
from api.fields import PLAIN, Day, Short, Why
from api.notes import SectionOut, SectionText, sections_out
from api.responses import FileOut, Input, ListQuery, PageOut, page_out, some_of
from api.routing import PermissionRouter
from practice.clinical.documents.rules.content import MOST_SECTIONS
from practice.clinical.errors import NotYours
from practice.clinical.models.reports import ProgressReport, ProgressReportVersion
from practice.clinical.reports import queries, reports
from practice.clinical.reports.queries import Filters, Report
from practice.clinical.reports.reports import ReportDraft, ReportFinal, ReportIncomplete
from practice.clinical.reports.rules import Difference

router = PermissionRouter(tags=["progress reports"])

Sections = Annotated[
    dict[Short, SectionText],
    Field(max_length=MOST_SECTIONS, description="By their keys in the template. One that is left out is empty."),
]
Status = Literal["DRAFT", "FINAL"]
Number = Annotated[int | None, Field(ge=1, le=10**6)]


class ReportIn(Input):
    """Of today, where no day is said. Its sections follow the template of the service, or of the appointment's."""

    client_id: UUID
    appointment_id: UUID | None = None
    service_id: UUID | None = None
    reported_on: Day | None = None
    sections: Sections = Field(default_factory=dict)


class ReportChange(Input):
    """Only what is sent is changed; the sections are sent as they now stand, all of them."""

    reported_on: Day | None = None
    sections: Sections | None = None


class ReportFilter(Input):
    clinician_id: Annotated[UUID | None, Field(description="Who wrote it.")] = None
    status: Status | None = None
    since: Annotated[Day | None, Field(alias="from", description="Of this day or later.")] = None
    until: Annotated[Day | None, Field(alias="to", description="Of this day or earlier.")] = None

    def filters(self, client_id: UUID | None, voided: bool = False) -> Filters:
        return Filters(client_id, self.clinician_id, self.status, self.since, self.until, voided)


class ClientReportQuery(ListQuery, ReportFilter):
    voided: bool = False


class ReportQuery(ClientReportQuery):
    client_id: UUID | None = None


class ReportSearch(ReportFilter):
    """Words that all have to stand in a report."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200, pattern=PLAIN)]
    client_id: UUID | None = None


class CompareQuery(Input):
    other: Annotated[UUID | None, Field(description="With which report; default: this one.")] = None
    number: Annotated[Number, Field(description="Of this report; default: its last version.")] = None
    other_number: Annotated[Number, Field(description="Of the other; default: its last version.")] = None


class ReportOut(BaseModel):
    id: UUID
    client_id: UUID
    clinician_id: UUID
    appointment_id: UUID | None
    service_id: UUID | None
    reported_on: date
    status: Status
    created_at: datetime
    finished_at: datetime | None
    shared_at: datetime | None
    voided_at: datetime | None
    void_reason: str | None
    version: int

    @classmethod
    def of(cls, report: ProgressReport) -> "ReportOut":
        return cls(**{name: getattr(report, name) for name in ReportOut.model_fields})


class ReportTextOut(ReportOut):
    """`number` is that of the version whose text this is."""

    number: int
    sections: list[SectionOut]

    @classmethod
    def whole(cls, found: Report) -> "ReportTextOut":
        about = ReportOut.of(found.report).model_dump()
        return cls(**about, number=found.version.number, sections=sections_out(found.content))


class ReportVersionOut(BaseModel):
    number: int
    written_at: datetime
    written_by_id: UUID

    @classmethod
    def of(cls, version: ProgressReportVersion) -> "ReportVersionOut":
        return cls(**{name: getattr(version, name) for name in cls.model_fields})


class ReportVersionsOut(BaseModel):
    items: list[ReportVersionOut]


class ComparedOut(BaseModel):
    id: UUID
    number: int
    reported_on: date

    @classmethod
    def of(cls, found: Report) -> "ComparedOut":
        return cls(id=found.report.id, number=found.version.number, reported_on=found.report.reported_on)


class LineOut(BaseModel):
    kind: Literal["same", "removed", "added"]
    text: str


class DifferenceOut(BaseModel):
    """A text is null where the report has no such section."""

    key: str
    title: str
    same: bool
    before: str | None
    after: str | None
    lines: list[LineOut]

    @classmethod
    def of(cls, found: Difference) -> "DifferenceOut":
        lines = [LineOut(kind=line.kind, text=line.text) for line in found.lines]
        about = {name: getattr(found, name) for name in ("key", "title", "same", "before", "after")}
        return cls(**about, lines=lines)


class ComparisonOut(BaseModel):
    before: ComparedOut
    after: ComparedOut
    sections: list[DifferenceOut]


class SearchOut(BaseModel):
    """`searched` reports were looked into, the newest first. Where `complete` is false, go on with `to` = `back_to`."""

    items: list[ReportOut]
    searched: int
    complete: bool
    back_to: date | None


ReportInList: Any = some_of(ReportOut)


@router.get("/progress-reports", permission="notes.read")
def list_progress_reports(
    ctx: RequestContext, query: Annotated[ReportQuery, Query()], reason: Reason = None
) -> PageOut[ReportInList]:
    """Progress reports, the latest first. Sorts by reported_on, created_at or id.

    Drafts are seen by their author and their supervisor; a client sees what is shared with them.
    """
    filters = query.filters(query.client_id, query.voided)
    return page_out(queries.list_reports(ctx.work, ctx.scope, query.asked(), filters, reason), ReportOut)


@router.post("/progress-reports", permission="notes.write", status_code=201)
def begin_progress_report(ctx: RequestContext, body: ReportIn) -> ReportOut:
    """A draft by the template of its service."""
    return ReportOut.of(reports.begin_report(ctx.work, ctx.scope, **body.model_dump()))


@router.post("/progress-reports/search", permission="notes.read")
def search_progress_reports(ctx: RequestContext, body: ReportSearch, reason: Reason = None) -> SearchOut:
    """Reports that hold all the words, among those that may be read."""
    filters = body.filters(body.client_id)
    found = queries.search_reports(ctx.work, ctx.scope, body.query, filters, reason)
    items = [ReportOut.of(report) for report in found.reports]
    return SearchOut(items=items, searched=found.searched, complete=found.complete, back_to=found.back_to)


@router.get("/progress-reports/{report_id}.pdf", permission="notes.read")
def print_progress_report(ctx: RequestContext, report_id: UUID, reason: Reason = None) -> FileOut:
    """The report as a PDF, for saving."""
    name, content = queries.report_on_paper(ctx.work, ctx.scope, report_id, reason)
    return FileOut(name, "application/pdf", content)


@router.get("/progress-reports/{report_id}", permission="notes.read")
def get_progress_report(ctx: RequestContext, report_id: UUID, reason: Reason = None) -> ReportTextOut:
    """One report with what it says."""
    return ReportTextOut.whole(queries.read_report(ctx.work, ctx.scope, report_id, reason=reason))


@router.patch("/progress-reports/{report_id}", permission="notes.write", errors=[NotYours, ReportFinal])
def save_progress_report(ctx: RequestContext, report_id: UUID, version: Version, body: ReportChange) -> ReportOut:
    """Save a draft as it now stands, as a further version. By its author."""
    return ReportOut.of(reports.save_report(ctx.work, ctx.scope, report_id, version, **body.model_dump()))


@router.delete("/progress-reports/{report_id}", permission="notes.write", status_code=204, errors=[NotYours])
def void_progress_report(ctx: RequestContext, report_id: UUID, reason: Annotated[Why, Query()]) -> None:
    """Take back a report that was written by mistake. It stays on record; the reason names nobody."""
    reports.void_report(ctx.work, ctx.scope, report_id, reason)


@router.post(
    "/progress-reports/{report_id}/finish", permission="notes.write", errors=[NotYours, ReportFinal, ReportIncomplete]
)
def finish_progress_report(ctx: RequestContext, report_id: UUID) -> ReportOut:
    """The draft is final, once all that its template requires is filled in. It does not change any more."""
    return ReportOut.of(reports.finish_report(ctx.work, ctx.scope, report_id))


@router.post("/progress-reports/{report_id}/share", permission="notes.write", errors=[NotYours, ReportDraft])
def share_progress_report(ctx: RequestContext, report_id: UUID) -> ReportOut:
    """The client reads a final report in the portal, and so does a guardian who signs in there."""
    return ReportOut.of(reports.share_report(ctx.work, ctx.scope, report_id))


@router.post("/progress-reports/{report_id}/unshare", permission="notes.write", errors=[NotYours])
def unshare_progress_report(ctx: RequestContext, report_id: UUID) -> ReportOut:
    """The report is no longer in the portal."""
    return ReportOut.of(reports.unshare_report(ctx.work, ctx.scope, report_id))


@router.get("/progress-reports/{report_id}/versions", permission="notes.read")
def list_progress_report_versions(ctx: RequestContext, report_id: UUID, reason: Reason = None) -> ReportVersionsOut:
    """Who saved the report when, the last version first."""
    found = queries.list_versions(ctx.work, ctx.scope, report_id, reason)
    return ReportVersionsOut(items=[ReportVersionOut.of(version) for version in found])


@router.get("/progress-reports/{report_id}/versions/{number}", permission="notes.read")
def get_progress_report_version(
    ctx: RequestContext, report_id: UUID, number: Number, reason: Reason = None
) -> ReportTextOut:
    """The report as it was saved once."""
    return ReportTextOut.whole(queries.read_report(ctx.work, ctx.scope, report_id, number, reason))


@router.get("/progress-reports/{report_id}/compare", permission="notes.read")
def compare_progress_reports(
    ctx: RequestContext, report_id: UUID, query: Annotated[CompareQuery, Query()], reason: Reason = None
) -> ComparisonOut:
    """What differs, section by section: between this report and another, or between two versions of it."""
    numbers = (query.number, query.other_number)
    other = query.other or report_id
    before, after, found = queries.compare(ctx.work, ctx.scope, report_id, other, numbers, reason)
    sections = [DifferenceOut.of(one) for one in found]
    return ComparisonOut(before=ComparedOut.of(before), after=ComparedOut.of(after), sections=sections)


@router.get("/clients/{client_id}/progress-reports", permission="notes.read")
def list_progress_reports_of_client(
    ctx: RequestContext, client_id: UUID, query: Annotated[ClientReportQuery, Query()], reason: Reason = None
) -> PageOut[ReportInList]:
    """How a client was doing over time: their reports, the latest first."""
    filters = query.filters(client_id, query.voided)
    found = queries.reports_of_client(ctx.work, ctx.scope, query.asked(), filters, client_id, reason)
    return page_out(found, ReportOut)
