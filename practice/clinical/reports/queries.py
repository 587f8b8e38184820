"""Verbs about progress reports that read: lists, one with its text, its versions, two compared, search, and on paper.

A client reads, in the portal, the final reports that are shared with them, as they ended.
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
from practice.clinical.reports.reports import content_of, versions_of
from practice.clinical.reports.rules import Difference, differences, holds
from practice.errors import NotFound
from practice.local_time import date_of
from practice.pdf import Paper, Part, pdf_of
from practice.people.access import clients_within, is_within, reaches, staff_within
from practice.people.clients import because
from practice.people.models.clients import Client
from practice.people.models.practices import Practice, Staff
from practice.people.practice_time import zone_of
from practice.scheduling.models.catalog import Service
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, page_of

MOST_SEARCHED = 500  # of one search: each is opened to look into it

Row = ProgressReport


@dataclass(frozen=True)
class Filters:
    client_id: UUID | None = None
    clinician_id: UUID | None = None
    status: str | None = None
    since: date | None = None
    until: date | None = None
    voided: bool = False


@dataclass(frozen=True)
class Report:
    """A report with what it says in one of its versions."""

    report: ProgressReport
    version: ProgressReportVersion
    content: Content


@dataclass(frozen=True)
class Found:
    """`complete`: all that there are were looked into; else those before the last date wait for a further search."""

    reports: list[ProgressReport]
    searched: int
    complete: bool
    back_to: date | None


def list_reports(work: Work, scope: Scope, asked: PageRequest, filters: Filters, reason: str | None = None) -> Page:
    query = select(Row).where(*chosen(work, filters), readable(work, scope, clients_within))
    sortable = {"reported_on": Row.reported_on, "created_at": Row.created_at, "id": Row.id}
    if filters.client_id is None:
        work.record("progress_reports.listed", **because(reason))
    else:
        work.record("client.read", "client", filters.client_id, part="progress reports", **because(reason))
    return page_of(work.db, query, asked, sortable, Row.id, "-reported_on")


def reports_of_client(
    work: Work, scope: Scope, asked: PageRequest, filters: Filters, client_id: UUID, reason: str | None = None
) -> Page:
    """How a client was doing over time."""
    if not is_within(work, scope, client_id):
        raise NotFound
    return list_reports(work, scope, asked, filters, reason)


def read_report(
    work: Work, scope: Scope, report_id: UUID, number: int | None = None, reason: str | None = None
) -> Report:
    """As it stands, or as it was saved once."""
    report = open_report(work, scope, report_id, number)
    about = {"report_id": str(report_id), "number": report.version.number}
    work.record("progress_report.read", "client", report.report.client_id, **about, **because(reason))
    return report


def list_versions(
    work: Work, scope: Scope, report_id: UUID, reason: str | None = None
) -> Sequence[ProgressReportVersion]:
    """When it was saved, the last in front; without what it said."""
    report = find_report(work, scope, report_id)
    work.record("progress_report.history_read", "client", report.client_id, report_id=str(report_id), **because(reason))
    found = work.db.scalars(versions_of(work, report_id)).all()
    return found[:1] if work.actor.client_id is not None else found


def compare(
    work: Work,
    scope: Scope,
    report_id: UUID,
    other_id: UUID,
    numbers: tuple[int | None, int | None] = (None, None),
    reason: str | None = None,
) -> tuple[Report, Report, list[Difference]]:
    """What changed from one to the other: of two reports, or of two versions of one."""
    before = read_report(work, scope, report_id, numbers[0], reason)
    after = read_report(work, scope, other_id, numbers[1], reason)
    return before, after, differences(before.content, after.content)


def search_reports(work: Work, scope: Scope, query: str, filters: Filters, reason: str | None = None) -> Found:
    """Those that hold all the words. The newest are looked into first, and no more than so many at once."""
    row = ProgressReportVersion
    within = select(Row.id).where(*chosen(work, filters), readable(work, scope, clients_within))
    newest = within.order_by(Row.reported_on.desc(), Row.id.desc()).limit(MOST_SEARCHED + 1).subquery()
    texts = select(row).where(row.tenant_id == work.tenant_id, row.report_id.in_(select(newest.c.id)))
    texts = texts.ext(distinct_on(row.report_id)).order_by(row.report_id, row.number.desc())
    last = {version.report_id: version for version in work.db.scalars(texts)}
    reports = select(Row).where(Row.tenant_id == work.tenant_id, Row.id.in_(last))
    looked_into = list(work.db.scalars(reports.order_by(Row.reported_on.desc(), Row.id.desc()).limit(MOST_SEARCHED)))
    found = [report for report in looked_into if holds(content_of(work, last[report.id]), query)]
    work.record("progress_reports.searched", looked_into=len(looked_into), found=len(found), **because(reason))
    complete = len(last) <= MOST_SEARCHED
    return Found(found, len(looked_into), complete, None if complete else looked_into[-1].reported_on)


def report_on_paper(work: Work, scope: Scope, report_id: UUID, reason: str | None = None) -> tuple[str, bytes]:
    """As a PDF. What the file is called names nobody."""
    report = open_report(work, scope, report_id)
    about = report.report
    work.record("progress_report.printed", "client", about.client_id, report_id=str(report_id), **because(reason))
    return f"progress-report-{about.reported_on}.pdf", pdf_of(paper_of(work, report))


def paper_of(work: Work, report: Report) -> Paper:
    about = report.report
    client = work.db.get_one(Client, (work.tenant_id, about.client_id))
    clinician = work.db.get_one(Staff, (work.tenant_id, about.clinician_id))
    practice = work.db.get_one(Practice, work.tenant_id)
    facts = [
        ("Client", f"{client.first_name} {client.last_name}"),
        ("Date of birth", str(client.birth_date)),
        ("Date of the report", str(about.reported_on)),
        ("Clinician", f"{clinician.first_name} {clinician.last_name}"),
    ]
    if about.service_id is not None:
        facts.append(("Service", work.db.get_one(Service, (work.tenant_id, about.service_id)).name))
    if about.finished_at is None:
        facts.append(("State", "Draft, not finished"))
    else:
        facts.append(("Finished on", str(date_of(about.finished_at, zone_of(work)))))
    parts = [Part(section.title, section.text) for section in report.content.sections if section.text.strip()]
    return Paper("Progress report", practice.name, facts, parts, f"{practice.name} · Confidential")


# What stands behind them


def chosen(work: Work, filters: Filters) -> list[ColumnElement[bool]]:
    wanted = [Row.tenant_id == work.tenant_id]
    wanted += [] if filters.client_id is None else [Row.client_id == filters.client_id]
    wanted += [] if filters.clinician_id is None else [Row.clinician_id == filters.clinician_id]
    wanted += [] if filters.status is None else [Row.status == filters.status]
    wanted += [] if filters.since is None else [Row.reported_on >= filters.since]
    wanted += [] if filters.until is None else [Row.reported_on <= filters.until]
    return wanted if filters.voided else [*wanted, Row.voided_at.is_(None)]


def readable(work: Work, scope: Scope, reach: Callable[[Work, Scope, Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    """As with notes: a draft is read by its author and their supervisor, a final report by whoever has the client as
    well, and by the client where it is shared with them."""
    final = Row.status == "FINAL"
    if work.actor.client_id is not None:
        mine = Row.client_id == work.actor.client_id
        return and_(mine, final, Row.shared_at.is_not(None), Row.voided_at.is_(None))
    return or_(staff_within(work, scope, Row.clinician_id), and_(final, reach(work, scope, Row.client_id)))


def find_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    query = select(Row).where(Row.tenant_id == work.tenant_id, Row.id == report_id, Row.voided_at.is_(None))
    report = work.db.scalar(query.where(readable(work, scope, reaches)))
    if report is None:
        raise NotFound
    return report


def open_report(work: Work, scope: Scope, report_id: UUID, number: int | None = None) -> Report:
    """In the version of that number, the last where none is named. A client knows the last alone."""
    report = find_report(work, scope, report_id)
    versions = versions_of(work, report_id)
    version = work.db.scalars(versions.limit(1)).one()
    if number not in (None, version.number):
        found = work.db.scalar(versions.where(ProgressReportVersion.number == number))
        if found is None or work.actor.client_id is not None:
            raise NotFound
        version = found
    return Report(report, version, content_of(work, version))
