"""Hours of supervision in a month: held and required, of one person and of everybody somebody answers for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, or_, select

from practice.clinical.models.supervision import SupervisionSession
from practice.clinical.supervision.rules import LICENSES, Hours, Month, month_of, required_hours
from practice.clinical.supervision.sessions import as_rule
from practice.local_time import start_of_day
from practice.people.access import refuse_beyond, staff_within
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today, zone_of
from practice.people.settings import value_on
from practice.people.staff import get_staff
from practice.security.permissions import Scope
from practice.security.work import Work


@dataclass(frozen=True)
class MonthOf:
    staff: Staff
    month: Month
    hours: Hours


def hours_of(work: Work, scope: Scope, staff_id: UUID, first: date | None = None) -> MonthOf:
    """Of one person; of the present month where none is named."""
    refuse_beyond(work, staff_id, scope)
    month = month_of(first or local_today(work))
    (found,) = counted(work, [get_staff(work, staff_id)], month)
    return found


def hours_of_all(work: Work, scope: Scope, first: date | None = None) -> list[MonthOf]:
    """Of the clinicians who were employed on some day of the month: those who lack most in front."""
    month = month_of(first or local_today(work))
    query = select(Staff).where(
        Staff.tenant_id == work.tenant_id,
        Staff.roles.contains(["clinician"]),
        staff_within(work, scope, Staff.id),
        Staff.hired_on < month.end,
        or_(Staff.left_on.is_(None), Staff.left_on > month.first),
    )
    found = counted(work, list(work.db.scalars(query)), month)
    return sorted(found, key=lambda one: (-one.hours.missing, one.staff.last_name, one.staff.first_name, one.staff.id))


def counted(work: Work, people: Collection[Staff], month: Month) -> list[MonthOf]:
    """Sessions are of the month of their local date. What licences need is what was in force when the month ended, or
    is in force today."""
    zone, row = zone_of(work), SupervisionSession
    sums = select(row.supervisee_id, func.sum(row.hours).label("hours")).where(
        row.tenant_id == work.tenant_id,
        row.supervisee_id.in_([staff.id for staff in people]),
        row.voided_at.is_(None),
        row.held_at >= start_of_day(month.first, zone),
        row.held_at < start_of_day(month.end, zone),
        row.held_at <= work.now,
    )
    held = {row.supervisee_id: row.hours for row in work.db.execute(sums.group_by(row.supervisee_id))}
    day = min(month.last, local_today(work))
    needed = {kind: value_on(work, f"supervision_hours_{kind.lower()}", day) for kind in LICENSES}
    return [
        MonthOf(staff, month, Hours(required_hours(as_rule(staff), month, needed), held.get(staff.id, Decimal("0.00"))))
        for staff in people
    ]
