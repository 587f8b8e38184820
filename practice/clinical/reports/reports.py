"""Writing progress reports: begin, save, finish, share and void. `queries.py` reads them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, and_, or_, select

from practice.clinical.documents.content import generate_salt
from practice.clinical.documents.rules.content import (
    Content,
    canonical_json,
    content_problems,
    fill_template,
    parse,
    signing_problems,
)
from practice.clinical.documents.rules.templates import PROGRESS_REPORT, TemplateSection
from practice.clinical.documents.templates import find_template
from practice.clinical.errors import NotYours
from practice.clinical.models.reports import ProgressReport, ProgressReportVersion
from practice.clinical.reports.rules import report_problems
from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.people.access import can_see_client, client_visible
from practice.people.clients import REDACTED_PROBLEM, is_redacted
from practice.people.models.clients import Client
from practice.people.practice_time import local_today
from practice.scheduling.catalog.services import load_service_ids
from practice.scheduling.models.appointments import Appointment
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import update_versioned

TABLE = "progress_report_versions"


class ReportFinal(Refusal):
    """The report is final and cannot be changed.

    Fix: begin a new report.
    """

    code = "REPORT_FINAL"


class ReportDraft(Refusal):
    """The report is a draft and cannot be shared.

    Fix: finish it first.
    """

    code = "REPORT_DRAFT"


class ReportIncomplete(Refusal):
    """Required sections of the report are empty.

    Fix: complete the sections in `details`, then finish it.
    """

    code = "REPORT_INCOMPLETE"


def begin_report(
    work: Work,
    scope: Scope,
    *,
    client_id: UUID,
    sections: Mapping[str, str],
    appointment_id: UUID | None = None,
    service_code: str | None = None,
    reported_on: date | None = None,
) -> ProgressReport:
    """Create a draft from the template of the service, by default the appointment's service."""
    problems = []
    service_id = load_service_ids(work, [service_code]).get(service_code) if service_code else None
    if not can_see_client(work, scope, client_id):
        problems.append(FieldProblem("client_id", "There is no such client, or not one of yours."))
    elif is_redacted(work, client_id):
        problems.append(REDACTED_PROBLEM)
    if appointment_id is not None:
        appointment = work.db.get(Appointment, (work.tenant_id, appointment_id))
        if appointment is None or appointment.client_id != client_id:
            problems.append(FieldProblem("appointment_id", "The client has no such appointment."))
        else:
            service_id = appointment.service_id if service_code is None else service_id
    if service_code is not None and service_id is None:
        problems.append(FieldProblem("service_code", "There is no such service."))
    reported_on = reported_on or local_today(work)
    content, section_problems = build_content(find_report_template(work, service_id, work.now), sections)
    problems += report_problems(reported_on, local_today(work)) + section_problems
    if problems:
        raise Invalid(problems)
    report = ProgressReport(
        tenant_id=work.tenant_id,
        id=new_id(),
        client_id=client_id,
        clinician_id=work.actor.staff_id,
        appointment_id=appointment_id,
        service_id=service_id,
        reported_on=reported_on,
        status="DRAFT",
        created_at=work.now,
        version=1,
    )
    work.db.add(report)
    work.db.flush()
    add_version(work, report, 1, content)
    work.record("progress_report.begun", "client", client_id, report_id=str(report.id))
    return report


def save_report(
    work: Work,
    scope: Scope,
    report_id: UUID,
    version: int,
    sections: Mapping[str, str] | None = None,
    reported_on: date | None = None,
) -> ProgressReport:
    """Store the content of the actor's own draft as a new version. Earlier versions stay."""
    report = lock_own_draft(work, scope, report_id)
    if report.version != version:
        raise Stale
    number, content = load_last_version(work, report)
    problems = []
    if sections is not None:
        content, problems = build_content(load_template(work, report), sections)
    if reported_on is not None:
        problems += report_problems(reported_on, local_today(work))
    if problems:
        raise Invalid(problems)
    update_versioned(report, {} if reported_on is None else {"reported_on": reported_on})
    if sections is not None:
        number += 1
        add_version(work, report, number, content)
    work.record("progress_report.saved", "client", report.client_id, report_id=str(report_id), number=number)
    return report


def finish_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """Finish a draft. Final reports cannot be changed and can be shared."""
    report = lock_own_draft(work, scope, report_id)
    _, content = load_last_version(work, report)
    required = [section.key for section in load_template(work, report) if section.required]
    if problems := signing_problems(content, required, "report"):
        raise ReportIncomplete(" ".join(problems), problems=problems)
    update_versioned(report, {"status": "FINAL", "finished_at": work.now})
    work.record("progress_report.finished", "client", report.client_id, report_id=str(report_id))
    return report


