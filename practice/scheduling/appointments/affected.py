"""Open visits that a change concerns: somebody leaves, a room closes, hours change. They stay booked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from practice.local_time import DAY, start_of_day
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.people.practice_time import zone_of
from practice.scheduling.appointments.lifecycle import visible_appointments
from practice.scheduling.appointments.queries import has_id
from practice.scheduling.availability.outside_hours import is_open_ahead
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.statuses import BEGUN, FINAL
from practice.security.permissions import find_scope
from practice.security.work import Work

MAX_LISTED = 200


@dataclass(frozen=True)
class AffectedVisits:
    """The number of visits concerned that the caller may see, and the first of them by start."""

    count: int
    appointments: list[Appointment]


NONE = AffectedVisits(0, [])


def load_affected(work: Work, visit_ids: Collection[UUID]) -> AffectedVisits:
    """Return the visits with these ids."""
    return load_open_visits(work, has_id(visit_ids)) if visit_ids else NONE


def load_affected_by_closure(work: Work, day: date) -> AffectedVisits:
    """Return the visits on the local date."""
    zone = zone_of(work)
    return load_open_visits(
        work,
        Appointment.starts_at >= start_of_day(day, zone),
        Appointment.starts_at < start_of_day(day + DAY, zone),
    )


def load_affected_by_room(work: Work, room_id: UUID) -> AffectedVisits:
    """Return the visits in the room."""
    return load_open_visits(work, Appointment.room_id == room_id)


def load_affected_by_client(work: Work, client: Client) -> AffectedVisits:
    """Return the visits of the client from the end of treatment on that have not begun."""
    if client.ended_on is None:
        return NONE
    end = start_of_day(client.ended_on, zone_of(work))
    is_later = Appointment.starts_at >= end
    return load_open_visits(work, Appointment.client_id == client.id, is_later, ~has_begun(work))


def load_unclosed_by_client(work: Work, client: Client) -> AffectedVisits:
    """Return the visits of a client whose treatment ends that have begun, and are neither completed nor missed."""
    if client.ended_on is None:
        return NONE
    is_open = Appointment.status.not_in(FINAL)
    return load_visits(work, is_open, Appointment.client_id == client.id, has_begun(work))


def has_begun(work: Work) -> ColumnElement[bool]:
    """Return the condition for visits that have begun, maybe early."""
    return or_(Appointment.starts_at <= work.now, Appointment.status.in_(BEGUN))


def load_affected_by_clinician(work: Work, staff: Staff) -> AffectedVisits:
    """Return the visits of a clinician on dates when they do not work for the practice, or no longer as a clinician."""
    conditions = [Appointment.clinician_id == staff.id]
    if staff.deactivated_at is None and "clinician" in staff.roles:
        zone = zone_of(work)
        before = Appointment.starts_at < start_of_day(staff.hired_on, zone)
        conditions.append(
            or_(before, Appointment.starts_at >= start_of_day(staff.left_on + DAY, zone)) if staff.left_on else before
        )
    return load_open_visits(work, *conditions)


def load_open_visits(work: Work, *conditions: ColumnElement[bool]) -> AffectedVisits:
    """Return the open visits ahead that meet the conditions and that the caller may see."""
    return load_visits(work, *is_open_ahead(work), *conditions)


def load_visits(work: Work, *conditions: ColumnElement[bool]) -> AffectedVisits:
    """Return the visits that meet the conditions and that the caller may see."""
    scope = find_scope(work.actor.roles, "appointments", "read")
    if scope is None:
        return NONE
    work.db.flush()
    visits = (
        Appointment.tenant_id == work.tenant_id,
        visible_appointments(work, scope),
        *conditions,
    )
    query = select(Appointment).where(*visits).order_by(Appointment.starts_at, Appointment.id)
    appointments = list(work.db.scalars(query.limit(MAX_LISTED)))
    count = len(appointments)
    if count == MAX_LISTED:
        count = work.db.scalar(select(func.count()).select_from(Appointment).where(*visits)) or 0
    work.record_list("appointments.listed", (appointment.client_id for appointment in appointments), count=count)
    return AffectedVisits(count, appointments)
