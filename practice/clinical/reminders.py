"""Staff messages about treatment plans and supervision hours.

Each message belongs to an instant that follows from a rule and is queued once, however often the job runs. What became
due more than `CATCH_UP` ago, or before the practice was created, is skipped: a practice that imports years of history
needs its lists of due plans and hours, not a thousand messages about the past.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from practice.clinical.models.plans import TreatmentPlanReview
from practice.clinical.plans.review_status import is_active_on, load_plan_days, select_last_reviews
from practice.clinical.plans.rules import list_plan_messages
from practice.clinical.supervision.hours import MonthlyHours, list_monthly_hours
from practice.clinical.supervision.rules import get_reminder_time, get_report_time, month_of
from practice.local_time import date_of
from practice.messages.outbox import StaffMessage, queue_staff_messages_once
from practice.people.models.clients import Client
from practice.people.models.practices import Practice, Staff
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope
from practice.security.work import Work

CATCH_UP = timedelta(days=7)
DAY = timedelta(days=1)


class Recipients:
    """The staff who can receive messages: active staff, their supervisors, the front desk and the admins."""

    def __init__(self, work: Work, zone: ZoneInfo) -> None:
        people = work.db.scalars(select(Staff).where(Staff.tenant_id == work.tenant_id)).all()
        today = date_of(work.now, zone)
        present = [
            staff
            for staff in people
            if staff.deactivated_at is None and (staff.left_on is None or staff.left_on > today)
        ]
        self.present_ids = {staff.id for staff in present}
        self.admin_ids = [staff.id for staff in present if "admin" in staff.roles]
        self.front_desk_ids = [staff.id for staff in present if "scheduler" in staff.roles]
        self.supervisor_of = {staff.id: staff.supervisor_id for staff in people}

    def select_present(self, *staff_ids: UUID | None) -> list[UUID]:
        """Return those of the staff who still work here."""
        return [staff_id for staff_id in staff_ids if staff_id is not None and staff_id in self.present_ids]

    def choose_first(self, *staff_ids: UUID | None) -> list[UUID]:
        """Return the first of the staff who still works here, or else the admins, so that every message is read."""
        return self.select_present(*staff_ids)[:1] or self.admin_ids


def queue_reminders(work: Work) -> int:
    """Queue every message that is due and not queued yet, and return how many."""
    zone = zone_of(work)
    created_at = work.db.execute(select(Practice.created_at).where(Practice.id == work.tenant_id)).scalar_one()
    since = max(work.now - CATCH_UP, created_at)
    recipients = Recipients(work, zone)
    messages = [
        *collect_plan_messages(work, zone, since, recipients),
        *collect_supervision_messages(work, zone, since, recipients),
    ]
    return queue_staff_messages_once(work, (message for message in messages if since <= message.due_at <= work.now))


def collect_plan_messages(
    work: Work, zone: ZoneInfo, since: datetime, recipients: Recipients
) -> Iterator[StaffMessage]:
    """Yield messages about plans: reminders to the primary clinician, later ones to the supervisor if there is one.

    For a client without a primary clinician, the last reviewer takes their place.
    """
    today, days = date_of(work.now, zone), load_plan_days(work)
    oldest = date_of(since, zone) - timedelta(days=max(days) + 2)
    last = select_last_reviews(work, today, oldest)
    reviewer = select(TreatmentPlanReview.clinician_id).where(
        TreatmentPlanReview.tenant_id == work.tenant_id,
        TreatmentPlanReview.client_id == Client.id,
        TreatmentPlanReview.reviewed_on == last.c.reviewed_on,
        TreatmentPlanReview.voided_at.is_(None),
    )
    query = select(
        Client.id,
        func.coalesce(
            Client.primary_clinician_id,
            reviewer.order_by(TreatmentPlanReview.created_at.desc()).limit(1).scalar_subquery(),
        ).label("clinician_id"),
        last.c.reviewed_on,
    ).join(last, last.c.client_id == Client.id)
    query = query.where(Client.tenant_id == work.tenant_id, is_active_on(today))
    for client in work.db.execute(query.where(last.c.reviewed_on <= today - timedelta(days=min(days)))):
        for message in list_plan_messages(client.reviewed_on, days, zone):
            supervisor_id = None if message.kind == "PLAN_REMINDER" else recipients.supervisor_of[client.clinician_id]
            for staff_id in recipients.choose_first(supervisor_id, client.clinician_id):
                yield StaffMessage(message.kind, message.at, staff_id, client.id)


def collect_supervision_messages(
    work: Work, zone: ZoneInfo, since: datetime, recipients: Recipients
) -> Iterator[StaffMessage]:
    """Yield reminders to supervisees who lack hours in a month's last week, and reports on the month that ended."""
    current = month_of(date_of(work.now, zone))
    previous = month_of(current.first - DAY)
    remind_at, report_at = get_reminder_time(current, zone), get_report_time(previous, zone)
    if since <= remind_at <= work.now:
        for person in list_monthly_hours(work, Scope.ALL, current.first):
            if person.hours.missing:
                staff_ids = recipients.select_present(person.staff.id, person.staff.supervisor_id)
                for staff_id in staff_ids or recipients.admin_ids:
                    yield StaffMessage("SUPERVISION_REMINDER", remind_at, staff_id, person.staff.id)
    if since <= report_at <= work.now:
        for staff_id in find_report_recipients(list_monthly_hours(work, Scope.ALL, previous.first), recipients):
            yield StaffMessage("SUPERVISION_REPORT", report_at, staff_id, staff_id)


def find_report_recipients(month: Iterable[MonthlyHours], recipients: Recipients) -> set[UUID]:
    """Return who receives the report on a month: supervisors and admins, or nobody if no hours were required."""
    required = [person for person in month if person.hours.required is not None]
    return {
        *recipients.select_present(*(person.staff.supervisor_id for person in required)),
        *(recipients.admin_ids if required else ()),
    }
