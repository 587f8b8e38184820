"""Reading progress reports: lists, one report with its content, versions, comparison, search and PDF.

Clients read final reports that are shared with them, in their last version.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from practice.clinical.documents.rules.content import Content
from practice.clinical.models.reports import ProgressReport, ProgressReportVersion
from practice.clinical.reports.reports import select_versions, unseal_content
from practice.clinical.reports.rules import Difference, compare_contents, has_words
from practice.errors import NotFound
from practice.local_time import date_of
from practice.pdf import Document, Section, render_pdf
from practice.people.access import can_see_client, client_visible, find_shown_client, visible_clients, visible_staff
from practice.people.clients import reason_detail
from practice.people.models.clients import Client
from practice.people.models.practices import Practice, Staff
from practice.people.practice_time import zone_of
from practice.scheduling.models.catalog import Service
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, fetch_page

MAX_SEARCHED = 500  # reports per search, because each is decrypted


@dataclass(frozen=True)
class Filters:
    """Filters of a list of reports. `since` and `until` are inclusive."""

    client_id: UUID | None = None
    clinician_id: UUID | None = None
    status: str | None = None
    since: date | None = None
    until: date | None = None
    voided: bool = False


@dataclass(frozen=True)
class ReportView:
    """A report with the content of one of its versions."""

    report: ProgressReport
    version: ProgressReportVersion
    content: Content


@dataclass(frozen=True)
class ReportSearchResult:
    """The matches of a search. Unless `complete`, reports dated before `back_to` were not searched."""

    reports: list[ProgressReport]
    scanned_count: int
    complete: bool
    back_to: date | None


def list_reports(
    work: Work, scope: Scope, page_request: PageRequest, filters: Filters, reason: str | None = None
) -> Page:
    """Return a page of reports without their content."""
    query = select(ProgressReport).where(*build_conditions(work, filters), is_readable(work, scope, visible_clients))
    sortable = {
        "reported_on": ProgressReport.reported_on,
        "created_at": ProgressReport.created_at,
        "id": ProgressReport.id,
    }
    page = fetch_page(work.db, query, page_request, sortable, ProgressReport.id, "-reported_on")
    shown_id = find_shown_client(work, scope, filters.client_id, page.items)
    if shown_id is None:
        client_ids = (report.client_id for report in page.items)
        work.record_list("progress_reports.listed", client_ids, **reason_detail(reason))
    else:
        work.record("client.read", "client", shown_id, part="progress reports", **reason_detail(reason))
    return page


def list_client_reports(
    work: Work, scope: Scope, client_id: UUID, page_request: PageRequest, filters: Filters, reason: str | None = None
) -> Page:
    """Return a page of one client's reports, or raise NotFound."""
    if not can_see_client(work, scope, client_id):
        raise NotFound
    return list_reports(work, scope, page_request, filters, reason)


def read_report(
    work: Work, scope: Scope, report_id: UUID, number: int | None = None, reason: str | None = None
) -> ReportView:
    """Return a report in its last or the numbered version and record the access in the audit log."""
    view = open_report(work, scope, report_id, number)
    work.record(
        "progress_report.read",
        "client",
        view.report.client_id,
        report_id=str(report_id),
        number=view.version.number,
        **reason_detail(reason),
    )
    return view


def list_versions(
    work: Work, scope: Scope, report_id: UUID, reason: str | None = None
) -> Sequence[ProgressReportVersion]:
    """Return the versions of a report without their content, newest first. Clients see only the last."""
    report = find_report(work, scope, report_id)
    work.record(
        "progress_report.history_read", "client", report.client_id, report_id=str(report_id), **reason_detail(reason)
    )
    versions = work.db.scalars(select_versions(work, report_id)).all()
    return versions[:1] if work.actor.client_id is not None else versions


def compare_reports(
    work: Work,
    scope: Scope,
    report_id: UUID,
    other_id: UUID,
    numbers: tuple[int | None, int | None] = (None, None),
    reason: str | None = None,
) -> tuple[ReportView, ReportView, list[Difference]]:
    """Return two reports, or two versions of one report, and their differences."""
    before = read_report(work, scope, report_id, numbers[0], reason)
    after = read_report(work, scope, other_id, numbers[1], reason)
    return before, after, compare_contents(before.content, after.content)


