"""What the staff is told about plans and supervision, by what has become due. Runs as often as anybody likes.

A message stands for an instant of a rule, and is put down once. What became due longer ago than `CATCH_UP`, or before
the practice was here, is not told any more: a practice that moves in with years of history wants its lists (of plans
due, of hours), not a thousand letters about what is long past.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from practice.clinical.models.plans import TreatmentPlanReview
from practice.clinical.plans.review_status import active_on, last_reviews, plan_days
from practice.clinical.plans.rules import plan_messages
from practice.clinical.supervision.hours import MonthOf, hours_of_all
from practice.clinical.supervision.rules import month_of, reminded_at, reported_at
from practice.local_time import date_of
from practice.messages.outbox import ToStaff, tell_staff_once
from practice.people.models.clients import Client
from practice.people.models.practices import Practice, Staff
from practice.people.practice_time import zone_of
from practice.security.permissions import Scope
from practice.security.work import Work

CATCH_UP = timedelta(days=7)
DAY = timedelta(days=1)


class Recipients:
    """Who can be told: people who work here, their supervisors, the admins."""

    def __init__(self, work: Work, zone: ZoneInfo) -> None:
        people = work.db.scalars(select(Staff).where(Staff.tenant_id == work.tenant_id)).all()
        today = date_of(work.now, zone)
        here = [one for one in people if one.deactivated_at is None and (one.left_on is None or one.left_on > today)]
        self.here = {one.id for one in here}
        self.admins = [one.id for one in here if "admin" in one.roles]
        self.supervisor_of = {one.id: one.supervisor_id for one in people}

    def of(self, *staff_ids: UUID | None) -> list[UUID]:
        return [staff_id for staff_id in staff_ids if staff_id is not None and staff_id in self.here]

    def first_of(self, *staff_ids: UUID | None) -> list[UUID]:
        """The first who works here, else the admins: nothing is told to nobody."""
        return self.of(*staff_ids)[:1] or self.admins


def plan_due(work: Work) -> int:
    """Everything of this module that is due by now and not told yet. Says how many messages that were."""
    zone = zone_of(work)
    begun = work.db.execute(select(Practice.created_at).where(Practice.id == work.tenant_id)).scalar_one()
    since = max(work.now - CATCH_UP, begun)
    people = Recipients(work, zone)
    told = [*about_plans(work, zone, since, people), *about_supervision(work, zone, since, people)]
    return tell_staff_once(work, (one for one in told if since <= one.at <= work.now))


def about_plans(work: Work, zone: ZoneInfo, since: datetime, people: Recipients) -> Iterator[ToStaff]:
    """The primary clinician is reminded; of an overdue plan their supervisor hears, or they where there is none.

    Of a client who is in nobody's care that is whoever reviewed their plan last.
    """
    today, days = date_of(work.now, zone), plan_days(work)
    oldest = date_of(since, zone) - timedelta(days=max(days) + 2)
    last, row = last_reviews(work, today, oldest), TreatmentPlanReview
    reviewer = select(row.clinician_id).where(
        *(row.tenant_id == work.tenant_id, row.client_id == Client.id),
        *(row.reviewed_on == last.c.reviewed_on, row.voided_at.is_(None)),
    )
    query = select(
        Client.id,
        func.coalesce(
            Client.primary_clinician_id, reviewer.order_by(row.created_at.desc()).limit(1).scalar_subquery()
        ).label("clinician_id"),
        last.c.reviewed_on,
    ).join(last, last.c.client_id == Client.id)
    query = query.where(Client.tenant_id == work.tenant_id, active_on(today))
    for client in work.db.execute(query.where(last.c.reviewed_on <= today - timedelta(days=min(days)))):
        for told in plan_messages(client.reviewed_on, days, zone):
            above = None if told.kind == "PLAN_REMINDER" else people.supervisor_of[client.clinician_id]
            for staff_id in people.first_of(above, client.clinician_id):
                yield ToStaff(told.kind, told.at, staff_id, client.id)


def about_supervision(work: Work, zone: ZoneInfo, since: datetime, people: Recipients) -> Iterator[ToStaff]:
    """In a month's last week whoever lacks hours and their supervisor; when it is over the supervisors and admins."""
    this = month_of(date_of(work.now, zone))
    before = month_of(this.first - DAY)
    if since <= reminded_at(this, zone) <= work.now:
        for one in hours_of_all(work, Scope.ALL, this.first):
            if one.hours.missing:
                for staff_id in people.of(one.staff.id, one.staff.supervisor_id) or people.admins:
                    yield ToStaff("SUPERVISION_REMINDER", reminded_at(this, zone), staff_id, one.staff.id)
    if since <= reported_at(before, zone) <= work.now:
        for staff_id in concerned(hours_of_all(work, Scope.ALL, before.first), people):
            yield ToStaff("SUPERVISION_REPORT", reported_at(before, zone), staff_id, staff_id)


def concerned(month: Iterable[MonthOf], people: Recipients) -> set[UUID]:
    """Who gets a report on it, each about their own: where nobody needs hours, nobody."""
    required = [one for one in month if one.hours.required is not None]
    return {*people.of(*(one.staff.supervisor_id for one in required)), *(people.admins if required else ())}
