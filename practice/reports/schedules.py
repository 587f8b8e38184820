"""Reports that are due: an email to each recipient, planned once. It refers to the report and has no figures."""

from datetime import timedelta

from sqlalchemy import select

from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people.practice_time import zone_of
from practice.reports.models import ReportDefinition
from practice.reports.rules import find_last_due
from practice.reports.saved import find_schedule, list_possible_recipients, load_recipients
from practice.security.work import Work

REPORT_READY = "REPORT_READY"
CATCH_UP = timedelta(days=1)  # what was due before, while the service was down, is not sent any more


def queue_due_reports(work: Work) -> int:
    """Queue the emails of all reports that have become due, and return how many are new.

    People who have left, or can no longer open the report, get none.
    """
    scheduled = select(ReportDefinition).where(
        ReportDefinition.tenant_id == work.tenant_id,
        ReportDefinition.send_every.is_not(None),
        ReportDefinition.voided_at.is_(None),
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
