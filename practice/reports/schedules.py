"""Reports that are due: an email to each recipient, planned once. It refers to the report and has no figures."""

from datetime import timedelta

from sqlalchemy import exists, func, or_, select

from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.reports.models import ReportDefinition
from practice.reports.rules import find_last_due
from practice.reports.saved import find_schedule, list_possible_recipients, load_recipients
from practice.security.permissions import MATRIX
from practice.security.work import Work

REPORT_READY = "REPORT_READY"
SHARERS = tuple(sorted({role for record, action, role in MATRIX if (record, action) == ("reports", "share")}))
CATCH_UP = timedelta(days=1)  # what was due before, while the service was down, is not sent any more


def queue_due_reports(work: Work) -> int:
    """Queue the emails of all reports that have become due, and return how many are new.

    People who have left, or can no longer open the report, get none; nobody gets one whose owner has left, or sends
    it to others without still being one of those who share.
    """
    is_present = exists().where(
        Staff.tenant_id == ReportDefinition.tenant_id,
        Staff.id == ReportDefinition.owner_id,
        Staff.deactivated_at.is_(None),
        or_(func.cardinality(ReportDefinition.shared_with) == 0, Staff.roles.overlap(list(SHARERS))),
    )
    scheduled = select(ReportDefinition).where(
        ReportDefinition.tenant_id == work.tenant_id,
        ReportDefinition.send_every.is_not(None),
        ReportDefinition.voided_at.is_(None),
        is_present,
    )
    zone = zone_of(work)
    due = {}
    for report in work.db.scalars(scheduled):
        schedule = find_schedule(report)
        at = None if schedule is None else find_last_due(schedule, work.now, zone)
        if at is not None and report.send_since is not None and at > max(report.send_since, work.now - CATCH_UP):
            due[report.id] = report, at
    messages = []
    recipients = load_recipients(work, list(due)) if due else {}
    for report, at in due.values():
        allowed = list_possible_recipients(work, report.owner_id, report.shared_with, recipients[report.id])
        messages += [StaffMessage(REPORT_READY, at, staff_id, report.id) for staff_id in sorted(allowed)]
    queued = queue_staff_messages_once(work, messages)
    if queued:
        work.record("reports.queued", messages=queued)
    return queued
