"""Supervision hours of a month, held and required, per person and for everybody in scope."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, or_, select

from practice.clinical.models.supervision import SupervisionSession
from practice.clinical.supervision.rules import LICENSES, Hours, Month, compute_required_hours, month_of
from practice.clinical.supervision.sessions import to_person
from practice.local_time import start_of_day
from practice.people.access import require_visible_staff, visible_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today, zone_of
from practice.people.settings import get_setting_on
from practice.people.staff import get_staff
from practice.security.permissions import Scope
from practice.security.work import Work


@dataclass(frozen=True)
class MonthlyHours:
    """One person's supervision hours in one month, and how many of those held have no signed note yet."""

    staff: Staff
    month: Month
    hours: Hours
    unsigned: Decimal


def get_monthly_hours(work: Work, scope: Scope, staff_id: UUID, first: date | None = None) -> MonthlyHours:
    """Return one person's hours in the month of `first`, by default the current month."""
    require_visible_staff(work, scope, staff_id)
    month = month_of(first or local_today(work))
    (monthly_hours,) = count_hours(work, [get_staff(work, staff_id)], month)
    return monthly_hours


def list_monthly_hours(work: Work, scope: Scope, first: date | None = None) -> list[MonthlyHours]:
    """Return the hours of clinicians employed on any day of the month, most missing hours first."""
    month = month_of(first or local_today(work))
    query = select(Staff).where(
        Staff.tenant_id == work.tenant_id,
        Staff.roles.contains(["clinician"]),
        visible_staff(work, scope, Staff.id),
        Staff.hired_on < month.end,
        or_(Staff.left_on.is_(None), Staff.left_on > month.first),
    )
    people = count_hours(work, list(work.db.scalars(query)), month)
    return sorted(
        people,
        key=lambda person: (-person.hours.missing, person.staff.last_name, person.staff.first_name, person.staff.id),
    )


def count_hours(work: Work, people: Collection[Staff], month: Month) -> list[MonthlyHours]:
    """Return each person's held and required hours. Sessions count whether or not their note is signed.

    A session belongs to the month of its local date. Requirements are those in force at the end of the month, or today
    if it is not over.
    """
    zone = zone_of(work)
    total = func.sum(SupervisionSession.hours)
    sums = select(
        SupervisionSession.supervisee_id,
        total.label("hours"),
        total.filter(SupervisionSession.note_signed_at.is_(None)).label("unsigned"),
    ).where(
        SupervisionSession.tenant_id == work.tenant_id,
        SupervisionSession.supervisee_id.in_([staff.id for staff in people]),
        SupervisionSession.voided_at.is_(None),
        SupervisionSession.held_at >= start_of_day(month.first, zone),
        SupervisionSession.held_at < start_of_day(month.end, zone),
        SupervisionSession.held_at <= work.now,
    )
    rows = work.db.execute(sums.group_by(SupervisionSession.supervisee_id))
    hours = {row.supervisee_id: (row.hours, row.unsigned or Decimal("0.00")) for row in rows}
    none = Decimal("0.00"), Decimal("0.00")
    day = min(month.last, local_today(work))
    needed = {kind: get_setting_on(work, f"supervision_hours_{kind.lower()}", day) for kind in LICENSES}
    return [
        MonthlyHours(staff, month, Hours(compute_required_hours(to_person(staff), month, needed), held), unsigned)
        for staff in people
        for held, unsigned in [hours.get(staff.id, none)]
    ]
