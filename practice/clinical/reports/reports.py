"""Verbs about progress reports that write: begin, save, finish, share, void.

Those that read are in `report_reading`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Select, and_, or_, select

from practice.clinical.documents.content import salt
from practice.clinical.documents.rules.content import Content, content_problems, filled, kept, read, signing_problems
from practice.clinical.documents.rules.templates import PROGRESS_REPORT, Place
from practice.clinical.documents.templates import template_for
from practice.clinical.errors import NotYours
from practice.clinical.models.reports import ProgressReport, ProgressReportVersion
from practice.clinical.reports.rules import report_problems
from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.access import is_within, reaches
from practice.people.models.clients import Client
from practice.people.practice_time import local_today
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.catalog import Service
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import apply

TABLE = "progress_report_versions"


class ReportFinal(Refusal):
    code = "REPORT_FINAL"


class ReportDraft(Refusal):
    code = "REPORT_DRAFT"


class ReportIncomplete(Refusal):
    code = "REPORT_INCOMPLETE"


def begin_report(
    work: Work,
    scope: Scope,
    *,
    client_id: UUID,
    sections: Mapping[str, str],
    appointment_id: UUID | None = None,
    service_id: UUID | None = None,
    reported_on: date | None = None,
) -> ProgressReport:
    """A draft by the template of its service: the one that is named, else the appointment's."""
    problems = []
    if not is_within(work, scope, client_id):
        problems.append("client_id: there is no such client, or not one of yours.")
    if appointment_id is not None:
        appointment = work.db.get(Appointment, (work.tenant_id, appointment_id))
        if appointment is None or appointment.client_id != client_id:
            problems.append("appointment_id: the client has no such appointment.")
        else:
            service_id = service_id or appointment.service_id
    if service_id is not None and work.db.get(Service, (work.tenant_id, service_id)) is None:
        problems.append("service_id: there is no such service.")
    reported_on = reported_on or local_today(work)
    content, wrong = content_from(template(work, service_id, work.now), sections)
    problems += report_problems(reported_on, local_today(work)) + wrong
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
    """While it is a draft, by its author: its sections as they now stand. What is saved is a version; those before it
    stay."""
    report = own_draft(work, scope, report_id)
    if report.version != version:
        raise Stale
    number, content = last_version(work, report)
    problems = []
    if sections is not None:
        content, problems = content_from(template_of(work, report), sections)
    if reported_on is not None:
        problems += report_problems(reported_on, local_today(work))
    if problems:
        raise Invalid(problems)
    apply(report, {} if reported_on is None else {"reported_on": reported_on})
    if sections is not None:
        number += 1
        add_version(work, report, number, content)
    work.record("progress_report.saved", "client", report.client_id, report_id=str(report_id), number=number)
    return report


def finish_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """From here on it does not change any more, and can be shared."""
    report = own_draft(work, scope, report_id)
    _, content = last_version(work, report)
    required = [place.key for place in template_of(work, report) if place.required]
    if problems := signing_problems(content, required, "report"):
        raise ReportIncomplete(" ".join(problems), problems=problems)
    apply(report, {"status": "FINAL", "finished_at": work.now})
    work.record("progress_report.finished", "client", report.client_id, report_id=str(report_id))
    return report


def share_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """The client, or a guardian with the client's sign-in, reads it in the portal from now on."""
    report = lock_report(work, scope, report_id)
    refuse_others(work, report)
    if report.status != "FINAL":
        raise ReportDraft("A draft is not shared. Finish the report first.")
    if report.shared_at is None:
        apply(report, {"shared_at": work.now})
        work.record("progress_report.shared", "client", report.client_id, report_id=str(report_id))
    return report


def unshare_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    report = lock_report(work, scope, report_id)
    refuse_others(work, report)
    if report.shared_at is not None:
        apply(report, {"shared_at": None})
        work.record("progress_report.unshared", "client", report.client_id, report_id=str(report_id))
    return report


def void_report(work: Work, scope: Scope, report_id: UUID, reason: str) -> None:
    """It was written by mistake, or about somebody else. It is gone from the portal as well, and stays on record."""
    report = lock_report(work, scope, report_id)
    refuse_others(work, report)
    work.void(report, reason)
    work.record("progress_report.voided", "client", report.client_id, report_id=str(report_id), reason=reason)


# What stands behind them


def lock_report(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    """For a change. Somebody else's draft is not there for others."""
    row = ProgressReport
    query = select(row).where(row.tenant_id == work.tenant_id, row.id == report_id, row.voided_at.is_(None))
    mine = row.clinician_id == work.actor.staff_id
    known = or_(mine, and_(row.status == "FINAL", reaches(work, scope, row.client_id)))
    report = work.db.scalar(query.where(known).with_for_update(of=row))
    if report is None:
        raise NotFound
    return report


def own_draft(work: Work, scope: Scope, report_id: UUID) -> ProgressReport:
    report = lock_report(work, scope, report_id)
    if report.clinician_id != work.actor.staff_id:
        raise NotYours("Somebody else wrote this report. Begin one of your own.")
    if report.status != "DRAFT":
        raise ReportFinal("This report is final and does not change any more. Begin a new one.")
    return report


def refuse_others(work: Work, report: ProgressReport) -> None:
    client = work.db.get_one(Client, (work.tenant_id, report.client_id))
    if work.actor.staff_id not in (report.clinician_id, client.primary_clinician_id):
        raise NotYours("Somebody else wrote this report. Ask them, or the client's primary clinician.")


def template(work: Work, service_id: UUID | None, at: datetime) -> tuple[Place, ...]:
    return template_for(work, PROGRESS_REPORT, service_id, at)


def template_of(work: Work, report: ProgressReport) -> tuple[Place, ...]:
    """A report is finished by the template that it was begun by."""
    return template(work, report.service_id, report.created_at)


def content_from(places: Sequence[Place], sections: Mapping[str, str]) -> tuple[Content, list[str]]:
    """What was written, into the template's sections; and what is wrong with it."""
    titles = {place.key: place.title for place in places}
    content = filled(titles, sections, (), salt())
    return content, content_problems(content, titles)


def last_version(work: Work, report: ProgressReport) -> tuple[int, Content]:
    version = work.db.scalars(versions_of(work, report.id).limit(1)).one()
    return version.number, content_of(work, version)


def versions_of(work: Work, report_id: UUID) -> Select[ProgressReportVersion]:
    """Their rows, the last in front."""
    row = ProgressReportVersion
    query = select(row).where(row.tenant_id == work.tenant_id, row.report_id == report_id)
    return query.order_by(row.number.desc())


def content_of(work: Work, version: ProgressReportVersion) -> Content:
    text = work.unseal(TABLE, "content", version.id, version.content)
    assert text is not None  # noqa: S101 - a version without a text cannot be
    return read(text)


def add_version(work: Work, report: ProgressReport, number: int, content: Content) -> None:
    version_id = new_id()
    work.db.add(
        ProgressReportVersion(
            tenant_id=work.tenant_id,
            id=version_id,
            report_id=report.id,
            number=number,
            content=work.seal(TABLE, "content", version_id, kept(content)),
            written_at=work.now,
            written_by_id=work.actor.staff_id,
        )
    )