def share_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """Let the client, or a guardian who uses the client's account, read a final report in the portal."""
    report = lock_report(work, scope, report_id)
    refuse_unless_responsible(work, report)
    if report.status != "FINAL":
        raise ReportDraft("Drafts cannot be shared. Finish the report first.")
    if report.shared_at is None:
        update_versioned(report, {"shared_at": work.now})
        work.record("progress_report.shared", "client", report.client_id, report_id=str(report_id))
    return report


def unshare_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """Remove the report from the client's portal."""
    report = lock_report(work, scope, report_id)
    refuse_unless_responsible(work, report)
    if report.shared_at is not None:
        update_versioned(report, {"shared_at": None})
        work.record("progress_report.unshared", "client", report.client_id, report_id=str(report_id))
    return report


def void_report(work: Work, scope: Scope, report_id: UUID, reason: str) -> None:
    """Void a report that was written by mistake, which also removes it from the portal."""
    report = lock_report(work, scope, report_id)
    refuse_unless_responsible(work, report)
    work.void(report, reason)
    work.record("progress_report.voided", "client", report.client_id, report_id=str(report_id))


# Loading, locking and checks


def lock_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """Lock a report for a change. Drafts of other authors answer NotFound."""
    query = select(ProgressReport).where(
        ProgressReport.tenant_id == work.tenant_id, ProgressReport.id == report_id, ProgressReport.voided_at.is_(None)
    )
    is_own = ProgressReport.clinician_id == work.actor.staff_id
    is_known = or_(
        is_own, and_(ProgressReport.status == "FINAL", client_visible(work, scope, ProgressReport.client_id))
    )
    report = work.db.scalar(query.where(is_known).with_for_update(of=ProgressReport))
    if report is None:
        raise NotFound
    return report


def lock_own_draft(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """Lock the actor's own draft, or raise NotYours, ReportFinal or, for a redacted client, Invalid."""
    report = lock_report(work, scope, report_id)
    if report.clinician_id != work.actor.staff_id:
        raise NotYours("This report was written by somebody else. Begin your own report.")
    if report.status != "DRAFT":
        raise ReportFinal("This report is final and cannot be changed. Begin a new one.")
    if is_redacted(work, report.client_id):
        raise Invalid([REDACTED_PROBLEM])
    return report


def refuse_unless_responsible(work: Work, report: ProgressReport) -> None:
    """Raise NotYours unless the actor is the author or the client's primary clinician."""
    client = work.db.get_one(Client, (work.tenant_id, report.client_id))
    if work.actor.staff_id not in (report.clinician_id, client.primary_clinician_id):
        raise NotYours("This report was written by somebody else. Ask them or the client's primary clinician.")


def find_report_template(work: Work, service_id: UUID | None, at: datetime) -> tuple[TemplateSection, ...]:
    return find_template(work, PROGRESS_REPORT, service_id, at)


def load_template(work: Work, report: ProgressReport) -> tuple[TemplateSection, ...]:
    """Return the template that was in force when the report was created.

    A report is finished by the template it began with.
    """
    return find_report_template(work, report.service_id, report.created_at)


def build_content(
    template: Sequence[TemplateSection], sections: Mapping[str, str]
) -> tuple[Content, list[FieldProblem]]:
    """Return the written sections filled into the template, and what is wrong with them."""
    titles = {section.key: section.title for section in template}
    content = fill_template(titles, sections, (), generate_salt())
    return content, content_problems(content, titles)


def load_last_version(work: Work, report: ProgressReport) -> tuple[int, Content]:
    version = work.db.scalars(select_versions(work, report.id).limit(1)).one()
    return version.number, unseal_content(work, version)


def select_versions(work: Work, report_id: UUID) -> Select[ProgressReportVersion]:
    """Return the query for the versions of the report, newest first."""
    query = select(ProgressReportVersion).where(
        ProgressReportVersion.tenant_id == work.tenant_id, ProgressReportVersion.report_id == report_id
    )
    return query.order_by(ProgressReportVersion.number.desc())


def unseal_content(work: Work, version: ProgressReportVersion) -> Content:
    text = work.unseal(TABLE, "content", version.id, version.content)
    assert text is not None  # noqa: S101 - every version has content
    return parse(text)


def add_version(work: Work, report: ProgressReport, number: int, content: Content) -> None:
    version_id = new_id()
    work.db.add(
        ProgressReportVersion(
            tenant_id=work.tenant_id,
            id=version_id,
            report_id=report.id,
            number=number,
            content=work.seal(TABLE, "content", version_id, canonical_json(content)),
            written_at=work.now,
            written_by_id=work.actor.staff_id,
        )
    )
