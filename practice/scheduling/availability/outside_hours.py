"""Open visits and group sessions outside the hours of their clinicians: the hours changed, or the clinician left."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from practice.local_time import date_of
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.scheduling.availability.group_slots import is_empty_ahead
from practice.scheduling.availability.queries import ClinicianHours, load_hours
from practice.scheduling.availability.rules.free_time import Span, compute_open_spans
from practice.scheduling.availability.rules.hours import Visit, find_outside
from practice.scheduling.models.appointments import Appointment, GroupSession
from practice.scheduling.statuses import FINAL
from practice.security.work import Work


def find_outside_hours(work: Work, clinician_id: UUID | None = None) -> set[UUID]:
    """Return the ids of the open visits, and of the group sessions without seats, that lie outside hours.

    A change of hours compares them before and after.
    """
    of_clinician = [] if clinician_id is None else [GroupSession.clinician_id == clinician_id]
    groups = fetch_booked(work, GroupSession, *is_empty_ahead(work), *of_clinician)
    visits = [] if clinician_id is None else [Appointment.clinician_id == clinician_id]
    return find_visits_outside_hours(work, *visits) | filter_outside(work, groups)


def find_visits_outside_hours(work: Work, *conditions: ColumnElement[bool]) -> set[UUID]:
    """Return the ids of the open visits ahead that meet the conditions and lie outside their clinicians' hours."""
    return filter_outside(work, fetch_booked(work, Appointment, *is_open_ahead(work), *conditions))


def fetch_booked(
    work: Work, table: type[Appointment] | type[GroupSession], *conditions: ColumnElement[bool]
) -> Sequence[Any]:
    """Return the booked times that meet the conditions, with the employment of their clinicians."""
    work.db.flush()
    query = (
        select(
            *(table.id, table.clinician_id, table.service_id, table.starts_at, table.ends_at),
            *(Staff.hired_on, Staff.left_on),
            (Staff.deactivated_at.is_(None) & Staff.roles.contains(["clinician"])).label("active"),
        )
        .join(Staff, (Staff.tenant_id == table.tenant_id) & (Staff.id == table.clinician_id))
        .where(table.tenant_id == work.tenant_id, *conditions)
    )
    return work.db.execute(query).all()


def filter_outside(work: Work, rows: Sequence[Any]) -> set[UUID]:
    """Return the ids of the booked times that lie outside their clinicians' hours.

    Windows, exceptions and closures count, and clinicians have hours only while they work for the practice.
    """
    if not rows:
        return set()
    zone = zone_of(work)
    outside: set[UUID] = set()
    visits: dict[tuple[UUID, UUID], list[Visit]] = defaultdict(list)
    for row in rows:
        day = date_of(row.starts_at, zone)
        if row.active and row.hired_on <= day and (row.left_on is None or day <= row.left_on):
            visits[row.clinician_id, row.service_id].append(Visit(row.id, row.starts_at, row.ends_at))
        else:
            outside.add(row.id)
    first, last = date_of(work.now, zone), date_of(max(row.ends_at for row in rows), zone)
    hours = load_hours(work, {clinician_id for clinician_id, _ in visits}, first, last)
    spans: dict[tuple[UUID, UUID | None], list[Span]] = {}
    for (clinician_id, service_id), booked in visits.items():
        key = clinician_id, service_id if depends_on_service(hours[clinician_id]) else None
        if key not in spans:
            of_clinician = hours[clinician_id]
            spans[key] = compute_open_spans(
                of_clinician.windows, of_clinician.changes, of_clinician.closures, zone, first, last, key[1]
            )
        outside |= find_outside(spans[key], booked)
    return outside


def is_open_ahead(work: Work) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for visits that are not final and have not ended."""
    return Appointment.status.not_in(FINAL), Appointment.ends_at > work.now


def depends_on_service(hours: ClinicianHours) -> bool:
    """Return whether some of the windows are for certain services only."""
    return any(window.services for window in hours.windows)