def search_reports(
    work: Work, scope: Scope, query: str, filters: Filters, reason: str | None = None
) -> ReportSearchResult:
    """Return readable reports that contain every word of the query, searching the newest up to a limit."""
    newest_first = (ProgressReport.reported_on.desc(), ProgressReport.id.desc())
    readable = select(ProgressReport.id).where(
        *build_conditions(work, filters), is_readable(work, scope, visible_clients)
    )
    newest = readable.order_by(*newest_first).limit(MAX_SEARCHED + 1).subquery()
    versions = select(ProgressReportVersion).where(
        ProgressReportVersion.tenant_id == work.tenant_id, ProgressReportVersion.report_id.in_(select(newest.c.id))
    )
    versions = versions.ext(distinct_on(ProgressReportVersion.report_id)).order_by(
        ProgressReportVersion.report_id, ProgressReportVersion.number.desc()
    )
    last_versions = {version.report_id: version for version in work.db.scalars(versions)}
    reports = select(ProgressReport).where(
        ProgressReport.tenant_id == work.tenant_id, ProgressReport.id.in_(last_versions)
    )
    searched = list(work.db.scalars(reports.order_by(*newest_first).limit(MAX_SEARCHED)))
    matches = [report for report in searched if has_words(unseal_content(work, last_versions[report.id]), query)]
    work.record_list(
        "progress_reports.searched",
        (report.client_id for report in matches),
        scanned_count=len(searched),
        found=len(matches),
        **reason_detail(reason),
    )
    is_complete = len(last_versions) <= MAX_SEARCHED
    return ReportSearchResult(matches, len(searched), is_complete, None if is_complete else searched[-1].reported_on)


def print_report(work: Work, scope: Scope, report_id: UUID, reason: str | None = None) -> tuple[str, bytes]:
    """Return a report as a PDF with its file name. The file name contains no personal data."""
    view = open_report(work, scope, report_id)
    report = view.report
    work.record(
        "progress_report.printed", "client", report.client_id, report_id=str(report_id), **reason_detail(reason)
    )
    return f"progress-report-{report.reported_on}.pdf", render_pdf(build_document(work, view))


def build_document(work: Work, view: ReportView) -> Document:
    """Return the printable document of a report."""
    report = view.report
    client = work.db.get_one(Client, (work.tenant_id, report.client_id))
    clinician = work.db.get_one(Staff, (work.tenant_id, report.clinician_id))
    practice = work.db.get_one(Practice, work.tenant_id)
    facts = [
        ("Client", f"{client.first_name} {client.last_name}"),
        ("Date of birth", str(client.birth_date)),
        ("Date of the report", str(report.reported_on)),
        ("Clinician", f"{clinician.first_name} {clinician.last_name}"),
    ]
    if report.service_id is not None:
        facts.append(("Service", work.db.get_one(Service, (work.tenant_id, report.service_id)).name))
    if report.finished_at is None:
        facts.append(("State", "Draft, not finished"))
    else:
        facts.append(("Finished on", str(date_of(report.finished_at, zone_of(work)))))
    parts = [Section(section.title, section.text) for section in view.content.sections if section.text.strip()]
    return Document("Progress report", practice.name, facts, parts, f"{practice.name} · Confidential")


# Access and loading


def build_conditions(work: Work, filters: Filters) -> list[ColumnElement[bool]]:
    """Return the conditions for reports that match the filters."""
    conditions = [ProgressReport.tenant_id == work.tenant_id]
    conditions += [] if filters.client_id is None else [ProgressReport.client_id == filters.client_id]
    conditions += [] if filters.clinician_id is None else [ProgressReport.clinician_id == filters.clinician_id]
    conditions += [] if filters.status is None else [ProgressReport.status == filters.status]
    conditions += [] if filters.since is None else [ProgressReport.reported_on >= filters.since]
    conditions += [] if filters.until is None else [ProgressReport.reported_on <= filters.until]
    return conditions if filters.voided else [*conditions, ProgressReport.voided_at.is_(None)]


def is_readable(
    work: Work, scope: Scope, is_visible: Callable[[Work, Scope, Any], ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Return the condition for reports that the actor may read.

    As with notes, drafts are visible to the author and the author's supervisor, final reports also to everybody who can
    see the client, and to the client if shared.
    """
    is_final = ProgressReport.status == "FINAL"
    if work.actor.client_id is not None:
        is_own = ProgressReport.client_id == work.actor.client_id
        return and_(is_own, is_final, ProgressReport.shared_at.is_not(None), ProgressReport.voided_at.is_(None))
    return or_(
        visible_staff(work, scope, ProgressReport.clinician_id),
        and_(is_final, is_visible(work, scope, ProgressReport.client_id)),
    )


def find_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """Return a readable report that is not voided, or raise NotFound."""
    query = select(ProgressReport).where(
        ProgressReport.tenant_id == work.tenant_id, ProgressReport.id == report_id, ProgressReport.voided_at.is_(None)
    )
    report = work.db.scalar(query.where(is_readable(work, scope, client_visible)))
    if report is None:
        raise NotFound
    return report


def open_report(work: Work, scope: Scope, report_id: UUID, number: int | None = None) -> ReportView:
    """Return a report in the numbered version, by default the last. Clients can open only the last."""
    report = find_report(work, scope, report_id)
    versions = select_versions(work, report_id)
    version = work.db.scalars(versions.limit(1)).one()
    if number not in (None, version.number):
        numbered = work.db.scalar(versions.where(ProgressReportVersion.number == number))
        if numbered is None or work.actor.client_id is not None:
            raise NotFound
        version = numbered
    return ReportView(report, version, unseal_content(work, version))
